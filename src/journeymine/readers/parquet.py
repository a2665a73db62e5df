"""Parquet: a view on the files, nothing copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.errors import DataError, EngineError, EngineLimitError, shown
from journeymine.readers.raw import (
    ROW,
    RawLog,
    Rejects,
    column_types,
    columns_sql,
    expose,
    renamed_note,
    require_rows,
    unique_names,
)
from journeymine.readers.sources import as_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from journeymine.engine.duckdb import DuckDBEngine

_VIRTUAL = frozenset({"file_row_number", "file_index", "filename"})


def open_parquet(engine: DuckDBEngine, paths: Sequence[Path]) -> RawLog:
    """Show Parquet files as one table; columns are joined by name.

    Parameters
    ----------
    engine
        Engine that reads the files.
    paths
        Files, in order.
    """
    source = _reader(engine, paths)
    given = tuple(_source_types(engine, source, paths))
    names, renamed = unique_names(given)
    if _VIRTUAL & {name.casefold() for name in given}:
        view = _copied(engine, source, given, names)
    else:
        view = engine.new_name("raw")
        place = (
            "file_row_number" if len(paths) == 1 else "((CAST(file_index AS BIGINT) << 40) | file_row_number)"
        )
        pairs = [
            (place, ROW),
            *((engine.dialect.quote(old), new) for old, new in zip(given, names, strict=True)),
        ]
        engine.execute(f"CREATE VIEW {view} AS SELECT {columns_sql(engine, pairs)} FROM {source}")
    n_rows = _count(engine, paths)
    require_rows(n_rows, Rejects(), paths)
    files = f"{len(paths)} files, " if len(paths) > 1 else ""
    return RawLog(
        table=view,
        columns=names,
        types=column_types(engine, view),
        keeps_order=True,
        description=f"Parquet, {files}{n_rows:,} rows",
        n_rows=n_rows,
        detected=renamed_note(renamed),
    )


def _reader(engine: DuckDBEngine, paths: Sequence[Path]) -> str:
    files = ", ".join(engine.dialect.literal(as_pattern(path)) for path in paths)
    return (
        f"read_parquet([{files}], union_by_name = {str(len(paths) > 1).lower()}, hive_partitioning = false)"
    )


def _source_types(engine: DuckDBEngine, source: str, paths: Sequence[Path]) -> dict[str, str]:
    try:
        described = engine.fetch(f"DESCRIBE SELECT * FROM {source}")
    except EngineLimitError:
        raise
    except EngineError as error:
        name = shown(paths[0].name) if len(paths) == 1 else f"one of {len(paths)} Parquet files"
        raise DataError(
            f"{name} is not a readable Parquet file: {error.problem}", hint="write or download it again."
        ) from error
    pairs = zip(described["column_name"].tolist(), described["column_type"].tolist(), strict=True)
    return dict(pairs)


def _copied(engine: DuckDBEngine, source: str, given: Sequence[str], names: Sequence[str]) -> str:
    """A copy instead of a view: a source column has a name the engine uses for the place in the file."""
    table = engine.new_name("parquet")
    columns = ", ".join(f"c{i}" for i in range(len(given)))
    engine.execute(f"CREATE TABLE {table} AS SELECT * FROM {source} AS source({columns})")
    return expose(engine, table, names)


def _count(engine: DuckDBEngine, paths: Sequence[Path]) -> int:
    files = ", ".join(engine.dialect.literal(as_pattern(path)) for path in paths)
    return int(engine.fetch(f"SELECT SUM(num_rows) AS n FROM parquet_file_metadata([{files}])")["n"][0])
