"""Chains whose states remember, from sequences; what is known of their states, summed over contexts again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.keyed import KeyedMoves, KeyedStarts, remembered
from journeymine.counts.memory import BEGIN, Memory, StateKeys
from journeymine.errors import NotEnoughDataError
from journeymine.markov.lists import chain_of_sequences

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.counts.sequences import SequenceCounts

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

__all__ = ["BEGIN", "Memory", "over_contexts", "past_states", "sequence_memory"]


def past_states(sequences: SequenceCounts, depth: int) -> Ints:
    """State of each visit and of those before it, shape (depth, n_visits); BEGIN before the first of a sequence.

    Examples
    --------
    >>> from journeymine.markov.lists import count_lists
    >>> _, journeys = count_lists([["a", "b", "a"]])
    >>> past_states(journeys, 2).tolist()
    [[0, 1, 0], [-4, 0, 1]]
    """
    code = sequences.code
    place = np.arange(len(code)) - np.repeat(sequences.begin[:-1], sequences.length)
    past = np.full((depth, len(code)), BEGIN, dtype=np.int64)
    for back in range(depth):
        far = np.flatnonzero(place >= back)
        past[back, far] = code[far - back]
    return past


def attempt_numbers(sequences: SequenceCounts) -> tuple[Ints, Ints]:
    """Number of each visit among those of its sequence to its state, and that of what followed; shape (n_visits,).

    Where an end followed, the second number means nothing.
    """
    k, of = sequences.n_states, sequences.of_visit
    pair = of * k + sequences.code
    order = np.argsort(pair, kind="stable")
    ordered = pair[order]
    attempt = np.empty(len(pair), dtype=np.int64)
    attempt[order] = np.arange(len(pair)) - np.searchsorted(ordered, ordered) + 1
    following = np.append(attempt[1:], 1)[: len(attempt)]
    full = np.flatnonzero(sequences.length > 0)
    last = full * k + np.maximum(sequences.last[full], 0)
    seen = np.searchsorted(ordered, last, side="right") - np.searchsorted(ordered, last)
    following[sequences.begin[1:][full] - 1] = seen + 1
    return attempt, following


def sequence_memory(sequences: SequenceCounts, memory: Memory) -> ChainCounts:
    """Moves of a chain with memory from sequences; waits are 0, as sequences have no times.

    Raises
    ------
    NotEnoughDataError
        Time is to be remembered.

    Examples
    --------
    >>> from journeymine.markov.lists import count_lists
    >>> _, journeys = count_lists([["form", "pay", "paid"], ["pay"]], goal="paid")
    >>> sequence_memory(journeys, Memory(order=2)).states
    ('form at the start', 'pay at the start', 'pay after form')
    """
    if memory.elapsed_us:
        hint = "leave elapsed out, or read a log with a timestamp."
        raise NotEnoughDataError("sequences have no times, so states cannot know the time.", hint=hint)
    keys = StateKeys(memory, sequences.states)
    past, of = past_states(sequences, memory.depth), sequences.of_visit
    attempt, next_attempt = attempt_numbers(sequences) if memory.attempts > 1 else (1, 1)
    source, target = keys.of(past, attempt), sequences.target
    after = np.concatenate([np.maximum(target, 0)[None], past[:-1]])
    # A visit whose outcome was not watched is no move.
    known = (target >= 0) | (target == GOAL) | (target == DROP)
    moves = KeyedMoves(
        sequences.unit[of][known],
        sequences.cell[of][known],
        source[known],
        np.where(target < 0, target, keys.of(after, next_attempt))[known],
        sequences.n[of][known],
        np.zeros(int(known.sum())),
    )
    full = sequences.length > 0
    first = np.full(sequences.n_sequences, GOAL, dtype=np.int64)
    first[full] = source[sequences.begin[:-1][full]]
    begun = full | (sequences.last == GOAL)
    starts = KeyedStarts(sequences.unit[begun], sequences.cell[begun], first[begun], sequences.n[begun])
    return remembered(chain_of_sequences(sequences), keys, moves, starts)


def over_contexts(counts: ChainCounts, values: Floats) -> Floats:
    """Values of the states as values of their activities: means over what is remembered, weighted by visits.

    Parameters
    ----------
    counts
        The chain with memory.
    values
        For example the conversion from each state, shape (..., k).

    Returns
    -------
    Floats
        Shape (..., number of different activities), in rising order of `counts.activity`.
    """
    _, place = np.unique(counts.activity, return_inverse=True)
    visits = np.bincount(counts.source, weights=counts.n, minlength=counts.n_states)
    share = np.zeros((counts.n_states, int(place.max(initial=-1)) + 1))
    share[np.arange(counts.n_states), place] = visits
    return np.asarray(values @ (share / share.sum(axis=0)))
