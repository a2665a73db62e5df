"""Where the counts of a split difference go: the states of the chain, and the kinds of journeys that are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.chain import fold_rare
from journeymine.counts.compare import A, B
from journeymine.uncertainty import unit_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from journeymine.counts.compare import Groups, MoveCounts

    Ints = NDArray[np.int64]

MAX_STATES = 80
MAX_STRATA = 100
MIN_STARTS = 20
"""Journeys of each group that a stratum of its own needs."""
MANY_STARTS = 100
"""A cell with as many journeys of one group and hardly any of the other is not compared."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where counts go: moves by (group, stratum, source, column), starts by (group, stratum, column)."""

    k: int
    n_strata: int
    names: tuple[str, ...]
    moves: sparse.csr_array
    move_group: Ints
    move_stratum: Ints
    move_source: Ints
    move_column: Ints
    starts: sparse.csr_array
    start_group: Ints
    start_stratum: Ints
    start_column: Ints
    buckets: bool


def lay_out(counts: MoveCounts, groups: Groups) -> Layout | None:
    """Number states, strata and the combinations that occur; None if a group has no start."""
    here = (groups.move >= 0) & (counts.late == 0)
    begun = groups.start >= 0
    if any(not (groups.start == g).any() for g in (A, B)) or not here.any():
        return None
    here, begun = _followed(counts, here, begun)
    visits = np.bincount(counts.source[here], weights=counts.n[here], minlength=len(counts.activities))
    known = np.flatnonzero(visits)
    kept, n_folded = fold_rare(visits[known].astype(np.int64), MAX_STATES)
    state = np.full(len(counts.activities), len(kept), np.int64)
    state[known[kept]] = np.arange(len(kept))
    k = len(kept) + (n_folded > 0)
    names = tuple(counts.activities[c] for c in known[kept])
    names += (f"(other, {n_folded} activities)",) if n_folded else ()
    target = counts.target[here]
    column = np.where(target < 0, k + 1, np.where(np.isin(target, counts.goal), k, state[target]))
    begin = np.where(counts.start_at_goal[begun] == 1, k, state[counts.start_begin[begun]])
    move_stratum, start_stratum, n_strata = _strata(counts, groups, here, begun)
    moves, (mg, ms, mi, mj) = _occurring(
        counts.unit[here],
        (groups.move[here], move_stratum, state[counts.source[here]], column),
        (2, n_strata, k, k + 2),
        counts.n[here],
        counts.n_units,
    )
    starts, (sg, ss, sj) = _occurring(
        counts.start_unit[begun],
        (groups.start[begun], start_stratum, begin),
        (2, n_strata, k + 1),
        counts.start_n[begun],
        counts.n_units,
    )
    return Layout(k, n_strata, names, moves, mg, ms, mi, mj, starts, sg, ss, sj, counts.buckets)


def _followed(
    counts: MoveCounts, here: NDArray[np.bool_], begun: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Moves and starts of which it is known where they lead: into an end, the goal or a watched activity."""
    goal = np.isin(counts.target, counts.goal)
    while True:
        led = np.zeros(len(counts.activities), bool)
        led[counts.source[here]] = True
        still = here & ((counts.target < 0) | goal | led[counts.target])
        if still.sum() == here.sum():
            return here, begun & ((counts.start_at_goal == 1) | led[counts.start_begin])
        here = still


def _strata(
    counts: MoveCounts, groups: Groups, here: NDArray[np.bool_], begun: NDArray[np.bool_]
) -> tuple[Ints, Ints, int]:
    """Stratum of moves and starts: cell and first activity; too small: cell; too small: the small cells together.

    The last stratum is never compared: kinds of journeys that only one group has, to speak of.
    """
    k = len(counts.activities)
    cell, begin = groups.start_stratum[begun], counts.start_begin[begun]
    group, n = groups.start[begun], counts.start_n[begun]
    move_cell, move_begin = groups.move_stratum[here], counts.begin[here]
    small = _small(cell, group, n)
    start_stratum, move_stratum = np.full(len(cell), -1, np.int64), np.full(len(move_cell), -1, np.int64)
    n_strata = 0
    for start_key, move_key in (
        (cell * k + begin, move_cell * k + move_begin),
        (cell, move_cell),
        (np.where(small[cell], 0, -1), np.where(small[move_cell], 0, -1)),
    ):
        free, chosen = start_stratum < 0, np.zeros(0, np.int64)
        if free.any():
            chosen = _large_enough(start_key[free], group[free], n[free])
        for stratum, key in ((start_stratum, start_key), (move_stratum, move_key)):
            where = np.searchsorted(chosen, key)
            hit = (stratum < 0) & (where < len(chosen)) & (np.append(chosen, -1)[where] == key)
            stratum[hit] = n_strata + where[hit]
        n_strata += len(chosen)
    start_stratum[start_stratum < 0] = n_strata
    move_stratum[move_stratum < 0] = n_strata
    return move_stratum, start_stratum, n_strata + 1


def _small(cell: Ints, group: Ints, n: Ints) -> NDArray[np.bool_]:
    """Cells of which neither group has many journeys, and each has one."""
    size = np.zeros((2, int(cell.max(initial=0)) + 1))
    np.add.at(size, (group, cell), n)
    return np.asarray((size.max(axis=0) < MANY_STARTS) & (size.min(axis=0) > 0))


def _large_enough(key: Ints, group: Ints, n: Ints) -> Ints:
    """Keys of which both groups have enough journeys, sorted; at most MAX_STRATA, the largest."""
    keys, place = np.unique(key, return_inverse=True)
    size = np.zeros((2, len(keys)))
    np.add.at(size, (group, place), n)
    smaller = np.where(keys >= 0, size.min(axis=0), 0)
    order = np.lexsort((keys, -smaller))[:MAX_STRATA]
    return np.sort(keys[order[smaller[order] >= MIN_STARTS]])


def _occurring(
    unit: Ints, keys: tuple[Ints, ...], shape: tuple[int, ...], n: Ints, n_units: int
) -> tuple[sparse.csr_array, tuple[Ints, ...]]:
    """Counts by unit and combination that occurs, and the parts of each combination."""
    flat = np.ravel_multi_index(keys, shape)
    found, place = np.unique(flat, return_inverse=True)
    parts = tuple(np.asarray(p, dtype=np.int64) for p in np.unravel_index(found, shape))
    return unit_matrix(unit, place, n, (n_units, len(found))), parts
