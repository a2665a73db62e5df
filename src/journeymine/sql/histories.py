"""Histories: what was known of every journey at a time, and what came after each of its visits.

A history is a journey up to and with one visit. Its state is read off its last activities, its outcome off what
came later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.sql.cases import CONVERTED, DROPPED, OPEN

if TYPE_CHECKING:
    from journeymine.engine.dialect import Dialect


def known_cases_sql(cases: str, events: str, at_us: int) -> str:
    """Cases as they were known at a time, columns of the cases table."""
    return f"""
        SELECT c.case_key, c.unit, c.customer_id, k.n_events, c.first_us, k.last_us, c.first_row
        FROM {cases} AS c JOIN (
            SELECT case_key, COUNT(*) AS n_events, MAX(time_us) AS last_us FROM {events}
            WHERE time_us < {int(at_us)} GROUP BY case_key) AS k ON k.case_key = c.case_key"""


def known_events_sql(events: str, known_cases: str) -> str:
    """Canonical events that were known at a time: the first ones of each case; what follows the last is not known."""
    follows = "e.position < k.n_events"
    return f"""
        SELECT e.case_key, e.bucket, e.code, e.time_us, e.position,
               CASE WHEN {follows} THEN e.next_code END AS next_code,
               CASE WHEN {follows} THEN e.wait_us END AS wait_us,
               CASE WHEN {follows} THEN e.tie ELSE 0 END AS tie, e.row
        FROM {events} AS e JOIN {known_cases} AS k ON k.case_key = e.case_key WHERE e.position <= k.n_events"""


def cut_time_sql(journeys: str, share: float, dialect: Dialect) -> str:
    """Time before which a share of the journeys began: (at)."""
    return f"SELECT {dialect.quantile_disc('first_us', share)} AS at FROM {journeys} WHERE state IS NOT NULL"


def returning_sql(journeys: str, at_us: int) -> str:
    """Customers with a visit from a time on who were known before it, and all of them: (n_known, n_all)."""
    return f"""
        SELECT COALESCE(SUM(CASE WHEN first_us < {int(at_us)} THEN 1 ELSE 0 END), 0) AS n_known, COUNT(*) AS n_all
        FROM (SELECT customer_id, MIN(first_us) AS first_us, MAX(last_us) AS last_us
              FROM {journeys} WHERE state IS NOT NULL GROUP BY customer_id) AS seen
        WHERE last_us >= {int(at_us)}"""


def histories_sql(
    visits: str, events: str, journeys: str, *, begin_us: int, depth: int, new_from_us: int | None = None
) -> str:
    """Histories that end in a visit from a time on, with the way their journey ends.

    (case_key, unit, c0, c1, ..., position, next_code, time_us, watched, state, goal_us, case_last_us, has_ended);
    c0 is the last activity, c1 the one before, null before the start.

    Parameters
    ----------
    depth
        How many of the last activities are kept.
    new_from_us
        Only customers of whom nothing was known before this time.
    """
    last = "".join(
        f", LAG(v.code, {i}) OVER (PARTITION BY v.case_key ORDER BY v.position) AS c{i}"
        for i in range(1, depth)
    )
    columns = ", ".join(f"h.c{i}" for i in range(depth))
    who = ""
    if new_from_us is not None:
        who = f"""AND j.customer_id IN (
            SELECT customer_id FROM {journeys} GROUP BY customer_id HAVING MIN(first_us) >= {int(new_from_us)})"""
    return f"""
        SELECT h.case_key, h.unit, {columns}, h.position - j.start_position + 1 AS position, h.next_code, h.time_us,
               h.watched, j.state, g.time_us AS goal_us, j.last_us AS case_last_us, j.has_ended
        FROM (SELECT v.case_key, v.unit, v.code AS c0{last}, v.position, v.next_code, v.time_us, v.watched
              FROM {visits} AS v) AS h
        JOIN {journeys} AS j ON j.case_key = h.case_key
        LEFT JOIN {events} AS g ON g.case_key = h.case_key AND g.position = j.goal_position
        WHERE h.time_us >= {int(begin_us)} {who}"""


def next_steps_sql(histories: str, depth: int, longest: int) -> str:
    """What came next, of the watched visits: (unit, c0, ..., position, target, n); target is null for a drop."""
    columns = _columns(depth)
    return f"""
        SELECT unit, {columns}, LEAST(position, {int(longest)}) AS position, next_code AS target, COUNT(*) AS n
        FROM {histories} WHERE watched GROUP BY unit, {columns}, LEAST(position, {int(longest)}), next_code
        ORDER BY unit, {columns}, position, target NULLS LAST"""


def ends_within_sql(histories: str, depth: int, longest: int, *, end_us: int, horizon_us: int) -> str:
    """Whether the goal came within a horizon, of the visits watched for it.

    (unit, c0, ..., position, outcome, bin, n); the outcome is converted or else dropped, the bin 0.
    """
    reached = f"state = {CONVERTED} AND goal_us - time_us <= {int(horizon_us)}"
    outcome = f"CASE WHEN {reached} THEN {CONVERTED} ELSE {DROPPED} END"
    return _ends(f"{histories}", f"time_us <= {int(end_us - horizon_us)}", outcome, "0", depth, longest)


def ends_sql(
    histories: str,
    dialect: Dialect,
    depth: int,
    longest: int,
    *,
    end_us: int,
    idle_us: int,
    bin_us: int | None,
) -> str:
    """How journeys ended and how long that took to show, counted in bins from the visit.

    (unit, c0, ..., position, outcome, bin, n). What did not show in an earlier bin than the one in which the log
    ends is open: whether it counts then depends on these two bins only. `bin_us` None: every outcome is known.
    """
    if bin_us is None:
        return _ends(histories, "TRUE", "state", "0", depth, longest)
    shown = f"""CASE WHEN state = {CONVERTED} THEN goal_us WHEN has_ended THEN case_last_us
                ELSE case_last_us + {int(idle_us)} END - time_us"""
    # An end may be the event at the log's end; a goal may carry the time of the visit before it.
    bin_ = dialect.floor_div(f"({shown})", str(int(bin_us)))
    last = dialect.floor_div(f"({int(end_us)} - time_us)", str(int(bin_us)))
    known = f"state <> {OPEN} AND {bin_} < {last}"
    return _ends(
        histories, "TRUE", f"CASE WHEN {known} THEN state ELSE {OPEN} END",
        f"CASE WHEN {known} THEN {bin_} ELSE 0 END", depth, longest,
    )  # fmt: skip


def watched_bins_sql(histories: str, dialect: Dialect, *, end_us: int, bin_us: int) -> str:
    """In which bin from the visit the log ends: (bin, n)."""
    last = dialect.floor_div(f"({int(end_us)} - time_us)", str(int(bin_us)))
    return f"SELECT {last} AS bin, COUNT(*) AS n FROM {histories} GROUP BY {last} ORDER BY bin"


def _ends(histories: str, condition: str, outcome: str, bin_: str, depth: int, longest: int) -> str:
    columns = _columns(depth)
    return f"""
        SELECT unit, {columns}, position, outcome, bin, COUNT(*) AS n
        FROM (SELECT unit, {columns}, LEAST(position, {int(longest)}) AS position, {outcome} AS outcome, {bin_} AS bin
              FROM {histories} WHERE {condition}) AS judged
        GROUP BY unit, {columns}, position, outcome, bin ORDER BY unit, {columns}, position, outcome, bin"""


def _columns(depth: int) -> str:
    return ", ".join(f"c{i}" for i in range(depth))


def open_journeys_sql(visits: str, journeys: str, ids: str) -> str:
    """The last visit of every open journey: (customer_id, case_id, code, n_events, time_us)."""
    return f"""
        SELECT j.customer_id, i.case_id, v.code, v.position - j.start_position + 1 AS n_events, v.time_us
        FROM {visits} AS v JOIN {journeys} AS j ON j.case_key = v.case_key JOIN {ids} AS i ON i.case_key = v.case_key
        WHERE j.state = {OPEN} AND v.next_code IS NULL ORDER BY j.customer_id, i.case_id"""
