"""What was known of a journey at a decision point, as the columns of a regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.fixes.causal.decisions import Decisions

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

MOST_CELLS = 30
"""Cells with a column of their own; the smaller ones share one."""
MIN_CROSSING = 100
"""Decision points that a state within a cell needs for a column of its own: below, state and cell add up."""
MOST_ATTEMPTS = 3
MOST_VISITS = 20
"""Earlier visits are counted up to these."""


@dataclass(frozen=True, slots=True, eq=False)
class Covariates:
    """Decision points that look alike share a row.

    Attributes
    ----------
    pattern
        Row of each decision point, shape (m,).
    design
        Columns of each row: intercept, state, cell, state within cell, log attempt, log visits, what was met before;
        shape (n_patterns, p).
    """

    pattern: Ints
    design: Floats


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
    state, states = _numbered(points.state)
    cell, n_cells = _cells(points)
    attempt = np.minimum(points.attempt, MOST_ATTEMPTS)
    visits = np.zeros_like(points.visits) if without_visits else np.minimum(points.visits, MOST_VISITS)
    asked = np.flatnonzero(points.asked != (-1 if without_met is None else without_met))
    bits = (points.met[:, asked].astype(np.int64) << np.arange(len(asked))).sum(axis=1)
    width = 1 << len(asked)
    parts = (state, cell, attempt, visits, bits)
    sizes = (len(states), n_cells, MOST_ATTEMPTS + 1, MOST_VISITS + 1, width)
    packed = np.ravel_multi_index(parts, sizes)
    rows, pattern = np.unique(packed, return_inverse=True)
    state, cell, attempt, visits, bits = np.unravel_index(rows, sizes)
    n = np.bincount(pattern, points.n, len(rows)).astype(float)
    columns = [
        np.ones((len(rows), 1)),
        _indicators(state, len(states)),
        _indicators(cell, n_cells),
        _crossing(state, cell, n_cells, n),
        np.log1p(np.stack([attempt, visits], axis=1).astype(float)),
        (bits[:, None] >> np.arange(len(asked)) & 1).astype(float),
    ]
    design = np.concatenate(columns, axis=1)
    varies = (design != design[0]).any(axis=0)
    varies[0] = True
    return Covariates(pattern, design[:, varies])


def _numbered(label: Ints) -> tuple[Ints, Ints]:
    names, number = np.unique(label, return_inverse=True)
    return number, names


def _cells(points: Decisions) -> tuple[Ints, int]:
    """Number of each decision point's cell; small cells share the last one."""
    n = np.bincount(points.cell, points.n, points.n_cells)
    order = np.lexsort((np.arange(len(n)), -n))
    number = np.full(len(n), MOST_CELLS, dtype=np.int64)
    number[order[:MOST_CELLS]] = np.arange(min(MOST_CELLS, len(n)))
    return number[points.cell], MOST_CELLS + 1


def _indicators(label: Ints, size: int) -> Floats:
    found = np.zeros((len(label), size))
    found[np.arange(len(label)), label] = 1.0
    return found[:, found.any(axis=0)]


def _crossing(state: Ints, cell: Ints, n_cells: int, n: Floats) -> Floats:
    """Columns of the pairs that occur often enough; none where there is one state or one cell."""
    if len(np.unique(state)) < 2 or len(np.unique(cell)) < 2:
        return np.zeros((len(state), 0))
    pair = np.unique(state * n_cells + cell, return_inverse=True)[1]
    often = np.bincount(pair, n) >= MIN_CROSSING
    found = np.zeros((len(state), len(often)))
    found[np.arange(len(state)), pair] = 1.0
    return found[:, often]
