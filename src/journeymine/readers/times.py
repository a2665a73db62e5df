"""How a column writes time, found from its values: native types, ISO 8601, day/month, digits, numbers since 1970."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from journeymine.errors import (
    DataError,
    EngineError,
    EngineLimitError,
    LogSchemaError,
    OptionError,
    listed,
    shown,
    suggestion,
    unknown_name,
)
from journeymine.readers import time_sql
from journeymine.readers.raw import cut

if TYPE_CHECKING:
    from collections.abc import Callable

    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.readers.raw import RawLog
    from journeymine.readers.time_sql import Moment

SAMPLE = 100_000
FEW = 500
MAX_LENGTH = 60
_INTEGERS = frozenset(
    {
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "HUGEINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
        "UHUGEINT",
    }
)
_FLOATS = ("FLOAT", "DOUBLE", "REAL", "DECIMAL")
_MAGNITUDES = {"s": (10**9, 10**10), "ms": (10**12, 10**13), "us": (10**15, 10**16), "ns": (10**18, 2**63)}
_HINT = (
    'pass time_format="%d/%m/%Y %H:%M" (as in strptime), or time_unit="s", "ms", "us" or "ns" for numbers.'
)


@dataclass(frozen=True, slots=True)
class TimePlan:
    """How to read one time column.

    Attributes
    ----------
    sql
        SQL expression over the raw table: whole microseconds since 1970 UTC as BIGINT, NULL when unreadable.
    naive_sql
        Boolean SQL expression: this value has no offset, so the log's time zone was assumed.
    description
        How times are written, for people.
    n_sampled, n_readable
        Distinct values looked at, and how many of them can be read.
    ambiguous
        True when no value tells the day from the month, so that "day first" is an assumption.
    """

    sql: str
    naive_sql: str
    description: str
    n_sampled: int
    n_readable: int
    ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One way of reading: builds (microseconds, naive) for an SQL expression of the column."""

    description: str
    build: Callable[[str], tuple[str, str]]


def detect_time(
    engine: DuckDBEngine,
    raw: RawLog,
    column: str,
    *,
    time_format: str | None = None,
    time_unit: str | None = None,
    timezone: str = "UTC",
) -> TimePlan:
    """Find out how a column writes time.

    Parameters
    ----------
    engine, raw
        Where the column is.
    column
        Name of the column.
    time_format
        Format as in strptime, for text (or digits) that is not recognised.
    time_unit
        Unit of numbers since 1970: "s", "ms", "us", "ns", "min", "h" or "d". Required for small numbers.
    timezone
        Zone in which values without offset are read.

    Raises
    ------
    DataError
        When not a single value can be read.

    Examples
    --------
    >>> import pandas as pd
    >>> from journeymine.engine.duckdb import DuckDBEngine
    >>> from journeymine.readers import open_raw
    >>> engine = DuckDBEngine()
    >>> raw = open_raw(engine, pd.DataFrame({"id": [1, 2], "at": ["31/01/2024 10:00", "01/02/2024 09:30"]}))
    >>> detect_time(engine, raw, "at").description
    'day/month/year'
    """
    if column not in raw.types:
        hint = suggestion(column, raw.columns, "name the column that holds the time.")
        raise LogSchemaError(unknown_name("column", column), found=listed(raw.columns) + ".", hint=hint)
    _check_options(engine, time_format, time_unit)
    zone = engine.dialect.literal(_known_zone(engine, timezone))
    sample = _Sample(engine, raw, column)
    candidates = _candidates(engine, raw.types[column], zone, time_format, time_unit)
    try:
        best, n_readable = sample.best(candidates)
        if raw.types[column] == "VARCHAR" and not (time_format or time_unit) and 2 * n_readable < sample.n:
            best, n_readable = sample.best_of_words(zone, (best, n_readable))
        if best.description == _DAY_MONTH:
            best, n_readable = sample.day_month_order(zone)
        if not n_readable:
            raise _unreadable(sample, raw, column, time_format, time_unit)
    finally:
        sample.drop()
    sql, naive = best.build(engine.dialect.quote(column))
    return TimePlan(
        sql=sql,
        naive_sql=naive,
        description=best.description,
        n_sampled=sample.n,
        n_readable=n_readable,
        ambiguous=best.description.endswith(_ASSUMED),
    )


_DAY_MONTH = "day and month before the year"
_ASSUMED = "(no value tells the day from the month: day first is assumed)"


def _check_options(engine: DuckDBEngine, time_format: str | None, time_unit: str | None) -> None:
    if time_format is not None and time_unit is not None:
        raise OptionError(
            "both time_format and time_unit are given, expected one of them.", hint="leave one out."
        )
    if time_unit is not None and time_unit not in time_sql.UNITS:
        known = ", ".join(f'"{unit}"' for unit in time_sql.UNITS)
        raise OptionError(
            f"time_unit is {shown(time_unit)}, expected one of {known}.", hint='pass time_unit="ms".'
        )
    if time_format is None:
        return
    problem = None if "%" in time_format else "it has no % directive"
    try:
        engine.fetch(f"SELECT try_strptime('x', {engine.dialect.literal(time_format)}) AS t")
    except EngineLimitError:
        raise
    except EngineError as error:
        problem = error.problem
    if problem:
        raise OptionError(
            f"time_format is {shown(time_format)}, which cannot be used: {problem}.",
            hint='write it as in strptime, for example "%d/%m/%Y %H:%M:%S".',
        )


def _known_zone(engine: DuckDBEngine, timezone: str) -> str:
    if timezone == "UTC":
        return timezone
    names = engine.fetch("SELECT name FROM pg_timezone_names() ORDER BY name")["name"].tolist()
    if timezone not in names:
        raise OptionError(
            f"timezone is {shown(timezone)}, which is not known.",
            found='expected a name such as "UTC", "Europe/Paris" or "America/New_York".',
            hint=suggestion(timezone, names, "leave it out to read times without offset as UTC."),
        )
    return timezone


def _candidates(
    engine: DuckDBEngine, kind: str, zone: str, time_format: str | None, time_unit: str | None
) -> list[_Candidate]:
    """Ways to read a column of this type, the first of equals wins."""
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        with_zone = kind.startswith(("TIMESTAMP WITH", "TIMESTAMPTZ"))
        name = "dates" if kind == "DATE" else f"time stamps {'with' if with_zone else 'without'} a zone"
        return [_moment(name, lambda c: time_sql.native(c, kind, zone))]
    if time_format is not None:
        literal = engine.dialect.literal(time_format)
        return [
            _moment(
                f"format {time_format}", lambda c: time_sql.strptime(engine.dialect.text(c), literal, zone)
            )
        ]
    if kind in _INTEGERS:
        digits = _moment("yyyymmdd", lambda c: time_sql.compact(engine.dialect.text(c), zone))
        return [*_numbers(time_sql.whole_number, time_unit), *([] if time_unit else [digits])]
    if kind.startswith(_FLOATS):
        return _numbers(time_sql.real_number, time_unit)
    if kind != "VARCHAR" and not kind.startswith("ENUM"):
        return []
    numbers = _numbers(time_sql.written_number, time_unit)
    if time_unit:
        return numbers
    return [
        _moment("ISO 8601", lambda c: time_sql.iso(c, zone)),
        _Candidate(
            _DAY_MONTH, lambda c: (f"CASE WHEN {time_sql.full_match(c, time_sql.DAY_MONTH)} THEN 1 END", "")
        ),
        _moment("yyyymmdd", lambda c: time_sql.compact(c, zone)),
        *numbers,
    ]


def _moment(description: str, build: Callable[[str], Moment]) -> _Candidate:
    def sql(column: str) -> tuple[str, str]:
        moment = build(column)
        return moment.us, moment.naive

    return _Candidate(description, sql)


def _numbers(build: Callable[[str, str], str], unit: str | None) -> list[_Candidate]:
    """Numbers since 1970; without a unit only numbers of the size that the unit has today."""
    if unit is not None:
        return [_Candidate(f"{time_sql.UNIT_NAMES[unit]} since 1970", lambda c: (build(c, unit), "FALSE"))]
    return [_sized(build, size) for size in _MAGNITUDES]


def _sized(build: Callable[[str, str], str], unit: str) -> _Candidate:
    low, high = _MAGNITUDES[unit]

    def sql(column: str) -> tuple[str, str]:
        number = f"TRY_CAST({column} AS DOUBLE)"
        return f"CASE WHEN {number} >= {low} AND {number} < {high} THEN {build(column, unit)} END", "FALSE"

    return _Candidate(f"{time_sql.UNIT_NAMES[unit]} since 1970", sql)


class _Sample:
    """Distinct values of a column, chosen by their hash so that the order of the rows never matters."""

    def __init__(self, engine: DuckDBEngine, raw: RawLog, column: str) -> None:
        self._engine, self._raw = engine, raw
        self._column = engine.dialect.quote(column)
        self._table = engine.new_name("times")
        share = -(-raw.n_rows // SAMPLE)
        self.n = self._fill(share)
        if not self.n and share > 1:
            self.drop()
            self.n = self._fill(1)

    def _fill(self, share: int) -> int:
        some = f"AND hash({self._column}) % {share} = 0" if share > 1 else ""
        self._engine.execute(
            f"CREATE TEMP TABLE {self._table} AS SELECT DISTINCT {self._column} AS v FROM {self._raw.table} "
            f"WHERE {self._column} IS NOT NULL {some}"
        )
        return int(self._engine.fetch(f"SELECT COUNT(*) AS n FROM {self._table}")["n"][0])

    def drop(self) -> None:
        """Forget the sample."""
        self._engine.execute(f"DROP TABLE IF EXISTS {self._table}")

    def best(self, candidates: list[_Candidate]) -> tuple[_Candidate, int]:
        """The way that reads most values; if it reads none of the sample, all values are tried."""
        none = _Candidate("nothing", lambda c: ("CAST(NULL AS BIGINT)", "FALSE"))
        if not candidates:
            return none, 0
        for source, column in ((self._table, "v"), (self._raw.table, self._column)):
            counts = ", ".join(f"COUNT({c.build(column)[0]}) AS n{i}" for i, c in enumerate(candidates))
            found = self._engine.fetch(f"SELECT {counts} FROM {source}")
            readable = [int(found[f"n{i}"][0]) for i in range(len(candidates))]
            if max(readable):
                place = readable.index(max(readable))
                return candidates[place], readable[place]
        return none, 0

    def best_of_words(self, zone: str, otherwise: tuple[_Candidate, int]) -> tuple[_Candidate, int]:
        """Times with the English name of a month, if one format reads more than what is known so far."""
        formats = [(f, self._engine.dialect.literal(f)) for f in time_sql.WORDS]
        few = f"(SELECT v FROM {self._table} WHERE length(v) <= {MAX_LENGTH} ORDER BY hash(v), v LIMIT {FEW})"
        counts = ", ".join(
            f"COUNT(try_strptime(trim(v), {literal})) AS n{i}" for i, (_, literal) in enumerate(formats)
        )
        found = self._engine.fetch(f"SELECT {counts} FROM {few}")
        readable = [int(found[f"n{i}"][0]) for i in range(len(formats))]
        place = readable.index(max(readable))
        if readable[place] * self.n <= otherwise[1] * min(FEW, self.n):
            return otherwise
        name, literal = formats[place]
        words = _moment(f"format {name}", lambda c: time_sql.strptime(c, literal, zone))
        return self.best([words])

    def day_month_order(self, zone: str) -> tuple[_Candidate, int]:
        """Ask all values whether the day or the month comes first."""
        first, second = (time_sql.day_month_part(self._column, group) for group in (1, 2))
        row = self._engine.fetch_table(
            f"SELECT MAX({first}) AS a, MAX({second}) AS b FROM {self._raw.table}"
        ).to_pylist()[0]
        days = _moment("day/month/year", lambda c: time_sql.day_month(c, zone, day_first=True))
        months = _moment("month/day/year", lambda c: time_sql.day_month(c, zone, day_first=False))
        if row["a"] > 12 and row["b"] > 12:
            return self.best([days, months])
        if row["a"] <= 12 and row["b"] <= 12:
            days = _Candidate(f"day/month/year {_ASSUMED}", days.build)
        return self.best([months if row["b"] > 12 else days])

    def examples(self) -> list[str]:
        """Three values, the smallest."""
        text = self._engine.dialect.text("v")
        found = self._engine.fetch(f"SELECT {text} AS e FROM {self._table} ORDER BY e LIMIT 3")
        return [cut(str(value)) for value in found["e"].tolist()]

    def has_short_years(self) -> bool:
        """Whether most values look like dates with a year of two digits."""
        text = self._engine.dialect.text("v")
        short = time_sql.full_match(text, time_sql.SHORT_YEAR)
        return bool(
            self._engine.fetch(f"SELECT COUNT(*) FILTER ({short}) * 2 > COUNT(*) AS s FROM {self._table}")[
                "s"
            ][0]
        )


def _unreadable(
    sample: _Sample, raw: RawLog, column: str, time_format: str | None, time_unit: str | None
) -> DataError:
    if not sample.n:
        return DataError(
            f"time column {shown(column)} has no values.", hint="name another column, or leave it out."
        )
    how = (
        f" with time_format={shown(time_format)}"
        if time_format
        else f" with time_unit={shown(time_unit)}"
        if time_unit
        else ""
    )
    hint = _HINT
    if sample.has_short_years() and not time_format:
        hint = 'years of two digits are not guessed: pass time_format="%d/%m/%y" or "%m/%d/%y".'
    return DataError(
        f"no value of time column {shown(column)} ({raw.types[column]}) can be read as a time{how}.",
        found=", ".join(shown(example) for example in sample.examples()) + ".",
        hint=hint,
    )
