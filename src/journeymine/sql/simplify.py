"""What a simplified picture still explains, counted by unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def explained_sql(
    events: str,
    journeys: str,
    state: str,
    codes: Iterable[int],
    edges: Iterable[tuple[int, int]],
    k: int,
    *,
    has_goal: bool,
) -> str:
    """Journeys, events and moves of each unit, and those of them that are shown.

    (unit, cases, cases_shown, events, events_shown, moves, moves_shown, converted, converted_shown). A journey is
    shown if all its activities and all its moves are; a conversion, if those up to the goal are.

    Parameters
    ----------
    journeys
        Table with case_key and unit.
    state
        Expression of the end state of a journey; 0 is converted.
    k
        Activities of the log: a move is known as source * k + target.
    """
    # Joined to the short lists: a long IN list is asked of every row, which takes ten times as long.
    activities, moves = _rows(codes), _rows(source * k + target for source, target in edges)
    whole = "c.events = c.events_shown AND c.moves = c.moves_shown"
    to_goal = f"{state} = 0 AND e.position < j.goal_position" if has_goal else "FALSE"
    is_hidden = "a.shown_code IS NULL OR (e.next_code IS NOT NULL AND m.shown_move IS NULL)"
    return f"""
        SELECT j.unit, COUNT(*) AS cases, SUM(CASE WHEN {whole} THEN 1 ELSE 0 END) AS cases_shown,
               SUM(c.events) AS events, SUM(c.events_shown) AS events_shown,
               SUM(c.moves) AS moves, SUM(c.moves_shown) AS moves_shown,
               SUM(CASE WHEN {state} = 0 THEN 1 ELSE 0 END) AS converted,
               SUM(CASE WHEN {state} = 0 AND c.hidden_to_goal = 0 THEN 1 ELSE 0 END) AS converted_shown
        FROM (SELECT e.case_key, COUNT(*) AS events, COUNT(a.shown_code) AS events_shown,
                     COUNT(e.next_code) AS moves, COUNT(m.shown_move) AS moves_shown,
                     SUM(CASE WHEN {to_goal} AND ({is_hidden}) THEN 1 ELSE 0 END) AS hidden_to_goal
              FROM {events} AS e JOIN {journeys} AS j ON j.case_key = e.case_key
              LEFT JOIN (VALUES {activities}) AS a(shown_code) ON a.shown_code = e.code
              LEFT JOIN (VALUES {moves}) AS m(shown_move)
                     ON m.shown_move = CAST(e.code AS BIGINT) * {k} + e.next_code
              GROUP BY e.case_key) AS c
        JOIN {journeys} AS j ON j.case_key = c.case_key
        GROUP BY j.unit ORDER BY j.unit"""


def _rows(values: Iterable[int]) -> str:
    """Rows of a VALUES list; no code is negative, so an empty list matches nothing."""
    return ", ".join(f"({int(value)})" for value in values) or "(-1)"
