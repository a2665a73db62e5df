"""Likelihoods of orders: published numbers, a plain-Python oracle, and what every order shares."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.markov.lists import count_lists
from journeymine.markov.memory.order_likelihood import (
    context_path,
    folds_of_units,
    free_parameters,
    log_likelihood,
    ordered_moves,
    smoothed_levels,
)

FOUR_DIGITS = 5.1e-5
"""The reference is printed to four digits."""
ROUNDING = 1e-9
CLICKSTREAM = ["hccpchcppcppo", "icicccd", "hicicpccpccid", "ccpcd", "hccppcpppipo", "ihccppcpcd"]
JOURNEYS = st.lists(st.text("ABCG", min_size=1, max_size=8), min_size=1, max_size=15)


def test_clickstream_reference() -> None:
    """54 transitions among the states; the ends d and o are states that nothing follows."""
    _, journeys = count_lists([list(path) for path in CLICKSTREAM])
    moves = ordered_moves(journeys, 1, ends=False)
    assert moves.n.sum() == 54
    assert log_likelihood(moves.levels[1], moves.cells(1)) == pytest.approx(-64.1893, abs=FOUR_DIGITS)
    assert log_likelihood(moves.levels[0], moves.cells(0)) == pytest.approx(-74.6023, abs=FOUR_DIGITS)


def plain_moves(paths: list[str], depth: int) -> Counter[tuple[str, str]]:
    """(context of a depth, target), by plain Python; "^" before the start, "+" and "." the ends."""
    moves: Counter[tuple[str, str]] = Counter()
    for path in paths:
        before, goal, _ = path.partition("G")
        whole = "^" * depth + before
        for at, target in enumerate([*before[1:], "+" if goal else "."] if before else []):
            moves[whole[at + 1 : at + 1 + depth], target] += 1
    return moves


@given(JOURNEYS)
@settings(max_examples=60, deadline=None)
def test_likelihoods_equal_plain_python(paths: list[str]) -> None:
    paths = [*paths, "AG"]
    _, journeys = count_lists([list(path) for path in paths], goal="G")
    moves = ordered_moves(journeys, 4)
    followers = plain_moves(paths, 1)
    for depth in range(5):
        counted = plain_moves(paths, depth)
        total: Counter[str] = Counter()
        for (context, _), n in counted.items():
            total[context] += n
        expected = sum(n * math.log(n / total[context]) for (context, _), n in counted.items())
        level, cells = moves.levels[depth], moves.cells(depth)
        assert log_likelihood(level, cells) == pytest.approx(expected, abs=ROUNDING)
        assert level.n_contexts == len(total)
        assert cells.sum() == moves.n.sum() == sum(counted.values())
        if depth:
            names = {
                "".join("^" if s < 0 else journeys.states[s] for s in context_path(moves, depth, c))
                for c in range(level.n_contexts)
            }
            assert names == set(total)
            seen = Counter(source for source, _ in followers)
            assert free_parameters(moves, depth).sum() == sum(seen[context[-1]] - 1 for context in total)


@given(JOURNEYS)
@settings(max_examples=40, deadline=None)
def test_smoothed_shares_sum_to_one(paths: list[str]) -> None:
    """Over all targets, seen after the context or not: what is unseen keeps the share of the shorter context."""
    _, journeys = count_lists([list(path) for path in [*paths, "AG"]], goal="G")
    moves = ordered_moves(journeys, 3)
    learn = np.arange(len(moves.n)) % 3 > 0
    levels = smoothed_levels(moves, moves.deepest(learn))
    assert levels[0].sum() == pytest.approx(1.0, abs=ROUNDING)
    for level, shares in zip(moves.levels[1:], levels[1:], strict=True):
        assert ((shares > 0) & (shares <= 1)).all()
        assert (level.totals(shares) <= 1 + ROUNDING).all()


def test_contexts_that_tell_nothing_are_not_believed() -> None:
    """With moves that depend on nothing, the shares of long contexts are those of order 0."""
    rng = np.random.default_rng(1)
    paths = ["".join(rng.choice(list("ABCDE"), rng.geometric(0.2))) for _ in range(1500)]
    _, journeys = count_lists([list(path) for path in paths])
    moves = ordered_moves(journeys, 3)
    shares = smoothed_levels(moves, moves.deepest())
    level = moves.levels[3]
    flat = level.column
    zero = dict(zip(moves.levels[0].column.tolist(), shares[0].tolist(), strict=True))
    gap = np.abs(shares[3] - np.array([zero[c] for c in flat.tolist()]))
    raw = moves.cells(3) / level.totals(moves.cells(3))[level.context_of]
    assert gap.mean() < 0.02 < np.abs(raw - shares[3]).mean()


def test_folds_keep_units_whole_and_even() -> None:
    fold = folds_of_units(23, 4)
    assert sorted(np.bincount(fold).tolist()) == [4, 4, 5, 5, 5]
    assert (fold == folds_of_units(23, 4)).all()
    assert (fold != folds_of_units(23, 5)).any()
    assert set(folds_of_units(3, 0).tolist()) == {0, 1, 2}


def test_long_contexts_of_many_states_do_not_overflow() -> None:
    """400 states and six visits do not fit one integer; contexts are numbered step by step."""
    rng = np.random.default_rng(2)
    lists = [[f"s{i}" for i in rng.integers(0, 400, 8)] for _ in range(60)]
    _, journeys = count_lists(lists)
    moves = ordered_moves(journeys, 7)
    different = {
        tuple(path[max(0, at - 6) : at + 1]) + (at < 7,) * (at < 6) for path in lists for at in range(8)
    }
    assert moves.levels[7].n_contexts == len(different)
    assert moves.n.sum() == 480


def test_clear_errors() -> None:
    _, journeys = count_lists([["A", "B"]])
    with pytest.raises(OptionError, match="whole number from 1"):
        ordered_moves(journeys, 0)
    _, only_goal = count_lists([["G"]], goal="G")
    with pytest.raises(NotEnoughDataError, match="no move"):
        ordered_moves(only_goal, 2)
