"""Moves of a chain whose states remember: the visits before, the attempt, the time since the journey began."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def memory_counts_sql(visits: str, *, depth: int, attempts: int, borders_us: Sequence[int]) -> str:
    """Moves of the watched visits with what is remembered.

    (unit, cell, source, target, n, wait_us), then before_1, before_2, ... up to depth - 1, null before the first
    visit; attempt, next_attempt, at most `attempts`, if that is above 1; slice, next_slice if there are borders.
    What is remembered counts all visits since the journey's start, watched or not. Target is null for a drop.
    """
    known = [f"before_{i}" for i in range(1, depth)]
    known += ["attempt", "next_attempt"] * (attempts > 1) + ["slice", "next_slice"] * bool(borders_us)
    keys = ", ".join(["unit", "cell", "code", "next_code", *known])
    remembered = _next_sql(_own_sql(visits, depth, attempts, borders_us), attempts, borders_us)
    more = "".join(f", {name}" for name in known)
    return f"""
        SELECT unit, cell, code AS source, next_code AS target, COUNT(*) AS n,
               CAST(SUM(wait_us) AS DOUBLE) AS wait_us{more}
        FROM ({remembered}) AS remembered WHERE watched GROUP BY {keys} ORDER BY {keys}"""


def _own_sql(visits: str, depth: int, attempts: int, borders_us: Sequence[int]) -> str:
    """Visits with the codes before them, their attempt and their slice of time."""
    columns = [
        f"LAG(code, {i}) OVER (PARTITION BY case_key ORDER BY position) AS before_{i}"
        for i in range(1, depth)
    ]
    if attempts > 1:
        number = "CAST(ROW_NUMBER() OVER (PARTITION BY case_key, code ORDER BY position) AS INTEGER)"
        columns.append(f"LEAST({int(attempts)}, {number}) AS attempt")
    if borders_us:
        since = "time_us - MIN(time_us) OVER (PARTITION BY case_key)"
        steps = " + ".join(f"CASE WHEN {since} >= {int(border)} THEN 1 ELSE 0 END" for border in borders_us)
        columns.append(f"{steps} AS slice")
    more = "".join(f", {column}" for column in columns)
    return f"SELECT case_key, unit, cell, code, next_code, wait_us, position, watched{more} FROM {visits}"


def _next_sql(own: str, attempts: int, borders_us: Sequence[int]) -> str:
    """The same with the attempt and the slice of the next visit, null where no visit follows."""
    names = ["attempt"] * (attempts > 1) + ["slice"] * bool(borders_us)
    more = "".join(
        f", LEAD({name}) OVER (PARTITION BY case_key ORDER BY position) AS next_{name}" for name in names
    )
    return f"SELECT *{more} FROM ({own}) AS own"
