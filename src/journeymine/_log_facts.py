"""What `journeymine init` wants to know of a log: its activities, in the order of the journey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine

MAX_NAME = 120


@dataclass(frozen=True, slots=True)
class ActivityFacts:
    """One activity: its journeys, how often it ends one, and where in the journey it stands (0 to 1)."""

    name: str
    n_cases: int
    n_last: int
    place: float


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
