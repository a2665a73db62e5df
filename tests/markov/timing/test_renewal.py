"""Renewal equations: against direct recursion, phase-type closed forms and walked journeys."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from journeymine.markov.timing.renewal import Grid, LatticeKernel, cumulative, grid_of, passage, spread

INVERSION = 1e-8
"""What wraps around the circle, and rounding: both about 1e-10 per expected visit."""
GRID = 2e-5
"""Squared step over squared mean wait, for about 500 steps."""
DAY = 86_400_000_000


def random_kernel(seed: int, k: int, size: int) -> LatticeKernel:
    """Sparse rows that leave with some probability, waits of any shape, zero included."""
    rng = np.random.default_rng(seed)
    edges, mass = [], []
    for source in range(k):
        targets = np.unique(np.append(rng.integers(0, k + 2, 3), k + rng.integers(0, 2)))
        share = rng.dirichlet(np.ones(len(targets)))
        for target, p in zip(targets, share, strict=True):
            edges.append((source, target))
            mass.append(p * rng.dirichlet(np.full(size, 0.1)))
    return LatticeKernel(k, np.array(edges), np.array(mass))


def recursion(kernel: LatticeKernel, column: int) -> np.ndarray:
    """u(t) = r(t) + sum over s of q(s) u(t - s), time by time."""
    k, size = kernel.n_states, kernel.mass.shape[1]
    q, r = np.zeros((size, k, k)), np.zeros((size, k))
    for (i, j), mass in zip(kernel.edges, kernel.mass, strict=True):
        if j < k:
            q[:, i, j] += mass
        elif j == k + column:
            r[:, i] += mass
    u = np.zeros((size, k))
    at_once = np.linalg.inv(np.eye(k) - q[0])
    for t in range(size):
        u[t] = at_once @ (r[t] + sum(q[s] @ u[t - s] for s in range(1, t + 1)))
    return u.T


@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(2, 60))
@settings(max_examples=40, deadline=None)
def test_inversion_equals_the_recursion(seed: int, k: int, size: int) -> None:
    kernel = random_kernel(seed, k, size)
    start = np.random.default_rng(seed).dirichlet(np.ones(k))
    found = passage(kernel, start)
    for column, values in enumerate((found.goal, found.drop)):
        np.testing.assert_allclose(values, recursion(kernel, column), atol=INVERSION)
    # Visits from the start and ways to the goal are two views of one flow.
    flow = np.zeros(size)
    for (i, j), mass in zip(kernel.edges, kernel.mass, strict=True):
        if j == k:
            flow += np.convolve(found.visits[i], mass)[:size]
    np.testing.assert_allclose(flow, start @ found.goal, atol=INVERSION)


def exponential(rate: float, step: float, size: int) -> np.ndarray:
    """An exponential wait on the grid, split so that means are kept: second differences of E(x - W)+."""
    x = np.arange(-1, size + 1) * step
    short = np.where(x > 0, x - (1 - np.exp(-rate * np.maximum(x, 0))) / rate, 0.0)
    return np.diff(short, 2) / step


@pytest.mark.parametrize("n", [256, 512])
def test_exponential_waits_are_a_phase_type_distribution(n: int) -> None:
    """P(goal within t) = (1 - exp(tS) 1 ...) with the generator of the states (Neuts 1981)."""
    rates = np.array([1.0, 0.4])
    shares = np.array([[0.2, 0.5, 0.2, 0.1], [0.3, 0.0, 0.5, 0.2]])
    horizon = 6.0
    grid = Grid(horizon / n, n)
    edges = np.argwhere(shares > 0)
    mass = np.array([shares[i, j] * exponential(rates[i], grid.step_us, grid.size) for i, j in edges])
    found = passage(LatticeKernel(2, edges, mass), np.array([1.0, 0.0]))
    generator = np.zeros((4, 4))
    generator[:2] = rates[:, None] * (shares - np.eye(2, 4))
    for outcome, values in ((2, found.goal), (3, found.drop)):
        exact = np.array([expm(generator * t)[0, outcome] for t in np.arange(n + 1) * grid.step_us])
        np.testing.assert_allclose(cumulative(values)[0], exact, atol=GRID * (512 / n) ** 2)


def test_geometric_waits() -> None:
    """A wait of a geometric number of steps, once: the closed form, to rounding."""
    size, p = 100, 0.07
    steps = np.arange(size)
    mass = np.where(steps > 0, p * (1 - p) ** (steps - 1), 0.0)
    found = passage(LatticeKernel(1, np.array([[0, 1]]), mass[None]), np.ones(1))
    np.testing.assert_allclose(np.cumsum(found.goal[0]), 1 - (1 - p) ** steps, atol=INVERSION)


def test_moves_without_delay() -> None:
    """Everything happens at time 0: the goal is reached with the conversion of the chain, at once."""
    edges = np.array([[0, 0], [0, 1], [1, 0], [1, 2], [1, 3]])
    mass = np.zeros((5, 6))
    mass[:, 0] = [0.3, 0.7, 0.5, 0.2, 0.3]
    found = passage(LatticeKernel(2, edges, mass), np.array([1.0, 0.0]))
    np.testing.assert_allclose(found.goal[:, 0], [0.4, 0.4], atol=INVERSION)
    np.testing.assert_allclose(found.goal[:, 1:], 0.0, atol=INVERSION)


def test_a_chain_without_states() -> None:
    found = passage(LatticeKernel(0, np.zeros((0, 2), np.int64), np.zeros((0, 5))), np.zeros(0))
    assert found.goal.shape == found.visits.shape == (0, 5)


def test_walked_journeys_agree() -> None:
    """200,000 journeys walked event by event, waits uniform or fixed: within four standard errors everywhere."""
    shares = np.array([[0.3, 0.4, 0.2, 0.1], [0.2, 0.1, 0.4, 0.3]])
    low, high = np.array([[1.0, 0.0, 2.0, 5.0]] * 2), np.array([[3.0, 4.0, 2.0, 5.0]] * 2)
    grid = Grid(20 / 400, 400)
    edges = np.argwhere(shares > 0)
    ends = (low[edges[:, 0], edges[:, 1]], high[edges[:, 0], edges[:, 1]])
    mass = spread(
        np.arange(len(edges)),
        shares[edges[:, 0], edges[:, 1]],
        *(e / grid.step_us for e in ends),
        len(edges),
        grid.size,
    )
    curve = cumulative(passage(LatticeKernel(2, edges, mass), np.array([1.0, 0.0])).goal)[0]
    n = 200_000
    rng = np.random.default_rng(5)
    state, clock, reached = np.zeros(n, np.int64), np.zeros(n), np.full(n, np.inf)
    who = np.arange(n)
    while len(who):
        target = (rng.random((len(who), 1)) > np.cumsum(shares, axis=1)[state]).sum(axis=1)
        clock = clock + rng.uniform(low[state, target], high[state, target])
        reached[who[target == 2]] = clock[target == 2]
        on = target < 2
        who, state, clock = who[on], target[on], clock[on]
    times = np.array([40, 60, 100, 200, 400])
    walked = (reached[:, None] <= times * grid.step_us).mean(axis=0)
    error = 4 * np.sqrt(walked * (1 - walked) / n)
    assert np.all(np.abs(curve[times] - walked) <= error)


# ------------------------------------------------------------------------------------------------- grids and pieces


@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0, 8), st.floats(0.01, 1)), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_spreading_keeps_mass_and_means(pieces: list[tuple[float, float, float]]) -> None:
    low, width, mass = np.array(pieces).T
    width = np.where(width < 1e-3, 0.0, width)
    found = spread(np.zeros(len(low), np.int64), mass, low, low + width, 1, 50)[0]
    assert found.sum() == pytest.approx(mass.sum(), rel=1e-9)
    assert found @ np.arange(50) == pytest.approx(mass @ (low + width / 2), rel=1e-9, abs=1e-9)


def test_pieces_beyond_the_grid_are_left_out() -> None:
    owner = np.array([0, 0, 1])
    found = spread(owner, np.ones(3), np.array([2.0, 9.0, 3.5]), np.array([2.0, 12.0, 3.5]), 2, 5)
    np.testing.assert_allclose(found, [[0, 0, 1, 0, 0], [0, 0, 0, 0.5, 0.5]])


def test_whole_days_count_on_their_day() -> None:
    """With dates as times, what happens on the seventh day is within seven days."""
    grid = grid_of(7 * DAY)
    at = np.array([7 * DAY / grid.step_us])
    mass = spread(np.array([0]), np.ones(1), at, at, 1, grid.size)
    assert cumulative(mass)[0, grid.at_horizon] == 1.0
    assert cumulative(mass)[0, grid.at_horizon - 1] == 0.0


def test_continuous_waits_are_read_off_half_way() -> None:
    """A uniform wait: the distribution function is exact at every time of the grid."""
    mass = spread(np.array([0]), np.ones(1), np.array([0.0]), np.array([40.0]), 1, 60)
    np.testing.assert_allclose(cumulative(mass)[0], np.minimum(np.arange(59) / 40, 1.0), atol=0.26 / 40)
    np.testing.assert_allclose(cumulative(mass)[0, 1:39], np.arange(1, 39) / 40, atol=1e-12)


@pytest.mark.parametrize("days", [1, 7, 30, 90, 365, 3650, 1 / 24, 1 / 1440, 0.37, 7.123456])
def test_grids_end_at_the_horizon(days: float) -> None:
    horizon = round(days * DAY)
    grid = grid_of(horizon)
    assert grid.step_us * grid.at_horizon == pytest.approx(horizon, rel=1e-12)
    assert 350 <= grid.at_horizon <= 800
    if days in (7, 30, 90):
        assert DAY % grid.step_us == 0
