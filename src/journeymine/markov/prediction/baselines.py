"""Simple predictions to beat: the base rate, the last step, and how long the journey is already.

Each is a table of shares counted in the same training period, with the same weights for journeys that were still
open then: what a chain adds is what it predicts better than these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.histories import CONVERTED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.histories import HistoryCounts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

BASELINES = ("frequency", "last_step", "length")


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """What one way to predict says of each kind of history.

    Attributes
    ----------
    name
        "chain", or one of BASELINES.
    conversion
        Predicted share that converts, shape (m,).
    conversion_n
        Histories of the training period behind it, shape (m,).
    onward
        Predicted shares of the next steps, shape (m, columns); columns: the k states, the goal, dropping out, and an
        activity that was never seen in training.
    onward_n
        Moves of the training period behind them, shape (m,).
    """

    name: str
    conversion: Floats
    conversion_n: Floats
    onward: Floats
    onward_n: Floats


def next_column(target: Ints, state_of_code: Ints, k: int) -> Ints:
    """Column of what came next: a state, the goal (k), dropping out (k + 1), an activity without a state (k + 2).

    Examples
    --------
    >>> next_column(np.array([0, 1, GOAL, DROP]), np.array([0, -3]), 1).tolist()
    [0, 3, 1, 2]
    """
    state = state_of_code[np.maximum(target, 0)]
    return np.select([target == GOAL, target == DROP, state < 0], [k, k + 1, k + 2], state)


def baseline(name: str, train: HistoryCounts, test: HistoryCounts, state_of_code: Ints, k: int) -> Rule:
    """One of BASELINES, learnt from the training period; kinds it has not seen get the base rate.

    Parameters
    ----------
    state_of_code
        State of each activity, negative without one.
    k
        Number of states.
    """
    groups, ours = _groups(name, train, state_of_code), _groups(name, test, state_of_code)
    n_groups = int(max(groups.max(initial=0), ours.max(initial=0))) + 1
    weight = train.end_n * train.end_weight
    won = weight * (train.end_outcome == CONVERTED)
    group = groups[train.end_kind]
    hits, total = (np.bincount(group, weights=w, minlength=n_groups) for w in (won, weight))
    rate = won.sum() / weight.sum()
    share = np.divide(hits, total, out=np.full(n_groups, rate), where=total > 0)
    column = next_column(train.next_target, state_of_code, k)
    cell = groups[train.next_kind] * (k + 3) + column
    moves = np.bincount(cell, weights=train.next_n, minlength=n_groups * (k + 3)).reshape(n_groups, k + 3)
    every = moves.sum(axis=0)
    departures = moves.sum(axis=1)
    onward = np.divide(
        moves,
        departures[:, None],
        out=np.tile(every / every.sum(), (n_groups, 1)),
        where=departures[:, None] > 0,
    )
    return Rule(
        name,
        share[ours],
        np.where(total > 0, total, weight.sum())[ours],
        onward[ours],
        np.where(departures > 0, departures, every.sum())[ours],
    )


def _groups(name: str, counts: HistoryCounts, state_of_code: Ints) -> Ints:
    """Group of each kind of history, from 0."""
    if name == "frequency":
        return np.zeros(counts.n_kinds, dtype=np.int64)
    if name == "length":
        return counts.length
    # What has no state is one group.
    return counts.kinds_of(np.where(state_of_code < 0, state_of_code.max(initial=0) + 1, state_of_code))
