"""Draws of effects after the past tests: what fixes share stays shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from journeymine.uncertainty import generator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.fixes.experiments.calibration import Calibration, Moments

    Floats = NDArray[np.float64]


def calibrated_draws(
    effect: Floats,
    draws: Floats,
    lines: Sequence[Calibration],
    kinds: Sequence[str],
    ids: Sequence[str],
    measured: Sequence[tuple[float, float] | None],
    after: tuple[Floats, Floats],
) -> Floats:
    """Draws a + b m + c d* + e of each fix, with the posterior's mean and standard deviation.

    One draw of a and b serves all fixes, as there is one line: whether predictions come true in general decides little
    about which of two fixes is better. Only the slopes of two kinds differ by what kinds differ. d* is the deviation of
    the prediction in a bootstrap draw and c^2 = E[b^2], so that fixes vary together as b (m + d*) would make them, and
    the draws stay as normal as the posterior is taken to be. e is each fix's own. Where a fix was measured, its draw is
    brought to the measurement with the gain of the posterior, and a new error of the measurement (Matheron's rule).

    Parameters
    ----------
    effect, draws
        Predicted effects, shape (n_fixes,), and bootstrap draws, shape (n_draws, n_fixes).
    lines, kinds, ids, measured
        Of each fix; measured effect and its standard error, None where there was no test.
    after
        Posterior means and standard deviations, shape (n_fixes,) each.

    Returns
    -------
    Shape (n_draws, n_fixes).
    """
    n = len(draws)
    shared = generator(0, "line of calibration").standard_normal((2, n))
    made = np.empty((n, len(ids)))
    for i, name in enumerate(ids):
        line, own = lines[i], generator(0, f"calibration of {name}")
        offset, slope = _line_draws(line.moments, shared, kinds[i])
        around = draws[:, i] - draws[:, i].mean()
        share = np.sqrt(line.moments.slope**2 + line.moments.slope_var)
        spread = np.sqrt(line.moments.spread_var(float(effect[i]), float(around.std())))
        noise = own.standard_normal(n) if line.tails is None else own.standard_t(line.tails, n)
        made[:, i] = offset + slope * effect[i] + share * around + spread * noise
        if (test := measured[i]) is not None:
            gain = made[:, i].var() / (made[:, i].var() + test[1] ** 2)
            made[:, i] += gain * (test[0] + test[1] * own.standard_normal(n) - made[:, i])
    return _normal(made, *after)


def _line_draws(line: Moments, shared: Floats, kind: str) -> tuple[Floats, Floats]:
    """Draws of a and b: normal with the moments of the posterior, from the same random numbers for all fixes."""
    common = np.sqrt(max(line.slope_var - line.own_var, 0.0)) * shared[0]
    if line.own_var:
        own = generator(0, f"slope of {kind}").standard_normal(shared.shape[1])
        common = common + np.sqrt(line.own_var) * own
    # What is left of a where b is known: the two lean against each other.
    tied = line.covariance / line.slope_var if line.slope_var else 0.0
    left = max(line.offset_var - tied * line.covariance, 0.0)
    return line.offset + tied * common + np.sqrt(left) * shared[1], line.slope + common


def _normal(draws: Floats, mean: Floats, sd: Floats) -> Floats:
    """Normal draws with exactly this mean and standard deviation, in the order of the given ones.

    Bounds and p values read off them are those of the posterior itself: an order that hangs on them is no luck.
    """
    if len(draws) < 2:
        return np.broadcast_to(mean, draws.shape).copy()
    places = draws.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    # A fix about which nothing is open (predicted to do nothing at all) has the standard deviation 0.
    return np.asarray(mean + sd * _scores(len(draws))[places])


def _scores(n: int) -> Floats:
    """Normal quantiles at the places where `np.quantile` looks; the two that would be infinite make the variance 1."""
    scores = np.zeros(n)
    scores[1:-1] = special.ndtri(np.arange(1, n - 1) / (n - 1))
    scores[-1] = np.sqrt((n - 1 - scores @ scores) / 2)
    scores[0] = -scores[-1]
    return np.sort(scores)
