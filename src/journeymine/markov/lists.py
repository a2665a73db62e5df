"""Chains from plain lists of activities: the same typed counts that a log gives."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine._checks import as_tuple
from journeymine.counts.chain import DROP, GOAL, ChainCounts
from journeymine.counts.keyed import summed
from journeymine.counts.sequences import SequenceCounts
from journeymine.errors import NotEnoughDataError, OptionError, listed, shown, suggestion
from journeymine.uncertainty import MAX_CUSTOMER_UNITS, generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.memory import Memory
    from journeymine.counts.occupation import OccupationCounts

    Ints = NDArray[np.int64]
    Journey = tuple[tuple[int, ...], int]
    Row = tuple[int, tuple[int, ...], int]

EXAMPLE = 'pass sequences like [["visit", "pay"], ["visit"]].'
N_BUCKETS = 200


def count_lists(
    sequences: Iterable[Sequence[str]],
    goal: str | Iterable[str] | None = None,
    weights: Iterable[int] | None = None,
    customers: Iterable[Any] | None = None,
) -> tuple[ChainCounts, SequenceCounts]:
    """Counts of sequences that are over: what comes after the first goal is left out, and no goal means dropping out.

    Parameters
    ----------
    sequences
        Activities of each journey in order.
    goal
        Activities that make a journey a success.
    weights
        How often each sequence occurred: whole numbers from 0.
    customers
        Who each sequence belongs to; by default everybody has one.

    Raises
    ------
    OptionError
        A sequence is not a list of texts, a weight not a whole number, or the goal not an activity.
    NotEnoughDataError
        There is no sequence.

    Examples
    --------
    >>> chain, journeys = count_lists([["visit", "pay", "paid"], ["visit"]], goal="paid")
    >>> chain.states, journeys.n.sum()
    (('pay', 'visit'), np.int64(2))
    """
    lists = [_checked(sequence, place) for place, sequence in enumerate(_rows(sequences))]
    amounts = _weights(weights, len(lists))
    goals = _goals(goal, lists)
    journeys = [_until_goal(path, goals) for path in lists]
    states = tuple(sorted({name for path, _ in journeys for name in path}))
    number = {name: code for code, name in enumerate(states)}
    coded = [(tuple(number[name] for name in path), last) for path, last in journeys]
    if customers is None:
        rows, n_units, buckets = _everybody_once(coded, amounts)
    else:
        rows, n_units, buckets = _by_customer(coded, amounts, list(customers))
    counted = _counted(rows, states, n_units, buckets=buckets)
    return chain_of_sequences(counted), counted


def _everybody_once(coded: list[Journey], amounts: Ints) -> tuple[Counter[Row], int, bool]:
    """Journeys by unit where every journey has a customer of its own.

    Which copy goes where depends on the content of the journeys, so their order does not matter.
    """
    total: Counter[Journey] = Counter()
    for journey, n in zip(coded, amounts.tolist(), strict=True):
        total[journey] += n
    ordered = [(journey, total[journey]) for journey in sorted(total) if total[journey]]
    rows: Counter[Row] = Counter()
    n_all = int(amounts.sum())
    if n_all <= MAX_CUSTOMER_UNITS:
        unit = 0
        for (path, last), n in ordered:
            for copy in range(n):
                rows[unit + copy, path, last] = 1
            unit += n
        return rows, n_all, False
    rng = generator(0, "buckets of sequences")
    for (path, last), n in ordered:
        spread = rng.multinomial(n, np.full(N_BUCKETS, 1 / N_BUCKETS))
        rows.update({(int(b), path, last): int(spread[b]) for b in np.flatnonzero(spread)})
    return rows, N_BUCKETS, True


def _by_customer(coded: list[Journey], amounts: Ints, customers: list[Any]) -> tuple[Counter[Row], int, bool]:
    """Journeys by unit: the customer's place in the sorted list, or the bucket where there are many."""
    if len(customers) != len(coded):
        raise OptionError(
            f"customers has {len(customers)} values, expected one for each of {len(coded)} sequences."
        )
    if any(customer is None or customer != customer for customer in customers):
        hint = "name every customer, or leave customers out where everybody has one journey."
        raise OptionError(
            "customers holds a missing value, expected who each sequence belongs to.", hint=hint
        )
    names = [str(customer) for customer in customers]
    known = sorted(set(names))
    buckets = len(known) > MAX_CUSTOMER_UNITS
    unit = {name: _bucket(name) if buckets else place for place, name in enumerate(known)}
    rows: Counter[Row] = Counter()
    for name, (path, last), n in zip(names, coded, amounts.tolist(), strict=True):
        if n:
            rows[unit[name], path, last] += n
    return rows, N_BUCKETS if buckets else len(known), buckets


def _bucket(name: str) -> int:
    """The bucket that the engine gives to a customer."""
    return int(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()[:15], 16) % N_BUCKETS


def _counted(rows: Counter[Row], states: tuple[str, ...], n_units: int, *, buckets: bool) -> SequenceCounts:
    ordered = sorted(rows)
    paths = [path for _, path, _ in ordered]
    return SequenceCounts(
        states=states,
        code=np.array([code for path in paths for code in path], dtype=np.int64),
        begin=np.concatenate([[0], np.cumsum([len(path) for path in paths])]).astype(np.int64),
        last=np.array([last for _, _, last in ordered], dtype=np.int64),
        unit=np.array([unit for unit, _, _ in ordered], dtype=np.int64),
        cell=np.zeros(len(ordered), dtype=np.int64),
        n=np.array([rows[row] for row in ordered], dtype=np.int64),
        cells=((),),
        n_units=n_units,
        buckets=buckets,
    )


def chain_of_sequences(journeys: SequenceCounts) -> ChainCounts:
    """Moves and starts of sequences, as counts of a first-order chain without times."""
    target, k = journeys.target, journeys.n_states
    of = journeys.of_visit
    known = journeys.column(target) >= 0
    move = np.stack([journeys.unit[of], journeys.cell[of], journeys.code, target])[:, known]
    (unit, cell, source, to), n = _summed(move, journeys.n[of][known])
    full = journeys.length > 0
    first = np.full(journeys.n_sequences, GOAL, dtype=np.int64)
    first[full] = journeys.code[journeys.begin[:-1][full]]
    begun = full | (journeys.last == GOAL)
    start = np.stack([journeys.unit, journeys.cell, first])[:, begun]
    (start_unit, start_cell, start_state), start_n = _summed(start, journeys.n[begun])
    owners = np.unique(np.stack([journeys.cell, journeys.unit]), axis=1)[0]
    return ChainCounts(
        states=journeys.states,
        activity=np.arange(k),
        unit=unit,
        cell=cell,
        source=source,
        target=to,
        n=n,
        wait_us=np.zeros(len(n)),
        start_unit=start_unit,
        start_cell=start_cell,
        start_state=start_state,
        start_n=start_n,
        cells=journeys.cells,
        cell_customers=np.bincount(owners, minlength=len(journeys.cells)).astype(np.int64),
        n_units=journeys.n_units,
        buckets=journeys.buckets,
    )


def _summed(keys: Ints, n: Ints) -> tuple[Ints, Ints]:
    """Different columns of `keys`, sorted, and the sum of `n` over each."""
    found, (total,) = summed([*keys], [n])
    return found, total.astype(np.int64)


def _rows(sequences: Any) -> list[Any]:
    if isinstance(sequences, (str, bytes, Mapping)) or not isinstance(sequences, Iterable):
        raise OptionError(f"sequences is {shown(sequences)}, expected a list of lists.", hint=EXAMPLE)
    rows = list(sequences)
    if not rows:
        raise NotEnoughDataError("there is no sequence.", hint=EXAMPLE)
    return rows


def _checked(sequence: Any, place: int) -> tuple[str, ...]:
    """Activities of one sequence; whole numbers are taken for names."""
    if isinstance(sequence, (str, bytes, Mapping)) or not isinstance(sequence, Iterable):
        problem = f"sequence {place} is {shown(sequence)}, expected a list of activities."
        raise OptionError(problem, hint=EXAMPLE)
    names = tuple(sequence)
    for name in names:
        if isinstance(name, bool) or not isinstance(name, (str, int, np.integer)):
            raise OptionError(f"sequence {place} holds {shown(name)}, expected the name of an activity.")
    if not names:
        raise OptionError(f"sequence {place} is empty.", hint="leave out journeys without an event.")
    return tuple(str(name) for name in names)


def _weights(weights: Iterable[int] | None, n: int) -> Ints:
    if weights is None:
        return np.ones(n, dtype=np.int64)
    given = np.asarray(list(weights))
    if len(given) != n:
        raise OptionError(f"weights has {len(given)} values, expected one for each of {n} sequences.")
    numeric = given.dtype.kind in "iuf"
    if not numeric or not np.all(np.isfinite(given)) or np.any(given < 0) or np.any(given % 1):
        hint = "weights say how often a sequence occurred."
        raise OptionError(f"weights holds {shown(given.tolist())}, expected whole numbers from 0.", hint=hint)
    if not given.any():
        raise NotEnoughDataError("all weights are 0, so there is no sequence.", hint=EXAMPLE)
    return given.astype(np.int64)


def _goal_names(goal: Any) -> tuple[str, ...]:
    """Goals as names: whole numbers are names, as they are in sequences."""
    given: Any = [goal] if goal is None or isinstance(goal, (str, int, np.integer)) else goal
    if isinstance(given, Iterable) and not isinstance(given, (bytes, Mapping)):
        given = [
            str(name) if isinstance(name, (int, np.integer)) else name for name in given if name is not None
        ]
    return as_tuple(given, name="goal")


def _goals(goal: Any, lists: list[tuple[str, ...]]) -> frozenset[str]:
    goals = _goal_names(goal)
    known = sorted({name for path in lists for name in path})
    for name in goals:
        if name not in known:
            hint = suggestion(name, known, "set goal to one of the activities found.")
            problem = f"goal {shown(name)} is not an activity of the sequences."
            raise OptionError(problem, found=f"{listed(known)}.", hint=hint)
    return frozenset(goals)


def _until_goal(path: tuple[str, ...], goals: frozenset[str]) -> tuple[tuple[str, ...], int]:
    """The visits before the first goal, and how they end."""
    for place, name in enumerate(path):
        if name in goals:
            return path[:place], GOAL
    return path, DROP


class ListData:
    """Counts of lists for their chains (`markov.data.ChainData`): there are no times, no segments and no periods.

    Parameters
    ----------
    sequences, goal, weights, customers
        As in `count_lists`.
    """

    timed = False
    others: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    periods = None
    waits = None

    def __init__(
        self,
        sequences: Iterable[Sequence[str]],
        goal: str | Iterable[str] | None = None,
        weights: Iterable[int] | None = None,
        customers: Iterable[Any] | None = None,
    ) -> None:
        self.plain, self.sequences = count_lists(sequences, goal, weights, customers)
        self.goal = _goal_names(goal)
        self.has_goal = bool(self.goal)

    def remembered(self, memory: Memory) -> ChainCounts:
        """The chain whose states remember."""
        from journeymine.markov.memory.memory import sequence_memory

        return sequence_memory(self.sequences, memory)

    def occupation(self, times_us: Sequence[int] | None) -> OccupationCounts:
        """Lists have no times."""
        raise NotEnoughDataError("lists have no times.", hint="read a log with timestamp=....")
