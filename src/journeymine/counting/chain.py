"""Counts of the conversion chain: its visits, moves, starts and states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import codes, floats, ints
from journeymine.counts.chain import DROP, GOAL, ChainCounts, fold_rare
from journeymine.counts.keyed import followed
from journeymine.counts.sequences import OPEN
from journeymine.counts.truncation import Starts, begins_under_way
from journeymine.sql import chain as chain_sql

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys

    Ints = NDArray[np.int64]


MAX_STATES = 500
EARLY, LATER = 0, 2
COMPARED_IDLES = 2
"""Early starts are compared with those of so many `idle` after them."""


def make_visits(engine: DuckDBEngine, log: Canonical, journeys: Journeys) -> str:
    """View of the visits before the goal, columns in `sql/chain.py`."""
    name = engine.new_name("visits")
    visits = chain_sql.visits_sql(log.events, journeys.table, journeys.last_start_us, journeys.end)
    engine.execute(f"CREATE VIEW {name} AS {visits}")
    return name


def first_units(engine: DuckDBEngine, table: str, last: int) -> str:
    """View of the rows of the first units of visits or journeys."""
    name = engine.new_name("some")
    engine.execute(f"CREATE VIEW {name} AS {chain_sql.first_units_sql(table, last)}")
    return name


def count_chain(engine: DuckDBEngine, log: Canonical, journeys: Journeys, visits: str) -> ChainCounts:
    """Moves of the conversion chain by unit and cell; `counting/memory.py` has chains whose states remember.

    All journeys say where journeys start, unless some start in a state whose visits nobody watched: then only the
    watched ones do. Above 500 activities the rarest share one state; a move into a state without a watched visit
    is left out and counted as unwatched.
    """
    rows = engine.fetch(chain_sql.chain_counts_sql(visits))
    source, target = ints(rows["source"]), codes(rows["target"], DROP)
    starts = engine.fetch(
        chain_sql.starts_sql(
            log.events, journeys.table, journeys.last_start_us, borders_us=start_borders(log, journeys)
        )
    )
    starts_at_goal = np.asarray(starts["is_goal"]).astype(bool)
    target = np.where(np.isin(target, journeys.goal), GOAL, target)
    code_of, n_folded = _states(source, ints(rows["n"]), len(log.activities))
    source_state = code_of[source]
    target_state = np.where(target < 0, target, code_of[np.maximum(target, 0)])
    start_state = np.where(starts_at_goal, GOAL, code_of[ints(starts["code"])])
    used, known = followed(source_state, target_state)
    known_start = (start_state < 0) | np.isin(start_state, used)
    if not known_start.all():
        # Of some journeys it is not known where they lead: then those that began at their side do not count either.
        known_start &= np.asarray(starts["watched"]).astype(bool)
    under_way = _under_way(starts)
    n_truncated = int(ints(starts["n"])[under_way].sum())
    known_start &= ~under_way
    start_state = np.where(start_state < 0, start_state, np.searchsorted(used, start_state))
    start = _merged(ints(starts["unit"]), ints(starts["cell"]), start_state, ints(starts["n"]), known_start)
    customers = engine.fetch(chain_sql.cell_customers_sql(journeys.table))
    cell_customers = np.zeros(len(journeys.cells), np.int64)
    cell_customers[ints(customers["cell"])] = ints(customers["n_customers"])
    unwatched = 0
    if journeys.last_start_us is not None:
        late = engine.fetch(chain_sql.n_unwatched_sql(visits))
        unwatched = int(late["n"][0])
    n = ints(rows["n"])
    activity = _activities(code_of)[used]
    return ChainCounts(
        states=tuple(
            log.activities[c] if c >= 0 else f"(other, {n_folded} activities)" for c in activity.tolist()
        ),
        activity=activity,
        unit=ints(rows["unit"])[known],
        cell=ints(rows["cell"])[known],
        source=np.searchsorted(used, source_state)[known],
        target=np.where(target_state < 0, target_state, np.searchsorted(used, target_state))[known],
        n=n[known],
        wait_us=floats(rows["wait_us"])[known],
        start_unit=start[0],
        start_cell=start[1],
        start_state=start[2],
        start_n=start[3],
        cells=journeys.cells,
        cell_customers=cell_customers,
        n_units=log.n_units,
        n_unwatched=unwatched + int(n[~known].sum()),
        n_folded=n_folded,
        buckets=log.buckets,
        n_truncated=n_truncated,
    )


def _merged(
    unit: Ints, cell: Ints, state: Ints, n: Ints, kept: NDArray[np.bool_]
) -> tuple[Ints, Ints, Ints, Ints]:
    """Sum of `n` over each combination of unit, cell and state that is kept, sorted by them."""
    n_cells, n_states = int(cell.max(initial=0)) + 1, int(state.max(initial=0)) - GOAL + 1
    key = ((unit * n_cells + cell) * n_states + state - GOAL)[kept]
    found, place = np.unique(key, return_inverse=True)
    of_unit = found // n_states
    total = np.bincount(place, weights=n[kept], minlength=len(found)).astype(np.int64)
    return of_unit // n_cells, of_unit % n_cells, found % n_states + GOAL, total


def start_borders(log: Canonical, journeys: Journeys) -> tuple[int, int] | None:
    """Journeys first seen before the first time may have begun before the log does; None where that cannot be.

    They are compared with those first seen before the second time, and not with all: where journeys start changes
    with the seasons and with campaigns.

    A journey is silent for less than `idle`: one that was under way shows up within it. A `start` activity says where
    journeys begin.
    """
    if journeys.start or journeys.idle.us is None or log.first_us is None:
        return None
    return log.first_us + journeys.idle.us, log.first_us + (1 + COMPARED_IDLES) * journeys.idle.us


def state_of_code(chain: ChainCounts, n_activities: int) -> Ints:
    """State of each activity in a first-order chain; OPEN where it has none. Rare ones share the last state."""
    state = np.full(n_activities, chain.n_states - 1 if chain.n_folded else OPEN, dtype=np.int64)
    known = chain.activity >= 0
    state[chain.activity[known]] = np.flatnonzero(known)
    return state


def _under_way(starts: dict[str, NDArray[np.generic]]) -> NDArray[np.bool_]:
    """Rows of journeys that were under way when the log begins: early ones, if they start unlike later ones."""
    phase = ints(starts["phase"])
    unit, code, n = (ints(starts[name])[phase < LATER] for name in ("unit", "code", "n"))
    early = phase == EARLY
    under_way = begins_under_way(Starts(unit, code, early[phase < LATER], n))
    return np.asarray(early & under_way)


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


def _activities(state_of_code: Ints) -> Ints:
    """Activity of each state; -1 for the state that several share."""
    activity = np.full(int(state_of_code.max(initial=0)) + 1, -1, dtype=np.int64)
    shared = np.bincount(state_of_code, minlength=len(activity)) > 1
    activity[state_of_code] = np.arange(len(state_of_code))
    activity[shared] = -1
    return activity
