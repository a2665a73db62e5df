"""Tests whether the drop-out after an activity differs between groups of journeys more than chance allows.

The test is the generalised Cochran-Mantel-Haenszel test (Landis, Heyman and Koch 1978): groups are compared
inside strata of everything else that is known, so that a shift in who comes is not taken for a change in what
they do. Visits of one customer are not independent: the statistic is divided by their design effect
(Rao and Scott 1981). Many rows are tested, so false discoveries are controlled (Benjamini and Hochberg 1995).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MIN_EXPECTED = 5.0
"""Expected drops and expected stays that a group needs: below, the chi-square limit is not to be trusted."""
TINY = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class GroupedDrops:
    """Visits and drops of one activity by unit, stratum and group; entries of one kind may be split, shape (m,)."""

    unit: Ints
    stratum: Ints
    group: Ints
    n: Floats
    drops: Floats
    n_units: int

    def only(self, keep: NDArray[np.bool_]) -> GroupedDrops:
        """The entries for which `keep` is true."""
        return GroupedDrops(
            self.unit[keep],
            self.stratum[keep],
            self.group[keep],
            self.n[keep],
            self.drops[keep],
            self.n_units,
        )

    def regrouped(self, new_group: Ints) -> GroupedDrops:
        """The same visits under other groups: `new_group[g]` for group g."""
        return GroupedDrops(self.unit, self.stratum, new_group[self.group], self.n, self.drops, self.n_units)


@dataclass(frozen=True, slots=True)
class RowTest:
    """Result of one test.

    Attributes
    ----------
    statistic
        Chi-square after the correction for customers.
    df
        Degrees of freedom: groups that could be compared, less one.
    p_value
        Probability of so large a statistic if the groups do not differ.
    design_effect
        How much the visits of one customer go together; 1 is independence.
    """

    statistic: float
    df: int
    p_value: float
    design_effect: float


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """Observed and expected drops by group, if groups did not differ inside strata.

    Attributes
    ----------
    n, observed, expected
        Shape (n_groups,).
    covariance
        Of observed under the hypothesis, for independent visits, shape (n_groups, n_groups).
    """

    n: Floats
    observed: Floats
    expected: Floats
    covariance: Floats


def expected_drops(data: GroupedDrops, n_groups: int) -> Expected:
    """Sum observed, expected and covariance over the strata (multivariate hypergeometric)."""
    strata, place = np.unique(data.stratum, return_inverse=True)
    table = np.zeros((len(strata), n_groups))
    np.add.at(table, (place, data.group), data.n)
    drops = np.bincount(place, weights=data.drops, minlength=len(strata))
    total = np.maximum(table.sum(axis=1), TINY)  # a stratum may hold no watched visit
    share = table / total[:, None]
    rate = drops / total
    spread = np.where(total > 1, rate * (1 - rate) * total**2 / np.maximum(total - 1, 1), 0.0)
    covariance = np.diag((spread[:, None] * share).sum(axis=0)) - np.einsum(
        "s,sg,sh->gh", spread, share, share
    )
    observed = np.bincount(data.group, weights=data.drops, minlength=n_groups).astype(float)
    return Expected(table.sum(axis=0), observed, (rate[:, None] * table).sum(axis=0), covariance)


def design_effect(data: GroupedDrops) -> float:
    """Variance of the drops when customers are drawn, over that of independent visits; at least 1.

    Residuals are taken within strata and summed over the visits that one unit makes in one group.
    """
    _, place = np.unique(data.stratum, return_inverse=True)
    total = np.maximum(np.bincount(place, weights=data.n), TINY)
    drops = np.bincount(place, weights=data.drops)
    rate = drops / total
    residual = data.drops - rate[place] * data.n
    pair = np.unique(data.group * np.int64(data.n_units) + data.unit, return_inverse=True)[1]
    clustered = float((np.bincount(pair, weights=residual) ** 2).sum())
    independent = float((total * rate * (1 - rate)).sum())
    return max(clustered / independent, 1.0) if independent > 0 else 1.0


def comparable_groups(data: GroupedDrops, n_groups: int) -> NDArray[np.bool_]:
    """Groups with enough expected drops and stays to be compared."""
    expected = expected_drops(data, n_groups)
    stays = expected.n - expected.expected
    return np.asarray((expected.expected >= MIN_EXPECTED) & (stays >= MIN_EXPECTED))


def row_test(data: GroupedDrops, n_groups: int) -> RowTest | None:
    """Test whether groups differ inside strata; None if fewer than two groups can be compared.

    Examples
    --------
    Fifty of 100 visits drop out in one group and 30 of 100 in the other, all by different customers:

    >>> ids = np.arange(200)
    >>> drops = np.r_[np.ones(50), np.zeros(50), np.ones(30), np.zeros(70)]
    >>> data = GroupedDrops(ids, np.zeros(200, int), ids // 100, np.ones(200), drops, 200)
    >>> round(row_test(data, 2).p_value, 4)
    0.004
    """
    usable = comparable_groups(data, n_groups)
    if usable.sum() < 2:
        return None
    new = np.cumsum(usable) - 1
    data = data.only(usable[data.group]).regrouped(new)
    k = int(usable.sum())
    expected = expected_drops(data, k)
    effect = design_effect(data)
    gap = (expected.observed - expected.expected)[:-1]
    covariance = expected.covariance[:-1, :-1]
    rank = int(np.linalg.matrix_rank(covariance, hermitian=True))
    if rank == 0:
        return None
    statistic = float(gap @ np.linalg.pinv(covariance, hermitian=True) @ gap) / effect
    return RowTest(statistic, rank, float(special.chdtrc(rank, statistic)), effect)
