"""Anchored paths: one path a journey, from the first occurrence of an anchor, step by step.

Path table::

    case_key, unit, customer_id
    us_0 us_1 ...      time of the anchor and of each step; null where there is no such event in the window
    cell_0 cell_1 ...  code of the activity, or one of the negative codes of `counts/anchored.py`
    over_us            when it was known that nothing more comes; null while the journey is open

Every number of a result is a count of rows of this table, so that an edge, its funnel and its list agree.
In a log without times, and before an anchor, every time is 0.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from journeymine.sql.funnel import code_list, since_start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.sql.funnel import Clock

CONVERTED, DROPPED, OPEN, OUTSIDE, BEGAN = -1, -2, -3, -4, -5


def anchored_paths_sql(
    events: str,
    journeys: str,
    anchor: Sequence[int],
    steps: int,
    clock: Clock,
    *,
    after: bool,
    has_starts: bool,
) -> str:
    """Path table. The window is counted from the anchor and includes its last moment."""
    us = clock.time("e")
    away = "e.position - a.position" if after else "a.position - e.position"
    inside = "TRUE"
    if clock.within_us is not None:
        gap = f"{us} - a.us" if after else f"a.us - {us}"
        inside = f"{gap} <= {clock.within_us}"
    cells = ", ".join(
        f"MAX(CASE WHEN {away} = {k} AND {inside} THEN e.code END) AS code_{k}, "
        f"MAX(CASE WHEN {away} = {k} AND {inside} THEN {us} END) AS us_{k}"
        for k in range(steps + 1)
    )
    # A journey has no events before its start, and an anchor there does not count.
    begins = since_start(journeys if has_starts else None)
    return f"""
        WITH anchors AS (SELECT e.case_key, MIN(e.position) AS position, MIN({us}) AS us
             FROM {events} AS e {begins} WHERE e.code IN ({code_list(anchor)}) GROUP BY e.case_key),
        walks AS (SELECT e.case_key, {cells}, MAX(CASE WHEN NOT ({inside}) THEN 1 ELSE 0 END) AS goes_on
             FROM {events} AS e JOIN anchors AS a ON a.case_key = e.case_key AND {away} BETWEEN 0 AND {steps}
             {begins} GROUP BY e.case_key)
        SELECT case_key, unit, customer_id, over_us, {_columns(steps, clock, after=after)}
        FROM (SELECT w.*, j.unit, j.customer_id, {clock.over("j")} AS over_us,
                     j.goal_position IS NOT NULL AS has_goal
              FROM walks AS w JOIN {journeys} AS j ON j.case_key = w.case_key) AS walked"""


def _columns(steps: int, clock: Clock, *, after: bool) -> str:
    """Cells and times; beyond the last event of the path stands why it ends."""
    end = str(BEGAN)
    if after:
        end = f"WHEN over_us IS NOT NULL THEN CASE WHEN has_goal THEN {CONVERTED} ELSE {DROPPED} END "
        if clock.within_us is not None and clock.end_us is not None:
            end += f"WHEN us_0 + {clock.within_us} <= {clock.end_us} THEN {OUTSIDE} "
        end = f"CASE {end}ELSE {OPEN} END"
    reason = f"CASE WHEN goes_on = 1 THEN {OUTSIDE} ELSE {end} END"
    cells = [f"COALESCE(code_{k}, {reason}) AS cell_{k}" for k in range(steps + 1)]
    times = [
        f"us_{k}" if after else f"CASE WHEN us_{k} IS NOT NULL THEN 0 END AS us_{k}" for k in range(steps + 1)
    ]
    return ", ".join(cells + times)


def cell_counts_sql(paths: str, steps: int) -> str:
    """Journeys by step, cell and unit: (step, cell, unit, n)."""
    parts = " UNION ALL ".join(
        f"SELECT {k} AS step, cell_{k} AS cell, unit, COUNT(*) AS n FROM {paths} GROUP BY cell_{k}, unit"
        for k in range(steps + 1)
    )
    return f"SELECT * FROM ({parts}) AS counted ORDER BY step, cell, unit"


def edge_counts_sql(paths: str, steps: int) -> str:
    """Journeys by step, cell of the step before, cell and unit: (step, source, target, unit, n)."""
    parts = " UNION ALL ".join(
        f"SELECT {k} AS step, cell_{k - 1} AS source, cell_{k} AS target, unit, COUNT(*) AS n FROM {paths} "
        f"WHERE cell_{k - 1} >= 0 GROUP BY cell_{k - 1}, cell_{k}, unit"
        for k in range(1, steps + 1)
    )
    return f"SELECT * FROM ({parts}) AS counted ORDER BY step, source, target, unit"


def edge_condition(step: int, source: int, target: int) -> str:
    """Journeys on an edge."""
    return f"cell_{int(step) - 1} = {int(source)} AND cell_{int(step)} = {int(target)}"


def edge_funnel_sql(paths: str, step: int, source: int, target: int, clock: Clock) -> str:
    """Funnel table (see `sql/funnel.py`) of the journeys at the source of an edge.

    The second step is to go directly to its target. Going elsewhere settles it, and so does the end of the window.
    """
    here = f"cell_{step} = {int(target)}"
    settled = (
        f"CASE WHEN cell_{step} >= 0 THEN us_{step} "
        f"WHEN cell_{step} = {OUTSIDE} THEN us_0 + {clock.within_us or 0} ELSE over_us END"
    )
    if clock.end_us is None:
        settled = "CAST(0 AS BIGINT)"
    return f"""
        SELECT case_key, unit, customer_id, us_{step - 1} AS origin_us, us_{step - 1} AS us_1,
               CASE WHEN {here} THEN us_{step} END AS us_2, CASE WHEN {here} THEN us_{step} END AS later_1,
               CASE WHEN {here} THEN us_{step} ELSE {settled} END AS over_us
        FROM ({paths}) AS p WHERE cell_{step - 1} = {int(source)}"""


def first_before_sql(
    events: str, journeys: str, anchor: Sequence[int], target: Sequence[int], *, has_starts: bool
) -> str:
    """Journeys with the target before the first anchor: (n)."""
    begins = since_start(journeys if has_starts else None)
    return f"""
        SELECT COUNT(DISTINCT e.case_key) AS n
        FROM {events} AS e JOIN (SELECT e.case_key, MIN(e.position) AS position FROM {events} AS e {begins}
             WHERE e.code IN ({code_list(anchor)}) GROUP BY e.case_key) AS a
             ON a.case_key = e.case_key AND e.position < a.position
        {begins} WHERE e.code IN ({code_list(target)})"""


def untimed(clock: Clock) -> Clock:
    """A clock for numbers in which time plays no part."""
    return replace(clock, end_us=None, idle_us=None, within_us=None)
