from __future__ import annotations

import csv
import gzip
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journeymine.engine.duckdb import DuckDBEngine
from journeymine.errors import DataError, LogSchemaError
from journeymine.readers import open_raw
from journeymine.readers.raw import ROW

if TYPE_CHECKING:
    from collections.abc import Iterator


def csv_line(
    row: list[str] | tuple[str, ...], separator: str = ",", line_end: str = "\n", every: bool = False
) -> str:
    """RFC 4180. Python's own writer leaves carriage returns unquoted before 3.13."""
    special = set(separator + "\"'\r\n ")
    return (
        separator.join(
            '"' + field.replace('"', '""') + '"' if every or special & set(field) else field for field in row
        )
        + line_end
    )


def write(folder: Path, data: bytes | str, name: str = "log.csv") -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def test_values_stay_what_they_are(tmp_path, engine, rows):
    values = [
        "a\x00b",
        "007",
        "1e5",
        "NA",
        "null",
        "NULL",
        "None",
        "nan",
        "1.0",
        "+1",
        " x ",
        "TRUE",
        "=cmd()",
        "<b>",
        "日本",
        "\u202eabc",
        "-",
        "\\N",
    ]
    path = write(tmp_path, "id,a\n" + "".join(f"{v},{i}\n" for i, v in enumerate(values)))
    raw = open_raw(engine, path)
    assert [r[0] for r in rows(raw)] == values
    assert set(raw.types.values()) == {"VARCHAR"}
    assert raw.keeps_order
    assert raw.rejected == ()


def test_only_an_empty_field_is_missing(tmp_path, engine, rows):
    path = write(tmp_path, 'id,a,b\n1,,""\n2," ",x\n,,\n')
    assert rows(open_raw(engine, path)) == [("1", None, None), ("2", " ", "x"), (None, None, None)]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "^", "~"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(tmp_path, engine, rows, separator, line_end):
    table = [
        ["case id", "activity", "note"],
        ["1", "a,b;c", 'say "x"'],
        ["2", "z", "two\nlines"],
        ["3", "", "1.5"],
    ]
    text = "".join(csv_line(row, separator, line_end) for row in table)
    raw = open_raw(engine, write(tmp_path, text))
    assert raw.columns == tuple(table[0])
    assert rows(raw) == [tuple(v or None for v in row) for row in table[1:]]
    assert separator in raw.detected["separator"] or separator == "\t"


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8 with BOM"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"),
        ("cp1252", "Windows-1252"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_encodings(tmp_path, engine, rows, encoding, shown, packed):
    data = "id;étape\n1;déjà vu – 5 €\n2;plain\n".encode(encoding)
    path = write(tmp_path, gzip.compress(data) if packed else data, "log.csv.gz" if packed else "log.csv")
    raw = open_raw(engine, path)
    assert raw.columns == ("id", "étape")
    assert rows(raw) == [("1", "déjà vu – 5 €"), ("2", "plain")]
    assert raw.detected["encoding"] == shown
    assert raw.description == f"CSV, separator ';', {shown}, 2 rows"


def test_latin_1_and_a_given_encoding(tmp_path, engine, rows):
    path = write(tmp_path, b"id;a\n1;caf\xe9\x81\n")
    assert open_raw(engine, path).detected["encoding"] == "Latin-1"
    raw = open_raw(engine, write(tmp_path, "id;a\n1;Ж\n".encode("cp1251"), "ru.csv"), encoding="cp1251")
    assert rows(raw) == [("1", "Ж")]


BAD_LINES = {
    "too few fields": (b"2,x\n", "2,x"),
    "too many fields": (b"2,x,y,z\n", "2,x,y,z"),
    "text after a quote": (b'2,"x"y,z\n', '2,"x"y,z'),
    "undecodable bytes": (b"2,\xff\xfe,z\n", "2,\ufffd\ufffd,z"),
    "an open quote": (b'2,"x,y\n', '2,"x,y'),
}


@pytest.mark.parametrize("kind", BAD_LINES)
@pytest.mark.parametrize("with_quotes", [False, True])
def test_bad_lines_are_counted_and_their_neighbours_kept(tmp_path, engine, rows, kind, with_quotes):
    bad, example = BAD_LINES[kind]
    good = [
        ("1", "é", "b"),
        ("3", 'c"c' if with_quotes else "c", "d"),
        ("4", "é é", "f\ng" if with_quotes else "f"),
    ]
    lines = [csv_line(row).encode() for row in good]
    path = write(tmp_path, b"id,a,b\n" + lines[0] + bad + b"".join(lines[1:]) + bad)
    raw = open_raw(engine, path)
    assert rows(raw) == good
    (entry,) = raw.rejected
    assert (entry.rule, entry.n, entry.examples) == ("unreadable_row", 2, (example,))


@pytest.mark.parametrize("last", ['x","é', 'x,"a" b', ';"a, """', '"a",b"c,"d'])
def test_a_broken_last_line_is_not_lost(tmp_path, engine, rows, last):
    raw = open_raw(engine, write(tmp_path, f'id,a\n1,"x"\n{last}'))
    assert rows(raw) == [("1", "x")]
    assert (raw.rejected[0].n, raw.rejected[0].examples) == (1, (last,))


def test_rejected_examples_are_the_smallest_and_short(tmp_path, engine):
    bad = [f"{name},1,2,3" for name in ("k", "c", "x", "a", "b", "d", "c", "e" * 5000)]
    raw = open_raw(engine, write(tmp_path, "id,a\n1,2\n" + "\n".join(bad) + "\n"))
    (entry,) = raw.rejected
    assert entry.n == 8
    assert [e[:1] for e in entry.examples] == ["a", "b", "c", "d", "e"]
    assert max(map(len, entry.examples)) == 201
    other = open_raw(engine, write(tmp_path, "id,a\n1,2\n" + "\n".join(reversed(bad)) + "\n", "shuffled.csv"))
    assert other.rejected == raw.rejected


def test_undecodable_bytes_of_other_encodings(tmp_path, engine, rows):
    path = write(tmp_path, b"id;a\n1;caf\xe9\n2;x\x81y\n3;ok\n")
    raw = open_raw(engine, path, encoding="cp1252")
    assert rows(raw) == [("1", "café"), ("3", "ok")]
    assert raw.rejected[0].n == 1
    data = "id,a\n1,x\n2,y\n".encode("utf-16-le") + b"3"
    raw = open_raw(engine, write(tmp_path, data, "cut.csv"), encoding="utf-16-le")
    assert [r[0] for r in rows(raw)] == ["1", "2"]
    assert raw.rejected[0].n == 1


def test_big_fields_and_quoted_line_ends(tmp_path, engine, rows):
    big = "x" * 10_000_000
    path = write(tmp_path, f'id,a\n1,"line\n{big}"\n2,{big}\n3,"a\r\nb"\n')
    found = rows(open_raw(engine, path))
    assert [len(r[1]) for r in found] == [10_000_005, 10_000_000, 4]
    assert found[2][1] == "a\r\nb"


@pytest.mark.parametrize("blank", ["\n", "  \n", "\n\n\n"])
def test_blank_lines_are_no_rows(tmp_path, engine, rows, blank):
    raw = open_raw(engine, write(tmp_path, f"{blank}id,a\n{blank}1,2\n{blank}3,4\n{blank}"))
    assert rows(raw) == [("1", "2"), ("3", "4")]
    assert raw.rejected == ()


def test_headers_of_every_kind(tmp_path, engine, rows):
    header = ["id", "ID", "id", "", "select", 'a "b"', "rowid", ROW, "c0", "x\ny", " padded ", "=1+1", "日"]
    buffer = io.StringIO()
    csv.writer(buffer).writerow(header)
    csv.writer(buffer).writerow([str(i) for i in range(len(header))])
    raw = open_raw(engine, write(tmp_path, buffer.getvalue()))
    assert raw.columns == (
        "id", "ID_2", "id_3", "column_4", "select", 'a "b"', "rowid", f"{ROW}_2", "c0", "x\ny", "padded", "=1+1", "日",
    )  # fmt: skip
    assert rows(raw) == [tuple(str(i) for i in range(len(header)))]
    assert "column 2 is 'ID_2'" in raw.detected["renamed_columns"]


@pytest.mark.parametrize(
    "first", ["1,2,2024-01-01", "1;2,5;3", "a,register,2024-01-01 10:00:00", "00004 0001 19970101"]
)
def test_a_header_is_required(tmp_path, engine, first):
    with pytest.raises(LogSchemaError, match="no header line"):
        open_raw(engine, write(tmp_path, f"{first}\n{first}\n"))


def test_tables_without_rows(tmp_path, engine):
    with pytest.raises(DataError, match="no data rows"):
        open_raw(engine, write(tmp_path, "id,activity,time\n"))
    with pytest.raises(DataError, match="none of 2 rows") as caught:
        open_raw(engine, write(tmp_path, "id,activity\n1,2,3\n4,5,6,7\n", "b.csv"))
    assert "1,2,3" in str(caught.value)


def test_excel_sep_line_row_names_and_blanks(tmp_path, engine, rows):
    assert rows(open_raw(engine, write(tmp_path, "sep=;\nid;a\n1;x,y\n"))) == [("1", "x,y")]
    raw = open_raw(engine, write(tmp_path, '"id","a"\n"1",5,"x"\n"2",6,"y"\n', "r.csv"))
    assert raw.columns == ("column_1", "id", "a")
    assert rows(raw) == [("1", "5", "x"), ("2", "6", "y")]
    raw = open_raw(engine, write(tmp_path, " id   date  v\n 01  19970101  1.5\n 02  19970102  2\n", "w.txt"))
    assert rows(raw) == [("01", "19970101", "1.5"), ("02", "19970102", "2")]
    assert raw.detected["separator"] == "separated by blanks"
    raw = open_raw(engine, write(tmp_path, "id,a\n'1','x,y'\n'2','it''s'\n", "s.csv"))
    assert rows(raw) == [("1", "x,y"), ("2", "it's")]
    raw = open_raw(engine, write(tmp_path, 'id\ta\n1\t5" pipe\n2\t"open\n3\t"x" y\n', "t.tsv"))
    assert [r[0] for r in rows(raw)] == ["1", "2", "3"]
    raw = open_raw(engine, write(tmp_path, "id;a\n1;2\n", "given.csv"), separator="semicolon")
    assert raw.columns == ("id", "a")


def test_separators_at_the_end_of_a_line_add_nothing(tmp_path, engine, rows):
    raw = open_raw(engine, write(tmp_path, "id,a\n1,2,\n3,4,,\n5,,\n"))
    assert rows(raw) == [("1", "2"), ("3", "4"), ("5", None)]
    raw = open_raw(engine, write(tmp_path, 'id,a\n1,"2",\n3,"4"\n6,7,8\n', "quoted.csv"))
    assert rows(raw) == [("1", "2"), ("3", "4")]
    assert raw.rejected[0].examples == ("6,7,8",)


def test_many_files_join_by_name_and_keep_their_order(tmp_path, engine, rows):
    first = write(tmp_path, "id,a\n3,x\n1,y\n", "b.csv")
    second = write(tmp_path, "A;id;extra\nz;2;e\n", "a.csv")
    raw = open_raw(engine, [first, second])
    assert raw.columns == ("id", "a", "extra")
    assert rows(raw) == [("3", "x", None), ("1", "y", None), ("2", "z", "e")]
    assert "columns_differ" in raw.detected
    assert raw.description.startswith("CSV, 2 files, ")


def test_order_and_counts_at_size(tmp_path, engine):
    n = 300_000
    path = write(tmp_path, "id,a\n" + "".join(f"{i},{i % 7}\n" for i in range(n)))
    raw = open_raw(engine, path)
    found = engine.fetch(
        f"SELECT COUNT(*) AS n, bool_and(CAST(id AS BIGINT) = {ROW}) AS same FROM {raw.table}"
    )
    assert (int(found["n"][0]), bool(found["same"][0])) == (n, True)
    quoted = write(tmp_path, "id,a\n" + "".join(f'{i},"1,2\n3,{i}"\n' for i in range(n)), "quoted.csv")
    raw = open_raw(engine, quoted)
    found = engine.fetch(
        f"SELECT COUNT(*) AS n, bool_and(CAST(id AS BIGINT) = {ROW} AND a = '1,2' || chr(10) || '3,' || id) AS same "
        f"FROM {raw.table}"
    )
    assert (int(found["n"][0]), bool(found["same"][0])) == (n, True)


@pytest.fixture(scope="module")
def shared() -> Iterator[DuckDBEngine]:
    """One engine for all examples: making one costs more than reading a small file."""
    engine = DuckDBEngine(threads=2)
    yield engine
    engine.connection.close()


FIELD = st.text(st.sampled_from("ab7é日 ,;\t|\"'\n\r=<>"), max_size=6) | st.sampled_from(
    ["", "NA", "007", '""', "\r\n"]
)


@pytest.mark.parametrize("clean", [True, False])
def test_a_row_of_tabs_is_a_row_of_missing_fields(tmp_path, engine, rows, clean):
    text = "a\tb\n\t\n1\t2\n\t\n" + ("" if clean else "x\n \n")
    raw = open_raw(engine, write(tmp_path, text), separator="\t")
    assert rows(raw) == [(None, None), ("1", "2"), (None, None)]
    assert sum(entry.n for entry in raw.rejected) == (0 if clean else 1)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(2, 4).flatmap(
        lambda k: st.lists(st.lists(FIELD, min_size=k, max_size=k), min_size=1, max_size=8)
    ),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_whatever_is_written_by_the_rules_comes_back(shared, table, separator, line_end, every):
    header = [f"name {i}" for i in range(len(table[0]))]
    text = "".join(csv_line(row, separator, line_end, every) for row in [header, *table])
    assert list(csv.reader(io.StringIO(text, newline=""), delimiter=separator)) == [header, *table]
    with tempfile.TemporaryDirectory() as folder:
        raw = open_raw(shared, write(Path(folder), text), separator=separator)
        table_read = shared.fetch_table(f"SELECT * FROM {raw.table} ORDER BY {ROW}").to_pylist()
    found = [tuple(row[name] for name in header) for row in table_read]
    assert found == [tuple(v or None for v in row) for row in table]
    assert raw.rejected == ()
