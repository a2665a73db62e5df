"""An obvious oracle: event logs as lists of dicts, every count by a plain loop. Nothing here is fast or clever.

What it states is what the engine must give, exactly: which rows are used, in which order the events of a case
stand, how customers are cut into journeys, how journeys end, and what enters the conversion chain.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Row = dict[str, Any]
GOAL, DROPPED = "(goal)", "(dropped)"
STATES = ("converted", "dropped", "open")
MISSING = "(missing)"
N_BUCKETS = 200
HOUR, DAY = 3_600_000_000, 86_400_000_000
LADDER = (
    HOUR // 2, HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR,
    *(d * DAY for d in (1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365)),
)  # fmt: skip


def blank(value: object) -> bool:
    """Missing, or nothing but white space."""
    return value is None or str(value).strip() == ""


def whole_us(value: object) -> int | None:
    """Microseconds since 1970 between the years 1800 and 2200; anything else is not a time."""
    if not isinstance(value, int):
        return None
    return value if -5_364_662_400_000_000 <= value < 7_258_118_400_000_000 else None


def bucket(customer: str) -> int:
    """Hash bucket of a customer: the first 60 bits of md5."""
    return int(hashlib.md5(customer.encode()).hexdigest()[:15], 16) % N_BUCKETS


@dataclass(frozen=True, slots=True)
class Event:
    """One used row."""

    row: int
    case: str
    activity: str
    us: int | None
    end_us: int | None
    order: Any
    values: Row

    def wait(self, following: Event) -> int | None:
        """From the end of this event to the start of the next, at least nothing."""
        if self.us is None or following.us is None:
            return None
        over = self.us if self.end_us is None else max(self.us, self.end_us)
        return max(following.us - over, 0)


@dataclass(frozen=True, slots=True)
class Edge:
    """A directly-follows pair."""

    n: int
    n_cases: int
    median_us: float | None


@dataclass(frozen=True)
class Log:
    """Used events by case, in order; what became of the other rows; what decided ties."""

    cases: dict[str, list[Event]]
    customer_of: dict[str, str]
    n_rows: int
    rejected: Counter[str]
    noted: Counter[str]
    ties: Counter[str] = field(default_factory=Counter)

    @property
    def n_events(self) -> int:
        return sum(len(path) for path in self.cases.values())

    @property
    def customers(self) -> set[str]:
        return set(self.customer_of.values())

    @property
    def activities(self) -> tuple[str, ...]:
        return tuple(sorted({e.activity for path in self.cases.values() for e in path}))

    @property
    def last_us(self) -> int | None:
        return max((e.us for path in self.cases.values() for e in path if e.us is not None), default=None)

    @property
    def first_us(self) -> int | None:
        return min((e.us for path in self.cases.values() for e in path if e.us is not None), default=None)

    def places(self) -> list[tuple[str, str, int, str, int | None]]:
        """(case, customer, position, activity, time) of every event, sorted."""
        return sorted(
            (case, self.customer_of[case], place, event.activity, event.us)
            for case, path in self.cases.items()
            for place, event in enumerate(path, start=1)
        )

    def moves(self) -> list[tuple[str, Event, Event]]:
        """(case, event, next event)."""
        return [(case, a, b) for case, path in self.cases.items() for a, b in pairwise(path)]

    def edges(self) -> dict[tuple[str, str], Edge]:
        waits: dict[tuple[str, str], list[int]] = defaultdict(list)
        n: Counter[tuple[str, str]] = Counter()
        cases: dict[tuple[str, str], set[str]] = defaultdict(set)
        for case, a, b in self.moves():
            pair = (a.activity, b.activity)
            n[pair] += 1
            cases[pair].add(case)
            wait = a.wait(b)
            if wait is not None:
                waits[pair].append(wait)
        return {
            pair: Edge(n[pair], len(cases[pair]), median(waits[pair]) if waits[pair] else None) for pair in n
        }

    def variants(self) -> list[tuple[tuple[str, ...], int]]:
        """Most frequent first, equals by the names of their activities in order."""
        n = Counter(tuple(event.activity for event in path) for path in self.cases.values())
        return sorted(n.items(), key=lambda item: (-item[1], item[0]))

    def activity_counts(self) -> dict[str, tuple[int, int, int]]:
        """Events, cases, and the sum over cases of the first place of each activity."""
        found: dict[str, tuple[int, int, int]] = {}
        for path in self.cases.values():
            names = [event.activity for event in path]
            for name in set(names):
                n, n_cases, places = found.get(name, (0, 0, 0))
                found[name] = (n + names.count(name), n_cases + 1, places + names.index(name) + 1)
        return found

    def departure_medians(self) -> dict[str, float]:
        """Median time until the next event, by activity."""
        waits: dict[str, list[int]] = defaultdict(list)
        for _, a, b in self.moves():
            wait = a.wait(b)
            if wait is not None:
                waits[a.activity].append(wait)
        return {name: median(found) for name, found in waits.items()}

    def automatic_idle(self) -> int | None:
        """The first value of the ladder that 95 % of waits do not exceed, at most a quarter of the log."""
        if self.last_us is None or self.first_us is None:
            return None
        waits = sorted(a.wait(b) or 0 for _, a, b in self.moves())
        usual = waits[math.ceil(0.95 * len(waits)) - 1] if waits else 0
        fitting = [step for step in LADDER if step <= (self.last_us - self.first_us) / 4] or [LADDER[0]]
        return next((step for step in fitting if step >= usual), fitting[-1])

    def cut(self, idle_us: int) -> Log:
        """Each case cut wherever nothing happened for `idle_us`: "a" becomes "a #1", "a #2", ..."""
        cases: dict[str, list[Event]] = {}
        customers: dict[str, str] = {}
        for case, path in self.cases.items():
            part = 0
            for before, event in zip([None, *path], path, strict=False):
                wait = None if before is None else before.wait(event)
                if before is None or (wait is not None and wait >= idle_us):
                    part += 1
                cases.setdefault(f"{case} #{part}", []).append(event)
                customers[f"{case} #{part}"] = self.customer_of[case]
        return replace(self, cases=cases, customer_of=customers)

    def journeys(
        self,
        *,
        goal: Iterable[str],
        end: Iterable[str] = (),
        start: Iterable[str] = (),
        idle_us: int | None,
        segments: Sequence[str] = (),
    ) -> Journeys:
        return Journeys(self, frozenset(goal), frozenset(end), frozenset(start), idle_us, tuple(segments))


@dataclass(frozen=True)
class Visit:
    """An event before the goal; with attempts, states are called "Pay #1", "Pay #2+"."""

    case: str
    state: str
    target: str
    wait_us: int
    watched: bool


@dataclass(frozen=True)
class Journeys:
    """How the cases of a log end, and what the conversion chain is counted on."""

    log: Log
    goal: frozenset[str]
    end: frozenset[str]
    start: frozenset[str]
    idle_us: int | None
    segments: tuple[str, ...] = ()

    def start_place(self, path: list[Event]) -> int | None:
        if not self.start:
            return 0
        return next((i for i, event in enumerate(path) if event.activity in self.start), None)

    def goal_place(self, path: list[Event]) -> int | None:
        """Place of the first goal from the start on."""
        begin = self.start_place(path)
        if begin is None:
            return None
        return next((i for i in range(begin, len(path)) if path[i].activity in self.goal), None)

    def state(self, path: list[Event]) -> str | None:
        """How a journey ends; None if it never starts."""
        if self.start_place(path) is None:
            return None
        if self.goal_place(path) is not None:
            return "converted"
        last = max((event.us for event in path if event.us is not None), default=None)
        silent = (
            last is None
            or self.log.last_us is None
            or self.idle_us is None
            or last <= self.log.last_us - self.idle_us
        )
        return "dropped" if silent or path[-1].activity in self.end else "open"

    def states(self) -> dict[str, str | None]:
        return {case: self.state(path) for case, path in self.log.cases.items()}

    def n_by_state(self) -> tuple[int, int, int]:
        n = Counter(self.states().values())
        return n["converted"], n["dropped"], n["open"]

    def watched_until(self) -> int | None:
        """Visits that began later may still go on; None if no journey is open."""
        if not self.n_by_state()[2] or self.log.last_us is None or self.idle_us is None:
            return None
        return self.log.last_us - self.idle_us

    def cell(self, case: str) -> tuple[str, ...]:
        """Values of the segment columns at the first event of the case."""
        values = self.log.cases[case][0].values
        return tuple(
            MISSING if values[column] is None or values[column] == "" else str(values[column])
            for column in self.segments
        )

    def visits(self, attempts: int = 1) -> list[Visit]:
        until = self.watched_until()
        found = []
        for case, path in self.log.cases.items():
            begin, goal = self.start_place(path), self.goal_place(path)
            if begin is None:
                continue
            states = _numbered([event.activity for event in path[begin:]], attempts)
            for i in range(begin, len(path) if goal is None else goal):
                event, target, wait = path[i], DROPPED, None
                if i + 1 < len(path):
                    target = GOAL if path[i + 1].activity in self.goal else states[i + 1 - begin]
                    wait = event.wait(path[i + 1])
                watched = until is None or (event.us is not None and event.us <= until)
                found.append(Visit(case, states[i - begin], target, wait or 0, watched))
        return found

    def moves(self, attempts: int = 1) -> list[Visit]:
        """Visits that enter the chain: watched long enough, and not into a state of which nothing is known."""
        moves = [visit for visit in self.visits(attempts) if visit.watched]
        while True:
            states = {visit.state for visit in moves} | {GOAL, DROPPED}
            known = [visit for visit in moves if visit.target in states]
            if len(known) == len(moves):
                return moves
            moves = known

    def chain(self, attempts: int = 1) -> Counter[tuple[str, tuple[str, ...], str, str]]:
        """Moves by (customer, cell, source, target)."""
        return Counter(
            (self.log.customer_of[v.case], self.cell(v.case), v.state, v.target) for v in self.moves(attempts)
        )

    def n_unwatched(self, attempts: int = 1) -> int:
        """Visits that do not enter the chain."""
        return len(self.visits(attempts)) - len(self.moves(attempts))

    def waits(self, attempts: int = 1) -> Counter[tuple[str, str]]:
        """Sum of the waits by (source, target)."""
        total: Counter[tuple[str, str]] = Counter()
        for visit in self.moves(attempts):
            total[visit.state, visit.target] += visit.wait_us
        return total

    def states_visited(self, attempts: int = 1) -> set[str]:
        """States of the chain: those from which at least one move is known."""
        return {visit.state for visit in self.moves(attempts)}

    def starts(self) -> Counter[tuple[str, tuple[str, ...], str]]:
        """Where journeys start, by customer and cell: a state of the chain, or the goal itself."""
        states = self.states_visited()
        n: Counter[tuple[str, tuple[str, ...], str]] = Counter()
        for case, path in self.log.cases.items():
            begin = self.start_place(path)
            if begin is None:
                continue
            state = GOAL if self.goal_place(path) == begin else path[begin].activity
            if state == GOAL or state in states:
                n[self.log.customer_of[case], self.cell(case), state] += 1
        return n

    def customers_of_cells(self) -> dict[tuple[str, ...], int]:
        """Customers with a journey that starts, by cell."""
        who = defaultdict(set)
        for case, state in self.states().items():
            if state is not None:
                who[self.cell(case)].add(self.log.customer_of[case])
        return {cell: len(found) for cell, found in who.items()}

    def drops(self) -> dict[str, tuple[int, int, int]]:
        """Visits, watched visits, and watched visits that were the last, by activity."""
        found: dict[str, tuple[int, int, int]] = {}
        for visit in self.visits():
            n_all, n, lost = found.get(visit.state, (0, 0, 0))
            found[visit.state] = (n_all + 1, n + visit.watched, lost + self._is_lost(visit))
        return found

    def reach(self, activity: str) -> int:
        """Journeys that visit the activity before the goal."""
        return len({visit.case for visit in self.visits() if visit.state == activity})

    def audience(self, activity: str) -> int:
        """Customers who were lost there."""
        lost = [visit for visit in self.visits() if visit.state == activity and self._is_lost(visit)]
        return len({self.log.customer_of[visit.case] for visit in lost})

    @staticmethod
    def _is_lost(visit: Visit) -> bool:
        return visit.watched and visit.target == DROPPED


def _numbered(activities: list[str], attempts: int) -> list[str]:
    """Names of the states, with the attempt number where there is more than one."""
    if attempts == 1:
        return activities
    seen: Counter[str] = Counter()
    names = []
    for activity in activities:
        seen[activity] += 1
        number = min(seen[activity], attempts)
        names.append(f"{activity} #{number}{'+' if number == attempts else ''}")
    return names


def read(
    rows: Sequence[Row],
    *,
    case_id: str | None = None,
    customer_id: str | None = None,
    activity: str,
    timestamp: str | None = None,
    end_timestamp: str | None = None,
    order: str | None = None,
    duplicates: str = "keep",
    keeps_order: bool = True,
    time_us: Callable[[object], int | None] = whole_us,
) -> Log:
    """Events of a list of rows."""
    rejected: Counter[str] = Counter()
    case_column = case_id or customer_id
    assert case_column is not None
    order_of = order_key([row[order] for row in rows]) if order else (lambda value: value)
    seen: set[tuple[tuple[str, str], ...]] = set()
    noted: Counter[str] = Counter()
    events: list[Event] = []
    for place, row in enumerate(rows):
        us = time_us(row[timestamp]) if timestamp else None
        rule = _rejected(row, case_column, activity, timestamp, us)
        if rule is None:
            copy = tuple(sorted((name, repr(value)) for name, value in row.items()))
            if copy in seen and duplicates == "drop":
                rule = "duplicates_dropped"
            elif copy in seen:
                noted["exact_duplicates"] += 1
            seen.add(copy)
        if rule is not None:
            rejected[rule] += 1
            continue
        end = time_us(row[end_timestamp]) if end_timestamp else None
        noted["end_before_start"] += end is not None and us is not None and end < us
        key = order_of(row[order]) if order else None
        events.append(Event(place, str(row[case_column]), str(row[activity]), us, end, key, row))
    cases: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        cases[event.case].append(event)
    for path in cases.values():
        path.sort(key=lambda e: _sort_key(e, keeps_order=keeps_order))
    ties = _ties(cases.values(), timed=timestamp is not None, ordered=order is not None, keeps=keeps_order)
    customers = _customers(rows, cases, case_id, customer_id, noted)
    return Log(dict(cases), customers, len(rows), rejected, +noted, ties)


def _rejected(row: Row, case: str, activity: str, timestamp: str | None, us: int | None) -> str | None:
    """The first rule a row breaks."""
    if blank(row[case]):
        return "missing_case_id"
    if blank(row[activity]):
        return "missing_activity"
    if timestamp is not None and us is None:
        return "missing_time" if blank(row[timestamp]) else "unreadable_time"
    return None


def order_key(values: Sequence[object]) -> Callable[[object], Any]:
    """Numbers compare as numbers, also where they are written as text; other texts by code point."""
    try:
        for value in values:
            if value is not None:
                Decimal(str(value))
    except InvalidOperation:
        return lambda value: value
    return lambda value: None if value is None else Decimal(str(value))


def _sort_key(event: Event, *, keeps_order: bool) -> tuple[Any, ...]:
    time = () if event.us is None else (event.us,)
    order = (event.order is None, 0 if event.order is None else event.order)
    name = () if keeps_order else (event.activity,)
    return (*time, *order, *name, event.row)


def _ties(paths: Iterable[list[Event]], *, timed: bool, ordered: bool, keeps: bool) -> Counter[str]:
    ties: Counter[str] = Counter(order_column=0, file_order=0, activity_name=0)
    for path in paths:
        for a, b in pairwise(path):
            if timed and a.us == b.us:
                by_order = ordered and a.order != b.order
                ties["order_column" if by_order else "file_order" if keeps else "activity_name"] += 1
            elif not timed and ordered and a.order == b.order:
                ties["file_order" if keeps else "activity_name"] += 1
    return ties


def _customers(
    rows: Sequence[Row],
    cases: dict[str, list[Event]],
    case_id: str | None,
    customer_id: str | None,
    noted: Counter[str],
) -> dict[str, str]:
    """The customer of each case: its smallest id; a case without one is its own customer."""
    if case_id is None or customer_id is None:
        return {case: case for case in cases}
    ids: dict[str, set[str]] = {case: set() for case in cases}
    for row in rows:
        case, who = str(row[case_id]), row[customer_id]
        if case in ids and not blank(who):
            ids[case].add(str(who))
    noted["missing_customer_id"] = sum(not found for found in ids.values())
    noted["customer_changes"] = sum(len(found) > 1 for found in ids.values())
    return {case: min(found) if found else case for case, found in ids.items()}
