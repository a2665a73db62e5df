"""How varied the paths are: what the most frequent variants cover, and the entropy of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse, special

from journeymine.errors import OptionError, shown
from journeymine.uncertainty import LEVEL, Estimates, share_of_units, unit_matrix

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.variety import VarietyCounts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

STEPS = (1, 2, 3, 5)
"""The curve is read at 1, 2, 3, 5, 10, 20, 30, 50, 100, ... variants."""


@dataclass(frozen=True, slots=True, eq=False)
class CoverageCurve:
    """Share of cases that take one of the k most frequent variants.

    Among variants of equal frequency none comes first: a k that ends among them takes the same part of each. The
    intervals are those of the share for these variants; that they were chosen in the same log is not in them.

    Attributes
    ----------
    counts
        The counts behind it.
    n_variants
        k, shape (m,).
    share
        Share covered, with interval.
    """

    counts: VarietyCounts
    n_variants: Ints
    share: Estimates

    def n_variants_for(self, share: float) -> int:
        """How many of the most frequent variants it takes to cover a share of the cases.

        Parameters
        ----------
        share
            Above 0, at most 1.
        """
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share <= 1:
            raise OptionError(f"share is {shown(share)}, expected a number above 0 and at most 1.")
        # A hair less: 0.3 * 10 is more than 3.
        wanted = int(np.ceil(share * self.counts.n_cases * (1 - 1e-12)))
        size, n_variants = _sizes(self.counts)
        covered = np.cumsum(size * n_variants)
        place = int(np.searchsorted(covered, wanted))
        before = int(covered[place - 1]) if place else 0
        return int(n_variants[:place].sum()) + -((before - wanted) // int(size[place]))

    def to_frame(self) -> pd.DataFrame:
        """One row a point of the curve: n_variants, estimate, lower, upper, n."""
        import pandas as pd

        return pd.DataFrame(
            {
                "n_variants": self.n_variants,
                "estimate": self.share.estimate,
                "lower": self.share.lower,
                "upper": self.share.upper,
                "n": self.share.n,
            }
        )

    def __repr__(self) -> str:
        total = int(self.counts.n_variants.sum())
        lines = [f"CoverageCurve: {total:,} variants, {self.counts.n_cases:,} cases"]
        lines += [
            f"  {int(k):,}  {float(share):.1%}"
            for k, share in list(zip(self.n_variants, self.share.estimate, strict=True))[:9]
        ]
        return "\n".join([*lines, "Next: .n_variants_for(0.8), .to_frame()"])


@dataclass(frozen=True, slots=True, eq=False)
class Entropy:
    """Shannon entropy of the variants.

    Attributes
    ----------
    bits
        Entropy of the variants that customers take, those the log has not shown included (Chao and Shen 2003), in
        bits, with interval. Not available where it hangs on one customer that any variant
        is taken by two: such a log says nothing about it.
    normalised
        `bits` over log2 of the number of cases, at most 1: 0 if all cases are alike.
    observed
        Entropy of the cases in the log, in bits: too low as an estimate, the more so the more variants are rare.
    known
        Share of the cases whose variant more than one unit takes: how much of what comes next takes a path that is
        known (Good 1953). Where it is below a half, `bits` is rather a lower bound.
    """

    bits: Estimates
    normalised: Estimates
    observed: float
    known: Estimates

    def __repr__(self) -> str:
        found = self.bits.at()
        words = (
            f"{found['estimate'] + 0.0:.2f} bits ({found['lower']:.2f} to {found['upper']:.2f})"
            if found
            else "not available, as hardly any two customers take the same variant"
        )
        return f"Entropy: {words}; {self.observed:.2f} bits in the log itself\nNext: log.variants().coverage"


def coverage_curve(counts: VarietyCounts) -> CoverageCurve:
    """Share of cases that the k most frequent variants cover, with customer-level intervals."""
    points = _points(int(counts.n_variants.sum()))
    size, n_variants = _sizes(counts)
    before = np.cumsum(n_variants) - n_variants
    # Part of each class of equals that the first k take, shape (s, m).
    part = np.clip(points[None, :] - before[:, None], 0, n_variants[:, None]) / n_variants[:, None]
    place = np.searchsorted(-size, -counts.unit_size)
    n_cases = counts.unit_own * counts.unit_variants
    by_size = unit_matrix(counts.unit, place, n_cases, (counts.n_units, len(size)))
    cases = unit_matrix(counts.unit, np.zeros(len(place), int), n_cases, (counts.n_units, 1))
    wins = sparse.csr_array(by_size @ part)
    share = share_of_units(wins, cases, np.zeros(len(points), int), buckets=counts.buckets)
    return CoverageCurve(counts, points, share)


def _points(n_variants: int) -> Ints:
    grid = [step * 10**power for power in range(len(str(n_variants))) for step in STEPS]
    return np.array([*(k for k in grid if k < n_variants), n_variants], dtype=np.int64)


def _sizes(counts: VarietyCounts) -> tuple[Ints, Ints]:
    """Cases of a variant, largest first, and how many variants have that many."""
    size, place = np.unique(-counts.size, return_inverse=True)
    return -size, np.bincount(place, weights=counts.n_variants).astype(np.int64)


def estimate_entropy(counts: VarietyCounts) -> Entropy:
    """Entropy of the variants by the estimator of Chao and Shen, made for customers, with a jackknife of units.

    Chao and Shen (2003, Environmental and Ecological Statistics 10:429) weigh each variant by the inverse of its
    chance to be seen (Horvitz and Thompson) after shrinking the shares by the sample's coverage (Good 1953). Both
    are taken over units here: a variant that one customer takes ten times was met once. With one case a customer
    it is their estimator. The variance is that of leaving out one unit at a time (Efron and Stein 1981), with
    Student's t for few units.

    Examples
    --------
    Two variants, one case in two each, a hundred customers:

    >>> from journeymine.counts.variety import VarietyCounts
    >>> fifty, two, unit = np.array([50]), np.array([2]), np.arange(100)
    >>> ones, each = np.ones(100, int), np.full(100, 50)
    >>> entropy = estimate_entropy(VarietyCounts(fifty, fifty, two, unit, each, each, ones, ones, 100))
    >>> round(float(entropy.bits.estimate), 3), entropy.observed
    (1.0, 1.0)
    """
    n, m = counts.n_cases, len(np.unique(counts.unit))
    bits = chao_shen(counts.size, counts.spread, counts.n_variants, m)
    shares = counts.size / n
    observed = max(float(-(counts.n_variants * shares * np.log2(shares)).sum()), 0.0)
    half = _half_width(counts)
    # Without an interval there is no estimate.
    bits = bits if np.isfinite(half) else float("nan")
    low, high = np.maximum(bits - half, 0.0), bits + half
    found = Estimates(np.array(bits), np.array(low), np.array(high), np.array(n))
    most = np.log2(n) if n > 1 else np.nan
    bounds = np.minimum(np.array([bits, low, high]) / most, 1.0)
    scaled = Estimates(bounds[0], bounds[1], bounds[2], np.array(n))
    return Entropy(found, scaled, observed, _known(counts))


def _known(counts: VarietyCounts) -> Estimates:
    """Share of the cases whose variant more than one unit takes."""
    n_cases, zero = counts.unit_own * counts.unit_variants, np.zeros(len(counts.unit), int)
    shape = (counts.n_units, 1)
    shared = unit_matrix(counts.unit, zero, np.where(counts.unit_spread > 1, n_cases, 0), shape)
    share = share_of_units(shared, unit_matrix(counts.unit, zero, n_cases, shape), buckets=counts.buckets)
    return Estimates(share.estimate[0], share.lower[0], share.upper[0], share.n[0])


def chao_shen(size: Ints, spread: Ints, n_variants: Ints, n_units: int) -> float:
    """Entropy in bits from counts of counts; nan where no variant was taken by two units.

    Parameters
    ----------
    size, spread, n_variants
        Cases of a variant, units that take it, and how many variants are such, shape (s,).
    n_units
        Units that have cases.
    """
    n, alone = int((size * n_variants).sum()), int((size * n_variants)[spread == 1].sum())
    if n == 0 or alone == n:
        return float("nan")
    return float((n_variants * _terms(size, spread, n, alone, n_units)).sum())


def _terms(size: Ints, spread: Ints, n: int, alone: int, n_units: int) -> Floats:
    """What each variant adds to the entropy.

    `n` cases, `alone` of them in variants that one unit takes, of `n_units` units.
    """
    coverage = 1 - alone / n
    share = np.maximum(size, 1) / n * coverage
    # A variant of all units keeps its spread for the moment in which one is left out.
    met = np.clip(spread, 1, n_units) / n_units
    with np.errstate(divide="ignore"):
        seen = -np.expm1(n_units * np.log1p(-met * coverage))
    return np.asarray(np.where(size > 0, -share * np.log2(share) / seen, 0.0))


def _half_width(counts: VarietyCounts) -> float:
    """Half the width of the interval, from the entropies that are left when one unit is left out."""
    left = _without_each_unit(counts)
    m = len(left)
    if m < 2 or not np.isfinite(left).all():
        return float("nan")
    variance = (m - 1) / m * float(((left - left.mean()) ** 2).sum())
    return float(special.stdtrit(m - 1, 0.5 + LEVEL / 2)) * float(np.sqrt(variance))


def _without_each_unit(counts: VarietyCounts) -> Floats:
    """Entropy without each unit that has cases, from counts of counts only.

    Leaving out a unit changes the number of cases, those of variants that one unit takes, and its own variants.
    Units that change the first two alike share the terms of all other variants.
    """
    size, spread, own, many = (
        counts.unit_size, counts.unit_spread, counts.unit_own, counts.unit_variants
    )  # fmt: skip
    rest = size - own
    units, place = np.unique(counts.unit, return_inverse=True)
    n = counts.n_cases - np.bincount(place, weights=own * many).astype(np.int64)
    change = np.where(spread == 2, rest, 0) - np.where(spread == 1, size, 0)
    all_alone = int((counts.size * counts.n_variants)[counts.spread == 1].sum())
    alone = all_alone + np.bincount(place, weights=change * many).astype(np.int64)
    alike, group = np.unique(np.stack([n, alone]), axis=1, return_inverse=True)
    group = group.ravel()
    found = np.full(len(units), np.nan)
    order = np.argsort(group[place], kind="stable")
    bounds = np.searchsorted(group[place][order], np.arange(alike.shape[1] + 1))
    for g, (left, single) in enumerate(alike.T.tolist()):
        if left == 0 or single == left:
            continue
        rows = order[bounds[g] : bounds[g + 1]]
        m = len(units) - 1
        base = float((counts.n_variants * _terms(counts.size, counts.spread, left, single, m)).sum())
        before = _terms(size[rows], spread[rows], left, single, m)
        moved = _terms(rest[rows], spread[rows] - 1, left, single, m) - before
        change_of = np.bincount(place[rows], weights=many[rows] * moved, minlength=len(units))
        members = group == g
        found[members] = base + change_of[members]
    return found
