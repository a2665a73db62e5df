"""Sequences of watched visits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import codes, ints
from journeymine.counting.chain import state_of_code
from journeymine.counts.chain import DROP, GOAL, ChainCounts
from journeymine.counts.sequences import OPEN, SequenceCounts
from journeymine.sql.chain import starts_sql
from journeymine.sql.sequences import sequences_sql, watched_paths_sql

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys

    Ints = NDArray[np.int64]


def count_sequences(
    engine: DuckDBEngine, log: Canonical, journeys: Journeys, visits: str, chain: ChainCounts
) -> SequenceCounts:
    """Sequences of the watched visits, in the states of a first-order chain.

    Journeys that start with the goal are empty sequences. A visit of which the chain does not know where it leads
    ends its sequence before it.
    """
    paths = watched_paths_sql(visits, engine.dialect, len(log.activities))
    table = engine.fetch_table(sequences_sql(paths))
    path = table.column("path").combine_chunks()
    flat = np.asarray(path.flatten()).astype(np.int64)
    length = np.asarray(path.value_lengths()).astype(np.int64)
    state = state_of_code(chain, len(log.activities))
    last = codes(table.column("last").to_numpy(), DROP)
    last = np.where(np.isin(last, journeys.goal), GOAL, np.where(last < 0, last, state[np.maximum(last, 0)]))
    code, length, last = _followed(state[flat], length, last)
    rows = {name: ints(table.column(name).to_numpy()) for name in ("unit", "cell", "n")}
    empty = _starts_at_goal(engine, log, journeys)
    n_empty = len(empty["n"])
    return SequenceCounts(
        states=chain.states,
        code=code,
        begin=np.concatenate([[0], np.cumsum(np.concatenate([np.zeros(n_empty, np.int64), length]))]),
        last=np.concatenate([np.full(n_empty, GOAL, dtype=np.int64), last]),
        unit=np.concatenate([empty["unit"], rows["unit"]]),
        cell=np.concatenate([empty["cell"], rows["cell"]]),
        n=np.concatenate([empty["n"], rows["n"]]),
        cells=journeys.cells,
        n_units=log.n_units,
        buckets=log.buckets,
    )


def _followed(code: Ints, length: Ints, last: Ints) -> tuple[Ints, Ints, Ints]:
    """Cut each sequence before its first visit of an unknown state; such visits stand at the end only."""
    sequence = np.repeat(np.arange(len(length)), length)
    unknown = np.bincount(sequence[code == OPEN], minlength=len(length)).astype(np.int64)
    return code[code != OPEN], length - unknown, np.where(unknown > 0, OPEN, last)


def _starts_at_goal(engine: DuckDBEngine, log: Canonical, journeys: Journeys) -> dict[str, Ints]:
    """Journeys whose first event is the goal, if it was watched: unit, cell, n."""
    starts = engine.fetch(starts_sql(log.events, journeys.table, journeys.last_start_us))
    here = np.asarray(starts["is_goal"]).astype(bool) & np.asarray(starts["watched"]).astype(bool)
    unit, cell, n = (ints(starts[name])[here] for name in ("unit", "cell", "n"))
    keys, place = np.unique(np.stack([unit, cell]), axis=1, return_inverse=True)
    total = np.bincount(place.ravel(), weights=n, minlength=keys.shape[1]).astype(np.int64)
    return {"unit": keys[0], "cell": keys[1], "n": total}
