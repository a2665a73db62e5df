"""Counts of visits by the channel before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import ints
from journeymine.counting.chain import state_of_code
from journeymine.counting.friction import channels_of
from journeymine.counts.keyed import summed
from journeymine.counts.switches import SwitchCounts
from journeymine.sql.switches import switch_counts_sql

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.counts.chain import ChainCounts
    from journeymine.engine.duckdb import DuckDBEngine

    Ints = NDArray[np.int64]

MOST_CHANNELS = 20
OTHERS = "(other channels)"


def count_switches(
    engine: DuckDBEngine, log: Canonical, visits: str, chain: ChainCounts, raw: str, channel: str
) -> SwitchCounts:
    """Visits and drops of every activity by the channel of the visit before and their own.

    Parameters
    ----------
    visits
        View of the visits before the goal.
    chain
        Counts of first order: its states are those of the result.
    raw
        Name of the raw table.
    channel
        Column of the channel, as the source calls it.
    """
    text = engine.dialect.text(engine.dialect.quote(channel))
    table, names = channels_of(engine, raw, text)
    rows = engine.fetch(switch_counts_sql(visits, log.events, raw, log.columns.row, text, table))
    engine.execute(f"DROP TABLE {table}")
    state = state_of_code(chain, len(log.activities))[ints(rows["code"])]
    known = state >= 0
    before, own = ints(rows["before"])[known], ints(rows["own"])[known]
    names, place = _folded(names, own, ints(rows["n_all"])[known])
    keys, sums = summed(
        [ints(rows["unit"])[known], ints(rows["cell"])[known], state[known], place[before], place[own]],
        [ints(rows[name])[known] for name in ("n_all", "n", "n_drops")],
    )
    n_all, n, drops = (total.astype(np.int64) for total in sums)
    unit, cell, of_state, came_from, came_to = keys
    return SwitchCounts(names, unit, cell, of_state, came_from, came_to, n_all, n, drops, log.n_units)


def _folded(names: tuple[str, ...], own: Ints, n: Ints) -> tuple[tuple[str, ...], Ints]:
    """Names of the channels that are kept, and the place of each channel among them; ties go by name."""
    if len(names) <= MOST_CHANNELS:
        return names, np.arange(len(names))
    visits = np.bincount(own, weights=n, minlength=len(names))
    kept = np.sort(np.lexsort((np.arange(len(names)), -visits))[: MOST_CHANNELS - 1])
    place = np.full(len(names), len(kept), dtype=np.int64)
    place[kept] = np.arange(len(kept))
    return (*(names[i] for i in kept), OTHERS), place
