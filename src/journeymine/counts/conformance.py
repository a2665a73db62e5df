"""Counts of journeys as sequences of designed steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class StepPaths:
    """The most frequent sequences of steps; the same steps count apart if they are judged in another way.

    Attributes
    ----------
    paths
        Numbers of the steps, most frequent first.
    whole
        Whether the path is held against the whole design (True) or only as far as it went, shape (m,).
    goal_at
        Steps up to the goal; -1 without it, shape (m,).
    n
        Journeys of each, shape (m,).
    n_journeys
        All journeys that have a step, those of paths that are not listed included.
    n_without_step
        Journeys that have no step of the design.
    sample
        Share of customers, chosen by the hash of their id, whose journeys are listed; 1 unless the paths are too many.
    """

    paths: tuple[tuple[int, ...], ...]
    whole: NDArray[np.bool_]
    goal_at: Ints
    n: Ints
    n_journeys: int
    n_without_step: int
    sample: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class ProfileCounts:
    """Journeys by unit, cell of the segments, end state and profile; all arrays of shape (rows,).

    Attributes
    ----------
    unit, cell, profile
        What they are counted by.
    state
        0 converted, 1 dropped, 2 open; -1 where there is no goal.
    n
        Journeys.
    n_timed, time_s
        Journeys whose duration is known, and the sum of it in seconds.
    n_units
        Units that are resampled.
    """

    unit: Ints
    cell: Ints
    state: Ints
    profile: Ints
    n: Ints
    n_timed: Ints
    time_s: Ints
    n_units: int
    buckets: bool = False
