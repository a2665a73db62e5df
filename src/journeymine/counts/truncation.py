"""Whether the first journeys of a log were already under way when it begins.

Such journeys are left-truncated: their moves are as good as any, but the first that is seen of them is not where they
started. They show in that early starts are spread over the activities differently from later ones. The test is that of
Rao and Scott (1984), second order, in the F form of Thomas and Rao (1987): starts of one customer are not independent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse, special

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

TRUNCATION_LEVEL = 0.01
MIN_STARTS = 30
"""Starts that each of the two groups needs."""
MIN_EXPECTED = 5.0
"""Expected starts that an activity needs in both groups; rarer ones are tested together."""


@dataclass(frozen=True, slots=True, eq=False)
class Starts:
    """First activities of journeys; entries may be split, shape (m,).

    Attributes
    ----------
    unit, activity, n
        Unit that is resampled, code of the first activity, journeys.
    early
        Whether they lie within the first `idle` of the log; the others come soon after.
    """

    unit: Ints
    activity: Ints
    early: NDArray[np.bool_]
    n: Ints


def begins_under_way(starts: Starts, *, level: float = TRUNCATION_LEVEL) -> bool:
    """Whether early starts differ from later ones by more than chance allows.

    Examples
    --------
    Of 200 journeys in the first weeks half begin in the middle, of the 200 later ones none does:

    >>> who = np.arange(400)
    >>> first = np.where(who < 100, 1, 0)
    >>> begins_under_way(Starts(who, first, who < 200, np.ones(400, int)))
    True
    """
    p = homogeneity_p(starts)
    return p is not None and p < level


def homogeneity_p(starts: Starts) -> float | None:
    """Probability of so large a difference if early and later starts are alike; None if too few to tell."""
    n = starts.n.astype(float)
    sizes = np.array([n[starts.early].sum(), n[~starts.early].sum()])
    if sizes.min() < MIN_STARTS:
        return None
    category, share = _categories(starts, n, sizes)
    if len(share) < 2:
        return None
    part = sizes[0] / sizes.sum()
    # What each entry adds to observed less expected early starts; a customer's entries go together.
    pull = n * np.where(starts.early, 1 - part, -part)
    _, unit = np.unique(starts.unit, return_inverse=True)
    n_units = int(unit.max()) + 1
    own = sparse.csr_array((pull, (unit, category)), shape=(n_units, len(share))).toarray()
    influence = own - np.bincount(unit, weights=pull)[:, None] * share
    score = influence.sum(axis=0)[:-1]
    clustered = (influence.T @ influence)[:-1, :-1] * n_units / max(n_units - 1, 1)
    independent = (np.diag(share) - np.outer(share, share))[:-1, :-1] * sizes.prod() / sizes.sum()
    inverse = np.linalg.inv(independent)
    effects = inverse @ clustered
    k = len(score)
    # First and second moment of the eigenvalues of the design-effect matrix.
    mean = max(float(np.trace(effects)) / k, 1.0)
    spread = max(float(np.sum(effects * effects.T)) / k / mean**2, 1.0)
    df = k / spread
    statistic = float(score @ inverse @ score) / mean / k
    return float(special.fdtrc(df, df * max(n_units - 1, 1), statistic))


def _categories(starts: Starts, n: Floats, sizes: Floats) -> tuple[Ints, Floats]:
    """Category of each entry, and their shares; activities too rare to be tested alone are one category."""
    names, place = np.unique(starts.activity, return_inverse=True)
    share = np.bincount(place, weights=n, minlength=len(names)) / sizes.sum()
    rare = share * sizes.min() < MIN_EXPECTED
    if rare.any() and share[rare].sum() * sizes.min() < MIN_EXPECTED and not rare.all():
        # The rarest of the others joins them.
        rare |= np.arange(len(names)) == np.lexsort((np.arange(len(names)), np.where(rare, np.inf, share)))[0]
    of_name = np.where(rare, 0, np.cumsum(~rare) - (0 if rare.any() else 1)).astype(np.int64)
    category = of_name[place]
    return category, np.bincount(category, weights=n) / sizes.sum()
