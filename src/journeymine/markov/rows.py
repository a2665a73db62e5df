"""Rows of a transition matrix read as a whole: intervals that hold for all edges of a row at once.

Goodman's (1965) simultaneous intervals of multinomial shares: Wilson's interval of each share at the level
1 - alpha / m for a row of m edges. Moves of one customer are not independent, so each share enters with its effective
size, as in `uncertainty.share_of_units`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.uncertainty import LEVEL, Estimates, share_of_units, unit_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from journeymine.counts.chain import ChainCounts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


def edge_matrices(counts: ChainCounts, edges: Ints) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Moves by unit and edge, shape (n_units, m), and departures by unit and state, shape (n_units, k).

    Parameters
    ----------
    edges
        Pairs (source, column), sorted, that hold all that occur; shape (m, 2).
    """
    width = counts.n_states + 2
    ids = edges[:, 0] * width + edges[:, 1]
    place = np.searchsorted(ids, counts.source * width + counts.column(counts.target))
    moves = unit_matrix(counts.unit, place, counts.n, (counts.n_units, len(ids)))
    departures = unit_matrix(counts.unit, counts.source, counts.n, (counts.n_units, counts.n_states))
    return moves, departures


def simultaneous_rows(
    moves: sparse.csr_array,
    departures: sparse.csr_array,
    source: Ints,
    *,
    buckets: bool = False,
    level: float = LEVEL,
) -> Estimates:
    """Shares of all edges, with intervals that hold the truth of a whole row at once with probability `level`.

    Parameters
    ----------
    moves
        Moves by unit and edge, shape (n_units, m).
    departures
        Departures by unit and state, shape (n_units, k).
    source
        State that each edge leaves, shape (m,).
    buckets
        Whether units are buckets of customers rather than customers.

    Returns
    -------
    Estimates
        Shape (m,); at least as wide as the interval of a single edge.

    Examples
    --------
    Ninety customers leave one state, thirty to each of three others:

    >>> who, to = np.arange(90), np.arange(90) % 3
    >>> moves = unit_matrix(who, to, np.ones(90), (90, 3))
    >>> departures = unit_matrix(who, np.zeros(90, int), np.ones(90), (90, 1))
    >>> row = simultaneous_rows(moves, departures, np.zeros(3, int))
    >>> row.lower.round(3).tolist(), row.upper.round(3).tolist()
    ([0.227, 0.227, 0.227], [0.46, 0.46, 0.46])
    """
    amount = np.bincount(source, minlength=departures.shape[1])[source]
    # Two shares of one row are one number read twice.
    amount = np.where(amount == 2, 1, amount)
    estimate, lower, upper = (np.full(len(source), np.nan) for _ in range(3))
    n = np.zeros(len(source), np.int64)
    for m in np.unique(amount).tolist():
        here = np.flatnonzero(amount == m)
        row = share_of_units(
            moves[:, here], departures, source[here], buckets=buckets, level=1 - (1 - level) / m
        )
        estimate[here], lower[here], upper[here], n[here] = row.estimate, row.lower, row.upper, row.n
    return Estimates(estimate, lower, upper, n)


def design_effects(moves: sparse.csr_array, departures: sparse.csr_array, source: Ints) -> Floats:
    """Design effect of each row, at least 1: how many moves of these customers are worth one independent move.

    The mean over a row of the variance of its shares between customers, in units of the multinomial's (Rao and Scott
    1981, the first-order correction): sum of V_j n / p_j over m - 1. A row with one exit has none: 1.

    Returns
    -------
    Floats
        Shape (k,).

    Examples
    --------
    Ten customers who always repeat what they did are worth ten moves, not a hundred:

    >>> who, to = np.arange(10), np.arange(10) % 2
    >>> moves = unit_matrix(who, to, np.full(10, 10), (10, 2))
    >>> departures = unit_matrix(who, np.zeros(10, int), np.full(10, 10), (10, 1))
    >>> design_effects(moves, departures, np.zeros(2, int)).round(2).tolist()
    [11.11]
    """
    k = departures.shape[1]
    total = np.asarray(departures.sum(axis=0), dtype=float).ravel()
    won = np.asarray(moves.sum(axis=0), dtype=float).ravel()
    share = np.divide(won, total[source], out=np.zeros(len(won)), where=total[source] > 0)
    own = np.asarray(moves.multiply(moves).sum(axis=0)).ravel()
    mixed = np.asarray(moves.multiply(departures[:, source]).sum(axis=0)).ravel()
    squares = np.asarray(departures.multiply(departures).sum(axis=0), dtype=float).ravel()[source]
    n_units = np.asarray((departures > 0).sum(axis=0)).ravel().astype(float)
    correction = (n_units / np.maximum(n_units - 1, 1))[source]
    between = correction * np.maximum(own - 2 * share * mixed + share**2 * squares, 0.0)
    part = np.divide(between, won, out=np.zeros(len(won)), where=won > 0)
    targets = np.bincount(source[won > 0], minlength=k)
    effect = np.bincount(source, weights=part, minlength=k) / np.maximum(targets - 1, 1)
    return np.asarray(np.maximum(np.where(targets > 1, effect, 1.0), 1.0))
