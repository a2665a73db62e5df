"""Friction: every visit of a started journey with what had happened before it, and its counts.

Visits table (`signals_sql`), one row a visit::

    case_key, unit, stratum, code, place   place: 1 at the start of the journey
    time_us, next_code, wait_us            as in the canonical events
    before       the goal has not been reached, and the visit is not the event that ends the journey
    watched      its next step is known (see sql/chain.py)
    marked       its outcome within the horizon is known, and `before`
    won          the goal is reached after it, within the horizon
    lost         `before`, watched, and the last visit before the journey was dropped
    censored_us  of an open journey's last visit: how long it has been watched so far
    depth, key   bins for comparing like with like, and for the learned score
    f_<signal>   1 where the signal holds, 0 where not, null where it cannot be judged

Every flag but those of exits is decided by what happened up to the visit, so that a visit with and one without
it can be compared from the same moment on: nobody has to survive to get the flag.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from journeymine.sql.cases import CONVERTED, DROPPED, OPEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.engine.dialect import Dialect

DEPTHS, ATTEMPTS, WAITS = 16, 4, 13
"""Bins of the learned score: places in the journey, attempts at the activity, waits before it."""
WAIT_BINS_PER_OCTAVE = 4
NEVER = "CAST(NULL AS SMALLINT)"


@dataclass(frozen=True, slots=True)
class FrictionLimits:
    """Definitions of the signals as numbers; a signal whose limit is None is not judged.

    Attributes
    ----------
    last_start_us
        Visits that began later are not watched; None if every outcome is known.
    horizon_us
        Time within which the goal has to be reached after a visit; None if every outcome is known.
    end_us
        End of observation; None in a log without times.
    idle_us
        Silence after which a journey is over.
    rapid_us, rapid_times, loop_us, loop_times, quick_us
        Rapid repetition, page loop and quick abandonment.
    retries
        Attempts after the first one that make the retries exhausted.
    contact_us
        A contact this soon after another one is a repeated one; None: at any time.
    timed
        Whether the log has times.
    has_goal, has_channel, has_contacts, has_errors
        Whether there is a goal, a channel column, a contact activity or channel, an error activity.
    """

    last_start_us: int | None
    horizon_us: int | None
    end_us: int | None
    idle_us: int | None
    rapid_us: int | None
    rapid_times: int
    loop_us: int | None
    loop_times: int
    quick_us: int | None
    retries: int
    contact_us: int | None
    timed: bool
    has_goal: bool
    has_channel: bool
    has_contacts: bool
    has_errors: bool


def waits_before_sql(events: str, dialect: Dialect) -> str:
    """Median wait before each activity: (code, wait_us)."""
    return f"""
        SELECT next_code AS code, {dialect.quantile("wait_us", 0.5)} AS wait_us FROM {events}
        WHERE next_code IS NOT NULL AND wait_us IS NOT NULL GROUP BY next_code ORDER BY next_code"""


def resolution_sql(events: str, units_us: Sequence[int]) -> str:
    """Events, and how many of their times are a whole multiple of each unit: (n, u0, u1, ...)."""
    parts = ", ".join(
        f"COUNT(*) FILTER (WHERE time_us % {int(u)} = 0) AS u{i}" for i, u in enumerate(units_us)
    )
    return f"SELECT COUNT(*) AS n, {parts} FROM {events} WHERE time_us IS NOT NULL"


def goals_sql(events: str, journeys: str) -> str:
    """Time of the first goal: (case_key, goal_us)."""
    return f"""
        SELECT e.case_key, e.time_us AS goal_us FROM {events} AS e
        JOIN {journeys} AS j ON j.case_key = e.case_key AND j.goal_position = e.position"""


def goal_delay_sql(events: str, journeys: str, share: float, dialect: Dialect) -> str:
    """Time from the first event to the goal that a share of the conversions does not exceed: (us)."""
    return f"""
        SELECT {dialect.quantile_disc("g.goal_us - j.first_us", share)} AS us
        FROM ({goals_sql(events, journeys)}) AS g JOIN {journeys} AS j ON j.case_key = g.case_key"""


def channels_sql(raw: str, channel: str) -> str:
    """Channels of the log, sorted and numbered: (channel, name)."""
    return f"""
        SELECT CAST(ROW_NUMBER() OVER (ORDER BY name) - 1 AS INTEGER) AS channel, name
        FROM (SELECT DISTINCT {channel} AS name FROM {raw} WHERE trim({channel}) <> '') AS c"""


def marked_channels_sql(channels: str, marks: str) -> str:
    """Channels by name, with whether they are contacts, as a subquery: (name, channel, is_contact)."""
    return f"""(SELECT t.name, t.channel, m.is_contact FROM {channels} AS t
                JOIN {marks} AS m ON m.channel = t.channel)"""


def events_of_journeys_sql(
    events: str,
    journeys: str,
    marks: str,
    strata: str,
    limits: FrictionLimits,
    channel: tuple[str, str, str, str] | None,
    part: tuple[int, int] = (0, 1),
) -> str:
    """Events from the start of their journey on, with the marks of their activity and channel.

    Parameters
    ----------
    marks
        Table (code, is_error, is_contact, is_end, long_us).
    strata
        Table (cell, stratum).
    channel
        Raw table, its row column, the channel as text, table (name, channel, is_contact); None without one.
    part
        Which part of how many, each with units of its own: windows over all events at once would not fit in memory.
    """
    in_time = "TRUE" if limits.horizon_us is None else f"g.goal_us - e.time_us <= {limits.horizon_us}"
    early = "TRUE"
    if limits.horizon_us is not None and limits.end_us is not None:
        early = f"e.time_us <= {limits.end_us - limits.horizon_us}"
    watched = "TRUE" if limits.last_start_us is None else f"e.time_us <= {limits.last_start_us}"
    place, is_contact, joins = "CAST(NULL AS INTEGER)", "m.is_contact", ""
    if channel is not None:
        raw, row, text, channels = channel
        place, is_contact = "c.channel", "GREATEST(m.is_contact, COALESCE(c.is_contact, 0))"
        joins = (
            f"LEFT JOIN (SELECT {row} AS row, {text} AS channel_name FROM {raw}) AS r ON r.row = e.row "
            f"LEFT JOIN {channels} AS c ON c.name = r.channel_name"
        )
    if limits.horizon_us is not None:
        joins += f" LEFT JOIN ({goals_sql(events, journeys)}) AS g ON g.case_key = e.case_key"
    return f"""
        SELECT e.case_key, j.unit, s.stratum, e.code, e.position - j.start_position + 1 AS place,
               e.time_us, e.next_code, e.wait_us, j.state, j.last_us,
               (j.goal_position IS NULL OR e.position < j.goal_position)
                   AND NOT (m.is_end = 1 AND e.next_code IS NULL) AS before,
               m.is_end = 1 AND e.next_code IS NULL AS final,
               {watched} AS watched, {early} AS early,
               COALESCE(e.position < j.goal_position AND {in_time}, FALSE) AS won,
               m.is_error, {is_contact} AS is_contact, m.long_us, {place} AS channel
        FROM {events} AS e JOIN {journeys} AS j ON j.case_key = e.case_key
        JOIN {marks} AS m ON m.code = e.code JOIN {strata} AS s ON s.cell = j.cell {joins}
        WHERE j.state IS NOT NULL AND e.position >= j.start_position AND j.unit % {part[1]} = {part[0]}"""


def signals_sql(events_of_journeys: str, limits: FrictionLimits, dialect: Dialect) -> str:
    """The visits table; see the head of this module."""
    past = "(PARTITION BY case_key ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    rapid = " AND ".join(
        f"LAG(code, {i}) OVER c = code AND LAG(time_us, {i - 1}) OVER c - LAG(time_us, {i}) OVER c < {limits.rapid_us}"
        for i in range(1, limits.rapid_times)
    )
    looped = f"time_us - LAG(time_us, {limits.loop_times - 1}) OVER k <= {limits.loop_us}"
    numbered = f"""
        SELECT *, LAG(code) OVER c AS prev_code, LAG(code, 2) OVER c AS prev2_code,
               LAG(wait_us) OVER c AS wait_before, LAG(is_error) OVER c AS after_error,
               LAG(channel) OVER c AS prev_channel, LEAD(final) OVER c AS ends_next,
               ROW_NUMBER() OVER k AS attempt,
               COALESCE(MAX(is_error) OVER {past}, 0) AS error_before,
               COALESCE(SUM(is_contact) OVER {past}, 0) AS contacts,
               MAX(CASE WHEN is_contact = 1 THEN time_us END) OVER {past} AS contact_us,
               {rapid if limits.rapid_us is not None else "FALSE"} AS rapid,
               {looped if limits.loop_us is not None else "FALSE"} AS looped
        FROM ({events_of_journeys}) AS e
        WINDOW c AS (PARTITION BY case_key ORDER BY place), k AS (PARTITION BY case_key, code ORDER BY place)"""
    lost = f"before AND watched AND state = {DROPPED} AND (next_code IS NULL OR COALESCE(ends_next, FALSE))"
    judged = f"""
        SELECT *, prev_code = code AS self_loop, prev2_code = code AND prev_code <> code AS returned,
               {lost if limits.has_goal else "FALSE"} AS lost
        FROM ({numbered}) AS n"""
    flags = ", ".join(f"{sql} AS f_{name}" for name, sql in _flags(limits).items())
    open_since = "CAST(NULL AS BIGINT)"
    if limits.end_us is not None:
        open_since = f"CASE WHEN next_code IS NULL AND state = {OPEN} THEN {limits.end_us} - time_us END"
    return f"""
        SELECT case_key, unit, stratum, code, prev_code, CAST(place AS INTEGER) AS place, time_us, next_code, wait_us,
               before, watched, before AND early AND {"TRUE" if limits.has_goal else "FALSE"} AS marked,
               before AND won AS won, lost, {open_since} AS censored_us,
               CAST(LEAST({dialect.log2_bin("place - 1", 2)}, {DEPTHS - 1}) AS SMALLINT) AS depth,
               CAST({_key(dialect)} AS INTEGER) AS key, {flags}
        FROM ({judged}) AS j"""


def _flags(limits: FrictionLimits) -> dict[str, str]:
    """Signal -> flag; the keys are the names of the signals."""
    exits = "before AND watched"
    within = "contacts > 0" if limits.contact_us is None else f"time_us - contact_us <= {limits.contact_us}"
    return {
        "repetition": _one("attempt > 1"),
        "self_loop": _one("self_loop"),
        "back_and_forth": _one("returned"),
        "rework": _one("attempt > 1 AND prev_code <> code"),
        "rapid_repeat": _one("rapid") if limits.rapid_us is not None else NEVER,
        "page_loop": _one("looped") if limits.loop_us is not None else NEVER,
        "retry": _one(f"attempt > {limits.retries}"),
        "hesitation": _one("wait_before > long_us", "wait_before IS NOT NULL") if limits.timed else NEVER,
        "channel_switch": _one("channel <> prev_channel", "channel IS NOT NULL AND prev_channel IS NOT NULL")
        if limits.has_channel
        else NEVER,
        "repeat_contact": _one(within, "is_contact = 1") if limits.has_contacts else NEVER,
        "after_error": _one("after_error = 1") if limits.has_errors else NEVER,
        "dead_end": _one("lost", exits) if limits.has_goal else NEVER,
        "error_exit": _one("lost", f"{exits} AND is_error = 1") if limits.has_goal else NEVER,
        "quick_exit": _one(
            f"state = {DROPPED} AND last_us - time_us <= {limits.quick_us}", f"{exits} AND is_error = 1"
        )
        if limits.has_goal and limits.quick_us is not None
        else NEVER,
    }


def _one(condition: str, judged: str = "TRUE") -> str:
    return f"CAST(CASE WHEN NOT ({judged}) THEN NULL WHEN {condition} THEN 1 ELSE 0 END AS SMALLINT)"


def _key(dialect: Dialect) -> str:
    """What the learned score knows of a visit, as one number; `unpacked` in counting/friction.py takes it apart."""
    seconds = dialect.floor_div("GREATEST(wait_before, 0)", "1000000")
    wait = (
        f"CASE WHEN wait_before IS NULL THEN 0 ELSE LEAST(1 + {dialect.floor_div(dialect.log2_bin(seconds, 1), '2')}, "
        f"{WAITS - 1}) END"
    )
    parts = (
        (f"LEAST({dialect.log2_bin('place - 1', 2)}, {DEPTHS - 1})", DEPTHS),
        (f"LEAST(attempt, {ATTEMPTS}) - 1", ATTEMPTS),
        ("CASE WHEN self_loop THEN 1 ELSE 0 END", 2),
        ("CASE WHEN returned THEN 1 ELSE 0 END", 2),
        (wait, WAITS),
        ("CASE WHEN channel <> prev_channel THEN 1 ELSE 0 END", 2),
        ("LEAST(contacts, 2)", 3),
        ("error_before", 2),
    )
    key = "0"
    for expression, size in parts:
        key = f"({key} * {size} + {expression})"
    return key


def rates_sql(visits: str, signals: Sequence[str]) -> str:
    """Visits by unit and activity, those that a signal can be judged on, and those where it holds.

    (unit, code, n, e_<signal>, f_<signal>, ...)
    """
    parts = ", ".join(f"COUNT(f_{s}) AS e_{s}, COUNT(*) FILTER (WHERE f_{s} = 1) AS f_{s}" for s in signals)
    return f"SELECT unit, code, COUNT(*) AS n, {parts} FROM {visits} GROUP BY unit, code ORDER BY unit, code"


def met_sql(visits: str, signals: Sequence[str]) -> str:
    """One row a journey and activity: places of its visits and whether each signal held at one of them."""
    parts = ", ".join(f"MAX(f_{s}) AS f_{s}" for s in signals)
    return f"""
        SELECT case_key, code, MIN(unit) AS unit, MIN(place) AS first_place, MAX(place) AS last_place,
               MAX(CASE WHEN before THEN place END) AS last_before, MIN(time_us) AS first_us, {parts}
        FROM {visits} GROUP BY case_key, code"""


def journeys_met_sql(met: str, signals: Sequence[str]) -> str:
    """Journeys that meet each activity, and in which each signal holds there: (code, n, f_<signal>, ...)."""
    parts = ", ".join(f"COUNT(*) FILTER (WHERE f_{s} = 1) AS f_{s}" for s in signals)
    return f"SELECT code, COUNT(*) AS n, {parts} FROM {met} GROUP BY code ORDER BY code"


def steps_sql(visits: str, codes: Sequence[int]) -> str:
    """Outcomes of the visits: (unit, stratum, depth, code, n, won, watched, lost); codes not listed are -1."""
    code = f"CASE WHEN code IN ({listed(codes)}) THEN code ELSE -1 END"
    return f"""
        SELECT unit, stratum, depth, {code} AS code, {_outcomes()}
        FROM {visits} WHERE before GROUP BY unit, stratum, depth, {code} ORDER BY unit, stratum, depth, code"""


def signal_sql(visits: str, signal: str, codes: Sequence[int]) -> str:
    """Outcomes of the visits with and without a signal: (unit, stratum, depth, code, flag, n, won, watched, lost)."""
    return f"""
        SELECT unit, stratum, depth, code, f_{signal} AS flag, {_outcomes()}
        FROM {visits} WHERE before AND f_{signal} IS NOT NULL AND code IN ({listed(codes)})
        GROUP BY unit, stratum, depth, code, f_{signal} ORDER BY unit, stratum, depth, code, flag"""


def _outcomes() -> str:
    return (
        "COUNT(*) FILTER (WHERE marked) AS n, COUNT(*) FILTER (WHERE marked AND won) AS won, "
        "COUNT(*) FILTER (WHERE watched) AS watched, COUNT(*) FILTER (WHERE lost) AS lost"
    )


def between_sql(visits: str) -> str:
    """What lies between two visits of a back-and-forth: (code, other, n), commonest first."""
    return f"""
        SELECT code, prev_code AS other, COUNT(*) AS n FROM {visits} WHERE f_back_and_forth = 1
        GROUP BY code, prev_code ORDER BY code, n DESC, other"""


def before_error_sql(visits: str) -> str:
    """Which error comes right before an activity: (code, other, n), commonest first."""
    return f"""
        SELECT code, prev_code AS other, COUNT(*) AS n FROM {visits} WHERE f_after_error = 1
        GROUP BY code, prev_code ORDER BY code, n DESC, other"""


def waits_sql(visits: str, idle_us: int, codes: Sequence[int], dialect: Dialect) -> str:
    """Time until journeys go on from a step: (unit, code, bin, moved, censored); bin null: not within `idle`.

    A dropped journey has not gone on within `idle`; that of an open one is known up to the end of observation.
    """
    moved = f"next_code IS NOT NULL AND wait_us IS NOT NULL AND wait_us <= {idle_us}"
    time = f"CASE WHEN {moved} THEN wait_us WHEN censored_us < {idle_us} THEN censored_us END"
    bin_ = (
        f"CASE WHEN us IS NULL THEN NULL ELSE {dialect.log2_bin('GREATEST(us, 0)', WAIT_BINS_PER_OCTAVE)} END"
    )
    return f"""
        SELECT unit, code, {bin_} AS bin, COUNT(*) FILTER (WHERE moved) AS moved,
               COUNT(*) FILTER (WHERE NOT moved) AS censored
        FROM (SELECT unit, code, {time} AS us, COALESCE({moved}, FALSE) AS moved
              FROM {visits} WHERE before AND code IN ({listed(codes)})) AS timed
        GROUP BY unit, code, {bin_} ORDER BY unit, code, bin NULLS LAST"""


def usual_wait_sql(visits: str, idle_us: int, dialect: Dialect) -> str:
    """Median time until journeys go on, over all steps: (wait_us)."""
    return f"""
        SELECT {dialect.quantile("wait_us", 0.5)} AS wait_us FROM {visits}
        WHERE before AND next_code IS NOT NULL AND wait_us <= {idle_us}"""


def converted_sql(met: str, journeys: str, codes: Sequence[int]) -> str:
    """Converted journeys and the activities they met before the goal: (case_key, code, first_place, last_before)."""
    return f"""
        SELECT m.case_key, m.code, m.first_place, m.last_before FROM {met} AS m
        JOIN {journeys} AS j ON j.case_key = m.case_key
        WHERE j.state = {CONVERTED} AND m.last_before IS NOT NULL AND m.code IN ({listed(codes)})"""


def followed_sql(converted: str) -> str:
    """Converted journeys with x before the goal, and those of them in which y follows: (x, y, n)."""
    return f"""
        SELECT x.code AS x, y.code AS y, COUNT(*) AS n FROM {converted} AS x JOIN {converted} AS y
            ON y.case_key = x.case_key
        WHERE y.last_before > x.first_place OR y.code = x.code
        GROUP BY x.code, y.code ORDER BY x, y"""


def pairs_sql(visits: str, met: str, journeys: str, pairs: str, latest_us: int | None) -> str:
    """Journeys whose outcome is known, by pair: (pair, case_key, unit, x_place, y_place).

    y_place: the first visit of y after the first one of x; null if y never follows.
    """
    early = "TRUE" if latest_us is None else f"x.first_us <= {latest_us}"
    return f"""
        SELECT p.pair, x.case_key, x.unit, x.first_place AS x_place, MIN(v.place) AS y_place
        FROM {pairs} AS p JOIN {met} AS x ON x.code = p.x
        JOIN {journeys} AS j ON j.case_key = x.case_key
        LEFT JOIN {visits} AS v ON v.case_key = x.case_key AND v.code = p.y AND v.place > x.first_place
        WHERE j.state <> {OPEN} AND {early}
        GROUP BY p.pair, x.case_key, x.unit, x.first_place"""


def pair_units_sql(pair_cases: str) -> str:
    """Journeys with x, and those in which y never follows: (pair, unit, n, n_never)."""
    return f"""
        SELECT pair, unit, COUNT(*) AS n, COUNT(*) - COUNT(y_place) AS n_never
        FROM {pair_cases} GROUP BY pair, unit ORDER BY pair, unit"""


def pair_gaps_sql(pair_cases: str, share: float, dialect: Dialect) -> str:
    """Steps from x within which y has followed in a share of the journeys in which it does: (pair, gap)."""
    return f"""
        SELECT pair, {dialect.quantile_disc("y_place - x_place", share)} AS gap FROM {pair_cases}
        WHERE y_place IS NOT NULL GROUP BY pair ORDER BY pair"""


def pair_landmarks_sql(visits: str, pair_cases: str, gaps: str) -> str:
    """Journeys still under way some steps after x, with and without y by then.

    (pair, unit, stratum, code, flag, n, won): code is where they are, flag says that y has not come.
    """
    flag = "CASE WHEN p.y_place IS NULL OR p.y_place > v.place THEN 1 ELSE 0 END"
    return f"""
        SELECT p.pair, v.unit, v.stratum, v.code, {flag} AS flag, COUNT(*) AS n,
               COUNT(*) FILTER (WHERE v.won) AS won
        FROM {pair_cases} AS p JOIN {gaps} AS g ON g.pair = p.pair
        JOIN {visits} AS v ON v.case_key = p.case_key AND v.place = p.x_place + g.gap
        WHERE v.marked GROUP BY p.pair, v.unit, v.stratum, v.code, {flag}
        ORDER BY p.pair, v.unit, v.stratum, v.code, flag"""


def folds_sql(customers: str, n_folds: int) -> str:
    """Fold of each unit, its number scrambled as by Lehmer's generator, whatever its customers' ids: (unit, fold)."""
    mixed = "(CAST(unit AS BIGINT) + 1) * 1103515245 % 2147483647"
    return f"SELECT DISTINCT unit, CAST({mixed} % {n_folds} AS SMALLINT) AS fold FROM {customers}"


def score_groups_sql(visits: str, folds: str, codes: Sequence[int]) -> str:
    """Watched visits that look alike to the score: (fold, code, key, n, lost); codes not listed are -1."""
    code = f"CASE WHEN code IN ({listed(codes)}) THEN code ELSE -1 END"
    return f"""
        SELECT f.fold, {code} AS code, v.key, COUNT(*) AS n, COUNT(*) FILTER (WHERE v.lost) AS lost
        FROM {visits} AS v JOIN {folds} AS f ON f.unit = v.unit WHERE v.before AND v.watched
        GROUP BY f.fold, {code}, v.key ORDER BY f.fold, code, v.key"""


def scored_sql(visits: str, folds: str, predictions: str, codes: Sequence[int]) -> str:
    """Watched visits with their out-of-fold predictions: (unit, code, bin, n, lost, full_ppm, base_ppm).

    Parameters
    ----------
    predictions
        Table (fold, code, key, bin, full_ppm, base_ppm), probabilities in millionths.
    """
    code = f"CASE WHEN v.code IN ({listed(codes)}) THEN v.code ELSE -1 END"
    return f"""
        SELECT v.unit, p.code, p.bin, COUNT(*) AS n, COUNT(*) FILTER (WHERE v.lost) AS lost,
               CAST(SUM(p.full_ppm) AS BIGINT) AS full_ppm, CAST(SUM(p.base_ppm) AS BIGINT) AS base_ppm
        FROM {visits} AS v JOIN {folds} AS f ON f.unit = v.unit
        JOIN {predictions} AS p ON p.fold = f.fold AND p.code = {code} AND p.key = v.key
        WHERE v.before AND v.watched GROUP BY v.unit, p.code, p.bin ORDER BY v.unit, p.code, p.bin"""


def listed(codes: Sequence[int]) -> str:
    """Codes for an IN list, never empty."""
    return ", ".join(str(int(c)) for c in codes) or "-2"
