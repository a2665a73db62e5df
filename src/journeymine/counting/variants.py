"""Counts of the most frequent variants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import codes, ints
from journeymine.counting.units import cases_by_unit
from journeymine.counting.variety import count_variety
from journeymine.counts.variants import VariantCounts
from journeymine.sql import variants as variants_sql
from journeymine.sql.variety import path_units_sql, variant_totals_sql

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys

    Ints = NDArray[np.int64]


def count_variants(
    engine: DuckDBEngine, log: Canonical, journeys: Journeys | None, top: int
) -> VariantCounts:
    """The most frequent variants, and how varied all are; only these leave the engine."""
    paths, by_unit, variants, best = (
        engine.new_name(stem) for stem in ("paths", "path_units", "variants", "top")
    )
    engine.execute(
        f"CREATE TABLE {paths} AS {variants_sql.paths_sql(log.events, engine.dialect, len(log.activities))}"
    )
    engine.execute(f"CREATE TABLE {by_unit} AS {path_units_sql(paths, log.cases)}")
    engine.execute(f"CREATE TABLE {variants} AS {variant_totals_sql(by_unit)}")
    engine.execute(f"CREATE TABLE {best} AS {variants_sql.top_variants_sql(variants, top)}")
    listed = engine.fetch_table(f"SELECT path, n FROM {best} ORDER BY place").to_pydict()
    variety = count_variety(engine, log, by_unit, variants)
    state, table = (
        ("state", journeys.table) if journeys and journeys.goal else ("CAST(0 AS INTEGER)", log.cases)
    )
    rows = engine.fetch(variants_sql.variant_units_sql(paths, best, table, state))
    for name in (paths, by_unit, variants, best):
        engine.execute(f"DROP TABLE {name}")
    place, n = ints(rows["place"]), ints(rows["n"])
    by_state = None
    if journeys and journeys.goal:
        known = codes(rows["state"], -1)
        by_state = np.zeros((len(listed["n"]), 3), np.int64)
        np.add.at(by_state, (place[known >= 0], known[known >= 0]), n[known >= 0])
    return VariantCounts(
        activities=log.activities,
        paths=tuple(tuple(path) for path in listed["path"]),
        n=np.array(listed["n"], dtype=np.int64),
        n_by_state=by_state,
        n_variants=int(variety.n_variants.sum()),
        n_cases=log.n_cases,
        unit=ints(rows["unit"]),
        unit_place=place,
        unit_n=n,
        unit_cases=cases_by_unit(engine, log),
        n_units=log.n_units,
        buckets=log.buckets,
        variety=variety,
    )
