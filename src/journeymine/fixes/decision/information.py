"""Value of information: what it costs to be wrong, and what a test is worth before anything is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from journeymine.fixes.decision.ranks import share_best

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Information:
    """What the draws of the net values say about choosing one fix, or none.

    Attributes
    ----------
    p_best
        Probability of being the best, shape (n_fixes,).
    p_nothing
        Probability that doing nothing is best; 0 where it is not among the options.
    regret
        Expected loss against the best option, shape (n_fixes,).
    evpi
        Expected value of perfect information: what knowing all effects would bring. Never below 0.
    worth_of_certainty
        Expected value of knowing this effect exactly, the others as they are: no test of the fix is worth more.
    """

    p_best: Floats
    p_nothing: float
    regret: Floats
    evpi: float
    worth_of_certainty: Floats


def information(net: Floats, *, nothing_counts: bool = True) -> Information:
    """Read the decision off joint draws of the net values.

    Doing nothing has the net value 0. It is always an option for regret and EVPI; among those that can be the best
    only where fixes cost something, since else it is no rival.

    Parameters
    ----------
    net
        Net values, shape (n_draws, n_fixes).
    nothing_counts
        Whether doing nothing is among those that can be the best.

    Examples
    --------
    >>> found = information(np.array([[3.0, 1.0], [-1.0, 1.0]]))
    >>> found.p_best.tolist(), found.regret.tolist(), found.evpi
    ([0.5, 0.5], [1.0, 1.0], 1.0)
    """
    n_draws, n_fixes = net.shape
    if not n_fixes or not n_draws:
        none = np.zeros(n_fixes)
        return Information(none, float(nothing_counts), none, 0.0, none)
    options = np.column_stack([net, np.zeros(n_draws)])
    best = share_best(options if nothing_counts else net)
    mean, most = net.mean(axis=0), options.max(axis=1).mean()
    evpi = max(float(most - max(mean.max(), 0.0)), 0.0)
    return Information(
        best[:n_fixes],
        float(best[n_fixes]) if nothing_counts else 0.0,
        np.maximum(most - mean, 0.0),
        evpi,
        np.minimum(worth_of_tests(net, np.zeros(n_fixes)), evpi),
    )


def worth_of_tests(net: Floats, se: Floats) -> Floats:
    """EVSI of testing each fix alone, from joint draws: what choosing after the test brings over choosing now.

    The result moves what is thought of the fix by sd^2 / sqrt(sd^2 + se^2), and what is thought of the others along
    with it, by their regression on it (Strong, Oakley and Brennan 2014): where all effects are uncertain together, a
    test of one says little about which is best. With one independent alternative and normal draws it is `evsi`.

    Parameters
    ----------
    net
        Net values, shape (n_draws, n_fixes).
    se
        Standard error of each test in the unit of net value; nan where there is none.

    Returns
    -------
    Shape (n_fixes,); nan where there is no test.
    """
    mean = net.mean(axis=0)
    apart = net - mean
    variance = (apart**2).mean(axis=0)
    now = max(mean.max(initial=0.0), 0.0)
    found = np.full(len(mean), np.nan)
    for j in np.flatnonzero(~np.isnan(se)):
        if variance[j] <= 0:
            found[j] = 0.0
            continue
        slope = (apart * apart[:, [j]]).mean(axis=0) / variance[j]
        moved = apart[:, j] * np.sqrt(variance[j] / (variance[j] + se[j] ** 2))
        after = np.maximum((mean + moved[:, None] * slope).max(axis=1), 0.0)
        found[j] = max(float(after.mean()) - now, 0.0)
    return found


def evsi(mean: Floats, sd: Floats, best_other: Floats, se: Floats) -> Floats:
    """Expected value of testing a fix, all in the unit of net value (Raiffa and Schlaifer 1961; design note 5.2).

    The estimate after the test varies with the standard deviation s' = sd^2 / sqrt(sd^2 + se^2) around the mean, and
    the better of it and the alternative is taken: s' (phi(u) - u (1 - Phi(u))), u = |mean - best_other| / s'. What
    the test says about the other fixes is left out.

    Parameters
    ----------
    mean, sd
        What is thought of the fix now.
    best_other
        Net value of the best alternative.
    se
        Standard error of the test; 0 for one that tells the truth.

    Examples
    --------
    >>> round(float(evsi(0.006, 0.004, 0.008, 0.003)), 6), round(float(evsi(0.006, 0.004, 0.008, 0.0)), 6)
    (0.000518, 0.000791)
    """
    mean, sd, best_other, se = np.broadcast_arrays(
        *(np.asarray(x, dtype=float) for x in (mean, sd, best_other, se))
    )
    total = np.hypot(sd, se)
    moved = np.divide(sd**2, total, out=np.zeros_like(total), where=total > 0)
    gap = np.abs(mean - best_other)
    u = np.divide(gap, moved, out=np.full_like(gap, np.inf), where=moved > 0)
    with np.errstate(invalid="ignore"):
        gain = moved * (np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi) - u * special.ndtr(-u))
    return np.asarray(np.where(moved > 0, np.maximum(gain, 0.0), 0.0))


def error_of_test(baseline: Floats, reach: Floats, n_per_arm: Floats) -> Floats:
    """Standard error that a test on those who meet the fix has for the effect on all journeys.

    Parameters
    ----------
    baseline
        Conversion of those who meet it.
    reach
        Share of all journeys that meet it: an effect on them counts by so much.
    n_per_arm
        Journeys in each arm.

    Examples
    --------
    >>> round(float(error_of_test(0.5, 0.2, 5000.0)), 6)
    0.002
    """
    baseline, reach, n = (np.asarray(x, dtype=float) for x in (baseline, reach, n_per_arm))
    return np.asarray(reach * np.sqrt(2 * baseline * (1 - baseline) / n))
