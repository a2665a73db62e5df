"""Group-sequential tests: where to stop at each look when the largest number of customers is known.

At information t the statistic Z t^0.5 is a Brownian motion. Its density at each look, given that no boundary was
crossed before, follows from the one at the look before by one integral (Armitage, McPherson and Rowe 1969), here on
Gauss-Legendre nodes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import optimize, special

from journeymine._checks import check_choice, check_level
from journeymine.errors import OptionError, shown
from journeymine.fixes.experiments.sizes import normal_sum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Shape = Literal["obrien_fleming", "pocock"]
NODES, WEIGHTS = np.polynomial.legendre.leggauss(160)
MAX_LOOKS = 60
NEVER = 10.0
"""A boundary that is never crossed: what the earliest looks of O'Brien-Fleming come to."""


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Two-sided boundaries of a test with several looks.

    Attributes
    ----------
    fractions
        Information at each look, as a share of the most there can be; increasing.
    z
        The test stops where the z value is beyond this, either way.
    spent
        Probability of a false alarm up to each look.
    alpha
        Probability of a false alarm in all.
    """

    fractions: tuple[float, ...]
    z: tuple[float, ...]
    spent: tuple[float, ...]
    alpha: float

    def power(self, drift: float) -> float:
        """Probability that the upper boundary is crossed, where z has the mean `drift` at full information."""
        return float(crossing(self.fractions, self.z, drift)[1].sum())

    def inflation(self, power: float = 0.8) -> float:
        """How many times the customers of a test with one look it takes at the most.

        Examples
        --------
        >>> round(spending_boundaries((0.2, 0.4, 0.6, 0.8, 1.0)).inflation(), 3)
        1.025
        """
        fixed = normal_sum(power, self.alpha)
        drift = optimize.brentq(lambda d: self.power(d) - power, 0.5 * fixed, 3 * fixed, xtol=1e-10)
        return max(float(drift / fixed) ** 2, 1.0)

    def expected(self, drift: float) -> float:
        """Mean information at the stop, as a share of the most there can be."""
        stops = crossing(self.fractions, self.z, drift).sum(axis=0)
        on = 1 - np.concatenate([[0.0], np.cumsum(stops)[:-1]])
        return float((on * np.diff(np.array([0.0, *self.fractions]))).sum())


def spending_boundaries(
    fractions: Sequence[float], *, alpha: float = 0.05, shape: Shape = "obrien_fleming"
) -> Boundaries:
    """Boundaries that spend the error as information comes in, whenever the looks are (Lan and DeMets 1983).

    The error spent by information t, both sides together: 4 [1 - Phi(z_(alpha/4) / t^0.5)], like O'Brien and
    Fleming, or alpha log(1 + (e - 1) t), like Pocock.

    Examples
    --------
    >>> [round(z, 2) for z in spending_boundaries((0.2, 0.4, 0.6, 0.8, 1.0)).z]
    [4.88, 3.36, 2.68, 2.29, 2.03]
    """
    return _spending_boundaries(_checked(fractions), check_level(alpha, name="alpha"), shape)


# A test is looked at again and again at the same fractions.
@lru_cache(maxsize=256)
def _spending_boundaries(fractions: tuple[float, ...], alpha: float, shape: Shape) -> Boundaries:
    spent = spending(np.array(fractions), alpha, shape)
    z: list[float] = []
    walk = _Walk()
    for t, due in zip(fractions, np.diff(spent, prepend=0.0).tolist(), strict=True):
        z.append(walk.boundary(t, due))
        walk = walk.on(t, z[-1])
    return Boundaries(fractions, tuple(z), tuple(spent.tolist()), alpha)


def classic_boundaries(n_looks: int, *, alpha: float = 0.05, shape: Shape = "obrien_fleming") -> Boundaries:
    """Boundaries of O'Brien and Fleming (1979) or Pocock (1977) for equally spaced looks that are known before.

    Examples
    --------
    >>> [round(z, 2) for z in classic_boundaries(5).z]
    [4.56, 3.23, 2.63, 2.28, 2.04]
    """
    check_choice("shape", shape, Shape)
    at = _checked([(k + 1) / n_looks for k in range(n_looks)])
    form = np.array(at) ** -0.5 if shape == "obrien_fleming" else np.ones(n_looks)

    def too_many(constant: float) -> float:
        return float(crossing(at, (constant * form).tolist(), 0.0).sum()) - alpha

    constant = float(optimize.brentq(too_many, 1.0, NEVER, xtol=1e-10))
    z = (constant * form).tolist()
    spent = np.cumsum(crossing(at, z, 0.0).sum(axis=0)).tolist()
    return Boundaries(at, tuple(z), tuple(spent), alpha)


def spending(fractions: Floats, alpha: float, shape: Shape) -> Floats:
    """Error spent by each fraction of the information; `alpha` from 1 on."""
    check_choice("shape", shape, Shape)
    t = np.minimum(fractions, 1.0)
    if shape == "pocock":
        return np.asarray(alpha * np.log1p((np.e - 1) * t))
    return np.asarray(4 * special.ndtr(-special.ndtri(1 - alpha / 4) / np.sqrt(t)))


def crossing(fractions: Sequence[float], z: Sequence[float], drift: float) -> Floats:
    """Probability that the lower and the upper boundary are crossed first at each look, shape (2, n_looks)."""
    out = np.zeros((2, len(z)))
    walk = _Walk(drift)
    for k, (t, bound) in enumerate(zip(fractions, z, strict=True)):
        out[:, k] = walk.leaves(t, bound)
        walk = walk.on(t, bound)
    return out


@dataclass(frozen=True, slots=True, eq=False)
class _Walk:
    """Where a test that goes on can be: `mass` at each `place` of Z t^0.5, at the information `time`."""

    drift: float = 0.0
    time: float = 0.0
    place: Floats = field(default_factory=lambda: np.zeros(1))
    mass: Floats = field(default_factory=lambda: np.ones(1))

    def leaves(self, time: float, bound: float) -> tuple[float, float]:
        """Probability to be beyond the lower and the upper boundary at the next look."""
        step = time - self.time
        middle, size, edge = self.place + self.drift * step, np.sqrt(step), bound * np.sqrt(time)
        below, above = special.ndtr((-edge - middle) / size), special.ndtr((middle - edge) / size)
        return float(self.mass @ below), float(self.mass @ above)

    def on(self, time: float, bound: float) -> _Walk:
        """The walk after that look, if it goes on."""
        step, edge = time - self.time, bound * np.sqrt(time)
        place = NODES * edge
        apart = (place[:, None] - self.place[None, :] - self.drift * step) / np.sqrt(step)
        density = np.exp(-0.5 * apart**2) / np.sqrt(2 * np.pi * step) @ self.mass
        return _Walk(self.drift, time, place, WEIGHTS * edge * density)

    def boundary(self, time: float, due: float) -> float:
        """Boundary that is crossed with probability `due` at the next look."""

        def too_many(bound: float) -> float:
            return sum(self.leaves(time, bound)) - due

        if too_many(NEVER) >= 0:
            return NEVER
        return float(optimize.brentq(too_many, 0.01, NEVER, xtol=1e-10))


def _checked(fractions: Sequence[float]) -> tuple[float, ...]:
    at = tuple(float(t) for t in fractions)
    rising = all(a < b for a, b in zip((0.0, *at), at, strict=False))
    if not 1 <= len(at) <= MAX_LOOKS or not rising or not np.isfinite(at[-1]):
        raise OptionError(
            f"looks are at {shown(at)} of the information, expected 1 to {MAX_LOOKS} rising numbers above 0.",
            hint="five equal looks are (0.2, 0.4, 0.6, 0.8, 1.0).",
        )
    return at
