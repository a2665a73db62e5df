"""Differences of two shares whose trials belong to customers, some of them in both groups.

Each share has Wilson's interval at its effective size; the two are joined so that the interval of the difference
stays inside [-1, 1] (Newcombe 1998), with the correlation that customers in both groups bring (MOVER: Zou and Donner
2008, Statistics in Medicine 27:1693).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.uncertainty import LEVEL, Estimates, difference_of_shares, share_of_units, sums_of_products

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    Floats = NDArray[np.float64]

ROUNDING = 1e-12
"""Part of a sum that is rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class ShareDifferences:
    """Two shares and their difference, arrays of one shape.

    Attributes
    ----------
    a, b
        The shares.
    difference
        A less B; `n` is that of both together.
    correlation
        Of the two shares, from customers in both groups; 0 where no customer is in both, or a share does not vary.
    """

    a: Estimates
    b: Estimates
    difference: Estimates
    correlation: Floats


def differences_of_shares(
    wins: tuple[sparse.csr_array, sparse.csr_array],
    trials: tuple[sparse.csr_array, sparse.csr_array],
    trials_of: NDArray[np.integer] | None = None,
    *,
    buckets: bool = False,
    level: float = LEVEL,
) -> ShareDifferences:
    """Compare the shares of two groups.

    Parameters
    ----------
    wins
        Successes of A and of B by unit and share, shapes (n_units, m).
    trials
        Trials of A and of B by unit, shapes (n_units, r).
    trials_of
        Column of `trials` that each share belongs to, shape (m,); by default its own.

    Examples
    --------
    Newcombe's example: 56 of 70 against 48 of 80, every trial a customer of its own.

    >>> from journeymine.uncertainty import unit_matrix
    >>> unit, zero = np.arange(150), np.zeros(150, int)
    >>> a, won = unit < 70, np.r_[unit[:70] < 56, unit[:80] < 48]
    >>> parts = [unit_matrix(unit, zero, x, (150, 1)) for x in (won & a, won & ~a, a, ~a)]
    >>> found = differences_of_shares((parts[0], parts[1]), (parts[2], parts[3])).difference
    >>> [round(float(x[0]), 3) for x in (found.estimate, found.lower, found.upper)]
    [0.2, 0.051, 0.335]
    """
    a, b = (
        share_of_units(x, n, trials_of, buckets=buckets, level=level)
        for x, n in zip(wins, trials, strict=True)
    )
    rho = _correlation(wins, trials, trials_of, a.estimate, b.estimate)
    both = difference_of_shares(a, b, rho)
    return ShareDifferences(a, b, both, rho)


def _correlation(
    wins: tuple[sparse.csr_array, sparse.csr_array],
    trials: tuple[sparse.csr_array, sparse.csr_array],
    trials_of: NDArray[np.integer] | None,
    share_a: Floats,
    share_b: Floats,
) -> Floats:
    """Correlation of the two shares over units, linearised; 0 where no unit is in both groups."""
    products = {
        pair: _products(wins[pair[0]], trials[pair[0]], wins[pair[1]], trials[pair[1]], trials_of)
        for pair in ((0, 0), (1, 1), (0, 1))
    }

    def moment(g: int, h: int) -> Floats:
        p, q = (share_a, share_b)[g], (share_a, share_b)[h]
        ww, wt, tw, tt = products[g, h]
        found = ww - q * wt - p * tw + p * q * tt
        # What is left of equal sums is rounding: every customer has the same share.
        return np.where(np.abs(found) > ROUNDING * ww, found, 0.0) if g == h else np.asarray(found)

    with np.errstate(divide="ignore", invalid="ignore"):
        rho = moment(0, 1) / np.sqrt(moment(0, 0) * moment(1, 1))
    return np.where(np.isfinite(rho), np.clip(rho, -1, 1), 0.0)


def _products(
    wins: sparse.csr_array,
    trials: sparse.csr_array,
    other_wins: sparse.csr_array,
    other_trials: sparse.csr_array,
    trials_of: NDArray[np.integer] | None,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Sums over units of wins and trials of one group times those of the other."""
    both = sums_of_products(trials, other_trials)
    return (
        sums_of_products(wins, other_wins),
        sums_of_products(wins, other_trials, trials_of),
        sums_of_products(other_wins, trials, trials_of),
        both if trials_of is None else both[trials_of],
    )
