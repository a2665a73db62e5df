"""Counts of the directly-follows graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import codes, ints
from journeymine.counts.graph import GraphCounts
from journeymine.sql import transitions as edges_sql

if TYPE_CHECKING:
    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine


def count_graph(engine: DuckDBEngine, log: Canonical) -> GraphCounts:
    """Directly-follows graph of all cases, in one pass over the canonical events."""
    rows = engine.fetch(edges_sql.graph_sql(log.events))
    k = len(log.activities)
    source, target, n, n_first = (
        ints(rows["source"]),
        codes(rows["target"], k),
        ints(rows["n"]),
        ints(rows["n_first"]),
    )
    moves = np.zeros((k, k + 1), np.int64)
    np.add.at(moves, (source, target), n)
    starts = np.zeros(k, np.int64)
    np.add.at(starts, source, n_first)
    return GraphCounts(log.activities, moves.sum(axis=1), starts, moves[:, k], moves[:, :k])
