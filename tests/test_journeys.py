"""Journeys: cut by silence, ended by the end of the log and never by today, the goal does not cut, idle is stated."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import oracle

from journeymine.errors import LogSchemaError, NotEnoughDataError, OptionError
from journeymine.journeys import LADDER_US, automatic_idle
from journeymine.reading import read_log

if TYPE_CHECKING:
    from journeymine.log import EventLog

HOUR, DAY = oracle.HOUR, oracle.DAY
START = 1_767_225_600_000_000


def make(rows: list[tuple[Any, ...]], columns: str = "case what at", **roles: Any) -> EventLog:
    """A log from tuples; times are hours since the start of 2026."""
    names = columns.split()
    table = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    if "at" in names:
        table["at"] = [START + h * HOUR for h in table["at"]]
        roles = {"timestamp": "at", "time_unit": "us", **roles}
    return read_log(pa.table(table), **{"case_id": "case", "activity": "what", "threads": 1, **roles})


def by_customer(rows: list[tuple[Any, ...]]) -> EventLog:
    return make(rows, case_id=None, customer_id="case")


def states(log: EventLog) -> dict[str, int | None]:
    assert log.found is not None
    tables = f"{log.found.table} AS j JOIN {log.canonical.case_ids} AS i ON i.case_key = j.case_key"
    found = log.engine.fetch_table(f"SELECT i.case_id, j.state FROM {tables}")
    return dict(zip(found["case_id"].to_pylist(), found["state"].to_pylist(), strict=True))


def sessions(log: EventLog) -> dict[str, list[str]]:
    frame = log.to_frame()
    return {str(case): part["activity"].tolist() for case, part in frame.groupby("case_id")}


# --- sessions


def test_a_customer_is_cut_where_nothing_happened_for_idle() -> None:
    log = by_customer([("k", "a", 0), ("k", "b", 5), ("k", "c", 15), ("k", "d", 24), ("l", "a", 3)])
    assert log.n_cases == 2
    cut = log.journeys(idle="10h")
    assert sessions(cut) == {"k #1": ["a", "b"], "k #2": ["c", "d"], "l #1": ["a"]}
    assert (cut.n_cases, cut.n_customers) == (3, 2)
    assert sessions(log.journeys(idle=timedelta(hours=10, microseconds=1))) == {
        "k #1": ["a", "b", "c", "d"],
        "l #1": ["a"],
    }


def test_silence_is_counted_from_the_end_of_an_event() -> None:
    rows = [("k", "call", 0, 8), ("k", "mail", 12, 12), ("k", "visit", 30, 30)]
    table = {
        "who": [row[0] for row in rows], "what": [row[1] for row in rows],
        "at": [START + row[2] * HOUR for row in rows], "until": [START + row[3] * HOUR for row in rows],
    }  # fmt: skip
    roles: dict[str, Any] = {"timestamp": "at", "end_timestamp": "until", "time_unit": "us"}
    log = read_log(pa.table(table), customer_id="who", activity="what", **roles)
    assert sessions(log.journeys(idle="10h")) == {"k #1": ["call", "mail"], "k #2": ["visit"]}


def test_the_goal_does_not_cut() -> None:
    log = by_customer([("k", "a", 0), ("k", "buy", 1), ("k", "thank", 2)]).journeys("buy", idle="10h")
    assert sessions(log) == {"k #1": ["a", "buy", "thank"]}
    assert log.count_chain().n_visits == 1


def test_with_a_case_id_nothing_is_cut() -> None:
    log = make([("k", "a", 0), ("k", "b", 1000)]).journeys(idle="1h")
    assert sessions(log) == {"k": ["a", "b"]}


def test_without_times_a_customer_is_one_journey() -> None:
    log = make([("k", "a"), ("k", "b")], "case what", case_id=None, customer_id="case").journeys(
        "b", idle="1h"
    )
    assert sessions(log) == {"k": ["a", "b"]}
    assert log.found is not None
    assert log.found.idle.us is None


def test_the_parts_of_customers_whose_names_look_like_parts_stay_apart() -> None:
    log = by_customer([("a", "x", 0), ("a #1", "y", 0), ("a", "x", 50), ("a #1", "y", 50)]).journeys(
        idle="10h"
    )
    assert set(sessions(log)) == {"a #1", "a #2", "a #1 #1", "a #1 #2"}
    assert log.n_customers == 2


def test_cutting_again_starts_from_the_whole_log() -> None:
    log = by_customer([("k", "a", 0), ("k", "b", 5), ("k", "c", 100)])
    assert log.journeys(idle="2h").journeys(idle="10h").n_cases == 2
    assert log.journeys(idle="2h").n_cases == 3
    assert log.n_cases == 1


# --- end states


def test_end_states_at_their_borders() -> None:
    rows = [
        ("bought", "a", 0), ("bought", "buy", 99), ("silent", "a", 90), ("almost", "a", 91), ("last", "a", 100),
        ("refused", "a", 98), ("refused", "no", 99), ("came back", "no", 98), ("came back", "a", 99),
    ]  # fmt: skip
    log = make(rows).journeys("buy", end="no", idle="10h")
    assert states(log) == {"bought": 0, "silent": 1, "almost": 2, "last": 2, "refused": 1, "came back": 2}
    assert log.end_states is not None
    assert log.end_states.n == (1, 2, 3)
    assert log.end_states.share.estimate.tolist() == [1 / 6, 2 / 6, 3 / 6]
    assert log.end_states.share.n.tolist() == [6, 6, 6]
    assert log.end_states_at(5 * HOUR).n == (1, 3, 2)
    assert log.end_states_at(HOUR).n == (1, 4, 1)
    assert log.end_states_at(1000 * HOUR).n == (1, 1, 4)


def test_a_log_without_times_leaves_nothing_open() -> None:
    log = make([("a", "x"), ("a", "buy"), ("b", "x")], "case what").journeys("buy")
    assert states(log) == {"a": 0, "b": 1}
    assert log.end_states is not None
    assert log.end_states.n == (1, 1, 0)


def test_a_log_in_the_past_or_in_the_future_ends_with_its_last_event() -> None:
    for years in (-50, 0, 100):
        shift = years * 365 * 24
        log = make([("a", "x", shift), ("b", "x", shift + 100)]).journeys("x", idle="10h")
        assert log.end_states is not None
        assert log.end_states.n == (2, 0, 0)
        open_ = make([("a", "x", shift), ("b", "x", shift + 95), ("c", "y", shift + 100)]).journeys(
            "y", idle="10h"
        )
        assert open_.end_states is not None
        assert open_.end_states.n == (1, 1, 1)


def test_journeys_that_never_start_have_no_end_state_and_are_counted() -> None:
    rows = [
        ("bought before", "buy", 0), ("bought before", "start", 1), ("bought before", "x", 2),
        ("never", "x", 0), ("never", "buy", 1),
        ("straight", "start", 0), ("straight", "buy", 1),
        ("late", "x", 48), ("late", "start", 49), ("late", "buy", 50),
    ]  # fmt: skip
    log = make(rows).journeys("buy", start="start", idle="1h")
    assert states(log) == {"bought before": 1, "never": None, "straight": 0, "late": 0}
    assert log.found is not None
    assert log.found.n_not_started == 1
    assert log.end_states is not None
    assert log.end_states.n == (2, 1, 0)
    counts = log.count_chain()
    assert (counts.n_starts, counts.states, counts.n_visits) == (3, ("start", "x"), 4)
    assert log.fit_markov(n_draws=50).conversion()["estimate"] == pytest.approx(2 / 3)  # type: ignore[index]


def test_without_a_goal_there_are_no_end_states_and_no_chain() -> None:
    log = make([("a", "x", 0)]).journeys()
    assert log.end_states is None
    for call in (log.count_chain, log.fit_markov, log.rank_fixes):
        with pytest.raises(NotEnoughDataError, match="no goal"):
            call()


def test_before_journeys_are_defined_the_error_says_how() -> None:
    with pytest.raises(NotEnoughDataError, match=r"log\.journeys"):
        make([("a", "x", 0)]).count_chain()


# --- watched visits


def test_a_visit_enters_the_chain_only_if_it_was_watched_for_idle() -> None:
    rows = [
        ("a", "x", 0),
        ("a", "y", 95),
        ("b", "x", 91),
        ("b", "buy", 92),
        ("c", "x", 90),
        ("c", "buy", 99),
        ("d", "x", 100),
    ]
    log = make(rows).journeys("buy", idle="10h")
    counts = log.count_chain()
    assert log.found is not None
    assert log.found.last_start_us == START + 90 * HOUR
    # Of the five visits before a goal only two began by hour 90; a's move leads into y, which nobody watched.
    assert (counts.states, counts.n_visits, counts.n_unwatched) == (("x",), 1, 4)


def test_when_nothing_is_open_every_visit_counts() -> None:
    log = make([("a", "x", 0), ("a", "buy", 99), ("b", "x", 99), ("b", "no", 100)]).journeys(
        "buy", end="no", idle="10h"
    )
    assert log.found is not None
    assert log.found.last_start_us is None
    assert log.count_chain().n_visits == 2  # and an end is no visit


# --- idle


@given(st.lists(st.lists(st.integers(0, 24 * 400), min_size=1, max_size=8), min_size=1, max_size=6))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_the_automatic_idle_is_the_stated_rule(cases: list[list[int]]) -> None:
    rows = [(f"c{i}", "x", hour) for i, hours in enumerate(cases) for hour in hours]
    log = make(rows)
    plain = [{"case": c, "what": w, "at": START + h * HOUR} for c, w, h in rows]
    expected = oracle.read(plain, case_id="case", activity="what", timestamp="at").automatic_idle()
    found = automatic_idle(log.engine, log.canonical)
    assert (found.us, found.chosen) == (expected, "auto")
    assert found.us in LADDER_US


def test_only_waits_count_for_the_automatic_idle_not_the_ends_of_cases() -> None:
    # Forty short cases whose one wait is nine days: that is the usual wait, however many cases end.
    rows = [(f"c{i}", "x", 24 * i + h) for i in range(40) for h in (0, 9 * 24)]
    rows += [(f"s{i}", "x", i) for i in range(900)]
    log = make(rows).journeys("x")
    assert log.found is not None
    assert log.found.idle.us == 10 * DAY


def test_the_automatic_idle_is_at_most_a_quarter_of_the_log() -> None:
    log = make([("a", "x", 0), ("a", "x", 40 * 24)]).journeys("x")
    assert log.found is not None
    assert (log.found.idle.us, log.found.idle.chosen) == (10 * DAY, "auto")


def test_a_single_event_has_the_smallest_idle() -> None:
    log = make([("a", "x", 0)]).journeys("x")
    assert log.found is not None
    assert log.found.idle.us == HOUR // 2


@pytest.mark.parametrize("idle", ["", "x", "-1d", "0h", "3 months", "1m", 5, None, "auto ", timedelta(0)])
def test_an_idle_that_is_none_is_refused(idle: Any) -> None:
    with pytest.raises(OptionError):
        make([("a", "x", 0)]).journeys(idle=idle)


# --- names


@pytest.mark.parametrize("role", ["goal", "end", "start"])
def test_a_misspelt_activity_is_refused_with_the_nearest_name(role: str) -> None:
    log = make([("a", "Order placed", 0), ("a", "Visit", 1)])
    with pytest.raises(OptionError) as caught:
        log.journeys(**{role: "order placd"})
    assert caught.value.exit_code == 2
    assert f"{role} 'order placd'" in caught.value.problem
    assert caught.value.hint == "did you mean 'Order placed'?"
    assert caught.value.found == "Order placed, Visit."


def test_a_misspelt_segment_is_refused_with_the_nearest_column() -> None:
    with pytest.raises(LogSchemaError) as caught:
        make([("a", "x", 0, "web")], "case what at platform").journeys("x", segments="plattform")
    assert caught.value.hint == "did you mean 'platform'?"
    assert caught.value.exit_code == 2


def test_several_goals_any_of_them_counts() -> None:
    log = make([("a", "x", 0), ("b", "y", 0), ("c", "z", 0)]).journeys(["x", "y"], idle="1h")
    assert states(log) == {"a": 0, "b": 0, "c": 2}


# --- segments


def test_a_journey_has_the_values_of_its_first_event_and_missing_is_a_value() -> None:
    rows = [
        ("a", "x", 0, "web", 1), ("a", "y", 1, "app", 2), ("b", "x", 0, None, 1), ("c", "x", 0, "", None),
        ("d", "x", 0, "(missing)", 1), ("e", "x", 0, " ", 1),
    ]  # fmt: skip
    log = make(rows, "case what at channel tier").journeys("y", segments=["channel", "tier"])
    assert log.found is not None
    assert log.found.cells == ((" ", "1"), ("(missing)", "(missing)"), ("(missing)", "1"), ("web", "1"))


def test_a_session_has_the_values_of_its_own_first_event() -> None:
    rows = [("k", "x", 0, "web"), ("k", "y", 1, "app"), ("k", "x", 100, "shop"), ("k", "y", 101, "app")]
    log = make(rows, "case what at channel", case_id=None, customer_id="case").journeys(
        "y", idle="10h", segments="channel"
    )
    counts = log.count_chain()
    assert counts.cells == (("shop",), ("web",))
    assert counts.cell_customers.tolist() == [1, 1]
