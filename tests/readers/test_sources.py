from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from journeymine.errors import DataError, OptionError, SourceError
from journeymine.readers import expand, open_raw
from journeymine.readers.sources import as_pattern, format_of


def write(folder: Path, name: str, data: bytes = b"id,a\n1,2\n") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_a_glob_is_sorted_and_a_list_keeps_its_order(tmp_path):
    for name in ("b.csv", "a.csv", "c.csv", "x.txt"):
        write(tmp_path, name)
    assert [p.name for p in expand(str(tmp_path / "*.csv"))] == ["a.csv", "b.csv", "c.csv"]
    assert [p.name for p in expand([tmp_path / "c.csv", str(tmp_path / "a.csv")])] == ["c.csv", "a.csv"]
    assert [p.name for p in expand([tmp_path / "x.txt", str(tmp_path / "[ab].csv")])] == [
        "x.txt",
        "a.csv",
        "b.csv",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "a[1].csv",
        "a*b.csv",
        "what?.csv",
        "o'x.csv",
        'q"t.csv',
        "a b;.csv",
        "日本.csv",
        "back\\slash.csv",
        "{a,b}.csv",
    ],
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_file_names_are_taken_literally(tmp_path, engine, rows, name, kind):
    write(tmp_path, "ab.csv", b"wrong\tfile\n")
    path = tmp_path / name
    if kind == "csv":
        write(tmp_path, name)
    else:
        engine.execute(
            f"COPY (SELECT '1' AS id, '2' AS a) TO {engine.dialect.literal(str(tmp_path / 'plain'))} (FORMAT parquet)"
        )
        (tmp_path / "plain").replace(path)
    assert rows(open_raw(engine, path)) == [("1", "2")]


def test_a_missing_file_names_its_neighbours(tmp_path):
    write(tmp_path, "events.csv")
    with pytest.raises(SourceError) as caught:
        expand(tmp_path / "event.csv")
    assert "not found" in str(caught.value)
    assert "did you mean 'events.csv'?" in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ([], "empty"),
        ("", "not a file name"),
        ("a\x00b", "not a file name"),
        ("https://example.org/log.csv", "not a local file"),
        ("no/such/folder/x.csv", "no folder"),
        ("no_match_*.csv", "no file matches"),
    ],
)
def test_what_names_no_file(source, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match=words):
        expand(source)


def test_folders_and_repeated_files_are_refused(tmp_path):
    path = write(tmp_path, "a.csv")
    with pytest.raises(SourceError, match="is a folder"):
        expand(tmp_path)
    with pytest.raises(SourceError, match="named twice"):
        expand([path, path])
    with pytest.raises(OptionError, match="holds a int"):
        expand([path, 3])


def test_no_permission(tmp_path, engine, monkeypatch):
    path = write(tmp_path, "secret.csv")
    real = Path.open

    def refuse(self, *args, **kwargs):
        if self.name == "secret.csv":
            raise PermissionError(13, "Permission denied")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SourceError, match="no permission") as caught:
        open_raw(engine, path)
    assert caught.value.exit_code == 2


FOREIGN = {
    "book.csv": (b"PK\x03\x04" + b"\x00" * 50, "Excel"),
    "old.csv": (b"\xd0\xcf\x11\xe0" + b"\x00" * 50, "old Excel"),
    "picture.csv": (b"\x89PNG\r\n\x1a\n" + bytes(range(200)), "PNG"),
    "paper.csv": (b"%PDF-1.7\n1,2\n", "PDF"),
    "page.csv": (b"<!DOCTYPE html>\n<html><body>a,b</body></html>", "web page"),
    "page2.csv": (b"\xef\xbb\xbf  <html lang='en'>a,b</html>", "web page"),
    "lite.db": (b"SQLite format 3\x00" + b"\x01" * 80, "SQLite"),
    "noise.csv": (bytes(range(256)) * 8, "binary"),
    "zst.csv": (b"\x28\xb5\x2f\xfd" + b"abc" * 9, "Zstandard"),
    "text.parquet": (b"a,b\n1,2\n", "text, although"),
    "text.xes": (b"a,b\n1,2\n", "not XML"),
    "drawing.xml": (b"<?xml version='1.0'?><svg></svg>", "<svg>"),
    "prose.txt": (b"Dear reader\nthis is a letter\nand no table\nat all\n", "not an event log"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_not_a_log_is_named(tmp_path, engine, name, packed):
    data, words = FOREIGN[name]
    path = write(tmp_path, name + (".gz" if packed else ""), gzip.compress(data) if packed else data)
    with pytest.raises(DataError, match=words) as caught:
        open_raw(engine, path)
    assert "not an event log" in str(caught.value)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("name", ["a.csv", "a.xes", "a.jsonl", "a.csv.gz", "a.parquet"])
@pytest.mark.parametrize("data", [b"", b" \n\n\t", b"\xef\xbb\xbf"])
def test_empty_files(tmp_path, engine, name, data):
    path = write(tmp_path, name, gzip.compress(data) if name.endswith("gz") else data)
    with pytest.raises(DataError):
        open_raw(engine, path)


@pytest.mark.parametrize("name", ["a.csv.gz", "a.xes.gz", "a.jsonl.gz"])
@pytest.mark.parametrize("cut", [30, -20, -4])
def test_truncated_gzip(tmp_path, engine, name, cut):
    inner = {
        "a.csv.gz": b"id,a\n" + b"".join(b"%d,%d\n" % (i, i * i % 977) for i in range(5000)),
        "a.xes.gz": b"<log>"
        + b"<trace><event><string key='concept:name' value='a'/></event></trace>" * 2000
        + b"</log>",
        "a.jsonl.gz": b"".join(b'{"id": %d, "a": %d}\n' % (i, i * i % 977) for i in range(5000)),
    }[name]
    path = write(tmp_path, name, gzip.compress(inner)[:cut])
    with pytest.raises(DataError, match="truncated") as caught:
        open_raw(engine, path)
    assert caught.value.exit_code == 3


def test_formats_by_content(tmp_path):
    assert format_of(write(tmp_path, "a.txt", b'{"a": 1}\n')) == "jsonl"
    assert format_of(write(tmp_path, "b.csv", b"<log></log>")) == "xes"
    assert format_of(write(tmp_path, "c.dat", "a;b\n".encode("utf-16"))) == "csv"
    assert format_of(write(tmp_path, "d.log", "a;b\n1;2\n".encode("utf-16-le"))) == "csv"
    assert as_pattern(Path("a")) == "a"


def test_options_that_do_not_apply(tmp_path, engine):
    csv = write(tmp_path, "a.csv")
    xes = write(tmp_path, "b.xes", b"<log/>")
    for source, options in (
        (csv, {"query": "SELECT 1"}),
        (csv, {"table": "t"}),
        (xes, {"separator": ";"}),
        (xes, {"encoding": "utf-8"}),
        (csv, {"separator": ";;"}),
        (csv, {"encoding": "klingon"}),
        (csv, {"table": "t", "query": "q"}),
        (None, {}),
        (42, {}),
    ):
        with pytest.raises(OptionError):
            open_raw(engine, source, **options)
    with pytest.raises(SourceError, match="different formats"):
        open_raw(engine, [csv, xes])
