"""Chains with memory from sequences: counted by hand and by plain Python, named readably, and worth their states."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.counts.chain import ChainCounts
from journeymine.counts.memory import BEGIN, Memory, StateKeys
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.markov.absorbing import absorb
from journeymine.markov.lists import chain_of_sequences, count_lists
from journeymine.markov.memory.memory import over_contexts, sequence_memory

EXACT = 1e-9
DAY_US = 86_400_000_000
JOURNEYS = st.lists(st.text("ABCG", min_size=1, max_size=9), min_size=1, max_size=12)
MEMORIES = st.builds(Memory, order=st.integers(1, 4), attempts=st.integers(1, 3))


def counted(counts: ChainCounts) -> dict[tuple[str, str], int]:
    """Moves by names."""
    ends = {-2: "(goal)", -1: "(dropped)"}
    total: Counter[tuple[str, str]] = Counter()
    for source, target, n in zip(
        counts.source.tolist(), counts.target.tolist(), counts.n.tolist(), strict=True
    ):
        total[counts.states[source], ends.get(target) or counts.states[target]] += n
    return dict(total)


def started(counts: ChainCounts) -> dict[str, int]:
    total: Counter[str] = Counter()
    for state, n in zip(counts.start_state.tolist(), counts.start_n.tolist(), strict=True):
        total["(goal)" if state < 0 else counts.states[state]] += n
    return dict(total)


def solved(counts: ChainCounts, change: dict[str, float] | None = None) -> float:
    """Conversion; `change` multiplies the share of a column (by its activity's name or an end) in every row."""
    k = counts.n_states
    table = np.zeros((k, k + 2))
    np.add.at(table, (counts.source, counts.column(counts.target)), counts.n)
    rows = table / table.sum(axis=1, keepdims=True)
    return _converted(rows, counts, change or {})


def _converted(rows: np.ndarray, counts: ChainCounts, change: dict[str, float]) -> float:
    k = counts.n_states
    names = [*(state.split(" ")[0] for state in counts.states), "(goal)", "(dropped)"]
    for name, factor in change.items():
        here = np.array([other == name for other in names])
        share = rows[:, here].sum(axis=1)
        rest = np.divide(1 - factor * share, 1 - share, out=np.ones(k), where=share < 1)
        rows = np.where(here, rows * factor, rows * rest[:, None])
    start = np.zeros(k)
    moved = counts.start_state >= 0
    np.add.at(start, counts.start_state[moved], counts.start_n[moved])
    at_goal = counts.start_n[~moved].sum() / counts.n_starts
    return float(absorb(rows[:, :k], rows[:, k], start / counts.n_starts, at_goal).conversion)


# ------------------------------------------------------------------------------------------------- counted by hand


def test_second_order_counted_by_hand() -> None:
    _, journeys = count_lists([["form", "pay", "pay", "paid"], ["pay", "form"], ["pay", "paid"]], goal="paid")
    counts = sequence_memory(journeys, Memory(order=2))
    assert counts.states == (
        "form at the start",
        "form after pay",
        "pay at the start",
        "pay after form",
        "pay after pay",
    )
    assert counted(counts) == {
        ("form at the start", "pay after form"): 1,
        ("pay after form", "pay after pay"): 1,
        ("pay after pay", "(goal)"): 1,
        ("pay at the start", "form after pay"): 1,
        ("form after pay", "(dropped)"): 1,
        ("pay at the start", "(goal)"): 1,
    }
    assert started(counts) == {"form at the start": 1, "pay at the start": 2}
    assert counts.activity.tolist() == [0, 0, 1, 1, 1]
    assert (counts.wait_us == 0).all()


def test_attempts_counted_by_hand() -> None:
    """The same as in the chain of a log: tests/markov/test_chain.py."""
    paths = ["PPPPG", "PPG", "PPP", "PG", "QPQPG", "Q"]
    counts = sequence_memory(count_lists([list(path) for path in paths], goal="G")[1], Memory(attempts=3))
    assert counts.states == ("P #1", "P #2", "P #3+", "Q #1", "Q #2")
    assert counted(counts)["P #3+", "P #3+"] == 1
    assert counted(counts)["P #1", "Q #2"] == 1
    assert counted(counts)["Q #2", "P #2"] == 1


def test_contexts_counted_by_hand() -> None:
    _, journeys = count_lists([["a", "b", "c"], ["b", "c"], ["c"], ["b", "b", "c"]])
    memory = Memory(contexts=((0,), (2,), (1, 2), (BEGIN, 1, 2)))
    counts = sequence_memory(journeys, memory)
    assert counts.states == ("a", "b", "c otherwise", "c after b otherwise", "c after b at the start")
    assert counted(counts) == {
        ("a", "b"): 1,
        ("b", "c after b otherwise"): 2,
        ("b", "c after b at the start"): 1,
        ("b", "b"): 1,
        ("c otherwise", "(dropped)"): 1,
        ("c after b otherwise", "(dropped)"): 2,
        ("c after b at the start", "(dropped)"): 1,
    }


def test_names_of_times_attempts_and_long_memories() -> None:
    keys = StateKeys(Memory(order=3, attempts=2, elapsed_us=(DAY_US, 90 * DAY_US)), ("Form", "Pay"))
    past = np.array([[1, 1, 1, 0], [0, BEGIN, 1, 1], [1, BEGIN, BEGIN, 0]])
    assert keys.names(keys.of(past, np.array([1, 1, 2, 7]), np.array([0, 1, 2, 0]))) == (
        "Pay #1 after Form after Pay (before 1 d)",
        "Pay #1 at the start (1 d to 90 d)",
        "Pay #2+ after Pay at the start (after 90 d)",
        "Form #2+ after Pay after Form (before 1 d)",
    )
    short = StateKeys(Memory(elapsed_us=(1_500_000, 90 * 60_000_000)), ("Pay",))
    assert short.names(short.of(np.zeros((1, 3), np.int64), 1, np.arange(3))) == (
        "Pay (before 1.5 s)",
        "Pay (1.5 s to 90 min)",
        "Pay (after 90 min)",
    )


def test_hostile_names_stay_different() -> None:
    states = ("Form", "Pay", "Pay after Form", '<b>"\n', "NA")
    keys = StateKeys(Memory(order=2), states)
    past = np.array([[1, 2, 2, 3, 4], [0, BEGIN, 0, 3, BEGIN]])
    names = keys.names(keys.of(past))
    assert len(set(names)) == 5
    tree = StateKeys(Memory(contexts=((0,), (1,), (0, 1), (2,))), states)
    names = tree.names(tree.of(np.array([[1, 2], [0, 0]])))
    assert names == ("Pay after Form", "Pay after Form (2)")


# ------------------------------------------------------------------------------------------------- plain Python


def plain(paths: list[str], memory: Memory) -> tuple[Counter[tuple[str, str]], Counter[str]]:
    """Moves and starts between states written as text."""
    moves: Counter[tuple[str, str]] = Counter()
    starts: Counter[str] = Counter()
    for path in paths:
        before, goal, _ = path.partition("G")
        names = []
        for at, letter in enumerate(before):
            attempt = min(before[: at + 1].count(letter), memory.attempts)
            name = letter
            if memory.attempts > 1:
                name += f" #{attempt}{'+' if attempt == memory.attempts else ''}"
            for back in range(1, memory.order):
                if back > at:
                    name += " at the start"
                    break
                name += f" after {before[at - back]}"
            names.append(name)
        names.append("(goal)" if goal else "(dropped)")
        starts[names[0]] += 1
        moves.update(pairwise(names))
    return moves, starts


@given(JOURNEYS, MEMORIES)
@settings(max_examples=80, deadline=None)
def test_equals_plain_python(paths: list[str], memory: Memory) -> None:
    _, journeys = count_lists([list(path) for path in [*paths, "AG"]], goal="G")
    counts = sequence_memory(journeys, memory)
    moves, starts = plain([*paths, "AG"], memory)
    assert counted(counts) == dict(moves)
    assert started(counts) == dict(starts)
    assert len(set(counts.states)) == counts.n_states


@given(JOURNEYS, MEMORIES)
@settings(max_examples=40, deadline=None)
def test_any_memory_keeps_conversion_and_visits(paths: list[str], memory: Memory) -> None:
    """The maximum-likelihood chain reproduces the share that converts, whatever its states remember."""
    paths = [*paths, "AG"]
    chain, journeys = count_lists([list(path) for path in paths], goal="G")
    counts = sequence_memory(journeys, memory)
    assert solved(counts) == pytest.approx(sum("G" in path for path in paths) / len(paths), abs=EXACT)
    visits = np.bincount(counts.activity[counts.source], weights=counts.n, minlength=chain.n_states)
    assert visits.tolist() == np.bincount(chain.source, weights=chain.n, minlength=chain.n_states).tolist()


@given(JOURNEYS)
@settings(max_examples=30, deadline=None)
def test_no_memory_is_the_plain_chain(paths: list[str]) -> None:
    _, journeys = count_lists([list(path) for path in [*paths, "AG"]], goal="G")
    counts, chain = sequence_memory(journeys, Memory()), chain_of_sequences(journeys)
    assert Memory().plain
    assert counts.states == chain.states
    assert counted(counts) == counted(chain)
    assert started(counts) == started(chain)
    assert counts.n_unwatched == 0


def test_over_contexts() -> None:
    _, journeys = count_lists([["a", "b", "paid"], ["b"], ["b", "b", "paid"]], goal="paid")
    counts = sequence_memory(journeys, Memory(order=2))
    assert counts.states == ("a at the start", "b at the start", "b after a", "b after b")
    table = np.array([[1.0, 0.25, 0.5, 0.0], [0.0, 1.0, 1.0, 1.0]])
    np.testing.assert_allclose(over_contexts(counts, table), [[1.0, (0.25 * 2 + 0.5) / 4], [0.0, 1.0]])


# --------------------------------------------------------------------------------------------------- what it is for


def test_a_fix_in_a_world_with_memory() -> None:
    """Who failed once fails again: halving failures is worth more than a chain without memory thinks.

    Try goes to Goal or Fail; after Fail, most try again and most fail again. The truth is the exact chain.
    """
    names = ("Try at the start", "Try after Fail", "Fail after Try")
    truth = np.array(
        # Try ., Try F, Fail T, goal, drop
        [[0.0, 0.0, 0.5, 0.5, 0.0], [0.0, 0.0, 0.85, 0.05, 0.1], [0.0, 0.7, 0.0, 0.0, 0.3]]
    )
    rng = np.random.default_rng(11)
    paths = []
    for _ in range(12_000):
        path, row = ["Try"], 0
        while row < 3:
            row = int(rng.choice(5, p=truth[row]))
            path += {1: ["Try"], 2: ["Fail"], 3: ["Goal"]}.get(row, [])
        paths.append(path)
    _, journeys = count_lists(paths, goal="Goal")
    second, first = sequence_memory(journeys, Memory(order=2)), sequence_memory(journeys, Memory())
    fix = {"Fail": 0.5}
    exact = ChainCounts(
        names, np.arange(3), *([np.zeros(0, np.int64)] * 5), np.zeros(0), np.zeros(1, np.int64), np.zeros(1, np.int64),
        np.zeros(1, np.int64), np.ones(1, np.int64), ((),), np.ones(1, np.int64), 1,
    )  # fmt: skip
    after = _converted(truth, exact, fix)
    # 12,000 journeys: a standard error of half a point; the plain chain is off by several.
    assert solved(second, fix) == pytest.approx(after, abs=0.015)
    assert abs(solved(first, fix) - after) > 0.03
    assert solved(first) == pytest.approx(solved(second), abs=EXACT)


# -------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "options",
    [
        {"order": 0},
        {"order": True},
        {"order": 1.5},
        {"attempts": 0},
        {"order": 2, "contexts": ((0,),)},
        {"contexts": ((0,), ())},
        {"elapsed_us": (5, 5)},
        {"elapsed_us": (0,)},
        {"elapsed_us": (7, 3)},
    ],
)
def test_values_that_cannot_be_used(options: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        Memory(**options)  # type: ignore[arg-type]


def test_contexts_of_another_chain() -> None:
    for context in ((2,), (BEGIN,), (0, BEGIN, 1), (-1, 0)):
        with pytest.raises(OptionError, match="no run of the 2 states"):
            StateKeys(Memory(contexts=(context,)), ("a", "b"))


def test_too_long_a_memory() -> None:
    with pytest.raises(OptionError, match="too long"):
        StateKeys(Memory(order=8), tuple(str(i) for i in range(500)))


def test_sequences_have_no_times() -> None:
    _, journeys = count_lists([["a"]])
    with pytest.raises(NotEnoughDataError, match="no times"):
        sequence_memory(journeys, Memory(elapsed_us=(DAY_US,)))
