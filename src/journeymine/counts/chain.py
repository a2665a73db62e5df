"""Counts of the conversion chain: its moves, and the drops of every activity over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

GOAL, DROP = -2, -1
"""Targets of the chain that are not states."""


@dataclass(frozen=True, slots=True, eq=False)
class ChainCounts:
    """Moves of the conversion chain by unit and cell of the segments.

    Attributes
    ----------
    states
        Names of the transient states; a state is an activity, with the attempt number where one was asked for.
    activity
        Code of the activity of each state, shape (k,); -1 for the state that rare activities are folded into.
    unit, cell, source, target, n
        One entry for each combination that occurs, shape (m,). `target` is a state, GOAL or DROP.
    wait_us
        Sum of the waits of these moves, shape (m,).
    start_unit, start_cell, start_state, start_n
        Where journeys start; the state is GOAL for journeys that start with it.
    cells
        Values of the segment columns of each cell.
    cell_customers
        Customers of each cell, shape (n_cells,).
    n_units
        Units that are resampled.
    n_unwatched
        Visits left out because they were not watched for `idle`.
    n_folded
        Rare activities that share one state.
    buckets
        Whether units are buckets of customers rather than customers.
    n_truncated
        Journeys that were under way when the log begins (`counts/truncation.py`): their moves count, their first
        visit is not taken for a start.
    base, attempt
        State of the chain without attempts, and attempt number from 1, of each state, shape (k,); None where states
        carry no attempts.
    """

    states: tuple[str, ...]
    activity: Ints
    unit: Ints
    cell: Ints
    source: Ints
    target: Ints
    n: Ints
    wait_us: NDArray[np.float64]
    start_unit: Ints
    start_cell: Ints
    start_state: Ints
    start_n: Ints
    cells: tuple[tuple[str, ...], ...]
    cell_customers: Ints
    n_units: int
    n_unwatched: int = 0
    n_folded: int = 0
    buckets: bool = False
    n_truncated: int = 0
    base: Ints | None = None
    attempt: Ints | None = None

    @property
    def n_states(self) -> int:
        """Number of transient states."""
        return len(self.states)

    @property
    def n_visits(self) -> int:
        """Visits that entered the chain."""
        return int(self.n.sum())

    @property
    def n_starts(self) -> int:
        """Journeys that start."""
        return int(self.start_n.sum())

    def column(self, target: Ints) -> Ints:
        """Column of a target in a matrix with k states, then the goal, then dropping out."""
        k = self.n_states
        return np.where(target == GOAL, k, np.where(target == DROP, k + 1, target))

    def edges(self) -> Ints:
        """Pairs (source, column) that occur, as source * (k + 2) + column, sorted."""
        return np.unique(self.source * (self.n_states + 2) + self.column(self.target))


@dataclass(frozen=True, slots=True, eq=False)
class DropCounts:
    """Visits and drops of every activity by unit, cell and slice of time; entries that occur, shape (m,).

    Attributes
    ----------
    n_all
        Visits.
    n, drops
        Watched visits, and those after which the journey was dropped.
    slice_us
        Length of a slice; None in a log without times (one slice).
    origin_us
        Start of slice 0.
    n_slices
        Number of slices.
    """

    unit: Ints
    cell: Ints
    state: Ints
    slice: Ints
    n_all: Ints
    n: Ints
    drops: Ints
    n_units: int
    slice_us: int | None
    origin_us: int | None
    n_slices: int

    def of_state(self, state: int) -> DropCounts:
        """The entries of one state."""
        here = self.state == state
        return DropCounts(
            self.unit[here],
            self.cell[here],
            self.state[here],
            self.slice[here],
            self.n_all[here],
            self.n[here],
            self.drops[here],
            self.n_units,
            self.slice_us,
            self.origin_us,
            self.n_slices,
        )


def fold_rare(n_by_activity: Ints, most: int) -> tuple[Ints, int]:
    """Which activities keep a state of their own when there may be at most `most` states.

    Returns
    -------
    kept
        Codes of the activities that keep their state, sorted.
    n_folded
        How many share one state. Ties go by code, that is by name.

    Examples
    --------
    >>> fold_rare(np.array([5, 1, 9, 1]), 3)
    (array([0, 2]), 2)
    """
    k = len(n_by_activity)
    if k <= most:
        return np.arange(k), 0
    order = np.lexsort((np.arange(k), -np.asarray(n_by_activity)))
    return np.sort(order[: most - 1]), k - (most - 1)
