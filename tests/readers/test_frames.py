from __future__ import annotations

import datetime as dt
import decimal
import uuid

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from journeymine.errors import DataError, LogSchemaError, OptionError
from journeymine.readers import open_raw
from journeymine.readers.raw import ROW

ZONE = dt.timezone(dt.timedelta(hours=2))


def test_every_kind_of_pandas_column(engine, rows):
    frame = pd.DataFrame(
        {
            "ids": ["NA", "007", None],
            "mixed": [1, "1", None],
            "category": pd.Categorical(["b", None, "a"]),
            "coded": pd.Categorical([7, 7, 8]),
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "float": [1.0, np.nan, 2.5],
            "stamps": [dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1, tzinfo=ZONE), None],
            "date": [dt.date(2024, 1, 1)] * 3,
            "money": [decimal.Decimal("1.10"), None, decimal.Decimal("2")],
            "uuid": [uuid.UUID(int=1)] * 3,
            "lists": [[1], [2], None],
            "huge": [2**70, 1, 2],
            "bool": [True, None, False],
            "string": pd.array(["x", None, "z"], dtype="string"),
            "surrogate": pd.Series(["\ud800", "é", "a"], dtype=object),
            "bytes": [b"a", b"\xff", None],
        }
    )
    raw = open_raw(engine, frame)
    found = dict(zip(raw.columns, zip(*rows(raw), strict=True), strict=True))
    assert found == {
        "ids": ("NA", "007", None),
        "mixed": ("1", "1", None),
        "category": ("b", None, "a"),
        "coded": (7, 7, 8),
        "nullable": (1, None, 3),
        "float": (1.0, None, 2.5),
        "stamps": ("2024-01-01 00:00:00", "2024-01-01 00:00:00+02:00", None),
        "date": (dt.date(2024, 1, 1),) * 3,
        "money": (decimal.Decimal("1.10"), None, decimal.Decimal("2.00")),
        "uuid": (str(uuid.UUID(int=1)),) * 3,
        "lists": ("[1]", "[2]", None),
        "huge": (str(2**70), "1", "2"),
        "bool": (True, None, False),
        "string": ("x", None, "z"),
        "surrogate": ("?", "é", "a"),
        "bytes": ("a", "\ufffd", None),
    }
    assert raw.keeps_order
    assert raw.description == "pandas frame, 3 rows"


def test_times_with_and_without_zone(engine, rows):
    frame = pd.DataFrame(
        {
            "naive": pd.to_datetime(["2024-01-01", None]),
            "utc": pd.to_datetime(["2024-01-01T00:00:00Z", None]),
            "paris": pd.to_datetime(["2024-01-01", None]).tz_localize("Europe/Paris"),
        }
    )
    raw = open_raw(engine, frame)
    assert "TZ" in raw.types["utc"] or "ZONE" in raw.types["utc"]
    first = rows(raw)[0]
    assert pd.Timestamp(first[1]).timestamp() - pd.Timestamp(first[2]).timestamp() == 3600
    assert rows(raw)[1] == (None, None, None)


def test_the_frame_is_left_alone(engine):
    frame = pd.DataFrame(
        {"b": [3, 1, 2], "a": pd.Categorical(["x", "y", "x"]), "o": [1, "1", None]}, index=[5, 3, 3]
    )
    before = frame.copy(deep=True)
    raw = open_raw(engine, frame)
    engine.execute(f"CREATE TABLE copy AS SELECT * FROM {raw.table} ORDER BY b")
    pd.testing.assert_frame_equal(frame, before)
    assert list(frame.columns) == ["b", "a", "o"]
    frame.loc[:, "b"] = 99
    assert engine.fetch(f"SELECT SUM(b) AS s FROM {raw.table}")["s"][0] == 6


def test_only_a_named_index_becomes_columns(engine, rows):
    frame = pd.DataFrame({"case": ["a", "b"], "x": [1, 2]})
    assert open_raw(engine, frame.set_index("case")).columns == ("case", "x")
    assert open_raw(engine, frame.set_axis([7, 8])).columns == ("case", "x")
    assert open_raw(engine, frame.rename_axis("case")).columns == ("case", "x")
    raw = open_raw(engine, frame.set_index(["case", pd.Index([5, 6], name="n")]))
    assert rows(raw) == [("a", 5, 1), ("b", 6, 2)]


def test_strange_column_names(engine, rows):
    frame = pd.DataFrame([[1, 2, 3, 4, 5, 6]], columns=["a", "A", ROW, "rowid", 5, ""])
    raw = open_raw(engine, frame)
    assert raw.columns == ("a", "A_2", f"{ROW}_2", "rowid", "5", "column_6")
    assert rows(raw) == [(1, 2, 3, 4, 5, 6)]


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame([[1, 2]], columns=["1", 1]),
        pa.table([[1], [2]], names=["a", "a"]),
    ],
)
def test_repeated_column_names_are_refused(engine, frame):
    with pytest.raises(LogSchemaError, match="more than once"):
        open_raw(engine, frame)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame({"a": []}),
        pl.DataFrame({"a": []}),
        pa.table({"a": pa.array([], pa.int64())}),
    ],
)
def test_empty_frames(engine, frame):
    with pytest.raises(DataError):
        open_raw(engine, frame)


def test_polars(engine, rows):
    frame = pl.DataFrame(
        {
            "id": ["007", None],
            "cat": pl.Series(["q", "r"], dtype=pl.Categorical),
            "object": pl.Series([uuid.UUID(int=1), None], dtype=pl.Object),
            "at": [dt.datetime(2024, 1, 1), None],
        }
    )
    expected = [("007", "q", str(uuid.UUID(int=1)), dt.datetime(2024, 1, 1)), (None, "r", None, None)]
    before = frame.clone()
    assert rows(open_raw(engine, frame)) == expected
    assert frame.columns == before.columns
    assert rows(open_raw(engine, frame.drop("object").lazy())) == [r[:2] + r[3:] for r in expected]


def test_arrow(engine, rows):
    table = pa.table({"a": pa.array(["x", None, "x"]).dictionary_encode(), "b": [1, 2, 3]})
    expected = [("x", 1), (None, 2), ("x", 3)]
    for source in (table, table.to_reader(max_chunksize=1), table.to_batches()[0]):
        raw = open_raw(engine, source)
        assert rows(raw) == expected
        assert dict(raw.types) == {"a": "VARCHAR", "b": "BIGINT"}


def test_duckdb_relation(engine, rows):
    connection = duckdb.connect()
    raw = open_raw(engine, connection.sql("SELECT 1 AS id, 'x' AS \"select\" UNION ALL SELECT 2, NULL"))
    assert sorted(rows(raw)) == [(1, "x"), (2, None)]
    assert not raw.keeps_order
    connection.close()


@pytest.mark.parametrize("source", [5, {"a": [1]}, pd.Series([1]), object(), {1, 2}])
def test_other_objects_are_refused(engine, source):
    with pytest.raises(OptionError, match="cannot be read as an event log"):
        open_raw(engine, source)
