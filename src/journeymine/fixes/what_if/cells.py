"""Cells of the segments that get a chain of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MAX_CELLS = 60


def group_of_cells(group: NDArray[np.int64], cell_of: NDArray[np.int64]) -> NDArray[np.int64]:
    """Group of each merged cell; -1 where it mixes groups.

    Examples
    --------
    >>> group_of_cells(np.array([0, 1, 1, 0]), np.array([0, 1, 1, 1])).tolist()
    [0, -1]
    """
    n_cells = int(cell_of.max(initial=-1)) + 1
    merged = np.full(n_cells, -1, dtype=np.int64)
    merged[cell_of] = group
    mixed = merged[cell_of] != group
    merged[cell_of[mixed]] = -1
    return merged


def merged_cells(customers: NDArray[np.int64]) -> tuple[NDArray[np.int64], Floats]:
    """Cells that get a chain of their own: all, or the 59 with most customers and one for the others.

    Returns
    -------
    cell_of
        New cell of each old one.
    customers
        Customers of each new cell.
    """
    own: NDArray[np.int64] = np.arange(len(customers), dtype=np.int64)
    if len(customers) > MAX_CELLS:
        large = np.lexsort((own, -customers))[: MAX_CELLS - 1]
        large = np.sort(large)
        own = np.full(len(customers), len(large), dtype=np.int64)
        own[large] = np.arange(len(large))
    return own, np.bincount(own, weights=customers).astype(float)
