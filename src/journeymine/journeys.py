"""Journeys and how they end: converted, dropped, or still open when observation stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine._checks import duration_us
from journeymine.canonical import Canonical, assemble
from journeymine.errors import LogSchemaError, OptionError, listed, shown, suggestion
from journeymine.readers.raw import ROW
from journeymine.sql import cases as cases_sql
from journeymine.sql.transitions import waits_quantile_sql
from journeymine.uncertainty import Estimates, share_of_units, unit_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.readers.raw import RawLog

STATES = ("converted", "dropped", "open")
AUTO_SHARE = 0.95
AUTO_SPAN = 0.25
SECOND_US = 1_000_000
LADDER_US = tuple(
    s * SECOND_US
    for s in (
        1800,
        3600,
        2 * 3600,
        6 * 3600,
        12 * 3600,
        86_400,
        *(d * 86_400 for d in (2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365)),
    )
)
"""Values that an automatic `idle` may take: half an hour to a year."""


@dataclass(frozen=True, slots=True)
class Idle:
    """The silence after which a journey counts as over.

    Attributes
    ----------
    us
        Microseconds; None in a log without times.
    chosen
        "given" or "auto".
    """

    us: int | None
    chosen: str


@dataclass(frozen=True, slots=True)
class EndStates:
    """How journeys end.

    Attributes
    ----------
    n
        Journeys per state, in the order converted, dropped, open.
    share
        Shares with intervals, same order.
    """

    n: tuple[int, int, int]
    share: Estimates


@dataclass(frozen=True, slots=True)
class Journeys:
    """Journeys of a log: settings, cells of the crossing of the segments, and a table in the engine.

    Attributes
    ----------
    table
        Journeys table, columns in `sql/cases.py`.
    goal, end, start
        Codes.
    segments
        Names of the segment columns.
    cells
        Values of the segment columns of each cell, shape (n_cells, n_segments), sorted.
    n_open
        Journeys that are open.
    last_start_us
        Visits that began later are not watched long enough; None if every outcome is known.
    n_not_started
        Journeys that never reach a `start` activity.
    """

    table: str
    goal: tuple[int, ...]
    end: tuple[int, ...]
    start: tuple[int, ...]
    idle: Idle
    segments: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    n_open: int
    last_start_us: int | None
    n_not_started: int


def automatic_idle(engine: DuckDBEngine, log: Canonical) -> Idle:
    """The smallest value of a ladder that 95 % of all waits between two events of a case do not exceed.

    At most a quarter of the time that was observed, so that most visits are watched long enough.
    """
    if log.last_us is None or log.first_us is None:
        return Idle(None, "auto")
    wait = engine.fetch(waits_quantile_sql(log.events, AUTO_SHARE, engine.dialect))["wait_us"]
    usual = int(wait[0]) if len(wait) and wait[0] is not None and not _is_nan(wait[0]) else 0
    most = (log.last_us - log.first_us) * AUTO_SPAN
    fitting = [value for value in LADDER_US if value <= most] or [LADDER_US[0]]
    return Idle(next((value for value in fitting if value >= usual), fitting[-1]), "auto")


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and np.isnan(value)


def chosen_idle(engine: DuckDBEngine, log: Canonical, idle: str | timedelta) -> Idle:
    """The idle time the user gave, or the automatic one."""
    if isinstance(idle, str) and idle == "auto":
        return automatic_idle(engine, log)
    return Idle(duration_us(idle) if log.last_us is not None else None, "given")


def activity_codes(log: Canonical, names: Sequence[str], role: str) -> tuple[int, ...]:
    """Codes of activities named by the user.

    Raises
    ------
    OptionError
        A name is not an activity of the log.
    """
    known = {name: code for code, name in enumerate(log.activities)}
    for name in names:
        if name not in known:
            problem = f"{role} {shown(name)} is not an activity of the log."
            hint = suggestion(name, log.activities, f"set {role} to one of the activities found.")
            raise OptionError(problem, found=f"{listed(log.activities)}.", hint=hint)
    return tuple(sorted({known[name] for name in names}))


def cut_by_silence(engine: DuckDBEngine, raw: RawLog, log: Canonical, idle: Idle) -> Canonical:
    """The log with each customer cut into journeys wherever nothing happened for `idle`."""
    if idle.us is None:
        return log
    events = engine.create_table("sessions", cases_sql.sessions_sql(log.events, idle.us))
    ids = engine.create_table("session_ids", cases_sql.session_ids_sql(events, log.case_ids))
    return assemble(
        engine, events, ids, activities=log.activities, columns=log.columns, plan=log.time_plan, raw=raw
    )


def find_journeys(
    engine: DuckDBEngine,
    raw: RawLog,
    log: Canonical,
    *,
    goal: tuple[int, ...],
    end: tuple[int, ...],
    start: tuple[int, ...],
    idle: Idle,
    segments: tuple[str, ...],
) -> Journeys:
    """Journeys with their cell, marks and end state, as a table in the engine."""
    cells_table, cells = _cells(engine, raw, log, segments)
    state = cases_sql.state_expression(log.last_us, idle.us, "has_ended")
    marks = f"({cases_sql.marks_sql(log.events, goal, start)})"
    ended = f"({cases_sql.ended_sql(log.events, end)})"
    table = engine.create_table(
        "journeys", cases_sql.journeys_sql(log.cases, marks, ended, state, cells_table)
    )
    counts = engine.fetch(
        f"SELECT COUNT(*) - COUNT(state) AS unstarted, "
        f"COALESCE(SUM(CASE WHEN state = {cases_sql.OPEN} THEN 1 ELSE 0 END), 0) AS open FROM {table}"
    )
    n_open = int(counts["open"][0])
    last = log.last_us - idle.us if n_open and log.last_us is not None and idle.us is not None else None
    return Journeys(
        table=table,
        goal=goal,
        end=end,
        start=start,
        idle=idle,
        segments=segments,
        cells=cells,
        n_open=n_open,
        last_start_us=last,
        n_not_started=int(counts["unstarted"][0]),
    )


def _cells(
    engine: DuckDBEngine, raw: RawLog, log: Canonical, segments: tuple[str, ...]
) -> tuple[str | None, tuple[tuple[str, ...], ...]]:
    """Table (case_key, cell) and the values of each cell."""
    if not segments:
        return None, ((),)
    for column in segments:
        if column not in raw.columns:
            hint = suggestion(column, raw.columns, "name columns of the log in segments.")
            raise LogSchemaError(
                f"segment column {shown(column)} not found in the log.",
                found=f"{listed(raw.columns)}.",
                hint=hint,
            )
    values = engine.create_table(
        "values", cases_sql.cell_values_sql(log.cases, raw.table, ROW, segments, engine.dialect)
    )
    cells = engine.create_table("cells", cases_sql.cells_sql(values, len(segments)))
    rows = engine.fetch_table(f"SELECT * FROM {cells} ORDER BY cell").to_pylist()
    names = tuple(tuple(str(row[f"s{i}"]) for i in range(len(segments))) for row in rows)
    return engine.create_table(
        "cell_of_case", cases_sql.cells_of_cases_sql(values, cells, len(segments))
    ), names


def unstarted_sql(log: Canonical, journeys: Journeys) -> str:
    """Journeys that never reach a start activity, as a subquery: (case_id)."""
    return f"""(SELECT i.case_id FROM {journeys.table} AS j JOIN {log.case_ids} AS i ON i.case_key = j.case_key
                WHERE j.state IS NULL) AS unstarted"""


def count_end_states(
    engine: DuckDBEngine, log: Canonical, journeys: Journeys, idle_us: int | None
) -> EndStates:
    """Shares of the end states if `idle` were `idle_us`."""
    rows = engine.fetch(cases_sql.state_counts_sql(journeys.table, log.last_us, idle_us))
    return end_states_of_counts(rows["unit"], rows["state"], rows["n"], log.n_units, buckets=log.buckets)


def end_states_of_counts(
    unit: np.ndarray, state: np.ndarray, n: np.ndarray, n_units: int, *, buckets: bool = False
) -> EndStates:
    """End states with intervals from counts by unit and state."""
    wins = unit_matrix(unit, state.astype(int), n, (n_units, len(STATES)))
    trials = unit_matrix(unit, np.zeros(len(unit), int), n, (n_units, 1))
    share = share_of_units(wins, trials, np.zeros(len(STATES), int), buckets=buckets)
    counts = np.asarray(wins.sum(axis=0)).ravel().astype(int)
    return EndStates((int(counts[0]), int(counts[1]), int(counts[2])), share)
