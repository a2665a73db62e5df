"""Where journeys are at the points of a grid of time since their start: one state per journey and point.

The state of a journey at a time follows from what happened until then alone: the goal, once it is reached; lost, at
an `end` activity or once nothing has happened for `idle`; else its last activity. Who comes back is not lost any more.

Table of places: case_key, unit, place (point of the grid from which on the journey is there), state, last_place
(last point at which its state is known).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.engine.dialect import Dialect


@dataclass(frozen=True, slots=True)
class Grid:
    """Points of time since the start: 0, the multiples of `step_us` up to `n_steps` of them, and `extra_us`.

    Attributes
    ----------
    extra_us
        Further points, sorted, none of them a multiple of `step_us`.
    """

    step_us: int
    n_steps: int
    extra_us: tuple[int, ...] = ()

    def first_at_or_after(self, us: str, dialect: Dialect) -> str:
        """Number of the first point that is not earlier than a time."""
        steps = dialect.floor_div(f"({us} + {self.step_us - 1})", str(self.step_us))
        return " + ".join(
            [steps, *(f"CASE WHEN {us} > {point} THEN 1 ELSE 0 END" for point in self.extra_us)]
        )

    def last_at_or_before(self, us: str, dialect: Dialect) -> str:
        """Number of the last point that is not later than a time."""
        steps = dialect.floor_div(f"({us})", str(self.step_us))
        return " + ".join(
            [steps, *(f"CASE WHEN {us} >= {point} THEN 1 ELSE 0 END" for point in self.extra_us)]
        )

    @property
    def last(self) -> int:
        """Number of the last point."""
        return self.n_steps + len(self.extra_us)


def _listed(codes: Sequence[int]) -> str:
    return ", ".join(str(int(code)) for code in codes) or "-1"


def started_sql(events: str, journeys: str, *, has_starts: bool) -> str:
    """Journeys that started, with the time at which they did.

    (case_key, unit, start_position, goal_position, has_ended, last_us, start_us)
    """
    columns = "j.case_key, j.unit, j.start_position, j.goal_position, j.has_ended, j.last_us"
    if not has_starts:
        return f"(SELECT {columns}, j.first_us AS start_us FROM {journeys} AS j WHERE j.state IS NOT NULL)"
    return f"""(SELECT {columns}, s.time_us AS start_us FROM {journeys} AS j
                JOIN {events} AS s ON s.case_key = j.case_key AND s.position = j.start_position)"""


def places_sql(
    events: str,
    started: str,
    grid: Grid,
    dialect: Dialect,
    *,
    end_us: int,
    idle_us: int,
    goal: Sequence[int],
    end: Sequence[int],
    n_codes: int,
) -> str:
    """Places of the journeys, columns as above.

    States are codes of activities, `n_codes` for the goal and `n_codes + 1` for lost. Each event says where the
    journey is from then on, and if nothing came within `idle` that it is lost from then on. Of what happens between
    two points the last counts: place in the journey and state are compared as one number.
    """
    goal_state, lost, n_states = n_codes, n_codes + 1, n_codes + 2
    goals, ends = _listed(goal), _listed(end)
    at = grid.first_at_or_after("since_us", dialect)
    known = grid.last_at_or_before(f"{end_us} - start_us", dialect)
    return f"""
        SELECT case_key, unit, place, MAX(packed) % {n_states} AS state, MIN(last_place) AS last_place
        FROM (SELECT case_key, unit, {at} AS place, packed, last_place
              FROM (SELECT e.case_key, j.unit, j.last_place,
                           e.time_us - j.start_us + CASE WHEN k.silent = 1 THEN {idle_us} ELSE 0 END AS since_us,
                           CAST(e.position AS BIGINT) * {2 * n_states} + CASE WHEN k.silent = 1 THEN {n_states + lost}
                               WHEN e.code IN ({goals}) THEN {goal_state}
                               WHEN e.code IN ({ends}) THEN {lost} ELSE e.code END AS packed
                    FROM {events} AS e
                    JOIN (SELECT *, {known} AS last_place FROM {started} AS s) AS j ON j.case_key = e.case_key
                    CROSS JOIN (SELECT 0 AS silent UNION ALL SELECT 1 AS silent) AS k
                    WHERE e.position >= j.start_position
                          AND (j.goal_position IS NULL OR e.position <= j.goal_position - k.silent)
                          AND (k.silent = 0 OR e.wait_us IS NULL OR e.wait_us > {idle_us})) AS happened) AS placed
        WHERE place <= last_place AND place <= {grid.last}
        GROUP BY case_key, unit, place"""


def moves_sql(places: str) -> str:
    """Moves between points and starts: (unit, place, source, target, n); the source is null at the start."""
    return f"""
        SELECT unit, place, source, state AS target, COUNT(*) AS n
        FROM (SELECT unit, place, state, LAG(state) OVER (PARTITION BY case_key ORDER BY place) AS source
              FROM {places}) AS followed
        WHERE source IS NULL OR source <> state
        GROUP BY unit, place, source, state ORDER BY unit, place, source NULLS FIRST, target"""


def left_sql(places: str, last: int) -> str:
    """Journeys that are lost sight of before the last point, by the last point and state that are known of them.

    (unit, place, state, n)
    """
    return f"""
        SELECT unit, last_place AS place, state, COUNT(*) AS n
        FROM (SELECT unit, last_place, state, LEAD(place) OVER (PARTITION BY case_key ORDER BY place) AS next_place
              FROM {places}) AS followed
        WHERE next_place IS NULL AND last_place < {int(last)}
        GROUP BY unit, last_place, state ORDER BY unit, place, state"""


def ended_after_sql(
    events: str, started: str, dialect: Dialect, *, end_us: int, idle_us: int, share: float
) -> str:
    """Time within which a share of the journeys that ended had done so: (us), null if none has.

    A journey ends with its goal, with its last event if that is an `end` activity, or `idle` after it.
    """
    ended = f"""CASE WHEN j.goal_position IS NOT NULL THEN g.time_us WHEN j.has_ended THEN j.last_us
                     WHEN j.last_us <= {end_us - idle_us} THEN j.last_us + {idle_us} END - j.start_us"""
    return f"""
        SELECT {dialect.quantile_disc("us", share)} AS us
        FROM (SELECT {ended} AS us FROM {started} AS j
              LEFT JOIN {events} AS g ON g.case_key = j.case_key AND g.position = j.goal_position) AS ended
        WHERE us IS NOT NULL"""


def followed_for_sql(started: str, dialect: Dialect, *, end_us: int, share: float) -> str:
    """Time for which all but a share of the journeys were followed: (us)."""
    followed = f"SELECT {end_us} - j.start_us AS us FROM {started} AS j"
    return f"SELECT {dialect.quantile_disc('us', share)} AS us FROM ({followed}) AS followed"
