"""Facts about the columns of a raw log, from its first rows: what a guess rests on."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from journeymine.errors import DataError
from journeymine.readers.raw import ROW, cut
from journeymine.readers.times import detect_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.readers.raw import RawLog
    from journeymine.readers.times import TimePlan

MAX_ROWS = 100_000
_LOOKS_TIMELY = re.compile(
    r"\s*(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ,:].*)?"
    r"|\d{8}|\d{12}|\d{14}Z?|\d{8}T\d{4,6}Z?|[1-9]\d{9}(\.\d+)?|[1-9]\d{12}(\.\d+)?|[1-9]\d{15}|[1-9]\d{18}"
    r"|(\w{3},? )?\d{1,2}[ /-][A-Za-z]{3,9}[ /-]\d{4}.*|[A-Za-z]{3,9} \d{1,2},? \d{4}.*)\s*"
)


@dataclass(frozen=True, slots=True)
class Column:
    """Facts about one column of the sample.

    Attributes
    ----------
    n_filled, n_distinct
        Values that are not missing (empty text counts as missing), and distinct ones.
    is_number, is_whole
        Whether every value is a number, and a whole one.
    time
        How it writes time, if at least nine of ten values can be read as one.
    time_sql
        SQL expression of that time in microseconds.
    examples
        A few values, the smallest.
    """

    name: str
    kind: str
    n_filled: int
    n_distinct: int
    is_number: bool
    is_whole: bool
    examples: tuple[str, ...]
    time: str | None = None
    time_sql: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """The sample and its columns."""

    raw: RawLog
    columns: dict[str, Column]

    @property
    def n_rows(self) -> int:
        """Rows of the sample."""
        return self.raw.n_rows


def profile(engine: DuckDBEngine, raw: RawLog) -> Profile:
    """Look at the first 100,000 rows."""
    table = engine.new_name("sample")
    engine.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM {raw.table} ORDER BY {ROW} LIMIT {MAX_ROWS}")
    sample = replace(raw, table=table, n_rows=min(raw.n_rows, MAX_ROWS))
    columns = {name: _column(engine, sample, name) for name in raw.columns}
    return Profile(sample, columns)


def _column(engine: DuckDBEngine, sample: RawLog, name: str) -> Column:
    quoted = engine.dialect.quote(name)
    text = f"nullif(trim({engine.dialect.text(quoted)}), '')"
    row = engine.fetch_table(
        f"SELECT COUNT(v) AS n, COUNT(DISTINCT v) AS d, "
        f"bool_and(regexp_full_match(v, '[+-]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][+-]?\\d+)?')) AS number, "
        f"bool_and(regexp_full_match(v, '[+-]?\\d+(\\.0*)?')) AS whole, "
        f"list_sort(list(DISTINCT substr(v, 1, 60)) FILTER (v IS NOT NULL))[1:40] AS examples "
        f"FROM (SELECT {text} AS v FROM {sample.table})"
    ).to_pylist()[0]
    column = Column(
        name=name,
        kind=sample.types[name],
        n_filled=int(row["n"]),
        n_distinct=int(row["d"]),
        is_number=bool(row["number"]),
        is_whole=bool(row["whole"]),
        examples=tuple(cut(v) for v in row["examples"] or ()),
    )
    plan = _time(engine, sample, column)
    return replace(column, time=plan.description, time_sql=plan.sql) if plan else column


def _time(engine: DuckDBEngine, sample: RawLog, column: Column) -> TimePlan | None:
    if not column.kind.startswith(("TIMESTAMP", "DATE")):
        timely = sum(1 for value in column.examples if _LOOKS_TIMELY.fullmatch(value))
        if not column.examples or timely * 10 < 9 * len(column.examples):
            return None
    try:
        plan = detect_time(engine, sample, column.name)
    except DataError:
        return None
    return plan if plan.n_readable * 10 >= 9 * plan.n_sampled else None


def constant_share(
    engine: DuckDBEngine, found: Profile, group: str, names: Sequence[str], order: str
) -> dict[str, tuple[float, float]]:
    """For each column: share of the groups in which it has one value at most, and whose first row has one."""
    if not names:
        return {}
    quote = engine.dialect.quote
    columns = ", ".join(f"{quote(name)} AS v{i}" for i, name in enumerate(names))
    counts = ", ".join(
        f"COUNT(DISTINCT v{i}) AS d{i}, COUNT(v{i}) FILTER (p = 1) AS f{i}" for i in range(len(names))
    )
    shares = ", ".join(
        f"AVG(CASE WHEN d{i} <= 1 THEN 1.0 ELSE 0.0 END) AS one{i}, AVG(f{i}) AS first{i}"
        for i in range(len(names))
    )
    rows = engine.fetch_table(
        f"SELECT {shares} FROM (SELECT {counts} FROM (SELECT {quote(group)} AS g, {columns}, "
        f"row_number() OVER (PARTITION BY {quote(group)} ORDER BY {order}) AS p FROM {found.raw.table} "
        f"WHERE {quote(group)} IS NOT NULL) GROUP BY g)"
    ).to_pylist()[0]
    return {
        name: (float(rows[f"one{i}"] or 0), float(rows[f"first{i}"] or 0)) for i, name in enumerate(names)
    }


def unique_within(engine: DuckDBEngine, found: Profile, group: str, name: str) -> float:
    """Share of the rows whose value occurs once within its group."""
    quote = engine.dialect.quote
    row = engine.fetch(
        f"SELECT SUM(d) AS d, SUM(n) AS n FROM (SELECT COUNT(DISTINCT {quote(name)}) AS d, COUNT(*) AS n "
        f"FROM {found.raw.table} GROUP BY {quote(group)})"
    )
    return float(row["d"][0] or 0) / float(row["n"][0] or 1)


def activity_places(
    engine: DuckDBEngine, found: Profile, group: str, activity: str, order: str
) -> list[tuple[str, int, float, float]]:
    """Activities with their number, the share that are the last of their group, and their mean relative place."""
    quote = engine.dialect.quote
    rows = engine.fetch_table(
        f"SELECT a, COUNT(*) AS n, AVG(CASE WHEN p = m THEN 1.0 ELSE 0.0 END) AS last, AVG(p * 1.0 / m) AS place "
        f"FROM (SELECT {engine.dialect.text(quote(activity))} AS a, "
        f"row_number() OVER (PARTITION BY {quote(group)} ORDER BY {order}) AS p, "
        f"COUNT(*) OVER (PARTITION BY {quote(group)}) AS m FROM {found.raw.table}) "
        f"WHERE a IS NOT NULL GROUP BY a ORDER BY a"
    ).to_pylist()
    return [(row["a"], int(row["n"]), float(row["last"]), float(row["place"])) for row in rows]
