"""Confidence sequences: intervals that hold at every moment, however often one looks and whenever one stops."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from journeymine._checks import check_level
from journeymine.fixes.experiments.sizes import normal_sum


def half_width(variance: float, tau2: float, *, alpha: float = 0.05) -> float:
    """Half the width of the confidence sequence where the estimate has this variance.

    ``((v (v + tau2) / tau2) log((v + tau2) / (v alpha^2)))^0.5``: the values that the sequential test which mixes
    effects over N(0, tau2) has not refused (mixture SPRT: Robbins 1970; Johari, Koomen, Pekelis and Walsh 2022).
    With an estimated variance it holds for large samples (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024).

    Parameters
    ----------
    variance
        Square of the standard error now.
    tau2
        Variance of the mixture; decides when the sequence is tightest, not whether it holds.

    Examples
    --------
    >>> round(half_width(1.0, tightest(1.0)), 3)
    3.035
    """
    check_level(alpha, name="alpha")
    inside = math.log((variance + tau2) / (variance * alpha**2))
    return math.sqrt(variance * (variance + tau2) / tau2 * inside)


def tightest(variance: float, *, alpha: float = 0.05) -> float:
    """Variance of the mixture that makes the sequence tightest where the estimate has this variance.

    The minimum of `half_width` over `tau2`: ``-v (1 + W_-1(-alpha^2 / e))`` with Lambert's W.
    """
    # The lower branch of Lambert's W is real here.
    lower = float(np.real(special.lambertw(-(check_level(alpha, name="alpha") ** 2) / math.e, k=-1)))
    return -variance * (1 + lower)


def inflation(power: float = 0.8, alpha: float = 0.05) -> float:
    """How many times the customers of a test with one look it takes until the sequence excludes zero.

    So many that it does with the given power at that very moment; most tests with an effect end before.

    Examples
    --------
    >>> round(inflation(), 2)
    1.91
    """
    wide = half_width(1.0, tightest(1.0, alpha=alpha), alpha=alpha)
    return ((wide + float(special.ndtri(power))) / normal_sum(power, alpha)) ** 2
