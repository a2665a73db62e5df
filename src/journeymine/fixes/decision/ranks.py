"""Ranks with their uncertainty: who is best how often, and which places each fix could hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEVEL = 0.95
ROUNDING = 1e-12


def share_best(draws: Floats) -> Floats:
    """Share of the draws in which each fix has the largest effect; ties are shared.

    Examples
    --------
    >>> share_best(np.array([[1.0, 0.0], [1.0, 2.0], [3.0, 3.0], [2.0, 1.0]])).tolist()
    [0.625, 0.375]
    """
    if not draws.shape[1]:
        return np.zeros(0)
    best = draws == draws.max(axis=1, keepdims=True)
    return np.asarray((best / best.sum(axis=1, keepdims=True)).mean(axis=0))


def surely_better(effect: Floats, draws: Floats, *, level: float = LEVEL) -> NDArray[np.bool_]:
    """Which fix is surely better than which, all pairs at once with the given confidence, shape (k, k).

    Simultaneous bands for all pairwise differences from the maximum of the studentised bootstrap differences
    (Mogstad, Romano, Shaikh and Wilhelm 2024). Entry (i, j): i is better than j.

    Examples
    --------
    >>> draws = np.random.default_rng(0).normal([0.3, 0.1, 0.1], 0.01, (500, 3))
    >>> surely_better(np.array([0.3, 0.1, 0.1]), draws).sum(axis=1).tolist()
    [2, 0, 0]
    """
    k = len(effect)
    if k < 2:
        return np.zeros((k, k), bool)
    gap = effect[:, None] - effect[None, :]
    size = np.array([(draws[:, [i]] - draws).std(axis=0, ddof=1) for i in range(k)])
    np.fill_diagonal(size, np.inf)
    # What varies by rounding only does not vary.
    size[size <= ROUNDING * np.abs(draws).max(initial=0.0)] = np.inf
    largest = np.zeros(len(draws))
    for i in range(k):
        deviation = np.abs((draws[:, [i]] - draws) - gap[i]) / size[i]
        largest = np.maximum(largest, deviation.max(axis=1))
    # Infinite where two fixes are the same in every draw: neither is surely better.
    band = np.where(np.isinf(size), np.inf, np.quantile(largest, level) * np.where(np.isinf(size), 1.0, size))
    return np.asarray(gap > band)


def rank_intervals(
    effect: Floats, draws: Floats, *, level: float = LEVEL
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places that each fix could hold, all at once with the given confidence.

    A fix can be beaten only by those that are not surely worse (`surely_better`).

    Returns
    -------
    lower, upper
        Best and worst place of each fix, from 1.
    """
    better = surely_better(effect, draws, level=level)
    return 1 + better.sum(axis=0), len(effect) - better.sum(axis=1)
