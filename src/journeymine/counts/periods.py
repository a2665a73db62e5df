"""Moves of the conversion chain by period of time: what a check of stationarity compares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PeriodCounts:
    """Watched moves of the chain by unit and period of the visit; entries that occur, shape (m,).

    Attributes
    ----------
    unit, period, source, target, n
        `target` is a state, GOAL or DROP, as in `ChainCounts`.
    begin_us
        Where each period begins, and after them where the last one ends; shape (n_periods + 1,).
    n_units
        Units that are resampled.
    """

    unit: Ints
    period: Ints
    source: Ints
    target: Ints
    n: Ints
    begin_us: Ints
    n_units: int

    @property
    def n_periods(self) -> int:
        """Number of periods."""
        return len(self.begin_us) - 1


def cut_slices(n: Ints, n_periods: int) -> Ints:
    """Slice with which each period begins, for periods of about as many visits each, shape (<= n_periods,).

    A period begins where its share of all visits is reached most nearly; slices stay whole, so there may be fewer
    periods than asked for.

    Examples
    --------
    >>> cut_slices(np.array([4, 1, 0, 5, 5, 3, 2]), 4)
    array([0, 3, 4, 5])
    """
    before = np.concatenate([[0], np.cumsum(n)])
    wanted = before[-1] * np.arange(1, n_periods) / n_periods
    # Of equals the last: a period does not begin with empty slices.
    nearest = len(n) - np.abs(before[None, ::-1] - wanted[:, None]).argmin(axis=1)
    begins = np.unique(np.concatenate([[0], nearest]))
    # A period must hold a visit: one that begins after the last of them holds none.
    holds = np.diff(np.append(before[begins], before[-1])) > 0
    return np.asarray(begins[holds | (begins == 0)], dtype=np.int64)
