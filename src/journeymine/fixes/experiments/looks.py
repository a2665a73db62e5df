"""The difference between the arms, and where a test with several looks came to its end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.fixes.experiments.always_valid import half_width
from journeymine.fixes.experiments.group_sequential import spending_boundaries

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.fixes.experiments.plan import ExperimentPlan
    from journeymine.fixes.experiments.result_data import ResultData

    Floats = NDArray[np.float64]

NOW = "now"


@dataclass(frozen=True, slots=True)
class Looks:
    """Where a test stands.

    Attributes
    ----------
    place
        Week, from 0, up to which it is read: the first that crossed the boundary, else the one in which the planned
        customers were complete, else the last.
    half
        Half the width of the interval there.
    decided
        Name of the week that crossed the boundary; "now" where weeks are not told apart; None if none did.
    """

    place: int
    half: float
    decided: str | None


def take_looks(data: ResultData, plan: ExperimentPlan) -> Looks:
    """Look at the end of each week of the file, and stop as the plan says.

    The error is spent by the customers that were there at each look (Lan and DeMets), planned or not. Where the file
    tells no weeks apart, the earlier looks are taken to be those of the plan.
    """
    so_far = data.n.cumsum(axis=0)
    weeks = [w for w in range(len(so_far)) if (so_far[w] > 0).all()]
    found = [measured_difference(data.up_to(w)) for w in weeks]
    sd = np.array([error for _, error, _ in found])
    n = so_far[weeks].astype(float)
    share = n.prod(axis=1) / n.sum(axis=1) * (1 / plan.n_control + 1 / plan.n_treatment)
    if plan.method == "sequential":
        last = int(np.argmax(share >= 1)) if (share >= 1).any() else len(weeks) - 1
        half = _bounds(share[: last + 1], data, plan) * sd[: last + 1]
    else:
        assert plan.tau2 is not None
        half = np.array([half_width(error**2, plan.tau2, alpha=plan.alpha) for error in sd])
    for i, wide in enumerate(half.tolist()):
        if abs(found[i][0]) > wide:
            return Looks(weeks[i], wide, data.weeks[weeks[i]] if data.weeks else NOW)
    return Looks(weeks[len(half) - 1], float(half[-1]), None)


def measured_difference(data: ResultData) -> tuple[float, float, float | None]:
    """Treatment less control, its standard error, and the part of the variance that CUPED took away.

    With a value of each customer from before, ``(y1 - y0) - slope (x1 - x0)`` with the slope inside the arms (Deng,
    Xu, Kohavi and Walker 2013).
    """
    n, won = data.n.sum(axis=0), data.conversions.sum(axis=0)
    share = won / n
    plain, variance = float(share[1] - share[0]), float(variance_of_shares(won, n))
    if data.before is None or data.arm is None or data.converted is None:
        return plain, math.sqrt(variance), None
    arm, x = data.arm, data.before
    mean_x = np.bincount(arm, weights=x, minlength=2) / n
    # Inside the arms: a difference between them must not leak into the slope.
    x, y = x - mean_x[arm], data.converted - share[arm]
    xx, xy, yy = float(x @ x), float(x @ y), float(y @ y)
    if not xx or not yy:
        return plain, math.sqrt(variance), 0.0
    cut = min(xy**2 / (xx * yy), 1.0)
    adjusted = plain - xy / xx * float(mean_x[1] - mean_x[0])
    return adjusted, math.sqrt(variance * (1 - cut)), cut


def variance_of_shares(won: NDArray[Any], n: NDArray[Any]) -> float:
    """Variance of treatment less control; half a success and half a failure keep it above zero."""
    share = (won + 0.5) / (n + 1)
    return float((share * (1 - share) / n).sum())


def _bounds(share: Floats, data: ResultData, plan: ExperimentPlan) -> Floats:
    before = [] if data.weeks else [t for t in plan.looks if t < share[0] - 1e-6 and t < 1]
    rising = np.maximum.accumulate(share)
    # A week that brought no customers is no look of its own.
    new = np.diff(rising, prepend=0.0) > 1e-9
    bounds = spending_boundaries([*before, *rising[new].tolist()], alpha=plan.alpha).z[len(before) :]
    return np.asarray(np.array(bounds)[np.cumsum(new) - 1])
