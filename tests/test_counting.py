"""Counts that leave the engine: by unit and cell, folded above 500 activities, by slices of time, money as integers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from tests import oracle

from journeymine.counting.drops import count_audience, count_drops, count_reach, count_values, slice_of_time
from journeymine.counts.chain import DROP, GOAL
from journeymine.reading import read_log
from journeymine.sql.chain import scope_condition

if TYPE_CHECKING:
    from journeymine.log import EventLog

HOUR, DAY = oracle.HOUR, oracle.DAY
START = 1_767_225_600_000_000


def make(rows: list[tuple[Any, ...]], columns: str = "case what at", **roles: Any) -> EventLog:
    names = columns.split()
    table = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    if "at" in names:
        table["at"] = [START + int(h * HOUR) for h in table["at"]]
        roles = {"timestamp": "at", "time_unit": "us", **roles}
    return read_log(pa.table(table), case_id="case", activity="what", threads=1, **roles)


ROWS = [
    ("1", "visit", 0, "k1", "web"), ("1", "basket", 1, "k1", "app"), ("1", "buy", 3, "k1", "web"),
    ("1", "visit", 4, "k1", "web"),
    ("2", "visit", 10, "k1", "web"), ("2", "visit", 12, "k1", "web"),
    ("3", "buy", 20, "k2", "app"),
    ("4", "visit", 30, "k3", "app"), ("4", "basket", 31, "k3", "app"), ("4", "leave", 1000, "k3", "app"),
]  # fmt: skip


@pytest.fixture(scope="module")
def log() -> EventLog:
    made = make(ROWS, "case what at who channel", customer_id="who")
    return made.journeys("buy", end="leave", idle="1d", segments="channel")


def test_the_chain_by_hand(log: EventLog) -> None:
    counts = log.count_chain()
    assert counts.states == ("basket", "visit")  # to leave is no state: it says that the journey is over
    assert counts.cells == (("app",), ("web",))
    got = {
        (u, c, s, t): (n, w / HOUR)
        for u, c, s, t, n, w in zip(
            *(
                a.tolist()
                for a in (counts.unit, counts.cell, counts.source, counts.target, counts.n, counts.wait_us)
            ),
            strict=True,
        )
    }
    assert got == {
        (0, 1, 1, 0): (1, 1), (0, 1, 0, GOAL): (1, 2), (0, 1, 1, 1): (1, 2), (0, 1, 1, DROP): (1, 0),
        (2, 0, 1, 0): (1, 1), (2, 0, 0, DROP): (1, 0),
    }  # fmt: skip
    starts = zip(
        counts.start_unit.tolist(), counts.start_cell.tolist(), counts.start_state.tolist(), strict=True
    )
    assert sorted(starts) == [(0, 1, 1), (1, 0, GOAL), (2, 0, 1)]
    assert counts.start_n.sum() == counts.n_starts == 4
    assert counts.cell_customers.tolist() == [2, 1]
    assert (counts.n_visits, counts.n_unwatched, counts.n_units) == (6, 0, 3)


def test_an_end_counts_as_one_only_where_it_ends_the_journey() -> None:
    rows = [
        ("a", "x", 0), ("a", "end", 1), ("a", "x", 2), ("a", "end", 3),  # goes on after the first
        ("b", "end", 0),  # nothing before it: its own visit
        ("c", "x", 0), ("c", "end", 1), ("c", "buy", 2),
    ]  # fmt: skip
    log = make(rows).journeys("buy", end="end", idle="1h")
    counts = log.count_chain()
    moves: Counter[tuple[str, str | int]] = Counter()
    for s, t, n in zip(counts.source.tolist(), counts.target.tolist(), counts.n.tolist(), strict=True):
        moves[counts.states[s], counts.states[t] if t >= 0 else t] += n
    assert moves == {("x", "end"): 2, ("end", "x"): 1, ("x", DROP): 1, ("end", DROP): 1, ("end", GOAL): 1}
    assert log.fit_markov(n_draws=20).conversion()["estimate"] == pytest.approx(1 / 3)  # type: ignore[index]
    assert log.end_states.n == (1, 2, 0)  # type: ignore[union-attr]


def test_states_that_carry_the_attempt() -> None:
    rows = [("a", w, i) for i, w in enumerate(["x", "x", "y", "x", "x", "buy"])] + [("b", "x", 0)]
    log = make(rows).journeys("buy", idle="1h")
    counts = log.count_chain(3)
    assert counts.states == ("x #1", "x #2", "x #3+", "y #1")
    moves = {
        (counts.states[s], counts.states[t] if t >= 0 else t): n
        for s, t, n in zip(counts.source.tolist(), counts.target.tolist(), counts.n.tolist(), strict=True)
    }
    assert moves == {
        ("x #1", "x #2"): 1, ("x #2", "y #1"): 1, ("y #1", "x #3+"): 1, ("x #3+", "x #3+"): 1, ("x #3+", GOAL): 1,
        ("x #1", DROP): 1,
    }  # fmt: skip
    assert counts.activity.tolist() == [1, 1, 1, 2]
    assert log.fit_markov(attempts=3, n_draws=20).conversion()["estimate"] == pytest.approx(0.5)  # type: ignore[index]


def test_above_500_activities_the_rarest_share_a_state() -> None:
    frequent = [(f"c{i}", f"act {i:03}", j) for i in range(499) for j in range(2)]
    rare = [(f"r{i}", f"rare {i}", 0) for i in range(6)]
    log = make([*frequent, *rare, ("g", "rare 0", 0), ("g", "goal", 5)]).journeys("goal", idle="1h")
    counts = log.count_chain()
    # "rare 0" has two visits as have the frequent ones: it keeps neither more nor less than they do, by name.
    assert counts.n_states == 500
    assert counts.n_folded == 6
    assert counts.states[-1] == "(other, 6 activities)"
    assert counts.activity[-1] == -1
    assert counts.n_visits == 499 * 2 + 7
    assert counts.n[counts.source == 499].sum() == 7
    assert counts.start_n[counts.start_state == 499].sum() == 7


def test_exactly_500_activities_are_not_folded() -> None:
    rows = [(f"c{i}", f"act {i:03}", 0) for i in range(500)] + [("g", "goal", 50)]
    counts = make(rows).journeys("goal", idle="1h").count_chain()
    assert (counts.n_states, counts.n_folded) == (500, 0)


# --- drops


def test_drops_by_hand(log: EventLog) -> None:
    counts = log.count_chain()
    drops = count_drops(log.engine, log.canonical, log._visits, counts)
    visit = drops.of_state(1)
    assert (visit.n_all.sum(), visit.n.sum(), visit.drops.sum()) == (4, 4, 1)
    assert [int(visit.n[visit.unit == unit].sum()) for unit in range(3)] == [3, 0, 1]
    assert visit.drops[visit.unit == 0].sum() == 1
    assert drops.origin_us == START
    assert set(drops.slice.tolist()) <= set(range(drops.n_slices))


@pytest.mark.parametrize(
    ("hours", "slice_hours"),
    [(0, 1), (1, 1), (200, 1), (201, 6), (1200, 6), (1201, 24), (4801, 168), (33_601, 720)],
)
def test_slices_are_the_shortest_of_which_two_hundred_do(hours: int, slice_hours: int) -> None:
    log = make([("a", "x", 0.5), ("b", "x", 0.5 + hours)])
    origin, length, n = slice_of_time(log.canonical)
    assert length == slice_hours * HOUR
    assert origin is not None
    assert origin % min(slice_hours * HOUR, DAY) == 0
    assert origin <= START + HOUR // 2 < origin + length
    assert log.canonical.last_us is not None
    assert (n - 1) * length <= log.canonical.last_us - origin < n * length


def test_slices_of_a_log_that_ends_before_1970() -> None:
    log = make([("a", "x", -24 * 365 * 60 - 0.5), ("b", "x", -24 * 365 * 60 + 30)]).journeys("x", idle="1h")
    origin, length, n = slice_of_time(log.canonical)
    assert origin is not None
    assert length is not None
    assert log.canonical.first_us is not None
    assert origin <= log.canonical.first_us < origin + length
    rows = make([("a", "x", -24 * 365 * 60 - 0.5), ("b", "y", -24 * 365 * 60 + 30)]).journeys("y", idle="1h")
    drops = count_drops(rows.engine, rows.canonical, rows._visits, rows.count_chain())
    assert set(drops.slice.tolist()) <= set(range(n))


@pytest.mark.parametrize("columns", ["case what", "case what at"])
def test_without_a_calendar_there_is_one_slice(columns: str) -> None:
    shift = -START / HOUR  # to 1970
    log = make([("a", "x", shift), ("b", "x", shift + 500)], columns)
    assert slice_of_time(log.canonical) == (None, None, 1)


# --- scopes


def test_reach_and_audience_of_a_scope(log: EventLog) -> None:
    visit = log.activities.index("visit")
    for cells, period, journeys, customers in (
        (None, None, 3, 1), ([0], None, 1, 0), ([1], None, 2, 1), (None, (START, START + HOUR), 1, 0),
        (None, (START + 12 * HOUR, START + 13 * HOUR), 1, 1), ([], None, 0, 0),
    ):  # fmt: skip
        condition = scope_condition(visit, cells, period)
        unit, code, n = count_reach(log.engine, log._visits, condition)
        assert n.sum() == journeys
        assert set(code.tolist()) <= {visit}
        assert len(unit) == len(set(unit.tolist()))
        assert count_audience(log.engine, log._visits, condition).get(visit, 0) == customers


def test_reach_and_audience_of_all_activities(log: EventLog) -> None:
    unit, code, n = count_reach(log.engine, log._visits)
    got = {
        (u, log.activities[c]): k for u, c, k in zip(unit.tolist(), code.tolist(), n.tolist(), strict=True)
    }
    assert got == {(0, "visit"): 2, (0, "basket"): 1, (2, "visit"): 1, (2, "basket"): 1}
    lost = count_audience(log.engine, log._visits)
    assert {log.activities[c]: k for c, k in lost.items() if k} == {"visit": 1, "basket": 1}


def test_an_audience_counts_customers_and_reach_counts_journeys() -> None:
    rows = [(str(i), "x", i, "k") for i in range(5)]
    log = make([*rows, ("9", "buy", 100, "z")], "case what at who", customer_id="who").journeys(
        "buy", idle="1h"
    )
    x = log.activities.index("x")
    condition = scope_condition(x, None, None)
    assert count_reach(log.engine, log._visits, condition)[2].tolist() == [5]
    assert count_audience(log.engine, log._visits, condition) == {x: 1}


# --- money


def test_money_is_that_of_the_first_goal_and_exact() -> None:
    rows = [
        ("a", "x", 0, "999"), ("a", "buy", 1, "0.1"), ("a", "buy", 2, "50"), ("b", "buy", 0, "0.2"),
        ("c", "buy", 0, None), ("d", "buy", 0, "n/a"), ("e", "x", 0, "7"),
    ]  # fmt: skip
    log = make(rows, "case what at amount", value="amount").journeys("buy", idle="1h")
    assert log.found is not None
    column = log.engine.dialect.quote("amount")
    unit, _, money, n = count_values(log.engine, log.canonical, log.found, log.raw.table, column)
    # A goal without a readable value says nothing about what a goal is worth.
    assert unit.tolist() == [0, 1]
    assert money.tolist() == [0.1, 0.2]
    assert n.tolist() == [1, 1]


# --- activities


def test_activities_by_hand(log: EventLog) -> None:
    counts = log.activity_counts
    assert log.activities == ("basket", "buy", "leave", "visit")
    assert counts.n.tolist() == [2, 2, 1, 5]
    assert counts.n_cases.tolist() == [2, 2, 1, 3]
    assert counts.places.tolist() == [4, 4, 3, 3]
    assert counts.unit_cases.tolist() == [2, 1, 1]
    by_unit = dict(
        zip(zip(counts.unit.tolist(), counts.code.tolist(), strict=True), counts.unit_n.tolist(), strict=True)
    )
    assert by_unit == {(0, 0): 1, (0, 1): 1, (0, 3): 4, (1, 1): 1, (2, 0): 1, (2, 2): 1, (2, 3): 1}


def test_departures_wait_for_whatever_comes_next(log: EventLog) -> None:
    waits = log.departure_waits
    found = [None if w is None else (w["estimate"], w["n"]) for w in waits]
    # visit: 1, 2 and 1 hours; basket: 2 and 969; buy: 1; nothing follows a leave.
    assert found == [(485.5 * 3600, 2), (3600.0, 1), None, (3600.0, 3)]


def test_counts_are_small_whatever_the_engine_sums_in() -> None:
    log = make(
        [("a", "x", 0), ("a", "buy", 24 * 365 * 100), ("b", "x", 0), ("b", "buy", 24 * 365 * 100)]
    ).journeys("buy")
    counts = log.count_chain()
    assert counts.wait_us.tolist() == [365 * 100 * DAY, 365 * 100 * DAY]
    assert counts.wait_us.dtype == np.float64
    assert all(
        a.dtype == np.int64 for a in (counts.unit, counts.cell, counts.source, counts.target, counts.n)
    )
