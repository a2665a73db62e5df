"""Counts of directly-follows pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import floats_or_nan, ints
from journeymine.counts.edges import EdgeCounts
from journeymine.sql import transitions as edges_sql

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine

    Ints = NDArray[np.int64]


def count_edges(
    engine: DuckDBEngine, log: Canonical, *, any_target: bool = False, wait_share: float = 0.5
) -> EdgeCounts:
    """Directly-follows pairs, by unit, with the histograms of their waits.

    Parameters
    ----------
    any_target
        Count departures whatever follows; the target is then the source itself.
    wait_share
        Which quantile of the waits stands for them.
    """
    table = engine.new_name("edges")
    events = edges_sql.any_target_sql(log.unit_events) if any_target else log.events
    engine.execute(f"CREATE TABLE {table} AS {edges_sql.edge_totals_sql(events, engine.dialect, wait_share)}")
    totals = engine.fetch(f"SELECT * FROM {table} ORDER BY source, target")
    units = engine.fetch(edges_sql.edge_units_sql(events if any_target else log.unit_events, table))
    bins = engine.fetch(edges_sql.wait_histogram_sql(events, engine.dialect))
    engine.execute(f"DROP TABLE {table}")
    source, target = ints(totals["source"]), ints(totals["target"])
    k = len(log.activities)
    ids = source * k + target
    return EdgeCounts(
        activities=log.activities,
        source=source,
        target=target,
        n=ints(totals["n"]),
        median_us=floats_or_nan(totals["median_us"]),
        unit=ints(units["unit"]),
        unit_edge=np.searchsorted(ids, ints(units["source"]) * k + ints(units["target"])),
        unit_n=ints(units["n"]),
        unit_below=ints(units["n_below"]),
        bin_edge=np.searchsorted(ids, ints(bins["source"]) * k + ints(bins["target"])),
        bin=ints(bins["bin"]),
        bin_n=ints(bins["n"]),
        n_units=log.n_units,
        timed=log.last_us is not None,
        buckets=log.buckets,
        wait_share=wait_share,
    )


def count_edge_cases(engine: DuckDBEngine, log: Canonical) -> Ints:
    """Cases with each directly-follows pair, pairs sorted by (source, target)."""
    return ints(engine.fetch(edges_sql.edge_cases_sql(log.events))["n_cases"])
