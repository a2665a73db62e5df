"""Counts of the most frequent variants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from journeymine.counts.variety import VarietyCounts

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class VariantCounts:
    """The most frequent variants.

    Attributes
    ----------
    activities
        Names by code.
    paths
        Codes of each variant, most frequent first; ties by the names in order.
    n
        Cases of each, shape (m,).
    n_by_state
        Cases of each by end state, shape (m, 3); None where end states are not defined.
    n_variants, n_cases
        Of the whole log.
    unit, unit_place, unit_n
        Cases by unit and variant.
    unit_cases
        Cases of each unit, shape (n_units,).
    variety
        How many variants are taken how often, of the whole log; None where that was not counted.
    """

    activities: tuple[str, ...]
    paths: tuple[tuple[int, ...], ...]
    n: Ints
    n_by_state: Ints | None
    n_variants: int
    n_cases: int
    unit: Ints
    unit_place: Ints
    unit_n: Ints
    unit_cases: Ints
    n_units: int
    buckets: bool = False
    variety: VarietyCounts | None = None
