"""Counts of the process map: events and visits whose activity is replaced by the step that stands for it."""

from __future__ import annotations


def grouped_events_sql(events: str, groups: str) -> str:
    """Canonical events with the codes of their groups. `groups`: table (code, grouped)."""
    return f"""
        SELECT e.case_key, e.bucket, g.grouped AS code, e.time_us, e.position, h.grouped AS next_code, e.wait_us,
               e.tie, e.row
        FROM {events} AS e JOIN {groups} AS g ON g.code = e.code LEFT JOIN {groups} AS h ON h.code = e.next_code"""


def leaving_sql(visits: str, groups: str) -> str:
    """Watched visits of each group before the goal, and those after which nothing came: (unit, code, n, n_left)."""
    return f"""
        SELECT v.unit, g.grouped AS code, COUNT(*) AS n,
               SUM(CASE WHEN v.next_code IS NULL THEN 1 ELSE 0 END) AS n_left
        FROM {visits} AS v JOIN {groups} AS g ON g.code = v.code
        WHERE v.watched GROUP BY v.unit, g.grouped ORDER BY v.unit, g.grouped"""
