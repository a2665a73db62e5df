"""`Excess`: how much more often journeys are lost in one group than in another, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from journeymine.uncertainty import unit_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.fixes.candidates.candidate import Candidate
    from journeymine.paths.row_tests import GroupedDrops

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

TINY: Final = 1e-300
ROUNDING: Final = 1e-24
"""Variance below which nothing varied."""


@dataclass(frozen=True, slots=True)
class Excess:
    """Difference of two drop-out shares at the same mix of strata.

    Attributes
    ----------
    value, error
        The difference and its standard error over customers.
    weight
        How much it counts among others: k groups against the rest are k - 1 facts, so each counts (k - 1) / k.
    """

    value: float
    error: float
    weight: float = 1.0


def excess_of(
    unit: Ints, stratum: Ints, inside: NDArray[np.bool_], n: Floats, drops: Floats
) -> Excess | None:
    """Share of drops inside less that outside, with Mantel and Haenszel's weights (Greenland and Robins 1985).

    Parameters
    ----------
    unit, stratum, inside, n, drops
        Visits and drops by unit and stratum, in the group (`inside`) or in what it is compared with; shape (m,).

    Returns
    -------
    None where no stratum has both, or where nothing varies.

    Examples
    --------
    >>> ids = np.arange(200)
    >>> drops = np.r_[np.ones(50), np.zeros(50), np.ones(30), np.zeros(70)]
    >>> found = excess_of(ids, np.zeros(200, int), ids < 100, np.ones(200), drops)
    >>> round(found.value, 3), round(found.error, 3)
    (0.2, 0.068)
    """
    value, error = _each_against_the_others(unit, stratum, inside.astype(np.int64), n, drops, 2)
    return Excess(float(value[1]), float(error[1])) if error[1] > 0 else None


def group_excesses(data: GroupedDrops, groups: NDArray[np.bool_]) -> list[Excess]:
    """Every group that is chosen against the others that are."""
    chosen = np.flatnonzero(groups)
    if len(chosen) < 2:
        return []
    data = data.only(groups[data.group])
    place = np.cumsum(groups) - 1
    value, error = _each_against_the_others(
        data.unit, data.stratum, place[data.group], data.n, data.drops, len(chosen)
    )
    weight = (len(chosen) - 1) / len(chosen)
    return [Excess(float(v), float(e), weight) for v, e in zip(value, error, strict=True) if e > 0]


def _each_against_the_others(
    unit: Ints, stratum: Ints, group: Ints, n: Floats, drops: Floats, n_groups: int
) -> tuple[Floats, Floats]:
    """Excess of each group over all others and its error, both of shape (n_groups,); an error of 0 says nothing.

    The variance is that of sums over units, with residuals from the share of the stratum on either side of the
    difference, scaled by n / (n - 1): residuals from the own mean of small strata would be far too small.
    """
    strata, place = np.unique(stratum, return_inverse=True)
    table = np.zeros((2, len(strata), n_groups))
    for i, values in enumerate((n, drops)):
        np.add.at(table[i], (place, group), values)
    n1, x1 = table
    all_n, all_x = table.sum(axis=2, keepdims=True)
    n0, x0 = all_n - n1, all_x - x1
    both = (n1 > 0) & (n0 > 0)
    total = np.where(all_n > 0, all_n, 1.0)
    weight = np.where(both, n1 * n0 / total, 0.0)
    sum_ = np.maximum(weight.sum(axis=0), TINY)
    gap = x1 / np.where(n1 > 0, n1, 1.0) - x0 / np.where(n0 > 0, n0, 1.0)
    value = (weight * gap).sum(axis=0) / sum_
    scale = np.where(both, np.sqrt(total / np.maximum(total - 1, 1)), 0.0) / sum_
    inside, outside = scale * n0 / total, -scale * n1 / total
    centre = all_x / total
    high, low = centre + value * n0 / total, centre - value * n1 / total
    # Outside is everywhere but in the own group: one product over all, and what it took too much.
    n_units = int(unit.max(initial=-1)) + 1
    lost, seen = (unit_matrix(unit, place, what, (n_units, len(strata))) for what in (drops, n))
    pull = lost @ outside - seen @ (outside * low)
    at = (place, group)
    own = inside[at] * (drops - high[at] * n) - outside[at] * (drops - low[at] * n)
    np.add.at(pull, (unit, group), own)
    variance = np.where(both.any(axis=0), (pull**2).sum(axis=0), 0.0)
    # What cancels leaves rounding.
    return value, np.sqrt(np.where(variance > ROUNDING, variance, 0.0))


def excess_of_candidate(candidate: Candidate) -> Excess | None:
    """Scope of a candidate against its reference; None where there is no reference."""
    scope, reference = candidate.scope, candidate.reference
    if reference is None:
        return None
    inside = np.repeat([True, False], [len(scope.n), len(reference.n)])
    unit, stratum, n, drops = (
        np.concatenate([getattr(scope, name), getattr(reference, name)])
        for name in ("unit", "stratum", "n", "drops")
    )
    return excess_of(unit, stratum, inside, n, drops)
