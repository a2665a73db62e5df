"""Funnels: one row a journey with the time it got to each step, and counts of these rows.

Funnel table::

    case_key     key of the case
    unit         unit that is resampled
    customer_id  who the journey belongs to
    origin_us    where time starts: the first step (closed funnel) or the beginning of the journey (open funnel)
    us_1 ...     time of each step; null if the journey did not get there within the window
    later_1 ...  closed funnels: when the journey went on from step i, be it to the next step or another way: time of
                 the first of all later steps after it, or of step i itself if the last step came before; or null
    over_us      when it was known that nothing more comes: `idle` after the last event, or an `end` activity;
                 null while the journey is open

In a log without times every time is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from journeymine.sql.transitions import BINS_PER_OCTAVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.engine.dialect import Dialect

NEVER = "CAST(NULL AS BIGINT)"


@dataclass(frozen=True, slots=True)
class Clock:
    """What is known of time.

    Attributes
    ----------
    end_us
        End of observation; None in a log without times.
    idle_us
        Silence after which a journey is over.
    within_us
        The window.
    """

    end_us: int | None
    idle_us: int | None
    within_us: int | None = None

    def time(self, event: str) -> str:
        """Time of an event."""
        return f"{event}.time_us" if self.end_us is not None else "CAST(0 AS BIGINT)"

    def in_window(self, time: str, origin: str) -> str:
        """Whether a time lies in the window, which includes its last moment."""
        return "TRUE" if self.within_us is None else f"{time} <= {origin} + {self.within_us}"

    def over(self, journey: str) -> str:
        """When a journey was known to be over; null while it is open."""
        if self.end_us is None or self.idle_us is None:
            return "CAST(0 AS BIGINT)"
        return (
            f"CASE WHEN {journey}.has_ended THEN {journey}.last_us "
            f"WHEN {journey}.last_us <= {self.end_us - self.idle_us} THEN {journey}.last_us + {self.idle_us} END"
        )


def code_list(codes: Sequence[int]) -> str:
    """Codes for `IN (...)`."""
    return ", ".join(str(int(code)) for code in codes)


def since_start(journeys: str | None) -> str:
    """Join that leaves out the events before a journey's start; None where journeys start with their first event."""
    if journeys is None:
        return ""
    return f"JOIN {journeys} AS j ON j.case_key = e.case_key AND e.position >= j.start_position"


def closed_funnel_sql(
    events: str, journeys: str, steps: Sequence[Sequence[int]], clock: Clock, *, has_starts: bool
) -> str:
    """Funnel table of a closed funnel: each step is its first occurrence after the chosen one of the step before.

    One pass over the events for every step, each joined to the journeys that the step before has left.
    """
    us = clock.time("e")
    parts = [
        f"""s1 AS (SELECT e.case_key, MIN(e.position) AS position, MIN({us}) AS us, MIN({us}) AS origin_us
             FROM {events} AS e {since_start(journeys if has_starts else None)}
             WHERE e.code IN ({code_list(steps[0])}) GROUP BY e.case_key)"""
    ]
    for i in range(1, len(steps)):
        own = f"e.code IN ({code_list(steps[i])})"
        later = code_list(sorted(set(chain.from_iterable(steps[i:]))))
        last = f"MIN(CASE WHEN e.code IN ({code_list(steps[-1])}) THEN e.position END) AS last_position,"
        parts.append(
            f"""s{i + 1} AS (SELECT e.case_key, MIN(CASE WHEN {own} THEN e.position END) AS position,
                    MIN(CASE WHEN {own} THEN {us} END) AS us, MIN({us}) AS later_us,
                    {last if i == 1 else ""} MIN(s.origin_us) AS origin_us
             FROM {events} AS e JOIN s{i} AS s ON s.case_key = e.case_key AND e.position > s.position
             WHERE e.code IN ({later}) AND {clock.in_window(us, "s.origin_us")} GROUP BY e.case_key)"""
        )
    columns = [f"s{i}.us AS us_{i}" for i in range(1, len(steps) + 1)]
    columns += [
        # Who was at the last step before took another way, and is not lost.
        f"CASE WHEN s2.last_position < s{i}.position THEN s{i}.us ELSE s{i + 1}.later_us END AS later_{i}"
        for i in range(1, len(steps))
    ]
    joins = "".join(f" LEFT JOIN s{i + 1} ON s{i + 1}.case_key = s1.case_key" for i in range(1, len(steps)))
    return f"""
        WITH {", ".join(parts)}
        SELECT j.case_key, j.unit, j.customer_id, s1.origin_us, {", ".join(columns)}, {clock.over("j")} AS over_us
        FROM s1 JOIN {journeys} AS j ON j.case_key = s1.case_key{joins}"""


def open_funnel_sql(
    events: str, journeys: str, steps: Sequence[Sequence[int]], clock: Clock, *, has_starts: bool
) -> str:
    """Funnel table of an open funnel: the first occurrence of each step, whatever came before."""
    us = clock.time("e")
    started = since_start(journeys if has_starts else None)
    firsts = [
        f"MIN(CASE WHEN e.code IN ({code_list(codes)}) THEN {us} END) AS us_{i}"
        for i, codes in enumerate(steps, start=1)
    ]
    origin, begins = clock.time("j").replace("time_us", "first_us"), ""
    if has_starts:
        origin = "b.us"
        begins = (
            f"JOIN (SELECT e.case_key, MIN({us}) AS us FROM {events} AS e {started} "
            "GROUP BY e.case_key) AS b ON b.case_key = j.case_key"
        )
    columns = [
        f"CASE WHEN {clock.in_window(f'h.us_{i}', origin)} THEN h.us_{i} END AS us_{i}"
        for i in range(1, len(steps) + 1)
    ]
    return f"""
        SELECT j.case_key, j.unit, j.customer_id, {origin} AS origin_us, {", ".join(columns)},
               {clock.over("j")} AS over_us
        FROM {journeys} AS j {begins} LEFT JOIN
             (SELECT e.case_key, {", ".join(firsts)} FROM {events} AS e {started}
              WHERE e.code IN ({code_list(sorted(set(chain.from_iterable(steps))))})
              GROUP BY e.case_key) AS h ON h.case_key = j.case_key
        WHERE j.state IS NOT NULL"""


def kind_expression(met: str, clock: Clock) -> str:
    """What became of a journey: 1 met, 2 over, 3 the window has passed, 0 open."""
    if clock.within_us is None:
        return f"CASE WHEN {met} IS NOT NULL THEN 1 WHEN over_us IS NOT NULL THEN 2 ELSE 0 END"
    return (
        f"CASE WHEN {met} IS NOT NULL THEN 1 WHEN over_us - origin_us <= {clock.within_us} THEN 2 "
        f"WHEN {clock.end_us or 0} - origin_us >= {clock.within_us} THEN 3 ELSE 0 END"
    )


def outcome_counts_sql(
    funnel: str, columns: Sequence[str], clock: Clock, dialect: Dialect, slice_us: int
) -> str:
    """Journeys by target, unit, kind and slice of time: (target, unit, kind, slice, n).

    `columns` holds the column of the funnel table that each target is about.
    """
    parts = []
    for target, met in enumerate(columns):
        known = f"COALESCE(over_us, {clock.end_us or 0}) - origin_us"
        if clock.within_us is not None:
            known = f"LEAST({known}, {clock.within_us})"
        us = f"CASE WHEN {met} IS NOT NULL THEN {met} - origin_us ELSE {known} END"
        kind, place = kind_expression(met, clock), dialect.floor_div(f"({us})", str(slice_us))
        parts.append(
            f"SELECT {target} AS target, unit, {kind} AS kind, {place} AS slice, COUNT(*) AS n "
            f"FROM {funnel} GROUP BY unit, {kind}, {place}"
        )
    return f"SELECT * FROM ({' UNION ALL '.join(parts)}) AS counted ORDER BY target, unit, kind, slice"


def journeys_by_unit_sql(journeys: str) -> str:
    """Journeys that started, by unit: (unit, n)."""
    return f"SELECT unit, COUNT(*) AS n FROM {journeys} WHERE state IS NOT NULL GROUP BY unit ORDER BY unit"


def waits_sql(
    funnel: str, n_steps: int, dialect: Dialect, *, closed: bool, slice_us: int, weights: str | None
) -> str:
    """Waits of the journeys at each step, with what they weigh: (step, unit, wait_us, bin, weight).

    `weights` is a table (step, slice, weight); without it every journey weighs 1.
    """
    parts = []
    for i in range(1 if closed else 0, n_steps):
        us, since = f"f.us_{i + 1}", f"f.us_{i}" if closed else "f.origin_us"
        place = dialect.floor_div(f"({us} - f.origin_us)", str(slice_us))
        join = f"JOIN {weights} AS w ON w.step = {i} AND w.slice = {place}" if weights else ""
        parts.append(
            f"SELECT {i} AS step, f.unit, {us} - {since} AS wait_us, "
            f"{dialect.log2_bin(f'({us} - {since})', BINS_PER_OCTAVE)} AS bin, "
            f"{'w.weight' if weights else '1'} AS weight FROM {funnel} AS f {join} WHERE {us} IS NOT NULL"
        )
    return " UNION ALL ".join(parts)


def wait_bins_sql(waits: str) -> str:
    """Weights by step, unit and bin of the wait: (step, unit, bin, weight, n)."""
    return f"""
        SELECT step, unit, bin, CAST(SUM(weight) AS BIGINT) AS weight, COUNT(*) AS n
        FROM ({waits}) AS waits GROUP BY step, unit, bin ORDER BY step, unit, bin"""


def middle_waits_sql(waits: str, bins: Sequence[tuple[int, int]]) -> str:
    """Waits in the bins that hold the medians, exactly: (step, unit, wait_us, weight). `bins`: (step, bin)."""
    chosen = " OR ".join(f"(step = {int(step)} AND bin = {int(bin_)})" for step, bin_ in bins)
    return f"""
        SELECT step, unit, wait_us, CAST(SUM(weight) AS BIGINT) AS weight
        FROM ({waits}) AS waits WHERE {chosen} GROUP BY step, unit, wait_us ORDER BY step, unit, wait_us"""


def funnel_journeys_sql(funnel: str, case_ids: str, condition: str) -> str:
    """Journeys of a funnel table that meet a condition: (case_id, customer_id)."""
    return f"""
        SELECT i.case_id, f.customer_id FROM ({funnel}) AS f JOIN {case_ids} AS i ON i.case_key = f.case_key
        WHERE {condition} ORDER BY i.case_id"""


def outcome_condition(step: int, n_steps: int, outcome: str, clock: Clock, *, closed: bool) -> str:
    """Journeys with one outcome at a step (numbered from 1): reached, on, skipped, lost or open."""
    here = f"us_{step} IS NOT NULL"
    if outcome == "reached":
        return here
    undone = "IN (2, 3)" if outcome == "lost" else "= 0"
    if not closed and outcome in ("lost", "open"):
        return f"{kind_expression(f'us_{step}', clock)} {undone}"
    if not closed or step == n_steps:
        return "FALSE"
    if outcome == "on":
        return f"us_{step + 1} IS NOT NULL"
    later = f"later_{step}"
    if outcome == "skipped":
        return f"{here} AND us_{step + 1} IS NULL AND {later} IS NOT NULL"
    return f"{here} AND {kind_expression(later, clock)} {undone}"


def common_firsts_sql(events: str, journeys: str) -> str:
    """First place of each activity before the goal of converted journeys: (case_key, code, position)."""
    return f"""
        SELECT e.case_key, e.code, MIN(e.position) AS position
        FROM {events} AS e JOIN {journeys} AS j ON j.case_key = e.case_key
             AND e.position >= j.start_position AND e.position < j.goal_position
        WHERE j.state = 0 GROUP BY e.case_key, e.code"""


def common_codes_sql(firsts: str) -> str:
    """Converted journeys with each activity before the goal, and the sum of its first places: (code, n, places)."""
    return f"""
        SELECT code, COUNT(*) AS n, CAST(SUM(position) AS BIGINT) AS places
        FROM {firsts} GROUP BY code ORDER BY n DESC, code"""


def n_converted_sql(journeys: str) -> str:
    """Converted journeys: (n)."""
    return f"SELECT COUNT(*) AS n FROM {journeys} WHERE state = 0"


def in_order_sql(firsts: str, codes: Sequence[int]) -> str:
    """Converted journeys that meet all of some activities first in this order: (n)."""
    places = ", ".join(
        f"MAX(CASE WHEN code = {int(code)} THEN position END) AS p{i}" for i, code in enumerate(codes)
    )
    ordered = " AND ".join(["p0 IS NOT NULL"] + [f"p{i} < p{i + 1}" for i in range(len(codes) - 1)])
    return f"""
        SELECT COUNT(*) AS n FROM (SELECT case_key, {places} FROM {firsts}
        WHERE code IN ({code_list(codes)}) GROUP BY case_key) AS firsts WHERE {ordered}"""
