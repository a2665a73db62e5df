"""What to expect from each state of a chain: the table that predictions are looked up in.

Rows are the k states, then the start (a journey nothing is known of yet), then what is over, then, of a chain with
memory, one row an activity for journeys whose past was never seen: the mean over its states, weighted by visits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.chain import GOAL
from journeymine.markov.absorbing import column_values
from journeymine.uncertainty import (
    N_DRAWS,
    Estimates,
    percentile_interval,
    share_from_draws,
    share_of_units,
    unit_matrix,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from journeymine.counts.chain import ChainCounts
    from journeymine.markov.estimation import ChainModel, Solved

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Forecasts:
    """Predictions by row: the k states, the start, the goal, then the activities of a chain with memory.

    Attributes
    ----------
    conversion
        Probability of the goal in the end, shape (r,).
    events, seconds
        Expected events (the goal included) and seconds until the goal, of the journeys that reach it, shape (r,).
    onward
        Distribution of the next step over the k states, the goal and dropping out, shape (r, k + 2); 0 with an
        empty interval in the row of the goal, which has no next step.
    n_states
        k.
    first_activity
        Row of the first activity; without memory there is none.
    """

    conversion: Estimates
    events: Estimates
    seconds: Estimates
    onward: Estimates
    n_states: int

    @property
    def start(self) -> int:
        """Row of a journey of which nothing is known."""
        return self.n_states

    @property
    def goal(self) -> int:
        """Row of a journey that has reached the goal."""
        return self.n_states + 1

    @property
    def first_activity(self) -> int:
        """First row of an activity whose past was never seen."""
        return self.n_states + 2


def forecast(
    model: ChainModel,
    *,
    group: Ints | None = None,
    timed: bool = True,
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> Forecasts:
    """Forecasts of a chain, with intervals over customers.

    Parameters
    ----------
    model
        The chain, for any reweighting of the customers.
    group
        Activity of each state, numbered 0, 1, ..., of a chain with memory, shape (k,).
    timed
        Whether the journeys have times.

    Examples
    --------
    >>> from journeymine.markov.lists import count_lists
    >>> from journeymine.markov.estimation import ChainModel
    >>> counts, _ = count_lists([["a", "b", "paid"], ["a"], ["b", "paid"], ["b"]], goal="paid")
    >>> found = forecast(ChainModel(counts), timed=False, n_draws=100)
    >>> found.conversion.estimate.round(3).tolist(), found.events.estimate.round(3).tolist()
    ([0.333, 0.667, 0.5, 1.0], [2.0, 1.0, 2.333, 0.0])
    """
    counts = model.counts
    states = _Rows(counts, group)
    point = states.values(model.solve(np.ones((1, counts.n_units))), timed=timed)
    draws: dict[str, list[Floats]] = {name: [] for name in point}
    for _, found in model.draws(n_draws, seed):
        for name, value in states.values(found, timed=timed).items():
            draws[name].append(value)
    many = {name: np.concatenate(parts) for name, parts in draws.items()}
    n = np.asarray(states.trials.sum(axis=0)).ravel()
    hit = share_from_draws(point["hit"][0], many["hit"], n, trials=states.trials, buckets=counts.buckets)
    moves = model.point().moves
    return Forecasts(
        conversion=_pinned(hit, states.goal),
        events=percentile_interval(point["events"][0], many["events"], n),
        seconds=percentile_interval(point["seconds"][0], many["seconds"], n),
        onward=_onward(counts, states, moves),
        n_states=counts.n_states,
    )


class _Rows:
    """Rows of the table as mixtures of the states."""

    def __init__(self, counts: ChainCounts, group: Ints | None) -> None:
        k = counts.n_states
        self.k, self.goal = k, k + 1
        self.group = group
        visits = np.bincount(counts.source, weights=counts.n, minlength=k)
        n_groups = int(group.max()) + 1 if group is not None else 0
        self.n_rows = k + 2 + n_groups
        self.mix = np.zeros((n_groups, k))
        if group is not None:
            self.mix[group, np.arange(k)] = visits
            self.mix /= np.maximum(self.mix.sum(axis=1, keepdims=True), 1.0)
        self.trials = self._trials(counts)

    def _trials(self, counts: ChainCounts) -> sparse.csr_array:
        """Visits by unit and row; journeys for the start."""
        units = [counts.unit, counts.start_unit]
        rows = [counts.source, np.full(len(counts.start_n), self.k)]
        n = [counts.n, counts.start_n]
        if self.group is not None:
            units.append(counts.unit)
            rows.append(self.k + 2 + self.group[counts.source])
            n.append(counts.n)
        shape = (counts.n_units, self.n_rows)
        return unit_matrix(np.concatenate(units), np.concatenate(rows), np.concatenate(n), shape)

    def values(self, found: Solved, *, timed: bool) -> dict[str, Floats]:
        """Conversion, events and seconds of every row and draw, shape (n_draws, n_rows)."""
        solved = found.solved
        # What is left until the goal, times the chance of getting there: linear in the mixture.
        spent = np.einsum("bij,bj->bi", solved.fundamental, solved.hit)
        seconds = np.full_like(spent, np.nan)
        if timed:
            cost = np.einsum("bij,bij,bj->bi", found.moves, found.wait_s, column_values(solved))
            seconds = np.einsum("bij,bj->bi", solved.fundamental, cost)
        hit = self._rows(solved.hit, found, 1.0)
        # Of the start the first visit is still to come: one more event.
        events = self._rows(spent, found, 0.0)
        events[:, self.k] += hit[:, self.k]
        with np.errstate(divide="ignore", invalid="ignore"):
            given = {
                name: np.where(hit > 0, total / hit, np.nan)
                for name, total in (("events", events), ("seconds", self._rows(seconds, found, 0.0)))
            }
        return {"hit": hit, **given}

    def _rows(self, by_state: Floats, found: Solved, at_goal: float) -> Floats:
        """A quantity of the states as one of all rows; `at_goal` is what it is at the goal."""
        start = np.einsum("bi,bi->b", found.start, by_state) + found.at_goal * at_goal
        goal = np.full(len(by_state), at_goal)
        return np.concatenate([by_state, start[:, None], goal[:, None], by_state @ self.mix.T], axis=1)


def _pinned(values: Estimates, goal: int) -> Estimates:
    """A journey that has reached the goal has converted: nothing to estimate."""
    estimate, lower, upper = (np.array(part) for part in (values.estimate, values.lower, values.upper))
    for part in (estimate, lower, upper):
        part[goal] = 1.0
    return Estimates(estimate, lower, upper, values.n)


def _onward(counts: ChainCounts, rows: _Rows, moves: Floats) -> Estimates:
    """Next step of every row; the interval of a single share, clustered by unit."""
    k, width = counts.n_states, counts.n_states + 2
    column = counts.column(counts.target)
    units = [counts.unit, counts.start_unit]
    first = np.where(counts.start_state == GOAL, k, counts.start_state)
    cells = [counts.source * width + column, k * width + first]
    n = [counts.n, counts.start_n]
    if rows.group is not None:
        units.append(counts.unit)
        cells.append((k + 2 + rows.group[counts.source]) * width + column)
        n.append(counts.n)
    cell, place = np.unique(np.concatenate(cells), return_inverse=True)
    wins = unit_matrix(np.concatenate(units), place, np.concatenate(n), (counts.n_units, len(cell)))
    share = share_of_units(wins, rows.trials, cell // width, buckets=counts.buckets)
    total = np.asarray(rows.trials.sum(axis=0)).ravel().astype(np.int64)
    full = [np.zeros(rows.n_rows * width) for _ in range(3)]
    for flat, part in zip(full, (share.estimate, share.lower, share.upper), strict=True):
        flat[cell] = part
    estimate, lower, upper = (flat.reshape(rows.n_rows, width) for flat in full)
    # A chain with a prior has other shares than those counted.
    estimate[:k] = moves
    estimate[k + 2 :, :] = rows.mix @ moves
    n_of = np.broadcast_to(total[:, None], estimate.shape)
    return Estimates(estimate, np.minimum(lower, estimate), np.maximum(upper, estimate), n_of)
