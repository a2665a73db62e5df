"""Scores of predicted probabilities, against definitions written out, statsmodels and known worlds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from journeymine.markov.prediction.calibration import (
    MEASURES,
    auc,
    brier,
    calibrate,
    log_loss,
    measures,
    recalibrated,
    recalibration,
    softened,
    tenths,
)
from journeymine.uncertainty import unit_matrix

EXACT = 1e-9
NEWTON = 1e-6
"""Two implementations of Newton's method stop at different places."""
P = np.array([0.1, 0.3, 0.3, 0.55, 0.9])
WON = np.array([2.0, 6.0, 1.0, 9.0, 14.0])
TOTAL = np.array([20.0, 15.0, 8.0, 17.0, 15.0])


def rows() -> tuple[np.ndarray, np.ndarray]:
    """One row a visit: what it was given, and whether it converted."""
    p = np.repeat(P, TOTAL.astype(int))
    y = np.concatenate(
        [np.r_[np.ones(int(w)), np.zeros(int(t - w))] for w, t in zip(WON, TOTAL, strict=True)]
    )
    return p, y


def test_scores_are_those_of_the_rows_written_out() -> None:
    p, y = rows()
    assert brier(WON, TOTAL, P) == pytest.approx(np.mean((p - y) ** 2), abs=EXACT)
    assert log_loss(WON, TOTAL, P) == pytest.approx(-np.mean(np.log(np.where(y == 1, p, 1 - p))), abs=EXACT)
    pairs = [
        (a, b) for (a, u), (b, v) in itertools.product(zip(p, y, strict=True), repeat=2) if u == 1 and v == 0
    ]
    expected = np.mean([1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs])
    assert auc(WON, TOTAL, P) == pytest.approx(expected, abs=EXACT)


def test_slope_and_calibration_in_the_large_are_those_of_statsmodels() -> None:
    import statsmodels.api as sm

    p, y = rows()
    x = special.logit(p)
    joint = sm.GLM(y, sm.add_constant(x), family=sm.families.Binomial()).fit()
    large = sm.GLM(y, np.ones((len(y), 1)), family=sm.families.Binomial(), offset=x).fit()
    slope, intercept = recalibration(WON, TOTAL, P)
    assert slope == pytest.approx(joint.params[1], abs=NEWTON)
    assert intercept == pytest.approx(large.params[0], abs=NEWTON)
    line = special.expit(joint.params[0] + joint.params[1] * special.logit(P))
    assert recalibrated(P, WON, TOTAL, P) == pytest.approx(line, abs=NEWTON)


def test_replicates_are_scored_one_by_one() -> None:
    weights = np.random.default_rng(1).integers(0, 4, size=(7, len(P))).astype(float)
    together = measures(weights * WON, weights * TOTAL, P, P)
    assert together.shape == (7, len(MEASURES))
    for row, weight in zip(together, weights, strict=True):
        assert row == pytest.approx(measures(weight * WON, weight * TOTAL, P, P), abs=NEWTON, nan_ok=True)


def test_what_does_not_exist_is_nan() -> None:
    equal = np.full(3, 0.4)
    slope, large = recalibration(np.array([1.0, 2, 3]), np.full(3, 10.0), equal)
    assert np.isnan(slope)
    assert large == pytest.approx(special.logit(0.2) - special.logit(0.4), abs=NEWTON)
    for won in (np.zeros(3), np.full(3, 10.0)):
        slope, large = recalibration(won, np.full(3, 10.0), np.array([0.2, 0.5, 0.7]))
        assert np.isnan(slope)
        assert np.isnan(large)
        assert np.isnan(auc(won, np.full(3, 10.0), np.array([0.2, 0.5, 0.7])))
    # All that converted was given more than all that did not: the likelihood has no maximum.
    separated, _ = recalibration(np.array([0.0, 10.0]), np.full(2, 10.0), np.array([0.4, 0.6]))
    assert np.isnan(separated)


def test_a_line_that_falls_is_not_followed() -> None:
    known = np.array([0.2, 0.8])
    moved = recalibrated(known, np.array([70.0, 50.0]), np.full(2, 100.0), known)
    assert moved[0] < moved[1]
    assert (np.array([100.0, 100.0]) * moved).sum() == pytest.approx(120.0, abs=1e-4)


@given(
    st.lists(
        st.tuples(st.floats(0.01, 0.99), st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=12
    ),
    st.integers(1, 10),
)
@settings(max_examples=60, deadline=None)
def test_tenths_rise_keep_equal_ones_together_and_hold_all(
    rows: list[tuple[float, int, int]], n: int
) -> None:
    p = np.array([row[0] for row in rows])
    weight = np.array([row[1] + row[2] for row in rows], dtype=float)
    group = tenths(p, weight, n)
    assert ((group >= 0) == (weight > 0)).all()
    used = group >= 0
    assert len(np.unique(group[used])) <= n
    if used.any():
        assert np.array_equal(np.unique(group[used]), np.arange(group.max() + 1))
    order = np.argsort(p[used], kind="stable")
    assert (np.diff(group[used][order]) >= 0).all()
    for value in np.unique(p[used]):
        assert len(np.unique(group[used & (p == value)])) == 1


@given(
    st.lists(st.tuples(st.floats(0.02, 0.98), st.integers(1, 30), st.integers(1, 30)), min_size=2, max_size=8)
)
@settings(max_examples=60, deadline=None)
def test_recalibrated_predictions_are_calibrated(rows: list[tuple[float, int, int]]) -> None:
    p = np.array([row[0] for row in rows])
    won = np.array([row[1] for row in rows], dtype=float)
    total = won + np.array([row[2] for row in rows])
    slope, _ = recalibration(won, total, p)
    line = recalibrated(p, won, total, p)
    assert ((line > 0) & (line < 1)).all()
    # The score equation of the intercept: as many are expected as came.
    assert (total * line).sum() == pytest.approx(won.sum(), rel=1e-6)
    if np.isfinite(slope) and slope > 0.01:
        again, large = recalibration(won, total, line)
        assert large == pytest.approx(0.0, abs=1e-5)
        if np.isfinite(again):
            assert again == pytest.approx(1.0, abs=1e-3)


def test_calibration_table_against_rows_in_groups() -> None:
    rng = np.random.default_rng(3)
    p = np.round(rng.random(40), 2)
    unit, kind = rng.integers(0, 60, 2000), rng.integers(0, 40, 2000)
    came = rng.random(2000) < p[kind]
    won = unit_matrix(unit, kind, came, (60, 40))
    total = unit_matrix(unit, kind, np.ones(2000), (60, 40))
    n = np.bincount(kind, minlength=40)
    found = calibrate(won, total, p, n, buckets=False)
    group = tenths(p, n.astype(float))[kind]
    assert len(found.n) == len(np.unique(group))
    for g in range(len(found.n)):
        assert found.n[g] == (group == g).sum()
        assert found.predicted[g] == pytest.approx(p[kind][group == g].mean(), abs=EXACT)
        assert found.observed.estimate[g] == pytest.approx(came[group == g].mean(), abs=EXACT)
        assert found.lowest[g] == p[kind][group == g].min()
        assert found.highest[g] == p[kind][group == g].max()
        assert found.observed.lower[g] < found.observed.estimate[g] < found.observed.upper[g]


def test_one_more_observation_moves_shares_off_the_edge() -> None:
    soft = softened(np.array([[0.0, 1.0, 0.0]]), np.array([[2.0]]), 3)
    assert soft[0] == pytest.approx([1 / 9, 7 / 9, 1 / 9], abs=EXACT)
