"""Waits of visits, and what ended them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import codes, ints
from journeymine.counts.waits import BINS_PER_OCTAVE, TrialCounts, WaitCounts
from journeymine.errors import NotEnoughDataError
from journeymine.sql import waits as sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys

NO_TIMES = "the log has no times, so it is not known how long anything takes."
NAME_TIMES = 'pass timestamp="..." when reading the log.'


def count_waits(
    engine: DuckDBEngine,
    log: Canonical,
    journeys: Journeys,
    visits: str,
    *,
    activities: Sequence[int] | None = None,
    pooled: bool = False,
) -> WaitCounts:
    """Waits after activities, in one pass over the visits.

    Parameters
    ----------
    visits
        View of `counting.chain.make_visits`.
    activities
        Codes; by default all. In a large log name those that are looked at: with all of them there may be as many
        entries as visits.
    pooled
        Count everybody as unit 0 in cell 0: small for any log, enough to see where people wait long.

    Raises
    ------
    NotEnoughDataError
        The log has no times.
    """
    _need_times(log)
    ended = sql.ended_waits_sql(visits, log.events, end=journeys.end, activities=activities)
    binned = engine.create_table(
        "waits", sql.binned_waits_sql(ended, engine.dialect, BINS_PER_OCTAVE, pooled=pooled)
    )
    rows, bins = (engine.fetch(text(binned)) for text in (sql.wait_counts_sql, sql.wait_bins_sql))
    engine.execute(f"DROP TABLE {binned}")
    bin_activity, number = ints(bins["code"]), ints(bins["bin"])
    activity, kind, bin_ = ints(rows["code"]), ints(rows["kind"]), codes(rows["bin"], -1)
    width = int(number.max(initial=0)) + 1
    place = np.searchsorted(bin_activity * width + number, activity * width + bin_)
    return WaitCounts(
        unit=ints(rows["unit"]),
        cell=ints(rows["cell"]),
        activity=activity,
        kind=kind,
        bin=np.where(bin_ < 0, -1, place),
        n=ints(rows["n"]),
        bin_activity=bin_activity,
        mean_us=np.asarray(bins["mean_us"], dtype=float),
        low_us=ints(bins["low_us"]),
        high_us=ints(bins["high_us"]),
        n_units=1 if pooled else log.n_units,
        buckets=log.buckets,
    )


def count_wait_trials(
    engine: DuckDBEngine, log: Canonical, journeys: Journeys, visits: str, *, activities: Sequence[int]
) -> TrialCounts:
    """Waits after some activities that were waited out, long or short, and how their journeys ended.

    Raises
    ------
    NotEnoughDataError
        The log has no times.
    """
    _need_times(log)
    ended = sql.ended_waits_sql(visits, log.events, end=journeys.end, activities=activities)
    rows = engine.fetch(sql.trials_sql(ended, journeys.table, engine.dialect))
    names = ("unit", "cell", "code", "attempt", "before")
    unit, cell, code, attempt, before = (ints(rows[name]) for name in names)
    return TrialCounts(
        unit=unit,
        cell=cell,
        activity=code,
        attempt=attempt,
        before=before,
        long=np.asarray(rows["long"]).astype(bool),
        n=ints(rows["n"]),
        n_converted=ints(rows["n_converted"]),
        n_units=log.n_units,
    )


def _need_times(log: Canonical) -> None:
    if log.last_us is None:
        raise NotEnoughDataError(NO_TIMES, hint=NAME_TIMES)
