"""`EventLog`: what users touch. Frames stay untouched, logs never change, small and odd logs get a report."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests import oracle

import journeymine as jm
from journeymine.errors import DataError, NotEnoughDataError, OptionError
from journeymine.reading import read_log
from journeymine.reporting.schema import report_schema

if TYPE_CHECKING:
    from pathlib import Path

    from journeymine.log import EventLog

HOUR = oracle.HOUR
START = 1_767_225_600_000_000


def make(rows: list[tuple[Any, ...]], columns: str = "case what at", **roles: Any) -> EventLog:
    names = columns.split()
    table = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    if "at" in names:
        table["at"] = [START + int(h * HOUR) for h in table["at"]]
        roles = {"timestamp": "at", "time_unit": "us", **roles}
    return read_log(pa.table(table), **{"case_id": "case", "activity": "what", "threads": 1, **roles})


def valid_report(log: EventLog) -> dict[str, Any]:
    """The report of a log, checked against its schema."""
    data = jm.report(log).data
    jsonschema.Draft202012Validator(report_schema()).validate(data)
    return data


def warnings(data: dict[str, Any]) -> set[str]:
    return {warning["key"] for warning in data["warnings"]}


# --- frames


def frame_of_everything() -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "when": np.array(["2026-01-03", "2026-01-01", "2026-01-02", "NaT"], dtype="datetime64[us]"),
            "case": np.array(["b", "a", "a", "c"], dtype=object),
            "what": pd.Categorical(["x", "x", "buy", "x"]),
            "value": [1.5, np.nan, 2.5, 3.5],
            "platform": ["web", None, "app", "web"],
        },
        index=[7, 7, 3, 1],
    )
    frame.attrs["note"] = "mine"
    return frame


def test_the_frame_of_the_caller_is_left_alone() -> None:
    frame = frame_of_everything()
    before = frame.copy(deep=True)
    log = read_log(frame, case_id="case", activity="what", timestamp="when", value="value", duplicates="drop")
    log = log.where("platform IS NULL OR platform = 'app'").journeys("buy", segments="platform")
    log.transitions(), log.variants(), log.fit_markov(n_draws=10), log.rank_fixes(n_draws=10), log.ledger
    log.to_frame()["activity"] = "changed"
    pd.testing.assert_frame_equal(frame, before)
    assert frame.attrs == before.attrs
    assert log.to_frame()["activity"].tolist() == ["x", "buy"]


def test_changing_the_frame_later_changes_no_log() -> None:
    frame = frame_of_everything()
    log = read_log(frame, case_id="case", activity="what", timestamp="when")
    frame["case"] = "z"
    assert set(log.to_frame()["case_id"]) == {"a", "b"}


def test_every_kind_of_source_gives_the_same_log(tmp_path: Path) -> None:
    frame = frame_of_everything().reset_index(drop=True).astype({"what": str})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "a.tsv", index=False, sep="\t")
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True, date_format="iso")
    sources: list[Any] = [
        frame, pl.from_pandas(frame), pl.from_pandas(frame).lazy(), pa.Table.from_pandas(frame),
        *(tmp_path / f"a.{kind}" for kind in ("csv", "tsv", "parquet", "jsonl")), str(tmp_path / "a.csv"),
    ]  # fmt: skip
    logs = [read_log(s, case_id="case", activity="what", timestamp="when").to_frame() for s in sources]
    for log in logs[1:]:
        pd.testing.assert_frame_equal(log, logs[0])
    assert logs[0]["time_us"].tolist() == [START, START + 24 * HOUR, START + 48 * HOUR]


def test_pandas_dtypes_of_text_give_the_same_log() -> None:
    plain = pd.DataFrame({"case": ["a", "NA", "a", None], "what": ["x", "y", "z", "x"]})
    logs = []
    for dtype in ("object", "string", "category"):
        log = read_log(plain.astype({"case": dtype, "what": dtype}), case_id="case", activity="what")
        logs.append(log.to_frame())
        assert {e.rule: e.n for e in log.ledger.rejected} == {"missing_case_id": 1}
    for log_frame in logs[1:]:
        pd.testing.assert_frame_equal(log_frame, logs[0])


# --- logs are values

ROWS = [("a", "x", 0), ("a", "buy", 1), ("b", "x", 5), ("b", "y", 24), ("c", "x", 100), ("c", "y", 101)]


def test_methods_return_new_logs() -> None:
    log = make(ROWS)
    assert log.journeys("buy") is not log
    assert log.found is None
    assert log.where("what <> 'y'").n_events == 4
    assert log.n_events == 6
    with pytest.raises(AttributeError):
        log.raw = None  # type: ignore[misc, assignment]
    assert log.journeys("buy").where("what <> 'y'").found is None


def test_conditions_add_up_and_the_ledger_counts_both() -> None:
    log = make(ROWS).where("what <> 'y' OR what = 'never'").where("\"case\" <> 'c'")
    assert log.to_frame()["case_id"].tolist() == ["a", "a", "b"]
    assert {e.rule: e.n for e in log.ledger.rejected} == {"filtered_out": 3}


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-01-01", "2026-01-02"),
        ("2026-01-01T00:00", dt.datetime(2026, 1, 2, tzinfo=dt.UTC)),
        (dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 2, 1, tzinfo=dt.timezone(dt.timedelta(hours=1)))),
        ("2026-01-01 01:00:00+01:00", "2026-01-02T00:00:00Z"),
    ],
)
def test_between_includes_its_start_and_excludes_its_end(start: Any, end: Any) -> None:
    log = make(ROWS).between(start, end)
    assert log.to_frame()["activity"].tolist() == ["x", "buy", "x"]
    assert (log.canonical.first_us, log.canonical.last_us) == (START, START + 5 * HOUR)
    assert {e.rule: e.n for e in log.ledger.rejected} == {"filtered_out": 3}


@pytest.mark.parametrize(
    ("start", "end", "error", "code"),
    [
        ("1. Jan", "2026-01-02", OptionError, 2),
        ("2026-13-01", "2027", OptionError, 2),
        ("2030-01-01", "2031-01-01", DataError, 3),
    ],
)
def test_between_times_that_are_none(start: str, end: str, error: type[DataError], code: int) -> None:
    with pytest.raises(error) as caught:
        make(ROWS).between(start, end)
    assert caught.value.exit_code == code


def test_between_needs_times() -> None:
    with pytest.raises(NotEnoughDataError, match="no times"):
        make([("a", "x")], "case what").between("2026-01-01", "2026-01-02")


def test_neighbouring_periods_share_no_event() -> None:
    log = make(ROWS)
    parts = [log.between("2026-01-01", "2026-01-02"), log.between("2026-01-02", "2026-02-01")]
    assert sum(part.n_events for part in parts) == log.n_events


@pytest.mark.parametrize("call", [{"duplicates": "remove"}, {"rename": {"x": "y"}, "duplicates": ""}])
def test_options_that_are_none_are_refused(call: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        make(ROWS, **call)


def test_attempts_are_at_least_one() -> None:
    with pytest.raises(OptionError, match="attempts"):
        make(ROWS).journeys("buy").fit_markov(attempts=0)


def test_names_are_cleaned_renamed_and_grouped() -> None:
    rows = [("a", "/p/1", 0), ("a", "/p/2", 1), ("a", "chat", 2), ("a", "call", 3), ("a", "bought", 4)]
    log = make(rows, clean=[(r"/\d+", "")], rename={"bought": "buy"}, group={"Help": ["chat", "call"]})
    assert log.to_frame()["activity"].tolist() == ["/p", "/p", "Help", "Help", "buy"]
    data = valid_report(log.journeys("buy"))
    assert data["provenance"]["settings"]["activities"] == {
        "clean": [["/\\d+", ""]], "rename": {"bought": "buy"}, "group": {"Help": ["chat", "call"]},
    }  # fmt: skip


def test_displays_are_short_and_end_with_the_next_call() -> None:
    log = make(ROWS)
    for shown in (repr(log), repr(log.journeys()), repr(log.journeys("buy"))):
        lines = shown.splitlines()
        assert len(lines) <= 12
        assert lines[-1].startswith("Next: ")
    hostile = make([("<b>", "<script>alert(1)</script>", 0)]).journeys("<script>alert(1)</script>")
    assert "<script>" not in hostile._repr_html_()


def test_the_text_of_check_tells_everything() -> None:
    rows = [("a", "x", 0), ("a", "y", 0), (None, "z\x1b[31m", 1), ("a", "x", 0)]
    text = make(rows).journeys("y").check_text()
    assert "4 read, 3 kept" in text
    assert "missing_case_id: 1" in text
    assert "2 pairs of events of one case share a time, decided by file_order 2" in text
    assert "exact_duplicates: 1" in text
    assert "\x1b" not in text
    assert "converted 1 (100.0%)" in text


def test_threads_and_memory_are_passed_to_the_engine() -> None:
    log = make(ROWS, threads=1, memory_limit="123MB")
    found = log.engine.fetch("SELECT current_setting('threads') AS t, current_setting('memory_limit') AS m")
    assert found["t"][0] == 1
    assert found["m"][0].startswith("117")  # mebibytes


# --- the chain and the share of converted journeys


@given(
    st.lists(
        st.lists(st.sampled_from(["x", "y", "z", "buy"]), min_size=1, max_size=6), min_size=1, max_size=10
    ).filter(lambda cases: any("buy" in case for case in cases)),
    st.booleans(),
)
@settings(max_examples=12, deadline=None, derandomize=True)
def test_when_nothing_is_open_the_chain_gives_the_converted_share(
    cases: list[list[str]], timed: bool
) -> None:
    rows = [(f"c{i}", what, 100 * i + j) for i, path in enumerate(cases) for j, what in enumerate(path)]
    rows.append(("last", "quit", 10_000))
    log = make(rows) if timed else make([(c, w) for c, w, _ in rows], "case what")
    log = log.journeys("buy", end="quit", idle="9h")
    assert log.end_states is not None
    assert log.end_states.n[2] == 0
    share = sum("buy" in case for case in cases) / (len(cases) + 1)
    assert log.end_states.share.estimate[0] == share
    chain = log.fit_markov(n_draws=20)
    conversion = chain.conversion()
    assert conversion is not None
    assert conversion["estimate"] == pytest.approx(share, abs=1e-9)
    assert conversion["lower"] <= conversion["estimate"] <= conversion["upper"]
    assert conversion["n"] == len(cases) + 1
    assert chain.matrix.sum(axis=1).to_numpy() == pytest.approx(1.0, abs=1e-12)


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["x", "y", "buy"]), st.integers(0, 30)), min_size=1, max_size=4),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=20, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
def test_rows_of_the_matrix_sum_to_one_whatever_is_open(cases: list[list[tuple[str, int]]]) -> None:
    rows = [(f"c{i}", what, hour) for i, path in enumerate(cases) for what, hour in path] + [("z", "buy", 0)]
    log = make(rows).journeys("buy", idle="10h")
    if not log.count_chain().n_starts:
        with pytest.raises(NotEnoughDataError, match="long enough"):
            log.fit_markov()
        return
    chain = log.fit_markov(n_draws=20)
    assert chain.matrix.sum(axis=1).to_numpy() == pytest.approx(1.0, abs=1e-12)


def test_a_state_seen_only_on_the_way_to_what_nobody_watched_has_no_known_outcome() -> None:
    # Two journeys are watched at s, both went on to u too late for u to be watched.
    rows = [("a", "s", 0), ("a", "u", 100), ("b", "s", 1), ("b", "u", 99), ("c", "buy", 0), ("d", "u", 100)]
    log = make(rows).journeys("buy", idle="10h")
    chain = log.fit_markov(n_draws=20)
    assert chain.matrix.sum(axis=1).to_numpy() == pytest.approx(1.0, abs=1e-12)


# --- small and odd logs


def test_a_single_event_that_is_the_goal() -> None:
    data = valid_report(make([("a", "buy", 0)]).journeys("buy"))
    assert data["conversion"]["estimate"] == 1.0
    assert data["log"]["end_states"]["converted"]["n"] == 1
    assert data["fixes"] == []
    assert "few_cases" in warnings(data)


def test_a_single_event_without_a_goal() -> None:
    data = valid_report(make([("a", "x", 0)]))
    assert (data["conversion"], data["chain"], data["fixes"], data["log"]["end_states"]) == (
        None,
        None,
        [],
        None,
    )
    assert {"few_cases", "no_goal"} <= warnings(data)
    assert data["log"]["n_variants"] == 1


def test_a_log_of_one_activity() -> None:
    rows = [(f"c{i:02}", "buy", i) for i in range(40)]
    data = valid_report(make(rows).journeys("buy"))
    assert data["conversion"]["estimate"] == 1.0
    assert data["fixes"] == []
    assert "all_converted" in warnings(data)


def test_one_case() -> None:
    data = valid_report(make([("a", "x", 0), ("a", "y", 1), ("a", "buy", 2)]).journeys("buy"))
    assert (data["log"]["n_cases"], data["conversion"]["estimate"]) == (1, 1.0)
    assert [t["n"] for t in data["transitions"]] == [1, 1]


def test_all_converted() -> None:
    rows = [(f"c{i}", what, 10 * i + h) for i in range(40) for h, what in enumerate(("x", "buy"))]
    data = valid_report(make(rows).journeys("buy", idle="1h"))
    assert data["conversion"]["estimate"] == 1.0
    assert data["fixes"] == []
    assert "all_converted" in warnings(data)


def test_none_converted() -> None:
    """A goal is an activity of the log, so this takes journeys that reach it before they start."""
    rows = [(f"c{i}", what, 10 * i + h) for i in range(40) for h, what in enumerate(("buy", "start", "x"))]
    data = valid_report(make(rows).journeys("buy", start="start", end="x", idle="1h"))
    assert [data["log"]["end_states"][state]["n"] for state in oracle.STATES] == [0, 40, 0]
    assert data["conversion"]["estimate"] == 0.0
    assert data["conversion"]["upper"] > 0.01
    assert all(fix["effect"]["estimate"] == 0 for fix in data["fixes"])
    assert "nothing_converted" in warnings(data)


def test_a_goal_that_only_rejected_rows_reach_is_no_activity() -> None:
    with pytest.raises(OptionError, match="'buy' is not an activity"):
        make([("a", "x", 0), (None, "buy", 5)]).journeys("buy")


def test_a_start_that_leaves_no_journey_watched() -> None:
    rows = [("a", "x", 0), ("b", "start", 100), ("b", "buy", 100), ("c", "y", 100)]
    data = valid_report(make(rows).journeys("y", start="start", idle="1h"))
    assert data["log"]["end_states"]["open"]["n"] == 1


def test_six_cases() -> None:
    rows = [
        (f"c{i}", what, 24 * i + h) for i in range(6) for h, what in enumerate(("x", "y", "buy")[: 1 + i % 3])
    ]
    data = valid_report(make(rows).journeys("buy", idle="10h"))
    assert data["log"]["n_cases"] == 6
    assert "few_cases" in warnings(data)
    assert all(fix["block"] == "assumed" for fix in data["fixes"])


def test_every_journey_is_open() -> None:
    rows = [(f"c{i}", "x", i / 10) for i in range(20)]
    data = valid_report(make([*rows, ("z", "buy", 1)]).journeys("buy", idle="10d"))
    assert data["log"]["end_states"]["open"]["n"] == 20
    assert data["fixes"] == []


def test_all_at_one_moment() -> None:
    rows = [(f"c{i}", what, 0) for i in range(5) for what in ("x", "buy")]
    data = valid_report(make(rows).journeys("buy", segments="case"))
    assert data["ledger"]["ties"]["n_tied_pairs"] == 5
    assert data["log"]["first"] == data["log"]["last"]


def test_an_order_only_log_says_what_is_not_available() -> None:
    rows = [("a", "x", 2), ("a", "buy", 10), ("b", "x", 1)]
    data = valid_report(make(rows, "case what rank", order="rank").journeys("buy"))
    assert (data["log"]["clock"], data["log"]["first"], data["log"]["idle"]) == ("none", None, None)
    assert all(t["wait_s"] is None for t in data["transitions"])
    assert data["chain"]["seconds_to_goal"] is None
    assert data["log"]["end_states"]["open"]["n"] == 0
    assert "no_time" in warnings(data)
    assert all(fix["per_month"] is None for fix in data["fixes"])


def test_an_activity_of_rejected_rows_is_not_in_the_report() -> None:
    data = valid_report(make([("a", "x", 0), ("a", "buy", 1), (None, "ghost", 2)]).journeys("buy"))
    assert [activity["name"] for activity in data["activities"]] == ["x", "buy"]
    assert data["log"]["n_activities"] == 2


HOSTILE = (
    "<script>alert(1)</script>", "'; DROP TABLE x; --", '"quoted"', "=cmd()|' /C calc'!A0", "two\nlines", "tab\there",
    "\u202eRTL", "😀", "\x00nul", "{{ 7 * 7 }}", "%s %d", "NULL", "\\", "&lt;",
)  # fmt: skip


def test_hostile_names_break_nothing_and_are_escaped(tmp_path: Path) -> None:
    rows = [
        (f"{name}{i}", w, 10 * i + j, name)
        for i, name in enumerate(HOSTILE)
        for j, w in enumerate((name, "buy"))
    ]
    log = make(rows, "case what at seg").journeys(["buy", HOSTILE[0]], segments="seg")
    data = valid_report(log)
    assert {activity["name"] for activity in data["activities"]} == {*HOSTILE, "buy"}
    report = jm.report(log)
    page = report.html()
    assert "<script>alert(1)" not in page
    report.save(tmp_path / "out")
    for line in (tmp_path / "out" / "transitions.csv").read_text("utf-8").splitlines():
        assert not line.startswith(("=", "@", "+"))


def test_what_nobody_watched_is_not_made_up_from_those_who_bought_at_once() -> None:
    rows = [(f"c{i}", "x", i / 10) for i in range(20)]
    data = valid_report(make([*rows, ("z", "buy", 1)]).journeys("buy", idle="10d"))
    assert data["conversion"] is None
    assert "no_chain" in warnings(data)
