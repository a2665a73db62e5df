"""Funnels and anchored paths by plain loops: what the engine must give, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
from hypothesis import strategies as st

from journeymine.reading import read_log

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.log import EventLog

HOUR = 3_600_000_000
START = 1_767_225_600_000_000
ABC = "abcd"


@dataclass(frozen=True)
class Case:
    """One journey: events (activity, hours), in order; its customer."""

    events: tuple[tuple[str, int], ...]
    customer: str


@dataclass(frozen=True)
class World:
    """Journeys, what is known of time (hours), and which activities end, start and reach the goal."""

    cases: dict[str, Case]
    idle: int
    timed: bool = True
    end: str | None = None
    start: str | None = None
    goal: str | None = "d"

    @property
    def last(self) -> int:
        return max(hour for case in self.cases.values() for _, hour in case.events)

    def log(self) -> EventLog:
        rows = [(name, case.customer, *event) for name, case in self.cases.items() for event in case.events]
        # In any order of the rows; the order column decides ties.
        places = [place for case in self.cases.values() for place in range(len(case.events))]
        rows = [(*row, place) for row, place in zip(rows, places, strict=True)][::-1]
        table = pa.table(
            {
                "case": [row[0] for row in rows],
                "who": [row[1] for row in rows],
                "what": [row[2] for row in rows],
                "at": [START + row[3] * HOUR for row in rows],
                "place": [row[4] for row in rows],
            }
        )
        times = {"timestamp": "at", "time_unit": "us"} if self.timed else {}
        log = read_log(
            table, case_id="case", customer_id="who", activity="what", order="place", threads=1, **times
        )
        known = log.activities
        return log.journeys(
            *[self.goal] if self.goal in known else [],
            idle=f"{self.idle}h",
            end=self.end if self.end in known else None,
            start=self.start if self.start in known else None,
        )

    def events_of(self, case: Case) -> list[tuple[str, int]]:
        """Events from the start of the journey on; none if it never starts."""
        events = list(case.events) if self.timed else [(name, 0) for name, _ in case.events]
        if self.start is None or not any(self.start == n for c in self.cases.values() for n, _ in c.events):
            return events
        places = [i for i, (name, _) in enumerate(events) if name == self.start]
        return events[places[0] :] if places else []

    def over(self, case: Case) -> int | None:
        """When the journey was known to be over."""
        if not self.timed:
            return 0
        name, last = case.events[-1]
        if self.end is not None and name == self.end:
            return last
        return last + self.idle if last <= self.last - self.idle else None


@st.composite
def worlds(draw: st.DrawFn, *, starts: bool = True) -> World:
    """Small logs with repeats, ties, customers with several journeys, and journeys that never start."""
    n = draw(st.integers(2, 9))
    cases = {}
    for i in range(n):
        names = draw(st.lists(st.sampled_from(ABC), min_size=1, max_size=8))
        gaps = draw(st.lists(st.sampled_from([0, 0, 1, 2, 5, 9]), min_size=len(names), max_size=len(names)))
        hours, events = draw(st.integers(0, 20)), []
        for name, gap in zip(names, gaps, strict=True):
            hours += gap
            events.append((name, hours))
        cases[f"case {i}"] = Case(tuple(events), f"who {i // 2}")
    return World(
        cases,
        idle=draw(st.sampled_from([3, 10, 30])),
        timed=draw(st.sampled_from([True, True, True, False])),
        end=draw(st.sampled_from([None, "c"])),
        start=draw(st.sampled_from([None, None, "a"])) if starts else None,
    )


@dataclass(frozen=True)
class Walk:
    """How one journey went: times of the steps, whether it went on from each by any way, whether it is over."""

    case: str
    times: tuple[int | None, ...]
    later: tuple[bool, ...]
    settled: bool


def closed_walks(world: World, steps: Sequence[Sequence[str]], within: float | None) -> list[Walk]:
    out = []
    for name, case in world.cases.items():
        events = world.events_of(case)
        times: list[int | None] = []
        later: list[bool] = []
        at: int | None = -1
        first = -1
        for i, step in enumerate(steps):
            limit = times[0] + within if within is not None and i and times[0] is not None else None
            place = (
                next((p for p in range(at + 1, len(events)) if events[p][0] in step), None)
                if at is not None
                else None
            )
            if place is not None and limit is not None and events[place][1] > limit:
                place = None
            if i:
                rest = {n for s in steps[i:] for n in s}
                later.append(
                    at is not None
                    and any(
                        (p > at and what in rest and (limit is None or hour <= limit))
                        or (first < p < at and what in steps[-1])
                        for p, (what, hour) in enumerate(events)
                    )
                )
            times.append(None if place is None else events[place][1])
            first = place if i == 0 and place is not None else first
            at = place
        if times[0] is None:
            continue
        settled = world.over(case) is not None
        if within is not None:
            settled = settled or world.last - times[0] >= within
        out.append(Walk(name, tuple(times), tuple(later), settled))
    return out


def open_walks(world: World, steps: Sequence[Sequence[str]], within: float | None) -> list[Walk]:
    out = []
    for name, case in world.cases.items():
        events = world.events_of(case)
        if not events:
            continue
        begin = events[0][1]
        times = [next((hour for what, hour in events if what in step), None) for step in steps]
        if within is not None:
            times = [hour if hour is not None and hour <= begin + within else None for hour in times]
        settled = world.over(case) is not None or (within is not None and world.last - begin >= within)
        out.append(Walk(name, tuple(times), (), settled))
    return out


REASONS = ("converted", "dropped", "open", "outside window", "began")


def anchored_cells(
    world: World, anchor: Sequence[str], steps: int, within: float | None, *, after: bool
) -> dict[str, list[str]]:
    """Cells of each journey: activities, or the reason why there is none."""
    out = {}
    for name, case in world.cases.items():
        events = world.events_of(case)
        place = next((i for i, (what, _) in enumerate(events) if what in anchor), None)
        if place is None:
            continue
        goal = any(what == world.goal for what, _ in events)
        at, cells = events[place][1], []
        for k in range(steps + 1):
            p = place + k if after else place - k
            if cells and cells[-1] in REASONS:
                cells.append(cells[-1])
            elif not 0 <= p < len(events):
                elapsed = within is not None and at + within <= world.last
                over = world.over(case) is not None
                end = (
                    ("converted" if goal else "dropped") if over else "outside window" if elapsed else "open"
                )
                cells.append(end if after else "began")
            elif within is not None and abs(events[p][1] - at) > within:
                cells.append("outside window")
            else:
                cells.append(events[p][0])
        out[name] = cells
    return out
