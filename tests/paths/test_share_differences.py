"""Differences of shares: Newcombe's interval where trials are independent, coverage where they are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from journeymine.paths.share_differences import ShareDifferences, differences_of_shares
from journeymine.uncertainty import unit_matrix


def compared(unit: np.ndarray, in_a: np.ndarray, won: np.ndarray, n_units: int) -> ShareDifferences:
    zero = np.zeros(len(unit), int)

    def matrix(keep: np.ndarray) -> object:
        return unit_matrix(unit, zero, keep, (n_units, 1))

    return differences_of_shares(
        (matrix(won & in_a), matrix(won & ~in_a)),  # type: ignore[arg-type]
        (matrix(in_a), matrix(~in_a)),  # type: ignore[arg-type]
        np.zeros(1, int),
    )


def independent(x_a: int, n_a: int, x_b: int, n_b: int) -> ShareDifferences:
    unit = np.arange(n_a + n_b)
    in_a = unit < n_a
    won = np.r_[np.arange(n_a) < x_a, np.arange(n_b) < x_b]
    return compared(unit, in_a, won, n_a + n_b)


@pytest.mark.parametrize("counts", [(56, 70, 48, 80), (9, 10, 3, 10), (5, 56, 0, 29), (30, 60, 31, 61)])
def test_independent_trials_give_newcombes_interval(counts: tuple[int, int, int, int]) -> None:
    x_a, n_a, x_b, n_b = counts
    found = independent(*counts).difference
    lower, upper = confint_proportions_2indep(x_a, n_a, x_b, n_b, method="newcomb", compare="diff")
    # The variance over units has n - 1 in place of n.
    assert found.estimate[0] == pytest.approx(x_a / n_a - x_b / n_b)
    assert found.lower[0] == pytest.approx(lower, abs=0.03 if n_a == 10 else 0.012)
    assert found.upper[0] == pytest.approx(upper, abs=0.03 if n_a == 10 else 0.012)
    assert found.n[0] == n_a + n_b


def test_certainty_is_never_certain() -> None:
    found = independent(12, 12, 0, 12).difference
    assert found.estimate[0] == 1
    assert 0.5 < found.lower[0] < 1
    assert found.upper[0] == 1


def test_shares_that_do_not_vary_have_no_correlation() -> None:
    # Every customer of A wins two in seven and every one of B one in three: what is left of the sums is rounding.
    unit, place = np.divmod(np.arange(6 * 10), 10)
    won = np.isin(place, [0, 1, 7])
    found = compared(unit, place < 7, won, 6)
    assert found.a.estimate[0] == pytest.approx(2 / 7)
    assert found.correlation[0] == 0
    assert found.difference.lower[0] < found.difference.estimate[0] < found.difference.upper[0]
    assert independent(56, 70, 48, 80).correlation[0] == 0


def test_customers_in_both_groups_make_the_difference_surer() -> None:
    rng = np.random.default_rng(0)
    liking = rng.random(200) < 0.5  # customers who always win, and who never do
    unit, in_a = np.repeat(np.arange(200), 2), np.tile([True, False], 200)
    assert compared(unit, in_a, liking[unit], 200).correlation[0] == pytest.approx(1)
    both = compared(unit, in_a, liking[unit], 200).difference
    apart = compared(np.arange(400), in_a, liking[unit], 400).difference
    assert both.estimate[0] == apart.estimate[0] == 0
    assert both.upper[0] - both.lower[0] < 0.2 * (apart.upper[0] - apart.lower[0])


def test_intervals_hold_the_truth_with_customers_in_both_groups() -> None:
    rng = np.random.default_rng(3)
    held = []
    for _ in range(300):
        m = 120
        unit = np.repeat(np.arange(m), rng.geometric(0.3, size=m))
        in_a = rng.random(len(unit)) < 0.4
        rate = np.clip(rng.beta(1, 3, size=m)[unit] + np.where(in_a, 0.1, 0.0), 0, 1)
        found = compared(unit, in_a, rng.random(len(unit)) < rate, m).difference
        truth = 0.1 - _cut(0.1)
        held.append(found.lower[0] <= truth <= found.upper[0])
    assert 0.92 < np.mean(held) < 0.98


def _cut(shift: float) -> float:
    """Mean of what is cut off when a beta(1, 3) share is shifted beyond 1."""
    x = np.linspace(1 - shift, 1, 10_001)
    return float(((x + shift - 1) * 3 * (1 - x) ** 2).mean() * shift)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 40))
def test_inside_bounds_and_antisymmetric(seed: int, m: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    unit = rng.integers(0, m, size=n + 2)
    in_a = np.r_[True, False, rng.random(n) < 0.5]
    won = rng.random(n + 2) < rng.random()
    one, other = compared(unit, in_a, won, m), compared(unit, ~in_a, won, m)
    d, e = one.difference, other.difference
    assert -1 <= d.lower[0] <= d.estimate[0] + 1e-12
    assert d.estimate[0] - 1e-12 <= d.upper[0] <= 1
    assert e.estimate[0] == -d.estimate[0]
    assert e.lower[0] == pytest.approx(-d.upper[0], abs=1e-12)
    assert one.a.estimate[0] == other.b.estimate[0]
