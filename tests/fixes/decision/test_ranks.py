"""Ranks: who is best how often, and the places that each fix could hold, simultaneously at 95 %."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.fixes.decision.ranks import rank_intervals, share_best


def true_ranks(effect: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Best and worst place that each effect may claim: equal effects share their places."""
    better = (effect[None, :] > effect[:, None]).sum(axis=1)
    equal = (effect[None, :] == effect[:, None]).sum(axis=1)
    return 1 + better, better + equal


def test_share_best_sums_to_one_and_shares_ties() -> None:
    draws = np.random.default_rng(0).normal(size=(500, 4)).round(1)
    found = share_best(draws)
    assert found.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(share_best(np.zeros((7, 4))), 0.25)
    assert share_best(np.zeros((5, 0))).shape == (0,)
    assert share_best(np.zeros((5, 1))).tolist() == [1.0]


def test_share_best_is_the_probability() -> None:
    """Two normals one standard deviation apart: P(X > Y) = Phi(1 / sqrt(2))."""
    rng = np.random.default_rng(1)
    draws = rng.normal(size=(40_000, 2)) + np.array([1.0, 0.0])
    assert share_best(draws)[0] == pytest.approx(0.7602, abs=0.01)


@pytest.mark.parametrize(
    ("truth", "name"),
    [
        (np.array([0.05, 0.04, 0.02, 0.01, 0.005]), "spread"),
        (np.array([0.02, 0.02, 0.02, 0.02]), "all equal"),
        (np.array([0.03, 0.03, 0.01, 0.0, 0.0, 0.0, 0.0]), "ties"),
    ],
)
def test_rank_intervals_hold_the_true_ranks(truth: np.ndarray, name: str) -> None:
    """All at once in at least 95 % of worlds, with effects that are correlated and unequally precise."""
    rng = np.random.default_rng(7)
    k, runs, held, exact = len(truth), 300, 0, 0
    scale = np.linspace(0.004, 0.012, k)
    root = np.linalg.cholesky(0.4 + 0.6 * np.eye(k)) * scale[:, None]
    low_truth, high_truth = true_ranks(truth)
    for _ in range(runs):
        effect = truth + root @ rng.normal(size=k)
        draws = effect + rng.normal(size=(300, k)) @ root.T
        low, high = rank_intervals(effect, draws)
        held += bool(np.all((low <= low_truth) & (high_truth <= high)))
        exact += bool(np.all(high - low == k - 1))
    # Three standard errors of 300 runs at 95 %.
    assert held / runs >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / runs), name
    if name == "spread":
        assert exact / runs < 0.5


def test_clear_differences_give_single_ranks() -> None:
    effect = np.array([0.1, 0.3, 0.2])
    draws = effect + 0.001 * np.random.default_rng(0).normal(size=(400, 3))
    low, high = rank_intervals(effect, draws)
    assert low.tolist() == high.tolist() == [3, 1, 2]


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=6), st.integers(0, 1000), st.sampled_from([0.01, 1.0]))
@settings(max_examples=80, deadline=None)
def test_rank_intervals_hold_the_place_of_the_estimate(effects: list[float], seed: int, noise: float) -> None:
    effect = np.array(effects)
    draws = effect + noise * np.random.default_rng(seed).normal(size=(50, len(effect)))
    low, high = rank_intervals(effect, draws)
    assert ((low >= 1) & (low <= high) & (high <= len(effect))).all()
    first, last = true_ranks(effect)
    assert (low <= first).all()
    assert (high >= last).all()


def test_ties_are_called_ties() -> None:
    """Two fixes whose draws are the same in every replicate share their places, whatever their order."""
    rng = np.random.default_rng(0)
    one = rng.normal(1.0, 0.1, 200)
    draws = np.column_stack([one, one, rng.normal(-4.0, 0.1, 200)])
    low, high = rank_intervals(np.array([1.0, 1.0, -4.0]), draws)
    assert low.tolist() == [1, 1, 3]
    assert high.tolist() == [2, 2, 3]


@pytest.mark.parametrize("k", [2, 3])
def test_fixes_that_are_the_same_in_all_draws(k: int) -> None:
    """A segment that is the period under another name: one tie, no warning."""
    one = np.random.default_rng(0).normal(1.0, 0.1, 200)
    low, high = rank_intervals(np.ones(k), np.column_stack([one] * k))
    assert low.tolist() == [1] * k
    assert high.tolist() == [k] * k
