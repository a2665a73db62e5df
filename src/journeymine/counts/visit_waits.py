"""How long visits last: waits by unit, source and target, with the visits that were still waiting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.sequences import OPEN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

BINS_PER_OCTAVE = 32
"""A bin is 2.2 % wide: four hours at a week, as people do things at the same time of day."""
JOURNEY = -1
"""Source of entries that are journeys as a whole, from their start to their end, beside those that are visits."""


@dataclass(frozen=True, slots=True, eq=False)
class VisitWaits:
    """Visits, watched or not, and journeys as a whole, by source, target and bin of the wait.

    A bin covers a thirty-second of an octave whatever the log and the question, and keeps the sum and the ends of its
    waits, so that a bin with one value is that value.

    Attributes
    ----------
    states
        Names of the states, those of the chain, shape (k,).
    source, target, bin, n
        One entry for each combination that occurs, in this order, shape (m,). `source` is a state, or JOURNEY;
        `target` is a state, GOAL, DROP (known to be over: `wait_us` is when that showed) or OPEN (still waiting where
        the log ends). Journeys that may have been under way when the log begins are left out.
    wait_us, low_us, high_us
        Sum, smallest and largest of the waits of an entry, integers, shape (m,).
    row_unit, row_entry, row_n
        How many visits of an entry each unit has, shape (r,).
    idle_us
        Silence after which a journey is over.
    span_us
        Time from the first to the last event of the log.
    n_units
        Units that are resampled.
    n_unknown
        Visits left out because they come from, or lead to, a state that the chain does not have.
    buckets
        Whether units are buckets of customers rather than customers.
    """

    states: tuple[str, ...]
    source: Ints
    target: Ints
    bin: Ints
    n: Ints
    wait_us: Ints
    low_us: Ints
    high_us: Ints
    row_unit: Ints
    row_entry: Ints
    row_n: Ints
    idle_us: int
    span_us: int
    n_units: int
    n_unknown: int = 0
    buckets: bool = False

    @property
    def n_states(self) -> int:
        """Number of states."""
        return len(self.states)

    @property
    def column(self) -> Ints:
        """Column of each target in a matrix with k states, then the goal, then dropping out; -1 for OPEN."""
        k = self.n_states
        return np.select(
            [self.target == GOAL, self.target == DROP, self.target == OPEN], [k, k + 1, -1], self.target
        )

    @property
    def n_visits(self) -> int:
        """Visits."""
        return int(self.n[self.source >= 0].sum())

    @property
    def n_waiting(self) -> int:
        """Visits that were still waiting where the log ends."""
        return int(self.n[(self.source >= 0) & (self.target == OPEN)].sum())

    @property
    def mean_us(self) -> NDArray[np.float64]:
        """Mean wait of each entry."""
        return self.wait_us / self.n
