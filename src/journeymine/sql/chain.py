"""Visits that enter the conversion chain.

A visit is an event before the case's first goal. It enters only if it was watched long enough for its outcome
not to depend on when observation stopped: it began at least one `idle` before the end (or no journey is open).
Counting every observed move but a drop only after `idle` of silence would overstate conversion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.sql.events import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.engine.dialect import Dialect


VALUE_SCALE = 10_000
"""Money is summed as whole ten-thousandths: sums of floats would depend on the number of threads."""


def watched(last_start_us: int | None) -> str:
    """Condition on an event `e`: it began early enough. None: every visit's outcome is known."""
    return "TRUE" if last_start_us is None else f"e.time_us <= {last_start_us}"


def visits_sql(events: str, journeys: str, last_start_us: int | None, end: Sequence[int] = ()) -> str:
    """Visits before the goal, watched or not.

    (case_key, unit, cell, customer_id, code, next_code, time_us, wait_us, position, watched)

    Parameters
    ----------
    end
        Activities that say that a journey is over. As the last event they are no visit: the customer was lost after
        the visit before, unless there is none.
    """
    next_code, wait, is_visit = "e.next_code", "e.wait_us", "TRUE"
    if end:
        ends = ", ".join(str(int(code)) for code in end)
        over = f"e.next_code IN ({ends}) AND e.position = j.n_events - 1 AND j.goal_position IS NULL"
        next_code, wait = (f"CASE WHEN {over} THEN NULL ELSE {name} END" for name in (next_code, wait))
        is_visit = f"(e.code NOT IN ({ends}) OR e.position < j.n_events OR e.position = j.start_position)"
    return f"""
        SELECT e.case_key, j.unit, j.cell, j.customer_id, e.code, {next_code} AS next_code, e.time_us,
               {wait} AS wait_us, e.position, {watched(last_start_us)} AS watched
        FROM {events} AS e JOIN {journeys} AS j ON j.case_key = e.case_key
        WHERE e.position >= j.start_position AND (j.goal_position IS NULL OR e.position < j.goal_position)
              AND {is_visit}"""


def first_units_sql(table: str, last: int) -> str:
    """Rows of the units below a number."""
    return f"SELECT * FROM {table} WHERE unit < {int(last)}"


def n_unwatched_sql(visits: str) -> str:
    """Visits that began too late to be watched: (n)."""
    return f"SELECT COUNT(*) AS n FROM {visits} WHERE NOT watched"


def chain_counts_sql(visits: str) -> str:
    """Moves of the chain: (unit, cell, source, target, n, wait_us); target is null for a drop."""
    return f"""
        SELECT unit, cell, code AS source, next_code AS target, COUNT(*) AS n, CAST(SUM(wait_us) AS DOUBLE) AS wait_us
        FROM {visits} WHERE watched GROUP BY unit, cell, code, next_code
        ORDER BY unit, cell, source, target NULLS LAST"""


def starts_sql(
    events: str, journeys: str, last_start_us: int | None, *, borders_us: tuple[int, int] | None = None
) -> str:
    """Where journeys start, watched or not: (unit, cell, code, is_goal, watched, phase, n).

    Parameters
    ----------
    borders_us
        Journeys first seen before the first time may have been under way when the log begins (phase 0); those before
        the second are what they are compared with (1), then come the others (2). None: all are others.
    """
    is_goal = "COALESCE(j.goal_position = e.position, FALSE)"
    phase = "2"
    if borders_us is not None:
        first, second = borders_us
        phase = f"CASE WHEN e.time_us < {first} THEN 0 WHEN e.time_us < {second} THEN 1 ELSE 2 END"
    return f"""
        SELECT j.unit, j.cell, e.code, {is_goal} AS is_goal, {watched(last_start_us)} AS watched,
               {phase} AS phase, COUNT(*) AS n
        FROM {events} AS e JOIN {journeys} AS j ON j.case_key = e.case_key
        WHERE e.position = j.start_position
        GROUP BY j.unit, j.cell, e.code, {is_goal}, {watched(last_start_us)}, {phase}
        ORDER BY j.unit, j.cell, e.code, is_goal, watched, phase"""


def cell_customers_sql(journeys: str) -> str:
    """Customers and journeys of each cell: (cell, n_customers, n_cases)."""
    return f"""
        SELECT cell, COUNT(DISTINCT customer_id) AS n_customers, COUNT(*) AS n_cases
        FROM {journeys} WHERE state IS NOT NULL GROUP BY cell ORDER BY cell"""


def drop_counts_sql(visits: str, dialect: Dialect, *, origin_us: int | None, slice_us: int | None) -> str:
    """Visits of each activity by unit, cell and slice of time: (unit, cell, code, slice, n_all, n, n_drops).

    `n` counts the watched visits, `n_drops` those of them after which nothing came.
    """
    when = dialect.floor_div(f"(time_us - {origin_us})", str(slice_us)) if slice_us else "CAST(0 AS BIGINT)"
    return f"""
        SELECT unit, cell, code, {when} AS slice, COUNT(*) AS n_all, SUM(CASE WHEN watched THEN 1 ELSE 0 END) AS n,
               SUM(CASE WHEN watched AND next_code IS NULL THEN 1 ELSE 0 END) AS n_drops
        FROM {visits} GROUP BY unit, cell, code, {when} ORDER BY unit, cell, code, slice"""


def scope_condition(code: int, cells: Sequence[int] | None, period_us: tuple[int, int] | None) -> str:
    """Condition on a visit: of this activity, in these cells, begun in this period."""
    parts = [f"code = {int(code)}"]
    if cells is not None:
        parts.append(f"cell IN ({', '.join(str(int(c)) for c in cells) or '-1'})")
    if period_us is not None:
        parts.append(f"time_us >= {int(period_us[0])} AND time_us < {int(period_us[1])}")
    return " AND ".join(parts)


def reach_sql(visits: str, condition: str = "TRUE") -> str:
    """Journeys that meet each activity in a scope, by unit: (unit, code, n)."""
    return f"""
        SELECT unit, code, COUNT(*) AS n
        FROM (SELECT DISTINCT unit, code, case_key FROM {visits} WHERE {condition}) AS met
        GROUP BY unit, code ORDER BY unit, code"""


def journeys_sql(journeys: str) -> str:
    """Journeys of each unit: (unit, n)."""
    return f"SELECT unit, COUNT(*) AS n FROM {journeys} WHERE state IS NOT NULL GROUP BY unit ORDER BY unit"


def audience_sql(visits: str, condition: str = "TRUE") -> str:
    """Customers who were lost after each activity in a scope: (code, n)."""
    return f"""
        SELECT code, COUNT(DISTINCT customer_id) AS n FROM {visits}
        WHERE {condition} AND watched AND next_code IS NULL GROUP BY code ORDER BY code"""


def goal_values_sql(events: str, journeys: str, raw: str, row: str, value: str) -> str:
    """Money at the first goal of the journeys that reach it: (unit, cell, value in ten-thousandths, n).

    Only goals with a readable value count; the ledger has the others.
    """
    amount = number(f"r.{value}")
    return f"""
        SELECT j.unit, j.cell, SUM(CAST(ROUND({amount} * {VALUE_SCALE}) AS BIGINT)) AS value, COUNT(*) AS n
        FROM {events} AS e JOIN {journeys} AS j ON j.case_key = e.case_key AND j.goal_position = e.position
        JOIN {raw} AS r ON r.{row} = e.row WHERE {amount} IS NOT NULL
        GROUP BY j.unit, j.cell ORDER BY j.unit, j.cell"""
