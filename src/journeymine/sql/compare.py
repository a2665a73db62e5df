"""Moves and starts by group: what a comparison of segments or periods counts.

A move belongs to the period of its source event, a start to that of the first event. Like the visits of the
chain, a visit enters only if it was watched for `idle`; unlike them, visits after the goal count too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.sql.chain import watched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.engine.dialect import Dialect

MANY_VALUES = 200
"""Values of a column that an error may look through for the one that was meant."""


def value_counts_sql(values: str) -> str:
    """Most frequent values of the column, and how many cases have them: (value, n)."""
    return f"""
        SELECT s0 AS value, COUNT(*) AS n FROM {values} GROUP BY s0
        ORDER BY COUNT(*) DESC, s0 LIMIT {MANY_VALUES}"""


def known_values_sql(values: str, wanted: Sequence[str], dialect: Dialect) -> str:
    """Which of the wanted values occur: (value)."""
    names = ", ".join(dialect.literal(value) for value in wanted)
    return f"SELECT DISTINCT s0 AS value FROM {values} WHERE s0 IN ({names}) ORDER BY s0"


def groups_of_values_sql(values: str, groups: Sequence[Sequence[str] | None], dialect: Dialect) -> str:
    """Group of each case by the value of the column: (case_key, slot); None takes all other values."""
    whens, rest = [], "NULL"
    for slot, wanted in enumerate(groups):
        if wanted is None:
            rest = str(slot)
        else:
            names = ", ".join(dialect.literal(value) for value in wanted)
            whens.append(f"WHEN s0 IN ({names}) THEN {slot}")
    return f"SELECT case_key, CASE {' '.join(whens)} ELSE {rest} END AS slot FROM {values}"


def slot_of_time(groups: Sequence[Sequence[tuple[int, int]] | None]) -> str:
    """Group of an event `e` by its time: half-open periods in microseconds; None takes all other times."""
    whens, rest = [], "NULL"
    for slot, periods in enumerate(groups):
        if periods is None:
            rest = str(slot)
        else:
            inside = " OR ".join(f"(e.time_us >= {int(a)} AND e.time_us < {int(b)})" for a, b in periods)
            whens.append(f"WHEN {inside} THEN {slot}")
    return f"CASE {' '.join(whens)} ELSE {rest} END"


def first_events_sql(events: str, journeys: str) -> str:
    """Activity with which each journey starts: (case_key, begin)."""
    return f"""
        SELECT e.case_key, e.code AS begin FROM {events} AS e
        JOIN {journeys} AS j ON j.case_key = e.case_key AND j.start_position = e.position"""


def moves_sql(
    events: str, journeys: str, firsts: str, last_start_us: int | None, *, slot: str, slots: str | None
) -> str:
    """Watched moves: (unit, cell, begin, slot, late, source, target, n).

    `late` tells the visits from the goal on; `target` is null after the last event of a case.
    `slots` is a table (case_key, slot), or `slot` an expression on the event `e`.
    """
    join = f"JOIN {slots} AS g ON g.case_key = e.case_key" if slots else ""
    return f"""
        SELECT unit, cell, begin, slot, late, source, target, COUNT(*) AS n
        FROM (SELECT j.unit, j.cell, f.begin, {slot} AS slot, e.code AS source, e.next_code AS target,
                     CASE WHEN e.position >= j.goal_position THEN 1 ELSE 0 END AS late
              FROM {events} AS e JOIN {journeys} AS j ON j.case_key = e.case_key
              JOIN {firsts} AS f ON f.case_key = e.case_key {join}
              WHERE e.position >= j.start_position AND {watched(last_start_us)}) AS moves
        WHERE slot IS NOT NULL
        GROUP BY unit, cell, begin, slot, late, source, target
        ORDER BY source, target NULLS LAST, late, slot, cell, begin, unit"""


def begins_sql(events: str, journeys: str, *, slot: str, slots: str | None) -> str:
    """Where journeys start, watched or not: (unit, cell, begin, slot, at_goal, n)."""
    join = f"JOIN {slots} AS g ON g.case_key = e.case_key" if slots else ""
    return f"""
        SELECT unit, cell, begin, slot, at_goal, COUNT(*) AS n
        FROM (SELECT j.unit, j.cell, e.code AS begin, {slot} AS slot,
                     CASE WHEN j.goal_position = e.position THEN 1 ELSE 0 END AS at_goal
              FROM {events} AS e JOIN {journeys} AS j ON j.case_key = e.case_key {join}
              WHERE e.position = j.start_position) AS begins
        WHERE slot IS NOT NULL
        GROUP BY unit, cell, begin, slot, at_goal ORDER BY unit, cell, begin, slot, at_goal"""
