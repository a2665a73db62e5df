"""How sure an outlook is: what each customer adds to it, and intervals from the variance over customers.

An outlook depends on the kernel directly, through the next move, and through what the states it leads to come to.
Both are linear to first order in what each visit adds (the influence function; Hampel 1974), so the variance over
customers needs nothing solved again, as in `time_to_goal.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

from journeymine.markov.absorbing import absorb, column_values
from journeymine.markov.prediction.outlook import Ahead, InTheEnd, Outlook, look_ahead
from journeymine.markov.timing.renewal import cumulative, passage
from journeymine.uncertainty import few_units, rows_that_go_together, unit_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from journeymine.counts.chain import ChainCounts
    from journeymine.markov.timing.renewal import Passage
    from journeymine.markov.timing.semi_kernel import Kernel

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

N_TIMES = 9
"""Times up to the horizon at which influences are computed; linear between them."""
MOST_SILENCES = 10
"""So many different silences have their own effective size; others lie between them."""
SURE = 1e-9


def next_sizes(parts: Parts, state: int, waited: float, share: Floats) -> Floats:
    """Effective size of each share of the next step after a silence, shape (k + 2,)."""
    kernel, w = parts.kernel, parts.kernel.waits
    entry = np.flatnonzero((kernel.edge >= 0) & (w.mean_us > waited) & (w.source == state))
    column = kernel.edges[kernel.edge[entry], 1]
    mass = kernel.share[kernel.edge[entry]] * kernel.weight[entry]
    value = np.zeros((len(w.n), len(share)))
    value[entry] = -share / mass.sum()
    value[entry, column] += 1 / mass.sum()
    mean = kernel.mean_value(value)
    units = parts.by_visit @ kernel.influence_of_times(value, mean)
    units += _through_moves(kernel, parts.by_move, parts.visited, mean)
    same = _at_risk(parts, waited)[:, [state] * len(share)]
    return _size(parts, np.asarray(units), share, same)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What does not depend on a silence.

    `through[o]` is what each unit adds to outcome o (in the end; goal, over within times up to the horizon) of each
    state, shape (n_units, k, n_times); one time in the end.
    """

    kernel: Kernel
    counts: ChainCounts
    end: InTheEnd
    ahead: Ahead | None
    times_us: Floats
    through: tuple[Floats, ...]
    by_visit: sparse.csc_array
    by_move: sparse.csc_array
    visited: Floats

    @classmethod
    def of(cls, kernel: Kernel, counts: ChainCounts, horizon_us: int | None) -> Parts:
        """Solve the chain and its clock, in the end and up to a horizon."""
        k = counts.n_states
        rows, columns = kernel.edges[:, 0], kernel.edges[:, 1]
        full = np.zeros((k, k + 2))
        full[rows, columns] = kernel.share
        solved = absorb(full[:, :k], full[:, k], np.zeros(k))
        ids = rows * (k + 2) + columns
        edge = np.searchsorted(ids, counts.source * (k + 2) + counts.column(counts.target))
        by_move = unit_matrix(counts.unit, edge, counts.n, (counts.n_units, len(ids))).tocsc()
        by_visit = kernel.rows_by_unit().tocsc()
        visited = np.bincount(counts.source, weights=counts.n, minlength=k).astype(float)
        hit = column_values(solved)
        mean = kernel.mean_value(kernel.waits.mean_us[:, None] * 1e-6)[:, 0]
        spent = solved.fundamental @ np.bincount(
            rows, weights=kernel.share * mean * hit[columns], minlength=k
        )
        end = InTheEnd(
            hit,
            np.append(solved.fundamental @ solved.hit, [0.0, 0.0]),
            np.append(spent, [0.0, 0.0]),
        )
        value = solved.fundamental[:, rows].T * hit[columns][:, None]
        in_the_end = _through_moves(kernel, by_move, visited, value)[:, :, None]
        if horizon_us is None:
            nothing = np.zeros(1)
            return cls(kernel, counts, end, None, nothing, (in_the_end,), by_visit, by_move, visited)
        ahead = look_ahead(kernel, horizon_us)
        at = np.unique(np.rint(np.linspace(0, ahead.grid.at_horizon, N_TIMES))).astype(np.int64)
        shared = (by_visit, by_move, visited)
        by_state = [_by_horizon(kernel, shared, ahead, at, state) for state in range(k)]
        goal, drop = (np.stack([part[i] for part in by_state], axis=1) for i in range(2))
        times = np.asarray(at * ahead.grid.step_us, dtype=float)
        return cls(kernel, counts, end, ahead, times, (in_the_end, goal, drop), by_visit, by_move, visited)


def _through_moves(kernel: Kernel, by_move: sparse.csc_array, visited: Floats, value: Floats) -> Floats:
    """What each unit adds through how often moves are made; value of each edge, shape (n_edges, j)."""
    rows = kernel.edges[:, 0]
    mean = np.zeros((len(visited), value.shape[1]))
    np.add.at(mean, rows, kernel.share[:, None] * value)
    return np.asarray(by_move @ ((value - mean[rows]) / visited[rows, None]))


def _by_horizon(
    kernel: Kernel,
    shared: tuple[sparse.csc_array, sparse.csc_array, Floats],
    ahead: Ahead,
    at: Ints,
    state: int,
) -> tuple[Floats, Floats]:
    """What each unit adds to having reached the goal, and being over, at some times after a visit to a state."""
    by_visit, by_move, visited = shared
    k = kernel.waits.n_states
    solved = passage(kernel.on_grid(ahead.grid), np.eye(k)[state])
    out = []
    for own, reach in enumerate((solved.goal, solved.drop)):
        value = _value_of_entries(kernel, solved, reach, k + own, at, ahead.grid.step_us)
        mean = kernel.mean_value(value)
        by_time = by_visit @ kernel.influence_of_times(value, mean)
        out.append(by_time + _through_moves(kernel, by_move, visited, mean))
    return np.asarray(out[0]), np.asarray(out[1])


def _value_of_entries(
    kernel: Kernel, solved: Passage, reach: Floats, own: int, at: Ints, step_us: float
) -> Floats:
    """How much an outcome by each time grows if more visits move as an entry did, shape (n_entries, len(at))."""
    k, size = reach.shape
    length = fft.next_fast_len(2 * size, real=True)
    ends = np.zeros((k + 2, size))
    ends[:k] = reach
    ends[own, 0] = 1.0
    ends_at, visits_at = (fft.rfft(x, length, axis=1) for x in (ends, solved.visits))
    mean = kernel.waits.mean_us / step_us
    value = np.zeros((len(mean), len(at)))
    for state, risks in enumerate(kernel.risks):
        entry = risks.entry[kernel.edge[risks.entry] >= 0]
        entry = entry[mean[entry] < size]
        targets, place = np.unique(kernel.edges[kernel.edge[entry], 1], return_inverse=True)
        together = fft.irfft(visits_at[state] * ends_at[targets], length, axis=1)[:, :size]
        left = at - mean[entry][:, None]
        value[entry] = _between(cumulative(np.pad(together, ((0, 0), (0, 1)))), place.ravel(), left)
    return value


def _between(curve: Floats, row: Ints, time: Floats) -> Floats:
    """Values of curves between the times of their grid; 0 before it begins."""
    first = np.floor(time).astype(np.int64).clip(0, curve.shape[1] - 1)
    after = np.minimum(first + 1, curve.shape[1] - 1)
    low, high = curve[row[:, None], first], curve[row[:, None], after]
    return np.where(time < 0, 0.0, low + (time - first) * (high - low))


@dataclass(frozen=True, slots=True, eq=False)
class Sizes:
    """Effective sizes by outcome, silence and state, shape (outcomes, w, k), of a few silences."""

    parts: Parts
    waited_us: Floats
    size: Floats
    at_risk: Floats

    @classmethod
    def of(cls, parts: Parts, values: Floats, found: Outlook) -> Sizes:
        """Effective sizes of outlooks at some silences."""
        chosen = np.unique(np.rint(np.linspace(0, len(values) - 1, MOST_SILENCES)).astype(np.int64))
        chosen = chosen[chosen < len(values)]
        risk, size = [], []
        for i in chosen:
            at_risk = _at_risk(parts, float(values[i]))
            shares = [share[i] for share in cls._shares(found, parts).values()]
            size.append(_effective(parts, float(values[i]), shares, found.stays[i], at_risk))
            risk.append(np.asarray(at_risk.sum(axis=0)).ravel())
        k = parts.counts.n_states
        by_outcome = np.array(size).reshape(len(chosen), -1, k).transpose(1, 0, 2)
        return cls(parts, values[chosen], by_outcome, np.array(risk, dtype=float).reshape(len(chosen), k))

    @staticmethod
    def _shares(found: Outlook, parts: Parts) -> dict[str, Floats]:
        shares = {"conversion": found.conversion}
        if parts.ahead is not None:
            shares |= {
                "goal": found.goal,
                "drop": found.drop,
                "open": np.clip(1 - found.goal - found.drop, 0, 1),
            }
        return shares

    def shares(self, found: Outlook) -> dict[str, Floats]:
        """Shares that have an interval."""
        return self._shares(found, self.parts)

    def _place(self, waited: Floats) -> tuple[Ints, Ints, Floats]:
        at = np.interp(waited, self.waited_us, np.arange(len(self.waited_us)))
        low = np.floor(at).astype(np.int64)
        return low, np.minimum(low + 1, len(self.waited_us) - 1), at - low

    def effective(self, outcome: int, waited: Floats, state: Ints) -> Floats:
        """Effective size of each share."""
        low, high, way = self._place(waited)
        size = self.size[outcome]
        return np.asarray(size[low, state] + way * (size[high, state] - size[low, state]))

    def n(self, waited: Floats, state: Ints) -> Ints:
        """Visits that were seen to wait for so long."""
        low, high, way = self._place(waited)
        return np.rint(self.at_risk[low, state] * (1 - way) + self.at_risk[high, state] * way).astype(
            np.int64
        )


def _at_risk(parts: Parts, waited: float) -> sparse.csr_array:
    """Visits that were seen to wait for so long, by unit and state, shape (n_units, k)."""
    waits = parts.kernel.waits
    here = np.flatnonzero((waits.source >= 0) & ((waits.mean_us > waited) | (waited <= 0)))
    pick = unit_matrix(here, waits.source[here], np.ones(len(here)), (len(waits.n), waits.n_states))
    from scipy import sparse

    return sparse.csr_array(parts.by_visit @ pick)


def _effective(
    parts: Parts, waited: float, shares: list[Floats], stays: Floats, at_risk: sparse.csr_array
) -> Floats:
    """Effective size of each outcome after one silence, shape (outcomes, k)."""
    kernel, w = parts.kernel, parts.kernel.waits
    k = w.n_states
    on = (kernel.edge >= 0) & ((w.mean_us > waited) | (waited <= 0))
    entry = np.flatnonzero(on)
    source, column = w.source[entry], kernel.edges[kernel.edge[entry], 1]
    left_us = w.mean_us[entry] - waited
    mass = (
        kernel.share[kernel.edge[entry]] * kernel.weight[entry] / np.where(stays > 0, stays, np.inf)[source]
    )
    found = []
    for outcome, through in enumerate(parts.through):
        value = np.zeros((len(w.n), 1))
        curve = (
            parts.end.conversion[:, None],
            *((parts.ahead.goal, parts.ahead.drop) if parts.ahead else ()),
        )[outcome]
        if outcome == 0:
            came = curve[column, 0]
        else:
            assert parts.ahead is not None
            time = (curve.shape[1] - 1) - left_us / parts.ahead.grid.step_us
            came = _between(curve, column, time[:, None])[:, 0]
        own = np.nan_to_num(shares[outcome])[source]
        value[entry, 0] = (came - own) / np.where(stays > 0, stays, np.inf)[source]
        edge_value = kernel.mean_value(value)
        times = kernel.influence_of_times(value, edge_value)[:, 0]
        row_mean = np.bincount(kernel.edges[:, 0], weights=kernel.share * edge_value[:, 0], minlength=k)
        per_move = (edge_value[:, 0] - row_mean[kernel.edges[:, 0]]) / parts.visited[kernel.edges[:, 0]]
        ways = _ways(parts, source, column, mass, left_us, outcome)
        units = np.empty((w.n_units, k))
        for state in range(k):
            mine, edges = kernel.risks[state].entry, np.flatnonzero(kernel.edges[:, 0] == state)
            units[:, state] = (
                parts.by_visit[:, mine] @ times[mine] + parts.by_move[:, edges] @ per_move[edges]
            )
        units += np.tensordot(through, ways, axes=([1, 2], [1, 2]))
        found.append(units)
    if parts.ahead is not None:
        found.append(-found[1] - found[2])
    pairs = zip(found, shares, strict=True)
    return np.stack([_size(parts, units, share, at_risk) for units, share in pairs])


def _ways(parts: Parts, source: Ints, column: Ints, mass: Floats, left_us: Floats, outcome: int) -> Floats:
    """How much of what follows each state depends on each state and time, shape (k, k, n_times)."""
    k = parts.counts.n_states
    inner = column < k
    ways = np.zeros((k, k, parts.through[outcome].shape[2]))
    if outcome == 0:
        np.add.at(ways[:, :, 0], (source[inner], column[inner]), mass[inner])
        return ways
    time = parts.times_us[-1] - left_us
    inner &= time >= 0
    at = np.interp(time[inner], parts.times_us, np.arange(len(parts.times_us)))
    low = np.floor(at).astype(np.int64)
    high, part = np.minimum(low + 1, len(parts.times_us) - 1), at - low
    np.add.at(ways, (source[inner], column[inner], low), mass[inner] * (1 - part))
    np.add.at(ways, (source[inner], column[inner], high), mass[inner] * part)
    return ways


def _size(parts: Parts, units: Floats, share: Floats, at_risk: sparse.csr_array) -> Floats:
    """Independent rows that shares are worth.

    Parameters
    ----------
    units
        What each unit adds to each share, shape (n_units, j).
    share
        Shape (j,).
    at_risk
        Visits by unit that each share is of, shape (n_units, j).
    """
    met = np.asarray((at_risk > 0).sum(axis=0), dtype=float).ravel()
    total = np.asarray(at_risk.sum(axis=0), dtype=float).ravel()
    # Few customers who were here tell little of how customers differ, even if others tell of what follows.
    n_units = np.maximum(met, 1.0)
    variance = (units**2).sum(axis=0) * n_units / np.maximum(n_units - 1, 1.0)
    together = rows_that_go_together(at_risk, buckets=parts.counts.buckets)
    unknown = ~np.isfinite(share) | (np.minimum(share, 1 - share) < SURE) | (variance <= 0) | (met <= 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rows = np.where(unknown, together, share * (1 - share) / variance)
    return np.asarray(np.where(unknown, together, few_units(rows, total, n_units)))
