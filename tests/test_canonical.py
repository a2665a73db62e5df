"""Canonical events: order, ties, waits, ids that stay text, clocks, customers, buckets, collisions, hostile names."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests import oracle

from journeymine.engine.dialect import Dialect
from journeymine.errors import DataError, LogSchemaError, OptionError
from journeymine.reading import read_log

if TYPE_CHECKING:
    from pathlib import Path

    from journeymine.log import EventLog

HOUR = oracle.HOUR
START = 1_767_225_600_000_000


def make(rows: list[tuple[Any, ...]], columns: str = "case what at", **roles: Any) -> EventLog:
    """A log from tuples; times are hours since the start of 2026."""
    names = columns.split()
    table = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    for name in ("at", "until"):
        if name in table:
            table[name] = [None if h is None else START + h * HOUR for h in table[name]]
    if "at" in names:
        roles = {"timestamp": "at", "time_unit": "us", **roles}
    return read_log(pa.table(table), case_id="case", activity="what", threads=1, **roles)


def paths(log: EventLog) -> dict[str, list[str]]:
    frame = log.to_frame().sort_values(["case_id", "position"])
    return {str(case): part["activity"].tolist() for case, part in frame.groupby("case_id")}


def events(log: EventLog, column: str) -> list[Any]:
    """A column of the canonical table, by case and position."""
    canonical = log.canonical
    tables = f"{canonical.events} AS e JOIN {canonical.case_ids} AS i ON i.case_key = e.case_key"
    found = log.engine.fetch_table(f"SELECT e.{column} AS v FROM {tables} ORDER BY i.case_id, e.position")
    values: list[Any] = found["v"].to_pylist()
    return values


# --- order


def test_time_decides_then_the_order_column_then_the_file() -> None:
    rows = [("a", "third", 1, 5), ("a", "first", 0, 9), ("a", "fourth", 1, 5), ("a", "second", 1, 2)]
    log = make(rows, "case what at rank", order="rank")
    assert paths(log) == {"a": ["first", "second", "third", "fourth"]}
    assert log.ledger.ties == {"order_column": 1, "file_order": 1, "activity_name": 0}
    assert events(log, "tie") == [0, 1, 2, 0]


@pytest.mark.parametrize(
    ("ranks", "expected"),
    [
        (["10", "2", "-1"], ["c", "b", "a"]),
        (["1.5", "1.25", "1e1"], ["b", "a", "c"]),
        (["10", "2", "b"], ["a", "b", "c"]),
        ([10, 2, -1], ["c", "b", "a"]),
        ([1.5, 1.25, 10.0], ["b", "a", "c"]),
        ([dt.date(2026, 1, 3), dt.date(2026, 1, 2), dt.date(2026, 1, 1)], ["c", "b", "a"]),
    ],
)
def test_numbers_order_as_numbers_also_where_they_are_text(ranks: list[Any], expected: list[str]) -> None:
    rows = [("k", name, 0, rank) for name, rank in zip("abc", ranks, strict=True)]
    assert paths(make(rows, "case what at rank", order="rank")) == {"k": expected}
    assert paths(make([(c, w, r) for c, w, _, r in rows], "case what rank", order="rank")) == {"k": expected}


def test_an_empty_cell_of_the_order_column_does_not_turn_numbers_into_words() -> None:
    rows = [("a", "second", 0, "10"), ("a", "first", 0, "2"), ("b", "only", 0, "")]
    assert paths(make(rows, "case what at rank", order="rank"))["a"] == ["first", "second"]


def test_a_missing_order_comes_last_and_the_order_column_decided_it() -> None:
    rows = [("a", "second", 0, None), ("a", "first", 0, 7)]
    log = make(rows, "case what at rank", order="rank")
    assert paths(log) == {"a": ["first", "second"]}
    assert log.ledger.ties == {"order_column": 1, "file_order": 0, "activity_name": 0}


def test_without_a_time_the_order_column_is_the_clock() -> None:
    rows = [("a", "y", 2), ("a", "x", 1), ("a", "z", 2), ("b", "x", 1)]
    log = make(rows, "case what rank", order="rank")
    assert paths(log) == {"a": ["x", "y", "z"], "b": ["x"]}
    assert log.ledger.ties == {"order_column": 0, "file_order": 1, "activity_name": 0}
    assert log.clock == "none"


def test_without_time_and_order_the_file_decides() -> None:
    log = make([("a", "z"), ("b", "x"), ("a", "y")], "case what")
    assert paths(log) == {"a": ["z", "y"], "b": ["x"]}


def test_a_database_keeps_no_order_so_the_name_decides() -> None:
    connection = duckdb.connect()
    relation = connection.sql(
        f"SELECT * FROM (VALUES ('a', 'z', {START}), ('a', 'y', {START}), ('a', 'x', {START - 1})) AS t(c, w, t)"
    )
    log = read_log(relation, case_id="c", activity="w", timestamp="t", time_unit="us")
    assert paths(log) == {"a": ["x", "y", "z"]}
    assert log.ledger.ties == {"order_column": 0, "file_order": 0, "activity_name": 1}


# --- waits


def test_a_wait_runs_from_the_end_of_an_event_to_the_start_of_the_next() -> None:
    rows = [("a", "x", 0, 3), ("a", "y", 5, None), ("a", "z", 6, 2), ("a", "w", 8, 20), ("a", "v", 9, None)]
    log = make(rows, "case what at until", end_timestamp="until")
    # Ended 3, next 5: two hours. No end: its start. An end before the start: its start. Overlap: no wait.
    assert events(log, "wait_us") == [2 * HOUR, 1 * HOUR, 2 * HOUR, 0, None]
    assert {e.rule: e.n for e in log.ledger.noted} == {"end_before_start": 1}


def test_the_last_event_of_a_case_has_no_wait() -> None:
    log = make([("a", "x", 0), ("a", "y", 5), ("b", "x", 1)])
    assert events(log, "wait_us") == [5 * HOUR, None, None]


def test_without_a_time_nothing_has_a_wait() -> None:
    log = make([("a", "x"), ("a", "y")], "case what")
    assert events(log, "wait_us") == [None, None]
    assert np.isnan(log.transitions().counts.median_us).all()


# --- ids and names


def test_ids_stay_what_they_are(tmp_path: Path) -> None:
    ids = [
        "NA",
        "null",
        "None",
        "007",
        "7",
        "1e5",
        "100000",
        "1.0",
        "1",
        "nan",
        "true",
        " x",
        "'; DROP TABLE x; --",
    ]
    frame = pd.DataFrame({"case": ids, "what": "go"})
    frame.to_csv(tmp_path / "log.csv", index=False)
    frame.to_parquet(tmp_path / "log.parquet")
    for source in (frame, tmp_path / "log.csv", tmp_path / "log.parquet"):
        log = read_log(source, case_id="case", activity="what")
        assert log.to_frame()["case_id"].tolist() == sorted(ids)
        assert log.ledger.rejected == ()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7, 8], ["7", "8"]),
        ([7.0, 8.5], ["7.0", "8.5"]),
        ([True, False], ["false", "true"]),
        ([1, "1.0"], ["1", "1.0"]),
    ],
)
def test_ids_of_other_types_become_text(values: list[Any], expected: list[str]) -> None:
    log = read_log(pd.DataFrame({"case": values, "what": "go"}), case_id="case", activity="what")
    assert log.to_frame()["case_id"].tolist() == expected


def test_activities_are_those_of_the_events_that_are_kept() -> None:
    log = make([("a", "x", 0), (None, "ghost", 1), ("b", "late", None)])
    assert log.activities == ("x",)


def test_an_activity_may_be_several_columns() -> None:
    rows = [("a", "web", "buy", 0), ("a", "shop", "buy", 1), ("b", None, "buy", 2), ("b", None, None, 3)]
    table = pa.table({n: [r[i] for r in rows] for i, n in enumerate(("case", "where", "what", "rank"))})
    log = read_log(table, case_id="case", activity=["where", "what"], order="rank")
    # A part that is missing is left out; an activity is missing when all of them are.
    assert log.activities == ("buy", "shop | buy", "web | buy")
    assert {e.rule: e.n for e in log.ledger.rejected} == {"missing_activity": 1}


def test_ten_megabytes_of_name() -> None:
    long = "x" * 10_000_000
    log = make([("a", long, 0), ("a", "y", 1), (long, "y", 2)])
    assert [len(name) for name in log.activities] == [500, 1]
    assert ("long_names", 1) in [(entry.rule, entry.n) for entry in log.ledger.noted]
    assert len(str(log)) < 2000
    assert all(len(text) < 300 for entry in log.ledger.noted for text in entry.examples)


INTERNAL = (
    "code", "name", "names", "row", "position", "case_key", "time_us", "next_code", "wait_us", "tie", "ord", "end_us",
    "unit", "cell", "state", "bucket", "customer_id", "case_id", "other_id", "s0", "v", "e", "r", "n", "rule",
    "example", "place", "copy", "value", "usable", "c0", "rowid", "__jm_row",
)  # fmt: skip


@pytest.mark.parametrize("column", ["code", "name"])
@pytest.mark.parametrize(
    "role", ["case_id", "activity", "timestamp", "order", "customer_id", "end_timestamp"]
)
def test_a_column_called_like_one_of_ours_may_play_any_role(column: str, role: str) -> None:
    columns: dict[str, Any] = {"case_id": "c", "activity": "w", "timestamp": "at", role: column}
    values = {"case_id": "a", "activity": "x", "customer_id": "k"}
    table = pa.table(
        {name: [values.get(r, START), values.get(r, START + HOUR)] for r, name in columns.items()}
    )
    log = read_log(table, **columns, time_unit="us")
    assert (log.n_events, log.n_cases) == (2, 1)


def test_every_name_of_ours_may_be_a_column() -> None:
    table = pa.table(
        {
            **{name: ["p", "q", "q"] for name in INTERNAL},
            "who": ["a", "a", "b"], "what": ["x", "y", "x"], "when": [START, START, START + HOUR],
        }
    )  # fmt: skip
    log = read_log(
        table, case_id="who", activity="what", timestamp="when", time_unit="us", order="rule", duplicates="drop",
        where="\"code\" <> 'never'",
    ).journeys("y", segments=["cell", "s0", "state", "code", "name"])  # fmt: skip
    assert log.n_events == 3
    assert log.found is not None
    assert log.found.cells == (("p",) * 5, ("q",) * 5)
    counts = log.count_chain()
    assert (counts.n_visits, counts.n_unwatched) == (1, 1)


# --- clocks

EPOCH = dt.datetime(1970, 1, 1)


@pytest.mark.parametrize(
    ("first", "last", "clock"),
    [
        (EPOCH, EPOCH, "relative"),
        (EPOCH, dt.datetime(1970, 12, 31, 23, 59, 59), "relative"),
        (EPOCH, dt.datetime(1971, 1, 1), "calendar"),
        (dt.datetime(1969, 12, 31, 23, 59, 59), dt.datetime(1970, 5, 1), "calendar"),
        (EPOCH, dt.datetime(2026, 1, 1), "calendar"),
    ],
)
def test_a_log_wholly_in_1970_has_a_relative_clock(first: dt.datetime, last: dt.datetime, clock: str) -> None:
    frame = pd.DataFrame({"case": ["a", "a"], "what": ["x", "y"], "when": [first, last]})
    log = read_log(frame, case_id="case", activity="what", timestamp="when")
    assert log.clock == clock
    assert ("relative_time" in {e.rule for e in log.ledger.noted}) == (clock == "relative")


def test_offsets_are_respected_and_naive_times_are_of_the_zone() -> None:
    when = ["2026-03-29 00:30:00", "2026-03-29 03:30:00", "2026-03-29T00:45:00+01:00", "2026-03-28T23:50:00Z"]
    frame = pd.DataFrame({"case": "a", "what": list("wxyz"), "when": when})
    paris = read_log(frame, case_id="case", activity="what", timestamp="when", timezone="Europe/Paris")
    assert paris.to_frame()["activity"].tolist() == ["w", "y", "z", "x"]
    # Across the hour that summer time skips, two hours pass and not three.
    times = dict(zip(paris.to_frame()["activity"], paris.to_frame()["time_us"], strict=True))
    assert times["x"] - times["w"] == 2 * HOUR
    assert {e.rule: e.n for e in paris.ledger.noted} == {"naive_times": 2}
    utc = read_log(frame, case_id="case", activity="what", timestamp="when")
    assert utc.to_frame()["activity"].tolist() == ["y", "z", "w", "x"]


# --- customers, units, buckets


def test_a_case_belongs_to_its_smallest_customer_and_without_one_to_itself() -> None:
    rows = [
        ("a", "x", 0, "k2"),
        ("a", "x", 1, "k1"),
        ("b", "x", 2, None),
        ("b", "x", 3, " "),
        ("c", "x", 4, "k1"),
    ]
    log = make(rows, "case what at who", customer_id="who")
    owner = dict(zip(log.to_frame()["case_id"], log.to_frame()["customer_id"], strict=True))
    assert owner == {"a": "k1", "b": "b", "c": "k1"}
    assert log.n_customers == 2
    noted = {e.rule: (e.n, e.examples) for e in log.ledger.noted}
    assert noted == {"customer_changes": (1, ("a",)), "missing_customer_id": (1, ("b",))}


def test_units_are_the_places_of_the_customers_in_their_sorted_list() -> None:
    log = make([(c, "x", 0) for c in ("b", "B", "é", "10", "2", "a")])
    rows = log.engine.fetch(f"SELECT customer_id, unit FROM {log.canonical.customers} ORDER BY unit")
    assert rows["customer_id"].tolist() == ["10", "2", "B", "a", "b", "é"]
    assert rows["unit"].tolist() == list(range(6))


def test_buckets_are_the_first_sixty_bits_of_md5() -> None:
    ids = ["a", "NA", "007", "é", "😀", "two\nlines", "x" * 1000]
    log = make([(c, "x", 0) for c in ids])
    rows = log.engine.fetch(f"SELECT customer_id, bucket FROM {log.canonical.customers}")
    got = dict(zip(rows["customer_id"], rows["bucket"].tolist(), strict=True))
    assert got == {c: oracle.bucket(c) for c in ids}


@pytest.mark.parametrize(("n_customers", "n_units"), [(20_000, 20_000), (20_001, 200)])
def test_above_twenty_thousand_customers_buckets_are_resampled(n_customers: int, n_units: int) -> None:
    number = np.arange(2 * n_customers)
    table = pa.table(
        {
            "case": pa.array(np.char.add("c", (number // 2).astype(str))),
            "what": pa.array(np.where(number % 2, np.where(number % 6 == 1, "buy", "leave"), "visit")),
            "at": START + number * 1000,
        }
    )
    log = read_log(table, case_id="case", activity="what", timestamp="at", time_unit="us").journeys(
        "buy", end="leave"
    )
    assert (log.canonical.n_units, log.n_customers) == (n_units, n_customers)
    assert log.end_states is not None
    assert log.end_states.n == (len(number[number % 6 == 1]), n_customers - len(number[number % 6 == 1]), 0)
    if n_units == 200:
        chain = log.fit_markov(n_draws=200)
        assert chain.counts.unit.max() < 200
        assert chain.conversion() is not None
        assert chain.conversion()["estimate"] == pytest.approx(1 / 3, abs=1e-4)  # type: ignore[index]
        units = log.engine.fetch(f"SELECT customer_id, unit FROM {log.canonical.customers} LIMIT 50")
        assert [oracle.bucket(c) for c in units["customer_id"]] == units["unit"].tolist()


# --- collisions


def test_cases_are_never_merged_by_their_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(f"case {i}", "x", i) for i in range(40)]
    tried: list[str] = []

    def narrow(self: Dialect, expression: str) -> str:
        tried.append(expression)
        # Without salt sixteen values for forty cases; with it the full hash.
        return f"(hash({expression}) % 16)" if "#1" not in expression else f"hash({expression})"

    monkeypatch.setattr(Dialect, "key", narrow)
    log = make(rows)
    assert log.n_cases == 40
    assert sorted(paths(log)) == sorted(f"case {i}" for i in range(40))
    assert any("#1" in expression for expression in tried)


def test_a_collision_under_every_hash_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dialect, "key", lambda self, expression: f"(hash({expression}) % 4)")
    with pytest.raises(DataError, match="collide"):
        make([(f"case {i}", "x", i) for i in range(40)])


def test_a_collision_of_two_cases_is_seen_also_among_customers(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "CASE WHEN {0} LIKE '%#1' THEN hash({0}) ELSE 1 END"
    monkeypatch.setattr(Dialect, "key", lambda self, expression: key.format(expression))
    rows = [("a", "x", 0, "k"), ("b", "y", 1, "k"), ("a", "y", 2, "k")]
    assert paths(make(rows, "case what at who", customer_id="who")) == {"a": ["x", "y"], "b": ["y"]}


# --- refusals


@pytest.mark.parametrize(
    ("roles", "expected", "hint"),
    [
        ({"case_id": "cas", "activity": "what"}, "'cas' (case_id)", "did you mean 'case'?"),
        ({"case_id": "case", "activity": "wat"}, "'wat' (activity)", "did you mean 'what'?"),
        (
            {"case_id": "case", "activity": "what", "timestamp": "At"},
            "'At' (timestamp)",
            "did you mean 'at'?",
        ),
        ({"case_id": "case", "activity": "what", "order": "zzz"}, "'zzz' (order)", "pass order=..."),
        (
            {"case_id": "case", "activity": "what", "attributes": ["att"]},
            "'att' (attributes)",
            "did you mean 'at'?",
        ),
        ({"activity": "what"}, "neither a case nor a customer", "case_id"),
        ({"case_id": "case"}, "no activity column", "activity="),
    ],
)
def test_a_column_that_is_not_there_is_named_with_a_hint(
    roles: dict[str, Any], expected: str, hint: str
) -> None:
    table = pa.table({"case": ["a"], "what": ["x"], "at": [START]})
    with pytest.raises(LogSchemaError) as caught:
        read_log(table, **roles)
    assert expected in caught.value.problem
    assert hint in str(caught.value.hint)
    assert caught.value.found == "case, what, at."
    assert caught.value.exit_code == 2


def test_no_usable_event_is_refused_with_what_was_wrong() -> None:
    with pytest.raises(DataError, match="no usable event among 3 rows") as caught:
        make([(None, "x", 0), ("a", " ", 1), ("b", "", 2)])
    assert caught.value.exit_code == 3
    assert "missing_case_id: 1 rows" in str(caught.value.found)
    assert "missing_activity: 2 rows" in str(caught.value.found)


@pytest.mark.parametrize(
    "condition",
    [
        "nonsense = 1",
        "at >",
        "1) --",
        "",
        " ",
        "COUNT(*) > 1",
        "at = 'no number'",
        "CAST(what AS INTEGER) > 1",
    ],
)
def test_a_condition_that_is_none_is_refused(condition: str) -> None:
    with pytest.raises(OptionError) as caught:
        make([("a", "x", 0)], where=condition)
    assert caught.value.exit_code == 2


def test_a_condition_keeps_rows_and_counts_the_others() -> None:
    rows = [("a", "x", 0, "DE"), ("a", "y", 1, "FR"), ("b", "x", 2, None), (None, "x", 3, "FR")]
    log = make(rows, "case what at country", where="country = 'DE' OR country = 'it''s' -- only these")
    assert paths(log) == {"a": ["x"]}
    assert log.activities == ("x",)
    assert {e.rule: e.n for e in log.ledger.rejected} == {"filtered_out": 3}
