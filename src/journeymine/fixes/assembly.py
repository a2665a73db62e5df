"""From effects, care and decisions to ranked fixes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.fixes.decision.decisions import Decisions, decide
from journeymine.fixes.experiments.plan_fix import plan_of_fix
from journeymine.fixes.ranked_fix import Bounds, Period, RankedFix, Reference, Segment
from journeymine.uncertainty import Estimates, percentile_interval, quantile_of_normal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.fixes.candidates import Candidate
    from journeymine.fixes.causal.care import Care
    from journeymine.fixes.experiments.plan import ExperimentPlan
    from journeymine.fixes.experiments.plannable import PlanFacts
    from journeymine.fixes.what_if.what_if import Effects

    Floats = NDArray[np.float64]

MONTH_DAYS = 30.4375


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """What turns a change of the outcome into numbers a month.

    Attributes
    ----------
    outcome
        "conversion", "revenue" or "time".
    journeys_per_month
        None in a log without a calendar.
    value, value_draws
        Worth of a conversion (of a day saved, if the outcome is time), and its replicates on the same draws as the
        effects; None where it is not known.
    months
        How long a fix is counted on to work.
    """

    outcome: str = "conversion"
    journeys_per_month: float | None = None
    value: float | None = None
    value_draws: Floats | None = None
    months: float = 12.0

    @property
    def of_effect(self) -> float | None:
        """What an effect of 1 is worth over the months, in money; None where it is not known."""
        value = self.worth[0]
        if value is None:
            return None
        return value if self.journeys_per_month is None else value * self.journeys_per_month * self.months

    @property
    def worth(self) -> tuple[float | None, Floats | None]:
        """What a unit of effect is worth, and its replicates: of revenue 1."""
        return (1.0, None) if self.outcome == "revenue" else (self.value, self.value_draws)


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Everything that is known of a list of fixes, in the order in which they were given.

    Attributes
    ----------
    candidates, reach, audience, care
        One entry a fix; without `care` nothing is said of evidence.
    effects
        Their effects on the same draws.
    n
        Journeys behind the effects.
    predicted
        Effects before past experiments corrected them; None where there are none.
    facts
        What plans of tests need; without them none are made.
    """

    candidates: Sequence[Candidate]
    effects: Effects
    reach: Sequence[Estimates]
    audience: Sequence[int]
    scale: Scale
    n: int
    care: Sequence[Care] | None = None
    predicted: Effects | None = None
    facts: PlanFacts | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Fixes in the order of their rank, their draws, and what the first list of them says as a whole."""

    fixes: tuple[RankedFix, ...]
    draws: Floats
    unit_of_value: str
    evpi: float
    p_nothing: float


def rank_all(material: Material) -> Ranked:
    """Decide among the fixes found in the data and the user's own, then among the assumed ones; number over both."""
    groups = [
        [i for i, c in enumerate(material.candidates) if (c.block == "assumed") == assumed]
        for assumed in (False, True)
    ]
    fixes: list[RankedFix] = []
    order: list[int] = []
    first: Decisions | None = None
    for group in groups:
        if not group:
            continue
        decided, ranked = _rank_group(material, group, len(fixes))
        first = decided if first is None else first
        fixes += ranked
        order += [group[i] for i in decided.order.tolist()]
    return Ranked(
        tuple(fixes),
        material.effects.effect_draws[:, order],
        "conversion" if first is None else first.unit,
        0.0 if first is None else first.evpi,
        0.0 if first is None else first.p_nothing,
    )


def _rank_group(material: Material, group: list[int], begin: int) -> tuple[Decisions, list[RankedFix]]:
    decided = _decided(material, group, None)
    fixes = _ranked(material, group, decided, begin)
    plans = [_plan(fix, fixes, material.facts) for fix in fixes]
    error = np.full(len(group), np.nan)
    for place, plan in zip(decided.order.tolist(), plans, strict=True):
        if plan is not None:
            error[place] = _test_error(plan, float(material.reach[group[place]].estimate))
    if not np.isnan(error).all():
        decided = _decided(material, group, error)
    worth = decided.evsi[decided.order]
    return decided, [
        replace(fix, plan=plan, evsi=None if np.isnan(value) else float(value))
        for fix, plan, value in zip(fixes, plans, worth, strict=True)
    ]


def _decided(material: Material, group: list[int], test_error: Floats | None) -> Decisions:
    fixes = [material.candidates[i].fix for i in group]
    value, value_draws = material.scale.worth
    return decide(
        [fix.id for fix in fixes],
        material.effects.effect[group],
        material.effects.effect_draws[:, group],
        n=material.n,
        reach=np.array([float(material.reach[i].estimate) for i in group]),
        cost=np.array([fix.cost for fix in fixes], dtype=float),
        effort=np.array([np.nan if fix.effort is None else fix.effort for fix in fixes]),
        value=value,
        value_draws=value_draws,
        volume=material.scale.journeys_per_month,
        horizon_months=material.scale.months,
        test_se=test_error,
        common_error=material.predicted is not None,
    )


def _test_error(plan: ExperimentPlan, reach: float) -> float:
    """Standard error that the planned test has for the effect per start."""
    return float(abs(plan.effect) / (quantile_of_normal(0.95) + _normal(plan.power)) * reach)


def _normal(share: float) -> float:
    from scipy import special

    return float(special.ndtri(share))


def _plan(fix: RankedFix, fixes: Sequence[RankedFix], facts: PlanFacts | None) -> ExperimentPlan | None:
    """The test that would settle a fix; None where none can be planned."""
    if facts is None:
        return None
    ranking: Any = _Listed(fixes, facts)
    try:
        return plan_of_fix(fix.id, ranking)
    except (OptionError, NotEnoughDataError):
        return None


@dataclass(frozen=True, slots=True, eq=False)
class _Listed:
    """What a plan reads of a ranking."""

    fixes: Sequence[RankedFix]
    facts: PlanFacts


def _ranked(material: Material, group: list[int], decided: Decisions, begin: int) -> list[RankedFix]:
    return [_fix(material, group, decided, place, begin) for place in decided.order.tolist()]


def _fix(material: Material, group: list[int], decided: Decisions, place: int, begin: int) -> RankedFix:
    i = group[place]
    candidate, effects = material.candidates[i], material.effects
    fix, effect = candidate.fix, _at(decided.effect, place)
    visits = int(candidate.scope.n.sum())
    drop = percentile_interval(effects.drop[i], effects.drop_draws[:, i], visits)
    per_month, money = _per_month(effect, effects.effect_draws[:, i], material.scale)
    ranked = RankedFix(
        id=fix.id,
        kind=fix.kind,
        activity=fix.activity,
        attempt=None,
        segment=None if fix.segment is None else Segment(*(str(part) for part in fix.segment)),
        period=None if fix.period_us is None else Period(*fix.period_us, candidate.ongoing),
        reference=Reference(candidate.kind, float(effects.reference[i]), int(effects.reference_n[i])),
        effect=effect,
        drop=drop,
        reach=material.reach[i],
        per_month=per_month,
        money_per_month=money,
        audience_n=material.audience[i],
        p_best=float(decided.p_best[place]),
        rank=begin + int(decided.rank[place]),
        rank_lower=begin + int(decided.rank_lower[place]),
        rank_upper=begin + int(decided.rank_upper[place]),
        evidence="association",
        block=candidate.block,
        fix=fix,
        net_value=None if decided.unit == "conversion" else _at(decided.net, place),
        p_positive=float(decided.p_positive[place]),
        above_zero=bool(decided.above_zero[place] and effect.estimate > 0),
        simultaneous=Bounds(float(decided.band[0][place]), float(decided.band[1][place])),
        regret=float(decided.regret[place]),
        rice=decided.rice[place],
        tied_with=decided.tied_with[place],
        shrinkage=candidate.shrinkage,
        sd=float(effects.effect_draws[:, i].std(ddof=1)),
        predicted=None if material.predicted is None else _predicted(material, i),
    )
    return ranked if material.care is None else _cared(ranked, material.care[i])


def _predicted(material: Material, i: int) -> Estimates:
    assert material.predicted is not None
    before = material.predicted
    return percentile_interval(before.effect[i], before.effect_draws[:, i], material.n)


def _cared(fix: RankedFix, care: Care) -> RankedFix:
    return replace(
        fix,
        evidence=care.grade,
        e_value=care.e_value,
        e_value_bound=care.e_value_bound,
        rho_break_even=care.rho_break_even,
        rho_zero=care.rho_zero,
        effect_rho=care.effect_rho,
        overlap=care.overlap,
        exposure=None if care.exposure is None else care.exposure.att,
        negative_control=None if care.control is None else care.control.difference,
        flags=care.flags,
        why_grade=care.reasons,
    )


def _at(values: Estimates, i: int) -> Estimates:
    return Estimates(values.estimate[i], values.lower[i], values.upper[i], values.n[i])


def _per_month(effect: Estimates, draws: Floats, scale: Scale) -> tuple[Estimates | None, Estimates | None]:
    """Conversions and money a month."""
    rate = scale.journeys_per_month
    if rate is None or scale.outcome == "time":
        return None, None
    monthly = Estimates(effect.estimate * rate, effect.lower * rate, effect.upper * rate, effect.n)
    if scale.outcome == "revenue":
        return None, monthly
    if scale.value is None:
        return monthly, None
    if scale.value_draws is None:
        worth = scale.value
        return monthly, Estimates(
            monthly.estimate * worth, monthly.lower * worth, monthly.upper * worth, effect.n
        )
    money = percentile_interval(
        effect.estimate * rate * scale.value, draws * rate * scale.value_draws[: len(draws)], effect.n
    )
    # Where the effect does not stand above the noise of the list, neither does the money.
    low, high = float(money.lower), float(money.upper)
    low = min(low, 0.0) if effect.lower <= 0 else low
    high = max(high, 0.0) if effect.upper >= 0 else high
    return monthly, Estimates(money.estimate, np.asarray(low), np.asarray(high), money.n)
