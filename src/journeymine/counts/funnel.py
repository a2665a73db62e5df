"""Counts behind a funnel: when each journey got to each step, or why it did not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

OPEN, REACHED, OVER, LATE = 0, 1, 2, 3
"""What became of a journey at a step: still open; got there; known to be over; the window has passed."""

KINDS = 4


@dataclass(frozen=True, slots=True, eq=False)
class FunnelCounts:
    """Journeys of a funnel of k steps.

    Attributes
    ----------
    steps
        Activities of each step.
    closed
        Whether each step must come after the one before; else each step counts for itself.
    within_us
        The window in microseconds, counted from the first step (closed) or from the beginning of the journey (open).
    timed
        Whether the log has times.
    n_entered
        Journeys with the first step (closed), or all journeys (open): the denominator.
    unit_journeys, unit_entered
        Journeys, and those that enter the funnel, of each unit, shape (n_units,).
    unit, target, kind, slice, n
        How many journeys of a unit met what is named by `target` (REACHED), or why not, and in which slice of the
        time since the origin this was known. Target i < k: step i; target k + i: going on from step i,
        to the next step or another way.
    slice_us
        Width of a slice in microseconds; 1 where times are kept exactly.
    """

    steps: tuple[tuple[str, ...], ...]
    closed: bool
    within_us: int | None
    timed: bool
    unit_journeys: Ints
    unit_entered: Ints
    unit: Ints
    target: Ints
    kind: Ints
    slice: Ints
    n: Ints
    slice_us: int
    n_units: int
    buckets: bool = False

    @property
    def n_entered(self) -> int:
        """Journeys that enter."""
        return int(self.unit_entered.sum())

    @property
    def n_targets(self) -> int:
        """Targets with rows."""
        return len(targets(len(self.steps), closed=self.closed))

    def by_kind(self) -> Ints:
        """Journeys of each target by what became of them, shape (n_targets, 4)."""
        table = np.zeros((self.n_targets, KINDS), np.int64)
        np.add.at(table, (self.target, self.kind), self.n)
        return table


@dataclass(frozen=True, slots=True, eq=False)
class FunnelWaits:
    """Waits of the journeys that got to a step, since the step before (closed) or the beginning (open).

    A journey weighs as many journeys as it stands for: those that entered later and are still open had no time
    to show long waits.

    Attributes
    ----------
    median_us
        Weighted median of each step, shape (k,); nan where there is none.
    n
        Journeys behind each, shape (k,).
    step, unit, weight, below
        Weight of the journeys of a unit at a step, and of those that waited no longer than the median.
    bin_step, bin, bin_weight
        Log-spaced histogram of each step, sorted by step and bin.
    """

    median_us: Floats
    n: Ints
    step: Ints
    unit: Ints
    weight: Ints
    below: Ints
    bin_step: Ints
    bin: Ints
    bin_weight: Ints


def targets(n_steps: int, *, closed: bool) -> tuple[tuple[str, int], ...]:
    """What the rows of a funnel are about, by number: ("step", i) or ("later", i).

    In two steps the only way on is the second one: that target is left out.

    Examples
    --------
    >>> targets(3, closed=True)
    (('step', 0), ('step', 1), ('step', 2), ('later', 0), ('later', 1))
    """
    steps = tuple(("step", i) for i in range(n_steps))
    return steps + tuple(("later", i) for i in range(n_steps - 1)) if closed and n_steps > 2 else steps
