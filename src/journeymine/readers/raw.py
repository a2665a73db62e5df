"""The raw table: what every reader hands over, source columns plus each row's place in the source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from journeymine.errors import DataError, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from journeymine.engine.duckdb import DuckDBEngine

ROW = "__jm_row"
UNREADABLE = "unreadable_row"
MAX_EXAMPLES = 5
MAX_EXAMPLE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """Rows that one rule decided.

    Attributes
    ----------
    rule
        Name of the rule, for example "unreadable_row".
    n
        Number of rows.
    examples
        Up to five examples, the smallest by value, so that the order of the rows never matters.
    """

    rule: str
    n: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RawLog:
    """A source as a table or view in the engine: its own columns and `ROW`, the place in the source.

    Attributes
    ----------
    table
        Table or view in the engine that holds `ROW` and the source columns.
    columns
        Source columns in file order, without `ROW`.
    types
        Engine type of each column.
    keeps_order
        Whether the order of the rows means something; False for database tables and queries.
    description
        What was read, for people; never a path.
    n_rows
        Rows of the table.
    rejected
        Rows that could not even be read into columns.
    detected
        What the reader found out by itself: separator, encoding, renamed columns, …
    roles
        Roles that the format itself fixes, for example of XES.
    """

    table: str
    columns: tuple[str, ...]
    types: Mapping[str, str]
    keeps_order: bool
    description: str
    n_rows: int
    rejected: tuple[LedgerEntry, ...] = ()
    detected: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)


class Rejects:
    """Counts rejected rows and keeps the smallest examples.

    Examples
    --------
    >>> rejects = Rejects()
    >>> for line in ("b", "a", "b"):
    ...     rejects.add(line)
    >>> rejects.entries()
    (LedgerEntry(rule='unreadable_row', n=3, examples=('a', 'b')),)
    """

    def __init__(self, rule: str = UNREADABLE) -> None:
        self.rule = rule
        self.n = 0
        self._examples: list[str] = []

    def add(self, example: str, n: int = 1) -> None:
        """Count `n` rows that look like `example`."""
        self.n += n
        text = cut(example)
        if text in self._examples:
            return
        self._examples = sorted([*self._examples, text])[:MAX_EXAMPLES]

    def entries(self) -> tuple[LedgerEntry, ...]:
        """The ledger: one entry, or none when nothing was rejected."""
        return (LedgerEntry(self.rule, self.n, tuple(self._examples)),) if self.n else ()


def cut(text: str) -> str:
    """Cut an example to a readable length.

    Examples
    --------
    >>> len(cut("x" * 10_000))
    201
    """
    return text if len(text) <= MAX_EXAMPLE_LENGTH else text[:MAX_EXAMPLE_LENGTH] + "…"


def unique_names(names: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Column names that an engine can tell apart, and which of them had to be changed.

    Engines compare names without regard to case, so "Cost" and "cost" are one name to them.

    Examples
    --------
    >>> unique_names(["id", "", "ID", "id"])
    (('id', 'column_2', 'ID_2', 'id_3'), {'column 2': 'column_2', 'column 3': 'ID_2', 'column 4': 'id_3'})
    """
    wanted = {name.casefold() for name in names}
    taken: set[str] = {ROW}
    result: list[str] = []
    renamed: dict[str, str] = {}
    for place, given in enumerate(names, start=1):
        name = given or f"column_{place}"
        if name.casefold() in taken or (not given and name.casefold() in wanted):
            name = _free_name(name, taken | wanted)
        if name != given:
            renamed[f"column {place}"] = name
        taken.add(name.casefold())
        result.append(name)
    return tuple(result), renamed


def _free_name(stem: str, taken: set[str]) -> str:
    number = 2
    while f"{stem}_{number}".casefold() in taken:
        number += 1
    return f"{stem}_{number}"


def renamed_note(renamed: Mapping[str, str]) -> dict[str, str]:
    """What `RawLog.detected` says about renamed columns."""
    return {"renamed_columns": ", ".join(f"{k} is {v!r}" for k, v in renamed.items())} if renamed else {}


def columns_sql(engine: DuckDBEngine, pairs: Iterable[tuple[str, str]]) -> str:
    """Select list that gives the columns of `pairs` (expression, name) their names."""
    return ", ".join(f"{expression} AS {engine.dialect.quote(name)}" for expression, name in pairs)


def expose(engine: DuckDBEngine, table: str, names: Sequence[str]) -> str:
    """View on a table with columns c0, c1, … that names them and numbers the rows.

    The plain names of the table keep source columns called `rowid` or `__jm_row` from hiding the row number.
    """
    view = engine.new_name("raw")
    columns = columns_sql(engine, [("rowid", ROW), *((f"c{i}", name) for i, name in enumerate(names))])
    engine.execute(f"CREATE VIEW {view} AS SELECT {columns} FROM {table}")
    return view


def column_types(engine: DuckDBEngine, table: str) -> dict[str, str]:
    """Engine type of each column of a table or view, in order, without `ROW`."""
    described = engine.fetch(f"DESCRIBE {table}")
    pairs = zip(described["column_name"].tolist(), described["column_type"].tolist(), strict=True)
    return {name: kind for name, kind in pairs if name != ROW}


def count_rows(engine: DuckDBEngine, table: str) -> int:
    """Number of rows of a table or view."""
    return int(engine.fetch(f"SELECT COUNT(*) AS n FROM {table}")["n"][0])


def require_rows(n_rows: int, rejects: Rejects, paths: Sequence[Path]) -> None:
    """Refuse a source without a single readable row."""
    if n_rows:
        return
    name = shown(paths[0].name) if len(paths) == 1 else f"the {len(paths)} files"
    if not rejects.n:
        raise DataError(f"{name}: no data rows.", hint="check how the file was written.")
    example = shown(rejects.entries()[0].examples[0])
    raise DataError(
        f"{name}: none of {rejects.n:,} rows can be read.",
        found=f"for example {example}.",
        hint="the rows do not fit the header; check separator, quotes and encoding.",
    )
