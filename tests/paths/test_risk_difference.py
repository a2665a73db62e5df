"""Standardised differences: against regression with fixed effects, Fisher's exact test, and their own coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymine.paths.risk_difference import difference_test, exact_test, risk_difference
from journeymine.paths.row_tests import GroupedDrops


def visits(
    rng: np.random.Generator, n: int = 600, *, effect: float = 0.0, spread: float = 0.0
) -> GroupedDrops:
    """Visits of units that share a leaning, in four strata with shares and mixes of their own."""
    unit = rng.integers(0, n // 4, n)
    stratum = rng.integers(0, 4, n)
    group = (rng.random(n) < 0.2 + 0.15 * stratum).astype(int)
    leaning = rng.normal(0, spread, n)[unit]
    share = np.clip(0.25 + 0.1 * stratum + effect * group + leaning, 0.01, 0.99)
    return GroupedDrops(unit, stratum, group, np.ones(n), (rng.random(n) < share).astype(float), n)


def test_it_is_least_squares_with_fixed_effects_and_clustered_errors() -> None:
    import statsmodels.api as sm

    data = visits(np.random.default_rng(1), effect=0.1, spread=0.2)
    design = np.column_stack([data.group, np.eye(4)[data.stratum]])
    fit = sm.OLS(data.drops, design).fit(
        cov_type="cluster", cov_kwds={"groups": data.unit, "use_correction": False}
    )
    found = risk_difference(data)
    assert found is not None
    m = len(np.unique(data.unit))
    from scipy import stats

    half = stats.t.ppf(0.975, m - 1) * fit.bse[0] * np.sqrt(m / (m - 1))
    assert float(found.estimate) == pytest.approx(fit.params[0], abs=1e-12)
    assert float(found.upper - found.estimate) == pytest.approx(half, rel=1e-9)
    assert int(found.n) == int(data.group.sum())


def test_entries_may_be_split_or_summed() -> None:
    data = visits(np.random.default_rng(2))
    key = (data.unit * 4 + data.stratum) * 2 + data.group
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    summed = GroupedDrops(
        data.unit[first], data.stratum[first], data.group[first],
        np.bincount(place).astype(float), np.bincount(place, weights=data.drops), data.n_units,
    )  # fmt: skip
    one, other = risk_difference(data), risk_difference(summed)
    assert one is not None
    assert other is not None
    assert one.at() == pytest.approx(other.at())
    assert difference_test(data) == pytest.approx(difference_test(summed))


def test_a_shift_in_the_mix_is_no_difference() -> None:
    n = np.array([90.0, 10.0, 10.0, 90.0])
    drops = n * np.array([0.5, 0.1, 0.5, 0.1])
    data = GroupedDrops(np.arange(4), np.array([0, 1, 0, 1]), np.array([1, 1, 0, 0]), n, drops, 4)
    found = risk_difference(data)
    assert found is not None
    assert float(found.estimate) == pytest.approx(0, abs=1e-12)


def test_strata_with_one_group_say_nothing() -> None:
    data = visits(np.random.default_rng(3), 200)
    alone = GroupedDrops(
        np.r_[data.unit, 0, 1], np.r_[data.stratum, 9, 9], np.r_[data.group, 1, 1],
        np.r_[data.n, 50.0, 50.0], np.r_[data.drops, 50.0, 0.0], data.n_units,
    )  # fmt: skip
    one, other = risk_difference(data), risk_difference(alone)
    assert one is not None
    assert other is not None
    assert one.at() == other.at()
    assert risk_difference(alone.only(alone.stratum == 9)) is None


@pytest.mark.simulation
@pytest.mark.parametrize("spread", [0.0, 0.25])
def test_intervals_cover_and_tests_keep_their_level(spread: float) -> None:
    rng, covered, rejected, runs = np.random.default_rng(11), 0, 0, 1000
    for _ in range(runs):
        data = visits(rng, 400, spread=spread)
        found, p = risk_difference(data), difference_test(data)
        assert found is not None
        assert p is not None
        covered += float(found.lower) <= 0 <= float(found.upper)
        rejected += p < 0.05
    assert 0.93 <= covered / runs <= 0.97
    assert 0.03 <= rejected / runs <= 0.065


def test_the_test_is_that_of_mantel_and_haenszel_where_visits_are_independent() -> None:
    from statsmodels.stats.contingency_tables import StratifiedTable

    rng = np.random.default_rng(5)
    data = visits(rng, 4000, effect=0.03)
    data = GroupedDrops(np.arange(4000), data.stratum, data.group, data.n, data.drops, 4000)
    tables = [
        np.array(
            [
                [((data.group == g) & (data.drops == d) & (data.stratum == s)).sum() for d in (1, 0)]
                for g in (1, 0)
            ]
        )
        for s in range(4)
    ]
    expected = StratifiedTable(tables).test_null_odds(correction=False).pvalue
    assert difference_test(data) == pytest.approx(expected, rel=0.1)


def test_too_few_expected_drops_are_not_tested() -> None:
    drops = np.r_[np.ones(4), np.zeros(96), np.zeros(100)]
    data = GroupedDrops(np.arange(200), np.zeros(200, int), np.repeat([1, 0], 100), np.ones(200), drops, 200)
    assert difference_test(data) is None


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=40))
def test_exact_is_fishers_test_in_one_stratum(rows: list[tuple[int, int]]) -> None:
    from scipy import stats

    group, drops = np.array([r[0] for r in rows]), np.array([float(r[1]) for r in rows])
    data = GroupedDrops(
        np.arange(len(rows)), np.zeros(len(rows), int), group, np.ones(len(rows)), drops, len(rows)
    )
    p = exact_test(data)
    if not group.any():
        assert p is None
        return
    table = [[int(((group == g) & (drops == d)).sum()) for d in (1, 0)] for g in (1, 0)]
    assert p == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-6)


def test_exact_wants_one_visit_a_unit() -> None:
    data = GroupedDrops(
        np.array([0, 0, 1]), np.zeros(3, int), np.array([1, 1, 0]), np.ones(3), np.zeros(3), 2
    )
    assert exact_test(data) is None


def test_a_group_that_never_varies_keeps_an_interval() -> None:
    drops = np.r_[np.ones(6), np.zeros(200)]
    group = np.r_[np.ones(6, int), np.zeros(200, int)]
    found = risk_difference(GroupedDrops(np.arange(206), np.zeros(206, int), group, np.ones(206), drops, 206))
    assert found is not None
    assert float(found.estimate) == 1.0
    assert 0.5 < float(found.lower) < 0.7
