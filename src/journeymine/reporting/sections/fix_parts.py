"""What a ranked fix carries beside its effect: the wish behind it, the decision, the care; as plain numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from journeymine.fixes.experiments.plan import ExperimentPlan
    from journeymine.fixes.ranked_fix import RankedFix
    from journeymine.uncertainty import Estimates

RICE: Final = ("reach", "impact", "confidence", "effort", "score")


def wishes_of(fix: RankedFix) -> dict[str, Any]:
    """What was asked for: by the user, or by the search."""
    names = ("label", "target", "to", "share", "rho", "cost", "effort")
    return {name: getattr(fix, name) for name in names}


def decision_of(fix: RankedFix) -> dict[str, Any]:
    """What the joint draws say about choosing and testing the fix."""
    return {
        "net_value": at_or_none(fix.net_value),
        "p_positive": fix.p_positive,
        "above_zero": fix.above_zero,
        "simultaneous": parts_or_none(fix.simultaneous, ("lower", "upper")),
        "regret": fix.regret,
        "evsi": fix.evsi,
        "rice": parts_or_none(fix.rice, RICE),
        "tied_with": list(fix.tied_with),
        "plan": None if fix.plan is None else _plan(fix.plan),
    }


def care_of(fix: RankedFix) -> dict[str, Any]:
    """How far the number can be believed, and what would have to be so that it were wrong."""
    return {
        "e_value": fix.e_value,
        "e_value_bound": fix.e_value_bound,
        "rho_break_even": fix.rho_break_even,
        "rho_zero": fix.rho_zero,
        "effect_rho": [parts_or_none(row, ("rho", "effect")) for row in fix.effect_rho],
        "overlap": parts_or_none(fix.overlap, ("share", "cells_without")),
        "exposure": at_or_none(fix.exposure),
        "negative_control": at_or_none(fix.negative_control),
        "flags": list(fix.flags),
        "why_grade": list(fix.why_grade),
        "shrinkage": fix.shrinkage,
    }


def _plan(plan: ExperimentPlan) -> dict[str, Any]:
    """The test on those who meet the fix: `mde` is the change among them, `expected` the one over all starts."""
    return {
        "population": [dict(rule) for rule in plan.audience.rules],
        "metric": plan.metric,
        "baseline": plan.baseline,
        "mde": plan.effect,
        "n_per_arm": plan.n_per_arm,
        "weeks": plan.weeks,
        "power": plan.power,
        "expected": None if plan.expected is None else dict(plan.expected),
    }


def at_or_none(values: Estimates | None) -> dict[str, Any] | None:
    """An estimate as a dict; None where there is none."""
    return None if values is None else values.at()


def parts_or_none(part: object, names: tuple[str, ...]) -> dict[str, Any] | None:
    """The named parts of a small result as plain values, estimates as dicts; None stays None."""
    return None if part is None else {name: _plain(getattr(part, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value.at() if hasattr(value, "at") else value
