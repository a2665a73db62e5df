"""The checks printed with every chain: how far memory, segments and periods are from one chain for everybody.

Each check compares the rows of the transition matrix between groups: by the step before (the first-order property),
by value of a segment (homogeneity), by period (stationarity). Groups are compared as they are, not inside strata of
anything else: the question is whether one chain describes all of them, whatever the reason why not.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import numpy as np

from journeymine.markov.checks.check_groups import by_attempt, by_period, by_step_before, by_value
from journeymine.markov.checks.check_results import TEST_LEVEL, ChainChecks, Check, StateCheck
from journeymine.markov.checks.check_shifts import largest_shift
from journeymine.markov.checks.check_tables import POOLED, moves_by_state
from journeymine.markov.checks.check_tests import Deviation, deviation, table_of
from journeymine.markov.priors import DROP_COLUMN, GOAL_COLUMN
from journeymine.uncertainty import benjamini_hochberg

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.counts.periods import PeriodCounts
    from journeymine.counts.sequences import SequenceCounts
    from journeymine.markov.checks.check_tables import GroupedMoves

    Floats = NDArray[np.float64]

__all__ = [
    "ATTEMPTS_SAY_MOST",
    "MATTERS",
    "OTHER",
    "ChainChecks",
    "Check",
    "StateCheck",
    "check_chain",
]

MATTERS = 0.02
"""Share of moves that go elsewhere from which a deviation matters. Of a state that is visited once a journey, two
moves in a hundred that go to another target change conversion by two hundredths of the difference in conversion
between the two targets: less than one point unless more than half of all conversion hangs on that move."""
ATTEMPTS_SAY_MOST = 0.5
"""Attempts are the remedy if they explain this part of the squared deviation: fewer states than a longer memory has."""
OTHER = "(other)"


def check_chain(
    chain: ChainCounts,
    sequences: SequenceCounts | None,
    periods: PeriodCounts | None,
    segments: tuple[str, ...] = (),
) -> ChainChecks:
    """Check a chain for memory, differences between segments, and change over time.

    Parameters
    ----------
    chain
        Its moves by unit and cell.
    sequences
        Its journeys; None if they are not in the states of the chain: then memory is not checked.
    periods
        Its moves by period; None for a log without a calendar.
    segments
        Names of the columns of the cells.

    Returns
    -------
    ChainChecks
        Nothing is drawn at random: the same counts give the same checks.

    Examples
    --------
    Half of the visitors come back to the form, and who does so leaves; the chain cannot know:

    >>> from journeymine.markov.lists import count_lists
    >>> journeys = [["visit", "form", "paid"], ["visit", "form", "visit"]] * 100
    >>> chain, sequences = count_lists(journeys, goal="paid")
    >>> checks = check_chain(chain, sequences, None)
    >>> checks[0].verdict, checks[0].worst[0].state, checks[0].consequence
    ('matters', 'visit', 'attempts')
    """
    made = [_memory(chain, sequences)]
    for place, column in enumerate(segments):
        made.append(_check("homogeneity", column, by_value(chain, place), chain))
    moves = None if periods is None else by_period(periods, chain.n_states)
    made.append(_check("stationarity", "period", moves, chain))
    return ChainChecks(tuple(made))


def _memory(chain: ChainCounts, sequences: SequenceCounts | None) -> Check:
    """The first-order property; what follows from it depends on whether the attempt or the step before says more."""
    moves = None if sequences is None else by_step_before(sequences)
    check = _check("first_order", "previous", moves, chain)
    if check.consequence != "order" or sequences is None:
        return check
    tables = [table_of(moves) for moves in moves_by_state(by_attempt(sequences))]
    attempts = deviation(reduce(add, tables)) if tables else None
    explained = 0.0 if attempts is None or check.found is None else attempts.effect**2 / check.found.effect**2
    consequence = "attempts" if explained >= ATTEMPTS_SAY_MOST else "order"
    return replace(check, attempts=attempts, consequence=consequence)


CONSEQUENCES = {"first_order": "order", "homogeneity": "segments", "stationarity": "periods"}
MISSING = {"first_order": "no_sequences", "homogeneity": "too_little", "stationarity": "no_calendar"}


def _check(name: str, by: str, moves: GroupedMoves | None, chain: ChainCounts) -> Check:
    """Compare the groups over all states and in each of them."""
    groups = () if moves is None else moves.groups
    tables, shifts = [], []
    for state_moves in () if moves is None else moves_by_state(moves):
        tables.append((state_moves.state, table_of(state_moves)))
        shifts.append(largest_shift(state_moves))
    found = deviation(reduce(add, [table for _, table in tables])) if tables else None
    if found is None:
        reason = (
            MISSING[name]
            if moves is None
            else "one_group"
            if name == "homogeneity" and len(groups) < 2
            else "too_little"
        )
        return Check(name, by, groups, None, (), "not available", "none", reason)
    verdict = _verdict(found)
    consequence = {"matters": CONSEQUENCES[name], "unclear": "more_data"}.get(verdict, "none")
    total = sum(max(table.flat.signal, 0.0) for _, table in tables)
    states = []
    for (state, table), shift in zip(tables, shifts, strict=True):
        alone = deviation(table)
        if alone is not None:
            part = max(table.flat.signal, 0.0) / total if total > 0 else 0.0
            names = (*chain.states, GOAL_COLUMN, DROP_COLUMN)
            group = OTHER if shift.group == POOLED else groups[shift.group]
            target = OTHER if shift.column == POOLED else names[shift.column]
            states.append(StateCheck(names[state], alone, 1.0, part, group, target, shift))
    return Check(name, by, groups, found, _corrected(states), verdict, consequence)


def _verdict(found: Deviation) -> str:
    """By test and size: chance, then what is possible; or beyond chance, then what was found."""
    if found.p_value >= TEST_LEVEL:
        return "holds" if found.upper < MATTERS else "unclear"
    return "small" if found.effect < MATTERS else "matters"


def _corrected(states: list[StateCheck]) -> tuple[StateCheck, ...]:
    """States with their corrected p values, those that add most first; equals in the order of the chain."""
    q = benjamini_hochberg(np.array([one.found.p_value for one in states]))
    judged = [replace(one, q_value=float(value)) for one, value in zip(states, q, strict=True)]
    return tuple(sorted(judged, key=lambda one: -one.contribution))
