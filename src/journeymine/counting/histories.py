"""Histories of a log: what was known of it at a time, and what came after each visit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.counting.arrays import codes, ints
from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.histories import LONGEST, NO_ACTIVITY, UNDECIDED, HistoryCounts, OpenJourneys
from journeymine.journeys import Journeys, find_journeys
from journeymine.sql import histories as sql

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.readers.raw import RawLog

    Ints = NDArray[np.int64]

N_BINS = 24
"""Bins of the time it takes until an end shows."""


def cut_time(engine: DuckDBEngine, journeys: Journeys, share: float) -> int:
    """Time before which a share of the journeys began, in microseconds."""
    return int(engine.fetch(sql.cut_time_sql(journeys.table, share, engine.dialect))["at"][0])


def known_at(
    engine: DuckDBEngine, raw: RawLog, log: Canonical, journeys: Journeys, at_us: int
) -> tuple[Canonical, Journeys]:
    """Events and journeys as they were known at a time: journeys under way are open, and nothing later is seen.

    Customers keep the units they have in the whole log.
    """
    cases = engine.create_table("known_cases", sql.known_cases_sql(log.cases, log.events, at_us))
    events = engine.create_table("known_events", sql.known_events_sql(log.events, cases))
    size = engine.fetch(
        f"SELECT COALESCE(SUM(n_events), 0) AS n_events, COUNT(*) AS n, "
        f"COUNT(DISTINCT customer_id) AS n_customers FROM {cases}"
    )
    known = replace(
        log,
        events=events,
        cases=cases,
        n_events=int(size["n_events"][0]),
        n_cases=int(size["n"][0]),
        n_customers=int(size["n_customers"][0]),
        last_us=at_us - 1,
    )
    found = find_journeys(
        engine,
        raw,
        known,
        goal=journeys.goal,
        end=journeys.end,
        start=journeys.start,
        idle=journeys.idle,
        segments=journeys.segments,
    )
    return known, found


def count_returning(engine: DuckDBEngine, journeys: Journeys, at_us: int) -> tuple[int, int]:
    """Customers seen from a time on: those known before it, and all."""
    row = engine.fetch(sql.returning_sql(journeys.table, at_us))
    return int(row["n_known"][0]), int(row["n_all"][0])


def count_histories(
    engine: DuckDBEngine,
    log: Canonical,
    journeys: Journeys,
    visits: str,
    *,
    begin_us: int,
    horizon_us: int | None = None,
    depth: int = 1,
    new_from_us: int | None = None,
) -> HistoryCounts:
    """Histories that end in a visit from a time on, and what came after.

    Parameters
    ----------
    begin_us
        Earlier visits are left out.
    horizon_us
        Count conversions within this time, of the visits that were watched for it; default: in the end.
    depth
        How many of the last activities tell kinds of histories apart.
    new_from_us
        Only customers of whom nothing was known before this time.
    """
    assert log.last_us is not None
    text = sql.histories_sql(
        visits, log.events, journeys.table, begin_us=begin_us, depth=depth, new_from_us=new_from_us
    )
    table = engine.create_table("histories", text)
    end_us = log.last_us
    steps = engine.fetch(sql.next_steps_sql(table, depth, LONGEST))
    # A bin is one of 24 of the time judged: an end counts by its own bin and the one in which the log ends.
    bin_us = None
    if journeys.last_start_us is not None and horizon_us is None:
        bin_us = max(1, -(-(end_us - begin_us + 1) // N_BINS))
    if horizon_us is not None:
        ends_text = sql.ends_within_sql(table, depth, LONGEST, end_us=end_us, horizon_us=horizon_us)
    else:
        ends_text = sql.ends_sql(
            table,
            engine.dialect,
            depth,
            LONGEST,
            end_us=end_us,
            idle_us=journeys.idle.us or 0,
            bin_us=bin_us,
        )
    ends = engine.fetch(ends_text)
    watched = np.zeros(0, dtype=np.int64)
    if bin_us is not None:
        bins = engine.fetch(sql.watched_bins_sql(table, engine.dialect, end_us=end_us, bin_us=bin_us))
        watched = np.zeros(N_BINS + 1, dtype=np.int64)
        watched[ints(bins["bin"])] = ints(bins["n"])
    engine.execute(f"DROP TABLE {table}")
    kinds, next_kind, end_kind = _kinds(steps, ends, depth)
    target = codes(steps["target"], DROP)
    return HistoryCounts(
        activities=log.activities,
        context=kinds[:, :-1],
        length=kinds[:, -1],
        next_unit=ints(steps["unit"]),
        next_kind=next_kind,
        next_target=np.where(np.isin(target, journeys.goal), GOAL, target),
        next_n=ints(steps["n"]),
        end_unit=ints(ends["unit"]),
        end_kind=end_kind,
        end_outcome=codes(ends["outcome"], UNDECIDED),
        end_bin=ints(ends["bin"]),
        end_n=ints(ends["n"]),
        watched_n=watched,
        n_units=log.n_units,
        horizon_us=horizon_us,
        buckets=log.buckets,
    )


def fetch_open(engine: DuckDBEngine, log: Canonical, journeys: Journeys, visits: str) -> OpenJourneys:
    """Journeys that are open where the log ends."""
    table = engine.fetch_table(sql.open_journeys_sql(visits, journeys.table, log.case_ids))
    names = (np.array(table.column(name).to_pylist(), dtype=object) for name in ("customer_id", "case_id"))
    return OpenJourneys(
        *names, *(ints(table.column(name).to_numpy()) for name in ("code", "n_events", "time_us"))
    )


def _kinds(steps: dict[str, Any], ends: dict[str, Any], depth: int) -> tuple[Ints, Ints, Ints]:
    """Kinds of histories (last activities, length), and the kind of each row of both queries."""
    names = [*(f"c{i}" for i in range(depth)), "position"]
    keys = [
        np.stack([codes(rows[name], NO_ACTIVITY) for name in names], axis=1).reshape(-1, depth + 1)
        for rows in (steps, ends)
    ]
    kinds, place = np.unique(np.concatenate(keys), axis=0, return_inverse=True)
    place = place.ravel().astype(np.int64)
    return kinds, place[: len(keys[0])], place[len(keys[0]) :]
