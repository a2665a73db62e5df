"""Counts of chains whose states remember."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import codes, floats, ints
from journeymine.counting.chain import start_borders, state_of_code
from journeymine.counts.chain import DROP, GOAL, ChainCounts
from journeymine.counts.keyed import KeyedMoves, KeyedStarts, followed, remembered
from journeymine.counts.memory import BEGIN, Memory, StateKeys
from journeymine.counts.sequences import OPEN
from journeymine.errors import NotEnoughDataError
from journeymine.sql.chain import starts_sql
from journeymine.sql.memory import memory_counts_sql

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys

    Ints = NDArray[np.int64]
    Rows = dict[str, NDArray[np.generic]]


def count_with_memory(
    engine: DuckDBEngine, log: Canonical, journeys: Journeys, visits: str, chain: ChainCounts, memory: Memory
) -> ChainCounts:
    """Moves of a chain with memory by unit and cell.

    Parameters
    ----------
    visits
        View of the visits before the goal.
    chain
        Counts of the same log without memory: its states are what is remembered.
    memory
        What states remember. Contexts hold states of `chain`.

    Raises
    ------
    NotEnoughDataError
        Time is to be remembered and the log has none.
    """
    if memory.elapsed_us and log.last_us is None:
        hint = "leave elapsed out, or read the log with a timestamp."
        raise NotEnoughDataError("the log has no times, so states cannot know the time.", hint=hint)
    text = memory_counts_sql(
        visits, depth=memory.depth, attempts=memory.attempts, borders_us=memory.elapsed_us
    )
    rows = engine.fetch(text)
    state = state_of_code(chain, len(log.activities))
    keys = StateKeys(memory, chain.states)
    moves = _moves(rows, keys, state, journeys.goal)
    return remembered(chain, keys, moves, _starts(engine, log, journeys, chain, keys, moves, state))


def _moves(rows: Rows, keys: StateKeys, state: Ints, goal: tuple[int, ...]) -> KeyedMoves:
    source, target = state[ints(rows["source"])], codes(rows["target"], DROP)
    target = np.where(np.isin(target, goal), GOAL, target)
    depth = keys.memory.depth
    before = [codes(rows[f"before_{i}"], BEGIN) for i in range(1, depth)]
    past = np.stack([source, *(np.where(b < 0, b, state[np.maximum(b, 0)]) for b in before)])
    after = np.stack([state[np.maximum(target, 0)], *past[: depth - 1]])
    own: dict[str, Ints] = {}
    following: dict[str, Ints] = {}
    if keys.memory.attempts > 1:
        own["attempt"], following["attempt"] = ints(rows["attempt"]), codes(rows["next_attempt"], 1)
    if keys.memory.elapsed_us:
        own["slice_"], following["slice_"] = ints(rows["slice"]), codes(rows["next_slice"], 0)
    # What the chain without memory could not follow leads nowhere with memory either.
    known = source >= 0
    return KeyedMoves(
        ints(rows["unit"])[known],
        ints(rows["cell"])[known],
        keys.of(past, **own)[known],
        np.where(target < 0, target, keys.of(after, **following))[known],
        ints(rows["n"])[known],
        floats(rows["wait_us"])[known],
    )


def _starts(
    engine: DuckDBEngine,
    log: Canonical,
    journeys: Journeys,
    chain: ChainCounts,
    keys: StateKeys,
    moves: KeyedMoves,
    state: Ints,
) -> KeyedStarts:
    """Where journeys start: all of them, unless some start in a state that is not followed; then the watched ones."""
    starts = KeyedStarts(chain.start_unit, chain.start_cell, _first(keys, chain.start_state), chain.start_n)
    used, _ = followed(moves.source, moves.target)
    if ((starts.state < 0) | np.isin(starts.state, used)).all():
        return starts
    borders = start_borders(log, journeys) if chain.n_truncated else None
    rows = engine.fetch(starts_sql(log.events, journeys.table, journeys.last_start_us, borders_us=borders))
    watched = np.asarray(rows["watched"]).astype(bool) & (ints(rows["phase"]) > 0)
    first = np.where(np.asarray(rows["is_goal"]).astype(bool), GOAL, state[ints(rows["code"])])
    kept = watched & (first != OPEN)
    return KeyedStarts(
        ints(rows["unit"])[kept], ints(rows["cell"])[kept], _first(keys, first[kept]), ints(rows["n"])[kept]
    )


def _first(keys: StateKeys, state: Ints) -> Ints:
    """Keys of first visits; GOAL stays."""
    past = np.full((keys.memory.depth, len(state)), BEGIN, dtype=np.int64)
    past[0] = np.maximum(state, 0)
    return np.where(state < 0, state, keys.of(past))
