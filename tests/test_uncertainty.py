"""Intervals: printed fixtures, the plain bootstrap as oracle, and what must hold for any counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from journeymine.uncertainty import (
    Estimates,
    bootstrap_weights,
    effective_size,
    generator,
    median_interval,
    percentile_interval,
    quantile_of_normal,
    rows_that_go_together,
    share_from_draws,
    share_of_units,
    unit_matrix,
    wilson,
    wilson_of_share,
)

SIX_DIGITS = 5.1e-7
"""Fixtures are printed to six digits."""


def share_of(wins: np.ndarray, trials: np.ndarray) -> Estimates:
    """One share of units that each have `wins` of `trials`."""
    n, zero = len(wins), np.zeros(len(wins), int)
    units = np.arange(n)
    return share_of_units(unit_matrix(units, zero, wins, (n, 1)), unit_matrix(units, zero, trials, (n, 1)))


# ---------------------------------------------------------------------------------------------------- Wilson


@pytest.mark.parametrize(
    ("wins", "n", "low", "high"),
    [
        (50, 100, 0.403832, 0.596168),
        (5, 30, 0.073365, 0.335644),
        (0, 10, 0.0, 0.277533),
        (10, 10, 0.722467, 1.0),
        (1, 1, 0.206549, 1.0),
    ],
)
def test_wilson_fixtures(wins: int, n: int, low: float, high: float) -> None:
    found = wilson(wins, n)
    assert float(found[0]) == pytest.approx(low, abs=SIX_DIGITS)
    assert float(found[1]) == pytest.approx(high, abs=SIX_DIGITS)


@given(st.integers(1, 10**9), st.floats(0, 1), st.sampled_from([0.8, 0.95, 0.99]))
@settings(max_examples=100, deadline=None)
def test_wilson_equals_statsmodels_and_holds_the_estimate(n: int, share: float, level: float) -> None:
    wins = round(share * n)
    low, high = wilson(wins, n, level=level)
    expected = proportion_confint(wins, n, alpha=1 - level, method="wilson")
    np.testing.assert_allclose([low, high], expected, atol=1e-9)
    assert 0 <= low <= wins / n <= high <= 1


def test_wilson_without_rows_is_nan() -> None:
    low, high = wilson(np.array([0, 1]), np.array([0, 2]))
    assert np.isnan(low[0])
    assert np.isnan(high[0])
    assert np.isfinite(low[1])


def test_wilson_covers() -> None:
    """Exact coverage over all outcomes, averaged over shares: Wilson's interval is known to stay near its level."""
    from scipy.stats import binom

    n, shares = 40, np.linspace(0.05, 0.95, 91)
    low, high = wilson(np.arange(n + 1), n)
    weight = binom.pmf(np.arange(n + 1), n, shares[:, None])
    covered = ((low <= shares[:, None]) & (shares[:, None] <= high)) * weight
    assert covered.sum(axis=1).mean() == pytest.approx(0.95, abs=0.01)


def test_quantile_of_normal() -> None:
    assert quantile_of_normal(0.95) == pytest.approx(1.959964, abs=SIX_DIGITS)
    assert quantile_of_normal(0.5) == pytest.approx(0.674490, abs=SIX_DIGITS)


# ------------------------------------------------------------------------------------------- shares over units


def test_independent_rows_are_worth_themselves() -> None:
    wins = np.r_[np.ones(37), np.zeros(83)]
    found = share_of(wins, np.ones(120))
    low, high = wilson(37, 120)
    # The variance over units has n - 1 below: a share of 1/120 wider at most.
    np.testing.assert_allclose([found.lower[0], found.upper[0]], [low, high], atol=1e-3)
    assert found.n[0] == 120
    assert found.estimate[0] == 37 / 120


def test_clusters_equal_the_bootstrap() -> None:
    """Standard error behind the interval against 20,000 plain resamples of whole customers."""
    rng = np.random.default_rng(8)
    trials = rng.integers(1, 9, 400)
    wins = rng.binomial(trials, rng.beta(0.6, 1.4, 400)).astype(float)
    found = share_of(wins, trials.astype(float))
    picks = rng.integers(0, 400, (20_000, 400))
    draws = wins[picks].sum(axis=1) / trials[picks].sum(axis=1)
    low, high = wilson_of_share(
        found.estimate, effective_size(found.estimate, np.array([draws.var()]), found.n.astype(float))
    )
    np.testing.assert_allclose([found.lower, found.upper], [low, high], atol=6e-4)
    # Skewness apart, that is the percentile interval of the same resamples.
    np.testing.assert_allclose(
        [found.lower[0], found.upper[0]], np.quantile(draws, [0.025, 0.975]), atol=4e-3
    )
    independent = wilson(wins.sum(), trials.sum())
    assert found.upper[0] - found.lower[0] > 1.3 * float(independent[1] - independent[0])


def test_identical_rows_are_counted_once() -> None:
    """Ten copies of each of 60 customers' outcomes: the interval is that of 60 rows."""
    wins = np.r_[np.ones(20), np.zeros(40)]
    once, tenfold = share_of(wins, np.ones(60)), share_of(10 * wins, np.full(60, 10.0))
    # Student's t for 60 units may stand in place of z, by 2 %.
    np.testing.assert_allclose(once.lower, tenfold.lower, atol=3e-3)
    np.testing.assert_allclose(once.upper, tenfold.upper, atol=3e-3)
    assert tenfold.n[0] == 600


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=30))
@settings(max_examples=100, deadline=None)
def test_shares_never_leave_zero_to_one(units: list[tuple[int, int]]) -> None:
    wins = np.array([w for w, _ in units], float)
    trials = wins + np.array([t for _, t in units], float)
    found = share_of(wins, trials)
    if trials.sum() == 0:
        assert found.at(0) is None
        return
    assert 0 <= found.lower[0] <= found.estimate[0] <= found.upper[0] <= 1
    assert found.lower[0] < found.upper[0]
    narrowest = wilson(wins.sum(), trials.sum())
    assert found.upper[0] - found.lower[0] >= float(narrowest[1] - narrowest[0]) - 1e-12


def test_one_customer_says_nothing_about_others() -> None:
    """Thirty wins in a hundred visits of one customer: one row, however often he came."""
    found = share_of(np.array([30.0]), np.array([100.0]))
    assert found.upper[0] - found.lower[0] > 0.7
    assert found.n[0] == 100
    none = share_of(np.array([0.0, 0.0]), np.array([40.0, 60.0]))
    assert none.upper[0] > 0.5  # two customers who never did it, not a hundred


@given(st.permutations(range(12)))
@settings(max_examples=20, deadline=None)
def test_order_of_units_and_split_entries_change_nothing(order: list[int]) -> None:
    rng = np.random.default_rng(0)
    trials = rng.integers(1, 5, 12)
    wins = rng.binomial(trials, 0.4)
    one = share_of(wins.astype(float), trials.astype(float))
    other = share_of(wins[order].astype(float), trials[order].astype(float))
    np.testing.assert_array_equal(one.lower, other.lower)
    np.testing.assert_array_equal(one.upper, other.upper)
    unit, zero = np.repeat(np.arange(12), 2), np.zeros(24, int)
    split = np.stack([trials - 1, np.ones(12)], axis=1).ravel()
    found = share_of_units(
        unit_matrix(np.arange(12), zero[:12], wins, (12, 1)), unit_matrix(unit, zero, split, (12, 1))
    )
    np.testing.assert_array_equal(one.upper, found.upper)


def test_shares_of_one_denominator() -> None:
    """Three exits of one state: `trials_of` says which column of trials each share belongs to."""
    units = np.arange(4)
    wins = unit_matrix(np.repeat(units, 3), np.tile([0, 1, 2], 4), np.arange(12), (4, 3))
    trials = unit_matrix(units, np.zeros(4, int), wins.sum(axis=1), (4, 1))
    found = share_of_units(wins, trials, np.zeros(3, int))
    assert found.estimate.sum() == pytest.approx(1.0)
    assert found.n.tolist() == [66, 66, 66]
    alone = share_of(np.arange(12).reshape(4, 3)[:, 1].astype(float), np.asarray(wins.sum(axis=1)).ravel())
    assert found.lower[1] == pytest.approx(alone.lower[0])


def test_effective_size_never_exceeds_n() -> None:
    size = effective_size(
        np.array([0.5, 0.5, 0.0, np.nan]), np.array([0.01, 1e-9, 0.0, np.nan]), np.array([100.0, 100, 50, 0])
    )
    np.testing.assert_array_equal(size, [25, 100, 50, 0])


def test_share_from_draws_at_the_edge_keeps_an_interval() -> None:
    """Everybody converts in every draw: the interval is that of n rows, not a point."""
    found = share_from_draws(
        np.array([1.0, 0.5]), np.column_stack([np.ones(50), np.linspace(0.3, 0.7, 50)]), np.array([20, 20])
    )
    assert found.lower[0] == pytest.approx(float(wilson(20, 20)[0]))
    assert found.upper[0] == 1.0
    assert found.lower[1] < 0.5 < found.upper[1]


# ------------------------------------------------------------------------------------------------- resampling


def test_weights_are_whole_and_sum_to_the_units() -> None:
    parts = list(bootstrap_weights(17, 250, 3))
    assert [part.shape for part in parts] == [(100, 17), (100, 17), (50, 17)]
    weights = np.concatenate(parts)
    np.testing.assert_array_equal(weights.sum(axis=1), 17)
    np.testing.assert_array_equal(weights, np.round(weights))
    assert (weights >= 0).all()


@pytest.mark.parametrize("chunk", [1, 7, 64, 1000])
def test_weights_do_not_depend_on_the_chunks(chunk: int) -> None:
    """Memory decides the chunk size, so it must never decide a result."""
    one = np.concatenate(list(bootstrap_weights(23, 130, 5)))
    other = np.concatenate(list(bootstrap_weights(23, 130, 5, chunk=chunk)))
    np.testing.assert_array_equal(one, other)


def test_fewer_draws_are_the_first_of_many() -> None:
    many = np.concatenate(list(bootstrap_weights(9, 60, 1)))
    few = np.concatenate(list(bootstrap_weights(9, 20, 1)))
    np.testing.assert_array_equal(many[:20], few)


def test_weights_are_multinomial() -> None:
    weights = np.concatenate(list(bootstrap_weights(10, 20_000, 0)))
    np.testing.assert_allclose(weights.mean(axis=0), 1.0, atol=0.03)
    covariance = np.cov(weights.T)
    np.testing.assert_allclose(np.diag(covariance), 0.9, atol=0.04)
    np.testing.assert_allclose(covariance[~np.eye(10, dtype=bool)], -0.1, atol=0.03)


def test_seeds_and_purposes_are_apart() -> None:
    first = {(seed, purpose): generator(seed, purpose).random() for seed in (0, 1) for purpose in ("a", "b")}
    assert len(set(first.values())) == 4
    assert generator(0, "a").random() == first[0, "a"]


def test_no_units_give_no_draws_that_fail() -> None:
    assert [w.shape for w in bootstrap_weights(1, 3, 0)] == [(3, 1)]


# -------------------------------------------------------------------------------------- percentiles and medians


def test_percentile_interval() -> None:
    draws = np.linspace(0, 1, 101)[:, None]
    found = percentile_interval(np.array([0.4]), draws, 7)
    np.testing.assert_allclose([found.lower[0], found.upper[0]], [0.025, 0.975])
    assert found.at(0) == pytest.approx({"estimate": 0.4, "lower": 0.025, "upper": 0.975, "n": 7})


def test_percentile_interval_leaves_out_nan() -> None:
    draws = np.array([[np.nan, np.nan, 1.0], [0.0, np.nan, 2.0], [1.0, np.nan, 3.0]])
    found = percentile_interval(np.array([0.5, 0.5, 2.0]), draws, np.array([1, 1, 1]))
    np.testing.assert_allclose(found.lower, [0.025, np.nan, 1.05])
    assert np.isnan(found.upper[1])


def test_percentile_interval_holds_the_estimate() -> None:
    found = percentile_interval(np.array(5.0), np.array([1.0, 2.0, 3.0]), 3)
    assert found.at() == pytest.approx({"estimate": 5.0, "lower": 1.05, "upper": 5.0, "n": 3})


def test_median_interval_equals_order_statistics() -> None:
    """With a bin for each value, Woodruff's interval ends at the order statistics that Wilson's shares name."""
    values = np.sort(np.random.default_rng(1).exponential(1.0, 200))
    edges = np.concatenate([[0.0], values])
    half = share_of(np.r_[np.ones(100), np.zeros(100)], np.ones(200))
    found = median_interval(np.array([values[99]]), half, [(edges, np.ones(200))])
    assert found.lower[0] == pytest.approx(np.interp(half.lower[0], np.arange(201) / 200, edges))
    assert found.upper[0] == pytest.approx(np.interp(half.upper[0], np.arange(201) / 200, edges))
    boot = np.median(np.random.default_rng(2).choice(values, (4000, 200)), axis=1)
    np.testing.assert_allclose([found.lower[0], found.upper[0]], np.quantile(boot, [0.025, 0.975]), atol=0.06)


def test_median_interval_covers() -> None:
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(400):
        values = rng.exponential(1.0, 60)
        median = float(np.median(values))
        counts, edges = np.histogram(values, bins=np.concatenate([[0.0], np.geomspace(0.01, 20, 60)]))
        below = share_of((values <= median).astype(float), np.ones(60))
        found = median_interval(np.array([median]), below, [(edges, counts.astype(float))])
        held += bool(found.lower[0] <= np.log(2) <= found.upper[0])
    assert 0.93 - 0.02 <= held / 400 <= 0.97 + 0.02


def test_median_interval_without_values() -> None:
    half = share_of(np.array([1.0, 0.0]), np.ones(2))
    empty = Estimates(np.array([0.5, 0.5]), np.full(2, 0.1), np.full(2, 0.9), np.array([2, 2]))
    found = median_interval(
        np.array([np.nan, 3.0]), empty, [(np.array([0.0, 1.0]), np.array([2.0])), (np.zeros(1), np.zeros(0))]
    )
    assert np.isnan(found.lower).all()
    assert half.n[0] == 2


# --------------------------------------------------------------------------------------------------- Estimates


def test_estimates_are_frozen() -> None:
    mine = np.array([0.5])
    values = Estimates(mine, np.array([0.4]), np.array([0.6]), np.array([9]))
    for name in ("estimate", "lower", "upper", "n"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(values, name)[0] = 1
    with pytest.raises(AttributeError):
        values.estimate = mine  # type: ignore[misc]
    mine[0] = 0.0
    assert values.estimate[0] == 0.5


def test_estimates_at() -> None:
    values = Estimates(np.array([[0.5, np.nan]]), np.zeros((1, 2)), np.ones((1, 2)), np.int64(3))  # type: ignore[arg-type]
    assert values.at((0, 0)) == {"estimate": 0.5, "lower": 0.0, "upper": 1.0, "n": 3}
    assert values.at((0, 1)) is None
    assert {type(v) for v in (values.at((0, 0)) or {}).values()} == {float, int}


def test_buckets_of_customers_are_not_taken_for_customers() -> None:
    """100,000 customers with one case each, nobody converted: worth 100,000 rows, not 200 buckets."""
    rng = np.random.default_rng(3)
    unit = rng.integers(0, 200, 100_000)
    column = np.zeros(len(unit), int)
    trials = unit_matrix(unit, column, np.ones(len(unit)), (200, 1))
    wins = unit_matrix(unit, column, np.zeros(len(unit)), (200, 1))
    upper = float(share_of_units(wins, trials, buckets=True).upper[0])
    alone = float(wilson(0, 100_000)[1])
    assert alone <= upper < 1.5 * alone
    assert float(share_of_units(wins, trials).upper[0]) > 100 * alone


def test_customers_in_buckets_keep_their_size() -> None:
    """Ten cases a customer are worth a tenth of the rows, read off the sizes of the buckets."""
    rng = np.random.default_rng(5)
    unit = np.repeat(rng.integers(0, 200, 40_000), 10)
    trials = unit_matrix(unit, np.zeros(len(unit), int), np.ones(len(unit)), (200, 1))
    together = float(rows_that_go_together(trials, buckets=True)[0])
    assert together == pytest.approx(40_000, rel=0.3)


@given(
    st.lists(
        st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=4, max_size=4),
        min_size=1,
        max_size=30,
    )
)
def test_percentiles_are_those_of_numpy(rows: list[list[float]]) -> None:
    draws = np.array(rows)
    known = ~np.all(np.isnan(draws), axis=0)
    estimate = np.where(known, np.nanmedian(np.where(known, draws, 0.0), axis=0), np.nan)
    found = percentile_interval(estimate, draws, 1)
    assert np.isnan(found.lower[~known]).all()
    assert np.isnan(found.upper[~known]).all()
    if not known.any():
        return
    expected = np.nanquantile(draws[:, known], [0.025, 0.975], axis=0)
    # Two ways to interpolate between the same two draws.
    assert found.lower[known] == pytest.approx(np.minimum(expected[0], estimate[known]), rel=1e-12, abs=1e-9)
    assert found.upper[known] == pytest.approx(np.maximum(expected[1], estimate[known]), rel=1e-12, abs=1e-9)
