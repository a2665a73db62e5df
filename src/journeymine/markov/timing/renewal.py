"""Renewal equations: when a semi-Markov chain reaches the goal or drops out, on a grid of time.

Whoever enters state i moves to j after a wait w with the density q_ij(w). The time to the goal then solves
u(t) = r(t) + sum over j and s of q_ij(s) u_j(t - s) (Pyke 1961; Howard 1971). On a grid every distribution is a power
series, the convolutions become products, and the whole system is one linear solve per frequency:
u(z) = (I - q(z))^-1 r(z). The coefficients come back by a Fourier transform on a circle of radius below 1, which
damps what wraps around (lattice inversion, Abate and Whitt 1992); moves without any delay need no care.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.markov.absorbing import LEAK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Complex = NDArray[np.complex128]
    Ints = NDArray[np.int64]

SECOND = 1e6
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
NATURAL_STEPS = tuple(
    sorted(
        {m * 10.0**power for power in range(6) for m in (1, 2, 5)}
        | {m * unit for unit in (SECOND, MINUTE) for m in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)}
        | {m * HOUR for m in (1, 2, 3, 4, 6, 8, 12)}
        | {m * DAY for m in (1, 2, 3, 4, 5, 6, 7, 10, 14, 28)}
    )
)
"""Steps of a grid on which times that are whole minutes, hours or days fall exactly."""
FINEST, COARSEST = 800, 360
DAMPING = 10.7
"""What wraps around is damped by 10^-10.7; rounding grows to about the same size over the half that is kept."""
CHUNK = 4_000_000
"""Complex numbers in one chunk of matrices."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Times 0, step, 2 step, ...; the horizon is the last but one, as reading it off takes its neighbour.

    Attributes
    ----------
    step_us
        Step in microseconds.
    at_horizon
        Index of the horizon.
    """

    step_us: float
    at_horizon: int

    @property
    def size(self) -> int:
        """Number of times."""
        return self.at_horizon + 2


def grid_of(horizon_us: float, n_states: int = 1) -> Grid:
    """A grid of a few hundred steps that ends at the horizon, in whole minutes, hours or days if it can be.

    Examples
    --------
    >>> week = grid_of(7 * 86_400_000_000)
    >>> week.step_us / 60e6, week.at_horizon
    (20.0, 504)
    """
    coarse = 1 if n_states <= 100 else 3
    least, most = COARSEST // coarse, FINEST // coarse
    for step in NATURAL_STEPS[::-1]:
        if least * step <= horizon_us <= most * step and horizon_us % step == 0:
            return Grid(step, round(horizon_us / step))
    n = 512 // coarse
    return Grid(horizon_us / n, n)


@dataclass(frozen=True, slots=True, eq=False)
class LatticeKernel:
    """A semi-Markov kernel on a grid.

    Attributes
    ----------
    n_states
        k.
    edges
        Source and column (the k states, the goal, dropping out) of each edge, sorted by source, shape (m, 2).
    mass
        Probability of moving along each edge at each time since the visit, shape (m, n). What takes longer than the
        grid lasts is left out.
    """

    n_states: int
    edges: Ints
    mass: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """What happens at each time of the grid.

    Attributes
    ----------
    goal, drop
        Probability that the goal is reached (the journey is known to be over) at each time, from each state; shape
        (k, n).
    visits
        Expected visits to each state that begin at each time, from the start; shape (k, n).
    """

    goal: Floats
    drop: Floats
    visits: Floats


def spread(owner: Ints, mass: Floats, low: Floats, high: Floats, n_owners: int, size: int) -> Floats:
    """Put uniform distributions on a grid so that their means are kept, shape (n_owners, size).

    A point between two times is shared between them in proportion (mean-preserving splitting); mass beyond the grid
    is left out.

    Parameters
    ----------
    owner, mass
        Whom a piece belongs to, and how much it holds.
    low, high
        Where it lies, in steps; equal for a point.

    Examples
    --------
    >>> zero = np.array([0])
    >>> spread(zero, np.array([1.0]), np.array([1.25]), np.array([1.25]), 1, 4).tolist()
    [[0.0, 0.75, 0.25, 0.0]]
    """
    first = np.floor(low).astype(np.int64)
    count = np.minimum(np.floor(high).astype(np.int64) + 2, size) - first
    near = count > 0
    owner, first, count = owner[near], first[near], count[near]
    mass, low, high = mass[near], low[near], high[near]
    piece = np.repeat(np.arange(len(count)), count)
    at = first[piece] + np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count)
    from_low, width = at - low[piece], (high - low)[piece]
    # The share at a time is the second difference of the expected shortfall E(x - W)+.
    share = (
        _shortfall(from_low - 1, width) - 2 * _shortfall(from_low, width) + _shortfall(from_low + 1, width)
    )
    total = np.bincount(owner[piece] * size + at, weights=share * mass[piece], minlength=n_owners * size)
    return np.asarray(np.maximum(total, 0.0), dtype=float).reshape(n_owners, size)


def _shortfall(x: Floats, width: Floats) -> Floats:
    """E(x - W)+ for W uniform on (0, width)."""
    inside = np.clip(x, 0.0, width)
    with np.errstate(divide="ignore", invalid="ignore"):
        within = np.where(width > 0, inside**2 / (2 * width), 0.0)
    return within + np.maximum(x - width, 0.0)


def passage(kernel: LatticeKernel, start: Floats) -> Passage:
    """Solve the renewal equations, for all states at once.

    Parameters
    ----------
    start
        Where journeys start, shape (k,); it need not sum to 1.

    Examples
    --------
    One state that is left for the goal with probability 1/2 at each step and else visited again:

    >>> kernel = LatticeKernel(1, np.array([[0, 0], [0, 1]]), np.array([[0, 0.5, 0, 0], [0, 0.5, 0, 0]]))
    >>> passage(kernel, np.array([1.0])).goal.round(6).tolist()
    [[0.0, 0.5, 0.25, 0.125]]
    """
    from scipy import fft

    k, size = kernel.n_states, kernel.mass.shape[1]
    length = fft.next_fast_len(2 * size, real=True)
    damp = 10.0 ** (-DAMPING * np.arange(length) / length)
    n_frequencies = length // 2 + 1
    ends = np.empty((n_frequencies, k, 2), dtype=complex)
    visits = np.empty((n_frequencies, k), dtype=complex)
    transform = fft.rfft(kernel.mass * damp[:size], length, axis=1)
    rows, columns = kernel.edges[:, 0], kernel.edges[:, 1]
    chunk = max(1, CHUNK // max(1, k * (k + 2)))
    for begin in range(0, n_frequencies, chunk):
        part = transform[:, begin : begin + chunk].T
        full = np.zeros((len(part), k, k + 2), dtype=complex)
        full[:, rows, columns] = part
        system = np.eye(k) - full[:, :, :k] * (1 - LEAK)
        # Many small systems at once: solving them one by one costs more in threads than in sums.
        ends[begin : begin + chunk] = np.linalg.solve(system, full[:, :, k:])
        right = np.broadcast_to(start[:, None], (len(part), k, 1))
        visits[begin : begin + chunk] = np.linalg.solve(system.transpose(0, 2, 1), right)[:, :, 0]
    goal, drop = (_back(ends[:, :, i], length, damp, size) for i in range(2))
    return Passage(goal, drop, _back(visits, length, damp, size))


def _back(transform: Complex, length: int, damp: Floats, size: int) -> Floats:
    """Coefficients of a power series from its values on the circle, shape (k, size)."""
    from scipy import fft

    values = fft.irfft(transform.T, length, axis=1)[:, :size] / damp[:size]
    # Probabilities; what is below 0 is rounding.
    return np.asarray(np.maximum(values, 0.0), dtype=float)


def cumulative(mass: Floats) -> Floats:
    """Probability of having happened by each time of the grid, times included; the last one has no neighbour.

    A continuous distribution puts half of what is split to a time on its far side. Where a time and both its
    neighbours hold mass, half of the least of the three is such; where times are exact (whole days), the
    neighbours are empty, and everything at a time counts.

    Examples
    --------
    >>> exact = np.array([0, 0, 1.0, 0, 0])
    >>> cumulative(exact).tolist()
    [0.0, 0.0, 1.0, 1.0]
    """
    total = np.cumsum(mass, axis=-1)[..., :-1]
    middle, after = mass[..., :-1].copy(), mass[..., 1:]
    # At 0 only one side exists, and half as much is split to it.
    middle[..., 0] *= 2
    before = np.concatenate([after[..., :1], middle[..., :-1]], axis=-1)
    beyond = np.minimum(np.minimum(before, middle), after) / 2
    return np.asarray(np.maximum(np.maximum.accumulate(total - beyond, axis=-1), 0.0), dtype=float)
