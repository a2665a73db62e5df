"""Waits of the watched visits before the goal, and how each ended: somebody went on, left, or fell silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.sql.cases import CONVERTED, DROPPED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.engine.dialect import Dialect

PASSED, LEFT, SILENT = 0, 1, 2
"""What ended a wait: the next step, an `end` activity that says so, or nothing."""
MOST_ATTEMPTS = 3
BEFORE_FROM = (0, 1, 2, 4, 8, 16)
"""First number of visits before of each bucket."""


def ended_waits_sql(
    visits: str, events: str, *, end: Sequence[int] = (), activities: Sequence[int] | None = None
) -> str:
    """Watched visits with what ended their wait: (case_key, unit, cell, code, position, kind, wait_us).

    The view of visits hides an `end` activity, and with it the moment of leaving: it is joined back. An `end`
    activity that is itself a visit, as the only event of its journey, is left at once. `wait_us` is null for SILENT.
    """
    wanted = "v.watched" + _among("v.code", activities)
    if not end:
        kind, wait, join = f"CASE WHEN v.next_code IS NULL THEN {SILENT} ELSE {PASSED} END", "v.wait_us", ""
    else:
        codes = ", ".join(str(int(code)) for code in end)
        join = f"""
        LEFT JOIN (SELECT case_key, position, wait_us FROM {events} WHERE next_code IN ({codes})) AS e
               ON e.case_key = v.case_key AND e.position = v.position"""
        gone = f"CASE WHEN e.wait_us IS NOT NULL THEN e.wait_us WHEN v.code IN ({codes}) THEN 0 END"
        kind = f"CASE WHEN v.next_code IS NOT NULL THEN {PASSED} WHEN {gone} IS NOT NULL THEN {LEFT} ELSE {SILENT} END"
        wait = f"CASE WHEN v.next_code IS NOT NULL THEN v.wait_us ELSE {gone} END"
    return f"""
        SELECT v.case_key, v.unit, v.cell, v.code, v.position, {kind} AS kind, {wait} AS wait_us
        FROM {visits} AS v{join} WHERE {wanted}"""


def binned_waits_sql(waits: str, dialect: Dialect, per_octave: int, *, pooled: bool = False) -> str:
    """Waits by what they belong to: (unit, cell, code, kind, bin, n, wait_us, low_us, high_us).

    The bin is null where the wait is. `pooled` counts everybody as unit 0 in cell 0.
    """
    bin_ = f"CASE WHEN wait_us IS NULL THEN NULL ELSE {dialect.log2_bin('wait_us', per_octave)} END"
    group = "" if pooled else "unit, cell, "
    return f"""
        SELECT {"0 AS unit, 0 AS cell, " if pooled else group}code, kind, {bin_} AS bin, COUNT(*) AS n,
               SUM(wait_us) AS wait_us, MIN(wait_us) AS low_us, MAX(wait_us) AS high_us
        FROM ({waits}) AS w GROUP BY {group}code, kind, {bin_}"""


def wait_bins_sql(binned: str) -> str:
    """Bins of each activity: (code, bin, mean_us, low_us, high_us)."""
    return f"""
        SELECT code, bin, CAST(SUM(wait_us) AS DOUBLE) / CAST(SUM(n) AS DOUBLE) AS mean_us,
               MIN(low_us) AS low_us, MAX(high_us) AS high_us
        FROM {binned} WHERE bin IS NOT NULL GROUP BY code, bin ORDER BY code, bin"""


def wait_counts_sql(binned: str) -> str:
    """Visits of each unit and cell: (unit, cell, code, kind, bin, n)."""
    return f"""
        SELECT unit, cell, code, kind, bin, n FROM {binned}
        ORDER BY unit, cell, code, kind, bin NULLS LAST"""


def trials_sql(waits: str, journeys: str, dialect: Dialect) -> str:
    """Waits that were waited out, as trials with what was known when they began, by unit.

    (unit, cell, code, attempt, before, long, n, n_converted). `attempt` is 1, 2, 3 or more; `before` a bucket of the
    visits of the journey before; `long` says whether the wait was above the median of its activity in its cell.
    Journeys that are open are left out: what became of them is not known.
    """
    median = dialect.quantile_disc("wait_us", 0.5)
    before = " ".join(
        f"WHEN t.position - j.start_position >= {low} THEN {place}"
        for place, low in reversed(list(enumerate(BEFORE_FROM)))
    )
    attempt = f"CASE WHEN t.attempt > {MOST_ATTEMPTS} THEN {MOST_ATTEMPTS} ELSE t.attempt END"
    keys = f"t.unit, t.cell, t.code, {attempt}, CASE {before} END, t.wait_us > m.median_us"
    return f"""
        WITH w AS ({waits}),
        t AS (SELECT w.*, ROW_NUMBER() OVER (PARTITION BY case_key, code ORDER BY position) AS attempt FROM w),
        m AS (SELECT cell, code, {median} AS median_us FROM w WHERE kind = {PASSED} GROUP BY cell, code)
        SELECT t.unit, t.cell, t.code, {attempt} AS attempt, CASE {before} END AS before,
               t.wait_us > m.median_us AS long, COUNT(*) AS n,
               SUM(CASE WHEN j.state = {CONVERTED} THEN 1 ELSE 0 END) AS n_converted
        FROM t JOIN m ON m.cell = t.cell AND m.code = t.code JOIN {journeys} AS j ON j.case_key = t.case_key
        WHERE t.kind = {PASSED} AND j.state IN ({CONVERTED}, {DROPPED})
        GROUP BY {keys} ORDER BY t.unit, t.cell, t.code, attempt, before, long"""


def _among(column: str, codes: Sequence[int] | None) -> str:
    if codes is None:
        return ""
    return f" AND {column} IN ({', '.join(str(int(c)) for c in codes) or '-1'})"
