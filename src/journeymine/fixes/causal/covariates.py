"""What was known of a journey at a decision point, as the columns of a regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.fixes.causal.decisions import Decisions

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

MOST_STATES, MOST_CELLS = 30, 30
"""States and cells with a column of their own; the rarer ones share one."""
MOST_CROSSINGS = 60
MIN_CROSSING = 100
"""Decision points that a state within a cell needs for a column of its own: below, state and cell add up."""
MOST_ATTEMPTS = 3
VISITS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24)
"""Earlier visits are counted in these steps."""
MOST_PATTERNS = 50_000
"""Different histories that are told apart; with more, whether the rarer activities were met is left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Covariates:
    """Decision points that look alike share a row.

    Attributes
    ----------
    pattern
        Row of each decision point, shape (m,).
    design
        Columns of each row: intercept, state, cell, state within cell, log attempt, log visits, what was met before;
        sparse, shape (n_patterns, p).
    """

    pattern: Ints
    design: sparse.csr_array


def covariates(
    points: Decisions, *, without_visits: bool = False, without_met: int | None = None
) -> Covariates:
    """The history until the decision point; nothing that came later.

    Parameters
    ----------
    without_visits, without_met
        Parts that are left out: the number of visits, and whether the state of this number was met. An outcome of
        the past must not be explained by itself.
    """
    state = _frequent(points.state, points.n, MOST_STATES)
    cell = _frequent(points.cell, points.n, MOST_CELLS)
    attempt = np.minimum(points.attempt, MOST_ATTEMPTS)
    step = np.searchsorted(VISITS, points.visits, side="right") - 1
    step = np.zeros_like(step) if without_visits else step
    asked = np.flatnonzero(points.asked != (-1 if without_met is None else without_met))
    sizes = (MOST_STATES + 1, MOST_CELLS + 1, MOST_ATTEMPTS + 1, len(VISITS))
    base = np.ravel_multi_index((state, cell, attempt, step), sizes)
    for n_asked in range(len(asked), -1, -1):
        met = points.met[:, asked[:n_asked]]
        packed = (base << n_asked) + (met.astype(np.int64) << np.arange(n_asked)).sum(axis=1)
        rows, first, pattern = np.unique(packed, return_index=True, return_inverse=True)
        if len(rows) <= MOST_PATTERNS:
            break
    n = np.bincount(pattern, points.n, len(rows)).astype(float)
    numbers = np.log1p(np.stack([attempt[first], np.array(VISITS)[step[first]]], axis=1).astype(float))
    parts = [
        _indicators(state[first]),
        _indicators(cell[first]),
        _crossings(state[first], cell[first], n),
        sparse.csr_array(numbers),
        sparse.csr_array(met[first].astype(float)),
    ]
    columns = sparse.csr_array(sparse.hstack([part for part in parts if part.shape[1]]))
    varies = np.asarray(columns.max(axis=0).toarray() > columns.min(axis=0).toarray()).ravel()
    intercept = sparse.csr_array(np.ones((len(rows), 1)))
    return Covariates(pattern, sparse.csr_array(sparse.hstack([intercept, columns[:, varies]])))


def _frequent(label: Ints, n: Ints, most: int) -> Ints:
    """Labels numbered from 0, the most frequent ones alone; the others share the last number."""
    names, place = np.unique(label, return_inverse=True)
    order = np.lexsort((names, -np.bincount(place, n, len(names))))
    number = np.full(len(names), most, dtype=np.int64)
    number[order[:most]] = np.arange(min(most, len(names)))
    return np.asarray(number[place])


def _indicators(label: Ints) -> sparse.csr_array:
    names, place = np.unique(label, return_inverse=True)
    return sparse.csr_array(
        (np.ones(len(label)), (np.arange(len(label)), place)), shape=(len(label), len(names))
    )


def _crossings(state: Ints, cell: Ints, n: Floats) -> sparse.csr_array:
    """Columns of the most frequent pairs; none where there is one state or one cell."""
    if not state.any() or not cell.any():
        return sparse.csr_array((len(state), 0))
    pairs, place = np.unique(state * (MOST_CELLS + 1) + cell, return_inverse=True)
    size = np.bincount(place, n, len(pairs))
    order = np.lexsort((pairs, -size))[:MOST_CROSSINGS]
    return _indicators(place)[:, np.sort(order[size[order] >= MIN_CROSSING])]
