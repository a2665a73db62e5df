"""CSV, TSV and other separated text: every column as text, nothing guessed, nothing lost silently.

The engine parses. It does so strictly, so that a file it accepts has one reading only. A file it refuses, or whose
bytes already show a problem, is first written anew record by record (`csv_records`): rows that cannot be read are
counted with examples, and the engine then reads the rest.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from journeymine.errors import EngineError, EngineLimitError, shown
from journeymine.readers.csv_records import Record, Shape, fitted, physical_lines, records, split_fields
from journeymine.readers.csv_sniff import Layout, find_layout
from journeymine.readers.raw import (
    RawLog,
    Rejects,
    count_rows,
    expose,
    renamed_note,
    require_rows,
    unique_names,
)
from journeymine.readers.sources import as_pattern
from journeymine.readers.text import TextFile, lines_outside_quotes, prepare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.engine.duckdb import DuckDBEngine

MIN_LINE_SIZE = 1 << 21
MAX_SHOWN_BYTES = 1000


@dataclass(frozen=True, slots=True)
class _Part:
    """One file: its text, its layout, and the column of the table that each of its fields goes to."""

    text: TextFile
    layout: Layout
    places: tuple[int, ...]


def open_csv(
    engine: DuckDBEngine, paths: Sequence[Path], *, separator: str | None = None, encoding: str | None = None
) -> RawLog:
    """Read separated text into a table of text columns.

    Parameters
    ----------
    engine
        Engine that takes the table.
    paths
        Files, in order. Their columns are joined by name.
    separator, encoding
        Default: detected, and said in `RawLog.detected`.
    """
    rejects = Rejects()
    with tempfile.TemporaryDirectory(prefix="journeymine-") as folder:
        parts, names, renamed = _plan(paths, Path(folder), separator, encoding)
        table = engine.new_name("csv")
        engine.execute(f"CREATE TABLE {table} ({', '.join(f'c{i} VARCHAR' for i in range(len(names)))})")
        for part in parts:
            _load(engine, table, part, Path(folder), rejects)
    n_rows = count_rows(engine, table)
    require_rows(n_rows, rejects, paths)
    return RawLog(
        table=expose(engine, table, names),
        columns=names,
        types=dict.fromkeys(names, "VARCHAR"),
        keeps_order=True,
        description=_description(parts, n_rows),
        n_rows=n_rows,
        rejected=rejects.entries(),
        detected={**_detected(parts), **renamed_note(renamed)},
    )


def _plan(
    paths: Sequence[Path], folder: Path, separator: str | None, encoding: str | None
) -> tuple[list[_Part], tuple[str, ...], dict[str, str]]:
    """Look at every file, and give each distinct column name a place in one table."""
    parts: list[_Part] = []
    places: dict[str, int] = {}
    names: list[str] = []
    all_renamed: dict[str, str] = {}
    for path in paths:
        text = prepare(path, folder, encoding)
        layout = find_layout(text, separator)
        own, renamed = unique_names(layout.names)
        all_renamed |= renamed
        for name in own:
            if places.setdefault(name.casefold(), len(names)) == len(names):
                names.append(name)
        parts.append(_Part(text, layout, tuple(places[name.casefold()] for name in own)))
    return parts, tuple(names), all_renamed


def _load(engine: DuckDBEngine, table: str, part: _Part, folder: Path, rejects: Rejects) -> None:
    if not (_looks_clean(part) and _load_strictly(engine, table, part)):
        _load_carefully(engine, table, part, folder, rejects)


def _looks_clean(part: _Part) -> bool:
    text, layout = part.text, part.layout
    plain = (
        layout.n_before == 1 and not layout.unlabelled and not layout.blank_start and layout.shape.separator
    )
    return bool(plain) and text.valid and text.one_line_end


def _has_quotes(part: _Part) -> bool:
    return {b'"': part.text.has_double, b"'": part.text.has_single}.get(part.layout.shape.quote, False)


def _load_strictly(engine: DuckDBEngine, table: str, part: _Part) -> bool:
    """Let the engine read the file as it is; False, and nothing loaded, when it finds anything wrong."""
    quotes = _has_quotes(part)
    before = count_rows(engine, table)
    try:
        # Where quotes may hold line ends, a reader that starts in the middle of the file has to guess.
        _insert(engine, table, part.text.path, part.layout.shape, part.places, parallel=not quotes)
    except EngineLimitError:
        raise
    except EngineError:
        return False  # what exactly is wrong is for the careful way to say
    # The engine passes over a broken last line without a word: the number of rows must be that of the lines.
    n_lines = part.text.n_lines
    if quotes:
        n_lines = lines_outside_quotes(part.text.path, part.layout.shape.quote)
    if count_rows(engine, table) - before == n_lines - part.layout.n_before:
        return True
    engine.execute(f"DELETE FROM {table} WHERE rowid >= {before}")
    return False


def _load_carefully(engine: DuckDBEngine, table: str, part: _Part, folder: Path, rejects: Rejects) -> None:
    shape = part.layout.shape
    clean = Shape(shape.separator or b"\t", shape.quote or b'"')
    target = folder / "clean.csv"
    with part.text.path.open("rb") as source, target.open("wb") as out:
        n_good, longest = _rewrite(source, out, part, clean, rejects)
    before = count_rows(engine, table)
    if n_good:
        _insert(engine, table, target, clean, part.places, parallel=False, line_size=longest)
    n_rows = count_rows(engine, table) - before
    target.unlink()
    if n_rows != n_good:
        problem = f"DuckDB read {n_rows} rows of {shown(part.text.name)} where {n_good} were written."
        raise EngineError(problem, engine=engine.name, sql="read_csv", hint="convert the file to Parquet.")


def _rewrite(
    source: IO[bytes], out: IO[bytes], part: _Part, clean: Shape, rejects: Rejects
) -> tuple[int, int]:
    """Write the readable records in one plain form; returns their number and the length of the longest."""
    width, n_good, longest = len(part.places), 0, 0
    out.write(clean.separator.join(b"c" for _ in range(width)) + b"\n")
    for number, record in enumerate(records(physical_lines(source), part.layout.shape, width)):
        if number < part.layout.n_before:
            continue
        line = _clean_line(record, width, part.layout.shape, clean)
        if line is None:
            rejects.add(record.text[:MAX_SHOWN_BYTES].decode("utf-8", "replace"))
            continue
        n_good, longest = n_good + 1, max(longest, len(line))
        out.write(line + b"\n")
    return n_good, longest


def _clean_line(record: Record, width: int, shape: Shape, clean: Shape) -> bytes | None:
    """One record in the plain form, None if it cannot be read."""
    if not _is_utf8(record.text):
        return None
    if record.plain and shape == clean:
        return record.text
    whole = split_fields(record.text, shape)[0] if record.plain else record.fields
    fields, quote = fitted(whole, width), clean.quote
    if fields is None:
        return None
    return clean.separator.join(quote + f.replace(quote, quote * 2) + quote if f else b"" for f in fields)


def _is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _insert(
    engine: DuckDBEngine,
    table: str,
    path: Path,
    shape: Shape,
    places: Sequence[int],
    *,
    parallel: bool,
    line_size: int = 0,
) -> None:
    """Parse a file strictly and append it, in its order."""
    literal = engine.dialect.literal
    fields = [f"f{i}" for i in range(len(places))]
    options = {
        "auto_detect": "false",
        "header": "true",
        "strict_mode": "true",
        "delim": literal(shape.separator.decode()),
        "quote": literal(shape.quote.decode()),
        "escape": literal(shape.quote.decode()),
        "comment": "''",
        "columns": "{" + ", ".join(f"'{name}': 'VARCHAR'" for name in fields) + "}",
        "max_line_size": str(max(MIN_LINE_SIZE, 2 * line_size)),
        "parallel": str(parallel).lower(),
    }
    reader = f"read_csv({literal(as_pattern(path))}, {', '.join(f'{k} = {v}' for k, v in options.items())})"
    targets = ", ".join(f"c{place}" for place in places)
    engine.execute(f"INSERT INTO {table} ({targets}) SELECT {', '.join(fields)} FROM {reader}")


def _description(parts: Sequence[_Part], n_rows: int) -> str:
    found = _detected(parts)
    files = f"{len(parts)} files, " if len(parts) > 1 else ""
    return f"CSV, {files}{found['separator']}, {found['encoding']}, {n_rows:,} rows"


def _detected(parts: Sequence[_Part]) -> dict[str, str]:
    found = {
        "separator": " / ".join(dict.fromkeys(part.layout.shape.name for part in parts)),
        "encoding": " / ".join(dict.fromkeys(part.text.encoding for part in parts)),
    }
    if any(part.layout.unlabelled for part in parts):
        found["row_names"] = "the first column has no name in the header"
    if len({frozenset(part.places) for part in parts}) > 1:
        found["columns_differ"] = "the files do not have the same columns; what a file lacks is missing"
    return found
