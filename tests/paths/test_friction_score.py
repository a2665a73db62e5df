"""The learned score against statsmodels and known truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse, special

from journeymine.counts.friction import ScoreCounts, ScoredCounts
from journeymine.paths.friction_score import (
    N_BINS,
    FrictionScore,
    area_under_curve,
    can_learn,
    estimate_score,
    fit_logistic,
    one_hot,
    predict_drops,
)


def test_coefficients_are_those_of_statsmodels() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(1)
    x, n = rng.integers(0, 2, (50, 4)).astype(float), rng.integers(20, 60, 50).astype(float)
    hits = rng.binomial(n.astype(int), special.expit(-1 + x @ [1.0, 0.5, -0.5, 0.0])).astype(float)
    fit = sm.GLM(np.column_stack([hits, n - hits]), sm.add_constant(x), family=sm.families.Binomial()).fit()
    assert fit_logistic(sparse.csr_array(x), n, hits, ridge=0.0) == pytest.approx(fit.params, abs=1e-6)


def test_a_ridge_keeps_separated_groups_finite() -> None:
    x = sparse.csr_array(np.array([[0.0], [1.0]]))
    beta = fit_logistic(x, np.array([50.0, 5.0]), np.array([0.0, 5.0]))
    assert np.isfinite(beta).all()
    assert beta[1] > 0


def test_indicators_leave_out_the_first_value() -> None:
    found = one_hot([np.array([3, 7, 7]), np.array([1, 1, 1]), np.array([0, 1, 2])]).toarray()
    assert found.tolist() == [[0, 0, 0], [1, 1, 0], [1, 0, 1]]
    assert one_hot([np.zeros(3, int)]).shape == (3, 0)


def test_area_under_the_curve_is_mann_and_whitneys() -> None:
    from scipy import stats

    rng = np.random.default_rng(2)
    score, won = rng.integers(0, 9, 80).astype(float), rng.random(80) < 0.4
    u = stats.mannwhitneyu(score[won], score[~won]).statistic
    expected = u / (won.sum() * (~won).sum())
    assert float(area_under_curve(score, np.ones(80), won.astype(float))) == pytest.approx(expected)


def simulated(seed: int, n: int = 6000) -> tuple[ScoreCounts, np.ndarray, np.ndarray]:
    """Visits whose drop-out depends on depth, activity and self-loop; (counts of single visits, unit, truth)."""
    rng = np.random.default_rng(seed)
    unit = rng.integers(0, 1500, n)
    code, depth, loop = rng.integers(0, 4, n), rng.integers(0, 5, n), rng.integers(0, 2, n)
    features = np.zeros((n, 8), np.int64)
    features[:, 0], features[:, 2] = depth, loop
    p = special.expit(-2.5 + 0.2 * depth + np.array([0.0, 0.0, 0.6, 1.6])[code] + 0.7 * loop)
    lost = (rng.random(n) < p).astype(np.int64)
    counts = ScoreCounts(unit % 5, code, np.arange(n), features, np.ones(n, np.int64), lost)
    return counts, unit, p


def scored(seed: int) -> tuple[FrictionScore, np.ndarray, np.ndarray, np.ndarray]:
    counts, unit, p = simulated(seed)
    predictions = predict_drops(counts)
    by = [
        ScoredCounts(unit, group, counts.n, counts.lost, predictions.full, predictions.base, 1500, False)
        for group in (predictions.bin, counts.code)
    ]
    result = estimate_score(("a", "b", "c", "d"), counts, predictions, by[0], by[1], n_draws=200)
    return result, counts.code, predictions.full, p


def test_the_truth_is_found_and_the_calibration_is_honest() -> None:
    result, code, full, p = scored(3)
    assert np.corrcoef(full, p)[0, 1] > 0.97
    assert np.abs(result.predicted - result.observed.estimate).max() < 0.06
    assert 0.8 < float(result.slope.estimate) < 1.2
    assert float(result.slope.lower) < 1 < float(result.slope.upper)
    assert 0.6 < float(result.auc.lower) < float(result.auc.estimate) < float(result.auc.upper) < 0.8
    expected = np.array([p[code == c].mean() for c in range(4)]) - p.mean()
    assert ((result.excess.lower < expected) & (expected < result.excess.upper)).all()
    assert result.activities[int(result.excess.estimate.argmax())] == "d"
    assert repr(result).splitlines()[-1].startswith("Next:")
    assert len(repr(result).splitlines()) <= 12


def test_predictions_of_noise_are_no_better_than_chance() -> None:
    counts, unit, _ = simulated(4)
    noise = ScoreCounts(
        counts.fold, counts.code, counts.key, counts.features, counts.n,
        np.random.default_rng(5).integers(0, 2, len(unit)),
    )  # fmt: skip
    predictions = predict_drops(noise)
    area = area_under_curve(np.floor(predictions.full * 1e4), noise.n.astype(float), noise.lost.astype(float))
    assert 0.46 < float(area) < 0.54


def test_grouped_visits_give_the_same_predictions() -> None:
    counts, _, _ = simulated(6, 1500)
    table = np.column_stack([counts.fold, counts.code, counts.features[:, 0], counts.features[:, 2]])
    _, first, place = np.unique(table, axis=0, return_index=True, return_inverse=True)
    place = place.ravel()
    grouped = ScoreCounts(
        counts.fold[first], counts.code[first], counts.key[first], counts.features[first],
        np.bincount(place), np.bincount(place, weights=counts.lost).astype(np.int64),
    )  # fmt: skip
    assert predict_drops(grouped).full[place] == pytest.approx(predict_drops(counts).full, abs=1e-9)


def test_bins_hold_about_the_same_number_of_visits() -> None:
    counts, _, _ = simulated(7)
    predictions = predict_drops(counts)
    sizes = np.bincount(predictions.bin, minlength=N_BINS)
    assert sizes.min() > 0.9 * 6000 / N_BINS
    means = [predictions.full[predictions.bin == b].mean() for b in range(N_BINS)]
    assert (np.diff(means) >= 0).all()


@pytest.mark.parametrize(
    ("lost", "n", "units", "reason"),
    [
        (10, 1000, 100, "few_drops"),
        (990, 1000, 100, "few_stays"),
        (500, 1000, 5, "few_units"),
        (500, 1000, 100, None),
    ],
)
def test_what_can_be_learned_from(lost: int, n: int, units: int, reason: str | None) -> None:
    two = np.array([0, 1])
    counts = ScoreCounts(two, two, two, np.zeros((2, 8), np.int64), np.array([n, 0]), np.array([lost, 0]))
    assert can_learn(counts, units) == reason
