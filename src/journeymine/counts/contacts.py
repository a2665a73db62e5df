"""Counts of what came next after an activity, and how the journeys ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class FollowUps:
    """What followed the first visit of an activity in each journey; entries that occur, shape (m,).

    Attributes
    ----------
    unit, cell
        Unit, and cell of the segments.
    source, target
        States of the chain of first order: the activity, and what came next; the goal is not among them.
    late
        Whether it came later than in nine of ten moves between the two, 0 or 1; 0 in logs without times.
    n, lost
        Journeys whose end is known, and those of them that ended without the goal.
    limit_us
        (source, target) -> time from which on a next step is late.
    n_units
        Units that are resampled.
    """

    unit: Ints
    cell: Ints
    source: Ints
    target: Ints
    late: Ints
    n: Ints
    lost: Ints
    limit_us: Mapping[tuple[int, int], int]
    n_units: int
