"""What the checks compare: moves by the step before, by attempt, by value of a segment, by period."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.sequences import OPEN
from journeymine.markov.checks.check_tables import GroupedMoves, order_of_states

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.counts.periods import PeriodCounts
    from journeymine.counts.sequences import SequenceCounts

    Ints = NDArray[np.int64]

START = "(start)"
"""The step before the first one."""
MOST_ATTEMPTS = 3
DAY_US = 86_400_000_000


def by_step_before(sequences: SequenceCounts) -> GroupedMoves:
    """Watched moves by the state before the present one; what followed an open end is not known and is left out.

    Examples
    --------
    >>> from journeymine.markov.lists import count_lists
    >>> moves = by_step_before(count_lists([["a", "b", "a"]])[1])
    >>> [moves.groups[g] for g in moves.group.tolist()], moves.state.tolist(), moves.column.tolist()
    (['(start)', 'a', 'b'], [0, 1, 0], [1, 0, 3])
    """
    before = np.concatenate([[0], sequences.code[:-1]]) if len(sequences.code) else sequences.code
    full = sequences.length > 0
    before[sequences.begin[:-1][full]] = sequences.n_states
    return _of_visits(sequences, before, (*sequences.states, START))


def by_attempt(sequences: SequenceCounts) -> GroupedMoves:
    """Watched moves by the number of the visit to the state in its journey: 1, 2, and 3 or later."""
    order = order_of_states(sequences.code)
    state, journey = sequences.code[order], sequences.of_visit[order]
    place = np.arange(len(order))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (state[1:] != state[:-1]) | (journey[1:] != journey[:-1])
    attempt = np.empty(len(order), dtype=np.int64)
    attempt[order] = place - np.maximum.accumulate(np.where(new, place, 0))
    names = tuple(f"#{i + 1}{'+' * (i + 1 == MOST_ATTEMPTS)}" for i in range(MOST_ATTEMPTS))
    return _of_visits(sequences, np.minimum(attempt, MOST_ATTEMPTS - 1), names)


def _of_visits(sequences: SequenceCounts, group: Ints, names: tuple[str, ...]) -> GroupedMoves:
    column, sequence, state = sequences.column(sequences.target), sequences.of_visit, sequences.code
    if (sequences.last == OPEN).any():
        known = column >= 0
        column, sequence, state, group = column[known], sequence[known], state[known], group[known]
    return GroupedMoves(
        sequences.unit[sequence],
        state,
        group,
        column,
        sequences.n[sequence],
        names,
        sequences.n_states,
        sequences.n_units,
    )


def by_value(counts: ChainCounts, column: int) -> GroupedMoves:
    """Moves of the chain by the value of a segment column: its place in the cells."""
    values = sorted({cell[column] for cell in counts.cells})
    number = {value: i for i, value in enumerate(values)}
    of_cell = np.array([number[cell[column]] for cell in counts.cells], dtype=np.int64)
    group = of_cell[counts.cell]
    return GroupedMoves(
        counts.unit,
        counts.source,
        group,
        counts.column(counts.target),
        counts.n,
        tuple(values),
        counts.n_states,
        counts.n_units,
    )


def by_period(periods: PeriodCounts, n_states: int) -> GroupedMoves:
    """Moves by period of the visit."""
    column = np.select(
        [periods.target == GOAL, periods.target == DROP], [n_states, n_states + 1], periods.target
    )
    return GroupedMoves(
        periods.unit,
        periods.source,
        periods.period,
        column,
        periods.n,
        period_names(periods.begin_us),
        n_states,
        periods.n_units,
    )


def period_names(begin_us: Ints) -> tuple[str, ...]:
    """Periods in words, UTC: days where all begin with a day, else minutes; the end is not part of it.

    Examples
    --------
    >>> period_names(np.array([0, 2, 4]) * DAY_US)
    ('1970-01-01 to 1970-01-03', '1970-01-03 to 1970-01-05')
    """
    unit = "D" if not (begin_us % DAY_US).any() else "m"
    dates = [str(np.datetime64(int(us), "us").astype(f"datetime64[{unit}]")) for us in begin_us]
    return tuple(f"{a} to {b}" for a, b in pairwise(dates))
