"""What came next after the first visit of each activity, whether it came late, and how the journey ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.sql.cases import CONVERTED, OPEN

if TYPE_CHECKING:
    from journeymine.engine.dialect import Dialect

LATE_SHARE = 0.9
"""A next step is late if it took longer than this share of the moves between the same two activities."""


def follow_ups_sql(visits: str, journeys: str, dialect: Dialect) -> str:
    """Next steps after first visits: (unit, cell, source, target, late, n, n_lost).

    Only watched visits of journeys whose end is known, and only those that something followed. `late` is 0 where
    there are no times.
    """
    first = f"""
        SELECT case_key, unit, cell, code, next_code, wait_us, watched,
               ROW_NUMBER() OVER (PARTITION BY case_key, code ORDER BY position) AS attempt FROM {visits}"""
    limits = f"""
        SELECT code, next_code, {dialect.quantile_disc("wait_us", LATE_SHARE)} AS limit_us FROM {visits}
        WHERE watched AND next_code IS NOT NULL GROUP BY code, next_code"""
    late = "CASE WHEN f.wait_us > l.limit_us THEN 1 ELSE 0 END"
    return f"""
        SELECT f.unit, f.cell, f.code AS source, f.next_code AS target, {late} AS late, COUNT(*) AS n,
               SUM(CASE WHEN j.state = {CONVERTED} THEN 0 ELSE 1 END) AS n_lost
        FROM ({first}) AS f JOIN {journeys} AS j ON j.case_key = f.case_key
        JOIN ({limits}) AS l ON l.code = f.code AND l.next_code = f.next_code
        WHERE f.attempt = 1 AND f.watched AND j.state <> {OPEN}
        GROUP BY f.unit, f.cell, f.code, f.next_code, {late}
        ORDER BY f.unit, f.cell, f.code, f.next_code, late"""


def late_limits_sql(visits: str, dialect: Dialect) -> str:
    """From when on a next step is late: (source, target, limit_us), where there are times."""
    return f"""
        SELECT code AS source, next_code AS target, {dialect.quantile_disc("wait_us", LATE_SHARE)} AS limit_us
        FROM {visits} WHERE watched AND next_code IS NOT NULL AND wait_us IS NOT NULL
        GROUP BY code, next_code ORDER BY code, next_code"""
