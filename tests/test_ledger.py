"""The ledger: every row accounted for, every oddity counted among the rows that were kept, examples smallest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import oracle

from journeymine.errors import DataError
from journeymine.reading import read_log

if TYPE_CHECKING:
    from pathlib import Path

    from journeymine.ledger import Ledger
    from journeymine.log import EventLog

START = 1_767_225_600_000_000
FAR = 10**18


def make(rows: list[tuple[Any, ...]], columns: str = "case what at", **roles: Any) -> EventLog:
    names = columns.split()
    table = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    if "at" in names:
        table["at"] = [START + h * oracle.HOUR if h is not None and h < FAR else h for h in table["at"]]
        roles = {"timestamp": "at", "time_unit": "us", **roles}
    return read_log(pa.table(table), case_id="case", activity="what", threads=1, **roles)


def rejected(ledger: Ledger) -> dict[str, int]:
    return {entry.rule: entry.n for entry in ledger.rejected}


def noted(ledger: Ledger) -> dict[str, int]:
    return {entry.rule: entry.n for entry in ledger.noted}


def balanced(ledger: Ledger) -> bool:
    return ledger.rows_read == ledger.rows_kept + sum(entry.n for entry in ledger.rejected)


def test_a_row_is_counted_under_the_first_rule_it_breaks() -> None:
    rows = [
        ("a", "x", 0, 1), ("a", "x", 1, 0), (None, None, None, 1), (" ", "x", FAR, 1), ("a", "", None, 1),
        ("a", "x", None, 1), ("a", "x", FAR, 1), ("a", "x", 0, 1),
    ]  # fmt: skip
    log = make(rows, "case what at keep", where="keep = 1", duplicates="drop")
    assert rejected(log.ledger) == {
        "filtered_out": 1, "missing_case_id": 2, "missing_activity": 1, "missing_time": 1, "unreadable_time": 1,
        "duplicates_dropped": 1,
    }  # fmt: skip
    assert (log.ledger.rows_read, log.ledger.rows_kept) == (8, 1)
    assert balanced(log.ledger)


@pytest.mark.parametrize("blank", ["", " ", "\t", "\n", "\u00a0", "\u2003"])
def test_an_activity_of_white_space_is_missing_and_counted(blank: str) -> None:
    log = make([("a", "x", 0), ("a", blank, 1)])
    assert log.n_events == 1
    assert rejected(log.ledger) == {"missing_activity": 1}
    assert balanced(log.ledger)


def test_an_activity_that_cleaning_leaves_blank_is_counted() -> None:
    log = make([("a", "x", 0), ("a", "bot 7", 1), ("b", "bot 8", 2)], clean=[(r"bot \d+", "")])
    assert (log.n_events, log.n_cases) == (1, 1)
    assert rejected(log.ledger) == {"missing_activity": 2}
    assert balanced(log.ledger)


def test_examples_are_the_five_smallest_and_show_the_columns_that_have_a_role() -> None:
    rows = [(None, f"act {i:02}", 0, "x" * 999) for i in range(9, -1, -1)] + [("a", "x", 0, "y")]
    entry = make(rows, "case what at other").ledger.rejected[0]
    assert (entry.rule, entry.n) == ("missing_case_id", 10)
    assert entry.examples == tuple(sorted(entry.examples))
    assert [text.partition("act ")[2][:2] for text in entry.examples] == ["00", "01", "02", "03", "04"]
    assert all("x" * 10 not in text and "case=" in text and "at=" in text for text in entry.examples)


def test_long_and_hostile_examples_are_cut_and_kept_as_they_are() -> None:
    rows = [(None, "<script>alert('x')</script>\n" + "z" * 10_000, 0), ("a", "x", 0)]
    example = make(rows).ledger.rejected[0].examples[0]
    assert "<script>alert('x')</script>\n" in example
    assert len(example) <= 201


def test_exact_duplicates_are_kept_and_noted_or_dropped_and_counted() -> None:
    rows = [
        ("a", "x", 0, 1),
        ("a", "x", 0, 2),
        ("a", "x", 0, 1),
        ("b", "x", 0, 1),
        ("a", "x", 0, 1),
        ("a", "y", 0, 1),
    ]
    kept = make(rows, "case what at n")
    assert (kept.n_events, noted(kept.ledger)) == (6, {"exact_duplicates": 2})
    dropped = make(rows, "case what at n", duplicates="drop")
    assert (dropped.n_events, noted(dropped.ledger), rejected(dropped.ledger)) == (
        4,
        {},
        {"duplicates_dropped": 2},
    )
    assert balanced(dropped.ledger)
    assert dropped.to_frame()["position"].tolist() == [1, 2, 3, 1]


@pytest.mark.parametrize("order", [None, "rank"])
def test_exact_duplicates_are_found_without_a_clock(order: str | None) -> None:
    rows = [("a", "x", 1), ("a", "x", 1), ("a", "y", 2)]
    assert noted(make(rows, "case what rank", order=order).ledger) == {"exact_duplicates": 1}
    dropped = make(rows, "case what rank", order=order, duplicates="drop")
    assert (dropped.n_events, rejected(dropped.ledger)) == (2, {"duplicates_dropped": 1})


def test_missing_values_of_copies_are_equal() -> None:
    rows = [("a", "x", 0, None, float("nan")), ("a", "x", 0, None, float("nan"))]
    assert noted(make(rows, "case what at m f").ledger) == {"exact_duplicates": 1}


def test_what_is_noted_is_noted_of_the_rows_that_were_kept() -> None:
    when = ["2026-01-01 10:00", "2026-01-02 10:00", "2026-01-03 10:00", "2026-01-04T10:00:00Z"]
    frame = pd.DataFrame(
        {"case": ["a", "a", None, "a"], "what": list("xyxy"), "when": when, "keep": [1, 0, 1, 1]}
    )
    log = read_log(frame, case_id="case", activity="what", timestamp="when", where="keep = 1")
    assert log.n_events == 2
    assert noted(log.ledger) == {"naive_times": 1}


def test_an_end_before_its_start_is_noted_of_the_rows_that_were_kept() -> None:
    rows = [("a", "x", 5, START), (None, "x", 5, START), ("a", "y", 6, START + 9 * oracle.HOUR)]
    log = make(rows, "case what at until", end_timestamp="until")
    assert noted(log.ledger) == {"end_before_start": 1}


def test_relative_times_are_noted_of_the_rows_that_were_kept() -> None:
    rows = [("a", "x", 0), (None, "x", 5), ("a", "y", 7)]
    table = pa.table({name: [row[i] for row in rows] for i, name in enumerate(("case", "what", "at"))})
    log = read_log(table, case_id="case", activity="what", timestamp="at", time_unit="s")
    assert noted(log.ledger) == {"relative_time": 2}


def test_segments_that_change_within_a_case_are_noted() -> None:
    rows = [
        ("a", "x", 0, "web", "de"), ("a", "y", 1, "app", "de"), ("b", "x", 2, "web", "fr"), ("b", "y", 3, None, "fr"),
        ("c", "x", 4, "web", "de"), ("c", "y", 5, "web", "de"),
    ]  # fmt: skip
    log = make(rows, "case what at channel country")
    assert noted(log.ledger) == {}
    entry = log.journeys(segments=["channel", "country"]).ledger.noted[0]
    assert (entry.rule, entry.n) == ("attribute_changes", 2)
    assert entry.examples == ("channel of a", "channel of b")


def test_changes_of_several_columns_are_one_entry_with_at_most_five_examples() -> None:
    rows = [(f"c{i}", "x", i, str(j), str(j)) for i in range(4) for j in range(2)]
    entry = make(rows, "case what at p q").journeys(segments=["p", "q"]).ledger.noted[0]
    assert (entry.rule, entry.n) == ("attribute_changes", 8)
    assert entry.examples == ("p of c0", "p of c1", "p of c2", "p of c3", "q of c0")


def test_rows_that_cannot_be_read_into_columns_count_as_read(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("case,what\na,x\na,b,c,d\na,y\n,z\n")
    ledger = read_log(path, case_id="case", activity="what").ledger
    assert (ledger.rows_read, ledger.rows_kept) == (4, 2)
    assert rejected(ledger) == {"unreadable_row": 1, "missing_case_id": 1}
    assert balanced(ledger)


def test_the_ledger_as_json() -> None:
    plain = make([("a", "x", 0), ("a", "y", 0), (None, "z", 1)]).ledger.to_dict()
    assert plain["ties"] == {
        "n_tied_pairs": 1,
        "decided_by": {"order_column": 0, "file_order": 1, "activity_name": 0},
    }
    assert [(e["rule"], e["n"], len(e["examples"])) for e in plain["rejected"]] == [("missing_case_id", 1, 1)]
    assert plain["noted"] == []


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", None]), st.sampled_from(["x", "", "y"])), min_size=1, max_size=12
    )
)
@settings(max_examples=10, deadline=None, derandomize=True)
def test_examples_do_not_depend_on_the_order_of_the_rows(pairs: list[tuple[str | None, str]]) -> None:
    rows = [("a", "x", 0), *((case, what, i) for i, (case, what) in enumerate(pairs))]
    assert make(rows).ledger == make(rows[::-1]).ledger


# --- money, order and starts


def rules_of(log: EventLog) -> dict[str, int]:
    return {entry.rule: entry.n for entry in log.ledger.noted}


def money_log(values: list[object]) -> EventLog:
    """Two journeys that buy, one that is lost at x, one still open."""
    rows = {"case": list("1122345"), "what": ["x", "buy", "x", "buy", "x", "x", "y"]}
    at = [29_500_000 + minute for minute in (0, 60, 0, 60, 0, 0, 9000)]
    table = pa.table(rows | {"at": at, "money": pa.array([*values, None, None])})
    return read_log(table, case_id="case", activity="what", timestamp="at", time_unit="min", value="money")


def test_a_value_that_is_no_number_is_noted_and_no_money() -> None:
    log = money_log([None, "20.5", None, "1 000,50", None])
    assert rules_of(log)["unreadable_value"] == 1
    fixes = log.journeys("buy", idle="1h").rank_fixes(n_draws=20).to_frame()
    assert len(fixes)
    assert fixes["money_per_month"].tolist() == pytest.approx((fixes["per_month"] * 20.5).tolist())


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e300])
def test_an_infinite_value_is_noted_and_breaks_nothing(value: float) -> None:
    log = money_log([None, 20.5, None, value, None])
    assert rules_of(log)["unreadable_value"] == 1
    fixes = log.journeys("buy", idle="1h").rank_fixes(n_draws=20).to_frame()
    assert len(fixes)
    assert fixes["money_per_month"].notna().all()


def test_a_value_column_without_a_number_is_refused() -> None:
    with pytest.raises(DataError, match="no value of column 'money'") as caught:
        money_log([None, "20,5", None, "1 000,50", None])
    assert "point for decimals" in str(caught.value)


def test_order_cells_that_cannot_be_used_are_noted() -> None:
    rows = {"case": ["1"] * 3, "what": ["x", "y", "z"], "order": ["2", "zz", ""]}
    log = read_log(pa.table(rows), case_id="case", activity="what", order="order")
    assert rules_of(log) == {"missing_order": 1, "order_as_text": 1}


def test_journeys_that_never_start_are_counted() -> None:
    rows = {"case": ["1", "1", "2", "2", "3"], "what": list("abaca"), "rank": [1, 2, 1, 2, 1]}
    log = read_log(pa.table(rows), case_id="case", activity="what", order="rank").journeys("b", start="c")
    assert rules_of(log)["not_started"] == 2
    assert [entry.examples for entry in log.ledger.noted if entry.rule == "not_started"] == [("1", "3")]


def test_whole_ids_that_a_gap_made_floats_stay_whole() -> None:
    table = pa.table({"case": pa.array([1.0, 2.0, None]), "what": ["x", "y", "z"], "rank": [1, 2, 3]})
    log = read_log(table, case_id="case", activity="what", order="rank")
    assert sorted(log.to_frame()["case_id"]) == ["1", "2"]


def test_numbers_a_month_are_of_the_journeys_that_start() -> None:
    rows = {"case": list("1122345"), "what": ["x", "buy", "x", "buy", "x", "z", "z"]}
    at = [29_500_000 + minute for minute in (0, 60, 0, 60, 0, 0, 14_400)]
    log = read_log(
        pa.table(rows | {"at": at}), case_id="case", activity="what", timestamp="at", time_unit="min"
    )
    fix = log.journeys("buy", start="x", idle="1h").rank_fixes(n_draws=20).to_frame().iloc[0]
    started, days = 3, 10
    assert fix["per_month"] == pytest.approx(fix["estimate"] * started / days * 30.4375)
