"""The grid that the line of true over predicted effects is summed over: priors and likelihoods."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.fixes.experiments.past import PastTest

    Floats = NDArray[np.float64]

SLOPE, SLOPE_SD = 0.6, 0.2
"""Before there are five tests: predictions are taken to be too high, as marginal customers behave worse."""
SPREAD = 0.15
"""Scale of the half-normal prior of the spread, as a share of the prediction: true over predicted effects of six fixes
in a simulated world of hidden intent have a standard deviation of 0.16 (0.58 to 1.05)."""
OFFSET = 0.1
"""Once there are five tests: standard deviation of the prior of a, in root mean squares of the predictions."""
BETWEEN_KINDS = 0.1
"""Standard deviation of the slope between kinds of fixes."""
N_SLOPES, N_SPREADS, N_OFFSETS, N_SCALES = 121, 31, 15, 25


@dataclass(frozen=True, slots=True, eq=False)
class LineGrid:
    """Values of a, b and t; arrays over the grid have the shape (n_a, n_b, n_t)."""

    offset: Floats
    slope: Floats
    spread: Floats
    unit: float
    free: bool
    relative: bool

    @classmethod
    def of(cls, unit: float, *, free: bool, relative: bool) -> LineGrid:
        """The grid for effects of the size `unit`; without `free` the intercept is 0."""
        offset = np.linspace(-3, 3, N_OFFSETS) * OFFSET * unit if free else np.zeros(1)
        slope = SLOPE + SLOPE_SD * np.linspace(-5, 5, N_SLOPES)
        return cls(offset, slope, np.linspace(0, 4, N_SPREADS) * SPREAD, unit, free, relative)

    def prior(self) -> Floats:
        """Log-density before any test."""
        offset = -0.5 * (self.offset / (OFFSET * self.unit)) ** 2
        slope = -0.5 * ((self.slope - SLOPE) / SLOPE_SD) ** 2
        spread = -0.5 * (self.spread / SPREAD) ** 2
        # Half a step belongs to the edge of a half-normal prior (trapezoid).
        edge = np.where(self.spread == 0, np.log(0.5), 0.0)
        return np.asarray(offset[:, None, None] + slope[:, None] + spread + edge)

    def fit(self, past: Sequence[PastTest], tails: float | None) -> Floats:
        """Log-likelihood of past tests."""
        total = np.zeros((len(self.offset), len(self.slope), len(self.spread)))
        for test in past:
            numbers = (test.predicted, test.predicted_sd, test.measured, test.measured_sd)
            total += _fit_of(numbers, self.unit, self.free, self.relative, tails)
        return total

    def widened(self, log_density: Floats) -> Floats:
        """The posterior of other kinds as a prior: slopes differ between kinds."""
        mass = np.exp(log_density - log_density.max())
        apart = self.slope[:, None] - self.slope[None, :]
        kernel = np.exp(-0.5 * (apart / BETWEEN_KINDS) ** 2)
        return np.asarray(np.log(np.einsum("bc,act->abt", kernel, mass) + 1e-300))


# Each fix leaves its own tests out, so the same likelihoods are summed again and again.
@lru_cache(maxsize=256)
def _fit_of(
    numbers: tuple[float, float, float, float],
    unit: float,
    free: bool,
    relative: bool,
    tails: float | None,
) -> Floats:
    """Log-likelihood of one test over the grid."""
    grid = LineGrid.of(unit, free=free, relative=relative)
    predicted, predicted_sd, measured, measured_sd = numbers
    apart = measured - (grid.offset[:, None, None] + grid.slope[:, None] * predicted)
    fixed = (grid.slope[:, None] * predicted_sd) ** 2 + measured_sd**2
    spread2 = grid.spread**2 * (predicted**2 + predicted_sd**2 if relative else unit**2)
    if tails is None:
        return _normal(apart, fixed + spread2)
    scale, weight = tail_scales(tails)
    each = [_normal(apart, fixed + spread2 * s) + np.log(w) for s, w in zip(scale, weight, strict=True)]
    return np.asarray(special.logsumexp(np.array(each), axis=0))


def tail_scales(tails: float | None) -> tuple[Floats, Floats]:
    """Student's t as a mixture of normals: factors of the variance, and their weights."""
    if tails is None:
        return np.ones(1), np.ones(1)
    at = (np.arange(N_SCALES) + 0.5) / N_SCALES
    # e | g ~ N(0, t^2 / g) with g ~ Gamma(tails / 2, tails / 2), at equally likely values.
    return np.asarray(tails / 2 / special.gammaincinv(tails / 2, at)), np.full(N_SCALES, 1 / N_SCALES)


def _normal(apart: Floats, variance: Floats) -> Floats:
    return np.asarray(-0.5 * (apart**2 / variance + np.log(variance)))
