"""How long visits wait for what comes next, and what ended the wait: the next step, leaving, or silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.sql import waits as sql

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

PASSED, LEFT, SILENT = sql.PASSED, sql.LEFT, sql.SILENT
"""What ended a wait: the next step, an `end` activity that says so, or nothing."""
BINS_PER_OCTAVE = 32
"""A bin is 2.2 % wide whatever the log: half an hour in a day."""


@dataclass(frozen=True, slots=True, eq=False)
class ActivityWaits:
    """Waits after one activity, of watched visits before the goal.

    Attributes
    ----------
    unit, cell, kind, bin, n
        One entry for each combination that occurs, shape (m,). `kind` is PASSED, LEFT or SILENT; `bin` is a place in
        `mean_us`, -1 for SILENT: when they left is not known.
    mean_us, low_us, high_us
        Mean, smallest and largest wait of each bin that occurs, in microseconds, increasing, shape (n_bins,).
    n_units
        Units that are resampled.
    """

    unit: Ints
    cell: Ints
    kind: Ints
    bin: Ints
    n: NDArray[np.generic]
    mean_us: Floats
    low_us: Ints
    high_us: Ints
    n_units: int

    @property
    def n_bins(self) -> int:
        """Bins that occur."""
        return len(self.mean_us)

    def total(self, kind: int) -> float:
        """Visits whose wait ended so."""
        return float(np.asarray(self.n, dtype=float)[self.kind == kind].sum())

    @property
    def passed(self) -> Floats:
        """Visits of each bin that went on, shape (n_bins,)."""
        here = self.kind == PASSED
        return np.bincount(
            self.bin[here], weights=np.asarray(self.n, float)[here], minlength=self.n_bins
        ).astype(float)

    @property
    def share_silent(self) -> float:
        """Share of those who left whose leaving was not seen; 0 where nobody left."""
        silent, left = self.total(SILENT), self.total(LEFT)
        return silent / (silent + left) if silent + left else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class WaitCounts:
    """Waits after activities, of watched visits before the goal; entries that occur.

    Attributes
    ----------
    unit, cell, activity, kind, bin, n
        Shape (m,); `activity` is a code, `kind` is PASSED, LEFT or SILENT, `bin` a row of the table below, -1 for
        SILENT: when they left is not known.
    bin_activity, mean_us, low_us, high_us
        Each bin's activity, and its mean, smallest and largest wait in microseconds; sorted, shape (n_bins,).
        Where bins begin depends on nothing but the wait (a thirty-second of an octave), so not on the order of rows.
    n_units
        Units that are resampled; 1 where everybody was counted together.
    buckets
        Whether units are buckets of customers rather than customers.
    """

    unit: Ints
    cell: Ints
    activity: Ints
    kind: Ints
    bin: Ints
    n: Ints
    bin_activity: Ints
    mean_us: Floats
    low_us: Ints
    high_us: Ints
    n_units: int
    buckets: bool = False

    @property
    def activities(self) -> Ints:
        """Codes of the activities that occur, sorted."""
        return np.unique(self.activity)

    def of(self, activity: int) -> ActivityWaits:
        """Waits after one activity, given by its code; without entries if it has none."""
        here, rows = self.activity == activity, self.bin_activity == activity
        first = int(np.argmax(rows)) if rows.any() else 0
        bins = self.bin[here]
        return ActivityWaits(
            self.unit[here],
            self.cell[here],
            self.kind[here],
            np.where(bins < 0, -1, bins - first),
            self.n[here],
            self.mean_us[rows],
            self.low_us[rows],
            self.high_us[rows],
            self.n_units,
        )


@dataclass(frozen=True, slots=True, eq=False)
class TrialCounts:
    """Waits that were waited out, each a trial with what was known when it began; entries that occur, shape (m,).

    Attributes
    ----------
    unit, cell, activity, attempt, before
        `attempt` is 1, 2, 3 or more; `before` is a bucket of the visits of the journey before (0, 1, 2 to 3, 4 to 7,
        8 to 15, 16 or more).
    long
        Whether the wait was above the median of its activity in its cell.
    n, n_converted
        Trials, and those whose journey reached the goal. Open journeys are left out.
    n_units
        Units that are resampled.
    """

    unit: Ints
    cell: Ints
    activity: Ints
    attempt: Ints
    before: Ints
    long: NDArray[np.bool_]
    n: Ints
    n_converted: Ints
    n_units: int
