"""Frames of other libraries as raw tables: pandas, Polars, Arrow, DuckDB. The caller's frame is never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journeymine.errors import DataError, LogSchemaError, OptionError, listed, shown
from journeymine.readers.raw import RawLog, column_types, count_rows, expose, renamed_note, unique_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from journeymine.engine.duckdb import DuckDBEngine

KINDS = "a file name, a pandas or Polars frame, an Arrow table or a DuckDB relation"


def open_frame(engine: DuckDBEngine, source: Any) -> RawLog:
    """Copy a frame into the engine.

    Parameters
    ----------
    engine
        Engine that takes the rows.
    source
        pandas or Polars DataFrame, Polars LazyFrame, Arrow Table or RecordBatchReader, DuckDB relation.
    """
    kind, names, data = _arrow(source)
    _require_distinct(names)
    unique, renamed = unique_names(names)
    table = _copy(engine, data, len(names))
    n_rows = count_rows(engine, table)
    if not n_rows:
        raise DataError(
            f"the {kind} has no rows.", found=f"columns {listed(names)}.", hint="check how it was made."
        )
    view = expose(engine, table, unique)
    return RawLog(
        table=view,
        columns=unique,
        types=column_types(engine, view),
        keeps_order=kind != "DuckDB relation",
        description=f"{kind}, {n_rows:,} rows",
        n_rows=n_rows,
        detected=renamed_note(renamed),
    )


def _arrow(source: Any) -> tuple[str, list[str], Any]:
    """Kind of frame, its column names, and its rows as Arrow data with columns named c0, c1 and so on."""
    library = type(source).__module__.partition(".")[0]
    name = type(source).__name__
    if library == "pandas" and name == "DataFrame":
        from journeymine.readers.pandas_frames import pandas_arrays

        names, arrays = pandas_arrays(source)
        return "pandas frame", names, _table(arrays)
    if library == "polars" and name in {"DataFrame", "LazyFrame"}:
        return _polars(source, name)
    if library == "pyarrow" and name == "Table":
        return (
            "Arrow table",
            list(source.column_names),
            _table([source.column(i) for i in range(source.num_columns)]),
        )
    if library == "pyarrow" and name == "RecordBatch":
        return "Arrow table", list(source.schema.names), _table(list(source.columns))
    if library == "pyarrow" and name == "RecordBatchReader":
        return "Arrow stream", list(source.schema.names), _renamed(source)
    if name == "DuckDBPyRelation":
        return "DuckDB relation", list(source.columns), _relation(source)
    raise OptionError(
        f"the source is a {library}.{name}, which cannot be read as an event log.",
        found=f"expected {KINDS}.",
        hint="turn it into a pandas frame with one row per event."
        if library != "pandas"
        else "pass the DataFrame.",
    )


def _polars(source: Any, name: str) -> tuple[str, list[str], Any]:
    import polars as pl

    frame = source.collect() if name == "LazyFrame" else source
    objects = [c for c, kind in frame.schema.items() if kind == pl.Object]
    if objects:
        as_text = {c: [None if v is None else str(v) for v in frame[c].to_list()] for c in objects}
        frame = frame.with_columns([pl.Series(c, values, dtype=pl.String) for c, values in as_text.items()])
    arrow = frame.to_arrow()
    return "Polars frame", list(frame.columns), _table([arrow.column(i) for i in range(arrow.num_columns)])


def _relation(source: Any) -> Any:
    reader = getattr(source, "to_arrow_reader", None) or source.fetch_record_batch
    return _renamed(reader())


def _require_distinct(names: Sequence[str]) -> None:
    if not names:
        raise DataError(
            "the frame has no columns.", hint="expected one row per event, with an id and an activity."
        )
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise LogSchemaError(
            f"column name {shown(repeated[0])} occurs more than once in the frame.",
            found=listed(names) + ".",
            hint="rename or drop the repeated column.",
        )


def _table(arrays: Sequence[Any]) -> pa.Table:
    import pyarrow as pa

    return pa.table([_plain(a) for a in arrays], names=[f"c{i}" for i in range(len(arrays))])


def _plain(array: Any) -> Any:
    """Decode categories: to the engine they are their values."""
    import pyarrow as pa

    if pa.types.is_dictionary(array.type):
        return array.cast(array.type.value_type)
    return array


def _renamed(reader: Any) -> Any:
    import pyarrow as pa

    fields = [
        pa.field(f"c{i}", f.type.value_type if pa.types.is_dictionary(f.type) else f.type)
        for i, f in enumerate(reader.schema)
    ]
    schema = pa.schema(fields)
    batches = (
        pa.record_batch([_plain(column) for column in batch.columns], schema=schema) for batch in reader
    )
    return pa.RecordBatchReader.from_batches(schema, batches)


def _copy(engine: DuckDBEngine, data: Any, n_columns: int) -> str:
    table, name = engine.new_name("frame"), engine.new_name("arrow")
    columns = ", ".join(f"c{i}" for i in range(n_columns))
    engine.register(name, data)
    try:
        engine.execute(f"CREATE TABLE {table} AS SELECT {columns} FROM {name}")
    finally:
        engine.connection.unregister(name)
    return table
