from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from journeymine.errors import DataError
from journeymine.readers import open_raw
from journeymine.readers.raw import ROW


def write(tmp_path, name, table, **options):
    path = tmp_path / name
    pq.write_table(pa.table(table), path, **options)
    return path


def test_a_view_in_file_order(tmp_path, engine, rows):
    n = 10_000
    path = write(
        tmp_path,
        "log.parquet",
        {"id": [f"c{i % 97}" for i in range(n)], "i": list(range(n))},
        row_group_size=999,
    )
    raw = open_raw(engine, path)
    assert [r[1] for r in rows(raw)] == list(range(n))
    assert dict(raw.types) == {"id": "VARCHAR", "i": "BIGINT"}
    kind = engine.fetch(
        f"SELECT table_type AS t FROM information_schema.tables WHERE table_name = '{raw.table}'"
    )
    assert kind["t"].tolist() == ["VIEW"]
    assert raw.description == "Parquet, 10,000 rows"


def test_many_files_join_by_name(tmp_path, engine, rows):
    first = write(tmp_path, "z.parquet", {"id": ["b", "a"], "n": [1, 2]})
    second = write(tmp_path, "a.parquet", {"n": [3], "extra": ["x"]})
    raw = open_raw(engine, [first, second])
    assert sorted(zip(raw.columns, rows(raw)[2], strict=True)) == [("extra", "x"), ("id", None), ("n", 3)]
    assert [r[raw.columns.index("n")] for r in rows(raw)] == [1, 2, 3]


@pytest.mark.parametrize(
    "name", ["file_row_number", "filename", "FILE_INDEX", ROW, "rowid", "select", 'a "b"']
)
def test_source_columns_named_like_the_engines_own(tmp_path, engine, rows, name):
    raw = open_raw(engine, write(tmp_path, "log.parquet", {name: [7, 8], "x": ["a", "b"]}))
    assert rows(raw) == [(7, "a"), (8, "b")]
    assert raw.columns[0] == (name if name != ROW else f"{ROW}_2")


def test_truncated_and_empty(tmp_path, engine):
    path = write(tmp_path, "log.parquet", {"id": list(range(1000))})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="not a readable Parquet"):
        open_raw(engine, path)
    with pytest.raises(DataError, match="no data rows"):
        open_raw(
            engine,
            write(tmp_path, "none.parquet", {"id": pa.array([], pa.int64()), "a": pa.array([], pa.string())}),
        )
