"""How predicted effects relate to measured ones: true = a + b predicted + e, learnt from past tests.

For each past test the prediction was N(m, s^2) and the measurement y had the standard error se, so given a, b and the
spread t of the true effects about the line, y ~ N(a + b m, b^2 s^2 + t^2 (m^2 + s^2) + se^2). The spread is a share of
the prediction, as if each fix had a slope of its own, N(b, t^2): what is left open about a fix that few meet is small,
too. The posterior of (a, b, t) is summed over a grid: no iteration, no draws, the same numbers on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from journeymine._checks import check_choice
from journeymine.errors import NotEnoughDataError, OptionError, shown
from journeymine.fixes.experiments.line_grid import BETWEEN_KINDS, SLOPE, SLOPE_SD, LineGrid
from journeymine.uncertainty import Estimates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.fixes.experiments.past import PastTest

    Floats = NDArray[np.float64]

ENOUGH = 5
Spread = Literal["relative", "absolute"]


@dataclass(frozen=True, slots=True)
class Moments:
    """Posterior moments of the line.

    Attributes
    ----------
    spread2
        Mean of t squared.
    unit
        What an absolute t is a share of; None for a relative one.
    own_var
        Part of `slope_var` that other kinds of fixes do not share.
    """

    offset: float
    slope: float
    offset_var: float
    slope_var: float
    covariance: float
    spread2: float
    unit: float | None = None
    own_var: float = 0.0

    def spread_var(self, mean: float, sd: float) -> float:
        """Variance of true effects about the line where the prediction is N(mean, sd^2)."""
        return self.spread2 * (mean**2 + sd**2 if self.unit is None else self.unit**2)


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Line of true effects over predicted ones.

    Attributes
    ----------
    n_tests
        Past tests behind it.
    slope, intercept, spread
        b, a and t with 95 % intervals, shape (); a in the unit of the effects, t as a share of the prediction.
    assumed
        Whether fewer than five tests are behind it: the slope is then mainly the prior N(0.6, 0.2^2), the intercept 0.
    moments
        What predictions are made of.
    kind
        Kind of fixes it is for; None for all.
    tails
        Degrees of freedom of e; None for normal ones.
    """

    n_tests: int
    slope: Estimates
    intercept: Estimates
    spread: Estimates
    assumed: bool
    moments: Moments
    kind: str | None = None
    tails: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "n_tests": self.n_tests,
            "slope": self.slope.at(),
            "intercept": self.intercept.at(),
            "spread": self.spread.at(),
            "assumed": self.assumed,
            "kind": self.kind,
        }

    def __str__(self) -> str:
        b = self.slope
        line = f"{float(b.estimate):.2f} ({float(b.lower):.2f} to {float(b.upper):.2f}) of what was predicted"
        tests = f"{self.n_tests} past test{'s' if self.n_tests != 1 else ''}"
        if not self.assumed:
            return f"True effects are {line}, by {tests}."
        return f"True effects are taken to be {line}: an assumption ({SLOPE} ± {SLOPE_SD}) and {tests}."


def calibrate(
    past: Sequence[PastTest],
    kind: str | None = None,
    *,
    unit: float | None = None,
    tails: float | None = None,
    spread: Spread = "relative",
) -> Calibration:
    """Learn the line from past tests.

    Parameters
    ----------
    past
        Tests whose arms could be compared. Fewer than five: the prior N(0.6, 0.2^2) of the slope leads and the
        intercept is 0.
    kind
        A kind of fixes: the tests of the other kinds give the prior of its slope, widened by how much kinds differ.
    unit
        Usual size of a predicted effect, which the prior of the intercept is relative to; by default the root mean
        square of those of `past`. With it no past test is needed: the assumption is returned.
    tails
        Degrees of freedom of the spread of true effects, for ideas that mostly do little and rarely very much
        (Azevedo et al. 2020); None for normal ones.
    spread
        "absolute": the spread is the same for all fixes, t times `unit`, however few a fix touches.

    Raises
    ------
    NotEnoughDataError
        No test at all, or all were predicted to have no effect.

    Examples
    --------
    >>> from journeymine.fixes.experiments.past import PastTest
    >>> past = [PastTest.of(f"t{i}", m, 0.001, 0.7 * m, 0.001) for i, m in enumerate((0.01, 0.02, 0.03, 0.015, 0.04))]
    >>> found = calibrate(past)
    >>> round(float(found.slope.estimate), 2), found.assumed
    (0.69, False)
    """
    check_choice("spread", spread, Spread)
    if tails is not None and not tails > 2:
        raise OptionError(
            f"tails is {shown(tails)}, expected more than 2 degrees of freedom.", hint="pass tails=4."
        )
    size = usual_size(past) if unit is None else unit
    grid = LineGrid.of(size, free=len(past) >= ENOUGH, relative=spread == "relative")
    everything = grid.prior()
    own = [test for test in past if kind is None or test.kind == kind]
    if others := [test for test in past if kind is not None and test.kind != kind]:
        everything = grid.widened(everything + grid.fit(others, tails))
    found = _summary(grid, everything + grid.fit(own, tails), len(past), kind, tails)
    if not others:
        return found
    apart = min(BETWEEN_KINDS**2, found.moments.slope_var)
    return replace(found, moments=replace(found.moments, own_var=apart))


def _summary(
    grid: LineGrid, log_density: Floats, n_tests: int, kind: str | None, tails: float | None
) -> Calibration:
    mass = np.exp(log_density - log_density.max())
    mass /= mass.sum()
    a, b, t = grid.offset, grid.slope, grid.spread
    of_a, of_b, of_t = mass.sum(axis=(1, 2)), mass.sum(axis=(0, 2)), mass.sum(axis=(0, 1))
    mean_a, mean_b = float(of_a @ a), float(of_b @ b)
    moments = Moments(
        offset=mean_a,
        slope=mean_b,
        offset_var=float(of_a @ (a - mean_a) ** 2),
        slope_var=float(of_b @ (b - mean_b) ** 2),
        covariance=float((a - mean_a) @ mass.sum(axis=2) @ (b - mean_b)),
        spread2=float(of_t @ t**2),
        unit=None if grid.relative else grid.unit,
    )
    return Calibration(
        n_tests=n_tests,
        slope=_interval(b, of_b, n_tests),
        intercept=_interval(a, of_a, n_tests),
        spread=_interval(t, of_t, n_tests),
        assumed=n_tests < ENOUGH,
        moments=moments,
        kind=kind,
        tails=tails,
    )


def _interval(values: Floats, mass: Floats, n: int) -> Estimates:
    """Mean and the middle 95 % of a distribution on a grid."""
    mean = np.asarray(mass @ values)
    if len(values) == 1:
        return Estimates(mean, mean, mean, np.asarray(n))
    middle = np.cumsum(mass) - mass / 2
    low, high = np.interp([0.025, 0.975], middle, values)
    return Estimates(mean, np.asarray(low), np.asarray(high), np.asarray(n))


def usual_size(past: Sequence[PastTest]) -> float:
    """Root mean square of the predicted effects; refuses past tests that tell nothing."""
    if not past:
        raise NotEnoughDataError(
            "there is no past test to calibrate with.",
            hint="read one back: journeymine experiment read RESULTS",
        )
    size = float(np.sqrt(np.mean([test.predicted**2 for test in past])))
    if not size:
        raise NotEnoughDataError(
            "all past tests were predicted to have no effect: they say nothing of the slope."
        )
    return size
