"""The engine against the oracle, exactly equal, on generated logs: ties, copies, gaps, hostile names, no clock."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from tests import oracle

from journeymine.counting.drops import count_audience, count_drops, count_reach
from journeymine.counts.chain import DROP, GOAL
from journeymine.errors import DataError
from journeymine.reading import read_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from journeymine.counts.chain import ChainCounts
    from journeymine.log import EventLog

# More examples, and the smallest that fails: JOURNEYMINE_EXAMPLES=500.
EXAMPLES = int(os.environ.get("JOURNEYMINE_EXAMPLES", "0"))

START_US = 1_767_225_600_000_000
FAR = 10**18  # no time: beyond the year 2200
IDS = (
    "a", "b", "NA", "null", "None", "007", "7", "1e5", "100000", "'; DROP TABLE x; --", "</script>", "two\nlines",
    "🛒", "שלום", "a #1", " padded ", "", "  ", None,
)  # fmt: skip
CUSTOMERS = ("K1", "K2", "K 'three'", "nan", "\u202eK", " ", None)
NAMES = (
    "visit", "Visit", "buy", "pay", "'; DROP TABLE x; --", "</script>", "a\nb", "😀", "مرحبا", "NULL", "1", "10", "é",
    "z" * 490, "", "   ", "\t", "\n", None,
)  # fmt: skip
SEGMENT_VALUES = ("mobile", "desktop", "(missing)", "it's", "NA", "", None)
COLUMNS = (
    "order", "select", "at", 'my "col" x', "it's", "time\nstamp", "💥", "row", "case_key", "position", "rowid", "code",
    "name",
)  # fmt: skip


@st.composite
def sources(draw: st.DrawFn, *, timed: bool = True, by: str = "case") -> dict[str, Any]:
    """A log as rows, the roles of its columns, and how it is to be read."""
    roles = ["case", "customer", "activity", "time", "end", "order", "segment", "number"]
    names = draw(st.permutations(COLUMNS))
    column = dict(zip(roles, names, strict=False))
    ids = draw(st.lists(st.sampled_from(IDS), min_size=1, max_size=4))
    acts = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5))
    order = draw(
        st.sampled_from((None, "number", "digits", "words") if timed else (None, "number", "digits"))
    )
    orders = {
        "number": st.integers(-3, 12),
        "digits": st.integers(-3, 12).map(str),
        "words": st.sampled_from(("2", "10", "b", "é")),
    }
    hours = st.integers(0, 60).map(lambda h: START_US + h * oracle.HOUR)
    one = st.fixed_dictionaries(
        {
            column["case"]: st.sampled_from(ids),
            column["customer"]: st.sampled_from(CUSTOMERS),
            column["activity"]: st.sampled_from(acts),
            column["time"]: st.one_of(hours, hours, hours, st.sampled_from((START_US, None, FAR))),
            column["end"]: st.one_of(st.none(), hours),
            column["order"]: st.one_of(st.none(), orders[order], orders[order])
            if order and timed
            else orders.get(order or "", st.none()),
            column["segment"]: st.sampled_from(SEGMENT_VALUES),
            column["number"]: st.integers(1, 2),
        }
    )
    rows = draw(st.lists(one, min_size=1, max_size=25))
    copies = draw(st.lists(st.integers(0, len(rows) - 1), max_size=3))
    rows += [dict(rows[i]) for i in copies]
    if (
        not timed and order is None
    ):  # without time and order nothing ties, so nothing can be told to be a copy
        rows = [{**row, column["number"]: i} for i, row in enumerate(rows)]
    has_end = timed and draw(st.booleans()) and any(row[column["end"]] is not None for row in rows)
    read: dict[str, Any] = {"activity": column["activity"]}
    if by == "case":
        read["case_id"] = column["case"]
        read["customer_id"] = column["customer"] if draw(st.booleans()) else None
    else:
        read["customer_id"] = column["case"]
    read["timestamp"] = column["time"] if timed else None
    read["end_timestamp"] = column["end"] if has_end else None
    read["order"] = column["order"] if order else None
    read["duplicates"] = draw(st.sampled_from(("keep", "drop")))
    return {"rows": rows, "read": read, "segment": column["segment"], "order": order, "column": column}


def arrow(source: dict[str, Any]) -> pa.Table:
    column = source["column"]
    numbers = {column["time"], column["end"], column["number"]}
    if source["order"] == "number":
        numbers.add(column["order"])
    return pa.table(
        {
            name: pa.array(
                [row[name] for row in source["rows"]], pa.int64() if name in numbers else pa.string()
            )
            for name in column.values()
        }
    )


def both(source: dict[str, Any]) -> tuple[EventLog, oracle.Log] | None:
    """The log read by the engine and by the oracle; None, after checking the refusal, if no event can be used."""
    expected = oracle.read(source["rows"], **source["read"])
    options = {**source["read"], "time_unit": "us"}
    if not expected.n_events:
        with pytest.raises(DataError):
            read_log(arrow(source), **options)
        return None
    return read_log(arrow(source), **options, threads=1), expected


def thorough(n: int) -> Callable[..., Any]:
    return settings(
        max_examples=EXAMPLES or n,
        deadline=None,
        derandomize=not EXAMPLES,
        phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if EXAMPLES else [])],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def assert_same_events(log: EventLog, expected: oracle.Log) -> None:
    frame = log.to_frame()
    timed = expected.last_us is not None
    times = frame["time_us"].tolist() if timed else [None] * len(frame)
    got = zip(
        frame["case_id"], frame["customer_id"], frame["position"], frame["activity"], times, strict=True
    )
    assert sorted(got) == expected.places()
    assert frame["time_us"].isna().all() or timed
    assert log.n_events == expected.n_events
    assert log.n_cases == len(expected.cases)
    assert log.n_customers == len(expected.customers)
    assert (log.canonical.first_us, log.canonical.last_us) == (expected.first_us, expected.last_us)
    assert log.activities == expected.activities


def assert_same_ledger(log: EventLog, expected: oracle.Log) -> None:
    ledger = log.ledger
    assert ledger.rows_read == expected.n_rows
    assert ledger.rows_kept == expected.n_events
    assert ledger.rows_read == ledger.rows_kept + sum(entry.n for entry in ledger.rejected)
    assert {entry.rule: entry.n for entry in ledger.rejected} == dict(expected.rejected)
    # What is odd about an order column is tested by hand.
    noted = {entry.rule: entry.n for entry in ledger.noted if "order" not in entry.rule}
    assert noted == {rule: n for rule, n in expected.noted.items() if "order" not in rule}
    assert ledger.ties == expected.ties
    for entry in (*ledger.rejected, *ledger.noted):
        assert 1 <= len(entry.examples) <= 5
        assert list(entry.examples) == sorted(entry.examples)


def assert_same_counts(log: EventLog, expected: oracle.Log) -> None:
    transitions = log.transitions()
    edges, names = transitions.counts, log.activities
    timed = expected.last_us is not None
    got = {
        (names[s], names[t]): oracle.Edge(n, n_cases, m if timed else None)
        for s, t, n, n_cases, m in zip(
            *(
                x.tolist()
                for x in (edges.source, edges.target, edges.n, transitions.n_cases, edges.median_us)
            ),
            strict=True,
        )
    }
    assert got == expected.edges()
    assert sum(edge.n for edge in got.values()) == log.n_events - log.n_cases
    departures: Counter[str] = Counter()
    for (source, _), edge in got.items():
        departures[source] += edge.n
    shares = [edge.n / departures[pair[0]] for pair, edge in got.items()]
    assert transitions.share.estimate.tolist() == shares
    assert transitions.share.n.tolist() == [departures[source] for source, _ in got]
    if transitions.wait_s is not None:
        assert (transitions.wait_s.lower <= transitions.wait_s.estimate).all()
        assert (transitions.wait_s.estimate <= transitions.wait_s.upper).all()
    assert_same_variants(log, expected)
    assert_same_activities(log, expected)


def assert_same_variants(log: EventLog, expected: oracle.Log) -> None:
    counts, names = log.variants(3).counts, log.activities
    got = [(tuple(names[c] for c in path), int(n)) for path, n in zip(counts.paths, counts.n, strict=True)]
    every = expected.variants()
    assert got == every[:3]
    assert counts.n_variants == len(every)
    assert log.variants(3).n_rest == sum(n for _, n in every[3:])


def assert_same_activities(log: EventLog, expected: oracle.Log) -> None:
    counts, waits = log.activity_counts, log.departure_waits
    got = {
        name: (int(counts.n[c]), int(counts.n_cases[c]), int(counts.places[c]))
        for c, name in enumerate(log.activities)
        if counts.n[c]
    }
    assert got == expected.activity_counts()
    medians = expected.departure_medians()
    for name, wait in zip(log.activities, waits, strict=True):
        if name in medians:
            assert wait is not None
            assert wait["estimate"] == pytest.approx(medians[name] * 1e-6, rel=1e-12)
        else:
            assert wait is None


@given(sources())
@thorough(20)
def test_a_log_with_times(source: dict[str, Any]) -> None:
    if (found := both(source)) is None:
        return
    log, expected = found
    event(f"ties {sum(expected.ties.values()) > 0}, rejected {sum(expected.rejected.values()) > 0}")
    assert_same_events(log, expected)
    assert_same_ledger(log, expected)
    assert_same_counts(log, expected)


@given(sources(timed=False))
@thorough(12)
def test_a_log_without_any_time(source: dict[str, Any]) -> None:
    if (found := both(source)) is None:
        return
    log, expected = found
    assert log.clock == "none"
    assert_same_events(log, expected)
    assert_same_ledger(log, expected)
    assert_same_counts(log, expected)
    assert log.transitions().wait_s is None


def by_name(counts: ChainCounts, customers: list[str]) -> Counter[tuple[str, tuple[str, ...], str, str]]:
    target = {GOAL: oracle.GOAL, DROP: oracle.DROPPED, **dict(enumerate(counts.states))}
    got: Counter[tuple[str, tuple[str, ...], str, str]] = Counter()
    rows = zip(counts.unit, counts.cell, counts.source, counts.target, counts.n, strict=True)
    for unit, cell, source, to, n in rows:
        got[customers[unit], counts.cells[cell], counts.states[source], target[to]] += int(n)
    return got


def assert_same_chain(log: EventLog, expected: oracle.Journeys, attempts: int) -> None:
    counts = log.count_chain(attempts)
    customers = sorted(expected.log.customers)
    assert set(counts.states) == expected.states_visited(attempts)
    assert by_name(counts, customers) == expected.chain(attempts)
    assert counts.n_unwatched == expected.n_unwatched(attempts)
    waits: Counter[tuple[str, str]] = Counter()
    target = {GOAL: oracle.GOAL, DROP: oracle.DROPPED, **dict(enumerate(counts.states))}
    for source, to, wait in zip(counts.source, counts.target, counts.wait_us, strict=True):
        waits[counts.states[source], target[to]] += int(wait)
    assert waits == expected.waits(attempts)
    if attempts == 1:
        starts = {
            (
                customers[unit],
                counts.cells[cell],
                oracle.GOAL if state == GOAL else counts.states[state],
            ): int(n)
            for unit, cell, state, n in zip(
                counts.start_unit, counts.start_cell, counts.start_state, counts.start_n, strict=True
            )
        }
        assert starts == expected.starts()
        cells = expected.customers_of_cells()
        assert counts.cell_customers.tolist() == [cells.get(cell, 0) for cell in counts.cells]
        assert list(counts.cells) == sorted({expected.cell(case) for case in expected.log.cases})


def assert_same_drops(log: EventLog, expected: oracle.Journeys) -> None:
    counts = log.count_chain()
    drops = count_drops(log.engine, log.canonical, log._visits, counts)
    got: dict[str, tuple[int, int, int]] = {}
    for state, n_all, n, lost in zip(drops.state, drops.n_all, drops.n, drops.drops, strict=True):
        before = got.get(counts.states[state], (0, 0, 0))
        got[counts.states[state]] = (before[0] + int(n_all), before[1] + int(n), before[2] + int(lost))
    visited = expected.states_visited()
    assert got == {name: found for name, found in expected.drops().items() if name in visited}
    reached: Counter[str] = Counter()
    for code, n in zip(*count_reach(log.engine, log._visits)[1:], strict=True):
        reached[log.activities[code]] += int(n)
    lost_at = {log.activities[code]: n for code, n in count_audience(log.engine, log._visits).items()}
    for name in log.activities:
        assert reached[name] == expected.reach(name)
        assert lost_at.get(name, 0) == expected.audience(name)


def assert_same_journeys(log: EventLog, expected: oracle.Journeys) -> None:
    assert log.end_states is not None
    assert log.end_states.n == expected.n_by_state()
    assert log.found is not None
    assert log.found.n_open == expected.n_by_state()[2]
    assert log.found.n_not_started == sum(state is None for state in expected.states().values())
    assert log.found.last_start_us == expected.watched_until()
    by_variant: Counter[tuple[tuple[str, ...], str]] = Counter()
    for case, state in expected.states().items():
        if state is not None:
            by_variant[tuple(e.activity for e in expected.log.cases[case]), state] += 1
    counts = log.variants(100).counts
    assert counts.n_by_state is not None
    for path, n in zip(counts.paths, counts.n_by_state.tolist(), strict=True):
        names = tuple(log.activities[c] for c in path)
        assert n == [by_variant[names, state] for state in oracle.STATES]


JOURNEY = st.fixed_dictionaries(
    {
        "goal": st.sets(st.integers(0, 9), min_size=1, max_size=2),
        "end": st.sets(st.integers(0, 9), max_size=1),
        "start": st.sets(st.integers(0, 9), max_size=1),
        "hours": st.integers(1, 70),
        "segmented": st.booleans(),
        "attempts": st.integers(1, 3),
    }
)


def settle(log: EventLog, expected: oracle.Log, source: dict[str, Any], journey: dict[str, Any]) -> None:
    """Define the same journeys on both sides and compare everything that is counted on them."""
    names = expected.activities
    roles = {
        role: sorted({names[i % len(names)] for i in journey[role]}) for role in ("goal", "end", "start")
    }
    segments = [source["segment"]] if journey["segmented"] else []
    found = log.journeys(**roles, idle=f"{journey['hours']}h", segments=segments)
    idle_us = None if expected.last_us is None else journey["hours"] * oracle.HOUR
    whole = expected
    if source["read"].get("case_id") is None and idle_us is not None:
        expected = expected.cut(idle_us)
    judged = expected.journeys(**roles, idle_us=idle_us, segments=segments)
    event(f"open {judged.n_by_state()[2] > 0}, all lost {judged.n_by_state()[0] == 0}")
    assert_same_events(found, expected)
    assert_same_journeys(found, judged)
    assert_same_chain(found, judged, 1)
    if journey["attempts"] > 1:
        assert_same_chain(found, judged, journey["attempts"])
    if judged.starts():
        assert_same_drops(found, judged)
    assert found.ledger.rows_kept == whole.n_events


@given(sources(), JOURNEY)
@thorough(15)
def test_journeys_of_cases(source: dict[str, Any], journey: dict[str, Any]) -> None:
    if (found := both(source)) is not None:
        settle(*found, source, journey)


@given(sources(by="customer"), JOURNEY)
@thorough(15)
def test_journeys_cut_by_silence(source: dict[str, Any], journey: dict[str, Any]) -> None:
    if (found := both(source)) is not None:
        settle(*found, source, journey)
        log, expected = found
        assert_same_counts(
            log.journeys(idle=f"{journey['hours']}h"), expected.cut(journey["hours"] * oracle.HOUR)
        )


@given(sources(timed=False), JOURNEY)
@thorough(8)
def test_journeys_without_any_time(source: dict[str, Any], journey: dict[str, Any]) -> None:
    if (found := both(source)) is not None:
        settle(*found, source, journey)


MOMENTS = st.builds(
    lambda day, minute: dt.datetime(2026, 1, 1) + dt.timedelta(days=day, minutes=minute),
    st.integers(0, 40),
    st.sampled_from((0, 90, 600)),
)
WRITTEN = st.one_of(
    MOMENTS.map(lambda t: t.isoformat(sep=" ")),
    MOMENTS.map(lambda t: t.isoformat(timespec="milliseconds") + "Z"),
    MOMENTS.map(lambda t: t.isoformat() + "+02:00"),
    MOMENTS.map(lambda t: t.isoformat(sep=" ") + "-0330"),
    st.sampled_from(("soon", "", " ", None, "2026-02-30", "2026-01-01", "0000-00-00")),
)


def written_us(zone: str) -> Callable[[object], int | None]:
    """Microseconds of a written time; what names no offset is a time of `zone`."""

    def read(value: object) -> int | None:
        try:
            moment = dt.datetime.fromisoformat(str(value).strip())
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(zone))
        return (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)

    return read


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "id": st.sampled_from(("a", "NA", "007")),
                "what": st.sampled_from(("x", "y", "")),
                "when": WRITTEN,
                "rank": st.sampled_from(("2", "10", "-1")),
            }
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(("UTC", "Europe/Paris", "America/St_Johns")),
    st.sampled_from((None, "rank")),
)
@thorough(10)
def test_a_log_with_written_times(rows: list[dict[str, Any]], zone: str, order: str | None) -> None:
    roles: dict[str, Any] = {"case_id": "id", "activity": "what", "timestamp": "when", "order": order}
    expected = oracle.read(rows, **roles, time_us=written_us(zone))
    frame = pd.DataFrame(rows, columns=["id", "what", "when", "rank"], dtype=object)
    if not expected.n_events:
        with pytest.raises(DataError):
            read_log(frame, **roles, timezone=zone)
        return
    log = read_log(frame, **roles, timezone=zone, threads=1)
    ledger = log.ledger
    naive = next((entry.n for entry in ledger.noted if entry.rule == "naive_times"), 0)
    if not expected.rejected:
        assert naive == sum(not re.search(r"Z$|[+-]\d\d:?\d\d$", row["when"]) for row in rows)
    assert_same_events(log, expected)
    assert ledger.ties == expected.ties
    assert {entry.rule: entry.n for entry in ledger.rejected} == dict(expected.rejected)
    assert_same_counts(log, expected)
