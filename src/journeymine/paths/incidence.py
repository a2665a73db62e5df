"""Cumulative incidence with competing ends: how many get there, when some leave and some are still under way.

The estimator of Aalen and Johansen (1978) for two competing causes: getting there, and ending before. A journey that
is open when observation stops counts as under way until then and says nothing about what comes after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from journeymine.counts.funnel import OVER, REACHED
from journeymine.uncertainty import (
    LEVEL,
    Estimates,
    effective_size,
    few_units,
    rows_that_go_together,
    wilson_of_share,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

ROUNDING = 1e-9
"""Products of many factors carry rounding: a share this close to 0 or 1 is 0 or 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Incidence:
    """Share of journeys that get somewhere, by the end of the window or of what was seen.

    Attributes
    ----------
    share
        Cumulative incidence at the end.
    undecided
        Share of which nothing is known at the end.
    influence
        What each unit adds to the deviation of `share` from the truth, to first order, shape (n_units,); sums to 0.
    times, weight
        Slices of time in which journeys got there, and how many journeys each of them stands for: 1 without
        censoring, more the later they got there.
    """

    share: float
    undecided: float
    influence: Floats
    times: Ints
    weight: Floats


def cumulative_incidence(
    unit: NDArray[np.integer],
    kind: NDArray[np.integer],
    time: NDArray[np.integer],
    n: NDArray[np.integer],
    n_units: int,
) -> Incidence:
    """Aalen and Johansen's estimator at the last time, with its influence function summed over units.

    At equal times those who got there or ended go before those who are censored. The influence is the derivative with
    respect to both hazards times the martingale residuals of a unit (Andersen et al. 1993, section IV.4); without
    censoring it is that of a plain share.

    Parameters
    ----------
    unit, kind, time, n
        Rows: `n` journeys of a unit that got there (REACHED), ended before (OVER) or were last seen under way (any
        other kind) at a time.

    Examples
    --------
    Ten journeys enter; four get there at once, one ends, two are lost sight of at time 1. Of the three that were
    watched until 2, two get there: they stand for the two of which nothing is known, too.

    >>> kind, time = np.array([1, 2, 0, 1, 2]), np.array([0, 0, 1, 2, 2])
    >>> found = cumulative_incidence(np.zeros(5, int), kind, time, np.array([4, 1, 2, 2, 1]), 1)
    >>> round(found.share, 6), found.weight.round(6).tolist()
    (0.733333, [1.0, 1.666667])
    """
    times, place = np.unique(time, return_inverse=True)
    if not len(times):
        return Incidence(np.nan, np.nan, np.zeros(n_units), times, np.zeros(0))
    there, ended, every = (
        np.bincount(place, weights=np.where(chosen, n, 0), minlength=len(times))
        for chosen in (kind == REACHED, kind == OVER, np.ones(len(kind), bool))
    )
    at_risk = np.cumsum(every[::-1])[::-1]
    hazard, ending = there / at_risk, ended / at_risk
    stays = (at_risk - there - ended) / at_risk
    left = np.cumprod(stays)
    before = np.concatenate([[1.0], left[:-1]])
    share = np.cumsum(before * hazard)
    # Where nobody stays nothing is still to come.
    with np.errstate(divide="ignore", invalid="ignore"):
        to_come = np.where(stays > 0, (share[-1] - share) / stays, 0.0)
    reach, end = (before - to_come) / at_risk, -to_come / at_risk
    drift = np.cumsum(reach * hazard + end * ending)
    own = np.select([kind == REACHED, kind == OVER], [reach[place], end[place]], 0.0) - drift[place]
    influence = np.asarray(np.bincount(unit, weights=n * own, minlength=n_units), dtype=float)
    final = float(share[-1])
    if not np.any((kind != REACHED) & (kind != OVER)):
        # A plain share, without the rounding of a long product.
        final = float(there.sum() / every.sum())
    met = there > 0
    weight = np.asarray(every.sum() * before[met] / at_risk[met], dtype=float)
    return Incidence(min(final, 1.0), float(left[-1]), influence, times[met], weight)


def share_from_influence(
    share: Floats,
    influence: Floats,
    trials: Floats,
    known: Floats,
    *,
    buckets: bool = False,
    level: float = LEVEL,
) -> Estimates:
    """Wilson's interval of shares from what each unit adds to their deviation.

    Equal to `uncertainty.share_of_units` where nothing is censored.

    Parameters
    ----------
    share
        Estimates, shape (m,).
    influence
        Of each unit on each share, shape (n_units, m).
    trials, known
        Denominators by unit, and those of which it is known how they went, shape (n_units, m).
    buckets
        Whether units are buckets of customers rather than customers.
    """
    n = trials.sum(axis=0)
    n_units = (trials > 0).sum(axis=0).astype(float)
    variance = (influence**2).sum(axis=0) * n_units / np.maximum(n_units - 1, 1)
    together = rows_that_go_together(sparse.csr_array(known), buckets=buckets)
    effective = few_units(effective_size(share, variance, n), n, n_units, level=level)
    with np.errstate(invalid="ignore"):
        sure = np.minimum(share, 1 - share) < ROUNDING
    low, high = wilson_of_share(share, np.where(sure | (n_units == 1), together, effective), level=level)
    # Where everything is open nothing is known.
    nothing = np.isfinite(share) & ~np.isfinite(low)
    low, high = np.where(nothing, 0.0, low), np.where(nothing, 1.0, high)
    return Estimates(share, low, high, n.astype(np.int64))
