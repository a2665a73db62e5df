"""Moves of the conversion chain by period of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import codes, ints
from journeymine.counting.drops import slice_of_time
from journeymine.counts.chain import DROP, GOAL, ChainCounts
from journeymine.counts.periods import PeriodCounts, cut_slices
from journeymine.errors import OptionError
from journeymine.sql.periods import period_moves_sql, slice_counts_sql

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys

    Ints = NDArray[np.int64]

N_PERIODS = 4
"""Enough to see a drift or a season, few enough that each period holds a quarter of the visits."""
UNKNOWN = -3


def count_periods(
    engine: DuckDBEngine,
    log: Canonical,
    journeys: Journeys,
    visits: str,
    chain: ChainCounts,
    *,
    n_periods: int = N_PERIODS,
) -> PeriodCounts | None:
    """Watched moves by period, in the states of a first-order chain; None for a log without a calendar.

    Periods hold about as many visits each and begin where a slice of the calendar does (an hour to a year, by the
    length of the log; UTC).

    Raises
    ------
    OptionError
        `n_periods` is less than 2, or the states of the chain are attempts of activities.
    """
    if n_periods < 2:
        raise OptionError(f"n_periods is {n_periods}, expected at least 2.")
    own = chain.activity[chain.activity >= 0]
    if len(np.unique(own)) < len(own):
        hint = "count the chain with attempts=1."
        raise OptionError("periods are counted in activities, not in attempts of them.", hint=hint)
    origin, length, n_slices = slice_of_time(log)
    if origin is None or length is None:
        return None
    begin_us = _begins(engine, visits, origin, length, n_slices, n_periods)
    rows = engine.fetch(period_moves_sql(visits, begin_us[1:-1].tolist()))
    state = np.full(len(log.activities), chain.n_states - 1 if chain.n_folded else UNKNOWN, dtype=np.int64)
    state[own] = np.flatnonzero(chain.activity >= 0)
    target = codes(rows["target"], DROP)
    source = state[ints(rows["source"])] if len(target) else target
    onward = np.where(target < 0, DROP, state[np.maximum(target, 0)]) if len(target) else target
    target = np.where(np.isin(target, journeys.goal), GOAL, onward)
    # The chain leaves out moves into states that nobody was watched in; so do the periods.
    known = (source != UNKNOWN) & (target != UNKNOWN)
    return PeriodCounts(
        ints(rows["unit"])[known],
        ints(rows["period"])[known],
        source[known],
        target[known],
        ints(rows["n"])[known],
        begin_us,
        log.n_units,
    )


def _begins(
    engine: DuckDBEngine, visits: str, origin: int, length: int, n_slices: int, n_periods: int
) -> Ints:
    """Begins of the periods and the end of the last one, that is of the last slice with a watched visit."""
    rows = engine.fetch(slice_counts_sql(visits, engine.dialect, origin_us=origin, slice_us=length))
    n = np.zeros(n_slices, dtype=np.int64)
    n[ints(rows["slice"])] = ints(rows["n"])
    seen = np.flatnonzero(n)
    first, last = (int(seen[0]), int(seen[-1])) if len(seen) else (0, 0)
    begins = cut_slices(n[first : last + 1], n_periods) + first
    return np.asarray(origin + length * np.append(begins, last + 1), dtype=np.int64)
