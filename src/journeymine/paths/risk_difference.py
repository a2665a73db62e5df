"""Difference of two shares, standardised over strata: with an interval, and a test, over customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from journeymine.paths.row_tests import comparable_groups
from journeymine.uncertainty import LEVEL, Estimates, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.paths.row_tests import GroupedDrops

    Floats = NDArray[np.float64]


def risk_difference(data: GroupedDrops, *, level: float = LEVEL) -> Estimates | None:
    """Share of drops in group 1 less that in group 0, both at the same mix of strata.

    Differences inside strata are weighted as by Mantel and Haenszel (Greenland and Robins 1985), so strata
    without one of the groups say nothing. The variance is linearised over units (the infinitesimal jackknife,
    limit of the bootstrap of units), with Student's t for few units.

    Returns
    -------
    Estimates of shape (), n the visits of group 1 that could be compared; None if no stratum has both groups.

    Examples
    --------
    >>> from journeymine.paths.row_tests import GroupedDrops
    >>> ids = np.arange(200)
    >>> drops = np.r_[np.ones(30), np.zeros(70), np.ones(50), np.zeros(50)]
    >>> data = GroupedDrops(ids, np.zeros(200, int), ids // 100, np.ones(200), drops, 200)
    >>> {name: round(value, 3) for name, value in risk_difference(data).at().items()}
    {'estimate': 0.2, 'lower': 0.066, 'upper': 0.334, 'n': 100}
    """
    if not len(data.n):
        return None
    _, place = np.unique(data.stratum, return_inverse=True)
    size = int(place.max()) + 1
    first = data.group == 1
    n1, n0 = (np.bincount(place[m], weights=data.n[m], minlength=size) for m in (first, ~first))
    x1, x0 = (np.bincount(place[m], weights=data.drops[m], minlength=size) for m in (first, ~first))
    both = (n1 > 0) & (n0 > 0)
    if not both.any():
        return None
    total = np.where(both, n1 + n0, 1.0)
    weight = np.where(both, n1 * n0 / total, 0.0)
    p1, p0 = x1 / np.maximum(n1, 1), x0 / np.maximum(n0, 1)
    gap = np.where(both, p1 - p0, 0.0)
    sum_ = float(weight.sum())
    difference = float((weight * gap).sum() / sum_)
    # What one more visit does to the difference: through its share, and through the weight of its stratum.
    own = np.where(first, p1[place], p0[place])
    size_own, size_other = (
        np.where(first, n1[place], n0[place]),
        np.where(first, n0[place], n1[place]),
    )
    through_share = np.where(first, 1.0, -1.0) * weight[place] / np.maximum(size_own, 1)
    through_weight = (gap[place] - difference) * (size_other / total[place]) ** 2
    pull = through_share * (data.drops - own * data.n) + through_weight * data.n
    pull = np.where(both[place], pull, 0.0)
    counted = both[place] & (data.n > 0)
    n_units = len(np.unique(data.unit[counted]))
    variance = float((np.bincount(data.unit, weights=pull, minlength=1) ** 2).sum()) / sum_**2
    half = np.inf
    if n_units > 1:
        quantile = float(special.stdtrit(n_units - 1, 0.5 + level / 2))
        half = quantile * np.sqrt(variance * n_units / (n_units - 1))
    low, high = difference - half, difference + half
    all1, hit1 = float(n1[both].sum()), float(x1[both].sum())
    if hit1 in (0.0, all1):
        # Group 1 did not vary, which is not to say that it cannot: Wilson's bound of its share (Newcombe 1998).
        n_own = len(np.unique(data.unit[counted & first]))
        bound = wilson(hit1 / all1 * n_own, n_own, level=level)
        low = min(low, difference - float(hit1 / all1 - bound[0]))
        high = max(high, difference + float(bound[1] - hit1 / all1))
    return Estimates(
        np.asarray(difference), np.asarray(max(low, -1.0)), np.asarray(min(high, 1.0)), np.asarray(int(all1))
    )


def difference_test(data: GroupedDrops) -> float | None:
    """Two-sided p value of no difference in the share of drops between the two groups inside strata.

    The Mantel-Haenszel test for clustered data (Zhang and Boos 1997, Biometrics 53): observed less expected drops
    of group 1, with the variance of its sum over units. One design effect for both groups, as in `row_test`, is
    too large where group 0 is all the rest of a journey, of which every visit has the same outcome.

    Returns
    -------
    The p value, by Student's t for few units; None if a group has too few expected drops or stays.

    Examples
    --------
    >>> from journeymine.paths.row_tests import GroupedDrops
    >>> ids = np.arange(200)
    >>> drops = np.r_[np.ones(30), np.zeros(70), np.ones(50), np.zeros(50)]
    >>> data = GroupedDrops(ids, np.zeros(200, int), ids // 100, np.ones(200), drops, 200)
    >>> round(difference_test(data), 4)
    0.0044
    """
    if not len(data.n) or not comparable_groups(data, 2).all():
        return None
    _, place = np.unique(data.stratum, return_inverse=True)
    size = int(place.max()) + 1
    n, drops = (np.bincount(place, weights=v, minlength=size) for v in (data.n, data.drops))
    first = (data.group == 1).astype(float)
    share = np.bincount(place, weights=data.n * first, minlength=size) / n
    residual = data.drops - (drops / n)[place] * data.n
    pull = np.bincount(data.unit, weights=(first - share[place]) * residual, minlength=1)
    n_units = len(np.unique(data.unit))
    variance = float((pull**2).sum()) * n_units / max(n_units - 1, 1)
    if variance <= 0 or n_units < 2:
        return None
    statistic = abs(float(pull.sum())) / np.sqrt(variance)
    return float(min(2 * special.stdtr(n_units - 1, -statistic), 1.0))


MAX_EXACT = 300


def exact_test(data: GroupedDrops) -> float | None:
    """Two-sided p value for few visits of group 1, by the exact distribution of its drops given the strata.

    Right for drops out of a journey, which are chances of their own at every visit that is reached, and for units
    that make one visit of group 1 each; drops of group 1 are then a sum of hypergeometric numbers (Cox 1970).

    Returns
    -------
    The p value; None if a unit makes several visits of group 1, or there are more than 300 of them.

    Examples
    --------
    >>> from journeymine.paths.row_tests import GroupedDrops
    >>> ids, drops = np.arange(8), np.array([1.0, 1, 1, 0, 1, 0, 0, 0])
    >>> data = GroupedDrops(ids, np.zeros(8, int), np.repeat([1, 0], 4), np.ones(8), drops, 8)
    >>> round(exact_test(data), 4)
    0.4857
    """
    first = data.group == 1
    own = np.bincount(data.unit[first], weights=data.n[first], minlength=1)
    if not 0 < own.sum() <= MAX_EXACT or own.max() > 1:
        return None
    strata, place = np.unique(data.stratum, return_inverse=True)
    size = len(strata)
    n1 = np.bincount(place[first], weights=data.n[first], minlength=size)
    n, drops = (np.bincount(place, weights=v, minlength=size) for v in (data.n, data.drops))
    chance = np.ones(1)
    for some, all_, lost in zip(n1, n, drops, strict=True):
        k = np.arange(some + 1.0)
        with np.errstate(divide="ignore"):
            log = _log_choose(lost, k) + _log_choose(all_ - lost, some - k) - _log_choose(all_, some)
        chance = np.convolve(chance, np.exp(log))
    observed = int(data.drops[first].sum())
    # As likely or less, up to rounding.
    return float(min(chance[chance <= chance[observed] * (1 + 1e-7)].sum(), 1.0))


def _log_choose(n: Floats | float, k: Floats | float) -> Floats:
    n, k = np.broadcast_arrays(np.asarray(n, float), np.asarray(k, float))
    fits = (k >= 0) & (k <= n)
    k = np.where(fits, k, 0.0)
    found = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return np.asarray(np.where(fits, found, -np.inf))
