"""Ties called ties: which fixes cannot be told from each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def tied_with(ids: Sequence[str], better: NDArray[np.bool_]) -> tuple[tuple[str, ...], ...]:
    """Fixes that each fix cannot be told from, in the order of the list.

    By the joint bands for all differences (`ranks.surely_better`), the same that the rank intervals come from: two
    fixes are tied where the interval of their difference contains 0. With every pair on its own, some of many pairs
    would be told apart by chance.

    Examples
    --------
    >>> better = np.array([[False, True, False], [False, False, False], [False, False, False]])
    >>> tied_with(["a", "b", "c"], better)
    (('c',), ('c',), ('a', 'b'))
    """
    told = better | better.T | np.eye(len(ids), dtype=bool)
    return tuple(tuple(ids[j] for j in np.flatnonzero(~row).tolist()) for row in told)
