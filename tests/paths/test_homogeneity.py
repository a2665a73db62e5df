"""Tests of whole activities: closed forms where moves are independent, uniform p values where nothing differs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable

from journeymine.paths.homogeneity import Homogeneity, RowMoves, homogeneity_test


def moves_of_table(table: np.ndarray) -> RowMoves:
    """A table (strata, 2, targets) in which every move is of a customer of its own."""
    s, g, t = np.indices(table.shape).reshape(3, -1)
    n = table.ravel()
    rows = np.repeat(np.arange(len(n)), n)
    return RowMoves(
        np.arange(len(rows)), s[rows], g[rows] == 0, t[rows], np.ones(len(rows), int), table.shape[2]
    )


def simulated(
    rng: np.random.Generator,
    *,
    m: int,
    per: float = 3.0,
    k: int = 5,
    strata: int = 1,
    sd: float = 1.0,
    share_a: float = 0.5,
    shift: float = 0.0,
) -> RowMoves:
    """Customers with moves of their own liking; `shift` of the moves of group A go to target 0 instead."""
    unit = np.repeat(np.arange(m), rng.geometric(1 / per, size=m))
    in_a = (rng.random(m) < share_a)[unit]
    stratum = rng.integers(0, strata, size=m)[unit]
    liking = np.exp(np.log(np.linspace(2, 1, k)) + sd * rng.standard_normal((m, k)))
    liking[:, -1] *= 1 + stratum[np.searchsorted(unit, np.arange(m))] / strata
    cumulative = (liking / liking.sum(axis=1, keepdims=True)).cumsum(axis=1)
    target = (rng.random(len(unit))[:, None] > cumulative[unit]).sum(axis=1).clip(0, k - 1)
    target = np.where(in_a & (rng.random(len(unit)) < shift), 0, target)
    return RowMoves(unit, stratum, in_a, target, np.ones(len(unit), int), k)


def outcome(moves: RowMoves) -> Homogeneity:
    found = homogeneity_test(moves)
    assert found is not None
    return found


def test_independent_moves_of_one_stratum_give_pearsons_statistic() -> None:
    table = np.array([[[50, 30, 20], [35, 40, 45]]])
    found = outcome(moves_of_table(table))
    pearson = stats.chi2_contingency(table[0], correction=False)
    n = table.sum()
    # The hypergeometric covariance is n / (n - 1) of Pearson's; the design effect is near 1.
    assert found.statistic * found.design_effect * 2 == pytest.approx(pearson.statistic * (n - 1) / n)
    assert found.design_effect == pytest.approx(1, abs=0.05)
    assert found.df == pytest.approx(2, abs=0.02)
    assert found.p_value == pytest.approx(pearson.pvalue, rel=0.2)


def test_strata_give_the_statistic_of_cochran_mantel_haenszel() -> None:
    table = np.array([[[30, 70], [20, 90]], [[25, 15], [18, 22]], [[8, 40], [12, 20]]])
    found = outcome(moves_of_table(table))
    outside = StratifiedTable([stratum.astype(float) for stratum in table]).test_null_odds(correction=False)
    assert found.statistic * found.design_effect == pytest.approx(outside.statistic)
    weight = table.sum(axis=2).prod(axis=1) / table.sum(axis=(1, 2))
    share = table / table.sum(axis=2, keepdims=True)
    expected = (weight[:, None] * (share[:, 0] - share[:, 1])).sum(axis=0) / weight.sum()
    assert found.adjusted == pytest.approx(expected)


def test_a_shift_in_who_comes_is_no_difference() -> None:
    table = np.array([[[90, 10], [45, 5]], [[10, 40], [40, 160]]])
    assert outcome(moves_of_table(table)).p_value > 0.99
    flat = outcome(moves_of_table(table.sum(axis=0, keepdims=True)))
    assert flat.p_value < 1e-6


def test_ten_equal_moves_of_a_customer_are_one() -> None:
    one = moves_of_table(np.array([[[30, 20], [20, 30]]]))
    ten = RowMoves(one.unit, one.stratum, one.in_a, one.target, 10 * one.n, 2)
    assert outcome(ten).p_value == pytest.approx(outcome(one).p_value, rel=0.05)
    assert outcome(ten).design_effect == pytest.approx(10 * outcome(one).design_effect, rel=0.02)


@pytest.mark.parametrize(
    ("m", "per", "strata", "share_a"), [(300, 3.0, 1, 0.5), (250, 3.0, 10, 0.3), (60, 4.0, 1, 0.5)]
)
def test_p_values_are_uniform_or_cautious_where_nothing_differs(
    m: int, per: float, strata: int, share_a: float
) -> None:
    rng = np.random.default_rng(m)
    found = [outcome(simulated(rng, m=m, per=per, strata=strata, share_a=share_a)) for _ in range(300)]
    p = np.array([one.p_value for one in found])
    # Small p values must not be too frequent; with few customers they may be rarer.
    assert stats.kstest(p, "uniform", alternative="greater").pvalue > 0.01
    assert (p < 0.05).mean() < 0.085
    if m == 300:
        assert stats.kstest(p, "uniform").pvalue > 0.01
    edges = np.concatenate([one.edge_p for one in found])
    assert (edges < 0.05).mean() < 0.07


def test_intervals_inside_strata_hold_the_truth() -> None:
    rng = np.random.default_rng(5)
    held = []
    for _ in range(300):
        found = outcome(simulated(rng, m=400, k=3, sd=0.8, strata=4, shift=0.0))
        held.append((found.adjusted_lower <= 0) & (found.adjusted_upper >= 0))
    assert 0.92 < np.mean(held) < 0.98


def test_a_changed_row_is_found_and_its_moves_ranked() -> None:
    rng = np.random.default_rng(1)
    found = [outcome(simulated(rng, m=500, shift=0.2)) for _ in range(40)]
    assert np.mean([one.p_value < 0.01 for one in found]) > 0.9
    assert all(one.edge_p.argmin() == 0 for one in found)


def test_rare_targets_are_tested_together() -> None:
    table = np.array([[[60, 30, 3, 2, 4], [50, 45, 4, 3, 1]]])
    found = outcome(moves_of_table(table))
    assert found.tested.tolist() == [0, 1]
    assert round(found.df) == 2  # two targets and the rare ones
    few = outcome(moves_of_table(np.array([[[60, 30, 3], [50, 45, 1]]])))
    assert round(few.df) == 1  # the rare one alone would be too rare: it joins the rarer of the others


@pytest.mark.parametrize(
    "table",
    [
        [[[5, 5], [0, 0]]],  # one group only
        [[[50, 0], [60, 0]]],  # one target
        [[[3, 2], [4, 1]]],  # too few
        [[[50, 50], [0, 0]], [[0, 0], [50, 50]]],  # no stratum in common
    ],
)
def test_what_cannot_be_compared_is_not(table: list[list[list[int]]]) -> None:
    assert homogeneity_test(moves_of_table(np.array(table))) is None


def test_one_customer_proves_nothing() -> None:
    moves = RowMoves(
        np.zeros(4, int), np.zeros(4, int), np.array([True, True, False, False]), np.array([0, 1, 0, 1]),
        np.array([90, 10, 10, 90]), 2,
    )  # fmt: skip
    assert homogeneity_test(moves) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 4))
def test_groups_exchanged_and_rows_shuffled(seed: int, k: int, strata: int) -> None:
    rng = np.random.default_rng(seed)
    moves = simulated(rng, m=60, k=k, strata=strata)
    order = rng.permutation(len(moves.unit))
    turned = RowMoves(
        moves.unit[order],
        moves.stratum[order],
        ~moves.in_a[order],
        moves.target[order],
        moves.n[order],
        k,
    )
    one, other = homogeneity_test(moves), homogeneity_test(turned)
    assert (one is None) == (other is None)
    if one is None or other is None:
        return
    assert other.p_value == pytest.approx(one.p_value, rel=1e-6, abs=1e-12)
    assert other.adjusted == pytest.approx(-one.adjusted, abs=1e-12)
    assert other.adjusted_lower == pytest.approx(-one.adjusted_upper, abs=1e-12)
    assert other.edge_p == pytest.approx(one.edge_p, rel=1e-6, abs=1e-12)
    assert one.adjusted.sum() == pytest.approx(0, abs=1e-9)
    assert 0 <= one.p_value <= 1
    assert one.design_effect >= 1
