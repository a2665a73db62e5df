"""When the goal is reached: P(goal within a time), and the time it takes, from a semi-Markov chain.

`timed_chain.py` solves it and says how sure it is: intervals are Wilson's at the effective size that the linearised
variance over customers gives (or over their buckets).

What it assumes: what follows a visit, and when, depends on its state only, for everybody alike. Where customers differ
in ways that the states do not show, the share that converts in the end is still right, since flows balance, but not
when: with customers whose log-odds of dropping out have a standard deviation of 1, in a chain with loops, 22.1 % were
estimated to convert within a week where 20.8 % do, 41.8 % within 30 days where 41.6 % do
(`benchmarks/validation/time_to_goal.py`, world "repeated"). From the start of journeys the share is therefore read off
journeys as a whole (`TimeToGoal.journeys`), which assumes no chain; the chain's stands beside it, and where the two are
apart by more than chance the result says so. From a state there is the chain's alone.

Logs that begin while journeys are under way: waits need nothing more, as every visit is seen from its start; the
journeys' starts must be known, by `journeys(start=...)` or by leaving journeys out that were under way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.errors import OptionError, listed, shown, suggestion, unknown_name
from journeymine.markov.timing.renewal import DAY, Grid, grid_of
from journeymine.markov.timing.semi_kernel import estimate_kernel
from journeymine.markov.timing.timed_chain import SURE, TimedChain, origin_of
from journeymine.uncertainty import Estimates, wilson_of_share

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.counts.visit_waits import VisitWaits

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

N_TIMES = 40
"""About so many times at which the curve is shown."""
COARSE = 64
FAR_ENOUGH = 0.75
"""The median is read off a grid that at least so much of the journeys that convert have converted by."""
MOST_DOUBLINGS = 60
EXTRAPOLATED = (
    "the horizon is longer than the log: what comes later is what the chain implies, not what was seen."
)
APART = (
    "the chain says {:.4f} ({:.4f} to {:.4f}): when journeys convert depends on more than their last step, "
    "so do not trust it from a state either."
)
SIGNIFICANT, MATERIAL = 2.576, 0.01
"""Chain and journeys are apart if their difference has p < 0.01 and is a point or more."""


@dataclass(frozen=True, slots=True, eq=False)
class TimeToGoal:
    """When journeys reach the goal, and when they are known to be over.

    `dict(result)` is P(goal within the horizon): `{estimate, lower, upper, n}`, from the start read off whole journeys,
    from a state that of the chain.

    Attributes
    ----------
    horizon_us
        Horizon in microseconds.
    source
        State that the clock starts in; None: where journeys start.
    time_us
        Times of the curves, from 0 to the horizon, shape (t,).
    goal, drop, under_way
        By the chain: share that has reached the goal, is known to be over without it (after `idle` of silence, or by
        an `end` activity), is neither, by each time; shape (t,). `n` counts journeys that start, or visits to the
        source.
    journeys
        The same as `goal`, read off journeys as a whole: Aalen and Johansen's cumulative incidence, which assumes no
        chain and knows no state; shape (t,), nan beyond the times at which journeys were watched. None with a source.
    converted
        Share that reaches the goal in the end: the conversion of the chain, shape ().
    median_s
        Median time to the goal of those that ever reach it, in seconds, shape (); nan where none does. A bound is nan
        if it lies beyond what the data tell.
    warnings
        What the numbers rest on beyond the data.
    """

    horizon_us: int
    source: str | None
    time_us: Floats
    goal: Estimates
    drop: Estimates
    under_way: Estimates
    journeys: Estimates | None
    converted: Estimates
    median_s: Estimates
    warnings: tuple[str, ...] = ()

    @property
    def best(self) -> Estimates:
        """P(goal) by each time: of whole journeys, where they were watched up to the horizon; else the chain's."""
        if self.journeys is None or not np.isfinite(self.journeys.estimate[-1]):
            return self.goal
        return self.journeys

    @property
    def estimate(self) -> float:
        """P(goal within the horizon)."""
        return float(self.best.estimate[-1])

    @property
    def lower(self) -> float:
        """Lower bound of its 95 % interval."""
        return float(self.best.lower[-1])

    @property
    def upper(self) -> float:
        """Upper bound of its 95 % interval."""
        return float(self.best.upper[-1])

    @property
    def n(self) -> int:
        """Journeys, or visits to the source."""
        return int(self.best.n[-1])

    def keys(self) -> tuple[str, ...]:
        """Names of the numbers, for `dict(result)`."""
        return ("estimate", "lower", "upper", "n")

    def __getitem__(self, key: str) -> float | int:
        if key not in self.keys():
            raise KeyError(key)
        value: float | int = getattr(self, key)
        return value

    def to_frame(self, outcome: str = "goal") -> pd.DataFrame:
        """One row a time: time_days, estimate, lower, upper, n.

        `outcome` is "goal" (whose last row is the estimate), or by the chain "chain", "dropped", "under way".
        """
        import pandas as pd

        curves = {"goal": self.best, "chain": self.goal, "dropped": self.drop, "under way": self.under_way}
        if outcome not in curves:
            hint = suggestion(str(outcome), curves, 'pass outcome="goal".')
            raise OptionError(unknown_name("outcome", outcome), found=f"{listed(curves)}.", hint=hint)
        values = curves[outcome]
        columns = {name: getattr(values, name) for name in ("estimate", "lower", "upper", "n")}
        return pd.DataFrame({"time_days": self.time_us / DAY} | columns)

    def __repr__(self) -> str:
        of = "journeys" if self.source is None else f"visits to {shown(self.source)}"
        half = float(self.median_s.estimate)
        reached = (
            f"{self.estimate:.4f} of {self.n:,} {of} reach the goal within {self.horizon_us / DAY:g} days"
        )
        chain, over, open_ = (float(curve.estimate[-1]) for curve in (self.goal, self.drop, self.under_way))
        in_the_end = float(self.converted.estimate)
        by_then = f"by the chain {chain:.4f} do, {over:.4f} are over without it, {open_:.4f} under way"
        lines = [
            f"TimeToGoal: {reached} (95 % interval {self.lower:.4f} to {self.upper:.4f})",
            f"{by_then}, and {in_the_end:.4f} convert in the end",
        ]
        if np.isfinite(half):
            lines.append(f"half of those that convert do so within {half / 86_400:.3g} days")
        return "\n".join([*lines, *self.warnings, 'Next: .to_frame(), .to_frame("dropped")'])


def time_to_goal(
    waits: VisitWaits | None, counts: ChainCounts, horizon_us: int, *, source: str | None = None
) -> TimeToGoal:
    """P(goal within a time), as a curve with intervals over customers.

    Parameters
    ----------
    waits
        Waits of all visits.
    counts
        The chain they belong to: how often moves are made, and where journeys start.
    horizon_us
        Horizon in microseconds.
    source
        Start in this state instead of where journeys start.

    Raises
    ------
    NotEnoughDataError
        There are no times, or no journey that starts.
    OptionError
        The horizon is not positive, or the source is not a state.

    Examples
    --------
    Three visits to A reach the goal after one, two and three days; of a fourth nothing is heard for ten:

    >>> from journeymine.counts.chain import DROP, GOAL, ChainCounts
    >>> from journeymine.counts.visit_waits import VisitWaits
    >>> day, one, four = 86_400_000_000, np.ones(4, int), np.arange(4)
    >>> target, wait = np.array([GOAL, GOAL, GOAL, DROP]), np.array([1, 2, 3, 10]) * day
    >>> waits = VisitWaits(("A",), 0 * four, target, four, one, wait, wait, wait, four, four, one,
    ...     10 * day, 99 * day, 4)
    >>> chain = ChainCounts(("A",), one[:1] - 1, four, 0 * four, 0 * four, target, one, 0.0 * four,
    ...     four, 0 * four, 0 * four, one, ((),), np.array([4]), 4)
    >>> found = time_to_goal(waits, chain, 2 * day)
    >>> round(found.estimate, 4), round(float(found.converted.estimate), 4)
    (0.5, 0.75)
    """
    if isinstance(horizon_us, bool) or not isinstance(horizon_us, (int, np.integer)) or horizon_us < 1:
        raise OptionError(f"horizon is {shown(horizon_us)} microseconds, expected a positive whole number.")
    kernel = estimate_kernel(waits, counts)
    origin = origin_of(counts, source)
    model = TimedChain(kernel, counts, origin)
    curve = model.curve(grid_of(int(horizon_us), counts.n_states))
    at = _shown(curve.grid.at_horizon)
    goal, drop = curve.goal[at], curve.drop[at]
    of_goal, of_drop = model.influence(curve, at)
    time_us = np.asarray(at * curve.grid.step_us, dtype=float)
    warnings: tuple[str, ...] = (EXTRAPOLATED,) if horizon_us > kernel.waits.span_us else ()
    journeys = None
    if source is None:
        whole, of_whole = model.of_journeys(time_us)
        journeys = model.share(whole, of_whole)
        if _apart(goal[-1] - whole[-1], of_goal[:, -1] - of_whole[:, -1]):
            by_chain = model.share(goal, of_goal)
            warnings += (APART.format(by_chain.estimate[-1], by_chain.lower[-1], by_chain.upper[-1]),)
    return TimeToGoal(
        horizon_us=int(horizon_us),
        source=source,
        time_us=time_us,
        goal=model.share(goal, of_goal),
        drop=model.share(drop, of_drop),
        under_way=model.share(np.clip(1 - goal - drop, 0, 1), -of_goal - of_drop),
        journeys=journeys,
        converted=model.share(model.converted[None], model.influence_in_the_end()[:, None], scalar=True),
        median_s=_median(model, int(horizon_us)),
        warnings=warnings,
    )


def _apart(difference: float, influence: Floats) -> bool:
    """Whether chain and journeys differ by more than chance, and by enough to matter."""
    sd = float(np.sqrt((influence**2).sum()))
    return bool(abs(difference) > max(SIGNIFICANT * sd, MATERIAL))


def _shown(last: int) -> Ints:
    """Indices at which curves are shown: evenly spread, both ends included."""
    fits = [step for step in range(max(1, last // (2 * N_TIMES)), last // 20 + 2) if last % step == 0]
    if fits:
        return np.arange(0, last + 1, min(fits, key=lambda step: abs(step - last / N_TIMES)))
    return np.unique(np.rint(np.linspace(0, last, N_TIMES + 1))).astype(np.int64)


def _median(model: TimedChain, horizon_us: int) -> Estimates:
    """Median time to the goal of those that reach it, in seconds, by Woodruff's method (1952)."""
    n = np.array(int(model.origin.trials.sum()))
    nothing = Estimates(np.array(np.nan), np.array(np.nan), np.array(np.nan), n)
    if model.converted <= SURE:
        return nothing
    horizon = float(horizon_us)
    doublings = 0
    while _reached(model, horizon)[-1] < FAR_ENOUGH:
        horizon, doublings = 2 * horizon, doublings + 1
        if doublings > MOST_DOUBLINGS:
            return nothing
    while horizon > COARSE and _reached(model, horizon)[COARSE // 4] >= FAR_ENOUGH:
        horizon /= 4
    curve = model.curve(grid_of(horizon, model.k))
    share = curve.goal / model.converted
    time = np.arange(len(share), dtype=float) * curve.grid.step_us
    at = np.array([int(np.searchsorted(share, 0.5))])
    influence = model.influence(curve, at)[0][:, 0] - share[at[0]] * model.influence_in_the_end()
    half = np.array([0.5])
    low, high = wilson_of_share(half, model.effective(half, influence[:, None] / model.converted))
    found = [_time_of(level, share, time) for level in (0.5, float(low[0]), float(high[0]))]
    middle, lower, upper = np.array(found) / 1e6
    return Estimates(middle, lower, upper, n)


def _reached(model: TimedChain, horizon: float) -> Floats:
    """Share of those that convert who have done so, at 64 times up to a horizon."""
    return np.asarray(model.curve(Grid(horizon / COARSE, COARSE)).goal / model.converted)


def _time_of(level: float, share: Floats, time: Floats) -> float:
    """When a share is reached; nan if later than the last time."""
    if level <= share[0]:
        return 0.0
    return float(np.interp(level, share, time)) if level <= share[-1] else np.nan
