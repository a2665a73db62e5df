"""Readers: any source as one raw table in the engine, rows numbered by their place in the source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journeymine.errors import OptionError, SourceError, listed, shown
from journeymine.readers.raw import ROW, LedgerEntry, RawLog
from journeymine.readers.sources import expand, format_of, is_paths

if TYPE_CHECKING:
    from pathlib import Path

    from journeymine.engine.duckdb import DuckDBEngine

__all__ = ["ROW", "LedgerEntry", "RawLog", "expand", "open_raw"]


def open_raw(
    engine: DuckDBEngine,
    source: Any,
    *,
    table: str | None = None,
    query: str | None = None,
    separator: str | None = None,
    encoding: str | None = None,
) -> RawLog:
    """Open a source as a raw table.

    Parameters
    ----------
    engine
        Engine that takes the rows.
    source
        File, glob or list of files (CSV, TSV, Parquet, JSON lines, XES, DuckDB), a pandas or Polars frame, an Arrow
        table, a DuckDB relation; None for a table or query of the engine itself.
    table, query
        Table or query, for a DuckDB file or the engine itself.
    separator, encoding
        For text files; detected when left out.

    Examples
    --------
    >>> import pandas as pd
    >>> from journeymine.engine.duckdb import DuckDBEngine
    >>> raw = open_raw(DuckDBEngine(), pd.DataFrame({"id": ["NA", "007"], "step": ["a", "b"]}))
    >>> raw.columns, raw.n_rows, raw.description
    (('id', 'step'), 2, 'pandas frame, 2 rows')
    """
    if table is not None and query is not None:
        raise OptionError("both table and query are given, expected one of them.", hint="leave one out.")
    if source is None:
        from journeymine.readers.database import open_here

        return open_here(engine, table=table, query=query)
    if is_paths(source):
        paths = expand(source)
        options = {"table": table, "query": query, "separator": separator, "encoding": encoding}
        return _open_files(engine, paths, options)
    _refuse(table=table, query=query, separator=separator, encoding=encoding, what="a frame")
    from journeymine.readers.frames import open_frame

    return open_frame(engine, source)


def _open_files(engine: DuckDBEngine, paths: list[Path], options: dict[str, str | None]) -> RawLog:
    kind = _one_format(paths)
    table, query = options["table"], options["query"]
    separator, encoding = options["separator"], options["encoding"]
    if kind == "database":
        from journeymine.readers.database import open_database

        _refuse(separator=separator, encoding=encoding, what="a DuckDB file")
        return open_database(engine, paths, table=table, query=query)
    _refuse(table=table, query=query, what=f"{_NAMES[kind]} files")
    if kind == "csv":
        from journeymine.readers.csv import open_csv

        return open_csv(engine, paths, separator=separator, encoding=encoding)
    _refuse(separator=separator, what=f"{_NAMES[kind]} files")
    if kind == "jsonl":
        from journeymine.readers.jsonl import open_jsonl

        return open_jsonl(engine, paths, encoding=encoding)
    _refuse(encoding=encoding, what=f"{_NAMES[kind]} files")
    if kind == "parquet":
        from journeymine.readers.parquet import open_parquet

        return open_parquet(engine, paths)
    from journeymine.readers.xes import open_xes

    return open_xes(engine, paths)


_NAMES = {"csv": "CSV", "jsonl": "JSON", "parquet": "Parquet", "xes": "XES", "database": "DuckDB"}


def _one_format(paths: list[Path]) -> str:
    found: dict[str, str] = {}
    for path in paths:
        found.setdefault(format_of(path), path.name)
    if len(found) > 1:
        raise SourceError(
            "the files are of different formats, expected one format.",
            found=listed(f"{shown(name)} is {_NAMES[kind]}" for kind, name in sorted(found.items())) + ".",
            hint="read them one format at a time.",
        )
    return next(iter(found))


def _refuse(*, what: str, **options: str | None) -> None:
    for name, value in options.items():
        if value is not None:
            raise OptionError(
                f"{name} is {shown(value)}, but it does not apply to {what}.", hint=f"leave {name} out."
            )
