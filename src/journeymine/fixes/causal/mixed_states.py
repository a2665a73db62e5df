"""Two activities under one name: where the past tells more about what comes next than a row of a chain can hold.

Inside the same cell of the segments and the same attempt, two things are asked of every state:

- **before**: does the activity before (or that the journey begins here) predict what comes next? By the tests of a
  chain (`markov/checks/check_tests.py`: Pearson's statistic, customers independent), summed over cells and attempts.
- **repeats**: do customers who come back to the state repeat what they did? The products of what two visits of one
  customer departed from the usual row by are summed; without memory each has mean 0, because a later visit departs
  from the usual by chance whatever came before.

Both effects are on one scale, the share of moves that goes elsewhere. A state is mixed if a test holds at 1 % (all
states, both questions: Benjamini and Hochberg 1995) and the effect matters. A mixture that neither the way to the
state nor a repetition betrays looks the same as one activity, and does no harm to a what-if either. Customers who
differ from each other show in the same way as two activities do: latent classes are the cure for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from journeymine.fixes.causal.decisions import earlier_visits
from journeymine.markov.checks.check_tables import GroupedMoves, moves_by_state
from journeymine.markov.checks.check_tests import MIN_UNITS, deviation, table_of
from journeymine.uncertainty import benjamini_hochberg, generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.sequences import SequenceCounts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LEVEL = 0.01
MATTERS_BEFORE = 0.05
"""Effect of the activity before from which a state is mixed: moves in twenty that go elsewhere."""
MATTERS_REPEATS = 0.1
"""The same for repeats: customers always differ somewhat, and a row holds for their mean."""
MIN_VISITS = 200
MIN_IN_STRATUM = 20
MOST_STRATA = 30
"""Cells and attempts of a state that are compared: those with most visits."""
MOST_KINDS = 8
"""Activities before, and activities next, that stand alone; the rarer ones are taken together."""
MOST_ATTEMPTS = 3
MOST_SUMS = 80
"""Units are added up to so many independent sums: enough for the tests, and many times faster than 200."""


@dataclass(frozen=True, slots=True)
class Memory:
    """One question about one state: `effect` is a share of moves, `q_value` corrected for all questions."""

    effect: float
    p_value: float
    q_value: float
    n: int


@dataclass(frozen=True, slots=True)
class StateMixture:
    """Whether one name seems to stand for two activities.

    Attributes
    ----------
    state
        Number of the state.
    before, repeats
        What the activity before tells, and what an earlier visit of the customer tells; None where too few visits
        say so.
    told_by
        Which of them, "before" and "repeats", is beyond chance and matters.
    """

    state: int
    before: Memory | None
    repeats: Memory | None
    told_by: tuple[str, ...]

    @property
    def mixed(self) -> bool:
        """Whether anything is."""
        return bool(self.told_by)


def mixed_states(sequences: SequenceCounts) -> tuple[StateMixture, ...]:
    """Ask every state whether its visits are of one kind.

    Nothing is drawn at random. Without enough visits a state is not mixed: `before` and `repeats` are None.

    Examples
    --------
    "check" means one thing after "form", where most go on, and another after "letter":

    >>> from journeymine.markov.lists import count_lists
    >>> journeys = ([["form", "check", "paid"]] * 9 + [["form", "check"]]
    ...             + [["letter", "check", "paid"]] * 5 + [["letter", "check"]] * 5) * 50
    >>> _, sequences = count_lists(journeys, goal="paid", customers=range(len(journeys)))
    >>> found = mixed_states(sequences)[sequences.states.index("check")]
    >>> found.mixed, round(found.before.effect, 2), found.repeats
    (True, 0.2, None)
    """
    visits = _Visits(sequences)
    raw = [
        question
        for state in range(sequences.n_states)
        for question in (_before(visits, state), _repeats(visits, state))
    ]
    asked = [i for i, found in enumerate(raw) if found is not None]
    q = benjamini_hochberg(np.array([found.p_value for found in raw if found is not None]))
    judged: list[Memory | None] = [None] * len(raw)
    for i, value in zip(asked, q.tolist(), strict=True):
        one = raw[i]
        assert one is not None
        judged[i] = Memory(one.effect, one.p_value, value, one.n)
    return tuple(
        StateMixture(state, judged[2 * state], judged[2 * state + 1], _told_by(*judged[2 * state :][:2]))
        for state in range(sequences.n_states)
    )


def _told_by(before: Memory | None, repeats: Memory | None) -> tuple[str, ...]:
    asked = (("before", before, MATTERS_BEFORE), ("repeats", repeats, MATTERS_REPEATS))
    return tuple(
        name
        for name, one, matters in asked
        if one is not None and one.q_value < LEVEL and one.effect >= matters
    )


class _Visits:
    """Visits whose next step is known: unit, journey, stratum, activity before and next; grouped by state."""

    def __init__(self, sequences: SequenceCounts) -> None:
        self.k, self.n_units, self.buckets = sequences.n_states, sequences.n_units, sequences.buckets
        sequence = sequences.of_visit
        column = sequences.column(sequences.target)
        before = np.concatenate([[self.k], sequences.code[:-1]])[: len(sequence)]
        before[sequences.begin[:-1][sequences.length > 0]] = self.k
        attempt = np.minimum(earlier_visits(sequences.code, sequence), MOST_ATTEMPTS - 1)
        stratum = sequences.cell[sequence] * MOST_ATTEMPTS + attempt
        known = np.flatnonzero(column >= 0)
        order = known[np.argsort(sequences.code[known], kind="stable")]
        self.sequence, self.unit = sequence[order], sequences.unit[sequence[order]]
        # At random: customers that were dealt out in turn must not meet again.
        some = generator(0, "sums of mixed states").permutation(self.n_units) % MOST_SUMS
        self.sums = np.asarray(some if self.n_units > MOST_SUMS else np.arange(self.n_units))[self.unit]
        self.before, self.column, self.stratum = before[order], column[order], stratum[order]
        self.n = sequences.n[sequence[order]]
        size = np.bincount(sequences.code[known], minlength=self.k)
        self.begin = np.concatenate([[0], np.cumsum(size)])

    def of(self, state: int) -> slice:
        return slice(int(self.begin[state]), int(self.begin[state + 1]))


def _folded(label: Ints, n: Ints, keep: tuple[int, ...] = ()) -> tuple[Ints, int]:
    """Labels numbered from 0, the rare ones sharing the last number; `keep` always stand alone."""
    names, place = np.unique(label, return_inverse=True)
    total = np.bincount(place, n, len(names)).astype(float)
    total[np.isin(names, keep)] = np.inf
    order = np.lexsort((names, -total))
    number = np.full(len(names), MOST_KINDS, dtype=np.int64)
    number[order[:MOST_KINDS]] = np.arange(min(MOST_KINDS, len(names)))
    return number[place], int(number.max(initial=0)) + 1


def _before(visits: _Visits, state: int) -> Memory | None:
    """What the activity before tells about the next one, given cell and attempt."""
    here = visits.of(state)
    n, stratum = visits.n[here], visits.stratum[here]
    if n.sum() < MIN_VISITS:
        return None
    strata, place = np.unique(stratum, return_inverse=True)
    size = np.bincount(place, n, len(strata))
    largest = np.lexsort((strata, -size))[:MOST_STRATA]
    number = np.full(len(strata), -1, dtype=np.int64)
    number[largest] = np.where(size[largest] >= MIN_IN_STRATUM, np.arange(len(largest)), -1)
    keep = number[place] >= 0
    if not keep.any():
        return None
    group, n_groups = _folded(visits.before[here][keep], n[keep])
    column, n_columns = _folded(visits.column[here][keep], n[keep], (visits.k, visits.k + 1))
    moves = GroupedMoves(
        visits.sums[here][keep],
        number[place][keep],
        group,
        column,
        n[keep],
        tuple(str(g) for g in range(n_groups)),
        max(MOST_STRATA, n_columns),
        min(visits.n_units, MOST_SUMS),
    )
    tables = [table_of(table) for table in moves_by_state(moves)]
    found = deviation(reduce(add, tables)) if tables else None
    return None if found is None else Memory(found.effect, found.p_value, 1.0, found.n)


def _repeats(visits: _Visits, state: int) -> Memory | None:
    """Whether two visits of one customer depart from the usual in the same direction.

    Where units are buckets of customers, visits of one journey are paired.
    """
    here = visits.of(state)
    n = visits.n[here].astype(float)
    if n.sum() < MIN_VISITS:
        return None
    strata, place = np.unique(visits.stratum[here], return_inverse=True)
    column, n_columns = _folded(visits.column[here], visits.n[here], (visits.k, visits.k + 1))
    moves = np.bincount(place * n_columns + column, n, len(strata) * n_columns).reshape(-1, n_columns)
    share = moves / moves.sum(axis=1, keepdims=True)
    sequence, unit = visits.sequence[here], visits.unit[here]
    owner, times = (sequence, np.ones_like(n)) if visits.buckets else (unit, n)
    owners, of = np.unique(owner, return_inverse=True)
    # What each visit departs from its row by, summed over the visits of its owner.
    total = np.zeros((len(owners), n_columns))
    np.add.at(total, of, -times[:, None] * share[place])
    np.add.at(total, (of, column), times)
    own = 1 - 2 * share[place, column] + (share[place] ** 2).sum(axis=1)
    pair_sum = (total**2).sum(axis=1) - np.bincount(of, times * own)
    visits_of = np.bincount(of, times).astype(float)
    n_pairs = visits_of * (visits_of - 1)
    if visits.buckets:
        first = np.unique(of, return_index=True)[1]
        journeys, unit_of = n[first], unit[first]
        pair_sum, n_pairs = (np.bincount(unit_of, journeys * x) for x in (pair_sum, n_pairs))
    return _repeat_test(pair_sum, n_pairs)


def _repeat_test(pair_sum: Floats, n_pairs: Floats) -> Memory | None:
    """One-sided test that the sums of units, independent and of mean 0 by the hypothesis, are not above 0."""
    square = float((pair_sum**2).sum())
    fourth = float((pair_sum**4).sum())
    if (n_pairs > 0).sum() < MIN_UNITS or n_pairs.sum() < MIN_VISITS or square <= 0:
        return None
    statistic = float(pair_sum.sum()) / np.sqrt(square)
    # Few customers with very many visits carry few degrees of freedom.
    df = max(square**2 / fourth, 1.0)
    effect = float(np.sqrt(max(pair_sum.sum() / n_pairs.sum(), 0.0) / 2))
    return Memory(effect, float(special.stdtr(df, -statistic)), 1.0, int(n_pairs.sum() // 2))
