"""What `journeymine init` wants to know of a log: activities in order, possible segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.readers.raw import RawLog

MAX_SEGMENT_VALUES = 20
MAX_NAME = 120
# Measures, not groups.
NO_SEGMENTS = ("TIMESTAMP", "DATE", "TIME", "DOUBLE", "FLOAT", "DECIMAL")


@dataclass(frozen=True, slots=True)
class ActivityFacts:
    """One activity: its journeys, how often it ends one, and where in the journey it stands (0 to 1)."""

    name: str
    n_cases: int
    n_last: int
    place: float


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """One column that could be a segment: its number of values, and of journeys in which it changes."""

    column: str
    n_values: int
    n_changing: int


def activity_facts(engine: DuckDBEngine, log: Canonical) -> list[ActivityFacts]:
    """Activities by their mean place in the journey; ties by name."""
    rows = engine.fetch(f"""
        SELECT e.code, COUNT(*) AS n, COUNT(DISTINCT e.case_key) AS n_cases,
               SUM(CASE WHEN e.next_code IS NULL THEN 1 ELSE 0 END) AS n_last,
               SUM((2 * e.position - 1) * 500000 // c.n_events) AS place
        FROM {log.events} e
        JOIN (SELECT case_key, COUNT(*) AS n_events FROM {log.events} GROUP BY case_key) c USING (case_key)
        GROUP BY e.code ORDER BY e.code""")
    facts = [
        ActivityFacts(log.activities[int(code)], int(cases), int(last), int(place) / int(n) / 1e6)
        for code, n, cases, last, place in zip(*(rows[name].tolist() for name in rows), strict=True)
    ]
    return sorted(facts, key=lambda fact: (round(fact.place, 6), fact.name))


def segment_facts(
    engine: DuckDBEngine, raw: RawLog, log: Canonical, columns: Sequence[str]
) -> list[SegmentFacts]:
    """Columns with 2 to 20 values that seldom change within a journey, fewest values first."""
    found = []
    for column in columns:
        if raw.types.get(column, "").startswith(NO_SEGMENTS):
            continue
        name = engine.dialect.quote(column)
        counts = engine.fetch(f"SELECT COUNT(DISTINCT {name}) AS n FROM {raw.table}")
        n_values = int(counts["n"][0])
        if not 2 <= n_values <= MAX_SEGMENT_VALUES:
            continue
        changing = engine.fetch(f"""
            SELECT COUNT(*) AS n FROM (
                SELECT {log.columns.key} AS case_key FROM {raw.table}
                GROUP BY {log.columns.key} HAVING COUNT(DISTINCT {name}) > 1) AS changed""")
        found.append(SegmentFacts(column, n_values, int(changing["n"][0])))
    steady = [fact for fact in found if fact.n_changing * 10 <= log.n_cases]
    return sorted(steady, key=lambda fact: (fact.n_values, raw.columns.index(fact.column)))
