"""JSON lines: one object per line, columns are the union of the keys, types are those of JSON."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from journeymine.errors import DataError, shown
from journeymine.readers.raw import (
    MAX_EXAMPLE_LENGTH,
    MAX_EXAMPLES,
    RawLog,
    Rejects,
    column_types,
    count_rows,
    expose,
    renamed_note,
    require_rows,
    unique_names,
)
from journeymine.readers.sources import blocks
from journeymine.readers.text import TextFile, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from journeymine.engine.duckdb import DuckDBEngine

MAX_KEYS = 2000
MAX_ARRAY_BYTES = 200_000_000
_NUMBERS = frozenset({"BIGINT", "UBIGINT", "DOUBLE"})
_IS_OBJECT = "CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' ELSE FALSE END"


def open_jsonl(engine: DuckDBEngine, paths: Sequence[Path], *, encoding: str | None = None) -> RawLog:
    """Read JSON lines (or one JSON array of objects) into a table; nested values stay JSON text.

    Parameters
    ----------
    engine
        Engine that takes the table.
    paths
        Files, in order.
    encoding
        Default: detected.
    """
    rejects, lines = Rejects(), engine.new_name("lines")
    engine.execute(f"CREATE TABLE {lines} (line VARCHAR)")
    encodings: dict[str, None] = {}
    with tempfile.TemporaryDirectory(prefix="journeymine-") as folder:
        for path in paths:
            text = prepare(path, Path(folder), encoding, unicode_only=True)
            encodings[text.encoding] = None
            _load(engine, lines, text, rejects)
    _reject_broken(engine, lines, rejects)
    keys = _keys(engine, lines)
    n_rows = count_rows(engine, lines)
    require_rows(n_rows, rejects, paths)
    _check_keys(keys, paths)
    table = _table(engine, lines, keys)
    names, renamed = unique_names(keys)
    view = expose(engine, table, names)
    files = f"{len(paths)} files, " if len(paths) > 1 else ""
    return RawLog(
        table=view,
        columns=names,
        types=column_types(engine, view),
        keeps_order=True,
        description=f"JSON lines, {files}{' / '.join(encodings)}, {n_rows:,} rows",
        n_rows=n_rows,
        rejected=rejects.entries(),
        detected={"encoding": " / ".join(encodings), **renamed_note(renamed)},
    )


def _load(engine: DuckDBEngine, table: str, text: TextFile, rejects: Rejects) -> None:
    import pyarrow as pa

    batches = _array_items(text) if _is_array(text) else _line_batches(text)
    for batch in batches:
        name = engine.new_name("batch")
        engine.register(name, pa.table({"line": _as_text(batch, rejects)}))
        engine.execute(f"INSERT INTO {table} SELECT line FROM {name}")
        engine.connection.unregister(name)


def _line_batches(text: TextFile) -> Iterator[list[bytes]]:
    """Lines that are not blank, many at a time."""
    rest = b""
    with text.path.open("rb") as stream:
        for number, block in enumerate(blocks(stream, text.path)):
            joined = rest + (block.removeprefix(b"\xef\xbb\xbf") if number == 0 else block)
            *complete, rest = joined.split(b"\n")
            yield [line for line in complete if line.strip()]
    if rest.strip():
        yield [rest]


def _as_text(lines: list[bytes], rejects: Rejects) -> pa.Array:
    import pyarrow as pa

    try:
        return pa.array(lines, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        good = []
        for line in lines:
            try:
                good.append(line.decode("utf-8"))
            except UnicodeDecodeError:
                rejects.add(line[: 4 * MAX_EXAMPLE_LENGTH].decode("utf-8", "replace"))
        return pa.array(good, pa.string())


def _is_array(text: TextFile) -> bool:
    with text.path.open("rb") as stream:
        return stream.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")


def _array_items(text: TextFile) -> Iterator[list[bytes]]:
    if text.path.stat().st_size > MAX_ARRAY_BYTES:
        raise DataError(
            f"{shown(text.name)} is one large JSON array.", hint="write one JSON object per line instead."
        )
    try:
        items = json.loads(text.path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{shown(text.name)} is not readable JSON: {error}.", hint="write one JSON object per line."
        ) from error
    yield [json.dumps(item, ensure_ascii=False).encode("utf-8", "replace") for item in items]


def _reject_broken(engine: DuckDBEngine, lines: str, rejects: Rejects) -> None:
    n_broken = int(engine.fetch(f"SELECT COUNT(*) AS n FROM {lines} WHERE NOT {_IS_OBJECT}")["n"][0])
    if not n_broken:
        return
    examples = engine.fetch(
        f"SELECT DISTINCT substr(line, 1, {MAX_EXAMPLE_LENGTH + 1}) AS example FROM {lines} "
        f"WHERE NOT {_IS_OBJECT} ORDER BY example LIMIT {MAX_EXAMPLES}"
    )["example"].tolist()
    for place, example in enumerate(examples):
        rejects.add(example, n_broken if place == 0 else 0)
    engine.execute(f"DELETE FROM {lines} WHERE NOT {_IS_OBJECT}")


def _keys(engine: DuckDBEngine, lines: str) -> list[str]:
    """All keys, in the order in which they first occur."""
    shapes = engine.fetch_table(
        f"SELECT json_keys(line) AS keys, MIN(rowid) AS first FROM {lines} GROUP BY 1 ORDER BY first"
    )
    return list(dict.fromkeys(key for keys in shapes.column("keys").to_pylist() for key in keys))


def _check_keys(keys: Sequence[str], paths: Sequence[Path]) -> None:
    if 2 <= len(keys) <= MAX_KEYS:
        return
    raise DataError(
        f"{shown(paths[0].name)} is not an event log: its objects have {len(keys):,} different keys.",
        hint="expected one object per event, with the same few keys each.",
    )


def _table(engine: DuckDBEngine, lines: str, keys: Sequence[str]) -> str:
    """Table with one typed column per key."""
    paths = "[" + ", ".join(engine.dialect.literal(_pointer(key)) for key in keys) + "]"
    kinds = _kinds(engine, lines, paths, len(keys))
    table = engine.new_name("json")
    columns = ", ".join(
        f"v[{i + 1}] AS c{i}" if kind == "VARCHAR" else f"CAST(v[{i + 1}] AS {kind}) AS c{i}"
        for i, kind in enumerate(kinds)
    )
    engine.execute(
        f"CREATE TABLE {table} AS SELECT {columns} FROM (SELECT json_extract_string(line, {paths}) AS v FROM {lines})"
    )
    engine.execute(f"DROP TABLE {lines}")
    return table


def _pointer(key: str) -> str:
    """JSON pointer to a key (RFC 6901).

    Examples
    --------
    >>> _pointer("a/b~c")
    '/a~1b~0c'
    """
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _kinds(engine: DuckDBEngine, lines: str, paths: str, n_keys: int) -> list[str]:
    """Engine type of each key: a number or truth value only where every value is one and nothing is lost."""
    parts = []
    for i in range(1, n_keys + 1):
        parts += [
            f"list(DISTINCT t[{i}]) FILTER (t[{i}] IS NOT NULL) AS t{i}",
            f"bool_and(v[{i}] IS NULL OR TRY_CAST(v[{i}] AS BIGINT) IS NOT NULL) AS i{i}",
            f"bool_and(v[{i}] IS NULL OR isfinite(TRY_CAST(v[{i}] AS DOUBLE))) AS f{i}",
            f"bool_or(regexp_full_match(v[{i}], '-?[0-9]{{16,}}')) AS b{i}",
        ]
    values = f"SELECT json_type(line, {paths}) AS t, json_extract_string(line, {paths}) AS v FROM {lines}"
    row = engine.fetch_table(f"SELECT {', '.join(parts)} FROM ({values})").to_pylist()[0]
    return [
        _kind(set(row[f"t{i}"] or ()) - {"NULL"}, whole=row[f"i{i}"], finite=row[f"f{i}"], long=row[f"b{i}"])
        for i in range(1, n_keys + 1)
    ]


def _kind(found: set[str], *, whole: bool, finite: bool, long: bool | None) -> str:
    if found == {"BOOLEAN"}:
        return "BOOLEAN"
    if not found or not found <= _NUMBERS:
        return "VARCHAR"
    if "DOUBLE" not in found:
        return "BIGINT" if whole else "VARCHAR"
    return "DOUBLE" if finite and not long else "VARCHAR"
