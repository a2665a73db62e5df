"""Moves between keyed states, made into counts of a chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.counts.chain import ChainCounts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.memory import StateKeys

    Ints = NDArray[np.int64]

MAX_PACKED = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class KeyedMoves:
    """Moves between keyed states; entries may be split, shape (m,). `target` is a key, GOAL or DROP."""

    unit: Ints
    cell: Ints
    source: Ints
    target: Ints
    n: Ints
    wait_us: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class KeyedStarts:
    """Where journeys start; entries may be split, shape (m,). `state` is a key or GOAL."""

    unit: Ints
    cell: Ints
    state: Ints
    n: Ints


def followed(source: Ints, target: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """States of which it is known where they lead, and the moves between them.

    A move into a state whose visits nobody watched leads nowhere; without it, its source may lead nowhere too.

    Examples
    --------
    >>> used, known = followed(np.array([0, 0, 1]), np.array([-2, 1, 2]))
    >>> used.tolist(), known.tolist()
    ([0], [True, False, False])
    """
    known = np.ones(len(source), bool)
    while True:
        used = np.unique(source[known])
        still = known & ((target < 0) | np.isin(target, used))
        if still.sum() == known.sum():
            return used, known
        known = still


def remembered(chain: ChainCounts, keys: StateKeys, moves: KeyedMoves, starts: KeyedStarts) -> ChainCounts:
    """Counts of the chain with memory, of the moves that are followed and of starts in states that are.

    Parameters
    ----------
    chain
        The same journeys without memory; its visits that nobody watched were not watched with memory either.
    """
    keys_seen, source = np.unique(moves.source, return_inverse=True)
    # A move into a state without a visit is told from the others by a place behind the last.
    place = np.searchsorted(keys_seen, moves.target)
    inside = np.append(keys_seen, -1)[place] == moves.target
    target = np.where(moves.target < 0, moves.target, np.where(inside, place, len(keys_seen)))
    different, sums = summed([moves.unit, moves.cell, source, target], [moves.n, moves.wait_us])
    used, known = followed(different[2], different[3])
    different, n, wait_us = different[:, known], sums[0][known].astype(np.int64), sums[1][known]
    state = np.where(different[3] < 0, different[3], np.searchsorted(used, different[3]))
    states = keys_seen[used]
    begun = (starts.state < 0) | np.isin(starts.state, states)
    first = np.where(starts.state < 0, starts.state, np.searchsorted(states, starts.state))
    start, start_sums = summed([starts.unit[begun], starts.cell[begun], first[begun]], [starts.n[begun]])
    return ChainCounts(
        states=keys.names(states),
        activity=chain.activity[keys.state(states)],
        unit=different[0],
        cell=different[1],
        source=np.searchsorted(used, different[2]),
        target=state,
        n=n,
        wait_us=wait_us,
        start_unit=start[0],
        start_cell=start[1],
        start_state=start[2],
        start_n=start_sums[0].astype(np.int64),
        cells=chain.cells,
        cell_customers=chain.cell_customers,
        n_units=chain.n_units,
        n_unwatched=chain.n_unwatched + chain.n_visits - int(n.sum()),
        n_folded=chain.n_folded,
        buckets=chain.buckets,
        n_truncated=chain.n_truncated,
        base=keys.state(states) if keys.memory.attempts > 1 else None,
        attempt=keys.attempt(states) if keys.memory.attempts > 1 else None,
    )


def summed(columns: list[Ints], values: list[NDArray[Any]]) -> tuple[Ints, list[NDArray[np.float64]]]:
    """Different rows of integer columns, sorted, and the sums of values over each; sums of integers are exact.

    Examples
    --------
    >>> rows, (n,) = summed([np.array([1, 0, 1]), np.array([-1, 2, -1])], [np.array([5, 1, 2])])
    >>> rows.tolist(), n.tolist()
    ([[0, 1], [2, -1]], [1.0, 7.0])
    """
    low = [int(column.min(initial=0)) for column in columns]
    sizes = [int(column.max(initial=0)) - least + 1 for column, least in zip(columns, low, strict=True)]
    packed, size = np.zeros(len(columns[0]), np.int64), 1
    for column, least, more in zip(columns, low, sizes, strict=True):
        if size * more >= MAX_PACKED:
            packed = np.unique(packed, return_inverse=True)[1]
            size = int(packed.max(initial=0)) + 1
        packed, size = packed * more + (column - least), size * more
    _, first, place = np.unique(packed, return_index=True, return_inverse=True)
    sums = [np.bincount(place, value, len(first)).astype(float) for value in values]
    return np.stack([column[first] for column in columns]), sums
