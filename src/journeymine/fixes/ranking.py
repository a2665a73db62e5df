"""`FixRanking`: fixes sorted by the lower bound of what they bring, ties called ties."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.fixes.decision.error_control import bounded, kept_above_zero
from journeymine.fixes.experiments.plan_fix import find_fix, plan_of_fix
from journeymine.fixes.what_if.waits import SHAPES
from journeymine.uncertainty import Estimates, percentile_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.fixes.candidates import Found
    from journeymine.fixes.causal.placebo import PlaceboResult
    from journeymine.fixes.classes import Classes
    from journeymine.fixes.experiments.calibration import Calibration
    from journeymine.fixes.experiments.plan import ExperimentPlan
    from journeymine.fixes.experiments.plannable import PlanFacts
    from journeymine.fixes.ranked_fix import RankedFix
    from journeymine.fixes.what_if.what_if import Effects, WhatIf
    from journeymine.log import EventLog

    Floats = NDArray[np.float64]


NEARLY_ALL = 0.98
"""Above this conversion there is little to gain but time."""


@dataclass(frozen=True, slots=True, eq=False)
class FixSet:
    """Several fixes done together: effects of single fixes do not add up.

    Attributes
    ----------
    ids
        The fixes, in the order in which they act.
    effect
        Of all together.
    sum_of_singles
        What the single effects come to.
    cost
        What they cost together.
    net_value
        What they bring over the horizon less that; None where neither value nor cost is known.
    """

    ids: tuple[str, ...]
    effect: Estimates
    sum_of_singles: float
    cost: float
    net_value: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers: ids, effect, sum_of_singles, cost, net_value."""
        return {
            "ids": list(self.ids),
            "effect": self.effect.at(),
            "sum_of_singles": self.sum_of_singles,
            "cost": self.cost,
            "net_value": self.net_value,
        }


@dataclass(frozen=True, slots=True, eq=False)
class FixRanking:
    """Ranked fixes; `log.rank_fixes()` makes one.

    Attributes
    ----------
    fixes
        In the order of their rank: those found in the data and the user's own first, then the assumed ones.
    n_tested, n_kept
        Rows tested for differences between segments, periods, attempts and channels, and kept at a false discovery
        rate of 5 %.
    found
        The tests behind the candidates.
    conversion
        Conversion now.
    n_draws
        Bootstrap replicates.
    unit
        What was resampled: "customers" or "buckets" of customers.
    states
        Names of the activities of the chain.
    log
        The log it came from.
    classes
        Classes of customers that the effects were estimated in; None without `heterogeneity="classes"`.
    outcome, causal
        What was ranked by, and how it was adjusted.
    unit_of_value
        Unit of net value, regret and EVSI: "conversion", "money a journey" or "money".
    evpi
        What knowing all effects for certain would be worth, in that unit; at least 0.
    p_nothing
        Probability that doing nothing is best, where fixes cost something.
    placebo
        Tests of an event that cannot matter; None where they were not made.
    calibration
        What past experiments say about the predictions; None before the first one.
    sets
        Fixes evaluated together.
    what_if, effects
        The chains behind the effects, for further questions, and what they gave.
    scale
        What an effect of 1 is worth over the horizon, in money; None where no value is known.
    places
        Place of each fix in `what_if`, by id.
    draws
        Replicates of the effects, shape (n_draws, n_fixes), in the order of `fixes`.
    facts
        What plans of tests need.
    seed
        Seed of the draws.
    horizon
        The time within which journeys have to convert, as it was given; None for conversion in the end.
    horizon_months
        How long a fix is counted on to work, in net values.
    """

    fixes: tuple[RankedFix, ...]
    found: Found
    conversion: Estimates
    n_draws: int
    unit: str
    states: tuple[str, ...]
    log: EventLog
    classes: Classes | None = None
    outcome: str = "conversion"
    causal: str = "standardise"
    unit_of_value: str = "conversion"
    evpi: float = 0.0
    p_nothing: float = 0.0
    placebo: PlaceboResult | None = None
    calibration: Calibration | None = None
    sets: tuple[FixSet, ...] = ()
    what_if: WhatIf | None = field(default=None, repr=False)
    effects: Effects | None = field(default=None, repr=False)
    scale: float | None = None
    places: dict[str, int] = field(default_factory=dict, repr=False)
    draws: Floats = field(default_factory=lambda: np.zeros((0, 0)), repr=False)
    facts: PlanFacts | None = field(default=None, repr=False)
    seed: int = 0
    horizon: str | None = None
    horizon_months: float = 12.0

    @property
    def n_tested(self) -> int:
        """Rows tested."""
        return len(self.found.tests)

    @property
    def n_kept(self) -> int:
        """Rows that differ beyond the noise."""
        return self.found.n_kept

    @property
    def selection(self) -> str:
        """How fixes that were found and scored on the same customers are corrected for it."""
        return "shrinkage"

    def __getitem__(self, fix: int | str) -> RankedFix:
        """The fix of a rank or an id."""
        found: Any = find_fix(fix, self.fixes)
        return found  # type: ignore[no-any-return]

    def plan(
        self, fix: int | str | RankedFix, effect: float | None = None, power: float = 0.8, **settings: Any
    ) -> ExperimentPlan:
        """Plan an A/B test of a fix on the customers who meet it.

        Parameters
        ----------
        fix
            Rank, id, or the fix itself.
        effect
            Change of the share of all starts that convert which the test is to find; by default the predicted one.
        power
            Chance of finding it.
        settings
            method="sequential", alpha, holdout, r_squared, experiment: as in
            `journeymine.fixes.experiments.planning.plan_test`.
        """
        if self.facts is None:
            raise NotEnoughDataError(
                "this ranking knows nothing that a plan needs.", hint="use log.rank_fixes()."
            )
        ranking: Any = self
        return plan_of_fix(fix, ranking, effect=effect, power=power, **settings)

    def together(self, fixes: Sequence[int | str]) -> FixSet:
        """Effect of several fixes done together, exactly, on the draws of the ranking.

        Parameters
        ----------
        fixes
            Ranks or ids. Each acts on what those before it left.
        """
        chosen = [self[fix] for fix in fixes]
        if not chosen or len({fix.id for fix in chosen}) < len(chosen):
            raise OptionError(
                f"{len(chosen)} fixes were named, expected at least one, and each once.",
                hint="pass ranks, like [1, 2].",
            )
        if self.what_if is None or self.effects is None:
            raise NotEnoughDataError("this ranking has no chains to put fixes together on.")
        places = [self.places[fix.id] for fix in chosen]
        at = [self.fixes.index(fix) for fix in chosen]
        joint, joint_draws = self.what_if.together(places, n_draws=self.n_draws, seed=self.seed)
        on_chain = self.effects.on_chain[places]
        singles = sum(float(fix.effect.estimate) for fix in chosen)
        # What is known beside the chains (experiments, histories, luck of the draw) holds for the set as for its parts.
        trust = singles / float(on_chain.sum()) if on_chain.sum() else 1.0
        estimate = singles + trust * (joint - float(on_chain.sum()))
        apart = joint_draws - self.effects.on_chain_draws[:, places].sum(axis=1)
        draws = self.draws[:, at].sum(axis=1) + trust * apart
        found = percentile_interval(np.asarray(estimate), draws, int(chosen[0].effect.n))
        kept = bool(kept_above_zero(np.array([estimate]), draws[:, None])[0])
        low, high = bounded(found.lower, found.upper, np.asarray(kept))
        cost = sum(fix.cost for fix in chosen)
        return FixSet(
            tuple(fix.id for fix in chosen),
            Estimates(found.estimate, np.asarray(low), np.asarray(high), found.n),
            singles,
            cost,
            None if self.scale is None else estimate * self.scale - cost,
        )

    def choose(self, budget: float | None = None, *, most: int = 5) -> FixSet:
        """Fixes to do together: one after the other, the one that adds most to what is already chosen.

        Parameters
        ----------
        budget
            What they may cost together; fixes are then compared by what they add for their cost. Without one, by what
            they add less their cost.
        most
            Largest number of fixes.
        """
        if self.what_if is None or self.effects is None:
            raise NotEnoughDataError("this ranking has no chains to put fixes together on.")
        pool = [fix for fix in self.fixes if fix.block != "assumed"] or list(self.fixes)
        places = [self.places[fix.id] for fix in pool]
        on_chain = self.effects.on_chain[places]
        chosen = self.what_if.greedy(
            places,
            [fix.cost for fix in pool],
            budget=budget,
            most=most,
            scale=1.0 if self.scale is None else self.scale,
            believed=[
                float(fix.effect.estimate) / chain if chain else 1.0
                for fix, chain in zip(pool, on_chain.tolist(), strict=True)
            ],
        )
        if not chosen:
            raise NotEnoughDataError(
                "no fix adds more than it costs within the budget.",
                hint="raise the budget, or look at the single effects.",
            )
        return self.together([pool[i].id for i in chosen])

    def patience(self, fix: int | str) -> pd.DataFrame:
        """Effect of a fix of a wait under other shapes of patience, where customers leave without a trace.

        One row a shape: 1 is the assumption of the ranking (exponential patience), 0 says that nobody leaves because of
        the wait. The log cannot tell them apart.
        """
        import pandas as pd

        one = self[fix]
        if one.kind != "wait" or self.what_if is None:
            raise OptionError(
                f"{one.id} shortens no wait.", hint='name a fix of kind "wait", by its rank or its id.'
            )
        place = self.places[one.id]
        return pd.DataFrame(
            [{"shape": shape, "effect": self.what_if.effect_of_patience(place, shape)} for shape in SHAPES]
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a fix: rank, id, kind, activity, segment, period_start, period_end, estimate, lower, upper, …."""
        import pandas as pd

        return pd.DataFrame([_row(fix) for fix in self.fixes], columns=list(_COLUMNS))

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, the fixes as in `to_frame`."""
        return {
            "n_tested": self.n_tested,
            "n_kept": self.n_kept,
            "outcome": self.outcome,
            "causal": self.causal,
            "unit_of_value": self.unit_of_value,
            "evpi": self.evpi,
            "classes": None if self.classes is None else self.classes.to_dict(),
            "conversion": self.conversion.at(),
            "fixes": [_row(fix) for fix in self.fixes],
        }

    def __repr__(self) -> str:
        tested = f"{self.n_kept} of {self.n_tested} tested rows differ beyond the noise"
        head = f"FixRanking: {len(self.fixes)} fixes; {tested}"
        lines = [_line(fix, self.outcome) for fix in self.fixes[:8]]
        more = len(self.fixes) - len(lines)
        rest = [f"… and {more} more"] if more else []
        rest += [str(self.classes)] if self.classes is not None else []
        if self.outcome == "conversion" and float(self.conversion.estimate) > NEARLY_ALL:
            rest.append(
                'Nearly all journeys reach the goal: rank_fixes(outcome="time") asks what takes them long.'
            )
        return "\n".join([head, *lines, *rest, "Next: .to_frame(), .plan(1), jm.report(log).save(...)"])

    def _repr_html_(self) -> str:
        from journeymine.reporting.notebook import ranking_html

        return ranking_html(self, self.log)


_COLUMNS = (
    "rank",
    "id",
    "kind",
    "activity",
    "attempt",
    "segment",
    "period_start",
    "period_end",
    "estimate",
    "lower",
    "upper",
    "n",
    "per_month",
    "money_per_month",
    "net_value",
    "net_value_lower",
    "net_value_upper",
    "p_positive",
    "above_zero",
    "simultaneous_lower",
    "simultaneous_upper",
    "reach",
    "reference_kind",
    "reference_value",
    "reference_n",
    "drop",
    "p_best",
    "rank_lower",
    "rank_upper",
    "tied_with",
    "regret",
    "evsi",
    "rice",
    "evidence",
    "e_value",
    "e_value_bound",
    "rho_break_even",
    "rho_zero",
    "shrinkage",
    "flags",
    "audience_n",
    "block",
)


def _row(fix: RankedFix) -> dict[str, Any]:
    effect: dict[str, Any] = fix.effect.at() or {"estimate": None, "lower": None, "upper": None, "n": 0}
    net = (fix.net_value.at() if fix.net_value is not None else None) or {}
    band = fix.simultaneous
    return {
        "rank": fix.rank,
        "id": fix.id,
        "kind": fix.kind,
        "activity": fix.activity,
        "attempt": fix.attempt,
        "segment": f"{fix.segment.column} = {fix.segment.value}" if fix.segment else None,
        "period_start": iso(fix.period.start_us) if fix.period else None,
        "period_end": iso(fix.period.end_us) if fix.period else None,
        **effect,
        "per_month": float(fix.per_month.estimate) if fix.per_month else None,
        "money_per_month": float(fix.money_per_month.estimate) if fix.money_per_month else None,
        "net_value": net.get("estimate"),
        "net_value_lower": net.get("lower"),
        "net_value_upper": net.get("upper"),
        "p_positive": fix.p_positive,
        "above_zero": fix.above_zero,
        "simultaneous_lower": band.lower if band else None,
        "simultaneous_upper": band.upper if band else None,
        "reach": float(fix.reach.estimate),
        "reference_kind": fix.reference.kind,
        "reference_value": fix.reference.value,
        "reference_n": fix.reference.n,
        "drop": float(fix.drop.estimate),
        "p_best": fix.p_best,
        "rank_lower": fix.rank_lower,
        "rank_upper": fix.rank_upper,
        "tied_with": list(fix.tied_with),
        "regret": fix.regret,
        "evsi": fix.evsi,
        "rice": None if fix.rice is None else fix.rice.score,
        "evidence": fix.evidence,
        "e_value": fix.e_value,
        "e_value_bound": fix.e_value_bound,
        "rho_break_even": fix.rho_break_even,
        "rho_zero": fix.rho_zero,
        "shrinkage": fix.shrinkage,
        "flags": list(fix.flags),
        "audience_n": fix.audience_n,
        "block": fix.block,
    }


_WHAT = {
    "remove_step": "remove the step",
    "loop": "loop",
    "wait": "shorten the wait",
    "channel_switch": "switch of channel",
    "reroute": "re-route",
    "incident": "incident",
}
_UNITS = {"conversion": (100.0, " pt"), "revenue": (1.0, ""), "time": (1.0, " d saved")}


def _line(fix: RankedFix, outcome: str) -> str:
    what = f" ({fix.label or _WHAT[fix.kind]})"[:60] if fix.label or fix.kind in _WHAT else ""
    where = f" [{fix.segment.column} = {fix.segment.value}]" if fix.segment else ""
    when = f" [{iso(fix.period.start_us)[:10]} to {iso(fix.period.end_us)[:10]}]" if fix.period else ""
    scale, unit = _UNITS.get(outcome, (100.0, " pt"))
    low, high = float(fix.effect.lower) * scale, float(fix.effect.upper) * scale
    size = f"{float(fix.effect.estimate) * scale:+.2f}{unit} ({low:+.2f} to {high:+.2f})"
    assumed = fix.block == "assumed" and fix.kind == "drop_off"
    how = ", if 20 % of its drop-outs were saved" if assumed else ""
    return f"{fix.rank:>3}. {size}  {fix.activity[:60]}{what}{where[:60]}{when}{how}"


def iso(time_us: int) -> str:
    """ISO 8601 in UTC.

    Examples
    --------
    >>> iso(1_767_225_600_000_000)
    '2026-01-01T00:00:00Z'
    """
    import datetime as dt

    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=time_us)
    return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds").replace(
        "+00:00", "Z"
    )
