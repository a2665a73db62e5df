"""Columns of a query as NumPy arrays of the wanted kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


def ints(column: NDArray[np.generic]) -> Ints:
    """A column of integers."""
    return np.asarray(column).astype(np.int64)


def codes(column: NDArray[np.generic], missing: int) -> Ints:
    """A column of codes in which null becomes `missing`."""
    values = np.ma.filled(np.ma.asarray(column), missing)
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), missing, values)
    return values.astype(np.int64)


def floats(column: NDArray[np.generic]) -> NDArray[np.float64]:
    """A column of numbers in which null becomes 0."""
    return np.array([0.0 if v is None or v != v else float(v) for v in column.tolist()], dtype=float)


def floats_or_nan(column: NDArray[np.generic]) -> NDArray[np.float64]:
    """A column of numbers in which null becomes nan."""
    return np.array([np.nan if v is None else float(v) for v in column.tolist()])
