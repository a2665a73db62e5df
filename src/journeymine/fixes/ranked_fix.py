"""`RankedFix`: one fix with everything a reader needs to decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from journeymine.fixes.causal.care import ScopeOverlap
    from journeymine.fixes.causal.rescue import RescuePoint
    from journeymine.fixes.decision.rice import Rice
    from journeymine.fixes.experiments.plan import ExperimentPlan
    from journeymine.fixes.fix import Fix
    from journeymine.uncertainty import Estimates


@dataclass(frozen=True, slots=True)
class Segment:
    """A value of a segment column."""

    column: str
    value: str


@dataclass(frozen=True, slots=True)
class Period:
    """A period of time, microseconds since 1970 UTC; `ongoing` if it reaches the end of what was watched."""

    start_us: int
    end_us: int
    ongoing: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """What the drop-out is brought down to.

    `kind` says where it comes from: "segment", "period", "attempt", "channel" or "assumed"; `value` is the share, `n`
    the visits behind it.
    """

    kind: str
    value: float
    n: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """An interval."""

    lower: float
    upper: float


@dataclass(frozen=True, slots=True, eq=False)
class RankedFix:
    """One fix with everything a reader needs to decide.

    Attributes
    ----------
    fix
        What is done, as a user would write it.
    effect
        Change of the outcome per journey that starts, above 0 is better; `n` journeys.
    drop
        Drop-out share in the scope now; `n` visits.
    reach
        Share of journeys that meet the activity in the scope.
    per_month, money_per_month
        Conversions and money a month; None where time or value is not known, or the outcome is another.
    audience_n
        Customers who were lost there.
    block
        "found" (the data suggest it), "user" (asked for) or "assumed" (a fifth of the drop-outs saved).
    rank_lower, rank_upper
        Places the fix could hold within its block, counted over all blocks.
    net_value
        What it brings over the horizon less its cost; None where neither value nor cost is known.
    p_positive
        P(effect > cost).
    above_zero
        Whether the effect is above zero when all fixes of the list are judged together (5 % false discoveries).
    simultaneous
        Interval that holds for the whole list at once.
    regret
        What is lost on average by taking this fix if another one is better, in the unit of net value.
    evsi
        What the planned test is worth, in the unit of net value; None where no test can be planned.
    rice
        None where no effort is given.
    tied_with
        Fixes of the same block that it cannot be told from.
    e_value, e_value_bound
        How strongly something unseen would have to go with both the friction and the outcome to explain the effect
        away; the same for the limit of the interval.
    rho_break_even, rho_zero
        Rescue factor at which the fix loses its place to the next one (or is worth nothing), and at which it is
        worth nothing.
    effect_rho
        Effect at other rescue factors.
    overlap
        None where it was not looked at.
    exposure
        Effect on those who met it, adjusted for their history (AIPW), where customers choose to meet it.
    negative_control
        The same for what happened before, which it cannot have changed.
    flags
        What to be careful about.
    shrinkage
        Share of the found excess that is believed; None where nothing was found.
    plan
        The test that would settle it; None where none can be planned.
    why_grade
        Codes of the reasons for the grade of evidence.
    sd
        Standard deviation of the effect's replicates; the interval may be wider, down to no effect.
    predicted
        The effect before past experiments corrected it; None where there are none.
    """

    id: str
    kind: str
    activity: str
    attempt: int | None
    segment: Segment | None
    period: Period | None
    reference: Reference
    effect: Estimates
    drop: Estimates
    reach: Estimates
    per_month: Estimates | None
    money_per_month: Estimates | None
    audience_n: int
    p_best: float
    rank: int
    rank_lower: int
    rank_upper: int
    evidence: str
    block: str
    fix: Fix
    net_value: Estimates | None = None
    p_positive: float = 0.0
    above_zero: bool = False
    simultaneous: Bounds | None = None
    regret: float = 0.0
    evsi: float | None = None
    rice: Rice | None = None
    tied_with: tuple[str, ...] = ()
    e_value: float = 1.0
    e_value_bound: float = 1.0
    rho_break_even: float = float("nan")
    rho_zero: float = float("nan")
    effect_rho: tuple[RescuePoint, ...] = ()
    overlap: ScopeOverlap | None = None
    exposure: Estimates | None = None
    negative_control: Estimates | None = None
    flags: tuple[str, ...] = ()
    shrinkage: float | None = None
    plan: ExperimentPlan | None = None
    why_grade: tuple[str, ...] = ()
    predicted: Estimates | None = None
    sd: float = float("nan")

    @property
    def label(self) -> str | None:
        """Words of the user for it."""
        return self.fix.label

    @property
    def cost(self) -> float:
        """What it costs."""
        return self.fix.cost

    @property
    def effort(self) -> float | None:
        """Work it takes."""
        return self.fix.effort

    @property
    def target(self) -> str | None:
        """Activity a loop runs through, or that a re-route takes journeys from."""
        return self.fix.target

    @property
    def to(self) -> str | None:
        """Where a re-route sends journeys."""
        return self.fix.to

    @property
    def share(self) -> float | None:
        """Achievable share; None where the fix brings things to where they work."""
        return None if self.fix.to_reference else self.fix.fraction

    @property
    def rho(self) -> float:
        """Rescue factor that the effect assumes."""
        return self.fix.rho
