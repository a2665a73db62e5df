"""Counts of counts: how many variants are taken how often, in the log and by each unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class VarietyCounts:
    """How many variants are taken by how many cases, of how many units.

    Attributes
    ----------
    size, spread, n_variants
        Cases of a variant, units that take it, and how many variants are such; largest first, shape (s,).
    unit, unit_size, unit_spread, unit_own, unit_variants
        For each unit: the size and spread of a variant in the log, its cases in the unit, and how many variants
        are such.
    n_units
        Units that are resampled; `buckets`: whether they are buckets of customers.
    """

    size: Ints
    spread: Ints
    n_variants: Ints
    unit: Ints
    unit_size: Ints
    unit_spread: Ints
    unit_own: Ints
    unit_variants: Ints
    n_units: int
    buckets: bool = False

    @property
    def n_cases(self) -> int:
        """Cases of the whole log."""
        return int((self.size * self.n_variants).sum())

    @property
    def n_once(self) -> int:
        """Variants that only one case takes."""
        return int(self.n_variants[self.size == 1].sum())
