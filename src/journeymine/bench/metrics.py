"""How good an order and an interval are, given the truth: pure functions on arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NOTHING: Final = 1e-9
"""An effect below this, a billionth of the journeys, is none: what is left of it is rounding."""
FURTHEST: Final = 100.0
"""An estimate of the wrong sign, or more than this many times too small or large, counts as this ratio."""


def kendall_tau(true: Floats, estimate: Floats) -> float | None:
    """Kendall's tau-b; 0 where the ranker cannot tell anything apart, None where the truth has no order.

    Examples
    --------
    >>> kendall_tau(np.array([3.0, 2.0, 1.0]), np.array([9.0, 1.0, 5.0]))
    0.333...
    """
    from scipy.stats import kendalltau

    if np.ptp(true) <= NOTHING:
        return None
    if np.ptp(estimate) == 0:
        return 0.0
    return float(kendalltau(true, estimate).statistic)


def order_of(estimate: Floats, rank: Sequence[int] | None = None) -> NDArray[np.int64]:
    """Fixes from the first to the last: by the places that the ranker gave, else by its estimate; ties as they stand.

    Examples
    --------
    >>> order_of(np.array([1.0, 3.0, 2.0])).tolist()
    [1, 2, 0]
    """
    return np.argsort(-estimate if rank is None else np.asarray(rank), kind="stable").astype(np.int64)


def ndcg(true: Floats, order: NDArray[np.int64], k: int = 3) -> float | None:
    """Normalised discounted cumulative gain of the first `k` (Järvelin and Kekäläinen 2002); harm counts as no gain.

    Examples
    --------
    >>> ndcg(np.array([3.0, 2.0, 1.0]), np.array([0, 1, 2]))
    1.0
    """
    gain = np.maximum(true, 0.0)
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    best = np.sort(gain)[::-1][:k]
    attainable = float(best @ discount[: len(best)])
    if attainable <= NOTHING:
        return None
    first = gain[order[:k]]
    return float(first @ discount[: len(first)]) / attainable


def regret(true: Floats, order: NDArray[np.int64], k: int = 1) -> float | None:
    """Share of the attainable effect that is lost by taking the first `k`; None where nothing helps.

    Examples
    --------
    >>> true, order = np.array([4.0, 3.0, 1.0]), np.array([1, 0, 2])
    >>> regret(true, order), regret(true, order, 2)
    (0.25, 0.0)
    """
    best = float(np.sort(true)[::-1][:k].sum())
    return None if best <= NOTHING else 1.0 - float(true[order[:k]].sum()) / best


def log_ratio(true: float, estimate: float) -> float | None:
    """Logarithm of predicted by true; None where nothing is true.

    Examples
    --------
    >>> log_ratio(0.02, 0.02), round(log_ratio(0.02, -0.01), 3), log_ratio(0.0, 0.01)
    (0.0, -4.605, None)
    """
    if abs(true) <= NOTHING:
        return None
    ratio = min(max(estimate / true, 1.0 / FURTHEST), FURTHEST)
    return float(np.log(ratio))


def covers(true: float, lower: float, upper: float) -> bool:
    """Whether an interval holds the truth; rounding is no miss.

    Examples
    --------
    >>> covers(0.0, 0.0, 0.1), covers(0.2, 0.0, 0.1)
    (True, False)
    """
    return lower - NOTHING <= true <= upper + NOTHING


def true_places(true: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Best and worst place of each fix in the true order: one place, or several where it is tied.

    Examples
    --------
    >>> [place.tolist() for place in true_places(np.array([0.3, 0.1, 0.3]))]
    [[1, 3, 1], [2, 3, 2]]
    """
    better = (true[None, :] > true[:, None] + NOTHING).sum(axis=1)
    not_worse = (true[None, :] >= true[:, None] - NOTHING).sum(axis=1)
    return (1 + better).astype(np.int64), not_worse.astype(np.int64)
