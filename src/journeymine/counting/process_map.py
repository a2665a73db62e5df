"""Counts of the process map: activities grouped into steps and stages inside the engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import ints
from journeymine.counts.process_map import LeavingCounts
from journeymine.sql import process_map as map_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine

    Ints = NDArray[np.int64]


def grouped_log(engine: DuckDBEngine, log: Canonical, group_of: Ints, names: Sequence[str]) -> Canonical:
    """The same log with every activity replaced by its group: any count of activities counts groups.

    Parameters
    ----------
    group_of
        Group of each activity by code, shape (k,).
    names
        Names of the groups.
    """
    groups = register_groups(engine, group_of)
    view = engine.new_name("grouped")
    engine.execute(f"CREATE VIEW {view} AS {map_sql.grouped_events_sql(log.events, groups)}")
    return replace(log, events=view, activities=tuple(names))


def register_groups(engine: DuckDBEngine, group_of: Ints) -> str:
    """Table (code, grouped)."""
    import pyarrow as pa

    codes = pa.array(np.arange(len(group_of), dtype=np.int32))
    staged, name = engine.new_name("staged"), engine.new_name("groups")
    engine.register(staged, pa.table({"code": codes, "grouped": pa.array(group_of.astype(np.int32))}))
    engine.execute(f"CREATE TABLE {name} AS SELECT code, grouped FROM {staged}")
    return name


def count_leaving(engine: DuckDBEngine, visits: str, group_of: Ints) -> LeavingCounts:
    """Drop-out of each group of activities before the goal."""
    rows = engine.fetch(map_sql.leaving_sql(visits, register_groups(engine, group_of)))
    return LeavingCounts(ints(rows["unit"]), ints(rows["code"]), ints(rows["n"]), ints(rows["n_left"]))
