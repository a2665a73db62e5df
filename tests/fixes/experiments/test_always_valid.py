"""Confidence sequences: the mixture behind them integrated, their best setting searched, their error simulated."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from journeymine.fixes.experiments.always_valid import half_width, inflation, tightest


@pytest.mark.parametrize(
    ("variance", "tau2", "alpha"), [(1.0, 8.0, 0.05), (0.004, 0.01, 0.1), (2.0, 0.5, 0.01)]
)
def test_at_its_edge_the_mixture_of_likelihood_ratios_is_one_over_alpha(
    variance: float, tau2: float, alpha: float
) -> None:
    edge, size = half_width(variance, tau2, alpha=alpha), np.sqrt(tau2)

    def ratio(effect: float) -> float:
        likelihood = np.exp((edge * effect - effect**2 / 2) / variance)
        return float(likelihood * stats.norm.pdf(effect, 0, size))

    mixture, _ = integrate.quad(ratio, -12 * size, 12 * size, points=[edge], limit=400)
    assert mixture == pytest.approx(1 / alpha, rel=1e-6)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_the_tightest_mixture_is_found_by_search_too(alpha: float) -> None:
    found = optimize.minimize_scalar(
        lambda log: half_width(0.3, float(np.exp(log)), alpha=alpha), bounds=(-8, 8), method="bounded"
    )
    assert tightest(0.3, alpha=alpha) == pytest.approx(float(np.exp(found.x)), rel=1e-3)


def test_peeking_makes_false_alarms_with_z_and_not_with_the_sequence() -> None:
    rng = np.random.default_rng(8)
    n_looks, n_tests = 200, 2000
    mean = np.cumsum(rng.normal(size=(n_tests, n_looks)), axis=1) / np.arange(1, n_looks + 1)
    variance = 1 / np.arange(1, n_looks + 1)
    tau2 = tightest(float(variance[60]))
    wide = np.array([half_width(float(v), tau2) for v in variance])
    false_alarms = (np.abs(mean) > wide).any(axis=1).mean()
    of_z = (np.abs(mean) > 1.96 * np.sqrt(variance)).any(axis=1).mean()
    # Three standard errors of 5 % over 2,000 tests.
    assert false_alarms <= 0.05 + 0.015
    assert of_z > 0.35


def test_openness_costs_customers() -> None:
    assert 1.7 < inflation(0.8) < 2.1
    assert inflation(0.9) < inflation(0.8)
