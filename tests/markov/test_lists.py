"""Chains from lists give the counts of the same journeys read as a log, whatever the order of the lists."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import journeymine as jm
from journeymine.counts.chain import DROP, GOAL, ChainCounts
from journeymine.counts.sequences import SequenceCounts
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.markov.lists import count_lists

JOURNEYS = st.lists(st.lists(st.sampled_from("ABCG"), min_size=1, max_size=6), min_size=1, max_size=12)


def moves(chain: ChainCounts) -> dict[tuple[str, str], int]:
    """Moves by name."""
    names = {GOAL: "(goal)", DROP: "(dropped)"} | dict(enumerate(chain.states))
    found: Counter[tuple[str, str]] = Counter()
    for source, target, n in zip(chain.source.tolist(), chain.target.tolist(), chain.n.tolist(), strict=True):
        found[names[source], names[target]] += n
    return dict(found)


def starts(chain: ChainCounts) -> dict[str, int]:
    names = {GOAL: "(goal)"} | dict(enumerate(chain.states))
    found: Counter[str] = Counter()
    for state, n in zip(chain.start_state.tolist(), chain.start_n.tolist(), strict=True):
        found[names[state]] += n
    return dict(found)


def oracle(journeys: list[list[str]], goal: str | None) -> dict[tuple[str, str], int]:
    """Moves counted one by one."""
    found: Counter[tuple[str, str]] = Counter()
    for path in journeys:
        end = path.index(goal) if goal is not None and goal in path else None
        names = [*path[:end], "(goal)" if end is not None else "(dropped)"]
        found.update(pairwise(names))
    return dict(found)


@given(JOURNEYS, st.booleans())
def test_moves_are_those_counted_one_by_one(journeys: list[list[str]], with_goal: bool) -> None:
    goal = "G" if with_goal and any("G" in path for path in journeys) else None
    chain, sequences = count_lists(journeys, goal)
    assert moves(chain) == oracle(journeys, goal)
    assert sum(starts(chain).values()) == len(journeys) == sequences.n.sum()


@given(JOURNEYS, st.integers(0, 100))
def test_order_of_the_lists_does_not_matter(journeys: list[list[str]], seed: int) -> None:
    shuffled = journeys.copy()
    random.Random(seed).shuffle(shuffled)
    for a, b in zip(count_lists(journeys), count_lists(shuffled), strict=True):
        assert same(a, b)


def same(a: Any, b: Any) -> bool:
    return all(
        np.array_equal(getattr(a, field.name), getattr(b, field.name)) for field in dataclasses.fields(a)
    )


@given(JOURNEYS, st.lists(st.integers(0, 4), min_size=12, max_size=12))
def test_weights_are_copies(journeys: list[list[str]], weights: list[int]) -> None:
    weights = weights[: len(journeys)]
    copies = [path for path, n in zip(journeys, weights, strict=True) for _ in range(n)]
    if not copies:
        with pytest.raises(NotEnoughDataError, match="all weights are 0"):
            count_lists(journeys, weights=weights)
        return
    weighted, _ = count_lists(journeys, weights=weights)
    plain, _ = count_lists(copies)
    assert moves(weighted) == moves(plain)
    assert weighted.n_units == plain.n_units == len(copies)


def test_a_log_of_the_same_journeys_gives_the_same_counts() -> None:
    rng = random.Random(3)
    journeys = [[rng.choice("ABCG") for _ in range(rng.randint(1, 7))] for _ in range(300)]
    customers = [f"c{rng.randint(0, 80)}" for _ in journeys]
    events = pd.DataFrame(
        [
            (i, who, name, place)
            for i, (path, who) in enumerate(zip(journeys, customers, strict=True))
            for place, name in enumerate(path)
        ],
        columns=["case", "customer", "activity", "order"],
    )
    log = jm.read_log(events, case_id="case", customer_id="customer", activity="activity", order="order")
    counted = log.journeys("G").count_chain()
    chain, sequences = count_lists(journeys, "G", customers=customers)
    assert moves(counted) == moves(chain)
    assert starts(counted) == starts(chain)
    assert counted.n_units == chain.n_units == sequences.n_units == len(set(customers))
    by_unit = [np.bincount(c.unit, weights=c.n, minlength=c.n_units).tolist() for c in (counted, chain)]
    assert by_unit[0] == by_unit[1]


def test_many_journeys_are_spread_over_buckets() -> None:
    chain, sequences = count_lists([["a", "g"], ["a"]], "g", weights=[30_000, 10_000])
    assert chain.n_units == 200
    assert chain.buckets
    assert sequences.buckets
    assert moves(chain) == {("a", "(goal)"): 30_000, ("a", "(dropped)"): 10_000}
    by_bucket = np.bincount(sequences.unit, weights=sequences.n, minlength=200)
    # 40,000 journeys fall into 200 buckets: 200 each, with the spread of a Poisson number.
    assert abs(by_bucket.mean() - 200) < 1e-9
    assert 10 < by_bucket.std() < 18


def test_many_customers_are_put_into_the_buckets_of_the_engine() -> None:
    customers = [f"c{i}" for i in range(20_001)]
    chain, _ = count_lists([["a", "g"]] * len(customers), "g", customers=customers)
    events = pd.DataFrame(
        {
            "case": customers * 2,
            "activity": ["a"] * len(customers) + ["g"] * len(customers),
            "order": range(2 * len(customers)),
        }
    )
    counted = (
        jm.read_log(events, case_id="case", activity="activity", order="order").journeys("g").count_chain()
    )
    assert counted.buckets
    assert chain.n.tolist() == counted.n.tolist()


@pytest.mark.parametrize(
    ("given_", "problem"),
    [
        ("abc", "sequences is 'abc', expected a list of lists"),
        (["abc"], "sequence 0 is 'abc', expected a list of activities"),
        ([["a"], []], "sequence 1 is empty"),
        ([["a", 1.5]], "sequence 0 holds 1.5"),
        ([["a", None]], "sequence 0 holds None"),
        ({"a": 1}, "expected a list of lists"),
    ],
)
def test_other_sequences_are_refused(given_: Any, problem: str) -> None:
    with pytest.raises(OptionError, match=problem):
        count_lists(given_)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"goal": "pai"}, "goal 'pai' is not an activity of the sequences.*Hint: did you mean 'paid'"),
        ({"weights": [1]}, "weights has 1 values, expected one for each of 2"),
        ({"weights": [1, -1]}, "expected whole numbers from 0"),
        ({"weights": [1, 0.5]}, "expected whole numbers from 0"),
        ({"weights": [1, float("nan")]}, "expected whole numbers from 0"),
        ({"weights": ["a", "b"]}, "expected whole numbers from 0"),
        ({"customers": ["x"]}, "customers has 1 values, expected one for each of 2"),
    ],
)
def test_other_options_are_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(OptionError, match="(?s)" + problem):
        count_lists([["visit", "paid"], ["visit"]], **options)


def test_nothing_to_count() -> None:
    with pytest.raises(NotEnoughDataError, match="no sequence"):
        count_lists([])


def test_hostile_names_are_only_names() -> None:
    names = ["NA", "", "a -> b", "<b>", "=1+1", "line\nbreak", "🙂", "(goal)"]
    chain, sequences = count_lists([names, names[::-1]])
    assert chain.states == tuple(sorted(names))
    assert isinstance(sequences, SequenceCounts)
    assert sequences.n.sum() == 2
