"""How much of a found excess is believed: it was found and scored on the same customers.

Of many groups that are compared, those that chance makes look worst are the ones that are found: their excess is too
large on average (the winner's curse). Empirical Bayes over everything that was compared, kept or not, takes that out:
the spread of all excesses beyond their errors says how large true ones are (Efron 2011, "Tweedie's formula and
selection bias"). Their distribution is one normal around zero, by maximum likelihood; or, where that fits worse by
more than its further parameters (Akaike), a mixture of normals and a point at zero (Stephens 2017, "False discovery
rates: a new deal"): a few large faults among many places where nothing is wrong are then left as large as they are.

Skipped steps have a distribution of their own: taking a step moves journeys by more than groups differ, and mostly
down. Where fewer than ten of them were compared there is no distribution to speak of, and each is believed as far as
it stands above its own error (`alone`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import minimize_scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.fixes.candidates.excess import Excess

    Floats = NDArray[np.float64]

FURTHER_PARAMETERS: Final = 2.0
"""What a mixture has beyond one normal: how many are not zero, and a second scale."""
N_ROUNDS: Final = 500
FEWEST: Final = 10
"""Excesses that say something about how large others are."""


@dataclass(frozen=True, slots=True, eq=False)
class Shrinkage:
    """Distribution of true excesses: normals around zero.

    Attributes
    ----------
    scale
        Standard deviation of each part, shape (m,); 0 is a point at zero.
    share
        Share of each part, shape (m,).
    n
        Excesses behind it.
    """

    scale: Floats
    share: Floats
    n: int

    @property
    def spread(self) -> float:
        """Standard deviation of true excesses."""
        return float(np.sqrt((self.share * self.scale**2).sum()))

    def factor(self, excess: Excess) -> float:
        """Share of an excess that is believed: its posterior mean over its value.

        With one normal of variance t^2 it is t^2 / (t^2 + error^2), whatever the value.

        Examples
        --------
        >>> from journeymine.fixes.candidates.excess import Excess
        >>> Shrinkage(np.array([0.03]), np.array([1.0]), 40).factor(Excess(0.1, 0.03))
        0.5
        """
        variance = self.scale**2 + excess.error**2
        part = _posterior(np.array([excess.value]), variance[None], self.share)[0]
        return float((part * self.scale**2 / variance).sum())


def fit_shrinkage(excesses: Sequence[Excess]) -> Shrinkage:
    """Distribution of true excesses, of everything that was compared.

    Parameters
    ----------
    excesses
        Kept or not: leaving out those that were not kept would put the winner's curse back.

    Examples
    --------
    Two groups that differ by no more than their errors say that nothing is there:

    >>> from journeymine.fixes.candidates.excess import Excess
    >>> fit_shrinkage([Excess(0.01, 0.03), Excess(-0.02, 0.03)]).spread
    0.0
    """
    if not excesses:
        return Shrinkage(np.zeros(1), np.ones(1), 0)
    value, error, weight = (
        np.array([getattr(excess, name) for excess in excesses]) for name in ("value", "error", "weight")
    )
    one, alone = _one_normal(value, error, weight)
    several, mixed = _mixture(value, error, weight)
    better = mixed - alone > FURTHER_PARAMETERS
    scale, share = several if better else (np.array([one]), np.ones(1))
    return Shrinkage(scale, share, len(excesses))


def alone(excess: Excess) -> float:
    """Share of an excess that is believed where there are no others: 1 - 1 / z^2, and 0 up to z = 1.

    What `fit_shrinkage` says of one excess: the normal around zero that fits it best has the variance
    value^2 - error^2 (James and Stein 1961, positive part).

    Examples
    --------
    >>> from journeymine.fixes.candidates.excess import Excess
    >>> alone(Excess(0.1, 0.02)), alone(Excess(0.01, 0.02))
    (0.96, 0.0)
    """
    return max(0.0, 1.0 - (excess.error / excess.value) ** 2) if excess.value else 0.0


def _one_normal(value: Floats, error: Floats, weight: Floats) -> tuple[float, float]:
    """Scale and log likelihood of one normal."""

    def minus_log(scale: float) -> float:
        variance = scale**2 + error**2
        return float(0.5 * (weight * (np.log(variance) + value**2 / variance)).sum())

    largest = 3 * float(np.abs(value).max()) + float(error.min())
    # The likelihood may have two hills: start where a coarse look finds it highest.
    grid = np.concatenate([[0.0], np.geomspace(error.min() / 20, largest, 60)])
    best = int(np.argmin([minus_log(scale) for scale in grid]))
    if best == 0:
        return 0.0, -minus_log(0.0)
    bounds = (grid[best - 1], grid[min(best + 1, len(grid) - 1)])
    found = minimize_scalar(minus_log, bounds=bounds, method="bounded", options={"xatol": 1e-6 * bounds[1]})
    return float(found.x), -float(found.fun)


def _mixture(value: Floats, error: Floats, weight: Floats) -> tuple[tuple[Floats, Floats], float]:
    """Shares of normals on a fixed ladder of scales by expectation and maximisation, and the log likelihood."""
    least = float(error.min()) / 10
    most = 2 * float(np.sqrt(max((value**2 - error**2).max(), error.min() ** 2)))
    steps = int(np.ceil(2 * np.log2(max(most / least, 2.0))))
    scale = np.concatenate([[0.0], least * 2.0 ** (0.5 * np.arange(steps + 1))])
    variance = scale**2 + error[:, None] ** 2
    share = np.full(len(scale), 1 / len(scale))
    for _ in range(N_ROUNDS):
        share = weight @ _posterior(value, variance, share)
        share /= share.sum()
    density = np.exp(-0.5 * value[:, None] ** 2 / variance) / np.sqrt(variance)
    with np.errstate(divide="ignore"):
        return (scale, share), float((weight * np.log(density @ share)).sum())


def _posterior(value: Floats, variance: Floats, share: Floats) -> Floats:
    """Probability of each part given each value, shape (n, m)."""
    with np.errstate(divide="ignore"):
        log = np.log(share) - 0.5 * (np.log(variance) + value[:, None] ** 2 / variance)
    part = np.exp(log - log.max(axis=1, keepdims=True))
    return np.asarray(part / part.sum(axis=1, keepdims=True))
