"""Fitting a mixture of chains from several starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.markov.classes.mixture_em import LARGEST_GAIN, Members, Mixture, MixtureModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

N_STARTS = 8
WARM_UP = 12
"""EM steps of each start before the best ones are followed to the end."""
FOLLOWED = 2
MOST_FOR_STARTS = 20_000
"""Starts are compared on this many kinds of members at most; the best one is followed on all."""
CONCENTRATION = 0.5


def fit_mixture(
    model: MixtureModel,
    n_classes: int,
    rng: np.random.Generator,
    *,
    n_starts: int = N_STARTS,
    largest_gain: float = LARGEST_GAIN,
) -> Mixture:
    """Fit K classes from several starts: one by the number of moves, the others at random (Dirichlet).

    Every start is followed for a few steps, the best two to the end (Biernacki, Celeux and Govaert 2003). Classes
    come in the order of their size.

    Parameters
    ----------
    model
        Members and their moves.
    n_classes
        K.
    rng
        Where the starts come from.
    n_starts
        Number of starts.
    largest_gain
        A fit has settled when its log-likelihood gains less than this in three steps, whatever the size of the log.

    Returns
    -------
    Mixture
        The best local maximum that was found; `converged` says whether it settled.

    Examples
    --------
    Sixty members stay nine times and leave, forty leave at once:

    >>> from scipy import sparse
    >>> moves = sparse.csr_array(np.array([[9.0, 1.0], [0.0, 1.0]]))
    >>> members = Members(moves, np.array([60.0, 40.0]), np.zeros(2, int), np.zeros(2, int))
    >>> fit = fit_mixture(MixtureModel(members), 2, np.random.default_rng(0))
    >>> fit.membership.round(2).tolist(), np.exp(fit.log_shares).round(2).tolist()
    ([[1.0, 0.0], [0.19, 0.81]], [[0.67, 0.33]])
    """
    members = model.members
    if n_classes == 1:
        everybody = np.ones((len(members.n), 1))
        return model.climb(*model.maximise(everybody, members.n))
    few = model
    if len(members.n) > MOST_FOR_STARTS:
        chosen = np.sort(rng.choice(len(members.n), MOST_FOR_STARTS, replace=False))
        few = MixtureModel(members.take(chosen), model.observed)
    begun = []
    for number in range(n_starts):
        first = _start(few.members, n_classes, rng, by_length=number == 0)
        begun.append(few.climb(*few.maximise(first, few.members.n), most=WARM_UP))
    begun.sort(key=lambda fit: -fit.log_likelihood)
    followed = [
        few.climb(fit.log_moves, fit.log_shares, largest_gain=largest_gain) for fit in begun[:FOLLOWED]
    ]
    if few is not model:
        best = max(followed, key=lambda fit: fit.log_likelihood)
        followed = [model.climb(best.log_moves, best.log_shares, largest_gain=largest_gain)]
    return by_size(members, max(followed, key=lambda fit: fit.log_likelihood))


def by_size(members: Members, fit: Mixture) -> Mixture:
    """The same mixture with the largest class first."""
    size = (fit.membership * members.n[:, None]).sum(axis=0)
    return fit.ordered(np.argsort(-size, kind="stable"))


def _start(members: Members, k: int, rng: np.random.Generator, *, by_length: bool) -> Floats:
    """First memberships: halves (thirds, ...) by number of moves, or random ones."""
    m = len(members.n)
    if not by_length:
        return rng.dirichlet(np.full(k, CONCENTRATION), m)
    length = np.asarray(members.moves.sum(axis=1)).ravel() + rng.normal(0.0, 0.5, m)
    order = np.argsort(length, kind="stable")
    place = np.cumsum(members.n[order]) / members.n.sum()
    membership = np.full((m, k), 0.1)
    membership[order, np.minimum((place * k).astype(np.int64), k - 1)] += 1.0
    return np.asarray(membership / membership.sum(axis=1, keepdims=True))
