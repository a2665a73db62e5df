"""What goes with a deviation: journeys with it against journeys that had the chance and kept to the design."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.process.conformance import FoundDeviation
from journeymine.uncertainty import (
    N_DRAWS,
    Estimates,
    bootstrap_weights,
    percentile_interval,
    share_of_units,
    unit_matrix,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from journeymine.counts.conformance import ProfileCounts
    from journeymine.process.deviations import ComparedPaths

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

MIN_ARM = 30
"""Journeys on either side that a comparison needs."""
PRIOR = 2.0
"""Journeys worth of the pooled rate that the rate of each cell starts from: enough for a cell that has none."""
FEW = 5
"""Conversions, or journeys without one, below which a share is too near to 0 or 1 for the bootstrap."""
CONVERTED, DROPPED = 0, 1


def shares(counts: ProfileCounts, wins: Flags) -> Estimates:
    """Share of journeys of each column of `wins`, shape (profiles, m)."""
    m = wins.shape[1]
    row, column = np.nonzero(wins[counts.profile])
    won = unit_matrix(counts.unit[row], column, counts.n[row], (counts.n_units, m))
    trials = unit_matrix(counts.unit, np.zeros(len(counts.n), int), counts.n, (counts.n_units, 1))
    return share_of_units(won, trials, np.zeros(m, int), buckets=counts.buckets)


def one(estimates: Estimates, index: int) -> Estimates:
    """One of several estimates."""
    return Estimates(
        estimates.estimate[index], estimates.lower[index], estimates.upper[index], estimates.n[index]
    )


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """Both sides of several comparisons by unit and cell; columns of comparison k are k * cells to (k + 1) * cells.

    Attributes
    ----------
    n_with, sum_with, n_without, sum_without
        Journeys, and the sum of what is compared, shape (n_units, comparisons * cells).
    shape
        Comparisons, cells.
    """

    n_with: sparse.csr_array
    sum_with: sparse.csr_array
    n_without: sparse.csr_array
    sum_without: sparse.csr_array
    shape: tuple[int, int]

    def means(self, weights: Floats) -> tuple[Floats, Floats]:
        """Mean with the deviation, and what it would be without, in each draw; shape (draws, comparisons) each.

        The other side is directly standardised to the cells of the journeys with the deviation; the mean of one of its
        cells leans on that of all.
        """
        n, total, n0, total0 = (
            (weights @ part).reshape(len(weights), *self.shape)
            for part in (self.n_with, self.sum_with, self.n_without, self.sum_without)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            pooled = (total0.sum(axis=2) / n0.sum(axis=2))[:, :, None]
            by_cell = (total0 + PRIOR * pooled) / (n0 + PRIOR)
            expected = (n * by_cell).sum(axis=2) / n.sum(axis=2)
            return np.asarray(total.sum(axis=2) / n.sum(axis=2)), np.asarray(expected)


def sides_of(counts: ProfileCounts, compared: ComparedPaths, cell_of: Ints, n: Ints, total: Ints) -> Sides:
    """Sides of all comparisons: `n` journeys and the `total` of what is compared by row of the counts."""
    n_cells = int(cell_of.max(initial=0)) + 1
    shape = (compared.departs.shape[1], n_cells)

    def matrix(side: Flags, values: Ints) -> sparse.csr_array:
        row, k = np.nonzero(side[counts.profile] & (n > 0)[:, None])
        column = k * n_cells + cell_of[counts.cell[row]]
        return unit_matrix(counts.unit[row], column, values[row], (counts.n_units, shape[0] * n_cells))

    return Sides(
        matrix(compared.departs, n),
        matrix(compared.departs, total),
        matrix(compared.keeps, n),
        matrix(compared.keeps, total),
        shape,
    )


def estimate_differences(
    sides: Sides, *, are_shares: bool, buckets: bool = False, n_draws: int = N_DRAWS, seed: int = 0
) -> list[Estimates | None]:
    """Difference of each comparison with its interval; None where a side has too few journeys or nothing varies.

    Percentile intervals of the bootstrap of units. Where nearly all or nearly no journey with the deviation
    converted, the bootstrap does not know how far off that share may be: there the interval joins Wilson's with the
    percentiles of the other side (MOVER, Zou and Donner 2008).
    """
    n_units = sides.n_with.shape[0]
    n_with, n_without = (_by_comparison(part, sides.shape) for part in (sides.n_with, sides.n_without))
    enough = (n_with >= MIN_ARM) & (n_without >= MIN_ARM)
    if not enough.any():
        return [None] * sides.shape[0]
    ours, others = (part[0] for part in sides.means(np.ones((1, n_units))))
    draws = [sides.means(weights) for weights in bootstrap_weights(n_units, n_draws, seed)]
    our_draws, other_draws = (np.concatenate([chunk[i] for chunk in draws]) for i in (0, 1))
    size = n_with.astype(np.int64)
    estimates = percentile_interval(ours - others, our_draws - other_draws, size)
    if are_shares:
        own = _own_shares(sides, buckets=buckets)
        other = percentile_interval(others, other_draws, size)
        won = ours * n_with
        edge = np.minimum(won, n_with - won) < FEW
        below = np.sqrt((own.estimate - own.lower) ** 2 + (other.upper - other.estimate) ** 2)
        above = np.sqrt((own.upper - own.estimate) ** 2 + (other.estimate - other.lower) ** 2)
        gap = estimates.estimate
        estimates = Estimates(
            gap,
            np.where(edge, gap - below, estimates.lower),
            np.where(edge, gap + above, estimates.upper),
            size,
        )
    varies = estimates.upper > estimates.lower
    return [one(estimates, k) if enough[k] and varies[k] else None for k in range(len(enough))]


def _by_comparison(part: sparse.csr_array, shape: tuple[int, int]) -> Floats:
    return np.asarray(np.asarray(part.sum(axis=0), dtype=float).reshape(shape).sum(axis=1))


def _own_shares(sides: Sides, *, buckets: bool) -> Estimates:
    """Conversion of the journeys with the deviation, with Wilson's interval."""
    comparisons, cells = sides.shape
    columns = np.arange(comparisons * cells)
    joined = unit_matrix(columns, columns // cells, np.ones(len(columns)), (len(columns), comparisons))
    return share_of_units((sides.sum_with @ joined).tocsr(), (sides.n_with @ joined).tocsr(), buckets=buckets)


def found_deviations(
    counts: ProfileCounts,
    compared: ComparedPaths,
    cell_of: Ints,
    *,
    has_goal: bool,
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> tuple[FoundDeviation, ...]:
    """The commonest deviations with their shares and what goes with them.

    Parameters
    ----------
    cell_of
        Stratum of each cell of the segments.
    """
    if not compared.listed:
        return ()
    share = shares(counts, compared.has)
    known = np.isin(counts.state, (CONVERTED, DROPPED))
    n_known = np.where(known, counts.n, 0)
    won = np.where(counts.state == CONVERTED, counts.n, 0)
    outcome = sides_of(counts, compared, cell_of, n_known, won)
    time = sides_of(counts, compared, cell_of, counts.n_timed, counts.time_s)
    nothing: list[Estimates | None] = [None] * len(compared.listed)
    conversion = nothing
    if has_goal:
        conversion = estimate_differences(
            outcome, are_shares=True, buckets=counts.buckets, n_draws=n_draws, seed=seed
        )
    times = estimate_differences(time, are_shares=False, n_draws=n_draws, seed=seed)
    basis = outcome if has_goal else time
    n_with, n_without = (_by_comparison(part, basis.shape) for part in (basis.n_with, basis.n_without))
    costed = len(n_with)
    return tuple(
        FoundDeviation(
            deviation.kind,
            deviation.step,
            int(n),
            one(share, k),
            conversion[k] if k < costed else None,
            times[k] if k < costed else None,
            int(n_with[k]) if k < costed else 0,
            int(n_without[k]) if k < costed else 0,
        )
        for k, (deviation, n) in enumerate(zip(compared.listed, compared.n_listed, strict=True))
    )


def classes(counts: ProfileCounts, compared: ComparedPaths) -> tuple[int, int, int, int]:
    """Journeys that are a whole run, that kept to the design and left, that are under way, that depart from it."""
    kept, whole = compared.kept[counts.profile], compared.whole_run[counts.profile]
    stopped = kept & ~whole & (counts.state == DROPPED)
    under_way = kept & ~whole & ~stopped
    complete, left, open_, deviating = (
        int(counts.n[flag].sum()) for flag in (kept & whole, stopped, under_way, ~kept)
    )
    return complete, left, open_, deviating


def fitness(compared: ComparedPaths, n: Ints) -> float:
    """1 - costs / most they could be, both summed over journeys."""
    worst = int((n * compared.worst).sum())
    return 1 - int((n * compared.cost).sum()) / worst if worst else 1.0
