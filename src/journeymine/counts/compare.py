"""Counts of moves and starts by group: the material of a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

DROPPED, END = -1, -2
"""Targets that are not activities: no event followed, before the goal and after it (or where no goal is set)."""
A, B = 0, 1
"""The two groups; -1 is neither."""


@dataclass(frozen=True, slots=True, eq=False)
class MoveCounts:
    """Watched moves and all starts, by whatever may tell groups apart; entries that occur.

    Attributes
    ----------
    activities
        Names by code.
    unit, cell, begin, slot, late, source, target, n
        Moves, shape (m,): unit that is resampled; cell of the segments; activity the journey began with; group as
        the engine saw it (0 where it saw none); 1 from the goal on; codes; how many. Sorted by source.
        `target` may be DROPPED or END.
    start_unit, start_cell, start_begin, start_slot, start_at_goal, start_n
        Starts of journeys, shape (s,).
    segments
        Names of the segment columns.
    cells
        Values of the segment columns of each cell.
    goal
        Codes of the goal; empty where none is set.
    n_units
        Units that are resampled; `buckets`: whether they are buckets of customers.
    """

    activities: tuple[str, ...]
    unit: Ints
    cell: Ints
    begin: Ints
    slot: Ints
    late: Ints
    source: Ints
    target: Ints
    n: Ints
    start_unit: Ints
    start_cell: Ints
    start_begin: Ints
    start_slot: Ints
    start_at_goal: Ints
    start_n: Ints
    segments: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    goal: tuple[int, ...]
    n_units: int
    buckets: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Which entries of the counts belong to group A or B, and in which stratum of everything else.

    Attributes
    ----------
    move, start
        A, B or -1, shapes (m,) and (s,).
    move_stratum, start_stratum
        Cells of the other segments, numbered, same shapes.
    """

    move: Ints
    start: Ints
    move_stratum: Ints
    start_stratum: Ints


def groups_of_slots(counts: MoveCounts, *, apart: str | None = None) -> Groups:
    """Groups as the engine saw them, inside the cells of the segments; those of column `apart` are no strata."""
    other = _others(counts, apart)
    return Groups(counts.slot, counts.start_slot, other[counts.cell], other[counts.start_cell])


def groups_of_column(counts: MoveCounts, column: str, a: frozenset[str], b: frozenset[str] | None) -> Groups:
    """Groups by the values of a segment column, inside the cells of the others. `b` None: all other values."""
    place = counts.segments.index(column)
    of_cell = np.array(
        [A if cell[place] in a else B if b is None or cell[place] in b else -1 for cell in counts.cells],
        dtype=np.int64,
    )
    other = _others(counts, column)
    return Groups(
        of_cell[counts.cell], of_cell[counts.start_cell], other[counts.cell], other[counts.start_cell]
    )


def _others(counts: MoveCounts, column: str | None) -> Ints:
    """Number of the combination of the other segments' values, by cell."""
    kept = [i for i, name in enumerate(counts.segments) if name != column]
    known: dict[tuple[str, ...], int] = {}
    numbers = [known.setdefault(tuple(cell[i] for i in kept), len(known)) for cell in counts.cells]
    return np.array(numbers, dtype=np.int64)
