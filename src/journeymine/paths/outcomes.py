"""Shares and conversions of groups of journeys, and how two groups differ, with customer-level intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from journeymine.uncertainty import (
    Estimates,
    effective_size,
    few_units,
    rows_that_go_together,
    share_of_units,
    unit_matrix,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from journeymine.counts.outcomes import OutcomeCounts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """Conversion of the journeys with something, of those without, and the difference.

    Attributes
    ----------
    with_it, without_it
        Share converted of the journeys whose outcome is known, shape (m,).
    difference
        `with_it` less `without_it`, shape (m,); `n` is the known journeys of both.
    p_value
        Of no difference, shape (m,); nan where one side has no journeys.
    """

    with_it: Estimates
    without_it: Estimates
    difference: Estimates
    p_value: Floats


def matrix(counts: OutcomeCounts, n: Ints) -> sparse.csr_array:
    """Journeys by unit and group, shape (n_units, n_columns)."""
    return unit_matrix(counts.unit, counts.column, n, (counts.n_units, counts.n_columns))


def share_of_all(counts: OutcomeCounts, everyone: OutcomeCounts) -> Estimates:
    """Share of all journeys that belong to each group, shape (m,)."""
    zero = np.zeros(counts.n_columns, int)
    return share_of_units(
        matrix(counts, counts.n), matrix(everyone, everyone.n), zero, buckets=counts.buckets
    )


def conversion(counts: OutcomeCounts) -> Estimates:
    """Share converted of the journeys of each group whose outcome is known, shape (m,)."""
    known = matrix(counts, counts.n_known)
    return share_of_units(matrix(counts, counts.n_converted), known, buckets=counts.buckets)


def contrast(counts: OutcomeCounts, others: OutcomeCounts) -> Contrast:
    """How the conversion of groups differs from that of other journeys.

    The interval joins the intervals of both shares (MOVER: Zou and Donner 2008, Statistics in Medicine 27:1693),
    with the correlation that customers on both sides give them. The test is that of two shares at their effective
    sizes under a common share (Rao and Scott 1981).

    Parameters
    ----------
    counts, others
        Journeys of the groups with it and without it, column by column.
    """
    first, second = _side(counts), _side(others)
    a, b = first.share, second.share
    rho = _correlation(first, second)
    d = a.estimate - b.estimate
    low_a, high_a = a.estimate - a.lower, a.upper - a.estimate
    low_b, high_b = b.estimate - b.lower, b.upper - b.estimate
    lower = d - np.sqrt(np.maximum(low_a**2 + high_b**2 - 2 * rho * low_a * high_b, 0.0))
    upper = d + np.sqrt(np.maximum(high_a**2 + low_b**2 - 2 * rho * high_a * low_b, 0.0))
    difference = Estimates(d, np.maximum(lower, -1.0), np.minimum(upper, 1.0), a.n + b.n)
    return Contrast(a, b, difference, _p_values(first, second, rho))


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """Share of each group, the rows it is worth, and the residual of each unit, shape (n_units, m)."""

    share: Estimates
    effective: Floats
    residual: Floats


def _side(counts: OutcomeCounts) -> _Side:
    wins, trials = matrix(counts, counts.n_converted), matrix(counts, counts.n_known)
    share = share_of_units(wins, trials, buckets=counts.buckets)
    known = np.nan_to_num(share.estimate)
    total = np.asarray(trials.sum(axis=0), dtype=float).ravel()
    n_units = np.asarray((trials > 0).sum(axis=0), dtype=float).ravel()
    correction = n_units / np.maximum(n_units - 1, 1)
    residual = (wins.toarray() - known * trials.toarray()) * np.sqrt(correction)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (residual**2).sum(axis=0) / total**2
    effective = few_units(effective_size(known, variance, total), total, n_units)
    unknown = (known == 0) | (known == 1) | (n_units == 1)
    together = rows_that_go_together(trials, buckets=counts.buckets)
    return _Side(share, np.where(unknown, together, effective), residual)


def _correlation(first: _Side, second: _Side) -> Floats:
    """Correlation of the two shares over units; 0 where one of them does not vary."""
    spread = np.sqrt((first.residual**2).sum(axis=0) * (second.residual**2).sum(axis=0))
    both = (first.residual * second.residual).sum(axis=0)
    return np.asarray(np.clip(np.divide(both, spread, out=np.zeros_like(both), where=spread > 0), -1, 1))


def _p_values(first: _Side, second: _Side, rho: Floats) -> Floats:
    a, b = first.share.estimate, second.share.estimate
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (first.effective * a + second.effective * b) / (first.effective + second.effective)
        one, two = (pooled * (1 - pooled) / side.effective for side in (first, second))
        deviation = np.sqrt(np.maximum(one + two - 2 * rho * np.sqrt(one * two), 0.0))
        p = 2 * special.ndtr(-np.abs(a - b) / deviation)
    # Both shares 0, or both 1: nothing differs.
    return np.asarray(np.where((pooled == 0) | (pooled == 1), 1.0, p))
