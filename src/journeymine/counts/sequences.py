"""Journeys as sequences of states: what memory, classes of customers and predictions are learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.chain import DROP, GOAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

OPEN = -3
"""What followed the last visit was not watched."""


@dataclass(frozen=True, slots=True, eq=False)
class SequenceCounts:
    """Sequences of watched visits before the goal; equal ones of a unit and cell are counted together.

    The order of the sequences depends on their content only, never on the order of the rows.

    Attributes
    ----------
    states
        Names of the states, shape (k,).
    code
        States of all sequences one after the other, shape (n_visits,).
    begin
        Sequence s is `code[begin[s]:begin[s + 1]]`, shape (m + 1,); it is empty where a journey starts with the goal.
    last
        What followed the last visit of each sequence: GOAL, DROP, a state (what came after it was not watched), or
        OPEN; shape (m,).
    unit, cell, n
        Unit that is resampled, cell of the segments and number of journeys of each sequence, shape (m,).
    cells
        Values of the segment columns of each cell.
    n_units
        Units that are resampled.
    buckets
        Whether units are buckets of customers rather than customers.
    activity, attempt
        Activity and attempt number of each state, shape (k,), where states of one activity are told apart by the
        attempt; None where states carry no attempts. What comes next is then an activity: its attempt follows.
    """

    states: tuple[str, ...]
    code: Ints
    begin: Ints
    last: Ints
    unit: Ints
    cell: Ints
    n: Ints
    cells: tuple[tuple[str, ...], ...]
    n_units: int
    buckets: bool = False
    activity: Ints | None = None
    attempt: Ints | None = None

    @property
    def n_states(self) -> int:
        """Number of states."""
        return len(self.states)

    @property
    def n_sequences(self) -> int:
        """Number of different sequences by unit and cell."""
        return len(self.n)

    @property
    def length(self) -> Ints:
        """Visits of each sequence, shape (m,)."""
        return np.diff(self.begin)

    @property
    def of_visit(self) -> Ints:
        """Sequence that each visit belongs to, shape (n_visits,)."""
        return np.repeat(np.arange(self.n_sequences), self.length)

    @property
    def target(self) -> Ints:
        """What followed each visit: a state, GOAL, DROP or OPEN; shape (n_visits,).

        Examples
        --------
        >>> one = np.array([0])
        >>> sequence = SequenceCounts(("A", "B"), np.array([0, 1, 0]), np.array([0, 3]), np.array([GOAL]),
        ...     one, one, one + 1, ((),), 1)
        >>> sequence.target.tolist()
        [1, 0, -2]
        """
        target = np.append(self.code[1:], 0)
        full = self.length > 0
        target[self.begin[1:][full] - 1] = self.last[full]
        return target[: len(self.code)]

    def column(self, target: Ints) -> Ints:
        """Column of a target in a matrix with k states, then the goal, then dropping out; OPEN has none (-1)."""
        k = self.n_states
        return np.select([target == GOAL, target == DROP, target == OPEN], [k, k + 1, -1], target)

    def next_column(self, target: Ints) -> Ints:
        """Column of a target where the attempt of what comes next is left out: the activity of a state."""
        column = self.column(target)
        if self.activity is None:
            return column
        inside = (column >= 0) & (column < self.n_states)
        return np.where(inside, self.activity[np.where(inside, column, 0)], column)

    def state_of_attempt(self) -> Ints:
        """State of each activity at each attempt from 1, shape (n_activities, attempts + 1); the last one goes on."""
        if self.activity is None or self.attempt is None:
            return np.repeat(np.arange(self.n_states)[:, None], 2, axis=1)
        most = int(self.attempt.max(initial=1))
        state = np.full((int(self.activity.max(initial=-1)) + 1, most + 1), -1, dtype=np.int64)
        state[self.activity, self.attempt] = np.arange(self.n_states)
        for attempt in range(1, most + 1):
            missing = state[:, attempt] < 0
            state[missing, attempt] = state[missing, attempt - 1]
        return state

    def take(self, chosen: NDArray[np.bool_]) -> SequenceCounts:
        """Some of the sequences; units keep their numbers."""
        length = self.length[chosen]
        return SequenceCounts(
            self.states,
            self.code[np.repeat(chosen, self.length)],
            np.concatenate([[0], np.cumsum(length)]).astype(np.int64),
            self.last[chosen],
            self.unit[chosen],
            self.cell[chosen],
            self.n[chosen],
            self.cells,
            self.n_units,
            self.buckets,
            self.activity,
            self.attempt,
        )
