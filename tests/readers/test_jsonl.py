from __future__ import annotations

import gzip
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journeymine.engine.duckdb import DuckDBEngine
from journeymine.errors import DataError
from journeymine.readers import open_raw
from journeymine.readers.raw import ROW

if TYPE_CHECKING:
    from collections.abc import Iterator


def write(folder: Path, lines: list[str] | bytes, name: str = "log.jsonl") -> Path:
    path = folder / name
    path.write_bytes(lines if isinstance(lines, bytes) else ("\n".join(lines) + "\n").encode())
    return path


def test_types_and_union_of_keys(tmp_path, engine, rows):
    lines = [
        '{"id": "007", "n": 1, "x": 1.5, "ok": true, "mix": 7, "deep": {"a": [1, 2]}}',
        "",
        '{"late": "NA", "id": "1e5", "n": 2, "x": 2, "ok": null, "mix": "7", "deep": null}',
    ]
    raw = open_raw(engine, write(tmp_path, lines))
    assert dict(raw.types) == {
        "id": "VARCHAR",
        "n": "BIGINT",
        "x": "DOUBLE",
        "ok": "BOOLEAN",
        "mix": "VARCHAR",
        "deep": "VARCHAR",
        "late": "VARCHAR",
    }
    assert rows(raw) == [
        ("007", 1, 1.5, True, "7", '{"a":[1,2]}', None),
        ("1e5", 2, 2.0, None, "7", None, "NA"),
    ]


def test_long_numbers_lose_nothing(tmp_path, engine, rows):
    raw = open_raw(
        engine,
        write(tmp_path, ['{"id": 12345678901234567890123, "b": 1}', '{"id": 2, "b": 9223372036854775807}']),
    )
    assert rows(raw) == [("12345678901234567890123", 1), ("2", 9223372036854775807)]


def test_broken_lines_are_counted(tmp_path, engine, rows):
    lines = b'{"a": 1, "b": 2}\n{"a": 1, "b"\n[1, 2]\n"text"\n{"a": "\xff", "b": 1}\nnull\n{"a": 3, "b": 4}'
    raw = open_raw(engine, write(tmp_path, lines))
    assert rows(raw) == [(1, 2), (3, 4)]
    (entry,) = raw.rejected
    assert entry.n == 5
    assert entry.examples == ('"text"', "[1, 2]", "null", '{"a": "\ufffd", "b": 1}', '{"a": 1, "b"')


def test_strange_keys(tmp_path, engine, rows):
    record = {
        "": 1,
        "a/b": 2,
        "a~b": 3,
        'q"t': 4,
        "select": 5,
        "A": 6,
        "a": 7,
        "rowid": 8,
        "$.x": 9,
        "日": 10,
        ROW: 11,
        "0": 12,
    }
    raw = open_raw(engine, write(tmp_path, [json.dumps(record)]))
    assert rows(raw) == [tuple(record.values())]
    assert raw.columns[5:7] == ("A", "a_2")


def test_gzip_array_encodings_and_order_of_files(tmp_path, engine, rows):
    first = write(tmp_path, gzip.compress(b'{"a": 1, "b": "x"}\r\n\r\n{"a": 2, "b": "y"}'), "z.jsonl.gz")
    second = write(tmp_path, '[{"a": 3, "b": "é"}]'.encode("utf-16"), "a.json")
    raw = open_raw(engine, [first, second])
    assert rows(raw) == [(1, "x"), (2, "y"), (3, "é")]
    assert raw.detected["encoding"] == "UTF-8 / UTF-16"


@pytest.mark.parametrize("data", [b'{"a": 1', b'[{"a": 1}', b"{}\n{}\n", b'{"one": 1}\n'])
def test_what_is_no_log(tmp_path, engine, data):
    with pytest.raises(DataError):
        open_raw(engine, write(tmp_path, data, "a.json"))


def test_the_real_files(reference_data, engine, rows):
    raw = open_raw(engine, str(reference_data / "sparkify_log_data_small" / "*.json"))
    oracle = []
    for path in sorted((reference_data / "sparkify_log_data_small").glob("*.json")):
        oracle += [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    assert raw.n_rows == len(oracle) == 297
    assert rows(raw) == [tuple(record[name] for name in raw.columns) for record in oracle]
    assert raw.rejected == ()


@pytest.fixture(scope="module")
def shared() -> Iterator[DuckDBEngine]:
    """One engine for all examples: making one costs more than reading a small file."""
    engine = DuckDBEngine(threads=2)
    yield engine
    engine.connection.close()


VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False)
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.fixed_dictionaries(
            {"k": st.just("v")}, optional={"a": VALUES, "b": st.text(max_size=8), "c": st.integers(-9, 9)}
        ),
        min_size=1,
        max_size=6,
    )
)
def test_texts_and_small_integers_come_back(shared, records):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.jsonl"
        path.write_text("\n".join(json.dumps({"first": 1, **r}) for r in records), encoding="utf-8")
        raw = open_raw(shared, path)
        found = shared.fetch_table(f"SELECT * FROM {raw.table} ORDER BY {ROW}").to_pylist()
    assert raw.rejected == ()
    for row, record in zip(found, records, strict=True):
        assert row.get("b") == record.get("b")
        assert row.get("c") == record.get("c")
        assert (row.get("a") is None) == (record.get("a") is None)
