"""Directly-follows pairs of the whole log: how often, what share of departures, how long the wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.sql.transitions import BINS_PER_OCTAVE
from journeymine.uncertainty import Estimates, median_interval, share_of_units, unit_matrix

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.edges import EdgeCounts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MICRO = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Transitions:
    """Directly-follows pairs, sorted by the names of source and target.

    Attributes
    ----------
    counts
        The counts behind them.
    share
        n over all departures of the source, with interval.
    wait_s
        Median wait in seconds (or the quantile that was asked for), with interval; None in a log without times.
    count_cases
        Counts the cases of each pair when they are asked for: it takes as long as everything else.
    """

    counts: EdgeCounts
    share: Estimates
    wait_s: Estimates | None
    count_cases: Callable[[], Ints]

    @property
    def n_cases(self) -> Ints:
        """Cases with each pair, shape (m,)."""
        return self.count_cases()

    def to_frame(self) -> pd.DataFrame:
        """One row a pair: source, target, n, n_cases, estimate, lower, upper, wait_s, wait_s_lower, wait_s_upper."""
        import pandas as pd

        names = self.counts.activities
        frame = pd.DataFrame(
            {
                "source": [names[i] for i in self.counts.source],
                "target": [names[i] for i in self.counts.target],
                "n": self.counts.n,
                "n_cases": self.n_cases,
                "estimate": self.share.estimate,
                "lower": self.share.lower,
                "upper": self.share.upper,
            }
        )
        if self.wait_s is not None:
            frame["wait_s"] = self.wait_s.estimate
            frame["wait_s_lower"] = self.wait_s.lower
            frame["wait_s_upper"] = self.wait_s.upper
        return frame

    def __repr__(self) -> str:
        head = f"Transitions: {len(self.counts.n)} pairs, {int(self.counts.n.sum()):,} moves"
        names, counts, share = self.counts.activities, self.counts, self.share
        top = np.lexsort((np.arange(len(counts.n)), -counts.n))[:8]
        lines = [
            f"  {names[counts.source[e]][:40]} -> {names[counts.target[e]][:40]}  {int(counts.n[e]):,}  "
            f"{float(share.estimate[e]):.1%} ({float(share.lower[e]):.1%} to {float(share.upper[e]):.1%})"
            for e in top.tolist()
        ]
        return "\n".join([head, *lines, "Next: .to_frame()"])


def estimate_transitions(counts: EdgeCounts, count_cases: Callable[[], Ints]) -> Transitions:
    """Shares and median waits with customer-level intervals."""
    k, m = len(counts.activities), len(counts.n)
    source_of = counts.source[counts.unit_edge]
    moves = unit_matrix(counts.unit, counts.unit_edge, counts.unit_n, (counts.n_units, m))
    departures = unit_matrix(counts.unit, source_of, counts.unit_n, (counts.n_units, k))
    share = share_of_units(moves, departures, counts.source, buckets=counts.buckets)
    return Transitions(counts, share, estimate_waits(counts), count_cases)


def estimate_waits(counts: EdgeCounts) -> Estimates | None:
    """Median waits in seconds with customer-level intervals; None in a log without times."""
    if not counts.timed:
        return None
    m = len(counts.n)
    moves = unit_matrix(counts.unit, counts.unit_edge, counts.unit_n, (counts.n_units, m))
    below = unit_matrix(counts.unit, counts.unit_edge, counts.unit_below, (counts.n_units, m))
    share_below = share_of_units(below, moves, buckets=counts.buckets)
    waits = median_interval(counts.median_us, share_below, _histograms(counts), at=counts.wait_share)
    return Estimates(waits.estimate * MICRO, waits.lower * MICRO, waits.upper * MICRO, waits.n)


def _histograms(counts: EdgeCounts) -> list[tuple[Floats, Floats]]:
    """Bin edges in microseconds and counts of each pair."""
    begin = np.searchsorted(counts.bin_edge, np.arange(len(counts.n)))
    stop = np.searchsorted(counts.bin_edge, np.arange(len(counts.n)), side="right")
    return [_histogram(counts.bin[b:s], counts.bin_n[b:s]) for b, s in zip(begin, stop, strict=True)]


def _histogram(bins: NDArray[np.int64], n: NDArray[np.int64]) -> tuple[Floats, Floats]:
    if not len(bins):
        return np.zeros(1), np.zeros(0)
    full = np.arange(bins.min(), bins.max() + 2)
    filled = np.zeros(len(full) - 1)
    filled[bins - bins.min()] = n
    return 2.0 ** (full / BINS_PER_OCTAVE) - 1, filled
