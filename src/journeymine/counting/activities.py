"""Counts of activities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import ints
from journeymine.counting.units import cases_by_unit
from journeymine.counts.activities import ActivityCounts
from journeymine.sql import transitions as edges_sql

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine

    Ints = NDArray[np.int64]


def count_activities(engine: DuckDBEngine, log: Canonical) -> ActivityCounts:
    """Events and cases of each activity."""
    rows = engine.fetch(edges_sql.activity_units_sql(log.unit_events))
    k = len(log.activities)
    unit, code, n, n_cases = (ints(rows[name]) for name in ("unit", "code", "n", "n_cases"))
    place = np.bincount(code, weights=ints(rows["places"]), minlength=k).astype(np.int64)
    return ActivityCounts(
        n=np.bincount(code, weights=n, minlength=k).astype(np.int64),
        n_cases=np.bincount(code, weights=n_cases, minlength=k).astype(np.int64),
        places=place,
        unit=unit,
        code=code,
        unit_n=n,
        unit_n_cases=n_cases,
        unit_cases=cases_by_unit(engine, log),
        n_units=log.n_units,
        buckets=log.buckets,
    )
