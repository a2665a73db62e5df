"""The most frequent variants up to a limit, for replay and alignment; nothing else is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import ints
from journeymine.counting.units import cases_by_unit
from journeymine.counts.variants import VariantCounts
from journeymine.sql import variants as variants_sql

if TYPE_CHECKING:
    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine

MOST_VARIANTS = 5000


def list_variants(engine: DuckDBEngine, log: Canonical, most: int = MOST_VARIANTS) -> VariantCounts:
    """The `most` most frequent variants with their cases by unit; ties go by the names of the activities."""
    paths = engine.create_table(
        "paths", variants_sql.paths_sql(log.events, engine.dialect, len(log.activities))
    )
    variants = engine.create_table("variants", variants_sql.variants_sql(paths))
    best = engine.create_table("top", variants_sql.top_variants_sql(variants, most))
    listed = engine.fetch_table(f"SELECT path, n FROM {best} ORDER BY place").to_pydict()
    n_variants = int(engine.fetch(f"SELECT COUNT(*) AS n FROM {variants}")["n"][0])
    rows = engine.fetch(variants_sql.variant_units_sql(paths, best, log.cases, "CAST(0 AS INTEGER)"))
    for name in (paths, variants, best):
        engine.execute(f"DROP TABLE {name}")
    return VariantCounts(
        activities=log.activities,
        paths=tuple(tuple(path) for path in listed["path"]),
        n=np.array(listed["n"], dtype=np.int64),
        n_by_state=None,
        n_variants=n_variants,
        n_cases=log.n_cases,
        unit=ints(rows["unit"]),
        unit_place=ints(rows["place"]),
        unit_n=ints(rows["n"]),
        unit_cases=cases_by_unit(engine, log),
        n_units=log.n_units,
        buckets=log.buckets,
    )
