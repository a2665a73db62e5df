"""Absorbing Markov chains: conversion, visits and sensitivities, in closed form; what-ifs are in `fixes/what_if`.

Notation of the literature (Kemeny and Snell 1976; Caswell 2019, ch. 11): Q moves between the k transient states,
R moves into the absorbing ones, N = (I - Q)^-1 expected visits, v = a'N visits from the start vector a,
h = N r conversion from each state. Every function takes stacks of matrices, shape (..., k, k).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEAK = 1e-12
"""Share of every move that leaves, so that a loop no journey was seen to leave does not make (I - Q) singular."""


@dataclass(frozen=True, slots=True, eq=False)
class Absorbed:
    """Solution of an absorbing chain; leading axes are those of the input.

    Attributes
    ----------
    fundamental
        N, shape (..., k, k).
    hit
        h, probability of reaching the goal from each state, shape (..., k).
    visits
        v, expected visits per start, shape (..., k).
    conversion
        Probability of reaching the goal from the start, shape (...).
    """

    fundamental: Floats
    hit: Floats
    visits: Floats
    conversion: Floats


def absorb(moves: Floats, goal: Floats, start: Floats, start_at_goal: Floats | float = 0.0) -> Absorbed:
    """Solve a chain.

    Parameters
    ----------
    moves
        Q, shape (..., k, k).
    goal
        r, probability of moving straight to the goal, shape (..., k).
    start
        a, shape (..., k).
    start_at_goal
        Share of journeys that start with the goal.

    Examples
    --------
    The worked example Visit, Form, Pay; conversion from Visit:

    >>> Q = np.array([[.2, .5, 0], [.1, 0, .6], [0, .15, .1]])
    >>> solved = absorb(Q, np.array([.05, 0, .55]), np.array([1.0, 0, 0]))
    >>> round(float(solved.conversion), 6), solved.visits.round(6).tolist()
    (0.340796, [1.343284, 0.746269, 0.497512])
    """
    k = moves.shape[-1]
    fundamental: Floats = np.asarray(np.linalg.inv(np.eye(k) - moves * (1 - LEAK)), dtype=float)
    hit = np.einsum("...ij,...j->...i", fundamental, goal)
    visits = np.einsum("...i,...ij->...j", start, fundamental)
    conversion = np.einsum("...i,...i->...", start, hit) + start_at_goal
    return Absorbed(fundamental, hit, visits, conversion)


def derivative(solved: Absorbed, moves: Floats) -> Floats:
    """Derivative of conversion by p_ij, the other exits of i giving way in proportion: v_i (h_j - h_i) / (1 - p_ij).

    Columns: k states, the goal, dropping out. `moves` is the full matrix, shape (..., k, k + 2).
    """
    hit = solved.hit
    ones, zeros = np.ones((*hit.shape[:-1], 1)), np.zeros((*hit.shape[:-1], 1))
    value = np.concatenate([hit, ones, zeros], axis=-1)
    gain = value[..., None, :] - hit[..., :, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = solved.visits[..., :, None] * gain / (1 - moves)
    # A state with a single exit has no other exits to give way: the derivative does not exist there.
    return np.where(moves < 1, slope, np.nan)


def column_values(solved: Absorbed) -> Floats:
    """Conversion of each column of the full matrix: the states', then 1 for the goal, 0 for dropping out."""
    hit = solved.hit
    return np.concatenate([hit, np.ones((*hit.shape[:-1], 1)), np.zeros((*hit.shape[:-1], 1))], axis=-1)


def events_to_goal(solved: Absorbed, start: Floats) -> Floats:
    """Expected number of visits before the goal, of the journeys that reach it (the h-transform)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        total = np.einsum("...i,...ij,...j->...", start, solved.fundamental, solved.hit)
        return np.asarray(total / np.einsum("...i,...i->...", start, solved.hit))


def time_to_goal(solved: Absorbed, start: Floats, full: Floats, wait: Floats) -> Floats:
    """Expected time to the goal, of the journeys that reach it.

    Parameters
    ----------
    full
        Moves to the k states, the goal and out, shape (..., k, k + 2).
    wait
        Mean wait of each move, same shape; 0 where unknown.
    """
    value = column_values(solved)
    spent = np.einsum("...ij,...ij,...j->...i", full, wait, value)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = np.einsum("...i,...ij,...j->...", start, solved.fundamental, spent)
        return np.asarray(total / np.einsum("...i,...i->...", start, solved.hit))


def given_goal(value: Floats, solved: Absorbed, start: Floats, at_goal: Floats | float) -> Floats:
    """A mean over journeys that reach the goal after an event, including those that start with it and take nothing."""
    moved = np.einsum("...i,...i->...", start, solved.hit)
    with np.errstate(divide="ignore", invalid="ignore"):
        taken = np.where(moved > 0, value * moved, 0.0)
        return np.asarray(np.where(moved + at_goal > 0, taken / (moved + at_goal), np.nan))


def remaining_steps(solved: Absorbed) -> Floats:
    """Expected moves from each state until the journey ends, the last one (into the goal or out) included: N 1."""
    return np.asarray(solved.fundamental.sum(axis=-1))


def remaining_time(solved: Absorbed, full: Floats, wait: Floats) -> Floats:
    """Expected time from each state until the last event of the journey: N w, w the mean wait of a visit.

    Parameters
    ----------
    full, wait
        Moves and their mean waits, shape (..., k, k + 2); dropping out takes no time.
    """
    spent = np.einsum("...ij,...ij->...i", full[..., :-1], wait[..., :-1])
    return np.asarray(np.einsum("...ij,...j->...i", solved.fundamental, spent))


def steps_to_goal(solved: Absorbed) -> Floats:
    """Expected moves from each state to the goal, of the journeys that reach it: N h / h; nan where none does."""
    total = np.einsum("...ij,...j->...i", solved.fundamental, solved.hit)
    return _over(total, solved.hit)


def seconds_to_goal(solved: Absorbed, full: Floats, wait: Floats) -> Floats:
    """Expected time from each state to the goal, of the journeys that reach it; nan where none does."""
    spent = np.einsum("...ij,...ij,...j->...i", full, wait, column_values(solved))
    return _over(np.einsum("...ij,...j->...i", solved.fundamental, spent), solved.hit)


def h_transform(solved: Absorbed, full: Floats) -> Floats:
    """Moves of the journeys that will reach the goal: p_ij h_j / h_i (Doob's h-transform; Kemeny and Snell 1976, 3.7).

    The rows of states from which nobody reaches the goal are nan.

    Examples
    --------
    The worked example Visit, Form, Pay: of the journeys in Pay that will convert, four of five do so at once.

    >>> full = np.array([[.2, .5, 0, .05, .25], [.1, 0, .6, 0, .3], [0, .15, .1, .55, .2]])
    >>> h_transform(absorb(full[:, :3], full[:, 3], np.array([1.0, 0, 0])), full).round(4).tolist()[2]
    [0.0, 0.0975, 0.1, 0.8025, 0.0]
    """
    return _over(full * column_values(solved)[..., None, :], solved.hit[..., :, None])


def _over(value: Floats, hit: Floats) -> Floats:
    """A quotient by the probability of the goal; nan where that is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(hit > 0, value / hit, np.nan))
