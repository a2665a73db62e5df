"""Counts of activities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ActivityCounts:
    """Events and cases of each activity, shape (k,), and by unit.

    Attributes
    ----------
    places
        Sum over cases of the place where the activity first stands.
    unit, code, unit_n, unit_n_cases
        Events of the activity and cases with it, by unit.
    unit_cases
        Cases of each unit, shape (n_units,).
    """

    n: Ints
    n_cases: Ints
    places: Ints
    unit: Ints
    code: Ints
    unit_n: Ints
    unit_n_cases: Ints
    unit_cases: Ints
    n_units: int
    buckets: bool = False
