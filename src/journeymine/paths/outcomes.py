"""Shares and conversions of groups of journeys, and how two groups differ, with customer-level intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from journeymine.paths.share_differences import differences_of_shares
from journeymine.uncertainty import Estimates, effective_of_units, share_of_units, unit_matrix

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

    The interval is that of `differences_of_shares`. The test is that of two shares at their effective sizes under a
    common share (Rao and Scott 1981), with the correlation that customers on both sides give them.

    Parameters
    ----------
    counts, others
        Journeys of the groups with it and without it, column by column.
    """
    wins = matrix(counts, counts.n_converted), matrix(others, others.n_converted)
    trials = matrix(counts, counts.n_known), matrix(others, others.n_known)
    found = differences_of_shares(wins, trials, buckets=counts.buckets)
    a, b = found.a, found.b
    n_a, n_b = (
        effective_of_units(side.estimate, won, known, buckets=counts.buckets)
        for side, won, known in zip((a, b), wins, trials, strict=True)
    )
    return Contrast(a, b, found.difference, _p_values(a.estimate, b.estimate, n_a, n_b, found.correlation))


def _p_values(a: Floats, b: Floats, n_a: Floats, n_b: Floats, rho: Floats) -> Floats:
    """Two-sided; `n_a` and `n_b` are effective sizes."""
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (n_a * a + n_b * b) / (n_a + n_b)
        one, two = (pooled * (1 - pooled) / n for n in (n_a, n_b))
        deviation = np.sqrt(np.maximum(one + two - 2 * rho * np.sqrt(one * two), 0.0))
        p = 2 * special.ndtr(-np.abs(a - b) / deviation)
    # Both shares 0, or both 1: nothing differs.
    return np.asarray(np.where((pooled == 0) | (pooled == 1), 1.0, p))
