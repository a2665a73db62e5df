"""Who is best, told honestly when several are nearly tied: those in contention are drawn towards each other.

The largest of several estimates is, on average, too large: the share of bootstrap draws in which it leads is
overconfident by far when the true effects hardly differ. So the fixes in contention for the first place are given a
common normal distribution whose spread is learned from the same draws (Efron and Morris 1973; with all errors and
their correlations from the bootstrap). Where effects differ by many standard errors nothing is drawn together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.fixes.decision.ranks import share_best

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

REACH = 3.0
"""In contention is who is at most three standard errors of the difference behind the leader."""
NO_DIFFERENCE = 1 / 3
"""Prior chance that those in contention do not differ at all; else the share kept of a difference is uniform."""
SHARES = (np.arange(40) + 0.5) / 40
COPIES = 0.05
"""Contrasts far more precise than the mean one, as of fixes that are nearly copies, say less about the spread."""
GOLDEN = 0.6180339887498949


def probability_best(effect: Floats, draws: Floats) -> Floats:
    """P(best) of each fix, calibrated where effects are nearly tied, shape (n_fixes,); sums to 1.

    Examples
    --------
    Two of the same precision, one standard error of the difference apart; the bootstrap alone says 0.84.

    >>> draws = np.random.default_rng(0).normal([0.014142, 0.0], 0.01, (4000, 2))
    >>> probability_best(np.array([0.014142, 0.0]), draws).round(1).tolist()
    [0.6, 0.4]
    """
    return share_best(shrunk_draws(effect, draws))


def in_contention(value: Floats, draws: Floats) -> Ints:
    """Places of the fixes that could be the best one: at most three standard errors behind the leader."""
    if not len(value):
        return np.zeros(0, dtype=np.int64)
    leader = int(np.argmax(value))
    error = (draws[:, [leader]] - draws).std(axis=0)
    return np.flatnonzero(value[leader] - value <= REACH * error)


def shrunk_draws(effect: Floats, draws: Floats, contenders: Ints | None = None) -> Floats:
    """Draws from the posterior of the effects, in which those in contention share a distribution.

    For a spread t between them, the contrast with eigenvalue l of their error keeps the share t^2 / (t^2 + l) of
    what was estimated, and the root of that share of its noise. Their level is the mean with weights 1 / variance.
    The others are unchanged.

    Parameters
    ----------
    effect, draws
        Shapes (n_fixes,) and (n_draws, n_fixes).
    contenders
        Places of the fixes that are drawn together; by default `in_contention`.

    Examples
    --------
    >>> draws = np.random.default_rng(0).normal([1.0, 0.0], 0.01, (1000, 2))
    >>> bool((shrunk_draws(np.array([1.0, 0.0]), draws) == draws).all())
    True
    """
    chosen = in_contention(effect, draws) if contenders is None else contenders
    chosen = chosen[np.ptp(draws[:, chosen], axis=0) > 0] if len(draws) else chosen[:0]
    if len(chosen) < 2:
        return draws.copy()
    # Twice the same fix is one fix: else their difference of exactly 0 would tie all the others.
    own, copy_of = np.unique(np.vstack([effect[chosen], draws[:, chosen]]), axis=1, return_inverse=True)
    found = draws.copy()
    found[:, chosen] = _together(own[0], own[1:])[:, copy_of.ravel()]
    return found


def _together(effect: Floats, draws: Floats) -> Floats:
    k = len(effect)
    if k < 2:
        return draws
    error = np.cov(draws, rowvar=False)
    centre = np.eye(k) - 1 / k
    eigen, basis = np.linalg.eigh(centre @ error @ centre)
    # The first direction is the level; the others are contrasts with independent errors.
    eigen, basis = np.maximum(eigen[1:], 0.0), basis[:, 1:]
    contrast = effect @ basis
    spread, weight = _spreads(contrast, eigen)
    kept = _kept(spread[_taken(weight, len(draws))], eigen)
    apart = (kept * contrast + np.sqrt(kept) * (draws @ basis - contrast)) @ basis.T
    precision = 1 / np.diag(error)
    precision = precision / precision.sum()
    return np.asarray((draws @ precision - apart @ precision)[:, None] + apart)


def _spreads(contrast: Floats, eigen: Floats) -> tuple[Floats, Floats]:
    """Variances between the effects, and how likely each is after the data; the first is 0."""
    known = np.maximum(eigen, COPIES * eigen.mean())
    scale = np.exp(np.log(known).mean())
    spread = np.append(0.0, scale * SHARES / (1 - SHARES))
    prior = np.append(NO_DIFFERENCE, np.full(len(SHARES), (1 - NO_DIFFERENCE) / len(SHARES)))
    total = known + spread[:, None]
    fit = -0.5 * (np.log(total) + contrast**2 / total).sum(axis=1)
    weight = prior * np.exp(fit - fit.max())
    return spread, weight / weight.sum()


def _taken(weight: Floats, n_draws: int) -> Ints:
    """Which spread each draw takes: evenly over the draws, whose order says nothing, so no chance is needed."""
    at = (np.arange(n_draws) + 0.5) * GOLDEN % 1
    return np.minimum(np.searchsorted(np.cumsum(weight), at), len(weight) - 1)


def _kept(spread: Floats, eigen: Floats) -> Floats:
    """Share of each contrast that is kept, shape (n_draws, k - 1)."""
    total = spread[:, None] + eigen
    return np.divide(
        np.broadcast_to(spread[:, None], total.shape), total, out=np.zeros_like(total), where=total > 0
    )
