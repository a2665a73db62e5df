"""Moments at which a journey met an exposure or went on without it, and what was known of it until then.

A decision point is a visit before the first meeting with the exposed state, at a state from which the exposed state
comes next for some. Exposed: it did come next. The others went on elsewhere, to another state or to the goal. A
journey that ended there is left out: it is not known whether it would have met the exposure, and to count it as
"not exposed" would credit the exposure with having survived until it (immortal time). The question is therefore
"those who met it: what if they had gone on without it". Where the exposure is the only alternative to leaving (help
is asked for, or the journey given up), ask with `leaving=True`: those who left then count as not exposed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.sequences import OPEN
from journeymine.errors import NotEnoughDataError, OptionError, shown
from journeymine.fixes.causal.watching import kept_in_sight

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.sequences import SequenceCounts

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

MIN_MOVES = 5
"""Meetings with the exposure that make a state a decision point, if none are given."""
MOST_MET = 8
"""Activities of which it is remembered whether they were met before."""


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """Decision points; shape (m,) unless said otherwise.

    Attributes
    ----------
    unit, cell, state
        Unit that is resampled, cell of the segments, state of the visit.
    attempt, visits
        Earlier visits of the journey to this state, and to any.
    met
        Whether each of `asked` was met before, this visit included; shape (m, len(asked)).
    asked
        States that `met` asks for, most frequent first.
    exposed
        Whether the exposed state comes next.
    converted
        Whether the journey reached the goal; meaningful where `ended`.
    ended
        Whether the end of the journey was watched.
    sight
        Probability of being watched from here to the end, and from the start to here; shape (m, 2).
    n
        Journeys of this kind.
    journeys
        Journeys of each unit, shape (n_units,).
    n_cells
        Number of cells.
    """

    unit: Ints
    cell: Ints
    state: Ints
    attempt: Ints
    visits: Ints
    met: Flags
    asked: Ints
    exposed: Flags
    converted: Flags
    ended: Flags
    sight: Floats
    n: Ints
    journeys: Ints
    n_cells: int

    @property
    def n_units(self) -> int:
        """Units that are resampled."""
        return len(self.journeys)


def decision_points(
    sequences: SequenceCounts, exposed: int, *, at: Ints | None = None, leaving: bool = False
) -> Decisions:
    """Decision points of an exposure.

    Parameters
    ----------
    exposed
        Number of the exposed state.
    at
        States whose visits are decision points; by default those from which the exposed state came next at least
        five times.
    leaving
        Whether journeys that ended at the decision point count as not exposed; by default they are left out.

    Raises
    ------
    OptionError
        `exposed` or `at` is no state.
    NotEnoughDataError
        The exposure is nowhere met after another state.

    Examples
    --------
    >>> from journeymine.markov.lists import count_lists
    >>> _, sequences = count_lists([["form", "help", "paid"], ["form", "paid"], ["form"]], goal="paid")
    >>> found = decision_points(sequences, 1, at=np.array([0]))
    >>> found.exposed.tolist(), found.converted.tolist()
    ([False, True], [True, True])
    """
    _check_states(sequences, exposed, at)
    target, sequence = sequences.target, sequences.of_visit
    place = np.arange(len(sequence)) - sequences.begin[sequence]
    before = place < _first(sequences.code == exposed, sequence, place, sequences.n_sequences)[sequence]
    known = before & (target != OPEN) & (leaving | (target != DROP))
    meets = known & (target == exposed)
    if at is None:
        times = np.bincount(sequences.code[meets], sequences.n[sequence[meets]], sequences.n_states)
        at = np.flatnonzero(times >= MIN_MOVES)
    chosen = known & np.isin(sequences.code, at)
    if not (chosen & meets).any():
        name = sequences.states[exposed]
        raise NotEnoughDataError(
            f"{shown(name)} is never met after another activity.", hint="pass the states to compare it at."
        )
    asked = _most_frequent(sequences, exposed)
    met = np.stack(
        [
            place >= _first(sequences.code == s, sequence, place, sequences.n_sequences)[sequence]
            for s in asked
        ],
        axis=1,
    )
    here = sequence[chosen]
    return Decisions(
        unit=sequences.unit[here],
        cell=sequences.cell[here],
        state=sequences.code[chosen],
        attempt=earlier_visits(sequences.code, sequence)[chosen],
        visits=place[chosen],
        met=met[chosen],
        asked=asked,
        exposed=meets[chosen],
        converted=sequences.last[here] == GOAL,
        ended=np.isin(sequences.last[here], (GOAL, DROP)),
        sight=kept_in_sight(sequences)[chosen],
        n=sequences.n[here],
        journeys=np.bincount(sequences.unit, sequences.n, sequences.n_units).astype(np.int64),
        n_cells=len(sequences.cells),
    )


def _check_states(sequences: SequenceCounts, exposed: int, at: Ints | None) -> None:
    for state in (exposed, *(() if at is None else at)):
        if not 0 <= int(state) < sequences.n_states:
            raise OptionError(
                f"state is {shown(int(state))}, expected a number from 0 to {sequences.n_states - 1}."
            )


def _first(here: Flags, sequence: Ints, place: Ints, n_sequences: int) -> Ints:
    """First place of each sequence where `here` is true; beyond its end where it nowhere is."""
    first = np.full(n_sequences, np.iinfo(np.int64).max, dtype=np.int64)
    at = np.flatnonzero(here)[::-1]
    first[sequence[at]] = place[at]  # backwards: the first place is written last
    return first


def _most_frequent(sequences: SequenceCounts, exposed: int) -> Ints:
    """The most visited states but the exposed one; equals in the order of their numbers."""
    visits = np.bincount(sequences.code, sequences.n[sequences.of_visit], sequences.n_states)
    visits[exposed] = -1
    return np.lexsort((np.arange(len(visits)), -visits))[: min(MOST_MET, max(len(visits) - 1, 1))]


def earlier_visits(code: Ints, sequence: Ints) -> Ints:
    """Earlier visits of the same sequence to the same state."""
    order = np.lexsort((code, sequence))
    c, s = code[order], sequence[order]
    place = np.arange(len(order))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (c[1:] != c[:-1]) | (s[1:] != s[:-1])
    earlier = np.empty(len(order), dtype=np.int64)
    earlier[order] = place - np.maximum.accumulate(np.where(new, place, 0))
    return earlier
