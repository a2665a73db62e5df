"""Counts of what came next after an activity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import ints
from journeymine.counting.chain import state_of_code
from journeymine.counts.contacts import FollowUps
from journeymine.counts.keyed import summed
from journeymine.sql.contacts import follow_ups_sql, late_limits_sql

if TYPE_CHECKING:
    from journeymine.canonical import Canonical
    from journeymine.counts.chain import ChainCounts
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys


def count_follow_ups(
    engine: DuckDBEngine, log: Canonical, journeys: Journeys, visits: str, chain: ChainCounts
) -> FollowUps:
    """What followed the first visit of each activity, in the states of a chain of first order."""
    rows = engine.fetch(follow_ups_sql(visits, journeys.table, engine.dialect))
    limits = engine.fetch(late_limits_sql(visits, engine.dialect))
    state = state_of_code(chain, len(log.activities))
    state[list(journeys.goal)] = -1
    source, target = state[ints(rows["source"])], state[ints(rows["target"])]
    known = (source >= 0) & (target >= 0)
    keys, (n, lost) = summed(
        [
            ints(rows["unit"])[known],
            ints(rows["cell"])[known],
            source[known],
            target[known],
            ints(rows["late"])[known],
        ],
        [ints(rows["n"])[known], ints(rows["n_lost"])[known]],
    )
    pairs = zip(
        state[ints(limits["source"])].tolist(),
        state[ints(limits["target"])].tolist(),
        ints(limits["limit_us"]).tolist(),
        strict=True,
    )
    limit_us = {(a, b): limit for a, b, limit in pairs if a >= 0 and b >= 0}
    unit, cell, from_, to, late = keys
    return FollowUps(
        unit, cell, from_, to, late, n.astype(np.int64), lost.astype(np.int64), limit_us, log.n_units
    )
