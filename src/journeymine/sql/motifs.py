"""Short patterns: runs of a few directly following events before the goal, per case and in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.sql.prefixes import outcome_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

REPEAT, LOOP, SEQUENCE = 0, 1, 2

LAST_STEP = "COALESCE(s.goal_position - 1, s.last_position)"
"""Last position of a journey that is before the goal."""


def gram_columns(length: int) -> tuple[str, ...]:
    """Names of the columns of the steps."""
    return tuple(f"a{i + 1}" for i in range(length))


def grams_sql(events: str, spans: str, length: int, shape: str = "TRUE") -> str:
    """Runs of `length` events before the goal, per case: (case_key, a1, a2, ..., n).

    `shape` is a condition on a1, a2, ...
    """
    names = ", ".join(gram_columns(length))
    # The next code is at hand: only the ones after it need a window.
    further = "".join(
        f", LEAD(next_code, {i}) OVER (PARTITION BY case_key ORDER BY position) AS a{i + 2}"
        for i in range(1, length - 1)
    )
    return f"""
        SELECT e.case_key, {names}, COUNT(*) AS n
        FROM (SELECT case_key, position, code AS a1, next_code AS a2{further} FROM {events}) AS e
        JOIN {spans} AS s ON s.case_key = e.case_key
        WHERE e.position >= s.first_position AND e.position + {length - 1} <= {LAST_STEP} AND {shape}
        GROUP BY e.case_key, {names}"""


def gram_totals_sql(grams: str, length: int) -> str:
    """Every pattern: (a1, ..., kind, n, n_cases)."""
    names = ", ".join(gram_columns(length))
    return f"""
        SELECT {names}, {kind_expression(length)} AS kind, CAST(SUM(n) AS BIGINT) AS n, COUNT(*) AS n_cases
        FROM {grams} GROUP BY {names}"""


def kind_expression(length: int) -> str:
    """Kind of a pattern: A, A is a repeat; A, B, A is a loop; all others are sequences."""
    if length == 2:
        return f"CASE WHEN a1 = a2 THEN {REPEAT} ELSE {SEQUENCE} END"
    if length == 3:
        return f"CASE WHEN a1 = a3 AND a1 <> a2 THEN {LOOP} ELSE {SEQUENCE} END"
    return str(SEQUENCE)


def kinds_sql(totals: str) -> str:
    """Patterns of each kind: (kind, n_patterns, n)."""
    return f"""
        SELECT kind, COUNT(*) AS n_patterns, CAST(SUM(n) AS BIGINT) AS n
        FROM {totals} GROUP BY kind ORDER BY kind"""


def top_grams_sql(totals: str, length: int, kind: int, top: int) -> str:
    """The patterns of a kind that most cases have. Ties go by how often they occur, then by the names in order."""
    names = ", ".join(gram_columns(length))
    return f"""
        SELECT {names}, n, n_cases FROM {totals} WHERE kind = {int(kind)}
        ORDER BY n_cases DESC, n DESC, {names} LIMIT {int(top)}"""


def gram_units_sql(grams: str, spans: str, chosen: Sequence[tuple[int, Sequence[int]]], length: int) -> str:
    """Journeys with each chosen pattern: (pattern, unit, n, n_known, n_converted)."""
    rows = ", ".join(f"({', '.join(str(int(x)) for x in (i, *codes))})" for i, codes in chosen)
    names = gram_columns(length)
    match = " AND ".join(f"v.{name} = g.{name}" for name in names)
    return f"""
        SELECT v.pattern, s.unit, {outcome_counts("1")}
        FROM {grams} AS g JOIN (VALUES {rows}) AS v(pattern, {", ".join(names)}) ON {match}
        JOIN {spans} AS s ON s.case_key = g.case_key
        GROUP BY v.pattern, s.unit ORDER BY v.pattern, s.unit"""


def reach_units_sql(events: str, spans: str, codes: Sequence[int]) -> str:
    """Journeys that reach activities before the goal: (code, unit, n, n_known, n_converted)."""
    wanted = ", ".join(str(int(code)) for code in codes)
    return f"""
        SELECT code, unit, {outcome_counts("1")}
        FROM (SELECT DISTINCT e.case_key, e.code, s.unit, s.outcome
              FROM {events} AS e JOIN {spans} AS s ON s.case_key = e.case_key
              WHERE e.code IN ({wanted}) AND e.position >= s.first_position AND e.position <= {LAST_STEP}) AS met
        GROUP BY code, unit ORDER BY code, unit"""
