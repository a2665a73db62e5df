"""Value of information: numbers of the design note, simulation, and what must hold always."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from journeymine.fixes.decision.information import error_of_test, evsi, information, worth_of_tests

NET = arrays(float, st.tuples(st.integers(2, 12), st.integers(1, 5)), elements=st.floats(-5, 5))


def test_evsi_of_the_design_note() -> None:
    assert float(evsi(0.006, 0.004, 0.008, 0.003)) == pytest.approx(0.000518, abs=5e-7)  # type: ignore[arg-type]
    assert float(evsi(0.006, 0.004, 0.008, 0.0)) == pytest.approx(0.000791, abs=5e-7)  # type: ignore[arg-type]


@pytest.mark.parametrize(("mean", "best"), [(0.006, 0.008), (0.012, 0.008), (0.0, 0.0)])
def test_evsi_by_simulation(mean: float, best: float) -> None:
    """Draw a truth and a test, update, choose: what choosing after the test brings over choosing now."""
    rng, sd, se, n = np.random.default_rng(0), 0.004, 0.003, 400_000
    truth = rng.normal(mean, sd, n)
    seen = truth + rng.normal(0, se, n)
    after = (mean / sd**2 + seen / se**2) / (1 / sd**2 + 1 / se**2)
    gained = np.where(after > best, truth, best) - max(mean, best)
    found = float(evsi(mean, sd, best, se))  # type: ignore[arg-type]
    # Four standard errors of the simulation.
    assert found == pytest.approx(gained.mean(), abs=4 * gained.std() / np.sqrt(n))


def test_evsi_at_the_edges() -> None:
    found = evsi(np.array([1.0, 1.0, 1.0]), np.array([0.0, 1.0, 1.0]), np.array([2.0, 1.0, 9.0]), np.zeros(3))
    assert found[0] == 0.0
    assert found[1] == pytest.approx(stats.norm.pdf(0))
    assert 0 < found[2] < 1e-14
    assert evsi(np.ones(1), np.ones(1), np.ones(1), np.array([np.inf])).tolist() == [0.0]


def test_evpi_of_two_normals() -> None:
    """Closed form: E max(X, Y) = mean of means + theta phi(d) + ..., for X, Y far above 0 (Clark 1961)."""
    rng, m, s = np.random.default_rng(1), np.array([10.0, 10.5]), 1.0
    net = rng.normal(m, s, (200_000, 2))
    theta = s * np.sqrt(2)
    d = (m[1] - m[0]) / theta
    most = m[1] * stats.norm.cdf(d) + m[0] * stats.norm.cdf(-d) + theta * stats.norm.pdf(d)
    found = information(net)
    # Four standard errors of 200,000 draws.
    assert found.evpi == pytest.approx(most - 10.5, abs=0.01)
    assert found.regret == pytest.approx(most - m, abs=0.01)
    assert found.p_best == pytest.approx([stats.norm.cdf(-d), stats.norm.cdf(d)], abs=0.005)
    assert found.p_nothing == 0.0


def test_doing_nothing_is_an_option() -> None:
    """Every fix loses: nothing is best, each regrets its loss, and knowing more brings nothing."""
    net = np.array([[-1.0, -2.0], [-3.0, -2.0]])
    found = information(net)
    assert found.p_nothing == 1.0
    assert found.p_best.tolist() == [0.0, 0.0]
    assert found.regret.tolist() == [2.0, 2.0]
    assert found.evpi == 0.0
    rivals = information(net, nothing_counts=False)
    assert rivals.p_nothing == 0.0
    assert rivals.p_best.tolist() == [0.5, 0.5]


def test_worth_of_certainty_is_that_of_a_perfect_test() -> None:
    net = np.random.default_rng(2).normal([0.006, 0.008], [0.004, 0.001], (400_000, 2))
    found = information(net).worth_of_certainty
    perfect = evsi(np.array([0.006, 0.008]), np.array([0.004, 0.001]), np.array([0.008, 0.006]), np.zeros(2))
    np.testing.assert_allclose(found, perfect, atol=2e-5)


def test_worth_of_a_test_is_the_closed_form_for_one_independent_alternative() -> None:
    net = np.random.default_rng(2).normal([0.016, 0.018], [0.004, 1e-12], (400_000, 2))
    found = worth_of_tests(net, np.array([0.003, np.nan]))
    assert found[0] == pytest.approx(0.000518, abs=5e-6)
    assert np.isnan(found[1])


def test_a_test_of_what_all_share_is_worth_nothing() -> None:
    """Two effects that rise and fall together, the second always higher: no result changes the choice."""
    level = np.random.default_rng(2).normal(5.0, 1.0, 1000)
    net = np.column_stack([level, level + 0.1])
    np.testing.assert_allclose(worth_of_tests(net, np.zeros(2)), 0.0, atol=1e-12)


def test_worth_of_a_test_among_correlated_fixes_by_simulation() -> None:
    """Three correlated normals: draw truths and results, update all three by Bayes, choose."""
    rng, n, se = np.random.default_rng(6), 200_000, 0.7
    mean, cov = np.array([1.0, 1.2, 0.5]), np.array([[1.0, 0.5, 0.2], [0.5, 0.8, 0.1], [0.2, 0.1, 1.5]])
    truth = rng.multivariate_normal(mean, cov, n)
    for j in range(3):
        seen = truth[:, j] + rng.normal(0, se, n)
        after = mean + np.outer(seen - mean[j], cov[j] / (cov[j, j] + se**2))
        choice = np.argmax(np.column_stack([after, np.zeros(n)]), axis=1)
        gained = np.column_stack([truth, np.zeros(n)])[np.arange(n), choice].mean() - mean.max()
        found = worth_of_tests(truth[:50_000], np.full(3, se))[j]
        # Four standard errors of the simulations.
        assert found == pytest.approx(gained, abs=0.02)


def test_more_data_makes_certainty_worth_less() -> None:
    rng = np.random.default_rng(3)
    worth = [
        information(rng.normal([0.02, 0.021], s, (20_000, 2))).evpi for s in (0.02, 0.006, 0.002, 0.0002)
    ]
    assert worth == sorted(worth, reverse=True)
    assert worth[-1] == pytest.approx(0.0, abs=1e-6)


@given(NET, st.booleans())
@settings(max_examples=100, deadline=None)
def test_what_always_holds(net: np.ndarray, nothing: bool) -> None:
    found = information(net, nothing_counts=nothing)
    mean, most = net.mean(axis=0), np.maximum(net.max(axis=1), 0).mean()
    assert found.evpi >= 0
    assert (found.regret >= 0).all()
    assert found.p_best.sum() + found.p_nothing == pytest.approx(1.0)
    # What perfect information brings is the regret of the best option now.
    assert found.evpi == pytest.approx(min(found.regret.min(), most), abs=1e-9)
    # Knowing one effect is worth no more than knowing all.
    assert (found.worth_of_certainty <= found.evpi + 1e-9).all()
    # A worse test is worth no more, and one that tells nothing nothing.
    worth = [worth_of_tests(net, np.full(len(mean), se)) for se in (0.0, 0.5, 2.0, 1e9)]
    assert all((a >= b - 1e-9).all() for a, b in pairwise(worth))
    np.testing.assert_allclose(worth[-1], 0.0, atol=1e-6)


def test_no_fixes() -> None:
    found = information(np.zeros((5, 0)))
    assert (found.p_nothing, found.evpi, len(found.p_best)) == (1.0, 0.0, 0)


def test_error_of_a_test_by_simulation() -> None:
    """A fifth of the journeys meet the fix; the test is on them, the effect on all."""
    rng, n, runs = np.random.default_rng(4), 2000, 20_000
    arms = rng.binomial(n, 0.3, (runs, 2)) / n
    simulated = 0.2 * (arms[:, 1] - arms[:, 0])
    found = float(error_of_test(0.3, 0.2, n))  # type: ignore[arg-type]
    # Three standard errors of a standard deviation over 20,000 runs.
    assert found == pytest.approx(simulated.std(), rel=0.015)
