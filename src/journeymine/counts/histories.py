"""Counts of histories: journeys up to each of their visits, what came next and how they ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

CONVERTED, DROPPED, UNDECIDED = 0, 1, 2
NO_ACTIVITY = -1
"""Before the first activity of a journey."""
LONGEST = 12
"""Histories of so many visits or more are one length."""


@dataclass(frozen=True, slots=True, eq=False)
class HistoryCounts:
    """Histories by unit, last activities and length, with what came next and how their journey ended.

    Attributes
    ----------
    activities
        Names by code.
    context
        Codes of the last activities of each kind of history, the last one first, shape (m, depth); NO_ACTIVITY
        before the start. Rows are sorted.
    length
        Visits in each kind of history, at most LONGEST, shape (m,).
    next_unit, next_kind, next_target, next_n
        What came after the watched visits: a code, GOAL or DROP (`counts/chain.py`).
    end_unit, end_kind, end_outcome, end_bin, end_n
        How journeys ended: CONVERTED, DROPPED or UNDECIDED, and in which bin of time since the visit that showed.
    watched_n
        Histories by the bin in which the log ends, shape (n_bins,): an end that shows in bin b is counted where
        the log ends in a later bin only. Empty where every outcome is known.
    n_units
        Units that are resampled.
    horizon_us
        If given, CONVERTED means within this time, and all histories counted were watched for it.
    buckets
        Whether units are buckets of customers rather than customers.
    """

    activities: tuple[str, ...]
    context: Ints
    length: Ints
    next_unit: Ints
    next_kind: Ints
    next_target: Ints
    next_n: Ints
    end_unit: Ints
    end_kind: Ints
    end_outcome: Ints
    end_bin: Ints
    end_n: Ints
    watched_n: Ints
    n_units: int
    horizon_us: int | None = None
    buckets: bool = False

    @property
    def n_kinds(self) -> int:
        """Kinds of histories."""
        return len(self.context)

    @property
    def end_weight(self) -> Floats:
        """What each entry of the ends stands for, one over the chance that the log lasted long enough to show it.

        Inverse probability of censoring weights (Robins and Rotnitzky 1992; Graf et al. 1999): when the log ends
        after a visit is known of every visit, so the chance is a share that is counted and not modelled. It holds
        if journeys of the earlier and later part of the log end alike. 0 where the outcome is not decided.

        Examples
        --------
        Four visits; from one of them the log was watched for a day only, so a goal on the second day counts 4 / 3:

        >>> zero, one = np.array([0]), np.array([1])
        >>> counts = HistoryCounts(("A",), np.array([[0]]), one, *[zero[:0]] * 4, zero, zero, zero, one, one,
        ...     np.array([0, 1, 3]), 1)
        >>> counts.end_weight.round(3).tolist()
        [1.333]
        """
        decided = self.end_outcome != UNDECIDED
        if not len(self.watched_n):
            return np.asarray(decided, dtype=float)
        total = self.watched_n.sum()
        later = total - np.cumsum(self.watched_n)
        seen = later[self.end_bin]
        weight: Floats = np.divide(total, seen, out=np.zeros(len(seen)), where=decided & (seen > 0))
        return weight

    @property
    def undecided(self) -> float:
        """Share of the histories whose end takes longer to show than the log lasts after any of them."""
        n = int(self.end_n.sum())
        return max(0.0, 1.0 - float((self.end_n * self.end_weight).sum()) / n) if n else 1.0

    def kinds_of(self, state_of_code: Ints) -> Ints:
        """State of each kind of history by its last activity, shape (m,)."""
        state: Ints = state_of_code[self.context[:, 0]]
        return state


@dataclass(frozen=True, slots=True, eq=False)
class OpenJourneys:
    """Journeys that are open where the log ends, by customer and case, shape (n,).

    Attributes
    ----------
    customer_id, case_id
        Who they belong to.
    code, time_us
        Last activity, and when it was.
    n_events
        Events so far.
    """

    customer_id: NDArray[np.object_]
    case_id: NDArray[np.object_]
    code: Ints
    n_events: Ints
    time_us: Ints
