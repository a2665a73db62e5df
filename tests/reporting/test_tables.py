"""CSV for spreadsheets: reads back, and no cell is a formula."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymine.reporting.tables import FORMULA_STARTS, to_csv


def rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_formulas_are_disarmed(text: str) -> None:
    table = pa.table({text: [text, "a" + text]})
    assert rows(to_csv(table)) == [["'" + text], ["'" + text], ["a" + text]]


def test_numbers_stay_numbers_and_null_is_nothing() -> None:
    table = pa.table({"i": [-1, None], "f": [-0.1, float("nan")], "b": [True, False], "t": ["", None]})
    assert to_csv(table) == b"i,f,b,t\r\n-1,-0.1,true,\r\n,,false,\r\n"


def test_quotes_separators_and_line_ends_are_quoted() -> None:
    table = pa.table({'a "b", c': ['x\n"y",z', "é 🙂 עברית"]})
    data = to_csv(table)
    assert data == '"a ""b"", c"\r\n"x\n""y"",z"\r\né 🙂 עברית\r\n'.encode()
    assert not data.startswith(b"\xef\xbb\xbf")


def test_times_are_iso() -> None:
    table = pa.table({"t": pa.array([dt.datetime(2026, 1, 2, 3, 4, 5)], pa.timestamp("us", "UTC"))})
    assert rows(to_csv(table))[1] == ["2026-01-02T03:04:05+00:00"]


def test_empty_tables_keep_their_header() -> None:
    assert to_csv(pa.table({"a": pa.array([], pa.string()), "b": pa.array([], pa.int64())})) == b"a,b\r\n"


@given(
    st.lists(
        st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.integers(-(2**62), 2**62)),
        min_size=1,
        max_size=5,
    )
)
def test_everything_reads_back(data: list[tuple[str, int]]) -> None:
    texts, numbers = zip(*data, strict=True)
    read = rows(to_csv(pa.table({"t": list(texts), "n": list(numbers)})))[1:]
    assert [int(n) for _, n in read] == list(numbers)
    for (text, _), (cell, _) in zip(data, read, strict=True):
        assert cell == ("'" + text if text.startswith(FORMULA_STARTS) else text)
