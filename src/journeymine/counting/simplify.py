"""Counts of what a simplified picture still explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import ints
from journeymine.counts.simplify import ExplainedCounts
from journeymine.sql.simplify import explained_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys

    Ints = NDArray[np.int64]


def count_explained(
    engine: DuckDBEngine,
    log: Canonical,
    journeys: Journeys | None,
    codes: Sequence[int],
    edges: Sequence[tuple[int, int]],
) -> ExplainedCounts:
    """Journeys, events, moves and conversions by unit, and what of them some activities and moves show."""
    has_goal = journeys is not None and bool(journeys.goal)
    table, state = (journeys.table, "j.state") if journeys and has_goal else (log.cases, "1")
    rows = engine.fetch(
        explained_sql(log.events, table, state, codes, edges, len(log.activities), has_goal=has_goal)
    )
    unit = ints(rows["unit"])

    def column(name: str) -> Ints:
        filled = np.zeros(log.n_units, np.int64)
        filled[unit] = ints(rows[name])
        return filled

    return ExplainedCounts(
        cases=column("cases"),
        cases_shown=column("cases_shown"),
        events=column("events"),
        events_shown=column("events_shown"),
        moves=column("moves"),
        moves_shown=column("moves_shown"),
        converted=column("converted") if has_goal else None,
        converted_shown=column("converted_shown") if has_goal else None,
        buckets=log.buckets,
    )
