"""What the process map is made from: counts of the steps that are drawn, and of the stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from journeymine.counts.activities import ActivityCounts
    from journeymine.counts.edges import EdgeCounts

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class LeavingCounts:
    """Visits of each step before the goal, and those after which the journey was dropped, by unit; shape (m,)."""

    unit: Ints
    step: Ints
    n: Ints
    n_left: Ints


@dataclass(frozen=True, slots=True, eq=False)
class MapCounts:
    """Counts of a map of k steps and s stages.

    Attributes
    ----------
    steps
        Events and cases of each step.
    edges
        Directly-follows pairs of the steps.
    stages
        Cases that reach each stage.
    leaving
        Drop-out of each step; None without a goal.
    """

    steps: ActivityCounts
    edges: EdgeCounts
    stages: ActivityCounts
    leaving: LeavingCounts | None
