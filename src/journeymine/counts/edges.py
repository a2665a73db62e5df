"""Counts of directly-follows pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class EdgeCounts:
    """Directly-follows pairs of the whole log.

    Attributes
    ----------
    activities
        Names by code.
    source, target, n, median_us
        One entry a pair, sorted by (source, target), shape (m,); the median is nan where there are no times.
    unit, unit_edge, unit_n, unit_below
        Moves by unit and pair, and how many of them waited no longer than the pair's median.
    bin_edge, bin, bin_n
        Wait histograms: pair, bin, moves; sorted by pair and bin.
    n_units
        Units that are resampled; `buckets`: whether they are buckets of customers.
    timed
        Whether the log has times.
    wait_share
        Share of the moves that wait no longer than `median_us`: 0.5 for the median.
    """

    activities: tuple[str, ...]
    source: Ints
    target: Ints
    n: Ints
    median_us: NDArray[np.float64]
    unit: Ints
    unit_edge: Ints
    unit_n: Ints
    unit_below: Ints
    bin_edge: Ints
    bin: Ints
    bin_n: Ints
    n_units: int
    timed: bool
    buckets: bool = False
    wait_share: float = 0.5
