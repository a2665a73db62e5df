"""Exact effect of changed rows of an absorbing chain, without solving it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class RowChange:
    """What a fix does to the rows of a chain; leading axes are those of the chains.

    Attributes
    ----------
    rows
        States whose rows change, shape (r,).
    change
        Change of these rows over the k states, the goal and dropping out; sums to 0; shape (..., r, k + 2).
    start
        Change of where journeys start, same columns; None where they start as before; shape (..., k + 2).
    reward
        Change of what a visit brings or takes, such as time; None where it stays; shape (..., r).
    """

    rows: Ints
    change: Floats
    start: Floats | None = None
    reward: Floats | None = None

    def scaled(self, part: Floats) -> RowChange:
        """The same change for a part of the visits, shape (...)."""
        start = None if self.start is None else self.start * part[..., None]
        reward = None if self.reward is None else self.reward * part[..., None]
        return RowChange(self.rows, self.change * part[..., None, None], start, reward)


@dataclass(frozen=True, slots=True, eq=False)
class SolvedChain:
    """A chain with everything that a what-if needs; leading axes are those of the chains.

    Attributes
    ----------
    moves
        P, moves to the k states, the goal and out, shape (..., k, k + 2).
    fundamental
        N, shape (..., k, k).
    visits
        v, visits per start, shape (..., k).
    start
        Where journeys start: the states, the goal; shape (..., k + 1).
    value
        Value of being in each state, at the goal, and out, shape (..., k + 2).
    """

    moves: Floats
    fundamental: Floats
    visits: Floats
    start: Floats
    value: Floats

    @property
    def n_states(self) -> int:
        """Number of states."""
        return int(self.fundamental.shape[-1])

    @property
    def start_columns(self) -> Floats:
        """Where journeys start over the k states, the goal and out, shape (..., k + 2)."""
        return np.concatenate([self.start, np.zeros((*self.start.shape[:-1], 1))], axis=-1)

    @property
    def total(self) -> Floats:
        """Value per start, shape (...)."""
        return np.asarray(np.einsum("...i,...i->...", self.start, self.value[..., :-1]))


def effect_of(solved: SolvedChain, change: RowChange) -> Floats:
    """Exact change of the value per start: v_K' (I - D_T N_K)^-1 (D V + dw_K) (Woodbury), shape (...).

    K are the changed rows, D their changes, D_T those towards states, V the value of the columns, dw the change of
    what a visit brings. Where starts change by da, v_K becomes v_K + (da N)_K and da V is added.

    Examples
    --------
    The worked example Visit, Form, Pay: halving the drop-out at Form and at Pay together.

    >>> from journeymine.fixes.what_if.operators import drop_saved
    >>> P = np.array([[.2, .5, 0, .05, .25], [.1, 0, .6, 0, .3], [0, .15, .1, .55, .2]])
    >>> solved = solve(P, np.array([1.0, 0, 0, 0]))
    >>> both = drop_saved(P, np.array([1, 2]), np.array([0.5, 0.5]))
    >>> round(float(effect_of(solved, both)), 6)
    0.131862
    """
    k, rows = solved.n_states, change.rows
    columns = solved.fundamental[..., :, rows]
    back = change.change[..., :k] @ columns
    gain = (change.change @ solved.value[..., None])[..., 0]
    if change.reward is not None:
        gain = gain + change.reward
    visits = solved.visits[..., rows]
    added: Floats | float = 0.0
    if change.start is not None:
        visits = visits + (change.start[..., None, :k] @ columns)[..., 0, :]
        added = np.einsum("...i,...i->...", change.start, solved.value)
    if len(rows) == 1:
        return np.asarray(visits[..., 0] * gain[..., 0] / (1 - back[..., 0, 0]) + added)
    spread = np.linalg.solve(np.eye(len(rows)) - back, gain[..., None])[..., 0]
    return np.asarray(np.einsum("...r,...r->...", visits, spread) + added)


def solve(
    moves: Floats, start: Floats, *, reward: Floats | None = None, at_goal: Floats | float = 1.0
) -> SolvedChain:
    """Solve chains for a value.

    Parameters
    ----------
    moves
        P, shape (..., k, k + 2).
    start
        Shares of starts in the states and at the goal, shape (..., k + 1).
    reward
        What each visit brings, shape (..., k); None for nothing.
    at_goal
        What the goal is worth, shape (...): 1 makes the value the probability of reaching it.
    """
    from journeymine.markov.absorbing import LEAK

    k = moves.shape[-2]
    inverse = np.asarray(np.linalg.inv(np.eye(k) - moves[..., :k] * (1 - LEAK)), dtype=float)
    worth = np.broadcast_to(np.asarray(at_goal, dtype=float), moves.shape[:-2])
    brought = moves[..., k] * worth[..., None]
    if reward is not None:
        brought = brought + reward
    inside = np.einsum("...ij,...j->...i", inverse, brought)
    value = np.concatenate([inside, worth[..., None], np.zeros((*worth.shape, 1))], axis=-1)
    visits = np.einsum("...i,...ij->...j", start[..., :k], inverse)
    return SolvedChain(moves, inverse, visits, start, value)
