"""References of a comparison: the good group, the broken window, and what noise must not make of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.paths.references import (
    MAX_WINDOW_SHARE,
    broken_periods,
    groups_like_the_best,
    joined,
    merged_slices,
    period_test,
    relative_rates,
    worst_window,
)
from journeymine.paths.row_tests import GroupedDrops, expected_drops


def grouped(
    n: np.ndarray, rates: np.ndarray, seed: int = 0, *, stratum: np.ndarray | None = None
) -> GroupedDrops:
    """Visits of different customers: `n` by group, each dropping with the rate of its group."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(n)), n)
    drops = (rng.random(len(group)) < rates[group]).astype(float)
    where = np.zeros(len(group), np.int64) if stratum is None else stratum
    return GroupedDrops(np.arange(len(group)), where, group, np.ones(len(group)), drops, len(group))


# -------------------------------------------------------------------------------------------- the best groups


def test_the_good_group_is_found() -> None:
    data = grouped(np.full(3, 1500), np.array([0.4, 0.2, 0.38]))
    reference, worse = groups_like_the_best(data, 3)
    assert reference.tolist() == [False, True, False]
    assert worse.tolist() == [True, False, True]


def test_groups_that_are_alike_are_pooled() -> None:
    """Four alike and one worse: over worlds the reference is all four, and rarely the luckiest alone."""
    pooled = 0
    for seed in range(60):
        data = grouped(np.full(5, 800), np.array([0.2, 0.2, 0.35, 0.2, 0.2]), seed)
        reference, worse = groups_like_the_best(data, 5)
        assert worse[2]
        assert not (reference & worse).any()
        pooled += reference.tolist() == [True, True, False, True, True]
    assert pooled >= 54


def test_the_reference_is_not_the_minimum_of_noise() -> None:
    """Pooled rate of the reference against the truth: unbiased, where the smallest of eight rates is not."""
    found, smallest = [], []
    for seed in range(80):
        data = grouped(np.full(9, 300), np.r_[np.full(8, 0.25), 0.45], seed)
        total = expected_drops(data, 9)
        reference, _ = groups_like_the_best(data, 9)
        found.append(total.observed[reference].sum() / total.n[reference].sum())
        smallest.append((total.observed / total.n).min())
    assert np.mean(found) == pytest.approx(0.25, abs=0.006)
    assert np.mean(smallest) < 0.22


def test_small_groups_are_neither() -> None:
    data = grouped(np.array([900, 900, 8]), np.array([0.2, 0.4, 0.9]))
    reference, worse = groups_like_the_best(data, 3)
    assert not reference[2]
    assert not worse[2]
    assert worse[1]


def test_groups_are_compared_inside_strata() -> None:
    """Group 1 only looks worse: more of it comes from the stratum that drops out more."""
    rng = np.random.default_rng(5)
    group = np.repeat([0, 1], 3000)
    stratum = (rng.random(6000) < np.where(group == 1, 0.8, 0.2)).astype(np.int64)
    drops = (rng.random(6000) < np.where(stratum == 1, 0.6, 0.2)).astype(float)
    data = GroupedDrops(np.arange(6000), stratum, group, np.ones(6000), drops, 6000)
    reference, worse = groups_like_the_best(data, 2)
    assert reference.all()
    assert not worse.any()
    np.testing.assert_allclose(relative_rates(data, 2), 1.0, atol=0.05)


def test_relative_rates_are_shrunk() -> None:
    """Alike groups shrink to 1; a clear difference stays, and the smallest group is shrunk most."""
    np.testing.assert_allclose(relative_rates(grouped(np.full(6, 40), np.full(6, 0.5), 1), 6), 1.0, atol=0.12)
    n = np.array([4000, 4000, 40])
    data = grouped(n, np.array([0.2, 0.5, 0.5]), 2)
    total = expected_drops(data, 3)
    raw, shrunk = total.observed / total.expected, relative_rates(data, 3)
    assert np.all(np.abs(shrunk - 1) <= np.abs(raw - 1) + 1e-12)
    kept = np.abs(shrunk - 1) / np.abs(raw - 1)
    assert kept[:2].min() > 0.95 > kept[2]
    assert relative_rates(grouped(np.array([0, 10]), np.array([0.5, 0.5])), 2)[0] == pytest.approx(1.0)


# ----------------------------------------------------------------------------------------------------- windows


def test_a_planted_window_is_found_exactly() -> None:
    expected = np.full(50, 20.0)
    observed = expected.copy()
    observed[17:24] = 45
    assert worst_window(observed, expected, np.ones(50, bool)) == (17, 24)


@pytest.mark.parametrize("seed", range(8))
def test_a_noisy_window_is_found_nearly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rate = np.full(60, 12.0)
    rate[30:40] = 30.0
    found = worst_window(rng.poisson(rate).astype(float), np.full(60, 12.0), np.ones(60, bool))
    assert found is not None
    assert abs(found[0] - 30) <= 1
    assert abs(found[1] - 40) <= 1


def brute_window(
    observed: np.ndarray, expected: np.ndarray, allowed: np.ndarray
) -> tuple[float, list[tuple[int, int]]]:
    """Best score over all runs of allowed slices, the obvious way; and the runs that reach it."""
    total = observed[allowed].sum()
    expected = expected * total / expected[allowed].sum()
    scores = {}
    for first in range(len(observed)):
        for stop in range(first + 1, len(observed) + 1):
            inside, due = observed[first:stop].sum(), expected[first:stop].sum()
            rest, rest_due = total - inside, total - due
            if not allowed[first:stop].all() or due > MAX_WINDOW_SHARE * total or rest_due <= 0 or due <= 0:
                continue
            if inside / due > rest / rest_due:
                score = inside * np.log(inside / due) + (rest * np.log(rest / rest_due) if rest else 0.0)
                scores[first, stop] = score
    best = max(scores.values(), default=0.0)
    return best, [window for window, score in scores.items() if score > best - 1e-6]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5), st.booleans()), min_size=1, max_size=10))
@settings(max_examples=150, deadline=None)
def test_worst_window_equals_trying_all(slices: list[tuple[int, int, bool]]) -> None:
    observed = np.array([o for o, _, _ in slices], float)
    expected = np.array([e for _, e, _ in slices], float)
    allowed = np.array([a for _, _, a in slices])
    found = worst_window(observed, expected, allowed)
    if not allowed.any() or observed[allowed].sum() == 0:
        assert found is None
        return
    best, windows = brute_window(observed, expected, allowed)
    if best > 1e-6:
        assert found in windows
    else:
        assert found is None or found in windows


def test_windows_never_bridge_slices_that_were_taken_out() -> None:
    observed, expected = np.array([9.0, 9, 9, 1, 9, 9, 1, 1]), np.full(8, 5.0)
    allowed = np.array([True, True, True, False, True, True, True, True])
    assert worst_window(observed, expected, allowed) == (0, 3)
    assert worst_window(observed, expected, ~allowed) is None or not allowed[3]


def test_nothing_to_find() -> None:
    assert worst_window(np.zeros(5), np.ones(5), np.ones(5, bool)) is None
    assert worst_window(np.ones(5), np.ones(5), np.zeros(5, bool)) is None
    assert worst_window(np.full(5, 3.0), np.full(5, 3.0), np.ones(5, bool)) is None


# ----------------------------------------------------------------------------------------------------- periods


def test_an_incident_is_found_and_the_rest_is_quiet() -> None:
    near = 0
    for seed in range(20):
        rates = np.full(80, 0.25)
        rates[50:60] = 0.55
        windows = broken_periods(grouped(np.full(80, 50), rates, seed), 80)
        assert windows
        near += abs(windows[0][0] - 50) <= 1 and abs(windows[0][1] - 60) <= 1
        assert len(windows) <= 2
    assert near >= 18


def test_two_incidents_are_found() -> None:
    rates = np.full(90, 0.2)
    rates[20:27] = 0.6
    rates[60:70] = 0.5
    windows = sorted(broken_periods(grouped(np.full(90, 60), rates, 3), 90))
    assert len(windows) == 2
    np.testing.assert_allclose(windows, [(20, 27), (60, 70)], atol=1)


def test_the_campaign_that_only_changes_who_comes_is_no_incident() -> None:
    """More of the stratum that drops out comes in some weeks: inside strata nothing happened."""
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(60), 80)
    campaign = (group >= 30) & (group < 40)
    stratum = (rng.random(len(group)) < np.where(campaign, 0.8, 0.2)).astype(np.int64)
    drops = (rng.random(len(group)) < np.where(stratum == 1, 0.6, 0.2)).astype(float)
    data = GroupedDrops(np.arange(len(group)), stratum, group, np.ones(len(group)), drops, len(group))
    crude = GroupedDrops(data.unit, np.zeros_like(stratum), group, data.n, drops, data.n_units)
    test, without = period_test(data, 60), period_test(crude, 60)
    assert test is not None
    assert without is not None
    assert test.p_value > 0.05
    assert without.p_value < 1e-6


def test_period_test_is_uniform_under_the_null() -> None:
    p = []
    for seed in range(200):
        test = period_test(grouped(np.full(100, 8), np.full(100, 0.3), seed), 100)
        assert test is not None
        p.append(test.p_value)
    from scipy import stats

    # The joining looks at the number of drops a little, and the design effect is at least 1: nearly uniform.
    assert stats.kstest(p, "uniform").pvalue > 0.005
    assert np.mean(np.array(p) < 0.05) < 0.1


# ------------------------------------------------------------------------------------------------------ joining


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(0, 1)), min_size=1, max_size=40), st.floats(1, 40))
@settings(max_examples=80, deadline=None)
def test_merged_slices(slices: list[tuple[int, float]], needed: float) -> None:
    n = np.array([size for size, _ in slices])
    group = np.repeat(np.arange(len(n)), n)
    drops = np.concatenate([np.arange(size) < size * rate for size, rate in slices]).astype(float)
    data = GroupedDrops(
        np.arange(len(group)),
        np.zeros(len(group), np.int64),
        group,
        np.ones(len(group)),
        drops,
        max(len(group), 1),
    )
    new = merged_slices(data, len(n), needed)
    # Neighbours only: numbers begin at 0 and rise by one at most.
    assert new[0] == 0
    assert set(np.diff(new).tolist()) <= {0, 1}
    total = expected_drops(data.regrouped(new), int(new.max()) + 1)
    if new.max():
        assert (total.expected >= needed - 1e-9).all()
        assert (total.n - total.expected >= needed - 1e-9).all()
    assert total.n.sum() == len(group)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5)), max_size=8))
@settings(max_examples=100, deadline=None)
def test_joined_windows(parts: list[tuple[int, int]]) -> None:
    windows = [(first, first + length) for first, length in parts]
    found = joined(windows)
    covered = {i for first, stop in windows for i in range(first, stop)}
    assert {i for first, stop in found for i in range(first, stop)} == covered
    # Apart: neither overlapping nor touching.
    for (_, stop), (first, _) in zip(sorted(found)[:-1], sorted(found)[1:], strict=True):
        assert stop < first
    # The worst window stays in the first one.
    if windows:
        assert found[0][0] <= windows[0][0]
        assert found[0][1] >= windows[0][1]
    assert joined(found) == found
