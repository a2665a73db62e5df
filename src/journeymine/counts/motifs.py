"""Counts of short patterns: repeats, loops and sequences of activities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from journeymine.counts.outcomes import OutcomeCounts

    Ints = NDArray[np.int64]

KINDS = ("repeat", "loop", "sequence")


@dataclass(frozen=True, slots=True, eq=False)
class MotifCounts:
    """The commonest patterns of each kind, and how many there are.

    Attributes
    ----------
    activities
        Names by code.
    kind
        Place in `KINDS`: A, A; A, B, A; any other run; shape (m,).
    paths
        Codes of each pattern; by kind, then by the journeys that have it.
    n
        Occurrences before the goal, those that overlap included, shape (m,).
    outcomes, reach
        Journeys with each pattern, and journeys that reach its first activity, by unit and outcome: a column a
        pattern.
    everyone
        All journeys: one column.
    n_patterns, n_occurrences
        Patterns of each kind and how often they occur, listed or not.
    """

    activities: tuple[str, ...]
    kind: Ints
    paths: tuple[tuple[int, ...], ...]
    n: Ints
    outcomes: OutcomeCounts
    reach: OutcomeCounts
    everyone: OutcomeCounts
    n_patterns: Mapping[str, int]
    n_occurrences: Mapping[str, int]
