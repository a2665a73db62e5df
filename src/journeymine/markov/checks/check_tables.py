"""Moves of each state by group: what the checks of a chain compare.

A group is the step before, a value of a segment, or a period. Groups and targets that are too rare to say anything
on their own are taken together; which ones depends on how frequent they are, never on how they go together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.uncertainty import generator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MIN_MOVES = 5
"""Moves that a group or a target of a state needs to stand alone."""
MOST_CATEGORIES = 40
"""Groups or targets of a state that stand alone; with more, the rarest are taken together."""
MOST_UNITS = 200
"""Units are added up to so many sums: the tests need sums of independent customers, not every customer."""
POOLED = -1
"""Number of the category that rare ones share."""


@dataclass(frozen=True, slots=True, eq=False)
class GroupedMoves:
    """Moves by unit, state, group and column of the matrix; entries of one kind may be split, shape (m,).

    Attributes
    ----------
    unit, state, group, column, n
        `column` is a state, the goal (k) or dropping out (k + 1).
    groups
        Names of the groups.
    n_states, n_units
        Of the chain.
    """

    unit: Ints
    state: Ints
    group: Ints
    column: Ints
    n: Ints
    groups: tuple[str, ...]
    n_states: int
    n_units: int


@dataclass(frozen=True, slots=True, eq=False)
class StateMoves:
    """Moves of one state.

    Attributes
    ----------
    state
        Its number.
    groups, columns
        What the axes of `counts` stand for; POOLED for rare ones together.
    counts
        Shape (n_units, groups, columns).
    """

    state: int
    groups: Ints
    columns: Ints
    counts: Floats


def moves_by_state(moves: GroupedMoves) -> Iterator[StateMoves]:
    """The table of each state that has at least two groups and two targets.

    Examples
    --------
    >>> ids = np.arange(40)
    >>> moves = GroupedMoves(ids, ids * 0, ids % 2, 1 + ids // 20, ids * 0 + 1, ("a", "b"), 1, 40)
    >>> [table.counts.sum(axis=0).tolist() for table in moves_by_state(moves)]
    [[[10.0, 10.0], [10.0, 10.0]]]
    """
    n_units, width = min(moves.n_units, MOST_UNITS), moves.n_states + 2
    sum_of = _sums(moves.n_units)
    # One number a move, so that one array is put in order instead of three.
    packed = (sum_of[moves.unit] * len(moves.groups) + moves.group) * width + moves.column
    order = order_of_states(moves.state)
    packed, weight = packed[order], moves.n[order]
    begin = np.concatenate([[0], np.cumsum(np.bincount(moves.state, minlength=moves.n_states))])
    for state in range(moves.n_states):
        here = slice(begin[state], begin[state + 1])
        rest, column = np.divmod(packed[here], width)
        unit, group = np.divmod(rest, len(moves.groups))
        n = weight[here]
        groups, g = _categories(np.bincount(group, weights=n, minlength=len(moves.groups)), group)
        columns, t = _categories(np.bincount(column, weights=n, minlength=width), column)
        if min(len(groups), len(columns)) < 2:
            continue
        shape = (n_units, len(groups), len(columns))
        flat = (unit * shape[1] + g) * shape[2] + t
        counts = np.bincount(flat, weights=n, minlength=int(np.prod(shape)))
        yield StateMoves(state, groups, columns, counts.reshape(shape).astype(float))


def _sums(n_units: int) -> Ints:
    """Which sum each unit is added to, at random: customers that were dealt out in turn must not meet again there."""
    if n_units <= MOST_UNITS:
        return np.arange(n_units)
    return np.asarray(generator(0, "sums of checks").permutation(n_units) % MOST_UNITS)


def order_of_states(state: Ints) -> Ints:
    """Places of the moves, those of state 0 first; within a state they stay in order."""
    # Numbers of 16 bits are sorted in linear time; a chain has far fewer states.
    small = state.astype(np.uint16) if state.max(initial=0) < 2**16 else state
    return np.argsort(small, kind="stable")


def _categories(total: Floats | Ints, label: Ints) -> tuple[Ints, Ints]:
    """Which labels stand alone (and POOLED if some do not), and the category of each entry."""
    order = np.lexsort((np.arange(len(total)), -total))
    alone = order[:MOST_CATEGORIES][total[order[:MOST_CATEGORIES]] >= MIN_MOVES]
    rest = total.sum() - total[alone].sum()
    if 0 < rest < MIN_MOVES and len(alone):
        # Still too rare together: the rarest of the others joins them.
        alone = alone[:-1]
    alone = np.sort(alone)
    category = np.full(len(total), len(alone), dtype=np.int64)
    category[alone] = np.arange(len(alone))
    labels = np.append(alone, POOLED) if total.sum() > total[alone].sum() else alone
    return labels.astype(np.int64), category[label]
