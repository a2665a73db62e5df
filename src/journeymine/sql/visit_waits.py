"""Waits of all visits, those included of which it is not known what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.sql.cases import CONVERTED
from journeymine.sql.cases import DROPPED as LOST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.engine.dialect import Dialect

DROPPED, WAITING = -1, -3
"""Targets that are no activity: over, and still waiting at the end of the log."""
WHOLE = -1
"""Stands for the activity where a journey as a whole waits."""


def visit_targets_sql(
    visits: str, events: str, *, last_us: int, idle_us: int, end: Sequence[int] = ()
) -> str:
    """What followed each visit, and when that was known: (unit, code, target, wait_us).

    After a watched visit that nothing follows the journey is over once it has been silent for `idle_us`; where an
    `end` activity says so, it is over at once, whether the visit was watched or not. Other visits that nothing
    follows wait until the end of the log.
    """
    if not end:
        over, known = "NULL", visits
    else:
        codes = ", ".join(str(int(code)) for code in end)
        # The view hides the end activity behind a visit; as the only event of a journey it is a visit itself.
        over = f"CASE WHEN e.next_code IS NOT NULL THEN e.wait_us WHEN e.code IN ({codes}) THEN 0 END"
        known = f"""(SELECT v.unit, v.code, v.next_code, v.wait_us, v.time_us, v.watched, {over} AS over_us
                     FROM {visits} AS v JOIN {events} AS e ON e.case_key = v.case_key AND e.position = v.position)"""
        over = "v.over_us"
    return f"""
        SELECT v.unit, v.code,
               CASE WHEN v.next_code IS NOT NULL THEN v.next_code WHEN v.watched OR {over} IS NOT NULL THEN {DROPPED}
                    ELSE {WAITING} END AS target,
               CASE WHEN v.next_code IS NOT NULL THEN v.wait_us WHEN {over} IS NOT NULL THEN {over}
                    WHEN v.watched THEN {int(idle_us)} ELSE {int(last_us)} - v.time_us END AS wait_us
        FROM {known} AS v"""


def journey_targets_sql(
    events: str, journeys: str, *, last_us: int, idle_us: int, from_us: int | None = None
) -> str:
    """How each journey ended and how long after its start that was known: (unit, code, target, wait_us).

    The target is the activity of the goal; `from_us` leaves out journeys that started before.
    """
    begun = "" if from_us is None else f" AND s.time_us >= {int(from_us)}"
    return f"""
        SELECT j.unit, {WHOLE} AS code, CASE WHEN j.state = {CONVERTED} THEN g.code WHEN j.state = {LOST} THEN {DROPPED}
                                        ELSE {WAITING} END AS target,
               CASE WHEN j.state = {CONVERTED} THEN g.time_us
                    WHEN j.state = {LOST} THEN j.last_us + CASE WHEN j.has_ended THEN 0 ELSE {int(idle_us)} END
                    ELSE {int(last_us)} END - s.time_us AS wait_us
        FROM {journeys} AS j JOIN {events} AS s ON s.case_key = j.case_key AND s.position = j.start_position
        LEFT JOIN {events} AS g ON g.case_key = j.case_key AND g.position = j.goal_position
        WHERE j.state IS NOT NULL{begun}"""


def visit_waits_sql(visits: str, journeys: str, dialect: Dialect, per_octave: int) -> str:
    """Waits by unit, source, target and bin: (unit, source, target, bin, n, wait_us, low_us, high_us)."""
    bin_ = dialect.log2_bin("wait_us", per_octave)
    return f"""
        SELECT unit, code AS source, target, {bin_} AS bin, COUNT(*) AS n, SUM(wait_us) AS wait_us,
               MIN(wait_us) AS low_us, MAX(wait_us) AS high_us
        FROM ({visits} UNION ALL {journeys}) AS t GROUP BY unit, code, target, {bin_}"""


def wait_entries_sql(waits: str) -> str:
    """The same without units: (source, target, bin, n, wait_us, low_us, high_us)."""
    return f"""
        SELECT source, target, bin, CAST(SUM(n) AS BIGINT) AS n, CAST(SUM(wait_us) AS BIGINT) AS wait_us,
               MIN(low_us) AS low_us, MAX(high_us) AS high_us
        FROM {waits} GROUP BY source, target, bin ORDER BY source, target, bin"""


def wait_rows_sql(waits: str) -> str:
    """How many visits each unit has in each entry: (unit, source, target, bin, n)."""
    return f"SELECT unit, source, target, bin, n FROM {waits} ORDER BY unit, source, target, bin"
