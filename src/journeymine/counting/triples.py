"""Counts of three activities in a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.counting.arrays import ints
from journeymine.sql.triples import triples_sql

if TYPE_CHECKING:
    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine


def count_triples(engine: DuckDBEngine, log: Canonical) -> dict[tuple[str, str, str], int]:
    """How often three activities follow each other directly, by name."""
    rows = engine.fetch(triples_sql(log.events))
    names = log.activities
    columns = (ints(rows[column]).tolist() for column in ("first", "second", "third", "n"))
    return {(names[a], names[b], names[c]): n for a, b, c, n in zip(*columns, strict=True)}
