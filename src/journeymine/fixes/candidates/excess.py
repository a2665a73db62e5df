"""`Excess`: how much more often journeys are lost in one group than in another, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.fixes.candidates.candidate import Candidate
    from journeymine.paths.row_tests import GroupedDrops

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


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
    unit: Ints, stratum: Ints, inside: NDArray[np.bool_], n: Floats, drops: Floats, weight: float = 1.0
) -> Excess | None:
    """Share of drops inside less that outside, with Mantel and Haenszel's weights (Greenland and Robins 1985).

    Parameters
    ----------
    unit, stratum, inside, n, drops
        Visits and drops by unit and stratum, in the group (`inside`) or in what it is compared with; shape (m,).

    Returns
    -------
    None where no stratum has both, or where nothing varies.

    Notes
    -----
    The variance is that of the sum over units, with residuals from the share of the stratum on either side of the
    difference, scaled by n / (n - 1): residuals from the own mean of small strata would be far too small.

    Examples
    --------
    >>> ids = np.arange(200)
    >>> drops = np.r_[np.ones(50), np.zeros(50), np.ones(30), np.zeros(70)]
    >>> found = excess_of(ids, np.zeros(200, int), ids < 100, np.ones(200), drops)
    >>> round(found.value, 3), round(found.error, 3)
    (0.2, 0.068)
    """
    _, place = np.unique(stratum, return_inverse=True)
    size = int(place.max(initial=-1)) + 1
    n1, n0, x1, x0 = (
        np.bincount(place[keep], weights=values[keep], minlength=size)
        for values in (n, drops)
        for keep in (inside, ~inside)
    )
    both = (n1 > 0) & (n0 > 0)
    if not both.any():
        return None
    total = np.where(both, n1 + n0, 1.0)
    share = np.where(both, n1 * n0 / total, 0.0)
    gap = np.where(both, x1 / np.maximum(n1, 1) - x0 / np.maximum(n0, 1), 0.0)
    value = float((share * gap).sum() / share.sum())
    pooled = (x1 + x0) / total
    centre = np.where(
        inside, pooled[place] + value * (n0 / total)[place], pooled[place] - value * (n1 / total)[place]
    )
    scale = np.sqrt(total / np.maximum(total - 1, 1)) / share.sum()
    pull = np.where(inside, (n0 / total)[place], -(n1 / total)[place]) * scale[place] * (drops - centre * n)
    pull = np.where(both[place], pull, 0.0)
    variance = float((np.bincount(unit, weights=pull) ** 2).sum())
    return Excess(value, float(np.sqrt(variance)), weight) if variance > 0 else None


def group_excesses(data: GroupedDrops, groups: NDArray[np.bool_]) -> list[Excess]:
    """Every group that is chosen against the others that are."""
    data = data.only(groups[data.group])
    chosen = np.flatnonzero(groups)
    weight = (len(chosen) - 1) / max(len(chosen), 1)
    found = [
        excess_of(data.unit, data.stratum, data.group == group, data.n, data.drops, weight)
        for group in chosen
    ]
    return [excess for excess in found if excess is not None]


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
