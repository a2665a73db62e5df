"""Counts of the conversion chain: its visits, moves, starts and states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import codes, floats, ints
from journeymine.counts.chain import DROP, GOAL, ChainCounts, fold_rare
from journeymine.sql import chain as chain_sql

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys

    Ints = NDArray[np.int64]


MAX_STATES = 500


def make_visits(engine: DuckDBEngine, log: Canonical, journeys: Journeys) -> str:
    """View of the visits before the goal, columns in `sql/chain.py`."""
    name = engine.new_name("visits")
    visits = chain_sql.visits_sql(log.events, journeys.table, journeys.last_start_us, journeys.end)
    engine.execute(f"CREATE VIEW {name} AS {visits}")
    return name


def count_chain(
    engine: DuckDBEngine, log: Canonical, journeys: Journeys, visits: str, *, attempts: int = 1
) -> ChainCounts:
    """Moves of the conversion chain by unit and cell.

    All journeys say where journeys start, unless some start in a state whose visits nobody watched: then only the
    watched ones do. Above 500 activities the rarest share one state; a move into a state without a watched visit
    is left out and counted as unwatched.
    """
    if attempts > 1:
        rows = _attempt_rows(engine, log, journeys, visits, attempts)
    else:
        rows = engine.fetch(chain_sql.chain_counts_sql(visits))
    source, target = ints(rows["source"]), codes(rows["target"], DROP)
    attempt = ints(rows["attempt"]) if attempts > 1 else np.ones(len(source), np.int64)
    next_attempt = codes(rows["next_attempt"], 1) if attempts > 1 else np.ones(len(source), np.int64)
    starts = engine.fetch(chain_sql.starts_sql(log.events, journeys.table, journeys.last_start_us))
    starts_at_goal = np.asarray(starts["is_goal"]).astype(bool)
    target = np.where(np.isin(target, journeys.goal), GOAL, target)
    code_of, n_folded = _states(source, ints(rows["n"]), len(log.activities))
    place = _Place(code_of, attempts)
    source_state = place.state(source, attempt)
    target_state = np.where(target < 0, target, place.state(np.maximum(target, 0), next_attempt))
    start_code = ints(starts["code"])
    start_state = np.where(starts_at_goal, GOAL, place.state(start_code, np.ones(len(start_code), np.int64)))
    used, known = _followed(source_state, target_state)
    known_start = (start_state < 0) | np.isin(start_state, used)
    if not known_start.all():
        # Of some journeys it is not known where they lead: then those that began at their side do not count either.
        known_start &= np.asarray(starts["watched"]).astype(bool)
    customers = engine.fetch(chain_sql.cell_customers_sql(journeys.table))
    cell_customers = np.zeros(len(journeys.cells), np.int64)
    cell_customers[ints(customers["cell"])] = ints(customers["n_customers"])
    unwatched = 0
    if journeys.last_start_us is not None:
        late = engine.fetch(chain_sql.n_unwatched_sql(visits))
        unwatched = int(late["n"][0])
    n = ints(rows["n"])
    return ChainCounts(
        states=place.names(used, log.activities, n_folded),
        activity=place.codes(used),
        unit=ints(rows["unit"])[known],
        cell=ints(rows["cell"])[known],
        source=np.searchsorted(used, source_state)[known],
        target=np.where(target_state < 0, target_state, np.searchsorted(used, target_state))[known],
        n=n[known],
        wait_us=floats(rows["wait_us"])[known],
        start_unit=ints(starts["unit"])[known_start],
        start_cell=ints(starts["cell"])[known_start],
        start_state=np.where(start_state < 0, start_state, np.searchsorted(used, start_state))[known_start],
        start_n=ints(starts["n"])[known_start],
        cells=journeys.cells,
        cell_customers=cell_customers,
        n_units=log.n_units,
        n_unwatched=unwatched + int(n[~known].sum()),
        n_folded=n_folded,
        buckets=log.buckets,
    )


def _followed(source: Ints, target: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """States of which it is known where they lead, and the moves between them.

    A move into a state whose visits nobody watched leads nowhere; without it, its source may lead nowhere too.
    """
    known = np.ones(len(source), bool)
    while True:
        used = np.unique(source[known])
        still = known & ((target < 0) | np.isin(target, used))
        if still.sum() == known.sum():
            return used, known
        known = still


def _attempt_rows(
    engine: DuckDBEngine, log: Canonical, journeys: Journeys, visits: str, attempts: int
) -> dict[str, NDArray[np.generic]]:
    numbered = f"({chain_sql.attempts_sql(visits, log.events, journeys.table, attempts)})"
    return engine.fetch(chain_sql.attempt_counts_sql(f"{numbered} AS numbered"))


def _states(source: Ints, n: Ints, n_activities: int) -> tuple[Ints, int]:
    """State of each code, and how many activities share the last one."""
    visits = np.bincount(source, weights=n, minlength=n_activities).astype(np.int64)
    visited = np.flatnonzero(visits)
    kept, n_folded = fold_rare(visits[visited], MAX_STATES)
    state = np.full(n_activities, len(kept) if n_folded else -1, dtype=np.int64)
    state[visited[kept]] = np.arange(len(kept))
    if n_folded == 0:
        state[state < 0] = n_activities + np.flatnonzero(state < 0)
    return state, n_folded


class _Place:
    """Numbers the states: an activity, or an activity and an attempt."""

    def __init__(self, state_of_code: Ints, attempts: int) -> None:
        self.of_code, self.attempts = state_of_code, attempts

    def state(self, code: Ints, attempt: Ints) -> Ints:
        return self.of_code[code] * self.attempts + (attempt - 1)

    def codes(self, states: Ints) -> Ints:
        first = np.full(int(self.of_code.max(initial=0)) + 1, -1, dtype=np.int64)
        shared = np.bincount(self.of_code, minlength=len(first)) > 1
        first[self.of_code] = np.arange(len(self.of_code))
        first[shared] = -1
        return first[states // self.attempts]

    def names(self, states: Ints, activities: tuple[str, ...], n_folded: int) -> tuple[str, ...]:
        base = [activities[c] if c >= 0 else f"(other, {n_folded} activities)" for c in self.codes(states)]
        if self.attempts == 1:
            return tuple(base)
        number = (states % self.attempts + 1).tolist()
        return tuple(
            f"{name} #{a}{'+' if a == self.attempts else ''}" for name, a in zip(base, number, strict=True)
        )
