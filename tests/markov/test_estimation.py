"""The pooled chain: counted by hand, with priors and structural zeros, reweighted, and its Dirichlet posterior."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.errors import OptionError
from journeymine.markov.estimation import ChainModel, posterior_rows
from journeymine.markov.fit import fit_chain
from journeymine.markov.lists import count_lists
from journeymine.markov.priors import Prior

if TYPE_CHECKING:
    from journeymine.counts.chain import ChainCounts

EXACT = 1e-9
"""Rounding, and the leak of 1e-12 a move."""
JOURNEYS = [["a", "b", "G"], ["a", "a", "b"], ["b", "G"], ["a"], ["G"], ["b", "a", "b", "a"]]
WEIGHTS = [3, 2, 4, 1, 2, 1]


def counted(customers: list[str] | None = None) -> ChainCounts:
    return count_lists(JOURNEYS, goal="G", weights=WEIGHTS, customers=customers)[0]


def by_hand(weights: list[int], prior: Fraction = Fraction(0)) -> list[list[Fraction] | None]:
    """Rows a and b over columns a, b, goal, drop, the prior on edges that occur; None where nobody was."""
    n = [[Fraction(0)] * 4 for _ in range(2)]
    for path, times in zip(JOURNEYS, weights, strict=True):
        visits = [x for x in path if x != "G"]
        ends = [*("ab".index(x) for x in visits[1:]), 2 if "G" in path else 3]
        for x, y in zip(visits, ends, strict=False):
            n["ab".index(x)][y] += times
    seen = [[True, True, False, True], [True, False, True, True]]
    added = [[v + prior * s for v, s in zip(*pair, strict=True)] for pair in zip(n, seen, strict=True)]
    return [[v / sum(row) for v in row] if sum(row) else None for row in added]


def test_maximum_likelihood_by_hand() -> None:
    point = ChainModel(counted()).point()
    np.testing.assert_allclose(point.moves, np.array(by_hand(WEIGHTS), dtype=float), atol=EXACT)
    np.testing.assert_allclose(point.start, [6 / 13, 5 / 13])
    assert point.start_at_goal == pytest.approx(2 / 13)
    # The chain's conversion is the observed one: 3 + 4 + 2 of 13 journeys.
    assert float(point.solved.conversion) == pytest.approx(9 / 13, abs=EXACT)


@given(st.lists(st.integers(0, 5), min_size=6, max_size=6), st.fractions(0, 3, max_denominator=8))
@settings(max_examples=60, deadline=None)
def test_reweighted_units_equal_counting_again(times: list[int], prior: Fraction) -> None:
    """A draw that takes a customer twice is the log with that customer twice; rows nobody left are as in the log."""
    counts = counted([str(i) for i in range(6)])
    found = ChainModel(counts, prior=Prior(float(prior))).solve(np.array([times], dtype=float))
    whole = by_hand(WEIGHTS, prior)
    rows = by_hand([w * t for w, t in zip(WEIGHTS, times, strict=True)], prior)
    for row in range(2):
        expected = whole[row] if rows[row] is None else rows[row]
        np.testing.assert_allclose(found.moves[0, row], np.array(expected, dtype=float), atol=EXACT)


def test_points_of_fit_chain_are_those_of_the_model() -> None:
    counts = counted()
    chain, model = fit_chain(counts, n_draws=200, seed=3), ChainModel(counts)
    point = model.point()
    assert np.array_equal(chain.point.moves, point.moves)
    assert np.array_equal(chain.point.solved.visits, point.solved.visits)
    assert np.array_equal(chain.edges, model.edges)
    drawn = [found.moves for _, found in model.draws(200, 3)]
    assert sum(len(moves) for moves in drawn) == 200
    assert drawn[0].shape[1:] == point.moves.shape


def test_prior_and_allowed_edges() -> None:
    counts = counted()
    seen = ChainModel(counts, prior=Prior(0.5)).point().moves
    np.testing.assert_allclose(seen, np.array(by_hand(WEIGHTS, Fraction(1, 2)), dtype=float), atol=EXACT)
    assert seen[0, 2] == seen[1, 1] == 0.0
    every = ChainModel(counts, prior=Prior(0.5, allowed="all", forbidden=(("b", "b"),)))
    assert every.point().moves[1, 1] == 0.0
    assert every.point().moves[0, 2] > 0.0
    assert len(every.edges) == 7
    more = ChainModel(counts, prior=Prior(0.5, allowed=(("a", "(goal)"),))).point().moves
    assert more[0, 2] > 0.0
    assert more[1, 1] == 0.0
    np.testing.assert_allclose([m.sum(axis=1) for m in (seen, more)], 1.0)


def test_structural_zeros_stay_zero_in_every_draw() -> None:
    model = ChainModel(
        counted([str(i) for i in range(6)]), prior=Prior(1.0, allowed="all", forbidden=(("b", "b"),))
    )
    for _, found in model.draws(50, 0):
        assert np.all(found.moves[:, 1, 1] == 0.0)
        np.testing.assert_allclose(found.moves.sum(axis=2), 1.0)


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ({"weight": -1.0}, "prior is -1.0"),
        ({"weight": float("nan")}, "prior is nan"),
        ({"weight": True}, "prior is True"),
        ({"allowed": "some"}, "allowed is 'some'"),
        ({"forbidden": (("a", "b"),)}, "forbidden holds 'a' to 'b', which occurs"),
        ({"forbidden": (("a", "x"),)}, "'x', which is not a state"),
        ({"allowed": (("(goal)", "a"),)}, "'\\(goal\\)', which is not a state"),
        ({"forbidden": ("ab",)}, "expected a pair of names"),
    ],
)
def test_priors_that_cannot_be(prior: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        ChainModel(counted(), prior=Prior(**prior))  # type: ignore[arg-type]


def test_order_zero_gives_every_state_the_shares_of_all_targets() -> None:
    counts = counted()
    pooled = ChainModel(counts, pool_rows=True)
    moves = pooled.point().moves
    total = np.bincount(counts.column(counts.target), weights=counts.n, minlength=4)
    np.testing.assert_allclose(moves, np.broadcast_to(total / total.sum(), (2, 4)), atol=EXACT)
    assert len(pooled.edges) == 8
    timed = dataclasses.replace(counts, wait_us=counts.n * 2e6)
    np.testing.assert_allclose(ChainModel(timed, pool_rows=True).point().wait_s, 2.0)


def test_columns_are_checked() -> None:
    model = ChainModel(counted())
    assert model.columns(["b", "(goal)", "b"], "targets") == [1, 2]
    assert model.columns("a", "targets") == [0]
    with pytest.raises(OptionError, match="targets is empty"):
        model.columns([], "targets")
    with pytest.raises(OptionError, match="targets holds 'bb'"):
        model.columns(["bb"], "targets")


# ---------------------------------------------------------------------------------------------- the posterior


def test_posterior_of_independent_journeys_is_dirichlet() -> None:
    """Means and variances of Dirichlet(n + prior), the closed form."""
    n = np.array([60, 25, 15])
    paths = [["a", "G"]] * 60 + [["a", "b"]] * 25 + [["a"]] * 15
    counts, _ = count_lists(paths, goal="G", customers=[str(i) for i in range(100)])
    drawn = posterior_rows(counts, Prior(0.5), n_draws=20_000)[:, 0, [2, 1, 3]]
    alpha = n + 0.5
    mean, total = alpha / alpha.sum(), alpha.sum()
    error = 5 / np.sqrt(20_000)
    # One customer a journey: the design effect is 100 / 99.
    np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=0.1 * error)
    np.testing.assert_allclose(drawn.var(axis=0), mean * (1 - mean) / (total + 1), rtol=error + 0.02)


def test_posterior_of_repeating_customers_is_wider() -> None:
    """Four copies of every journey by the same customer: as sure as one copy, not four."""
    paths = [["a", "G"]] * 60 + [["a"]] * 40
    names = [f"{i:03d}" for i in range(100)]
    once, _ = count_lists(paths, goal="G", customers=names)
    again, _ = count_lists(paths * 4, goal="G", customers=names * 4)
    spread = [posterior_rows(c, n_draws=20_000)[:, 0, 1].std() for c in (once, again)]
    assert spread[1] == pytest.approx(spread[0], rel=0.03)


def test_posterior_keeps_zeros_and_sums_to_one() -> None:
    drawn = posterior_rows(counted(), Prior(0.3, allowed="all", forbidden=(("b", "b"),)), n_draws=100, seed=1)
    assert np.all(drawn[:, 1, 1] == 0.0)
    assert np.all(drawn[:, 0, 2] > 0.0)
    np.testing.assert_allclose(drawn.sum(axis=2), 1.0)
    assert np.array_equal(
        drawn,
        posterior_rows(counted(), Prior(0.3, allowed="all", forbidden=(("b", "b"),)), n_draws=100, seed=1),
    )
