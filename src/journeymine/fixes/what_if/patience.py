"""Who goes on if a wait were shorter: the wait and patience as two clocks, each of which hides the other.

A visit waits W for the next step and has patience G; it goes on if W comes first. Of each visit only the earlier of
the two is seen (competing risks; Garnett, Mandelbaum and Reiman 2002 and the literature on call centres). The two
are taken to be independent within a cell of the segments.

**Leaving is seen.** Kaplan and Meier's (1958) estimates of W, with leaving as censoring, and of G, with going on as
censoring. If every wait were multiplied by kappa, the share P(kappa) = sum dF(w) S_G(kappa w) would go on.

**Leaving is silent**: that somebody left is known, the moment is not. The density of the waits of those who went on
is f_W(w) S_G(w), where f_W is what would be seen if nobody left. If patience is exponential with rate theta,
S_G(w) = exp(-theta w), the mean of 1{went on} exp(theta w) over all n visits is the integral of f_W, which is 1:

    (1/n) sum over those who went on of exp(theta w_i) = 1.

The left side rises with theta from the share that went on, so there is exactly one root; and then
P(kappa) = (1/n) sum exp(theta (1 - kappa) w_i). Nothing in such a log tells the shape of patience: with Weibull's
S_G(w) = exp(-lambda w^c) the same holds with w^c for w and kappa^c for kappa. At c = 0 silent leaving does not
depend on the wait at all. Estimates at other shapes show how much hangs on c = 1.

**Both occur.** Silent leaving is a third clock, independent of the other two, exponential with rate theta. The mean
of 1{went on or left in sight} exp(theta t) is 1 by the same argument, and every visit that was seen counts
exp(theta t) times in the two Kaplan-Meier curves (inverse probability of not having left silently before). With no
silent leaving the weights are 1 and this is Kaplan and Meier; with nothing else it is the equation above. A rule that
switches as soon as one leaving is seen (say: silent leavers would leave whatever the wait) would let a single row of
the log decide between the two; it is what shape c = 0 gives, and belongs in the sensitivity, not in the estimate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ITERATIONS = 60
ENOUGH = 1e-12
"""Newton's steps stop when none moves the solution by more than this share."""


@dataclass(frozen=True, slots=True, eq=False)
class TimeGrid:
    """Bins of time, in any unit, increasing: their mean, smallest and largest time, shape (b,).

    A bin whose `low` and `high` are the same is a point in time.
    """

    mean: Floats
    low: Floats
    high: Floats

    def hazard_until(self, hazard: Floats, times: Floats) -> Floats:
        """Cumulative hazard at some times; constant inside a bin, none between bins.

        Parameters
        ----------
        hazard
            Of each bin, shape (..., b).
        times
            Shape (m,).

        Returns
        -------
        Floats
            Shape (..., m).

        Examples
        --------
        >>> grid = TimeGrid(np.array([1.0, 3.0]), np.array([1.0, 2.0]), np.array([1.0, 4.0]))
        >>> grid.hazard_until(np.array([0.5, 0.8]), np.array([0.9, 1.0, 1.5, 3.0, 9.0])).tolist()
        [0.0, 0.5, 0.5, 0.9, 1.3]
        """
        place = np.searchsorted(self.low, times, side="right") - 1
        inside = np.maximum(place, 0)
        width = self.high[inside] - self.low[inside]
        part = np.where(width > 0, (times - self.low[inside]) / np.where(width > 0, width, 1.0), 1.0)
        part = np.where(place < 0, 0.0, np.clip(part, 0.0, 1.0))
        before = np.cumsum(hazard, axis=-1) - hazard
        return np.asarray(before[..., inside] + part * hazard[..., inside])


def silent_rate(times: Floats, seen: Floats, silent: Floats) -> Floats:
    """Rate theta of silent leaving: sum of seen exp(theta times) = all; Newton's method, all problems at once.

    The logarithm of the left side is convex in theta: after the first step it falls to the root, which is unique.

    Parameters
    ----------
    times
        Shape (b,), none negative.
    seen
        Weight of those whose wait was seen to end at each time, shape (..., b).
    silent
        Weight of those who left silently, shape (...).

    Returns
    -------
    Floats
        Shape (...); 0 where nobody left silently, or where nobody who was seen waited at all.

    Examples
    --------
    Of 16 visits half waited a day and stayed: exp(theta) = 2.

    >>> bool(np.isclose(silent_rate(np.array([1.0]), np.array([8.0]), np.array(8.0)), np.log(2.0)))
    True
    """
    total = seen.sum(axis=-1)
    longest = np.max(np.where(seen > 0, times, 0.0), axis=-1, initial=0.0)
    solvable = (total > 0) & (longest > 0) & (silent > 0)
    share = np.divide(seen, total[..., None], out=np.zeros_like(seen), where=total[..., None] > 0)
    wanted = np.log1p(np.divide(silent, total, out=np.zeros_like(total), where=solvable))
    rate = np.zeros_like(total)
    for _ in range(ITERATIONS):
        # Times are taken from the longest one: no power can overflow.
        grown = share * np.exp(np.minimum(rate[..., None] * (times - longest[..., None]), 0.0))
        sum_, slope = grown.sum(axis=-1), grown @ times
        value = np.log(np.where(solvable, sum_, 1.0)) + rate * longest
        step = np.divide(
            (wanted - value) * sum_, slope, out=np.zeros_like(rate), where=solvable & (slope > 0)
        )
        rate = np.maximum(rate + step, 0.0)
        if np.all(np.abs(step) <= ENOUGH * np.maximum(rate, ENOUGH)):
            break
    return np.asarray(rate)


def leaving_rate(passed: Floats, left: Floats, silent: Floats, grid: TimeGrid) -> Floats:
    """Leavers of all kinds by time waited, shape (...): seen ones over the time at risk, and theta on top.

    Examples
    --------
    Half leave in sight after a day, the others go on after two days: one leaver in three days of waiting for each two.

    >>> days = np.array([1.0, 2.0])
    >>> grid = TimeGrid(days, days, days)
    >>> float(leaving_rate(np.array([0.0, 5.0]), np.array([5.0, 0.0]), np.zeros(()), grid).round(4))
    0.3333
    """
    theta = silent_rate(grid.mean, passed + left, silent)
    tilt = _growth(theta, grid.mean, passed + left)
    at_risk = ((passed + left) * tilt) @ grid.mean
    seen = (left * tilt).sum(axis=-1)
    return np.asarray(theta + _share(seen, at_risk))


@dataclass(frozen=True, slots=True, eq=False)
class Clocks:
    """The two clocks as estimated: when the next step would come, and how patience runs out; leading axes are problems.

    Attributes
    ----------
    grid
        Bins of time.
    arrives
        Share of the next steps that would come in each bin if nobody left, shape (..., b); all 0 where nobody went on.
    leaving
        Hazard of leaving in sight in each bin, shape (..., b).
    theta
        Rate of silent leaving, by time to the power of `shape`; shape (...).
    shape
        Weibull shape of silent patience; 1 is exponential, 0 does not depend on the wait.
    """

    grid: TimeGrid
    arrives: Floats
    leaving: Floats
    theta: Floats
    shape: float

    def share_going_on(self, kappa: float) -> Floats:
        """P(kappa): the share that would go on if every wait were `kappa` times as long.

        As a share of the waits up to the longest one seen; nan where nobody went on. Shape (...).
        """
        mean = self.grid.mean
        hazard = self.grid.hazard_until(self.leaving, kappa * mean)
        hazard += self.theta[..., None] * (kappa**self.shape * mean**self.shape)
        arrived = self.arrives.sum(axis=-1)
        going = (self.arrives * np.exp(-hazard)).sum(axis=-1)
        return np.asarray(np.divide(going, arrived, out=np.full_like(arrived, np.nan), where=arrived > 0))


def fit_clocks(passed: Floats, left: Floats, silent: Floats, grid: TimeGrid, *, shape: float = 1.0) -> Clocks:
    """Estimate both clocks.

    Parameters
    ----------
    passed, left
        Weight of those who went on, and of those who were seen to leave, in each bin, shape (..., b).
    silent
        Weight of those who left silently, shape (...).
    grid
        The bins.
    shape
        Weibull shape of silent patience.

    Examples
    --------
    Two went on after 2 and 4 days, two were seen to leave after 1 and 3. Kaplan and Meier: patience is 3/4 after one
    day and 3/8 after three; of the waits 1/3 are 2 days and 2/3 are 4 days.

    >>> days = np.array([1.0, 2.0, 3.0, 4.0])
    >>> went, left = np.array([0.0, 1, 0, 1]), np.array([1.0, 0, 1, 0])
    >>> clocks = fit_clocks(went, left, np.zeros(()), TimeGrid(days, days, days))
    >>> [float(clocks.share_going_on(kappa).round(6)) for kappa in (1.0, 0.5)]
    [0.5, 0.75]
    """
    times = grid.mean**shape
    theta = silent_rate(times, passed + left, silent)
    tilt = _growth(theta, times, passed + left)
    went, gone = passed * tilt, left * tilt
    waiting = np.cumsum((went + gone)[..., ::-1], axis=-1)[..., ::-1]
    # Those of the other kind in a bin are on average at risk for half of it.
    going = _share(went, waiting - gone / 2)
    stays = np.cumprod(1.0 - going, axis=-1)
    arrives = np.concatenate([np.ones_like(stays[..., :1]), stays[..., :-1]], axis=-1) * going
    leaving = -np.log1p(-np.minimum(_share(gone, waiting - went / 2), 1.0 - ENOUGH))
    return Clocks(grid, arrives, leaving, theta, shape)


def _growth(theta: Floats, times: Floats, seen: Floats) -> Floats:
    """exp(theta times) over what it is at the last wait that was seen: that factor cancels in every ratio."""
    longest = np.max(np.where(seen > 0, times, 0.0), axis=-1, initial=0.0, keepdims=True)
    return np.asarray(np.exp(np.minimum(theta[..., None] * (times - longest), 0.0)))


def _share(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=(whole > 0) & (part > 0)))
