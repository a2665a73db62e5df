"""Journeys as sequences of designed steps, and how many take each.

Steps map:   code, step
Paths table: case_key, bucket, part, unit, cell, state, whole, goal_at, n_steps, time_s, path (list of steps)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.sql.cases import CONVERTED, DROPPED, N_BUCKETS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from journeymine.engine.dialect import Dialect

SECOND_US = 1_000_000


def pairs_sql(pairs: Iterable[tuple[int, int]], first: str, second: str) -> str:
    """A small table of pairs of integers, at least one."""
    values = ", ".join(f"({int(a)}, {int(b)})" for a, b in pairs)
    return f"SELECT CAST(a AS INTEGER) AS {first}, CAST(b AS INTEGER) AS {second} FROM (VALUES {values}) AS v(a, b)"


def steps_sql(events: str, steps: str, *, by_visit: bool) -> str:
    """Events that are a step: (case_key, position, step); by visit, only the first of those that follow each other."""
    found = f"SELECT e.case_key, e.position, s.step FROM {events} AS e JOIN ({steps}) AS s ON s.code = e.code"
    if not by_visit:
        return found
    return f"""
        SELECT case_key, position, step
        FROM (SELECT *, LAG(step) OVER (PARTITION BY case_key ORDER BY position) AS before FROM ({found}) AS f) AS v
        WHERE before IS NULL OR before <> step"""


def all_cases_sql(cases: str) -> str:
    """Cases of a log whose journeys are not defined: all are over, none has an outcome."""
    return f"""
        SELECT case_key, customer_id, unit, 0 AS cell, CAST(NULL AS INTEGER) AS state, TRUE AS whole,
               CAST(NULL AS INTEGER) AS goal_position, first_us, last_us FROM {cases}"""


def judged_journeys_sql(
    journeys: str, end_us: int | None, idle_us: int | None, *, has_goal: bool, dropped_too: bool
) -> str:
    """Journeys that started, with `whole`: whether the whole design binds them, or only as far as they went.

    Without a goal the whole design binds the journeys that are over; with one, the converted ones that are over.
    """
    over = (
        f"(has_ended OR last_us <= {end_us - idle_us})"
        if end_us is not None and idle_us is not None
        else "TRUE"
    )
    states = [CONVERTED, DROPPED] if dropped_too else [CONVERTED]
    whole = f"state IN ({', '.join(map(str, states))}) AND {over}" if has_goal else f"state = {DROPPED}"
    known = "state" if has_goal else "CAST(NULL AS INTEGER)"
    return f"""
        SELECT case_key, customer_id, unit, cell, {known} AS state, ({whole}) AS whole, goal_position, first_us, last_us
        FROM {journeys} WHERE state IS NOT NULL"""


def paths_sql(judged: str, steps: str, events: str, dialect: Dialect, *, has_goal: bool) -> str:
    """Journeys that have a step, with their path.

    `bucket` and `part` are two hashes of the customer. `goal_at` counts the steps up to the goal; -1 without it.
    `time_s` is the time to the goal, or without a goal the time of the journeys that are over.
    """
    bucket = dialect.bucket("customer_id", N_BUCKETS)
    part = dialect.bucket("customer_id || ' part'", N_BUCKETS)
    seconds = dialect.floor_div("(us)", str(SECOND_US))
    end = "g.time_us" if has_goal else "CASE WHEN j.whole THEN j.last_us END"
    goal = f"LEFT JOIN {events} AS g ON g.case_key = j.case_key AND g.position = j.goal_position"
    return f"""
        SELECT case_key, {bucket} AS bucket, {part} AS part,
               unit, cell, state, whole, goal_at, n_steps, {seconds} AS time_s, path
        FROM (SELECT j.case_key, j.customer_id, j.unit, j.cell, j.state, j.whole, {end} - j.first_us AS us,
                     p.path, p.n_steps,
                     CASE WHEN j.goal_position IS NULL THEN -1 ELSE p.goal_at END AS goal_at
              FROM ({judged}) AS j JOIN
                   (SELECT s.case_key, {dialect.ordered_path("s.step", "s.position")} AS path,
                           CAST(COUNT(*) AS INTEGER) AS n_steps,
                           CAST(SUM(CASE WHEN s.position <= k.goal_position THEN 1 ELSE 0 END) AS INTEGER) AS goal_at
                    FROM ({steps}) AS s JOIN ({judged}) AS k ON k.case_key = s.case_key
                    GROUP BY s.case_key) AS p ON p.case_key = j.case_key
              {goal if has_goal else ""}) AS timed"""


def first_buckets_sql(paths: str, longest: int) -> str:
    """Distinct paths by the first bucket of customers in which they occur: (bucket, n)."""
    return f"""
        SELECT bucket, COUNT(*) AS n
        FROM (SELECT MIN(bucket) AS bucket FROM {paths} WHERE n_steps <= {int(longest)}
              GROUP BY path, whole, goal_at) AS f
        GROUP BY bucket ORDER BY bucket"""


def top_paths_sql(paths: str, top: int, longest: int, buckets: int) -> str:
    """The most frequent paths of the first buckets of customers: (place, path, whole, goal_at, n), ties by the path."""
    return f"""
        SELECT CAST(ROW_NUMBER() OVER (ORDER BY n DESC, path, whole, goal_at) - 1 AS INTEGER) AS place,
               path, whole, goal_at, n
        FROM (SELECT path, whole, goal_at, COUNT(*) AS n FROM {paths}
              WHERE n_steps <= {int(longest)} AND bucket < {int(buckets)}
              GROUP BY path, whole, goal_at
              ORDER BY n DESC, path, whole, goal_at LIMIT {int(top)}) AS best"""


def profile_counts_sql(paths: str, top: str, profiles: str, buckets: int, unit: str) -> str:
    """Journeys by unit, cell, end state and profile: (unit, cell, state, profile, n, n_timed, time_s)."""
    return f"""
        SELECT p.{unit} AS unit, p.cell, p.state, f.profile, COUNT(*) AS n, COUNT(p.time_s) AS n_timed,
               CAST(COALESCE(SUM(p.time_s), 0) AS BIGINT) AS time_s
        FROM {paths} AS p
        JOIN {top} AS t ON t.path = p.path AND t.whole = p.whole AND t.goal_at = p.goal_at
        JOIN ({profiles}) AS f ON f.place = t.place
        WHERE p.bucket < {int(buckets)}
        GROUP BY p.{unit}, p.cell, p.state, f.profile ORDER BY p.{unit}, p.cell, p.state, f.profile"""
