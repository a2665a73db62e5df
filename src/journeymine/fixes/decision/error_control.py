"""Error control over the list: which effects stand above the noise, and intervals that hold all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from journeymine.uncertainty import benjamini_hochberg

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

LEVEL = 0.05
BAND_LEVEL = 0.95
TAIL = 0.025
"""Tail of the draws that is still read off them; further out a normal tail of the same width goes on."""


def p_values(effect: Floats, draws: Floats) -> Floats:
    """Two-sided p values of "the effect is 0", from the bootstrap draws; never 0 for want of draws.

    The larger of two. One takes the standard deviation of the draws; the other takes the width of the side that
    faces 0, from the estimate to the 2.5 % quantile, so that it is below 5 % just where the percentile interval
    leaves 0 out. Both go on as a normal tail where 1,000 draws have nothing to count. Where all draws are the same,
    they say nothing about error, and p is 1.

    Parameters
    ----------
    effect
        Estimates, shape (n_fixes,).
    draws
        Replicates, shape (n_draws, n_fixes).

    Examples
    --------
    >>> draws = np.random.default_rng(0).normal([0.02, 0.0], 0.005, (1000, 2))
    >>> (p_values(np.array([0.02, 0.0]), draws) < 0.05).tolist()
    [True, False]
    """
    spread = draws.std(axis=0, ddof=1) if len(draws) > 1 else np.zeros_like(effect)
    low, high = np.quantile(draws, (TAIL, 1 - TAIL), axis=0)
    side = np.where(effect > 0, effect - low, high - effect) / -special.ndtri(TAIL)
    width = np.maximum(spread, side)
    z = np.divide(np.abs(effect), width, out=np.zeros_like(width), where=_varies(draws))
    return np.asarray(2 * special.ndtr(-z))


def kept_above_zero(effect: Floats, draws: Floats, level: float = LEVEL) -> Bools:
    """Fixes whose effect differs from 0 with false discoveries of the list controlled, shape (n_fixes,).

    Benjamini and Hochberg (1995) over all fixes of the list. "Kept" says that the effect is not 0; its sign is that of
    the estimate.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> effect = np.array([0.03] + [0.0] * 9)
    >>> kept_above_zero(effect, effect + rng.normal(0, 0.005, (1000, 10))).tolist()[:3]
    [True, False, False]
    """
    return np.asarray(benjamini_hochberg(p_values(effect, draws)) <= level)


def bounded(lower: Floats, upper: Floats, kept: Bools, zero: Floats | float = 0.0) -> tuple[Floats, Floats]:
    """Intervals of the fixes that were not kept reach no effect; the others stay as they are.

    Parameters
    ----------
    zero
        What no effect comes to: 0 for effects, minus the cost for net values.

    Examples
    --------
    >>> low, high = bounded(np.array([0.1, 0.1]), np.array([0.3, 0.3]), np.array([True, False]))
    >>> low.tolist(), high.tolist()
    ([0.1, 0.0], [0.3, 0.3])
    """
    return (
        np.where(kept, lower, np.minimum(lower, zero)),
        np.where(kept, upper, np.maximum(upper, zero)),
    )


def simultaneous(effect: Floats, draws: Floats, level: float = BAND_LEVEL) -> tuple[Floats, Floats]:
    """Intervals that hold for the whole list at once: sup-t bands (Montiel Olea and Plagborg-Moller 2019).

    The estimate plus or minus q standard deviations, q the quantile of the largest studentised deviation of a draw.
    Where all draws are the same the band has no width.

    Returns
    -------
    lower, upper
        Shape (n_fixes,) each.

    Examples
    --------
    >>> draws = np.random.default_rng(0).normal(0, 0.01, (4000, 10))
    >>> low, high = simultaneous(np.zeros(10), draws)
    >>> bool((high > 1.96 * 0.01).all()), round(float(high.mean() / 0.01), 1)
    (True, 2.8)
    """
    varies = _varies(draws)
    if not varies.any():
        return effect.copy(), effect.copy()
    spread = np.where(varies, draws.std(axis=0, ddof=1), 0.0)
    deviation = np.abs(draws[:, varies] - effect[varies]) / spread[varies]
    reach = np.quantile(deviation.max(axis=1), level) * spread
    return effect - reach, effect + reach


def _varies(draws: Floats) -> Bools:
    """Fixes whose draws differ; a standard deviation would be rounding where they do not."""
    return np.asarray(draws.max(axis=0) > draws.min(axis=0)) if len(draws) else np.zeros(draws.shape[1], bool)
