"""The test of a row: against statsmodels and scipy, uniform under the null, strong where something is planted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.multitest import multipletests

from journeymine.paths.row_tests import (
    GroupedDrops,
    comparable_groups,
    design_effect,
    expected_drops,
    row_test,
)
from journeymine.uncertainty import benjamini_hochberg

TIGHT = 1e-9
"""Same formula by another route: rounding only."""


def from_rates(
    rng: np.random.Generator, sizes: np.ndarray, rates: np.ndarray, *, per_unit: int = 1, spread: float = 0.0
) -> GroupedDrops:
    """Independent visits, or visits of customers who differ: `sizes` and `rates` by stratum and group.

    Customers stay in one stratum and group; each makes `per_unit` visits; `spread` is the standard deviation of
    the customer's log-odds.
    """
    unit, stratum, group, drops, first = [], [], [], [], 0
    for (s, g), size in np.ndenumerate(sizes):
        n_units = int(size) // per_unit
        odds = np.log(rates[s, g] / (1 - rates[s, g])) + spread * rng.standard_normal(n_units)
        chance = np.repeat(1 / (1 + np.exp(-odds)), per_unit)
        unit.append(np.repeat(np.arange(n_units), per_unit) + first)
        drops.append((rng.random(len(chance)) < chance).astype(float))
        stratum.append(np.full(len(chance), s))
        group.append(np.full(len(chance), g))
        first += n_units
    all_drops = np.concatenate(drops)
    return GroupedDrops(
        np.concatenate(unit),
        np.concatenate(stratum),
        np.concatenate(group),
        np.ones(len(all_drops)),
        all_drops,
        first,
    )


def tables(data: GroupedDrops, n_groups: int) -> np.ndarray:
    """Drops and stays by stratum and group, shape (strata, 2, groups)."""
    strata, place = np.unique(data.stratum, return_inverse=True)
    found = np.zeros((len(strata), 2, n_groups))
    np.add.at(found[:, 0], (place, data.group), data.drops)
    np.add.at(found[:, 1], (place, data.group), data.n - data.drops)
    return found


def uncorrected(data: GroupedDrops, n_groups: int) -> float:
    """The statistic before the correction for customers."""
    test = row_test(data, n_groups)
    assert test is not None
    return test.statistic * test.design_effect


# ---------------------------------------------------------------------------------------------------- witnesses


@given(st.integers(0, 10_000), st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_two_groups_equal_statsmodels(seed: int, n_strata: int) -> None:
    rng = np.random.default_rng(seed)
    data = from_rates(rng, rng.integers(30, 90, (n_strata, 2)), rng.uniform(0.2, 0.8, (n_strata, 2)))
    stratified = StratifiedTable(list(tables(data, 2)))
    expected = stratified.test_null_odds(correction=False)
    assert uncorrected(data, 2) == pytest.approx(float(expected.statistic), rel=TIGHT)


@given(st.integers(0, 10_000), st.integers(2, 6))
@settings(max_examples=30, deadline=None)
def test_one_stratum_equals_pearson(seed: int, n_groups: int) -> None:
    """Mantel and Haenszel condition on the margins: Pearson's chi-square times (n - 1) / n."""
    rng = np.random.default_rng(seed)
    data = from_rates(rng, rng.integers(40, 90, (1, n_groups)), rng.uniform(0.3, 0.7, (1, n_groups)))
    table = tables(data, n_groups)[0]
    pearson = stats.chi2_contingency(table, correction=False)
    n = table.sum()
    test = row_test(data, n_groups)
    assert test is not None
    assert test.df == n_groups - 1
    assert test.statistic * test.design_effect == pytest.approx(pearson.statistic * (n - 1) / n, rel=TIGHT)
    assert test.p_value == pytest.approx(float(stats.chi2.sf(test.statistic, test.df)), rel=TIGHT)


def test_berkeley_admissions() -> None:
    """Bickel, Hammel and O'Connell 1975: the gap vanishes inside departments (1.5246, R's mantelhaen.test)."""
    admitted = np.array([[512, 89], [353, 17], [120, 202], [138, 131], [53, 94], [22, 24]])
    rejected = np.array([[313, 19], [207, 8], [205, 391], [279, 244], [138, 299], [351, 317]])
    n = (admitted + rejected).ravel()
    stratum, group = (index.ravel() for index in np.indices((6, 2)))
    one = np.repeat(np.arange(12), n)
    drops = np.concatenate(
        [np.r_[np.ones(a), np.zeros(t - a)] for a, t in zip(admitted.ravel(), n, strict=True)]
    )
    data = GroupedDrops(np.arange(len(one)), stratum[one], group[one], np.ones(len(one)), drops, len(one))
    assert uncorrected(data, 2) == pytest.approx(1.5246, abs=5e-5)
    crude = GroupedDrops(data.unit, np.zeros_like(data.stratum), data.group, data.n, data.drops, data.n_units)
    assert uncorrected(crude, 2) > 90


def test_counts_may_be_split_or_summed() -> None:
    """Entries of one unit, stratum and group say the same apart or together."""
    rng = np.random.default_rng(3)
    data = from_rates(rng, np.array([[80, 60], [50, 90]]), np.array([[0.4, 0.5], [0.2, 0.3]]), per_unit=2)
    _, place = np.unique(data.unit, return_inverse=True)
    first = np.unique(place, return_index=True)[1]
    summed = GroupedDrops(
        data.unit[first],
        data.stratum[first],
        data.group[first],
        np.bincount(place, weights=data.n).astype(float),
        np.bincount(place, weights=data.drops).astype(float),
        data.n_units,
    )
    a, b = row_test(data, 2), row_test(summed, 2)
    assert a is not None
    assert b is not None
    assert a.statistic == pytest.approx(b.statistic, rel=TIGHT)
    assert a.design_effect == pytest.approx(b.design_effect, rel=TIGHT)


@given(st.permutations(range(4)), st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_names_and_order_of_groups_do_not_matter(order: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = from_rates(rng, rng.integers(30, 60, (2, 4)), rng.uniform(0.3, 0.6, (2, 4)))
    shuffle = rng.permutation(len(data.n))
    other = GroupedDrops(
        data.unit[shuffle],
        data.stratum[shuffle] * 7,
        data.group[shuffle],
        data.n[shuffle],
        data.drops[shuffle],
        data.n_units,
    ).regrouped(np.array(order))
    a, b = row_test(data, 4), row_test(other, 4)
    assert a is not None
    assert b is not None
    assert a.p_value == pytest.approx(b.p_value, rel=1e-7)


# ---------------------------------------------------------------------------------------------------- the null


def p_values(make: object, n_groups: int, runs: int) -> np.ndarray:
    found = [row_test(make(np.random.default_rng(seed)), n_groups) for seed in range(runs)]  # type: ignore[operator]
    return np.array([test.p_value for test in found if test is not None])


@pytest.mark.parametrize("n_groups", [2, 4])
def test_p_values_are_uniform_under_the_null(n_groups: int) -> None:
    """Independent visits. The design effect is never below 1, so p may be a little large, not small."""
    rates = np.array([[0.3] * n_groups, [0.6] * n_groups])
    sizes = np.array([np.arange(n_groups) * 60 + 90, np.arange(n_groups)[::-1] * 60 + 90])
    p = p_values(lambda rng: from_rates(rng, sizes, rates), n_groups, 400)
    assert len(p) == 400
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert np.mean(p < 0.05) < 0.08


@pytest.mark.parametrize("spread", [0.7, 1.5])
def test_p_values_are_uniform_with_repeated_visits(spread: float) -> None:
    """Four visits a customer, customers differ: the plain test rejects far too often, the corrected one does not."""
    sizes, rates = np.array([[800, 600, 400], [400, 600, 800]]), np.array([[0.3] * 3, [0.5] * 3])

    def make(rng: np.random.Generator) -> GroupedDrops:
        return from_rates(rng, sizes, rates, per_unit=4, spread=spread)

    p = p_values(make, 3, 300)
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert np.mean(p < 0.05) < 0.09
    if spread > 1:
        naive = [stats.chi2.sf(uncorrected(make(np.random.default_rng(seed)), 3), 2) for seed in range(150)]
        assert np.mean(np.array(naive) < 0.05) > 0.15


def test_p_values_are_uniform_when_customers_move_between_groups() -> None:
    """Periods: one customer's visits fall into several groups, so the correction may only be on the safe side."""

    def make(rng: np.random.Generator) -> GroupedDrops:
        data = from_rates(rng, np.array([[1600]]), np.array([[0.4]]), per_unit=4, spread=1.2)
        return GroupedDrops(
            data.unit, data.stratum, rng.integers(0, 4, 1600), data.n, data.drops, data.n_units
        )

    p = p_values(make, 4, 300)
    assert np.mean(p < 0.05) < 0.08
    assert np.mean(p < 0.5) < 0.57


def test_a_shift_in_who_comes_is_not_a_difference() -> None:
    """Group 1 has more of the stratum that drops out more: stratified p is uniform, the crude one near 0."""
    sizes, rates = np.array([[500, 100], [100, 500]]), np.array([[0.2, 0.2], [0.6, 0.6]])
    p = p_values(lambda rng: from_rates(rng, sizes, rates), 2, 300)
    assert stats.kstest(p, "uniform").pvalue > 0.01
    data = from_rates(np.random.default_rng(0), sizes, rates)
    crude = row_test(
        GroupedDrops(data.unit, np.zeros_like(data.stratum), data.group, data.n, data.drops, data.n_units), 2
    )
    assert crude is not None
    assert crude.p_value < 1e-6


def test_a_planted_difference_is_found() -> None:
    """0.30 against 0.42 with 600 visits a group: a power of 99 %."""
    sizes, rates = np.full((2, 3), 300), np.array([[0.3, 0.42, 0.3], [0.3, 0.42, 0.3]])
    p = p_values(lambda rng: from_rates(rng, sizes, rates), 3, 100)
    assert np.mean(p < 0.05) > 0.94


# ------------------------------------------------------------------------------------------------ corner cases


def test_small_groups_are_not_compared() -> None:
    rng = np.random.default_rng(0)
    data = from_rates(rng, np.array([[400, 400, 6]]), np.array([[0.3, 0.5, 0.5]]))
    assert comparable_groups(data, 3).tolist() == [True, True, False]
    test, without = row_test(data, 3), row_test(data.only(data.group < 2), 2)
    assert test is not None
    assert without is not None
    assert test.df == 1
    assert test.p_value == pytest.approx(without.p_value, rel=TIGHT)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_no_drops_or_nothing_but_drops_cannot_be_tested(rate: float) -> None:
    n = 300
    data = GroupedDrops(np.arange(n), np.zeros(n, int), np.arange(n) % 2, np.ones(n), np.full(n, rate), n)
    assert row_test(data, 2) is None


def test_one_group_and_empty_strata() -> None:
    n = 200
    zero = np.zeros(n, int)
    assert (
        row_test(GroupedDrops(np.arange(n), zero, zero, np.ones(n), (np.arange(n) % 2).astype(float), n), 1)
        is None
    )
    # Groups that never meet in a stratum cannot be told from their strata.
    apart = GroupedDrops(
        np.arange(n), np.arange(n) % 2, np.arange(n) % 2, np.ones(n), (np.arange(n) % 4 < 2).astype(float), n
    )
    assert row_test(apart, 2) is None
    # A stratum without a watched visit: counted as nothing.
    none = GroupedDrops(
        np.arange(n), np.arange(n) % 2, zero, (np.arange(n) % 2).astype(float), np.zeros(n), n
    )
    assert np.isfinite(expected_drops(none, 1).covariance).all()
    empty = np.zeros(0, np.int64)
    assert row_test(GroupedDrops(empty, empty, empty, np.zeros(0), np.zeros(0), 5), 3) is None


def test_design_effect() -> None:
    """Every customer's four visits end alike: four visits are worth one."""
    drops = np.repeat(np.random.default_rng(0).random(500) < 0.4, 4).astype(float)
    unit = np.repeat(np.arange(500), 4)
    alike = GroupedDrops(unit, np.zeros(2000, int), unit % 2, np.ones(2000), drops, 500)
    assert design_effect(alike) == pytest.approx(4.0, abs=1e-9)
    apart = GroupedDrops(np.arange(2000), alike.stratum, alike.group, alike.n, drops, 2000)
    assert design_effect(apart) == pytest.approx(1.0, abs=1e-9)


# ------------------------------------------------------------------------------------------- false discoveries


def test_benjamini_hochberg_fixture() -> None:
    p = np.array([0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205])
    expected = [0.008, 0.032, 0.0672, 0.0672, 0.0672, 0.08, 0.084571, 0.205]
    np.testing.assert_allclose(benjamini_hochberg(p), expected, atol=5.1e-7)


@given(st.lists(st.floats(0, 1), max_size=30))
@settings(max_examples=60, deadline=None)
def test_benjamini_hochberg_equals_statsmodels(p: list[float]) -> None:
    found = benjamini_hochberg(np.array(p))
    assert len(found) == len(p)
    if p:
        np.testing.assert_allclose(found, multipletests(p, method="fdr_bh")[1], atol=1e-12)
