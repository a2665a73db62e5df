"""Attempts that are rare, or like the ones before, share a state: fewer rows, each better known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.keyed import summed

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.counts.sequences import SequenceCounts

    Ints = NDArray[np.int64]

FEWEST_VISITS = 30
"""Visits from which an attempt has a state of its own."""
MOST_STATES = 150


def merge_rare_attempts(
    counts: ChainCounts, chain: ChainCounts, *, fewest: int = FEWEST_VISITS, most: int = MOST_STATES
) -> ChainCounts:
    """Let each activity keep as many attempts as were seen often enough; later ones are the last attempt.

    Parameters
    ----------
    counts
        Chain whose states carry attempts.
    chain
        The same journeys without attempts.
    fewest
        Visits from which an attempt keeps its state.
    most
        Largest number of states; attempts give way where there are more, the rarest first.
    """
    assert counts.base is not None
    assert counts.attempt is not None
    visits = np.bincount(counts.source, weights=counts.n, minlength=counts.n_states).astype(float)
    return _cut(counts, chain, _last_attempts(counts.base, counts.attempt, visits, fewest, most))


def merge_like_attempts(counts: ChainCounts, chain: ChainCounts, keep: Collection[int] = ()) -> ChainCounts:
    """Let each activity keep as many attempts as tell apart what comes next, by BIC; later ones are the last attempt.

    Attempts after which journeys go on as after the first only add noise and time. The likelihood is that of the next
    activity over all cells, its n the visits of the activity (Katz 1981, Technometrics 23:243, for chains).

    Parameters
    ----------
    counts
        Chain whose states carry attempts.
    chain
        The same journeys without attempts.
    keep
        Activities (states of `chain`) that keep all their attempts, because a fix is about them.
    """
    assert counts.base is not None
    next_one = _next_activities(counts, chain.n_states)
    last = np.ones(chain.n_states, np.int64)
    for activity in range(chain.n_states):
        # States are sorted by activity, then by attempt.
        states = np.flatnonzero(counts.base == activity)
        last[activity] = len(states) if activity in keep else _attempts_by_bic(next_one[states])
    return _cut(counts, chain, last)


def keep_attempts(counts: ChainCounts, chain: ChainCounts, keep: Collection[int]) -> ChainCounts:
    """Only some activities (states of `chain`) keep their attempts."""
    assert counts.base is not None
    last = np.bincount(counts.base, minlength=chain.n_states).astype(np.int64)
    last[[activity for activity in range(chain.n_states) if activity not in keep]] = 1
    return _cut(counts, chain, last)


def _next_activities(counts: ChainCounts, n_activities: int) -> NDArray[np.float64]:
    """Moves from each state to activities, the goal and out, shape (k, n_activities + 2)."""
    assert counts.base is not None
    column = np.select(
        [counts.target == GOAL, counts.target == DROP],
        [n_activities, n_activities + 1],
        counts.base[np.maximum(counts.target, 0)],
    )
    moves = np.zeros((counts.n_states, n_activities + 2))
    np.add.at(moves, (counts.source, column), counts.n)
    return moves


def _attempts_by_bic(moves: NDArray[np.float64]) -> int:
    """How many attempts to tell apart, from the moves after each attempt, shape (attempts, columns)."""
    price = np.log(max(moves.sum(), 2.0)) * max(int((moves.sum(axis=0) > 0).sum()) - 1, 1)
    best, chosen = np.inf, 1
    for n in range(1, len(moves) + 1):
        parts = np.vstack([moves[: n - 1], moves[n - 1 :].sum(axis=0)])
        cost = n * price - 2 * _log_likelihood(parts)
        if cost < best:
            best, chosen = cost, n
    return chosen


def _log_likelihood(moves: NDArray[np.float64]) -> float:
    total = moves.sum(axis=1, keepdims=True)
    share = np.divide(moves, total, out=np.ones_like(moves), where=moves > 0)
    return float((moves * np.log(share)).sum())


def _cut(counts: ChainCounts, chain: ChainCounts, last: Ints) -> ChainCounts:
    """The chain in which attempts of each activity after its last one are that one."""
    assert counts.base is not None
    assert counts.attempt is not None
    if not counts.n_states:
        return counts
    attempt = np.minimum(counts.attempt, last[counts.base])
    keys, state = np.unique(np.stack([counts.base, attempt]), axis=1, return_inverse=True)
    base, number = keys
    return replace(
        _merged(counts, state.ravel()),
        states=tuple(_name(chain.states[b], int(a), int(last[b])) for b, a in zip(base, number, strict=True)),
        activity=chain.activity[base],
        base=base,
        attempt=number,
    )


def _last_attempts(base: Ints, attempt: Ints, visits: NDArray[np.float64], fewest: int, most: int) -> Ints:
    """Last attempt of each activity that keeps a state: an attempt keeps it only if the one before does."""
    last = np.ones(int(base.max(initial=0)) + 1, np.int64)
    later = np.lexsort((attempt, base))
    wanted = []
    for state in later.tolist():
        if attempt[state] == last[base[state]] + 1 and visits[state] >= fewest:
            last[base[state]] += 1
            wanted.append((visits[state], -int(attempt[state]), int(base[state])))
    too_many = len(last) + len(wanted) - most
    for _, _, of in sorted(wanted)[: max(too_many, 0)]:
        last[of] -= 1
    return last


def _name(name: str, attempt: int, last: int) -> str:
    return name if last == 1 else f"{name} #{attempt}{'+' if attempt == last else ''}"


def _merged(counts: ChainCounts, state: Ints) -> ChainCounts:
    """The same moves and starts between the new states."""
    target = np.where(counts.target < 0, counts.target, state[np.maximum(counts.target, 0)])
    moves, (n, wait_us) = summed(
        [counts.unit, counts.cell, state[counts.source], target], [counts.n, counts.wait_us]
    )
    first = np.where(counts.start_state < 0, counts.start_state, state[np.maximum(counts.start_state, 0)])
    starts, (begun,) = summed([counts.start_unit, counts.start_cell, first], [counts.start_n])
    return replace(
        counts,
        unit=moves[0],
        cell=moves[1],
        source=moves[2],
        target=moves[3],
        n=n.astype(np.int64),
        wait_us=wait_us,
        start_unit=starts[0],
        start_cell=starts[1],
        start_state=starts[2],
        start_n=begun.astype(np.int64),
    )


def with_attempts(sequences: SequenceCounts, counts: ChainCounts) -> SequenceCounts:
    """Journeys in the states of a chain that carries attempts.

    Parameters
    ----------
    sequences
        Journeys in the states of the chain without attempts.
    counts
        The chain with attempts.
    """
    assert counts.base is not None
    assert counts.attempt is not None
    number = attempt_numbers(sequences)
    told = replace(sequences, states=counts.states, activity=counts.base, attempt=counts.attempt)
    state_of = told.state_of_attempt()
    code = state_of[sequences.code, np.minimum(number, state_of.shape[1] - 1)]
    last = sequences.last.copy()
    unfinished = last >= 0
    # What came after the last watched visit was not watched itself, but it is known how often it had been visited.
    again = sequences.code == last[sequences.of_visit]
    visited = np.bincount(sequences.of_visit[again], minlength=sequences.n_sequences) + 1
    last[unfinished] = state_of[last[unfinished], np.minimum(visited, state_of.shape[1] - 1)[unfinished]]
    return replace(told, code=code, last=last)


def attempt_numbers(sequences: SequenceCounts) -> Ints:
    """How many times each visit's activity has been visited in its journey, this visit included.

    Examples
    --------
    >>> from journeymine.counts.sequences import SequenceCounts
    >>> one = np.array([0])
    >>> sequence = SequenceCounts(("A", "B"), np.array([0, 1, 0]), np.array([0, 3]), np.array([-2]), one, one,
    ...     one + 1, ((),), 1)
    >>> attempt_numbers(sequence).tolist()
    [1, 1, 2]
    """
    key = sequences.of_visit * sequences.n_states + sequences.code
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    new = np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)]
    begin = np.maximum.accumulate(np.where(new, np.arange(len(ordered)), 0))
    number = np.empty(len(ordered), dtype=np.int64)
    number[order] = np.arange(len(ordered)) - begin + 1
    return number
