"""Counts of counts of the variants, from the tables that the variants are counted in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.counting.arrays import ints
from journeymine.counts.variety import VarietyCounts
from journeymine.sql import variety as variety_sql

if TYPE_CHECKING:
    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine


def count_variety(engine: DuckDBEngine, log: Canonical, path_units: str, variants: str) -> VarietyCounts:
    """Counts of counts; only these leave the engine, never the variants.

    Parameters
    ----------
    path_units
        Table (path, unit, n).
    variants
        Table (path, n, n_units).
    """
    sizes = engine.fetch(variety_sql.sizes_sql(variants))
    units = engine.fetch(variety_sql.unit_sizes_sql(path_units, variants))
    return VarietyCounts(
        size=ints(sizes["size"]),
        spread=ints(sizes["spread"]),
        n_variants=ints(sizes["n_variants"]),
        unit=ints(units["unit"]),
        unit_size=ints(units["size"]),
        unit_spread=ints(units["spread"]),
        unit_own=ints(units["own"]),
        unit_variants=ints(units["n_variants"]),
        n_units=log.n_units,
        buckets=log.buckets,
    )
