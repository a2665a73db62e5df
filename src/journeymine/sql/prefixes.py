"""Journeys as spans of positions with a known or unknown outcome, and their first steps side by side.

Spans table:     case_key, unit, first_position, last_position, goal_position, state, outcome
                 (outcome: 0 converted, 1 dropped, null: not known yet, or there is no goal)
Prefixes table:  c1, c2, ..., goes_on, unit, state, outcome, n (c: codes of the first steps, null after the end)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.sql.cases import CONVERTED, DROPPED

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_STATE = "CAST(NULL AS INTEGER)"


def case_spans_sql(cases: str) -> str:
    """Spans of all cases, from the first event to the last, where nothing is known of how they end."""
    return f"""
        SELECT case_key, unit, 1 AS first_position, CAST(n_events AS INTEGER) AS last_position,
               {NO_STATE} AS goal_position, {NO_STATE} AS state, {NO_STATE} AS outcome FROM {cases}"""


def journey_spans_sql(events: str, journeys: str, last_start_us: int | None, *, has_goal: bool) -> str:
    """Spans of the journeys that start, from their start to their last event.

    The outcome is known of the journeys that were over, by their goal or their last event, one `idle` before the
    end of the log: drop-outs are seen only after `idle`, so conversions of that time are not counted either.
    """
    if not has_goal:
        return f"""
            SELECT case_key, unit, start_position AS first_position, CAST(n_events AS INTEGER) AS last_position,
                   {NO_STATE} AS goal_position, {NO_STATE} AS state, {NO_STATE} AS outcome
            FROM {journeys} WHERE start_position IS NOT NULL"""
    join, known = "", "TRUE"
    if last_start_us is not None:
        join = f"LEFT JOIN {events} AS e ON e.case_key = j.case_key AND e.position = j.goal_position"
        known = f"COALESCE(e.time_us, j.last_us) <= {last_start_us}"
    return f"""
        SELECT j.case_key, j.unit, j.start_position AS first_position,
               CAST(j.n_events AS INTEGER) AS last_position, j.goal_position, j.state,
               CASE WHEN j.state IN ({CONVERTED}, {DROPPED}) AND {known} THEN j.state END AS outcome
        FROM {journeys} AS j {join} WHERE j.start_position IS NOT NULL"""


def span_units_sql(spans: str) -> str:
    """Journeys by unit: (unit, n, n_known, n_converted)."""
    return f"SELECT unit, {outcome_counts('1')} FROM {spans} GROUP BY unit ORDER BY unit"


def outcome_counts(n: str) -> str:
    """Select list (n, n_known, n_converted) that sums `n` over rows with an outcome."""
    return (
        f"CAST(SUM({n}) AS BIGINT) AS n, "
        f"CAST(SUM(CASE WHEN outcome IS NULL THEN 0 ELSE {n} END) AS BIGINT) AS n_known, "
        f"CAST(SUM(CASE WHEN outcome = {CONVERTED} THEN {n} ELSE 0 END) AS BIGINT) AS n_converted"
    )


def prefixes_sql(events: str, spans: str, depth: int) -> str:
    """First steps of the journeys up to the goal, `depth` of them, counted: the prefixes table."""
    last = "COALESCE(s.goal_position, s.last_position)"
    steps = ", ".join(
        f"MAX(CASE WHEN e.position = s.first_position + {d} THEN e.code END) AS c{d + 1}"
        for d in range(depth)
    )
    names = ", ".join(step_columns(depth))
    return f"""
        SELECT {names}, goes_on, unit, state, outcome, COUNT(*) AS n
        FROM (SELECT s.unit, s.state, s.outcome, {last} - s.first_position >= {int(depth)} AS goes_on, {steps}
              FROM {events} AS e JOIN {spans} AS s ON s.case_key = e.case_key
              WHERE e.position >= s.first_position AND e.position < s.first_position + {int(depth)}
                    AND e.position <= {last}
              GROUP BY s.case_key, s.unit, s.state, s.outcome, {last} - s.first_position >= {int(depth)}) AS wide
        GROUP BY {names}, goes_on, unit, state, outcome"""


def step_columns(depth: int) -> tuple[str, ...]:
    """Names of the columns of the first steps."""
    return tuple(f"c{d + 1}" for d in range(depth))


def top_prefixes_sql(prefixes: str, depth: int, top: int) -> str:
    """The most frequent prefixes of `depth` steps: (c1, ..., n). Ties go by the names of the activities in order."""
    names = ", ".join(step_columns(depth))
    return f"""
        SELECT {names}, CAST(SUM(n) AS BIGINT) AS n FROM {prefixes} WHERE c{int(depth)} IS NOT NULL
        GROUP BY {names} ORDER BY n DESC, {names} LIMIT {int(top)}"""


def node_units_sql(
    prefixes: str, nodes: Sequence[tuple[int, Sequence[int]]], depth: int, deepest: int
) -> str:
    """Journeys through nodes of one depth by unit and by the state of those that end there.

    (node, unit, ended, n, n_known, n_converted); ended is null for those that go on, -1 where states are not
    defined. `nodes`: (number, codes), at least one.
    """
    goes_on = "p.goes_on" if depth == deepest else f"p.c{depth + 1} IS NOT NULL"
    ended = f"CASE WHEN {goes_on} THEN NULL ELSE COALESCE(p.state, -1) END"
    return f"""
        SELECT v.node, p.unit, {ended} AS ended, {outcome_counts("p.n")}
        FROM {prefixes} AS p {_node_join(nodes, depth)}
        GROUP BY v.node, p.unit, {ended} ORDER BY v.node, p.unit, ended"""


def children_sql(prefixes: str, nodes: Sequence[tuple[int, Sequence[int]]], depth: int) -> str:
    """How many different activities follow nodes of one depth: (node, n_children)."""
    return f"""
        SELECT v.node, COUNT(DISTINCT p.c{depth + 1}) AS n_children
        FROM {prefixes} AS p {_node_join(nodes, depth)} GROUP BY v.node ORDER BY v.node"""


def _node_join(nodes: Sequence[tuple[int, Sequence[int]]], depth: int) -> str:
    rows = ", ".join(f"({', '.join(str(int(x)) for x in (node, *codes))})" for node, codes in nodes)
    columns = step_columns(depth)
    match = " AND ".join(f"v.{c} = p.{c}" for c in columns) or "TRUE"
    return f"JOIN (VALUES {rows}) AS v({', '.join(('node', *columns))}) ON {match}"
