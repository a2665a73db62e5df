"""Directly-follows counts of the whole log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from journeymine.engine.dialect import Dialect

BINS_PER_OCTAVE = 8


def any_target_sql(events: str) -> str:
    """Events whose next activity, whichever it is, is written as their own: for waits by activity."""
    return f"""(SELECT unit, case_key, code, CASE WHEN next_code IS NULL THEN NULL ELSE code END AS next_code, wait_us
                FROM {events} AS e)"""


def graph_sql(events: str) -> str:
    """The directly-follows graph with its ends: (source, target, n, n_first); target is null at the end of a case.

    `n_first` counts the moves whose source is the first event of its case.
    """
    return f"""
        SELECT code AS source, next_code AS target, COUNT(*) AS n,
               COUNT(*) FILTER (WHERE position = 1) AS n_first
        FROM {events} GROUP BY code, next_code ORDER BY source, target NULLS LAST"""


def edge_totals_sql(events: str, dialect: Dialect, wait_share: float = 0.5) -> str:
    """Every directly-follows pair: (source, target, n, median_us); the median, or the wait of another share."""
    return f"""
        SELECT code AS source, next_code AS target, COUNT(*) AS n,
               {dialect.quantile("wait_us", wait_share)} AS median_us
        FROM {events} WHERE next_code IS NOT NULL GROUP BY code, next_code"""


def edge_cases_sql(events: str) -> str:
    """Cases with each directly-follows pair: (source, target, n_cases).

    Its own query: counting distinct cases beside a median takes twice as long as both apart.
    """
    return f"""
        SELECT source, target, COUNT(*) AS n_cases
        FROM (SELECT DISTINCT case_key, code AS source, next_code AS target
              FROM {events} WHERE next_code IS NOT NULL) AS met
        GROUP BY source, target ORDER BY source, target"""


def edge_units_sql(unit_events: str, totals: str) -> str:
    """Directly-follows pairs by unit, with the moves that waited no longer than the pair's median.

    (unit, source, target, n, n_below)
    """
    return f"""
        SELECT e.unit, e.code AS source, e.next_code AS target, COUNT(*) AS n,
               COUNT(*) FILTER (WHERE e.wait_us <= t.median_us) AS n_below
        FROM {unit_events} AS e JOIN {totals} AS t ON t.source = e.code AND t.target = e.next_code
        GROUP BY e.unit, e.code, e.next_code ORDER BY e.unit, source, target"""


def wait_histogram_sql(events: str, dialect: Dialect) -> str:
    """Waits of every pair in log-spaced bins, eight an octave; bin b holds 2^(b/8) - 1 µs and up.

    (source, target, bin, n)
    """
    bin_ = dialect.log2_bin("wait_us", BINS_PER_OCTAVE)
    return f"""
        SELECT code AS source, next_code AS target, {bin_} AS bin, COUNT(*) AS n
        FROM {events} WHERE next_code IS NOT NULL AND wait_us IS NOT NULL
        GROUP BY code, next_code, {bin_} ORDER BY source, target, bin"""


def activity_units_sql(unit_events: str) -> str:
    """Events, cases and first places of each activity by unit: (unit, code, n, n_cases, places).

    `places` sums, over the cases, the position at which the activity first stands.
    """
    return f"""
        SELECT unit, code, SUM(n) AS n, COUNT(*) AS n_cases, SUM(place) AS places
        FROM (SELECT unit, case_key, code, COUNT(*) AS n, MIN(position) AS place
              FROM {unit_events} AS e GROUP BY unit, case_key, code) AS met
        GROUP BY unit, code ORDER BY unit, code"""


def waits_quantile_sql(events: str, share: float, dialect: Dialect) -> str:
    """The wait that a share of all moves does not exceed: (wait_us), a value of the data."""
    wait = dialect.quantile_disc("wait_us", share)
    return f"SELECT {wait} AS wait_us FROM {events} WHERE wait_us IS NOT NULL"
