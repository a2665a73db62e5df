"""Patience against Kaplan and Meier by hand, in lifelines and in the design's own script, and against known truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.fixes.what_if.patience import TimeGrid, fit_clocks, leaving_rate, silent_rate

EXACT = 1e-9
SIMULATED = 0.02
"""Two per cent: four standard errors of the ratio at 20,000 visits."""
THETA = 0.12


def share_going_on(
    passed: np.ndarray,
    left: np.ndarray,
    silent: np.ndarray,
    grid: TimeGrid,
    kappa: float,
    *,
    shape: float = 1.0,
) -> np.ndarray:
    return fit_clocks(passed, left, silent, grid, shape=shape).share_going_on(kappa)


def grid_of(times: np.ndarray) -> TimeGrid:
    return TimeGrid(times, times, times)


def km_pass(t: np.ndarray, d: np.ndarray, w: np.ndarray, kappa: float) -> float:
    """`km_pass` of the design's simulation (fix_ranking_sim.py), word for word."""
    o = np.argsort(t)
    t, d, w = t[o], d[o], w[o]
    r = w[::-1].cumsum()[::-1]
    r = np.maximum(r, 1e-9)
    G = np.cumprod(1 - np.where(d, w, 0) / r)
    Fs = np.cumprod(1 - np.where(d, 0, w) / r)
    dF = -np.diff(np.r_[1, Fs])
    tot = dF.sum()
    g = np.r_[1, G][np.searchsorted(t, kappa * t, "right")]
    return float((dF * g).sum() / max(tot, 1e-12))


def clocks(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Log-normal waits against exponential patience: time of the first, whether it was leaving, the true ratio."""
    rng = np.random.default_rng(seed)
    wait, patience = np.exp(1.0 + 0.8 * rng.standard_normal(n)), rng.exponential(1 / THETA, n)
    many = np.exp(1.0 + 0.8 * np.random.default_rng(1).standard_normal(2_000_000))
    truth = float(np.exp(-THETA * many / 2).mean() / np.exp(-THETA * many).mean())
    return np.minimum(wait, patience), patience < wait, truth


def binned(time: np.ndarray, weight: np.ndarray) -> tuple[TimeGrid, np.ndarray]:
    """Bins of a thirty-second of an octave, as the engine makes them; bin of each time."""
    key, place = np.unique(np.floor(32 * np.log2(time * 1e6 + 1)), return_inverse=True)
    low, high = np.full(len(key), np.inf), np.zeros(len(key))
    np.minimum.at(low, place, time)
    np.maximum.at(high, place, time)
    mean = np.bincount(place, time * weight) / np.bincount(place, weight)
    return TimeGrid(mean, low, high), place


@pytest.mark.parametrize("kappa", [0.0, 0.25, 0.5, 0.8, 1.0, 1.5])
@pytest.mark.parametrize("seed", range(3))
def test_same_as_the_script_of_the_design_on_single_times(kappa: float, seed: int) -> None:
    time, left, _ = clocks(300, seed)
    weight = np.random.default_rng(seed).integers(0, 4, len(time)).astype(float)
    order = np.argsort(time)
    passed, gone = np.where(left, 0, weight)[order], np.where(left, weight, 0)[order]
    found = share_going_on(passed, gone, np.zeros(()), grid_of(time[order]), kappa)
    assert float(found) == pytest.approx(km_pass(time, left, weight, kappa), rel=EXACT)


def test_survival_of_patience_is_that_of_lifelines() -> None:
    from lifelines import KaplanMeierFitter

    time, left, _ = clocks(400, 5)
    order = np.argsort(time)
    time, left = time[order], left[order]
    at = np.quantile(time, [0.1, 0.5, 0.9])
    survival = KaplanMeierFitter().fit(time, left).survival_function_at_times(at).to_numpy()
    waits = KaplanMeierFitter().fit(time, ~left).survival_function_.iloc[:, 0]
    for kappa in (0.5, 1.0):
        # P(kappa) by lifelines' two curves.
        jumps = -np.diff(np.r_[1.0, waits.to_numpy()[1:]])
        patience = KaplanMeierFitter().fit(time, left).survival_function_at_times(kappa * time).to_numpy()
        expected = (jumps * patience).sum() / jumps.sum()
        found = share_going_on((~left).astype(float), left.astype(float), np.zeros(()), grid_of(time), kappa)
        assert float(found) == pytest.approx(expected, rel=EXACT)
    n_at_risk = np.arange(len(time), 0, -1)
    hazard = -np.log1p(-np.minimum(left / n_at_risk, 1 - 1e-12))
    assert np.exp(-grid_of(time).hazard_until(hazard, at)) == pytest.approx(survival, rel=1e-8)


def test_by_hand() -> None:
    """Times 1 (left), 2 (went on), 3 (left), 4 (went on): worked out in the docstring, at kappa 0.25 by hand."""
    days = np.array([1.0, 2.0, 3.0, 4.0])
    went, left = np.array([0.0, 1, 0, 1]), np.array([1.0, 0, 1, 0])
    # 1/3 wait half a day, 2/3 one day; patience is 1 before one day, 3/4 from then on.
    found = share_going_on(went, left, np.zeros(()), grid_of(days), 0.25)
    assert float(found) == pytest.approx(1 / 3 + 2 / 3 * 3 / 4, rel=EXACT)


def test_ties_by_hand() -> None:
    """Two go on and two leave after a day, two go on after three: who shares a bin is at risk for half of it.

    Of waits 2 / 5 are a day; patience holds for 1 - 2 / 5 after a day, and for all of the time before.
    """
    days, went, left = np.array([1.0, 3.0]), np.array([2.0, 2.0]), np.array([2.0, 0.0])
    now, half = (share_going_on(went, left, np.zeros(()), grid_of(days), kappa) for kappa in (1.0, 0.5))
    assert float(now) == pytest.approx(3 / 5, rel=EXACT)
    assert float(half) == pytest.approx(2 / 5 + 3 / 5 * 3 / 5, rel=EXACT)


@pytest.mark.parametrize("how", ["seen", "silent", "half"])
@pytest.mark.parametrize("bins", [False, True])
def test_truth_is_found(how: str, *, bins: bool) -> None:
    time, left, truth = clocks(20_000, 11)
    hidden = (
        left & {"seen": np.zeros(len(left), bool), "silent": left, "half": np.arange(len(left)) % 2 == 0}[how]
    )
    seen = ~hidden
    time, gone = time[seen], left[seen]
    if bins:
        grid, place = binned(time, np.ones(len(time)))
    else:
        order = np.argsort(time)
        grid, place = grid_of(time[order]), np.argsort(order)
    passed, out = (np.bincount(place, w.astype(float), minlength=len(grid.mean)) for w in (~gone, gone))
    silent = np.array(float(hidden.sum()))
    half, now = (share_going_on(passed, out, silent, grid, kappa) for kappa in (0.5, 1.0))
    assert float(half / now) == pytest.approx(truth, rel=SIMULATED)
    assert float(now) == pytest.approx((~left).mean(), rel=0.005)
    assert float(leaving_rate(passed, out, silent, grid)) == pytest.approx(THETA, rel=0.05)


def test_bins_change_little() -> None:
    """The ratio from bins 2 % wide is that from single times to a thousandth."""
    time, left, _ = clocks(5_000, 3)
    order = np.argsort(time)
    one = (~left)[order].astype(float), left[order].astype(float)
    grid, place = binned(time, np.ones(len(time)))
    many = tuple(np.bincount(place, w.astype(float), minlength=len(grid.mean)) for w in (~left, left))
    ratios = [
        share_going_on(*parts, np.zeros(()), g, 0.5) / share_going_on(*parts, np.zeros(()), g, 1.0)
        for parts, g in ((one, grid_of(time[order])), (many, grid))
    ]
    assert float(ratios[1]) == pytest.approx(float(ratios[0]), rel=1e-3)


def test_silent_leaving_is_a_limit_of_both() -> None:
    """No silent leavers: Kaplan and Meier; all silent: the equation of the docstring, solved by SciPy."""
    from scipy.optimize import brentq

    times, seen = np.array([0.0, 1.0, 4.0, 30.0]), np.array([3.0, 2.0, 5.0, 1.0])
    theta = float(silent_rate(times, seen, np.array(20.0)))
    expected = brentq(lambda x: (seen * np.exp(x * times)).sum() - 31.0, 0, 5, xtol=1e-14)
    assert theta == pytest.approx(expected, rel=EXACT)
    found = share_going_on(seen, np.zeros(4), np.array(20.0), grid_of(times), 0.5)
    assert float(found) == pytest.approx((seen * np.exp(expected * times / 2)).sum() / 31.0, rel=EXACT)
    assert float(silent_rate(times, seen, np.array(0.0))) == 0.0


@pytest.mark.parametrize("shape", [0.5, 1.0, 1.5])
def test_each_shape_finds_its_own_truth(shape: float) -> None:
    rng = np.random.default_rng(8)
    wait = np.exp(1.0 + 0.8 * rng.standard_normal(40_000))
    patience = 6.0 * rng.exponential(1.0, len(wait)) ** (1 / shape)
    went = np.sort(wait[wait <= patience])
    truth = np.exp(-((wait / 12) ** shape)).mean() / np.exp(-((wait / 6) ** shape)).mean()
    ones, silent = np.ones(len(went)), np.array(float(len(wait) - len(went)))
    half, now = (
        share_going_on(ones, 0 * ones, silent, grid_of(went), kappa, shape=shape) for kappa in (0.5, 1.0)
    )
    assert float(half / now) == pytest.approx(truth, rel=SIMULATED)


def test_shape_zero_leaves_silent_leavers_alone() -> None:
    time, left, _ = clocks(500, 2)
    order = np.argsort(time)
    went, gone = (~left)[order].astype(float), left[order].astype(float)
    without, with_ = (
        share_going_on(went, gone, np.array(s), grid_of(time[order]), 0.5, shape=0.0)
        / share_going_on(went, gone, np.array(s), grid_of(time[order]), 1.0, shape=0.0)
        for s in (0.0, 700.0)
    )
    assert float(with_) == pytest.approx(float(without), rel=EXACT)


amounts = st.lists(st.tuples(*[st.integers(0, 30)] * 2), min_size=1, max_size=12)


@settings(max_examples=150, deadline=None)
@given(
    amounts=amounts, silent=st.integers(0, 200), gaps=st.lists(st.integers(0, 50), min_size=12, max_size=12)
)
def test_shorter_waits_never_lose_anybody(
    amounts: list[tuple[int, int]], silent: int, gaps: list[int]
) -> None:
    times = np.cumsum(np.array(gaps[: len(amounts)], float) + 0.5)
    went, left = np.array(amounts, float).T
    kappas = np.linspace(0.0, 2.0, 9)
    grid = TimeGrid(times, times - 0.2, times + 0.2)
    found = np.array([share_going_on(went, left, np.array(float(silent)), grid, k) for k in kappas])
    if not went.sum():
        assert np.isnan(found).all()
        return
    assert np.all(np.diff(found) <= EXACT)
    assert np.all((found >= 0) & (found <= 1 + EXACT))
    assert found[0] == pytest.approx(1.0, rel=EXACT)
    if not left.sum():
        assert found[4] == pytest.approx(went.sum() / (went.sum() + silent), rel=EXACT)


def test_waits_of_very_different_length_do_not_overflow() -> None:
    """Three in four are silent, and one wait is a million times the usual one."""
    times, seen = np.array([1.0, 1e6]), np.array([1e5, 1.0])
    theta = float(silent_rate(times, seen, np.array(3e5)))
    assert (seen * np.exp(theta * times)).sum() == pytest.approx(4e5 + 1, rel=1e-6)


def test_all_draws_at_once_are_one_by_one() -> None:
    rng = np.random.default_rng(0)
    passed, left = rng.integers(0, 9, (2, 7, 3, 20)).astype(float)
    silent = rng.integers(0, 90, (7, 3)).astype(float)
    edges = np.sort(rng.exponential(5.0, 40))
    grid = TimeGrid((edges[::2] + edges[1::2]) / 2, edges[::2], edges[1::2])
    found = share_going_on(passed, left, silent, grid, 0.5)
    for i, j in np.ndindex(7, 3):
        alone = share_going_on(passed[i, j], left[i, j], silent[i, j], grid, 0.5)
        assert found[i, j] == pytest.approx(float(alone), rel=EXACT)
