"""Test whether two groups go on differently from one activity, and on which moves.

Observed less expected moves of group A are summed over the strata of everything else that is known (the
generalised Cochran-Mantel-Haenszel score; Landis, Heyman and Koch 1978), so that a shift in who comes is no
difference in what they do. Moves of one customer are not independent: the covariance of the score is taken over
customers, whole customers may be in both groups, and small strata are corrected for their leverage (Bell and
McCaffrey 2002). The test of the row is the second-order correction of Rao and Scott (1984) in the F form of Thomas
and Rao (1987), which unlike Wald's test holds its level when customers are few and targets many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse, special

from journeymine.uncertainty import LEVEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MIN_EXPECTED = 5.0
"""Expected moves that a target needs in both groups; rarer targets are tested together."""


@dataclass(frozen=True, slots=True, eq=False)
class RowMoves:
    """Moves from one activity; entries may be split, shape (m,).

    Attributes
    ----------
    unit, stratum, target, n
        Target 0, 1, ... below `n_targets`.
    in_a
        Whether the entry is of group A; the others are of group B.
    """

    unit: Ints
    stratum: Ints
    in_a: NDArray[np.bool_]
    target: Ints
    n: Ints
    n_targets: int


@dataclass(frozen=True, slots=True, eq=False)
class Homogeneity:
    """What the test of one activity says.

    Attributes
    ----------
    statistic, df, df_units
        F statistic, its degrees of freedom, and those of the customers behind the covariance.
    p_value
        Probability of so large a statistic if the groups go on alike.
    design_effect
        How much the moves of one customer go together; 1 is independence.
    tested
        Targets that are frequent enough to be tested on their own, shape (t,).
    edge_p
        Two-sided p value of each of them, shape (t,).
    adjusted, adjusted_lower, adjusted_upper
        Difference A less B of the share of each target inside strata (Mantel and Haenszel's weights), with its 95 %
        interval; shape (n_targets,).
    """

    statistic: float
    df: float
    df_units: float
    p_value: float
    design_effect: float
    tested: Ints
    edge_p: Floats
    adjusted: Floats
    adjusted_lower: Floats
    adjusted_upper: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Score:
    """Observed less expected moves of group A, its covariances, and what belongs to them."""

    score: Floats
    independent: Floats
    clustered: Floats
    expected: Floats
    weight: float
    df_units: float


def homogeneity_test(moves: RowMoves) -> Homogeneity | None:
    """Test one activity; None if the groups share too few customers, moves or targets to be compared.

    Examples
    --------
    Fifty of 100 customers move on to target 0 in one group and 30 of 100 in the other:

    >>> ids = np.arange(200)
    >>> target = np.r_[np.zeros(50, int), np.ones(50, int), np.zeros(30, int), np.ones(70, int)]
    >>> moves = RowMoves(ids, np.zeros(200, int), ids < 100, target, np.ones(200, int), 2)
    >>> found = homogeneity_test(moves)
    >>> round(found.p_value, 3), found.adjusted.round(2).tolist()
    (0.004, [0.2, -0.2])
    """
    found = _score(moves)
    if found is None or found.df_units < 1:
        return None
    pooled, tested = _pool_rare(found.expected)
    if pooled.shape[1] < 2:
        return None
    score = found.score @ pooled
    independent, clustered = pooled.T @ found.independent @ pooled, pooled.T @ found.clustered @ pooled
    inverse = np.linalg.pinv(independent, rcond=1e-10, hermitian=True)
    effects = inverse @ clustered
    k = int(np.linalg.matrix_rank(independent, tol=1e-9 * max(independent.trace(), 1e-300), hermitian=True))
    if k == 0:
        return None
    # First and second moment of the eigenvalues of the design-effect matrix, without computing them.
    mean, square = float(effects.trace()) / k, float(np.sum(effects * effects.T)) / k
    mean, spread = max(mean, 1.0), max(square / max(mean, 1e-12) ** 2, 1.0)
    df = k / spread
    statistic = float(score @ inverse @ score) / mean / k
    variance = np.maximum(np.diag(found.clustered), 0.0)
    return Homogeneity(
        statistic=statistic,
        df=df,
        df_units=found.df_units,
        p_value=float(special.fdtrc(df, df * found.df_units, statistic)),
        design_effect=mean,
        tested=tested,
        edge_p=_edge_p(found, tested),
        **_adjusted(found, variance),
    )


def _edge_p(found: _Score, tested: Ints) -> Floats:
    """Two-sided p values of single targets by Student's t; customers never make a target surer than its moves."""
    variance = np.maximum(np.diag(found.clustered), np.diag(found.independent))[tested]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(variance > 0, np.abs(found.score[tested]) / np.sqrt(variance), 0.0)
    return np.asarray(2 * special.stdtr(found.df_units, -t))


def _adjusted(found: _Score, variance: Floats) -> dict[str, Floats]:
    half = special.stdtrit(found.df_units, 0.5 + LEVEL / 2) * np.sqrt(variance) / found.weight
    middle = found.score / found.weight
    return {
        "adjusted": middle,
        "adjusted_lower": np.clip(middle - half, -1, 1),
        "adjusted_upper": np.clip(middle + half, -1, 1),
    }


def _pool_rare(expected: Floats) -> tuple[Floats, Ints]:
    """Matrix (n_targets, categories) that pools rare targets, and the targets that stand alone.

    Rare targets are one category; if that is still rare, the rarest target of the others joins it.
    """
    enough = expected.min(axis=0) >= MIN_EXPECTED
    tested = np.flatnonzero(enough)
    rare = np.flatnonzero(~enough)
    own = list(tested.tolist())
    together = set(rare.tolist())
    if together and own and expected[:, rare].sum(axis=1).min() < MIN_EXPECTED:
        smallest = min(own, key=lambda j: (float(expected[:, j].sum()), j))
        own.remove(smallest)
        together.add(smallest)
    categories = [[j] for j in own] + ([sorted(together)] if together else [])
    matrix = np.zeros((expected.shape[1], len(categories)))
    for place, members in enumerate(categories):
        matrix[members, place] = 1.0
    return matrix, tested


def _score(moves: RowMoves) -> _Score | None:
    """Score of group A and its covariances over independent moves and over customers."""
    n_strata, s = _numbered(moves.stratum)
    shape = (n_strata, 2, moves.n_targets)
    flat = np.ravel_multi_index((s, (~moves.in_a).astype(np.int64), moves.target), shape)
    table = np.bincount(flat, weights=moves.n, minlength=int(np.prod(shape))).reshape(shape)
    size = table.sum(axis=2)
    both = (size > 0).all(axis=1)
    if not both.any():
        return None
    total = size.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(both[:, None], table.sum(axis=1) / total[:, None], 0.0)
        part = np.where(both, size[:, 0] / total, 0.0)
        weight = np.where(both, size[:, 0] * size[:, 1] / total, 0.0)
        spread = np.where(both, weight * total / (total - 1), 0.0)
    score = (table[:, 0] - size[:, :1] * share)[both].sum(axis=0)
    independent = np.diag(spread @ share) - (share * spread[:, None]).T @ share
    expected = np.stack([(size[:, g, None] * share)[both].sum(axis=0) for g in (0, 1)])
    used = both[s]
    influence = _influences(moves, s, used, share, part, total)
    n_units = len(influence)
    if n_units < 2:
        return None
    return _Score(
        score, independent, influence.T @ influence, expected, float(weight.sum()), float(n_units - 1)
    )


def _influences(
    moves: RowMoves, s: Ints, used: NDArray[np.bool_], share: Floats, part: Floats, total: Floats
) -> Floats:
    """What each customer adds to the score, shape (n_units, n_targets).

    A customer's residuals shrink by its own pull on the shares of the stratum: they are blown up accordingly.
    """
    n_units, u = _numbered(moves.unit[used])
    s, n = s[used], moves.n[used].astype(float)
    sign = np.where(moves.in_a[used], 1 - part[s], -part[s])
    pairs, pair = np.unique(u * np.int64(len(total)) + s, return_inverse=True)
    pull = np.bincount(pair, weights=sign * n)
    square = np.bincount(pair, weights=sign**2 * n)
    of_pair = pairs % len(total)
    leverage = np.clip(pull**2 / (total[of_pair] * square), 0.0, 0.9)
    scale = 1 / np.sqrt(1 - leverage)
    k, owner = share.shape[1], pairs // len(total)
    flat = u * k + moves.target[used]
    observed = np.bincount(flat, weights=scale[pair] * sign * n, minlength=n_units * k).reshape(n_units, k)
    expected = sparse.csr_array((scale * pull, (owner, of_pair)), shape=(n_units, len(total))) @ share
    return np.asarray(observed - expected)


def _numbered(labels: Ints) -> tuple[int, Ints]:
    """How many different labels there are, and each as a number from 0; no sorting, so linear in time."""
    seen = np.zeros(int(labels.max(initial=-1)) + 1, bool)
    seen[labels] = True
    number = np.cumsum(seen) - 1
    return int(seen.sum()), number[labels]
