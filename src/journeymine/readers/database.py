"""DuckDB files (attached read-only) and tables or queries of the engine itself. Tables have no order of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.errors import (
    DataError,
    EngineError,
    EngineLimitError,
    OptionError,
    SourceError,
    listed,
    shown,
    suggestion,
)
from journeymine.readers.raw import (
    ROW,
    RawLog,
    column_types,
    columns_sql,
    count_rows,
    expose,
    renamed_note,
    unique_names,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from journeymine.engine.duckdb import DuckDBEngine

_SYSTEM = ("rowid", ROW)


def open_database(
    engine: DuckDBEngine, paths: Sequence[Path], *, table: str | None = None, query: str | None = None
) -> RawLog:
    """Attach a DuckDB file read-only and open one table or the result of a query.

    Parameters
    ----------
    engine
        Engine that attaches the file.
    paths
        One file.
    table, query
        One of them; without either, the only table of the file.
    """
    if len(paths) > 1:
        raise SourceError(f"{len(paths)} DuckDB files are named, expected one.", hint="name one file.")
    database = _attach(engine, paths[0])
    if query is not None:
        return _from_query(engine, query, database)
    return _from_table(engine, table, database, shown(paths[0].name))


def open_here(engine: DuckDBEngine, *, table: str | None = None, query: str | None = None) -> RawLog:
    """Open a table or query of the engine itself.

    Parameters
    ----------
    engine
        Engine that has the table.
    table, query
        Exactly one of them.
    """
    if query is not None:
        return _from_query(engine, query, None)
    if table is None:
        raise OptionError("no source is given.", hint="name a file, pass a frame, or give table or query.")
    return _from_table(engine, table, None, "the engine")


def _attach(engine: DuckDBEngine, path: Path) -> str:
    attached = engine.fetch_table("SELECT database_name, path FROM duckdb_databases()").to_pylist()
    same = [row["database_name"] for row in attached if row["path"] == str(path)]
    if same:
        return str(same[0])
    name = engine.new_name("db")
    try:
        engine.execute(f"ATTACH {engine.dialect.literal(str(path))} AS {name} (READ_ONLY)")
    except EngineLimitError:
        raise
    except EngineError as error:
        text = error.problem.casefold()
        if "lock" in text or "already" in text or "same database file" in text or "handle conflict" in text:
            raise SourceError(
                f"{shown(path.name)} is open elsewhere: {error.problem}",
                hint='close that connection, or pass connection.table("…") instead of the file.',
            ) from error
        raise DataError(
            f"{shown(path.name)} is not a readable DuckDB file: {error.problem}",
            hint="check the DuckDB version.",
        ) from error
    return name


def _tables(engine: DuckDBEngine, database: str | None) -> dict[str, tuple[str, bool]]:
    """Tables and views: plain name -> (quoted name, whether it is a table with row numbers)."""
    where = f"'{database}'" if database else "current_database()"
    found = engine.fetch_table(
        "SELECT table_schema AS s, table_name AS t, table_type AS k FROM information_schema.tables "
        f"WHERE table_catalog = {where} ORDER BY table_schema, table_name"
    ).to_pylist()
    quote, tables = engine.dialect.quote, {}
    prefix = f"{quote(database)}." if database else ""
    for row in found:
        name = row["t"] if row["s"] == "main" else f"{row['s']}.{row['t']}"
        tables[name] = (f"{prefix}{quote(row['s'])}.{quote(row['t'])}", row["k"] == "BASE TABLE")
    return tables


def _from_table(engine: DuckDBEngine, table: str | None, database: str | None, where: str) -> RawLog:
    tables = _tables(engine, database)
    if table is None:
        if len(tables) != 1:
            raise SourceError(
                f"{where} holds {len(tables)} tables, and none is named.",
                found=listed(tables) if tables else None,
                hint='pass table="…" or query="SELECT …".',
            )
        table = next(iter(tables))
    folded = {name.casefold(): name for name in tables}
    known = table if table in tables else folded.get(table.casefold())
    if known is None and database is None:
        return _from_query(engine, f"SELECT * FROM {engine.dialect.quote(table)}", None, table=table)
    if known is None:
        raise SourceError(
            f"table {shown(table)} not found in {where}.",
            found=listed(tables) if tables else "no tables.",
            hint=suggestion(table, tables, "check the name."),
        )
    quoted, is_table = tables[known]
    given = tuple(column_types(engine, quoted))
    if not is_table or database is None or {name.casefold() for name in given} & set(_SYSTEM):
        return _from_query(engine, f"SELECT * FROM {quoted}", None, table=known)
    names, renamed = unique_names(given)
    view = engine.new_name("raw")
    pairs = [
        ("rowid", ROW),
        *((engine.dialect.quote(old), new) for old, new in zip(given, names, strict=True)),
    ]
    engine.execute(f"CREATE VIEW {view} AS SELECT {columns_sql(engine, pairs)} FROM {quoted}")
    return _log(engine, view, f"DuckDB table {shown(known)}", renamed)


def _from_query(
    engine: DuckDBEngine, query: str, database: str | None, *, table: str | None = None
) -> RawLog:
    """Run a query once and keep its rows: run again it might return them in another order."""
    target = engine.new_name("query")
    text = query.strip().rstrip(";").strip()
    if not text:
        raise OptionError("query is empty.", hint='pass query="SELECT … FROM …".')
    given = _columns_of(engine, text, database, table)
    names, renamed = unique_names(given)
    columns = ", ".join(f"c{i}" for i in range(len(names)))
    _run(
        engine,
        f"CREATE TABLE memory.main.{target} AS SELECT * FROM (\n{text}\n) AS source({columns})",
        database,
        table,
    )
    view = expose(engine, f"memory.main.{target}", names)
    return _log(engine, view, f"DuckDB table {shown(table)}" if table else "DuckDB query", renamed)


def _columns_of(engine: DuckDBEngine, text: str, database: str | None, table: str | None) -> list[str]:
    names: list[str] = []

    def describe(sql: str) -> None:
        names.extend(engine.fetch(sql)["column_name"].tolist())

    _run(engine, f"DESCRIBE SELECT * FROM (\n{text}\n) AS source", database, table, run=describe)
    return names


def _run(
    engine: DuckDBEngine,
    sql: str,
    database: str | None,
    table: str | None,
    *,
    run: Callable[[str], None] | None = None,
) -> None:
    """Run with the tables of `database` in sight; errors are those of the user's query."""
    try:
        if database:
            engine.execute(f"USE {database}")
        (run or engine.execute)(sql)
    except EngineLimitError:
        raise
    except EngineError as error:
        what = f"table {shown(table)} cannot be read" if table else "the query cannot be run"
        raise SourceError(
            f"{what}: {error.problem}", hint="check the name of the table and its columns."
        ) from error
    finally:
        if database:
            engine.execute("USE memory.main")


def _log(engine: DuckDBEngine, view: str, what: str, renamed: dict[str, str]) -> RawLog:
    types = column_types(engine, view)
    n_rows = count_rows(engine, view)
    if not n_rows:
        raise DataError(
            f"{what} has no rows.", found=f"columns {listed(types)}.", hint="check the table or query."
        )
    return RawLog(
        table=view,
        columns=tuple(types),
        types=types,
        keeps_order=False,
        description=f"{what}, {n_rows:,} rows",
        n_rows=n_rows,
        detected=renamed_note(renamed),
    )
