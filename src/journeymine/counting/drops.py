"""Counts of what follows from a drop-out: over time, in journeys, customers and money."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import floats, ints
from journeymine.counts.chain import ChainCounts, DropCounts
from journeymine.sql import chain as chain_sql

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys

    Ints = NDArray[np.int64]


HOUR_US = 3_600_000_000


SLICE_LADDER_US = tuple(h * HOUR_US for h in (1, 6, 24, 7 * 24, 30 * 24, 365 * 24))


MOST_SLICES = 200


MOST_SLICES_OF_BUCKETS = 60


def slice_of_time(log: Canonical) -> tuple[int | None, int | None, int]:
    """Start of the first slice, length of a slice, number of slices; calendar-aligned, one if there is no calendar."""
    if log.clock != "calendar" or log.first_us is None or log.last_us is None:
        return None, None, 1
    most = MOST_SLICES_OF_BUCKETS if log.buckets else MOST_SLICES
    span = max(log.last_us - log.first_us, 1)
    length = next((s for s in SLICE_LADDER_US if span / s <= most), SLICE_LADDER_US[-1])
    day = 24 * HOUR_US
    origin = log.first_us - log.first_us % min(length, day)
    return origin, length, int((log.last_us - origin) // length) + 1


def count_drops(engine: DuckDBEngine, log: Canonical, visits: str, counts: ChainCounts) -> DropCounts:
    """Visits and drops of every activity by unit, cell and slice of time."""
    origin, length, n_slices = slice_of_time(log)
    rows = engine.fetch(chain_sql.drop_counts_sql(visits, engine.dialect, origin_us=origin, slice_us=length))
    state_of = np.full(len(log.activities), -1, dtype=np.int64)
    own = counts.activity >= 0
    state_of[counts.activity[own]] = np.flatnonzero(own)
    state = state_of[ints(rows["code"])]
    keep = state >= 0
    return DropCounts(
        ints(rows["unit"])[keep],
        ints(rows["cell"])[keep],
        state[keep],
        ints(rows["slice"])[keep],
        ints(rows["n_all"])[keep],
        ints(rows["n"])[keep],
        ints(rows["n_drops"])[keep],
        log.n_units,
        length,
        origin,
        n_slices,
    )


def count_reach(engine: DuckDBEngine, visits: str, condition: str = "TRUE") -> tuple[Ints, Ints, Ints]:
    """Journeys that meet each activity in a scope, by unit: (unit, code, n)."""
    rows = engine.fetch(chain_sql.reach_sql(visits, condition))
    return ints(rows["unit"]), ints(rows["code"]), ints(rows["n"])


def count_journeys(engine: DuckDBEngine, journeys: Journeys) -> tuple[Ints, Ints]:
    """All journeys by unit: (unit, n)."""
    rows = engine.fetch(chain_sql.journeys_sql(journeys.table))
    return ints(rows["unit"]), ints(rows["n"])


def count_audience(engine: DuckDBEngine, visits: str, condition: str = "TRUE") -> dict[int, int]:
    """Customers lost after each activity in a scope, by code."""
    rows = engine.fetch(chain_sql.audience_sql(visits, condition))
    return dict(zip(ints(rows["code"]).tolist(), ints(rows["n"]).tolist(), strict=True))


def count_values(
    engine: DuckDBEngine, log: Canonical, journeys: Journeys, raw: str, value: str
) -> tuple[Ints, Ints, NDArray[np.float64], Ints]:
    """Money of converted journeys: (unit, cell, money, conversions); money is that of the goal event.

    Summed in the engine as integers, in ten-thousandths.
    """
    rows = engine.fetch(chain_sql.goal_values_sql(log.events, journeys.table, raw, log.columns.row, value))
    money = floats(rows["value"]) / chain_sql.VALUE_SCALE
    return ints(rows["unit"]), ints(rows["cell"]), money, ints(rows["n"])
