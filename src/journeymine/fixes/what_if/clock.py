"""The clock of a chain in the transform domain: what P(goal within a time) needs of the waits.

The Laplace transform of the time to the goal is a'(I - Q(s))^-1 r(s), where every move is multiplied by the transform
of its wait (Pyke 1961; Howard 1971). One horizon takes its value at a few complex s only: the Fourier series method
with Euler summation (Abate and Whitt 1995, ORSA Journal on Computing 7:36).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from journeymine.errors import OptionError, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.markov.timing.semi_kernel import Kernel

    Floats = NDArray[np.float64]
    Complex = NDArray[np.complex128]
    Ints = NDArray[np.int64]

DISCRETISATION = 16.0
"""The error of the Fourier series is below exp(-16) = 1e-7; rounding grows by exp(8)."""
PLAIN, AVERAGED = 32, 12
"""Terms of the series, and those that Euler's binomial average smooths: what is finer than a thirtieth of the horizon
is told as its mean. From the renewal equations it is 4e-5 on the demo log; where all cases go by one clock up to 8e-4,
and it may fall below 0 just before they move.
"""


def euler_nodes(plain: int = PLAIN, averaged: int = AVERAGED) -> tuple[Complex, Floats]:
    """Points s and weights w with F(1) = sum of w Re(F^(s)), F^ the Laplace transform of F.

    Examples
    --------
    F(t) = 1 - exp(-t) has the transform 1 / s - 1 / (s + 1).

    >>> s, w = euler_nodes()
    >>> round(float(w @ (1 / s - 1 / (s + 1)).real), 6), len(s)
    (0.632121, 45)
    """
    k = np.arange(plain + averaged + 1)
    tail = np.array([comb(averaged, i) for i in range(averaged + 1)], dtype=float) / 2.0**averaged
    kept = np.ones(len(k))
    # Term plain + i is in those partial sums that end there or later.
    kept[plain:] = np.cumsum(tail[::-1])[::-1]
    weights = np.exp(DISCRETISATION / 2) * (-1.0) ** k * kept
    weights[0] /= 2
    return np.asarray(DISCRETISATION / 2 + 1j * np.pi * k), np.asarray(weights, dtype=float)


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """Transforms of the waits of all moves, at the points that one horizon takes.

    Attributes
    ----------
    horizon_us
        The horizon in microseconds.
    at_us
        Where the distribution is read off: the horizon, and half of the unit that times are known to, so that what
        happens at the horizon counts.
    nodes, weights
        Of `euler_nodes`, shape (n_s,).
    phi
        Transform of the wait of each move to the k states, the goal and out, shape (n_s, k, k + 2). Moves that were
        never seen have that of the row.
    """

    horizon_us: int
    at_us: float
    nodes: Complex
    weights: Floats
    phi: Complex

    def of_attempts(self, base: Ints) -> Clock:
        """The clock of a chain whose states are visits by attempt: a state waits as the one it belongs to.

        Parameters
        ----------
        base
            State of this clock that each state of the other chain belongs to, shape (m,).
        """
        k = self.phi.shape[1]
        columns = np.concatenate([base, [k, k + 1]])
        phi = self.phi[:, base][:, :, columns]
        return Clock(self.horizon_us, self.at_us, self.nodes, self.weights, phi)

    def scaled(self, kernel: Kernel, rows: Ints, kappa: float, base: Ints | None = None) -> Complex:
        """Transforms of some rows with their waits multiplied, as `TimedChange.phi` takes them.

        Parameters
        ----------
        kernel
            That the clock was made of.
        rows
            States of this clock, shape (r,).
        kappa
            Factor: 0.5 for waits that are halved.
        base
            As in `of_attempts`, where the clock is one of attempts.
        """
        whole = Clock(
            self.horizon_us,
            self.at_us,
            self.nodes,
            self.weights,
            transforms(kernel, self.nodes / self.at_us, kappa),
        )
        return (whole if base is None else whole.of_attempts(base)).phi[:, rows]


def clock_of(kernel: Kernel, horizon_us: int, *, plain: int = PLAIN) -> Clock:
    """The clock of an estimated semi-Markov chain for one horizon.

    Parameters
    ----------
    kernel
        From `estimate_kernel`.
    horizon_us
        In microseconds: `duration_us("7d")`.
    plain
        Terms of the series: more of them see sharper changes near the horizon and take longer.

    Raises
    ------
    OptionError
        The horizon is not a time.
    """
    if horizon_us <= 0:
        raise OptionError(f"horizon is {shown(horizon_us)} microseconds, expected a time above 0.")
    nodes, weights = euler_nodes(plain)
    at = horizon_us + unit_of_time(kernel) / 2
    return Clock(horizon_us, at, nodes, weights, transforms(kernel, nodes / at))


def unit_of_time(kernel: Kernel) -> int:
    """Largest unit that all waits are whole multiples of, in microseconds: a day where times are dates.

    0 where nothing takes any time.
    """
    w = kernel.waits
    return int(np.gcd.reduce(np.concatenate([w.low_us, w.high_us, [0]]).astype(np.int64)))


def transforms(kernel: Kernel, s: Complex, kappa: float = 1.0) -> Complex:
    """E exp(-s kappa W) for the wait W of every move, shape (n_s, k, k + 2).

    Parameters
    ----------
    s
        In 1 / microseconds.
    kappa
        What waits are multiplied by: a wait halved has the transform at s / 2.
    """
    k = kernel.waits.n_states
    entry, mass, low, high = kernel.pieces()
    edge = kernel.edge[entry]
    phi = np.ones((len(s), k, k + 2), dtype=complex)
    rows, columns = kernel.edges[:, 0], kernel.edges[:, 1]
    for at, point in enumerate(np.asarray(s) * kappa):
        piece = mass * _uniform(point, low, high)
        real, imaginary = (np.bincount(edge, x, len(kernel.edges)) for x in (piece.real, piece.imag))
        found = real + 1j * imaginary
        phi[at] = _of_rows(found, kernel, k)[:, None]
        phi[at, rows, columns] = found
    return phi


def _uniform(s: complex, low: Floats, high: Floats) -> Complex:
    """E exp(-s U) for U uniform from low to high."""
    half = s * (high - low) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        shape = np.where(np.abs(half) > 1e-4, np.sinh(half) / half, 1 + half**2 / 6)
    return np.asarray(np.exp(-s * (high + low) / 2) * shape)


def _of_rows(found: Complex, kernel: Kernel, k: int) -> Complex:
    """Transform of the wait of each state before it goes on, whatever comes next; 1 where nobody was seen to."""
    rows, goes_on = kernel.edges[:, 0], kernel.edges[:, 1] <= k
    share = np.where(goes_on, kernel.share, 0.0)
    total = np.bincount(rows, share, k)
    mean = np.bincount(rows, share * found.real, k) + 1j * np.bincount(rows, share * found.imag, k)
    return np.divide(mean, total, out=np.ones(k, dtype=complex), where=total > 0)
