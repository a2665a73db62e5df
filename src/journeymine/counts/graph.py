"""The directly-follows graph as counts: what discovery and the map start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class GraphCounts:
    """Directly-follows graph of a log of k activities.

    Attributes
    ----------
    activities
        Names by code.
    n
        Events of each activity, shape (k,).
    starts, ends
        Cases that start and end with each activity, shape (k,).
    follows
        follows[i, j]: how often j comes directly after i, shape (k, k).
    """

    activities: tuple[str, ...]
    n: Ints
    starts: Ints
    ends: Ints
    follows: Ints

    @property
    def n_cases(self) -> int:
        """Cases."""
        return int(self.starts.sum())
