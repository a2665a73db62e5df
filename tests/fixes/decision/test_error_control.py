"""Error control: which effects stand above zero, and intervals for the whole list at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from journeymine.fixes.decision.error_control import bounded, kept_above_zero, p_values, simultaneous


def root(k: int, rho: float = 0.3) -> np.ndarray:
    return np.linalg.cholesky(rho + (1 - rho) * np.eye(k))


def test_p_values_are_those_of_the_normal() -> None:
    """Draws that are quantiles of a normal: p = 2 (1 - Phi(z)), to the last bit that 4,000 draws can tell."""
    noise = stats.norm.ppf((np.arange(4000) + 0.5) / 4000)
    for z in (0.0, 1.0, 1.96, 3.0, 8.0):
        effect = np.array([0.01 * z, -0.01 * z])
        found = p_values(effect, effect + 0.01 * noise[:, None])
        np.testing.assert_allclose(found, 2 * stats.norm.sf(z), rtol=0.06 * max(z, 1) ** 2 / 4)
    assert (p_values(np.array([0.1]), 0.1 + 0.01 * noise[:, None]) > 0).all()


def test_p_below_five_percent_only_where_the_percentile_interval_leaves_zero_out() -> None:
    """Skewed draws, both ways: the side of the interval that faces 0 decides."""
    skewed = stats.expon.ppf((np.arange(4000) + 0.5) / 4000) - 1
    for sign in (1, -1):
        for size in np.linspace(0.5, 5, 40):
            effect = np.array([size, -size])
            draws = effect + sign * skewed[:, None]
            low, high = np.quantile(draws, (0.025, 0.975), axis=0)
            crosses = (low <= 0) & (high >= 0)
            assert (p_values(effect, draws)[crosses] >= 0.05 - 1e-9).all()


def test_draws_that_are_all_the_same_prove_nothing() -> None:
    effect = np.array([0.0, 0.3])
    assert p_values(effect, np.tile(effect, (50, 1))).tolist() == [1.0, 1.0]
    assert kept_above_zero(effect, np.tile(effect, (50, 1))).tolist() == [False, False]
    assert kept_above_zero(np.zeros(0), np.zeros((10, 0))).tolist() == []


def test_a_list_of_nothing_is_seldom_called_something() -> None:
    """Null worlds: any fix kept in at most 5 % of them; with one large effect it is always kept."""
    rng, k, runs, any_kept, found = np.random.default_rng(0), 12, 400, 0, 0
    for _ in range(runs):
        effect = root(k) @ rng.normal(size=k)
        draws = effect + rng.normal(size=(200, k)) @ root(k).T
        any_kept += bool(kept_above_zero(effect, draws).any())
        shift = np.where(np.arange(k) == 3, 8.0, 0.0)
        found += bool(kept_above_zero(effect + shift, draws + shift)[3])
    # Three standard errors of 400 runs at 5 %.
    assert any_kept / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    assert found == runs


def test_false_discoveries_among_true_effects() -> None:
    """Half of the fixes work: at most 5 % of what is kept does not."""
    rng, k, runs, wrong = np.random.default_rng(1), 20, 300, []
    truth = np.where(np.arange(k) < 10, 4.0, 0.0)
    for _ in range(runs):
        effect = truth + root(k) @ rng.normal(size=k)
        kept = kept_above_zero(effect, effect + rng.normal(size=(200, k)) @ root(k).T)
        wrong.append((kept & (truth == 0)).sum() / max(kept.sum(), 1))
    assert np.mean(wrong) <= 0.05


def test_simultaneous_bands_hold_all_at_once() -> None:
    """Coverage of the whole list, of effects with unequal errors; single intervals would miss some."""
    rng, k, runs, all_in, alone = np.random.default_rng(2), 8, 400, 0, 0
    scale = np.linspace(0.5, 2, k)
    for _ in range(runs):
        noise = scale * (root(k) @ rng.normal(size=k))
        draws = noise + (rng.normal(size=(400, k)) @ root(k).T) * scale
        low, high = simultaneous(noise, draws)
        all_in += bool(((low <= 0) & (high >= 0)).all())
        single = np.quantile(draws, (0.025, 0.975), axis=0)
        alone += bool(((single[0] <= 0) & (single[1] >= 0)).all())
    # Three standard errors, and what 400 draws leave open.
    assert 0.91 <= all_in / runs <= 0.985
    assert alone / runs < 0.85


def test_simultaneous_of_one_fix_is_the_normal_interval() -> None:
    draws = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)[:, None] * 0.02
    low, high = simultaneous(np.zeros(1), draws)
    assert high[0] == pytest.approx(1.96 * 0.02, rel=1e-3)
    assert low[0] == pytest.approx(-1.96 * 0.02, rel=1e-3)


def test_simultaneous_with_a_fix_that_nobody_meets() -> None:
    """It has no width and widens no other."""
    draws = np.random.default_rng(0).normal(size=(500, 2))
    low, high = simultaneous(np.zeros(2), draws)
    more_low, more_high = simultaneous(np.zeros(3), np.column_stack([draws, np.zeros(500)]))
    assert more_low.tolist() == [*low.tolist(), 0.0]
    assert more_high.tolist() == [*high.tolist(), 0.0]
    assert simultaneous(np.zeros(1), np.zeros((5, 1)))[1].tolist() == [0.0]


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 1), st.booleans()), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_what_is_not_kept_reaches_zero_and_nothing_else_moves(rows: list[tuple[float, float, bool]]) -> None:
    lower = np.array([a for a, _, _ in rows])
    upper = lower + np.array([b for _, b, _ in rows])
    kept = np.array([c for _, _, c in rows])
    low, high = bounded(lower, upper, kept)
    np.testing.assert_array_equal(low[kept], lower[kept])
    np.testing.assert_array_equal(high[kept], upper[kept])
    assert ((low <= 0) & (high >= 0))[~kept].all()
    assert (low <= lower).all()
    assert (high >= upper).all()
