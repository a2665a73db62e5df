"""Counts of a funnel, and the waits between its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import ints
from journeymine.counts.funnel import FunnelCounts, FunnelWaits, targets
from journeymine.sql import funnel as funnel_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys
    from journeymine.sql.funnel import Clock

    Ints = NDArray[np.int64]

EXACT_CASES = 50_000
N_SLICES = 2_000
"""Above 50,000 cases the time since the origin is cut into 2,000 slices, so that counts stay small."""


def clock_of(log: Canonical, journeys: Journeys, within_us: int | None) -> Clock:
    """What is known of time in a log."""
    return funnel_sql.Clock(log.last_us, journeys.idle.us, within_us)


def slice_width(log: Canonical, within_us: int | None) -> int:
    """Microseconds of a slice of time."""
    if log.first_us is None or log.last_us is None or log.n_cases <= EXACT_CASES:
        return 1
    return -(-min(within_us or log.last_us - log.first_us, log.last_us - log.first_us + 1) // N_SLICES) or 1


def count_funnel(
    engine: DuckDBEngine,
    log: Canonical,
    journeys: Journeys,
    table: str,
    steps: tuple[tuple[str, ...], ...],
    *,
    clock: Clock,
    closed: bool,
) -> FunnelCounts:
    """Counts of a funnel table (columns in `sql/funnel.py`)."""
    wanted = targets(len(steps), closed=closed)
    columns = [f"us_{i + 1}" if what == "step" else f"later_{i + 1}" for what, i in wanted]
    width = slice_width(log, clock.within_us)
    rows = engine.fetch(funnel_sql.outcome_counts_sql(table, columns, clock, engine.dialect, max(width, 1)))
    unit, target, n = ints(rows["unit"]), ints(rows["target"]), ints(rows["n"])
    entered = np.zeros(log.n_units, np.int64)
    np.add.at(entered, unit[target == 0], n[target == 0])
    every = engine.fetch(funnel_sql.journeys_by_unit_sql(journeys.table))
    started = np.zeros(log.n_units, np.int64)
    started[ints(every["unit"])] = ints(every["n"])
    return FunnelCounts(
        steps=steps,
        closed=closed,
        within_us=clock.within_us,
        timed=log.last_us is not None,
        unit_journeys=started,
        unit_entered=entered,
        unit=unit,
        target=target,
        kind=ints(rows["kind"]),
        slice=ints(rows["slice"]),
        n=n,
        slice_us=width,
        n_units=log.n_units,
        buckets=log.buckets,
    )


def count_waits(
    engine: DuckDBEngine, table: str, counts: FunnelCounts, weights: Sequence[tuple[Ints, Ints]] | None
) -> FunnelWaits:
    """Waits between the steps of a funnel table.

    Parameters
    ----------
    weights
        For each step the slices of time in which journeys got there, and how many journeys one of them stands for
        (a whole number on any scale); None if every journey stands for itself.
    """
    k = len(counts.steps)
    name = _weights_table(engine, weights) if weights is not None else None
    waits = funnel_sql.waits_sql(
        table, k, engine.dialect, closed=counts.closed, slice_us=counts.slice_us, weights=name
    )
    if not waits:
        return _no_waits(k)
    rows = engine.fetch(funnel_sql.wait_bins_sql(waits))
    step, unit, bins, weight = (ints(rows[key]) for key in ("step", "unit", "bin", "weight"))
    middle = [_middle_bins(bins[step == i], weight[step == i]) for i in range(k)]
    chosen = sorted({(i, bin_) for i, pair in enumerate(middle) for bin_ in pair})
    exact = engine.fetch(funnel_sql.middle_waits_sql(waits, chosen)) if chosen else None
    if name is not None:
        engine.execute(f"DROP VIEW {name}")
    found = _Medians(k, step, unit, bins, weight)
    for i, pair in enumerate(middle):
        if pair and exact is not None:
            here = ints(exact["step"]) == i
            found.add(i, pair[0], *(ints(exact[key])[here] for key in ("unit", "wait_us", "weight")))
    return found.waits(np.bincount(step, weights=ints(rows["n"]), minlength=k).astype(np.int64))


def _weights_table(engine: DuckDBEngine, weights: Sequence[tuple[Ints, Ints]]) -> str:
    import pyarrow as pa

    step = np.repeat(np.arange(len(weights)), [len(slices) for slices, _ in weights])
    columns = {
        "step": pa.array(step, pa.int32()),
        "slice": pa.array(np.concatenate([slices for slices, _ in weights]), pa.int64()),
        "weight": pa.array(np.concatenate([weight for _, weight in weights]), pa.int64()),
    }
    name = engine.new_name("weights")
    engine.register(name, pa.table(columns))
    return name


def _middle_bins(bins: Ints, weight: Ints) -> tuple[int, ...]:
    """Bins of the two middle values (one or two bins) of a weighted sample."""
    if not len(bins):
        return ()
    values, place = np.unique(bins, return_inverse=True)
    total = np.zeros(len(values), np.int64)
    np.add.at(total, place, weight)
    cumulative = 2 * np.cumsum(total)
    low = int(np.searchsorted(cumulative, cumulative[-1] // 2, side="left"))
    high = int(np.searchsorted(cumulative, cumulative[-1] // 2, side="right"))
    return tuple(sorted({int(values[low]), int(values[min(high, len(values) - 1)])}))


def _no_waits(k: int) -> FunnelWaits:
    none = np.zeros(0, np.int64)
    return FunnelWaits(np.full(k, np.nan), np.zeros(k, np.int64), none, none, none, none, none, none, none)


class _Medians:
    """Collects the weighted median of each step and, by unit, the weight at or below it."""

    def __init__(self, k: int, step: Ints, unit: Ints, bins: Ints, weight: Ints) -> None:
        self.step, self.unit, self.bins, self.weight = step, unit, bins, weight
        self.median = np.full(k, np.nan)
        self.below = np.zeros(len(step), np.int64)

    def add(self, step: int, first_bin: int, unit: Ints, wait: Ints, weight: Ints) -> None:
        """Take the exact waits of the middle bins of a step, sorted by unit and wait."""
        here = self.step == step
        under = int(self.weight[here & (self.bins < first_bin)].sum())
        half = int(self.weight[here].sum())
        order = np.argsort(wait, kind="stable")
        cumulative = 2 * (under + np.cumsum(weight[order]))
        low = int(np.searchsorted(cumulative, half, side="left"))
        high = min(int(np.searchsorted(cumulative, half, side="right")), len(wait) - 1)
        self.median[step] = (wait[order[low]] + wait[order[high]]) / 2
        under_rows = here & (self.bins < first_bin)
        self.below[under_rows] = self.weight[under_rows]
        # The exact rows of a unit go to its row of the first middle bin, or the next one it has.
        kept = wait <= self.median[step]
        rows = np.flatnonzero(here & (self.bins >= first_bin))
        first = rows[np.unique(self.unit[rows], return_index=True)[1]]
        place = np.searchsorted(self.unit[first], unit[kept])
        np.add.at(self.below, first[place], weight[kept])

    def waits(self, n: Ints) -> FunnelWaits:
        """Sum over the bins for the histogram, over nothing else."""
        key = self.step * (int(self.bins.max(initial=0)) + 1) + self.bins
        values, place = np.unique(key, return_inverse=True)
        total = np.zeros(len(values), np.int64)
        np.add.at(total, place, self.weight)
        width = int(self.bins.max(initial=0)) + 1
        return FunnelWaits(
            median_us=self.median,
            n=n,
            step=self.step,
            unit=self.unit,
            weight=self.weight,
            below=self.below,
            bin_step=values // width,
            bin=values % width,
            bin_weight=total,
        )
