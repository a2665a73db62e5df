"""First passage: whether, after how many moves and after how much time a journey first gets somewhere.

With N the expected visits and f_ij = N_ij / N_jj the probability of ever reaching j from i, the mean number of moves
given that j is reached is (N^2)_ij / N_ij - (N^2)_jj / N_jj: the derivative at z = 1 of the generating function
N_ij(z) / N_jj(z), N(z) = (I - zQ)^-1 (Kemeny and Snell 1976, ch. 3; Hunter 1983). For time, N (Q * W) N takes the place
of N^2 - N. The committor is the probability of reaching one set before another (Metzner, Schuette and
Vanden-Eijnden 2009). Every function takes stacks of matrices, shape (..., k, k + 2): the states, the goal, dropping
out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.markov.absorbing import LEAK, Absorbed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TINY = 1e-12
"""A probability below this is the leak of `absorbing.absorb`, not a way there."""


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """First passages; arrays of one shape, nan where the target is never reached.

    Attributes
    ----------
    reach
        Probability of ever reaching the target; 1 in the target itself.
    moves
        Expected moves until then, given that it is reached; 0 in the target itself.
    seconds
        Expected time until then, given that it is reached; None without waits.
    """

    reach: Floats
    moves: Floats
    seconds: Floats | None


def first_passages(solved: Absorbed, full: Floats, wait: Floats | None = None) -> Passage:
    """First passage from each state to each column, shape (..., k, k + 2).

    Examples
    --------
    The worked example Visit, Form, Pay:

    >>> from journeymine.markov.absorbing import absorb
    >>> full = np.array([[.2, .5, 0, .05, .25], [.1, 0, .6, 0, .3], [0, .15, .1, .55, .2]])
    >>> found = first_passages(absorb(full[:, :3], full[:, 3], np.array([1.0, 0, 0])), full)
    >>> found.reach[0].round(4).tolist(), found.moves[0].round(4).tolist()
    ([1.0, 0.625, 0.4, 0.3408, 0.6592], [0.0, 1.25, 2.4, 3.3188, 2.2088])
    """
    visits, k = solved.fundamental, full.shape[-2]
    ends = visits @ full[..., k:]
    own = np.einsum("...jj->...j", visits)
    reach = np.concatenate([visits / own[..., None, :], ends], axis=-1)
    there = np.concatenate([visits, ends], axis=-1)
    moves = _conditional(visits @ there, there, k)
    if wait is None:
        return Passage(reach, moves, None)
    weighted = full * wait
    seconds = _conditional(
        visits @ np.concatenate([weighted[..., :k] @ visits, _at_end(weighted, ends, k)], axis=-1), there, k
    )
    return Passage(reach, moves, seconds)


def _at_end(weighted: Floats, ends: Floats, k: int) -> Floats:
    """Time of the next move of the journeys that end in each way, summed: into a state that leads there, or there."""
    return np.asarray(weighted[..., :k] @ ends + weighted[..., k:])


def _conditional(total: Floats, there: Floats, k: int) -> Floats:
    """Mean until the first visit: the mean until a visit less the mean between visits of the target itself."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(there > TINY, total / there, np.nan)
    again = np.einsum("...jj->...j", mean[..., :k])
    mean[..., :k] -= again[..., None, :]
    return np.asarray(np.where(mean > 0, mean, np.where(np.isnan(mean), np.nan, 0.0)))


def passage_to(full: Floats, targets: Sequence[int], wait: Floats | None = None) -> Passage:
    """First passage from each state to a set of columns, shape (..., k).

    Parameters
    ----------
    targets
        Columns: states, k for the goal, k + 1 for dropping out.
    """
    k = full.shape[-2]
    inside = np.isin(np.arange(k + 2), list(targets))
    outside = np.flatnonzero(~inside[:k])
    reached = full[..., outside, :][..., inside].sum(axis=-1)
    visits = _visits(full, outside)
    hit = np.einsum("...ij,...j->...i", visits, reached)
    value = np.zeros((*full.shape[:-2], k + 2))
    value[..., inside], value[..., outside] = 1.0, hit
    steps = _given(np.einsum("...ij,...j->...i", visits, hit), hit)
    seconds = None
    if wait is not None:
        spent = np.einsum("...ij,...ij,...j->...i", full[..., outside, :], wait[..., outside, :], value)
        seconds = _spread(_given(np.einsum("...ij,...j->...i", visits, spent), hit), outside, k)
    return Passage(value[..., :k], _spread(steps, outside, k), seconds)


def committor(full: Floats, a: Sequence[int], b: Sequence[int]) -> Floats:
    """Probability of reaching set B before set A, from each state, shape (..., k): 1 in B, 0 in A.

    Journeys that end elsewhere, reaching neither, count as not reaching B.

    Parameters
    ----------
    a, b
        Columns without a common one: states, k for the goal, k + 1 for dropping out.

    Examples
    --------
    The chance of reaching Pay before going back to Visit:

    >>> full = np.array([[.2, .5, 0, .05, .25], [.1, 0, .6, 0, .3], [0, .15, .1, .55, .2]])
    >>> committor(full, a=[0], b=[2]).round(2).tolist()
    [0.0, 0.6, 1.0]
    """
    k = full.shape[-2]
    columns = np.arange(k + 2)
    in_a, in_b = np.isin(columns, list(a)), np.isin(columns, list(b))
    between = np.flatnonzero(~(in_a | in_b)[:k])
    into = full[..., between, :][..., in_b].sum(axis=-1)
    value = np.zeros((*full.shape[:-2], k))
    value[..., in_b[:k]] = 1.0
    value[..., between] = np.einsum("...ij,...j->...i", _visits(full, between), into)
    return value


def _visits(full: Floats, states: NDArray[np.intp]) -> Floats:
    """Expected visits among some of the states until they are left."""
    inner = full[..., states, :][..., states]
    return np.asarray(np.linalg.inv(np.eye(len(states)) - inner * (1 - LEAK)), dtype=float)


def _given(total: Floats, hit: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(hit > TINY, total / hit, np.nan))


def _spread(value: Floats, outside: NDArray[np.intp], k: int) -> Floats:
    """Values of the states outside the target among all; 0 inside."""
    whole = np.zeros((*value.shape[:-1], k))
    whole[..., outside] = value
    return whole
