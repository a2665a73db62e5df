"""P(goal within a time) with and without fixes: phase-type closed forms, the renewal equations, re-solving."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

import journeymine as jm
from journeymine.errors import OptionError
from journeymine.fixes.what_if.clock import Clock, clock_of, euler_nodes, transforms, unit_of_time
from journeymine.fixes.what_if.horizon import TimedChange, conversion_within
from journeymine.fixes.what_if.row_change import RowChange, effect_of, solve
from journeymine.markov.timing.renewal import Grid, LatticeKernel, cumulative, passage
from journeymine.markov.timing.semi_kernel import Kernel, estimate_kernel
from journeymine.markov.timing.timed_chain import origin_of

if TYPE_CHECKING:
    from collections.abc import Sequence

S, W = euler_nodes()
SERIES = 5e-7
"""The Fourier series of a smooth distribution: exp(-16), and what is left of the average."""
AGAINST_RENEWAL = 1e-4
DAY = 86_400_000_000
RATES = np.array([1.0, 0.4])
SHARES = np.array([[0.2, 0.5, 0.2, 0.1], [0.3, 0.0, 0.5, 0.2]])


def clock(phi: np.ndarray) -> Clock:
    return Clock(1, 1.0, S, W, phi)


def exponential(rates: np.ndarray, horizon: float, nodes: np.ndarray = S) -> np.ndarray:
    """Transforms of exponential waits with one rate a state."""
    k = len(rates)
    return np.broadcast_to((rates / (rates + nodes[:, None] / horizon))[:, :, None], (len(nodes), k, k + 2))


def phase_type(rates: np.ndarray, shares: np.ndarray, start: np.ndarray, horizon: float) -> float:
    """P(goal within the horizon) of a Markov chain in continuous time (Neuts 1981)."""
    k = len(rates)
    generator = np.zeros((k + 2, k + 2))
    generator[:k] = rates[:, None] * (shares - np.eye(k, k + 2))
    return float(np.append(start, 0.0) @ expm(generator * horizon)[:, k])


def change(rows: Sequence[int], new: np.ndarray, old: np.ndarray = SHARES, **more: np.ndarray) -> RowChange:
    at = np.array(rows)
    return RowChange(at, new - old[at], **more)


@pytest.mark.parametrize("horizon", [0.05, 1.0, 6.0, 60.0])
def test_exponential_waits_are_a_phase_type_distribution(horizon: float) -> None:
    start = np.array([0.7, 0.2, 0.1])
    found, _ = conversion_within(SHARES, start, clock(exponential(RATES, horizon)))
    assert float(found) == pytest.approx(phase_type(RATES, SHARES, start, horizon), abs=SERIES)


@pytest.mark.parametrize("horizon", [0.5, 4.0])
def test_a_fix_is_the_phase_type_of_the_changed_chain(horizon: float) -> None:
    """Two rows at once, another start, and a wait that is halved: rate twice as high."""
    start, other = np.array([0.7, 0.2, 0.1]), np.array([0.5, 0.3, 0.2])
    new = np.array([[0.1, 0.6, 0.25, 0.05], [0.2, 0.1, 0.6, 0.1]])
    now = exponential(RATES, horizon)
    faster = np.array([1.0, 0.8])
    half = exponential(faster, horizon)[:, [1]]
    fixes = [
        TimedChange(change([0, 1], new)),
        TimedChange(change([1], new[[1]], start=np.append(other - start, 0.0))),
        TimedChange(change([1], new[[1]]), phi=half),
        TimedChange(change([1], SHARES[[1]]), phi=half),
    ]
    _, found = conversion_within(SHARES, start, clock(now), fixes)
    second = np.vstack([SHARES[0], new[1]])
    expected = [
        phase_type(RATES, new, start, horizon),
        phase_type(RATES, second, other, horizon),
        phase_type(faster, second, start, horizon),
        phase_type(faster, SHARES, start, horizon),
    ]
    np.testing.assert_allclose(found, expected, atol=2 * SERIES)


def test_a_wait_that_changes_for_a_part_of_the_visits() -> None:
    """Half of the visits wait half as long: the mean of both densities, solved anew."""
    start, now = np.array([1.0, 0.0, 0.0]), exponential(RATES, 2.0)
    half = exponential(RATES * 2, 2.0)
    timed = TimedChange(change([1], SHARES[[1]]), phi=half[:, [1]], part=np.array([0.5]))
    _, found = conversion_within(SHARES, start, clock(now), [timed])
    mixed = now.copy()
    mixed[:, 1] = (now[:, 1] + half[:, 1]) / 2
    expected, _ = conversion_within(SHARES, start, clock(mixed))
    assert float(found[0]) == pytest.approx(float(expected), abs=1e-10)


def test_waits_of_nothing_and_waits_of_for_ever() -> None:
    """Without waits the goal is reached at once, as often as in the end; without end never."""
    start = np.array([0.5, 0.3, 0.2])
    at_once = np.ones((len(S), 2, 4), dtype=complex)
    new = TimedChange(change([0], np.array([[0.2, 0.55, 0.25, 0.0]])))
    now, fixed = conversion_within(SHARES, start, clock(at_once), [new])
    solved = solve(SHARES, start)
    assert float(now) == pytest.approx(float(solved.total), abs=SERIES)
    assert float(fixed[0] - now) == pytest.approx(float(effect_of(solved, new.change)), abs=SERIES)
    never, _ = conversion_within(SHARES, start, clock(0 * at_once))
    assert float(never) == pytest.approx(0.2, abs=SERIES)


@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_a_what_if_equals_solving_again(seed: int, k: int, r: int) -> None:
    """Stacks of draws and cells, each with its own change; rows in any order."""
    rng = np.random.default_rng(seed)
    moves, new = rng.dirichlet(np.ones(k + 2), (2, 2, 3, k))
    start = rng.dirichlet(np.ones(k + 1), (2, 3))
    phi = 1 / (1 + S[:, None, None] * rng.uniform(0, 1, (k, k + 2)))
    rows = rng.permutation(k)[: min(r, k)]
    timed = TimedChange(RowChange(rows, (new - moves)[..., rows, :]))
    now, found = conversion_within(moves, start, clock(phi), [timed, timed])
    changed = moves.copy()
    changed[..., rows, :] = new[..., rows, :]
    again, _ = conversion_within(changed, start, clock(phi))
    assert now.shape == (2, 3)
    assert found.shape == (2, 3, 2)
    np.testing.assert_allclose(found[..., 0], again, atol=1e-9)
    np.testing.assert_array_equal(found[..., 0], found[..., 1])


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    moves, start = rng.dirichlet(np.ones(6), (30, 4)), rng.dirichlet(np.ones(5), 30)
    phi = 1 / (1 + S[:, None, None] * rng.uniform(0, 1, (4, 6)))
    timed = TimedChange(RowChange(np.array([2]), rng.dirichlet(np.ones(6), (30, 1)) - moves[:, [2]]))
    whole = conversion_within(moves, start, clock(phi), [timed])
    monkeypatch.setattr("journeymine.fixes.what_if.horizon.CHUNK", 100)
    parts = conversion_within(moves, start, clock(phi), [timed])
    np.testing.assert_allclose(parts[0], whole[0], atol=1e-13)
    np.testing.assert_allclose(parts[1], whole[1], atol=1e-13)


def test_against_the_renewal_equations_on_a_grid() -> None:
    """The same distributions, point masses on 400 times; read off half a step after the horizon, as both count it."""
    rng, k, n = np.random.default_rng(3), 5, 400
    shares = rng.dirichlet(np.full(k + 2, 0.5), k)
    shape = np.exp(-(((np.arange(n + 2) - rng.uniform(20, 200, (k, k + 2, 1))) / 60) ** 2))
    shape[..., 0] = 0.0
    waits = shape / shape.sum(axis=-1, keepdims=True)
    edges = np.argwhere(shares > 0)
    mass = np.array([shares[i, j] * waits[i, j] for i, j in edges])
    start = rng.dirichlet(np.ones(k))
    solved = passage(LatticeKernel(k, edges, mass), start)
    exact = np.cumsum(start @ solved.goal)[n]
    phi = np.einsum("ijt,st->sij", waits, np.exp(-S[:, None] * np.arange(n + 2) / (n + 0.5)))
    found, _ = conversion_within(shares, np.append(start, 0.0), clock(phi))
    assert float(found) == pytest.approx(exact, abs=AGAINST_RENEWAL)


def demo() -> tuple[Kernel, np.ndarray, np.ndarray]:
    path = Path(jm.demo_config_path())
    chain = jm.log_from_spec(jm.read_spec(path), path.parent).fit_markov()
    assert chain.source is not None
    kernel = estimate_kernel(chain.source.waits, chain.counts)
    moves = np.zeros((chain.counts.n_states, chain.counts.n_states + 2))
    moves[kernel.edges[:, 0], kernel.edges[:, 1]] = kernel.share
    origin = origin_of(chain.counts, None)
    return kernel, moves, np.append(origin.first, origin.at_goal)


@pytest.fixture(scope="module")
def demo_log() -> tuple[Kernel, np.ndarray, np.ndarray]:
    return demo()


@pytest.mark.parametrize("days", [0.25, 1, 3, 7, 30])
def test_the_demo_log_against_the_renewal_equations(
    demo_log: tuple[Kernel, np.ndarray, np.ndarray], days: float
) -> None:
    """Estimated waits of all kinds: points, seconds, days."""
    kernel, moves, start = demo_log
    horizon = round(days * DAY)
    found, _ = conversion_within(moves, start, clock_of(kernel, horizon))
    grid = Grid(horizon / 1000, 1000)
    mass = start[:-1] @ passage(kernel.on_grid(grid), start[:-1]).goal
    mass[0] += start[-1]
    assert float(found) == pytest.approx(float(cumulative(mass)[-1]), abs=AGAINST_RENEWAL)


def test_a_shorter_wait_in_the_demo_log(demo_log: tuple[Kernel, np.ndarray, np.ndarray]) -> None:
    """Waits of quotes halved: more goals within 3 days, the same in the end; by renewal on halved waits."""
    kernel, moves, start = demo_log
    row = kernel.waits.states.index("Delivery quote requested")
    fix = RowChange(np.array([row]), np.zeros((1, moves.shape[1])))
    gains = []
    for horizon in (3 * DAY, 400 * DAY):
        at = clock_of(kernel, horizon)
        half = at.scaled(kernel, np.array([row]), 0.5)
        now, fixed = conversion_within(moves, start, at, [TimedChange(fix, phi=half)])
        gains.append(float(fixed[0] - now))
    assert gains[0] > 0.002
    assert gains[1] == pytest.approx(0.0, abs=1e-5)
    grid = Grid(3 * DAY / 1000, 1000)
    both = []
    for kappa in (1.0, 0.5):
        w = kernel.waits
        entry, mass, low, high = kernel.pieces()
        factor = np.where(w.source[entry] == row, kappa, 1.0) / grid.step_us
        edge = kernel.edge[entry]
        from journeymine.markov.timing.renewal import spread

        density = spread(
            edge, mass * kernel.share[edge], low * factor, high * factor, len(kernel.edges), grid.size
        )
        solved = passage(LatticeKernel(len(moves), kernel.edges, density), start[:-1])
        both.append(float(cumulative(start[:-1] @ solved.goal)[-1]))
    assert gains[0] == pytest.approx(both[1] - both[0], abs=AGAINST_RENEWAL)


def test_transforms_are_those_of_the_pieces(demo_log: tuple[Kernel, np.ndarray, np.ndarray]) -> None:
    """At s = 0 every wait has 1; the slope there is minus its mean; unseen moves wait as their row does."""
    kernel, _, _ = demo_log
    entry, mass, low, high = kernel.pieces()
    edge = kernel.edge[entry]
    mean = np.bincount(edge, mass * (low + high) / 2, len(kernel.edges))
    i, j = kernel.edges.T
    np.testing.assert_allclose(transforms(kernel, np.zeros(1, complex))[0], 1.0, atol=1e-9)
    small = 1e-6 / mean.max()
    found = (1 - transforms(kernel, np.array([small + 0j]))[0].real) / small
    np.testing.assert_allclose(found[i, j], mean, rtol=1e-4, atol=mean.max() * 1e-6)
    row, goes_on = int(i[0]), (i == i[0]) & (j <= kernel.waits.n_states)
    unseen = np.setdiff1d(np.arange(kernel.waits.n_states), j[i == row])
    expected = np.average(mean[goes_on], weights=kernel.share[goes_on])
    np.testing.assert_allclose(found[row, unseen], expected, rtol=1e-4)
    assert unit_of_time(kernel) == 1_000_000


def test_a_clock_of_attempts_waits_as_the_activity(
    demo_log: tuple[Kernel, np.ndarray, np.ndarray],
) -> None:
    """States split in two that move alike reach the goal as the unsplit ones."""
    kernel, moves, start = demo_log
    k = len(moves)
    base = np.concatenate([np.arange(k), [2, 2]])
    split = np.zeros((k + 2, k + 4))
    split[:, :k] = moves[base, :k]
    split[:, -2:] = moves[base, k:]
    # A third of all that came to state 2 comes to each of its copies.
    for column in (k, k + 1):
        split[:, column] = moves[base, 2] / 3
    split[:, 2] = moves[base, 2] / 3
    begun = np.concatenate([start[:k], [0.0, 0.0], start[k:]])
    at = clock_of(kernel, DAY)
    plain, _ = conversion_within(moves, start, at)
    found, _ = conversion_within(split, begun, at.of_attempts(base))
    assert float(found) == pytest.approx(float(plain), abs=1e-9)
    np.testing.assert_array_equal(
        at.of_attempts(base).scaled(kernel, np.array([k]), 0.5, base)[0, 0, :k],
        at.scaled(kernel, np.array([2]), 0.5)[0, 0, :k],
    )


def test_times_that_are_dates_count_up_to_the_horizon() -> None:
    """Whole days until the goal: within 7 days holds what happens on the seventh."""
    days = np.arange(1, 15)
    share = np.full(14, 1 / 14)
    phi = np.broadcast_to((np.exp(-S[:, None] * days / 7.5) @ share)[:, None, None], (len(S), 1, 3))
    found, _ = conversion_within(np.array([[0.0, 1.0, 0.0]]), np.array([1.0, 0.0]), clock(phi))
    # Steps of a seventh of the horizon, told within the series.
    assert float(found) == pytest.approx(0.5, abs=2e-3)


def test_a_horizon_that_is_none(demo_log: tuple[Kernel, np.ndarray, np.ndarray]) -> None:
    with pytest.raises(OptionError, match="horizon is 0"):
        clock_of(demo_log[0], 0)
