"""Journeys as spans with outcomes: where paths, motifs and patterns are counted."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import ints
from journeymine.counts.outcomes import OutcomeCounts
from journeymine.sql import prefixes as prefixes_sql

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys


@contextmanager
def spans_of(engine: DuckDBEngine, log: Canonical, journeys: Journeys | None) -> Iterator[str]:
    """Spans table for as long as it is needed; its columns are in `sql/prefixes.py`."""
    if journeys is None:
        sql = prefixes_sql.case_spans_sql(log.cases)
    else:
        sql = prefixes_sql.journey_spans_sql(
            log.events, journeys.table, journeys.last_start_us, has_goal=bool(journeys.goal)
        )
    table = engine.create_table("spans", sql)
    try:
        yield table
    finally:
        engine.execute(f"DROP TABLE {table}")


def outcomes_of(
    rows: Mapping[str, NDArray[np.generic]], column: NDArray[np.int64], n_columns: int, log: Canonical
) -> OutcomeCounts:
    """Rows (unit, n, n_known, n_converted), each of a column, as counts."""
    return OutcomeCounts(
        unit=ints(rows["unit"]),
        column=column,
        n=ints(rows["n"]),
        n_known=ints(rows["n_known"]),
        n_converted=ints(rows["n_converted"]),
        n_columns=n_columns,
        n_units=log.n_units,
        buckets=log.buckets,
    )


def count_outcomes(engine: DuckDBEngine, log: Canonical, spans: str) -> OutcomeCounts:
    """All journeys by unit and outcome: one column."""
    rows = engine.fetch(prefixes_sql.span_units_sql(spans))
    return outcomes_of(rows, np.zeros(len(rows["unit"]), np.int64), 1, log)
