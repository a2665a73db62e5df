"""Chains with memory counted in the engine: against the chain of attempts, against sequences, and by hand."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import journeymine as jm
from journeymine.counting.memory import count_with_memory
from journeymine.counting.sequences import count_sequences
from journeymine.counts.memory import BEGIN, Memory
from journeymine.errors import NotEnoughDataError
from journeymine.markov.memory.memory import sequence_memory

if TYPE_CHECKING:
    from journeymine.counts.chain import ChainCounts

START = dt.datetime(2026, 1, 1)
HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
THREE = [[0.20, 0.50, 0.00, 0.05, 0.25], [0.10, 0.00, 0.60, 0.00, 0.30], [0.00, 0.15, 0.10, 0.55, 0.20]]
MEMORIES = [
    Memory(),
    Memory(order=2),
    Memory(order=3),
    Memory(attempts=2),
    Memory(attempts=3),
    Memory(order=2, attempts=2),
    Memory(contexts=((0,), (1,), (2,), (0, 1), (BEGIN, 0), (2, 1, 2))),
]


def frame(cases: dict[str, str], *, hours: float = 1.0) -> pd.DataFrame:
    """Cases as strings of one-letter activities, an hour apart; all begin at once."""
    rows = [
        (case, letter, START + dt.timedelta(hours=hours * at), at)
        for case, path in cases.items()
        for at, letter in enumerate(path)
    ]
    return pd.DataFrame(rows, columns=["case", "activity", "time", "order"])


def log_of(events: pd.DataFrame, *, idle: str = "1h", closed: bool = True, **options: Any) -> jm.EventLog:
    """A log in which nothing is open, as one journey starts with the goal long after the others, or is."""
    late = pd.DataFrame(
        {"case": ["zz"], "activity": ["G"], "time": [START + dt.timedelta(days=900)], "order": [0]}
    )
    log = jm.read_log(
        pd.concat([events, late]) if closed else events,
        case_id="case",
        activity="activity",
        timestamp="time",
        order="order",
        threads=1,
    )
    return log.journeys("G", idle=idle, **options)


def open_log(seed: int = 5, segments: bool = False) -> jm.EventLog:
    """Four in ten journeys are open; customers have several."""
    world = jm.simulate.sample_chain(
        THREE,
        [0.5, 0.3, 0.2],
        1500,
        seed,
        open_share=0.4,
        cases_per_customer=3.0,
        wait_days=[[1, 2, 3, 8]] * 3,
    )
    events = world.events.assign(side=np.where(world.events["customer_id"].str.len() % 2, "left", "right"))
    log = jm.read_log(
        events,
        case_id="case_id",
        customer_id="customer_id",
        activity="activity",
        timestamp="timestamp",
        threads=1,
    )
    return log.journeys("Goal", idle="30d", segments=["side"] if segments else [])


def with_memory(log: jm.EventLog, memory: Memory) -> ChainCounts:
    assert log.found is not None
    return count_with_memory(log.engine, log.canonical, log.found, log._visits, log.count_chain(), memory)


def moves(counts: ChainCounts, *, waits: bool = True) -> dict[tuple[Any, ...], tuple[int, float]]:
    """Everything that is counted of moves, by unit, cell and names."""
    total: dict[tuple[Any, ...], tuple[int, float]] = {}
    rows = zip(
        counts.unit.tolist(), counts.cell.tolist(), counts.source.tolist(), counts.target.tolist(), counts.n.tolist(),
        counts.wait_us.tolist(), strict=True,
    )  # fmt: skip
    for unit, cell, source, target, n, wait in rows:
        key = (unit, cell, counts.states[source], counts.states[target] if target >= 0 else target)
        before = total.get(key, (0, 0.0))
        total[key] = (before[0] + n, before[1] + wait * waits)
    return total


def starts(counts: ChainCounts) -> Counter[tuple[Any, ...]]:
    total: Counter[tuple[Any, ...]] = Counter()
    for unit, cell, state, n in zip(
        counts.start_unit.tolist(), counts.start_cell.tolist(), counts.start_state.tolist(), counts.start_n.tolist(),
        strict=True,
    ):  # fmt: skip
        total[unit, cell, counts.states[state] if state >= 0 else state] += n
    return total


@pytest.mark.parametrize("attempts", [1, 2, 3])
@pytest.mark.parametrize("segments", [False, True])
def test_attempts_equal_the_chain_of_attempts(attempts: int, segments: bool) -> None:
    """Open journeys, several customers' journeys, segments: everything is equal, waits too."""
    log = open_log(segments=segments)
    ours, chain = with_memory(log, Memory(attempts=attempts)), log.count_chain(attempts)
    assert ours.states == chain.states
    assert ours.activity.tolist() == chain.activity.tolist()
    assert moves(ours) == moves(chain)
    assert starts(ours) == starts(chain)
    assert ours.n_unwatched == chain.n_unwatched > 100
    assert ours.cells == chain.cells
    assert (ours.cell_customers == chain.cell_customers).all()


@pytest.mark.parametrize("memory", MEMORIES, ids=str)
def test_log_and_sequences_agree(memory: Memory) -> None:
    """The moves of watched visits, also where four in ten journeys are open."""
    log = open_log(segments=True)
    assert log.found is not None
    chain = log.count_chain()
    journeys = count_sequences(log.engine, log.canonical, log.found, log._visits, chain)
    ours, lists = with_memory(log, memory), sequence_memory(journeys, memory)
    assert ours.states == lists.states
    assert moves(ours, waits=False) == moves(lists)
    assert (ours.activity == chain.activity[lists.activity]).all()
    # Every wait is counted, but those of moves into contexts whose visits nobody watched.
    assert ours.n.sum() + ours.n_unwatched == chain.n.sum() + chain.n_unwatched


CASES = st.dictionaries(
    st.integers(0, 40).map(str), st.text("ABCG", min_size=1, max_size=7), min_size=1, max_size=12
)


@given(CASES, st.sampled_from([*MEMORIES[:-1], Memory(order=4, attempts=2)]))
@settings(max_examples=8, deadline=None)
def test_closed_logs_and_sequences_agree_in_everything(cases: dict[str, str], memory: Memory) -> None:
    log = log_of(frame(cases | {"goal": "AG"}))
    assert log.found is not None
    chain = log.count_chain()
    journeys = count_sequences(log.engine, log.canonical, log.found, log._visits, chain)
    ours, lists = with_memory(log, memory), sequence_memory(journeys, memory)
    assert ours.states == lists.states
    assert moves(ours, waits=False) == moves(lists)
    assert starts(ours) == starts(lists)


def test_times_counted_by_hand() -> None:
    """An hour a move; borders after 2 and after 3 hours of a journey, whose clock starts at its own beginning."""
    events = frame({"1": "AAAAAG", "2": "AAB", "3": "A"})
    events.loc[events["case"] == "2", "time"] += dt.timedelta(days=3)
    counts = with_memory(log_of(events, idle="2h"), Memory(elapsed_us=(2 * HOUR_US, 3 * HOUR_US)))
    before, between, after = "A (before 2 h)", "A (2 h to 3 h)", "A (after 3 h)"
    assert counts.states == (before, between, after, "B (2 h to 3 h)")
    total: Counter[tuple[str, Any]] = Counter()
    waits: Counter[tuple[str, Any]] = Counter()
    for (_, _, source, target), (n, wait) in moves(counts).items():
        total[source, target] += n
        waits[source, target] += wait
    assert total == {
        (before, before): 2,
        (before, between): 1,
        (between, after): 1,
        (after, after): 1,
        (after, -2): 1,
        (before, "B (2 h to 3 h)"): 1,
        ("B (2 h to 3 h)", -1): 1,
        (before, -1): 1,
    }
    assert waits[before, before] == 2 * HOUR_US
    assert sorted((str(state), n) for (_, _, state), n in starts(counts).items()) == [
        ("-2", 1), *[(before, 1)] * 3,
    ]  # fmt: skip


def test_what_came_before_the_start_is_not_remembered() -> None:
    """Journeys begin at the start activity: neither the attempt nor the visit before reaches behind it."""
    log = log_of(frame({"1": "PSPG", "2": "SPPG", "3": "S"}), start="S")
    second = with_memory(log, Memory(order=2, attempts=2))
    assert second.states == ("P #2+ after P", "P #1 after S", "S #1 at the start")


def test_unwatched_visits_are_remembered_but_do_not_count() -> None:
    """A context met only by visits that nobody watched has no state; moves into it lead nowhere known."""
    events = frame({"1": "AB", "2": "AB", "3": "AB"})
    events.loc[events["case"] == "3", "time"] += dt.timedelta(days=60)
    late = frame({"4": "BA"}, hours=24.0)
    late["time"] += dt.timedelta(days=59)
    log = log_of(pd.concat([events, late, frame({"5": "AG"})]), idle="1d", closed=False)
    plain, second = log.count_chain(), with_memory(log, Memory(order=2))
    assert plain.states == ("A", "B")
    # "A after B" was begun by case 4 only, at the end of the log, and "B at the start" led nowhere else.
    assert second.states == ("A at the start", "B after A")
    assert second.n_unwatched == plain.n_unwatched + 1
    # Case 4 starts in a state of which it is not known where it leads: then starts nobody watched do not count either.
    assert plain.n_starts == 5
    assert second.n_starts == 3


def test_folded_activities_share_a_state() -> None:
    cases = {f"c{i}": [f"page {i:03}", "page 000", "G"] if i % 3 else [f"page {i:03}"] for i in range(620)}
    rows = [
        (case, name, START + dt.timedelta(hours=at), at)
        for case, path in cases.items()
        for at, name in enumerate(path)
    ]
    log = log_of(pd.DataFrame(rows, columns=["case", "activity", "time", "order"]))
    counts = with_memory(log, Memory(order=2))
    assert counts.n_folded == 121
    assert "page 000 after (other, 121 activities)" in counts.states
    assert "(other, 121 activities) at the start" in counts.states
    assert counts.n_visits == log.count_chain().n_visits


def test_a_log_without_times_has_none_to_remember() -> None:
    events = frame({"1": "ABG", "2": "A"})
    log = jm.read_log(events, case_id="case", activity="activity", order="order", threads=1).journeys("G")
    with pytest.raises(NotEnoughDataError, match="no times"):
        with_memory(log, Memory(elapsed_us=(DAY_US,)))
    assert with_memory(log, Memory(order=2)).states == ("A at the start", "B after A")


def test_shuffled_rows_change_nothing() -> None:
    events = frame({f"c{i}": "ABCAB"[: 1 + i % 5] + ("G" if i % 2 else "") for i in range(30)})
    found = [
        with_memory(log_of(rows), Memory(order=2)) for rows in (events, events.sample(frac=1, random_state=1))
    ]
    for name in ("states", "source", "target", "n", "unit", "cell", "start_state", "start_n"):
        np.testing.assert_array_equal(getattr(found[0], name), getattr(found[1], name))
