"""Shorter waits: how many more would go on, in every cell of the segments and every bootstrap draw."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from journeymine.counts.waits import LEFT, PASSED, SILENT
from journeymine.errors import OptionError, shown
from journeymine.fixes.what_if.patience import TimeGrid, fit_clocks, leaving_rate
from journeymine.uncertainty import unit_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.waits import ActivityWaits

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

MIN_CELL_VISITS = 200
"""A cell of fewer visits leans on everybody's ratio, by its share of this number."""
SILENT_SHARE = 0.1
"""Above this share of the leavers, silence decides the result: the fix carries the flag "silent_waits"."""
MAX_BINS = 96
"""More bins are merged with their neighbours: a draw takes time in proportion."""
NEXT_TO_NOTHING = 1e-300
SHAPES: Final = (0.0, 0.5, 1.0, 1.5)
"""Shapes of silent patience that the sensitivity looks at; 0: silent leaving does not depend on the wait."""


class WaitModel:
    """How many more would go on after one activity if waits there were shorter.

    Parameters
    ----------
    waits
        Waits after the activity.
    cell_of
        Merged cell of each cell of the segments, shape (n_old_cells,).
    n_cells
        Merged cells.

    Attributes
    ----------
    silent
        Whether more than a tenth of the leavers were not seen to leave: then patience is an assumption.
    """

    def __init__(self, waits: ActivityWaits, cell_of: Ints, n_cells: int) -> None:
        waits = at_most_bins(waits, MAX_BINS)
        self.n_cells, self.n_bins = n_cells, waits.n_bins
        self.silent = waits.share_silent > SILENT_SHARE
        self.scale = float(waits.mean_us.max(initial=0.0)) or 1.0
        self.grid = TimeGrid(*(t / self.scale for t in (waits.mean_us, waits.low_us, waits.high_us)))
        n = np.asarray(waits.n, dtype=float)
        cell, kind = cell_of[waits.cell], waits.kind
        # Of a cell: who went on by bin, who left by bin, who was silent.
        self.width = 2 * self.n_bins + 1
        within = np.select(
            [kind == PASSED, kind == LEFT], [waits.bin, self.n_bins + waits.bin], self.width - 1
        )
        assert np.array_equal(kind == SILENT, within == self.width - 1)
        self.ends = unit_matrix(
            waits.unit, cell * self.width + within, n, (waits.n_units, n_cells * self.width)
        )
        visits = np.bincount(cell, weights=n, minlength=n_cells)
        self.lean = np.minimum(1.0, visits / MIN_CELL_VISITS)

    def ratio(self, weights: Floats, kappa: float, *, shape: float = 1.0) -> Floats:
        """P(goes on | waits times `kappa`) / P(goes on), in each draw and merged cell.

        Parameters
        ----------
        weights
            Weight of each unit in each draw, shape (n_draws, n_units).
        kappa
            Factor on every wait: 0.5 halves them.
        shape
            Weibull shape of silent patience (`patience.py`).

        Returns
        -------
        Floats
            Shape (n_draws, n_cells). 1 where nobody went on. A cell with few visits leans on everybody's ratio.

        Raises
        ------
        OptionError
            `kappa` or `shape` is negative or no number.
        """
        for name, value in (("kappa", kappa), ("shape", shape)):
            if not (np.isfinite(value) and value >= 0):
                raise OptionError(f"{name} is {shown(value)}, expected a number from 0 on.")
        ends = np.asarray(weights @ self.ends).reshape(len(weights), self.n_cells, self.width)
        pooled = self._ratio(ends.sum(axis=1), kappa, shape)[:, None]
        if self.n_cells == 1:
            return np.asarray(np.where(np.isnan(pooled), 1.0, pooled))
        own = self._ratio(ends, kappa, shape)
        own = np.where(np.isnan(own), pooled, self.lean * own + (1 - self.lean) * pooled)
        return np.where(np.isnan(own), 1.0, own)

    def _ratio(self, ends: Floats, kappa: float, shape: float) -> Floats:
        b = self.n_bins
        parts = ends[..., :b], ends[..., b : 2 * b], ends[..., 2 * b]
        clocks = fit_clocks(*parts, self.grid, shape=shape)
        faster, now = clocks.share_going_on(kappa), clocks.share_going_on(1.0)
        return np.asarray(np.divide(faster, now, out=np.full_like(now, np.nan), where=now > 0))

    def leaving(self, weights: Floats) -> Floats:
        """How often those who wait leave, a microsecond of waiting, over all cells; shape (n_draws,).

        Leaving that was seen by time at risk, and the rate of silent leaving on top (`patience.py`).
        """
        ends = np.asarray(weights @ self.ends).reshape(len(weights), self.n_cells, self.width).sum(axis=1)
        rate = leaving_rate(ends[:, : self.n_bins], ends[:, self.n_bins : -1], ends[:, -1], self.grid)
        return rate / self.scale

    def sensitivity(self, kappa: float) -> Floats:
        """Ratios at the point estimate for each of `SHAPES`, shape (4, n_cells)."""
        everybody = np.ones((1, self.ends.shape[0]))
        return np.concatenate([self.ratio(everybody, kappa, shape=shape) for shape in SHAPES])


def at_most_bins(waits: ActivityWaits, most: int) -> ActivityWaits:
    """The same waits in at most so many bins: neighbours together, with their common mean.

    Examples
    --------
    >>> from journeymine.counts.waits import ActivityWaits
    >>> zero, times = np.zeros(3, int), np.array([1, 2, 8])
    >>> waits = ActivityWaits(zero, zero, zero, np.arange(3), np.array([3, 1, 2]), times * 1.0, times, times, 1)
    >>> fewer = at_most_bins(waits, 2)
    >>> fewer.bin.tolist(), fewer.mean_us.tolist(), fewer.high_us.tolist()
    ([0, 0, 1], [1.25, 8.0], [2, 8])
    """
    together = -(-waits.n_bins // most)
    if together <= 1:
        return waits
    group = np.arange(waits.n_bins) // together
    seen = waits.bin >= 0
    n = np.asarray(waits.n, dtype=float)[seen]
    # A bin that nobody is left in weighs next to nothing.
    weight = np.bincount(waits.bin[seen], weights=n, minlength=waits.n_bins) + NEXT_TO_NOTHING
    first = np.arange(0, waits.n_bins, together)
    return replace(
        waits,
        bin=np.where(seen, waits.bin // together, -1),
        mean_us=np.bincount(group, weights=weight * waits.mean_us) / np.bincount(group, weights=weight),
        low_us=waits.low_us[first],
        high_us=waits.high_us[np.append(first[1:], waits.n_bins) - 1],
    )


def pass_ratio(
    waits: ActivityWaits, weights: Floats, kappa: float, cell_of: Ints, n_cells: int, *, shape: float = 1.0
) -> Floats:
    """P(goes on | waits times kappa) / P(goes on), shape (n_draws, n_cells); keep a `WaitModel` for many calls.

    Examples
    --------
    Eight of 16 waited a day, the others left silently. Patience halves in a day, so 1 / sqrt(2) go on after half a day:

    >>> from journeymine.counts.waits import ActivityWaits
    >>> zero, day = np.zeros(2, int), np.array([86_400_000_000])
    >>> waits = ActivityWaits(zero, zero, np.array([0, 2]), np.array([0, -1]), np.array([8, 8]), day * 1.0, day, day, 1)
    >>> pass_ratio(waits, np.ones((1, 1)), 0.5, np.zeros(1, int), 1).round(6).tolist()
    [[1.414214]]
    """
    return WaitModel(waits, cell_of, n_cells).ratio(weights, kappa, shape=shape)
