"""A chain with its clock: when journeys reach the goal or are over, and what each customer adds to that.

The curves solve the renewal equations of the kernel (`renewal.py`). What one visit adds follows from the same solution:
a visit to i that moves to j after w counts as often as i is visited from the start, at each time, times the chance to
get from j to the end in the time that is left. With the influence of the waits on the kernel (`semi_kernel.py`), of
the moves on its shares and of where journeys start, summed over a customer's visits, that is the customer's influence
(Hampel 1974), and its variance over customers is what a bootstrap of customers would give, without solving again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.chain import GOAL
from journeymine.errors import NotEnoughDataError, OptionError, listed, suggestion, unknown_name
from journeymine.markov.absorbing import Absorbed, absorb
from journeymine.markov.timing.renewal import Grid, Passage, cumulative, passage
from journeymine.markov.timing.semi_kernel import journey_risks, share_below
from journeymine.uncertainty import Estimates, few_units, rows_that_go_together, unit_matrix, wilson_of_share

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from journeymine.counts.chain import ChainCounts
    from journeymine.markov.timing.semi_kernel import Kernel

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

CHUNK = 8_000_000
"""Numbers in one table of entries by time."""
SURE = 1e-9
"""Solved probabilities of 0 and 1 carry rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """Where the clock starts: shares of the states and of the goal, and the counts by unit behind them."""

    first: Floats
    at_goal: float
    by_unit: sparse.csr_array
    trials: sparse.csr_array
    is_start: bool


def origin_of(counts: ChainCounts, source: str | None) -> Origin:
    """Where journeys start, or one state.

    Raises
    ------
    OptionError
        The source is not a state.
    NotEnoughDataError
        No journey starts.
    """
    k, units = counts.n_states, counts.n_units
    if source is not None:
        if source not in counts.states:
            hint = suggestion(str(source), counts.states, "pass a state of the chain.")
            raise OptionError(unknown_name("source", source), found=f"{listed(counts.states)}.", hint=hint)
        place = counts.states.index(source)
        here = counts.source == place
        zero = np.zeros(int(here.sum()), dtype=np.int64)
        trials = unit_matrix(counts.unit[here], zero, counts.n[here], (units, 1))
        return Origin(np.eye(k)[place], 0.0, unit_matrix(zero, zero, zero, (units, k + 1)), trials, False)
    if not counts.n_starts:
        hint = "set a shorter idle, or read a longer period."
        raise NotEnoughDataError(
            "no journey began long enough before the end of the log to be followed.", hint=hint
        )
    first = np.where(counts.start_state == GOAL, k, counts.start_state)
    by_unit = unit_matrix(counts.start_unit, first, counts.start_n, (units, k + 1))
    share = np.asarray(by_unit.sum(axis=0)).ravel() / counts.n_starts
    zero = np.zeros(len(first), dtype=np.int64)
    trials = unit_matrix(counts.start_unit, zero, counts.start_n, (units, 1))
    return Origin(share[:k], float(share[k]), by_unit, trials, True)


@dataclass(frozen=True, slots=True, eq=False)
class GoalCurve:
    """Share at the goal and over, by each time of a grid from 0 to the horizon."""

    grid: Grid
    solved: Passage
    goal: Floats
    drop: Floats


class TimedChain:
    """The chain with its clock: curves, and what each unit adds to them."""

    def __init__(self, kernel: Kernel, counts: ChainCounts, origin: Origin) -> None:
        self.kernel, self.counts, self.origin = kernel, counts, origin
        k = self.k = counts.n_states
        rows, columns = kernel.edges[:, 0], kernel.edges[:, 1]
        full = np.zeros((k, k + 2))
        full[rows, columns] = kernel.share
        self.solved: Absorbed = absorb(full[:, :k], full[:, k], origin.first, origin.at_goal)
        self.converted = np.asarray(self.solved.conversion, dtype=float)
        self.visits_by_unit = kernel.rows_by_unit()
        width = k + 2
        ids = rows * width + columns
        edge = np.searchsorted(ids, counts.source * width + counts.column(counts.target))
        self.moves_by_unit = unit_matrix(counts.unit, edge, counts.n, (counts.n_units, len(ids)))
        self.visited = np.bincount(counts.source, weights=counts.n, minlength=k)
        met = (
            np.asarray(self.visits_by_unit.sum(axis=1)).ravel()
            + np.asarray(origin.trials.sum(axis=1)).ravel()
        )
        self.n_units = float((met > 0).sum())

    def curve(self, grid: Grid) -> GoalCurve:
        """Solve the chain on a grid."""
        solved = passage(self.kernel.on_grid(grid), self.origin.first)
        goal, drop = self.origin.first @ solved.goal, self.origin.first @ solved.drop
        goal[0] += self.origin.at_goal
        return GoalCurve(grid, solved, cumulative(goal), cumulative(drop))

    def influence(self, curve: GoalCurve, at: Ints) -> tuple[Floats, Floats]:
        """What each unit adds to the shares at the goal and over, at some times, shape (n_units, len(at)) each."""
        size = max(1, CHUNK // max(1, len(self.kernel.waits.n)))
        parts = [at[begin : begin + size] for begin in range(0, len(at), size)]
        goal, drop = (np.concatenate([self._influence(curve, p, i) for p in parts], axis=1) for i in range(2))
        return goal, drop

    def _influence(self, curve: GoalCurve, at: Ints, outcome: int) -> Floats:
        reach = (curve.solved.goal, curve.solved.drop)[outcome]
        value = _value_of_moves(self.kernel, curve, reach, self.k + outcome, at)
        mean = self.kernel.mean_value(value)
        by_time = self.visits_by_unit @ self.kernel.influence_of_times(value, mean)
        from_start = np.concatenate([cumulative(reach)[:, at], np.full((1, len(at)), 1.0 - outcome)])
        return np.asarray(by_time + self._by_moves(mean) + self._by_starts(from_start))

    def influence_in_the_end(self) -> Floats:
        """What each unit adds to the conversion, shape (n_units,)."""
        hit = np.concatenate([self.solved.hit, [1.0, 0.0]])
        rows, columns = self.kernel.edges[:, 0], self.kernel.edges[:, 1]
        value = self.solved.visits[rows] * hit[columns]
        found = self._by_moves(value[:, None]) + self._by_starts(hit[: self.k + 1, None])
        return np.asarray(found[:, 0])

    def of_journeys(self, at_us: Floats) -> tuple[Floats, Floats]:
        """Share at the goal by some times, read off journeys as a whole, and what each unit adds to it.

        The cumulative incidence of Aalen and Johansen (1978), which knows of no states; nan beyond the times at which
        journeys were watched. Shapes (t,) and (n_units, t).
        """
        w, risks = self.kernel.waits, journey_risks(self.kernel.waits)
        value = share_below(w, risks.entry, at_us) * (w.target[risks.entry] == GOAL)[:, None]
        influence = self.visits_by_unit[:, risks.entry] @ risks.influence(value)
        watched = w.high_us[risks.entry].max(initial=0)
        open_ = 1 - risks.mass.sum()
        share = np.where((open_ < SURE) | (at_us <= watched), risks.mass @ value, np.nan)
        return share, np.asarray(influence)

    def _by_moves(self, value: Floats) -> Floats:
        """Through the shares p_ij: value of each edge, shape (n_edges, j)."""
        rows = self.kernel.edges[:, 0]
        mean = np.zeros((self.k, value.shape[1]))
        np.add.at(mean, rows, self.kernel.share[:, None] * value)
        return np.asarray(self.moves_by_unit @ ((value - mean[rows]) / self.visited[rows, None]))

    def _by_starts(self, value: Floats) -> Floats:
        """Through where journeys start: value of each state and of the goal, shape (k + 1, j)."""
        if not self.origin.is_start:
            return np.zeros((self.counts.n_units, value.shape[1]))
        mean = self.origin.first @ value[: self.k] + self.origin.at_goal * value[self.k]
        return np.asarray(self.origin.by_unit @ ((value - mean) / self.counts.n_starts))

    def effective(self, share: Floats, influence: Floats) -> Floats:
        """Independent rows that shares are worth: at most as many as there are visits, which all tell of them."""
        visits = np.full(share.shape, max(float(self.origin.trials.sum()), float(self.visited.sum())))
        units = np.full(share.shape, min(self.n_units, visits[0]))
        variance = (influence**2).sum(axis=0) * self.n_units / max(self.n_units - 1, 1.0)
        together = rows_that_go_together(self.origin.trials, buckets=self.counts.buckets)[0]
        unknown = (np.minimum(share, 1 - share) < SURE) | (variance <= 0) | (self.n_units == 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            rows = np.minimum(share * (1 - share) / variance, visits)
        return np.where(unknown, together, few_units(rows, visits, units))

    def share(self, share: Floats, influence: Floats, *, scalar: bool = False) -> Estimates:
        """Wilson's interval at the effective size."""
        share = np.clip(share, 0.0, 1.0)
        low, high = wilson_of_share(share, self.effective(share, influence))
        n = np.array(int(self.origin.trials.sum()))
        return Estimates(share[0], low[0], high[0], n) if scalar else Estimates(share, low, high, n)


def _value_of_moves(kernel: Kernel, curve: GoalCurve, reach: Floats, column: int, at: Ints) -> Floats:
    """How much the share at each time grows if more visits move as an entry did, shape (n_entries, len(at)).

    Visits to the source at any time, times the chance to get from the target to the end in the time left.
    """
    from scipy import fft

    size, k = reach.shape[1], len(reach)
    length = fft.next_fast_len(2 * size, real=True)
    ends = np.zeros((k + 2, size))
    ends[:k] = reach
    ends[column, 0] = 1.0
    ends_at, visits_at = (fft.rfft(x, length, axis=1) for x in (ends, curve.solved.visits))
    mean = kernel.waits.mean_us / curve.grid.step_us
    value = np.zeros((len(mean), len(at)))
    for state, risks in enumerate(kernel.risks):
        entry = risks.entry[kernel.edge[risks.entry] >= 0]
        entry = entry[mean[entry] < size]
        targets, place = np.unique(kernel.edges[kernel.edge[entry], 1], return_inverse=True)
        found = np.cumsum(fft.irfft(visits_at[state] * ends_at[targets], length, axis=1)[:, :size], axis=1)
        first = np.floor(mean[entry]).astype(np.int64)
        part = (mean[entry] - first)[:, None]
        value[entry] = (1 - part) * _by(found, place, at - first[:, None]) + part * _by(
            found, place, at - first[:, None] - 1
        )
    return value


def _by(found: Floats, place: Ints, time: Ints) -> Floats:
    """Values of some rows at some times, 0 before time 0."""
    return np.where(time >= 0, found[place[:, None], np.maximum(time, 0)], 0.0)
