"""Journeys by unit and outcome, for several groups of journeys at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeCounts:
    """Journeys of groups (columns), by unit; a journey may be in several groups.

    Attributes
    ----------
    unit, column
        Which unit and which group, shape (e,).
    n, n_known, n_converted
        Journeys, those whose outcome is known, and those of them that converted, shape (e,).
    n_columns, n_units
        Groups and units; `buckets`: whether units are buckets of customers.
    """

    unit: Ints
    column: Ints
    n: Ints
    n_known: Ints
    n_converted: Ints
    n_columns: int
    n_units: int
    buckets: bool = False
