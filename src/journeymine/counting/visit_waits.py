"""Waits of visits, and of journeys as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import ints
from journeymine.counts.chain import GOAL, ChainCounts
from journeymine.counts.visit_waits import BINS_PER_OCTAVE, JOURNEY, VisitWaits
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.sql import visit_waits as sql

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys

    Ints = NDArray[np.int64]

NO_TIMES = "the log has no times, so it is not known how long anything takes."
NAME_TIMES = 'pass timestamp="..." when reading the log.'
UNKNOWN = -9
"""An activity without a state in the chain."""


def count_visit_waits(
    engine: DuckDBEngine, log: Canonical, journeys: Journeys, visits: str, chain: ChainCounts
) -> VisitWaits:
    """Waits of all visits in the states of a first-order chain, and of all journeys.

    Raises
    ------
    NotEnoughDataError
        The log has no times.
    OptionError
        States of the chain carry attempt numbers.
    """
    if log.last_us is None or log.first_us is None or journeys.idle.us is None:
        raise NotEnoughDataError(NO_TIMES, hint=NAME_TIMES)
    targets = sql.visit_targets_sql(
        visits, log.events, last_us=log.last_us, idle_us=journeys.idle.us, end=journeys.end
    )
    whole = sql.journey_targets_sql(
        log.events,
        journeys.table,
        last_us=log.last_us,
        idle_us=journeys.idle.us,
        # Of journeys that were under way when the log begins the start was not seen.
        from_us=log.first_us + journeys.idle.us if chain.n_truncated else None,
    )
    waits = engine.create_table(
        "visit_waits", sql.visit_waits_sql(targets, whole, engine.dialect, BINS_PER_OCTAVE)
    )
    entries, rows = (engine.fetch(text(waits)) for text in (sql.wait_entries_sql, sql.wait_rows_sql))
    engine.execute(f"DROP TABLE {waits}")
    state = _state_of_code(chain, len(log.activities))
    keys, rows_keys = (_keys(found, state, journeys.goal) for found in (entries, rows))
    known, rows_known = keys[0] != UNKNOWN, rows_keys[0] != UNKNOWN
    n = ints(entries["n"])
    # Activities that share a state share its entries.
    key, entry = np.unique(keys[:, known], axis=1, return_inverse=True)
    entry, size = entry.ravel(), key.shape[1]
    code = _packed(key, key)
    row_entry = np.searchsorted(code, _packed(rows_keys[:, rows_known], key))
    unit, row_entry, row_n = _summed(
        ints(rows["unit"])[rows_known], row_entry, ints(rows["n"])[rows_known], size
    )
    return VisitWaits(
        states=chain.states,
        source=key[0],
        target=key[1],
        bin=key[2],
        n=_add(entry, n[known], size),
        wait_us=_add(entry, ints(entries["wait_us"])[known], size),
        low_us=_extreme(np.minimum, entry, ints(entries["low_us"])[known], size, np.iinfo(np.int64).max),
        high_us=_extreme(np.maximum, entry, ints(entries["high_us"])[known], size, 0),
        row_unit=unit,
        row_entry=row_entry,
        row_n=row_n,
        idle_us=journeys.idle.us,
        span_us=log.last_us - log.first_us,
        n_units=log.n_units,
        n_unknown=int(n[~known].sum()),
        buckets=log.buckets,
    )


def _state_of_code(chain: ChainCounts, n_codes: int) -> Ints:
    """State of each activity; rare activities share the last one, those the chain left out have none."""
    known = chain.activity >= 0
    if len(np.unique(chain.activity[known])) < known.sum():
        hint = "use a chain with attempts=1."
        raise OptionError("waits are not known for states that carry attempt numbers.", hint=hint)
    state = np.full(n_codes, chain.n_states - 1 if chain.n_folded else UNKNOWN, dtype=np.int64)
    state[chain.activity[known]] = np.flatnonzero(known)
    return state


def _keys(found: dict[str, NDArray[np.generic]], state: Ints, goal: tuple[int, ...]) -> Ints:
    """Source, target and bin of each entry as states, shape (3, m); the source is UNKNOWN where one is."""
    code, bin_ = ints(found["target"]), ints(found["bin"])
    target = np.where(code < 0, code, state[np.maximum(code, 0)])
    target = np.where(np.isin(code, goal), GOAL, target)
    start = ints(found["source"])
    source = np.where(start < 0, JOURNEY, state[np.maximum(start, 0)])
    source = np.where(target == UNKNOWN, UNKNOWN, source)
    return np.stack([source, target, bin_])


def _packed(keys: Ints, all_keys: Ints) -> Ints:
    """Each key as one number, in the order of the keys."""
    low = all_keys.min(axis=1, initial=0)
    wide = all_keys.max(axis=1, initial=0) - low + 1
    return np.asarray(((keys[0] - low[0]) * wide[1] + keys[1] - low[1]) * wide[2] + keys[2] - low[2])


def _summed(unit: Ints, entry: Ints, n: Ints, size: int) -> tuple[Ints, Ints, Ints]:
    """Units, entries and sums of rows of one unit and entry, sorted."""
    key, place = np.unique(unit * max(size, 1) + entry, return_inverse=True)
    return key // max(size, 1), key % max(size, 1), _add(place.ravel(), n, len(key))


def _add(place: Ints, values: Ints, size: int) -> Ints:
    """Sums of integers by place; without floats, which would round sums of long waits."""
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, place, values)
    return total


def _extreme(take: np.ufunc, place: Ints, values: Ints, size: int, worst: int) -> Ints:
    found = np.full(size, worst, dtype=np.int64)
    take.at(found, place, values)
    return found
