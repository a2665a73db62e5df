"""XES (IEEE 1849) as a raw table: events in file order, case attributes as `case:<key>`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.readers.raw import (
    RawLog,
    Rejects,
    column_types,
    count_rows,
    expose,
    renamed_note,
    require_rows,
    unique_names,
)
from journeymine.readers.xes_parse import CASE_ID, Batch, Parser, parse_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from journeymine.engine.duckdb import DuckDBEngine

ROLES = {"case_id": "case:concept:name", "activity": "concept:name", "timestamp": "time:timestamp"}
_KEPT_AS_TEXT = frozenset({CASE_ID, ("", "concept:name")})
_OFFSET = r"\s*\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})\s*"


def open_xes(engine: DuckDBEngine, paths: Sequence[Path]) -> RawLog:
    """Read XES files, also gzipped, in one pass and in bounded memory.

    Parameters
    ----------
    engine
        Engine that takes the table.
    paths
        Files, in order.
    """
    store = _Store(engine)
    parser = Parser(store.add)
    for path in paths:
        parse_file(parser, path)
    parser.flush()
    table = store.finish(parser)
    n_rows = count_rows(engine, table)
    require_rows(n_rows, Rejects(), paths)
    names, renamed = unique_names([f"{scope}{key}" for scope, key in parser.columns])
    view = expose(engine, table, names)
    found = dict(zip(parser.columns, names, strict=True))
    roles = {role: found[key] for role, key in _role_keys() if key in found}
    files = f"{len(paths)} files, " if len(paths) > 1 else ""
    return RawLog(
        table=view,
        columns=names,
        types=column_types(engine, view),
        keeps_order=True,
        description=f"XES, {files}{parser.n_traces:,} cases, {n_rows:,} rows",
        n_rows=n_rows,
        detected={**parser.notes(), **renamed_note(renamed)},
        roles=roles,
    )


def _role_keys() -> list[tuple[str, tuple[str, str]]]:
    return [
        (role, ("case:", n.removeprefix("case:")) if n.startswith("case:") else ("", n))
        for role, n in ROLES.items()
    ]


class _Store:
    """Takes batches of events into a table of text columns that grows as new keys appear."""

    def __init__(self, engine: DuckDBEngine) -> None:
        self._engine = engine
        self._table = engine.new_name("xes")
        self._n_columns = 1
        engine.execute(f"CREATE TABLE {self._table} (c0 VARCHAR)")

    def add(self, batch: Batch) -> None:
        """Append a batch."""
        import pyarrow as pa

        for place in range(self._n_columns, len(batch)):
            self._engine.execute(f"ALTER TABLE {self._table} ADD COLUMN c{place} VARCHAR")
        self._n_columns = max(self._n_columns, len(batch))
        arrow = pa.table({f"c{i}": pa.array(values, pa.string()) for i, values in enumerate(batch)})
        name = self._engine.new_name("batch")
        self._engine.register(name, arrow)
        columns = ", ".join(f"c{i}" for i in range(len(batch)))
        self._engine.execute(f"INSERT INTO {self._table} ({columns}) SELECT {columns} FROM {name}")
        self._engine.connection.unregister(name)

    def finish(self, parser: Parser) -> str:
        """Give columns the type that XES declares, where every value has it and nothing is lost."""
        places = {i: kind for i, kind in enumerate(map(_declared, parser.columns, parser.kinds)) if kind}
        if not places:
            return self._table
        tests = ", ".join(
            f"bool_and(c{i} IS NULL OR ({_test(f'c{i}', kind)})) AS c{i}" for i, kind in places.items()
        )
        passed = self._engine.fetch_table(f"SELECT {tests} FROM {self._table}").to_pylist()[0]
        good = {i: kind for i, kind in places.items() if passed[f"c{i}"]}
        typed = self._engine.new_name("xes")
        columns = ", ".join(
            f"CAST(c{i} AS {good[i]}) AS c{i}" if i in good else f"c{i}" for i in range(self._n_columns)
        )
        self._engine.execute(f"CREATE TABLE {typed} AS SELECT {columns} FROM {self._table}")
        self._engine.execute(f"DROP TABLE {self._table}")
        return typed


def _declared(key: tuple[str, str], kinds: set[str]) -> str | None:
    """Engine type for what XES declares; names of cases and activities stay as they are written."""
    if key in _KEPT_AS_TEXT:
        return None
    if kinds == {"int", "float"}:
        return "DOUBLE"
    kind = next(iter(kinds)) if len(kinds) == 1 else ""
    return {"date": "TIMESTAMP WITH TIME ZONE", "int": "BIGINT", "float": "DOUBLE", "boolean": "BOOLEAN"}.get(
        kind
    )


def _test(column: str, kind: str) -> str:
    """Whether a value can have a type without loss; a time without offset stays text, to be read in the log's zone."""
    if kind.startswith("TIMESTAMP"):
        return f"regexp_full_match({column}, '{_OFFSET}') AND TRY_CAST({column} AS {kind}) IS NOT NULL"
    if kind == "BIGINT":
        return f"CAST(TRY_CAST({column} AS BIGINT) AS VARCHAR) = {column}"
    if kind == "BOOLEAN":
        return f"{column} IN ('true', 'false')"
    return f"TRY_CAST({column} AS {kind}) IS NOT NULL"
