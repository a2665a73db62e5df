"""Counts of what a simplified picture still explains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ExplainedCounts:
    """Totals and what of them is shown, by unit; every array has shape (n_units,).

    Attributes
    ----------
    cases, cases_shown
        Journeys; those all of whose activities and moves are shown.
    events, events_shown
        Events; those of activities that are shown.
    moves, moves_shown
        Moves from one event to the next; those that are shown.
    converted, converted_shown
        Journeys that converted; those of them that are shown whole. None where no goal is set.
    buckets
        Whether units are buckets of customers rather than customers.
    """

    cases: Ints
    cases_shown: Ints
    events: Ints
    events_shown: Ints
    moves: Ints
    moves_shown: Ints
    converted: Ints | None
    converted_shown: Ints | None
    buckets: bool
