"""Ridge regressions on counted rows: against statsmodels and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from journeymine.fixes.causal.regressions import fit_linear, fit_logistic

SOLVED = 1e-6
"""Both stop when the likelihood no longer rises."""


def rows(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(40), rng.normal(size=(40, 3))])
    trials = rng.integers(5, 50, 40).astype(float)
    wins = rng.binomial(trials.astype(int), 1 / (1 + np.exp(-design @ [0.3, 1.0, -0.5, 0.2])))
    return design, wins.astype(float), trials


def test_logistic_without_penalty_equals_statsmodels() -> None:
    design, wins, trials = rows()
    expected = sm.GLM(np.column_stack([wins, trials - wins]), design, family=sm.families.Binomial()).fit()
    assert fit_logistic(design, wins, trials, ridge=0.0) == pytest.approx(expected.params, abs=SOLVED)


def test_logistic_is_where_the_penalised_gradient_is_zero() -> None:
    design, wins, trials = rows(1)
    beta = fit_logistic(design, wins, trials, ridge=2.0)
    share = 1 / (1 + np.exp(-design @ beta))
    gradient = design.T @ (wins - trials * share) - np.array([0, 2, 2, 2]) * beta
    assert np.abs(gradient).max() < 1e-3


def test_columns_that_separate_stay_finite() -> None:
    design = np.array([[1.0, 0.0], [1.0, 1.0]])
    beta = fit_logistic(design, np.array([0.0, 50.0]), np.array([50.0, 50.0]))
    assert np.isfinite(beta).all()
    low, high = 1 / (1 + np.exp(-np.cumsum(beta)))
    assert 0 < low < 0.1
    assert 0.9 < high < 1


def test_one_outcome_only_is_predicted_for_everybody() -> None:
    design = np.array([[1.0, 0.0], [1.0, 1.0]])
    beta = fit_logistic(design, np.array([50.0, 50.0]), np.array([50.0, 50.0]))
    assert (1 / (1 + np.exp(-design @ beta)) > 0.98).all()


def test_repeated_columns_share_their_effect() -> None:
    design, wins, trials = rows(2)
    doubled = np.column_stack([design, design[:, 1]])
    beta = fit_logistic(doubled, wins, trials)
    assert beta[1] == pytest.approx(beta[-1])


def test_linear_equals_weighted_least_squares() -> None:
    design, sums, trials = rows(3)
    expected = sm.WLS(sums / trials, design, weights=trials).fit()
    assert fit_linear(design, sums, trials, ridge=0.0) == pytest.approx(expected.params, abs=SOLVED)
