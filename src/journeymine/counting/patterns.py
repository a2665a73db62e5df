"""Journeys that match a pattern: matched in the engine, counted by unit and outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import ints
from journeymine.counting.spans import outcomes_of, spans_of
from journeymine.counts.patterns import PatternCounts
from journeymine.sql import patterns as patterns_sql

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.counts.outcomes import OutcomeCounts
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys


def count_matches(
    engine: DuckDBEngine, log: Canonical, journeys: Journeys | None, regex: str, *, before_goal: bool
) -> PatternCounts:
    """Journeys that match a regular expression over their words.

    Parameters
    ----------
    regex
        From `paths.patterns`.
    before_goal
        Whether conversion is compared by the events before the goal alone.
    """
    with spans_of(engine, log, journeys) as spans:
        words = engine.create_table("words", patterns_sql.words_sql(log.events, spans, engine.dialect))
        found = patterns_sql.matches_sql(words, spans, regex, engine.dialect)
        table = engine.create_table("matches", found)
        engine.execute(f"DROP TABLE {words}")
    rows = engine.fetch(patterns_sql.match_units_sql(table))
    matches = ints(rows["matches"]) == 1
    having = ints(rows["before"]) == 1 if before_goal else matches

    def part(keep: NDArray[np.bool_]) -> OutcomeCounts:
        chosen = {name: column[keep] for name, column in rows.items()}
        return outcomes_of(chosen, np.zeros(int(keep.sum()), np.int64), 1, log)

    return PatternCounts(table, part(matches), part(np.ones_like(matches)), part(having), part(~having))
