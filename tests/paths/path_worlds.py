"""Small logs with every way to end, and plain loops over them, for the tests of paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
from hypothesis import strategies as st
from tests import oracle

from journeymine.reading import read_log

if TYPE_CHECKING:
    from journeymine.log import EventLog

HOUR, DAY = oracle.HOUR, oracle.DAY
START = 1_767_225_600_000_000
NAMES = ("a", "b", "goal", 'it\'s -> a* "b"', "end")


@dataclass(frozen=True)
class Journey:
    """What the plain loops know of a journey."""

    case: str
    customer: str
    steps: tuple[str, ...]
    before: tuple[str, ...]
    state: str | None
    outcome: str | None

    @property
    def upto(self) -> tuple[str, ...]:
        """Steps up to the goal, which is the last if it is reached."""
        return self.steps[: len(self.before) + (self.state == "converted")]


World = list[tuple[str, str, str, int]]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Rows (case, customer, activity, hour), a few of them late, so that some journeys are open."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4))
    row = st.tuples(
        st.integers(0, 5), st.sampled_from(names), st.one_of(st.integers(0, 30), st.integers(60, 80))
    )
    rows = draw(st.lists(row, min_size=1, max_size=30))
    return [(f"c{case}", f"k{case % 3}", name, hour) for case, name, hour in rows]


def read(world: World) -> EventLog:
    columns = list(zip(*world, strict=True))
    table = pa.table(
        {
            "case": columns[0], "who": columns[1], "what": columns[2],
            "at": [START + hour * HOUR for hour in columns[3]],
        }
    )  # fmt: skip
    return read_log(
        table, case_id="case", customer_id="who", activity="what", timestamp="at", time_unit="us", threads=1
    )


def with_journeys(world: World, *, start: str | None = None) -> tuple[EventLog, list[Journey]]:
    """The log with a goal and a day of silence, and the same by plain loops."""
    log, rows = read(world), [dict(zip(("case", "who", "what", "at"), row, strict=True)) for row in world]
    goal = "goal" if "goal" in log.activities else log.activities[0]
    log = log.journeys(goal, start=start, idle="1d")
    for row in rows:
        row["at"] = START + int(row["at"]) * HOUR
    plain = oracle.read(rows, case_id="case", customer_id="who", activity="what", timestamp="at")
    found = plain.journeys(goal=[goal], start=[start] if start else [], idle_us=DAY)
    return log, [_journey(found, plain, case) for case in sorted(plain.cases) if _starts(found, plain, case)]


def _starts(found: oracle.Journeys, plain: oracle.Log, case: str) -> bool:
    return found.start_place(plain.cases[case]) is not None


def _journey(found: oracle.Journeys, plain: oracle.Log, case: str) -> Journey:
    path = plain.cases[case]
    begin, goal, state = found.start_place(path), found.goal_place(path), found.state(path)
    until = found.watched_until()
    over = path[-1 if goal is None else goal].us
    assert over is not None
    known = state in ("converted", "dropped") and (until is None or over <= until)
    names = tuple(event.activity for event in path)
    return Journey(
        case, plain.customer_of[case], names[begin:], names[begin:goal], state, state if known else None
    )


def without_goal(world: World) -> tuple[EventLog, list[Journey]]:
    """The log before anything is said of journeys."""
    log = read(world)
    frame = log.to_frame()
    paths = {case: tuple(part["activity"]) for case, part in frame.groupby("case_id")}
    who = dict(zip(frame["case_id"], frame["customer_id"], strict=True))
    return log, [Journey(case, who[case], path, path, None, None) for case, path in sorted(paths.items())]
