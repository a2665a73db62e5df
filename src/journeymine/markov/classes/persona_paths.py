"""The most probable journey of an absorbing chain."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def probable_path(moves: Floats, start: Floats) -> tuple[int, ...]:
    """Columns of the journey, from start to end, with the largest probability (Viterbi 1967).

    Parameters
    ----------
    moves
        To the k states, the goal and out, shape (k, k + 2).
    start
        Of the k states, and at the goal, shape (k + 1,).

    Returns
    -------
    tuple
        States, then k (the goal) or k + 1 (out). Ties go to the smaller column. Empty where no journey ends.

    Examples
    --------
    >>> moves = np.array([[0.1, 0.6, 0.0, 0.3], [0.1, 0.0, 0.8, 0.1]])
    >>> probable_path(moves, np.array([1.0, 0.0, 0.0]))
    (0, 1, 2)
    """
    k = len(moves)
    reached = np.array(start[:k], dtype=float)
    before = np.full(k, -1, dtype=np.int64)
    # A best path visits no state twice, so k rounds settle all.
    for _ in range(k):
        ways = reached[:, None] * moves[:, :k]
        best = ways.argmax(axis=0)
        better = ways[best, np.arange(k)] > reached
        if not better.any():
            break
        reached = np.where(better, ways[best, np.arange(k)], reached)
        before = np.where(better, best, before)
    ends = np.column_stack([reached * moves[:, k], reached * moves[:, k + 1]])
    if max(ends.max(initial=0.0), start[k]) <= 0:
        return ()
    if start[k] >= ends.max(initial=0.0):
        return (k,)
    state, end = (int(x) for x in np.unravel_index(ends.argmax(), ends.shape))
    path = [k + end, state]
    while before[path[-1]] >= 0:
        path.append(int(before[path[-1]]))
    return tuple(reversed(path))


def path_probability(path: tuple[int, ...], moves: Floats, start: Floats) -> float:
    """Probability of exactly one journey.

    Examples
    --------
    >>> moves = np.array([[0.1, 0.6, 0.0, 0.3], [0.1, 0.0, 0.8, 0.1]])
    >>> round(path_probability((0, 1, 2), moves, np.array([1.0, 0.0, 0.0])), 6)
    0.48
    """
    if not path:
        return float("nan")
    share = float(start[path[0]])
    for source, column in pairwise(path):
        share *= float(moves[source, column])
    return share
