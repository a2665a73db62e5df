from __future__ import annotations

import datetime as dt

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.engine.duckdb import DuckDBEngine
from journeymine.errors import DataError, LogSchemaError, OptionError
from journeymine.readers import open_raw
from journeymine.readers.raw import ROW
from journeymine.readers.times import detect_time

EPOCH = dt.datetime(1970, 1, 1)


def read(engine, values, **options):
    """Plan, times (as text) and naive flags of a column of values."""
    column = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
    raw = open_raw(engine, pa.table({"id": pa.array(range(len(column))), "the time": column}))
    plan = detect_time(engine, raw, "the time", **options)
    table = engine.fetch_table(
        f"SELECT {plan.sql} AS us, {plan.naive_sql} AS naive FROM {raw.table} ORDER BY {ROW}"
    )
    assert str(table.schema.field("us").type) == "int64"
    us = table.column("us").to_pylist()
    times = [None if u is None else (EPOCH + dt.timedelta(microseconds=u)).isoformat(sep=" ") for u in us]
    return plan, times, table.column("naive").to_pylist()


ISO = [
    ("2010-12-30 14:32:00+01:00", "2010-12-30 13:32:00", False),
    ("2010-12-30T14:32:00.123456789Z", "2010-12-30 14:32:00.123456", False),
    ("2010-12-30T14:32:00.1+0100", "2010-12-30 13:32:00.100000", False),
    ("2010-12-30 14:32:00-05:30", "2010-12-30 20:02:00", False),
    ("2010-12-30 14:32:00 UTC", "2010-12-30 14:32:00", False),
    ("2010-12-30 14:32 +01", "2010-12-30 13:32:00", False),
    ("1969-12-31T23:59:59.9999999Z", "1969-12-31 23:59:59.999999", False),
    ("2010-12-30", "2010-12-30 00:00:00", True),
    ("2010-12-30 14:32", "2010-12-30 14:32:00", True),
    (" 2010/12/30 4:32:00.5 ", "2010-12-30 04:32:00.500000", True),
    ("2010-12-30T14:32:00,25", "2010-12-30 14:32:00.250000", True),
    ("2010.12.30 2:05 PM", "2010-12-30 14:05:00", True),
    ("2010-12-30 24:00:01", None, True),
    ("2010-12-30 14:32:60", None, True),
    ("2010-02-30", None, True),
    ("10000-01-01", None, True),
    ("0001-01-01 00:00:00", None, True),
    ("9999-12-31 23:59:59", None, True),
    ("infinity", None, True),
    ("epoch", None, True),
    ("now", None, True),
    ("2010-12-30 14:32:00+25:00", None, True),
    ("", None, True),
    ("x", None, True),
    (None, None, False),
]


def test_iso_8601_row_by_row(engine):
    plan, times, naive = read(engine, [value for value, _, _ in ISO])
    assert plan.description == "ISO 8601"
    assert times == [expected for _, expected, _ in ISO]
    assert naive == [expected for _, _, expected in ISO]
    assert (plan.n_sampled, plan.n_readable) == (24, 12)


def test_a_time_zone_moves_naive_values_only(engine):
    values = ["2024-01-15 12:00:00", "2024-07-15 12:00:00", "2024-07-15 12:00:00Z", "2024-07-15"]
    _, times, _ = read(engine, values, timezone="Europe/Paris")
    assert times == [
        "2024-01-15 11:00:00",
        "2024-07-15 10:00:00",
        "2024-07-15 12:00:00",
        "2024-07-14 22:00:00",
    ]
    _, before, _ = read(engine, ["2024-03-31 00:30", "2024-03-31 03:30"], timezone="Europe/Paris")
    assert before == ["2024-03-30 23:30:00", "2024-03-31 01:30:00"]  # two hours, not three


WRITTEN = [
    (["31/01/2024 10:00", "01/02/2024"], "day/month/year", ["2024-01-31 10:00:00", "2024-02-01 00:00:00"]),
    (["01/31/2024 10:00", "01/02/2024"], "month/day/year", ["2024-01-31 10:00:00", "2024-01-02 00:00:00"]),
    (
        ["31.01.2024", "1.2.2024 23:59:59,5"],
        "day/month/year",
        ["2024-01-31 00:00:00", "2024-02-01 23:59:59.500000"],
    ),
    (
        ["12/31/2024 12:05 AM", "1/2/2024 12:05 pm"],
        "month/day/year",
        ["2024-12-31 00:05:00", "2024-01-02 12:05:00"],
    ),
    (["31-12-2024 01:00:00 PM", "31-12-2024 13:00 PM"], "day/month/year", ["2024-12-31 13:00:00", None]),
    (
        ["31/12/2024 10:00+02:00", "31/12/2024 10:00 Z"],
        "day/month/year",
        ["2024-12-31 08:00:00", "2024-12-31 10:00:00"],
    ),
    (["19970101", "19971231", "19971301"], "yyyymmdd", ["1997-01-01 00:00:00", "1997-12-31 00:00:00", None]),
    (["20240131T235958Z", "202401312359"], "yyyymmdd", ["2024-01-31 23:59:58", "2024-01-31 23:59:00"]),
    ([19970101, 19970112], "yyyymmdd", ["1997-01-01 00:00:00", "1997-01-12 00:00:00"]),
    ([1541105830], "seconds since 1970", ["2018-11-01 20:57:10"]),
    ([1541105830796, None], "milliseconds since 1970", ["2018-11-01 20:57:10.796000", None]),
    ([1541105830796123], "microseconds since 1970", ["2018-11-01 20:57:10.796123"]),
    ([1541105830796123999], "nanoseconds since 1970", ["2018-11-01 20:57:10.796123"]),
    ([1541105830.796123], "seconds since 1970", ["2018-11-01 20:57:10.796123"]),
    (
        [1540919166796.0, float("nan"), float("inf")],
        "milliseconds since 1970",
        ["2018-10-30 17:06:06.796000", None, None],
    ),
    (
        ["1541105830", "1541105830.5", "7"],
        "seconds since 1970",
        ["2018-11-01 20:57:10", "2018-11-01 20:57:10.500000", None],
    ),
    (["10/Oct/2000:13:55:36 -0700"], "format %d/%b/%Y:%H:%M:%S %z", ["2000-10-10 20:55:36"]),
    (["Thu, 30 Dec 2010 14:32:00 +0100"], "format %a, %d %b %Y %H:%M:%S %z", ["2010-12-30 13:32:00"]),
    ([dt.date(2024, 1, 1), None], "dates", ["2024-01-01 00:00:00", None]),
]


@pytest.mark.parametrize(("values", "description", "expected"), WRITTEN)
def test_ways_of_writing_time(engine, values, description, expected):
    plan, times, _ = read(engine, values)
    assert plan.description == description
    assert times == expected
    assert not plan.ambiguous


def test_day_first_is_said_when_it_is_assumed(engine):
    plan, times, _ = read(engine, ["01/02/2024", "03/04/2024"])
    assert plan.ambiguous
    assert "day first is assumed" in plan.description
    assert times == ["2024-02-01 00:00:00", "2024-04-03 00:00:00"]
    plan, times, _ = read(engine, ["01/02/2024"], time_format="%m/%d/%Y")
    assert times == ["2024-01-02 00:00:00"]
    assert not plan.ambiguous


def test_one_late_value_decides_the_order_of_day_and_month(engine):
    values = ["01/02/2024"] * 200_000 + ["01/13/2024"]
    assert read(engine, values)[0].description == "month/day/year"


NATIVE = [
    (
        pa.array([0, 1_500, -1, None], pa.timestamp("ns")),
        ["1970-01-01 00:00:00", "1970-01-01 00:00:00.000001", "1969-12-31 23:59:59.999999", None],
        True,
    ),
    (pa.array([1_999], pa.timestamp("ns", tz="Europe/Paris")), ["1970-01-01 00:00:00.000001"], False),
    (pa.array([1_000_000], pa.timestamp("us")), ["1970-01-01 00:00:01"], True),
    (pa.array([1_000], pa.timestamp("ms")), ["1970-01-01 00:00:01"], True),
    (pa.array([1], pa.timestamp("s")), ["1970-01-01 00:00:01"], True),
    (pa.array([1_000_000], pa.timestamp("us", tz="America/New_York")), ["1970-01-01 00:00:01"], False),
]


@pytest.mark.parametrize(("column", "expected", "naive"), NATIVE)
def test_native_columns_are_floored_to_microseconds(engine, column, expected, naive):
    _, times, flags = read(engine, column)
    assert times == expected
    assert flags[0] is naive


def test_native_columns_in_a_zone(engine):
    _, times, _ = read(engine, pd_stamp("2024-07-15 12:00:00.123456789"), timezone="Europe/Paris")
    assert times == ["2024-07-15 10:00:00.123456"]


def pd_stamp(text: str) -> pa.Array:
    return pa.array(pd.DatetimeIndex([text]).as_unit("ns"))


def test_units_and_formats_by_hand(engine):
    assert read(engine, [0, 1, -1], time_unit="d")[1] == [
        "1970-01-01 00:00:00",
        "1970-01-02 00:00:00",
        "1969-12-31 00:00:00",
    ]
    assert read(engine, [1.5], time_unit="h")[1] == ["1970-01-01 01:30:00"]
    assert read(engine, ["1,5", "90"], time_unit="min")[1] == [None, "1970-01-01 01:30:00"]
    assert read(engine, [-1500, 1999], time_unit="ns")[1] == [
        "1969-12-31 23:59:59.999998",
        "1970-01-01 00:00:00.000001",
    ]
    assert read(engine, [2**62, 1], time_unit="s")[1] == [None, "1970-01-01 00:00:01"]
    assert read(engine, ["01/02/24"], time_format="%d/%m/%y")[1] == ["2024-02-01 00:00:00"]
    assert read(engine, ["2024-01-01 10:00Z", "2024-01-01 10:00+01:00"], time_format="%Y-%m-%d %H:%M%z")[
        1
    ] == ["2024-01-01 10:00:00", "2024-01-01 09:00:00"]
    assert read(engine, [20240131], time_format="%Y%m%d")[1] == ["2024-01-31 00:00:00"]
    assert read(engine, ["2024-07-15 12h"], time_format="%Y-%m-%d %Hh", timezone="Europe/Paris")[1] == [
        "2024-07-15 10:00:00"
    ]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, 2, 3], "time_unit"),
        ([0.5], "time_unit"),
        (["a", "b"], "'a', 'b'"),
        (["01/02/24", "02/02/24"], "two digits"),
        ([True], "BOOLEAN"),
        ([dt.time(10, 0)], "TIME"),
        (pa.array([None, None], pa.string()), "no values"),
        (["x" * 10_000_000], "… "),
    ],
)
def test_nothing_readable(engine, values, words):
    with pytest.raises(DataError) as caught:
        read(engine, values)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 2000
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    "options",
    [
        {"time_format": "%Q"},
        {"time_format": "d/m/y"},
        {"time_unit": "sec"},
        {"timezone": "Europe/Pariss"},
        {"time_unit": "s", "time_format": "%Y"},
    ],
)
def test_wrong_options(engine, options):
    with pytest.raises(OptionError):
        read(engine, ["2024-01-01"], **options)


def test_a_missing_column(engine):
    raw = open_raw(engine, pd.DataFrame({"timestamp": [1]}))
    with pytest.raises(LogSchemaError, match="did you mean 'timestamp'"):
        detect_time(engine, raw, "timestmp")


def test_the_answer_does_not_depend_on_the_order_of_rows(engine):
    values = ["2024-01-01"] * 5 + [f"{d:02d}/01/2024" for d in range(1, 29)] + ["junk"] * 3
    plans = {read(engine, order)[0].description for order in (values, values[::-1], sorted(values))}
    assert plans == {"day/month/year"}


@pytest.fixture(scope="module")
def shared():
    """One engine for all examples."""
    engine = DuckDBEngine(threads=2)
    yield engine
    engine.connection.close()


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.datetimes(dt.datetime(1800, 1, 2), dt.datetime(2199, 12, 30)), min_size=1, max_size=20),
    st.sampled_from([0, 60, -330, 765]),
)
def test_iso_text_with_any_offset_is_exact(shared, moments, minutes):
    zone = dt.timezone(dt.timedelta(minutes=minutes))
    texts = [m.replace(tzinfo=dt.UTC).astimezone(zone).isoformat() for m in moments]
    _, times, naive = read(shared, texts)
    assert times == [m.isoformat(sep=" ") for m in moments]
    assert not any(naive)
    _, times, naive = read(
        shared,
        [m.strftime("%d/%m/") + f"{m.year:04d}" + m.strftime(" %H:%M:%S.%f") for m in moments]
        + ["31/12/2000"],
    )
    assert times[:-1] == [m.isoformat(sep=" ") for m in moments]
    assert all(naive)
