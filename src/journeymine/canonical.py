"""From a raw table to canonical events: the one place where ids, names and times become integers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from journeymine.activities import MAX_NAME, NameRules, code_names
from journeymine.errors import DataError, EngineError, LogSchemaError, OptionError, listed, shown, suggestion
from journeymine.readers.raw import ROW, LedgerEntry
from journeymine.readers.times import detect_time
from journeymine.sql import cases as cases_sql
from journeymine.sql import events as events_sql
from journeymine.sql import ledger as ledger_sql
from journeymine.uncertainty import MAX_CUSTOMER_UNITS

if TYPE_CHECKING:
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.readers.raw import RawLog
    from journeymine.readers.times import TimePlan

RELATIVE_BEFORE_US = 365 * 86_400 * 1_000_000
"""A log that ends before 1971 has a clock that starts at zero: durations mean something, dates do not."""

JOINED_BY = " | "


@dataclass(frozen=True, slots=True)
class Roles:
    """Which column plays which role, and how its values are read."""

    case_id: str | None = None
    customer_id: str | None = None
    activity: tuple[str, ...] = ()
    timestamp: str | None = None
    end_timestamp: str | None = None
    order: str | None = None
    channel: str | None = None
    value: str | None = None
    attributes: tuple[str, ...] = ()
    timezone: str = "UTC"
    time_format: str | None = None
    time_unit: str | None = None
    where: str | None = None
    duplicates: str = "keep"

    def named(self) -> tuple[tuple[str, str], ...]:
        """Pairs (role, column) of the roles that are set."""
        single = ("case_id", "customer_id", "timestamp", "end_timestamp", "order", "channel", "value")
        columns = [(role, getattr(self, role)) for role in single if getattr(self, role) is not None]
        columns[2:2] = [("activity", name) for name in self.activity]
        return tuple(columns)

    def columns(self) -> tuple[str, ...]:
        """Columns with a role, once each."""
        return tuple(dict.fromkeys(column for _, column in self.named()))


@dataclass(frozen=True, slots=True)
class Canonical:
    """Canonical events and what belongs to them, as tables in the engine.

    Attributes
    ----------
    events, cases, case_ids, customers
        Names of tables; their columns are documented in `sql/events.py` and `sql/cases.py`.
    activities
        Names by code.
    columns
        The SQL expressions over the raw table that made the events.
    n_units
        Number of units that are resampled: customers, or hash buckets above 20,000 customers.
    first_us, last_us
        Start of the first and last event; None in a log without times.
    cut_names
        Codes of activities whose name was too long and was cut.
    """

    events: str
    cases: str
    case_ids: str
    customers: str
    activities: tuple[str, ...]
    columns: events_sql.EventColumns
    time_plan: TimePlan | None
    n_events: int
    n_cases: int
    n_customers: int
    n_units: int
    first_us: int | None
    last_us: int | None
    cut_names: tuple[int, ...] = ()

    @property
    def buckets(self) -> bool:
        """Whether units are buckets of customers rather than customers."""
        return self.n_customers > MAX_CUSTOMER_UNITS

    @property
    def unit_events(self) -> str:
        """Subquery: canonical events with their `unit`, the bucket or else the customer's number."""
        if self.buckets:
            return f"(SELECT *, bucket AS unit FROM {self.events})"
        return (
            f"(SELECT e.*, c.unit FROM {self.events} AS e JOIN {self.cases} AS c ON c.case_key = e.case_key)"
        )

    @property
    def clock(self) -> str:
        """Kind of clock: "calendar", "relative" (a log wholly in 1970) or "none" (order only)."""
        if self.last_us is None:
            return "none"
        return "relative" if self.last_us < RELATIVE_BEFORE_US and (self.first_us or 0) >= 0 else "calendar"


def canonicalise(engine: DuckDBEngine, raw: RawLog, roles: Roles, rules: NameRules) -> Canonical:
    """Build canonical events.

    Raises
    ------
    LogSchemaError
        A named column is not in the log, or no id or no activity is named.
    DataError
        No usable event is left.
    """
    check_columns(raw, roles)
    _check_value(engine, raw, roles.value)
    columns, plan = event_columns(engine, raw, roles)
    customer = _id_text(engine, raw, roles.customer_id) if roles.customer_id and roles.case_id else None
    columns, case_ids = _without_collision(engine, raw, columns, customer)
    activities, names = _names(engine, raw, columns, rules)
    columns = replace(columns, names=names)
    events = engine.create_table("events", _events_sql(raw, columns))
    if roles.duplicates == "drop":
        events, columns = _without_duplicates(engine, raw, events, columns)
    return assemble(
        engine,
        events,
        case_ids,
        activities=activities,
        columns=columns,
        plan=plan,
        raw=raw,
        own_customers=customer is None,
    )


def assemble(
    engine: DuckDBEngine,
    events: str,
    case_ids: str,
    *,
    activities: tuple[str, ...],
    columns: events_sql.EventColumns,
    plan: TimePlan | None,
    raw: RawLog,
    own_customers: bool = False,
) -> Canonical:
    """Add customers, units and cases to a table of canonical events.

    Parameters
    ----------
    own_customers
        Whether every case is its own customer, so that none has to be looked up.
    """
    size = engine.fetch(f"SELECT COUNT(*) AS n, MIN(time_us) AS first, MAX(time_us) AS last FROM {events}")
    n_events = int(size["n"][0])
    if not n_events:
        raise _nothing_usable(engine, raw, columns)
    used = (
        case_ids
        if n_events == raw.n_rows
        else engine.create_table("used_ids", cases_sql.used_ids_sql(case_ids, events))
    )
    customers_sql = cases_sql.own_customers_sql if own_customers else cases_sql.customers_sql
    known = engine.create_table("known", customers_sql(used))
    n_customers = _count(engine, known)
    by_customer = n_customers <= MAX_CUSTOMER_UNITS
    unit_sql = cases_sql.numbered_customers_sql if by_customer else cases_sql.bucketed_customers_sql
    customers = engine.create_table("customers", unit_sql(known))
    cases = engine.create_table(
        "cases", cases_sql.cases_sql(events, None if own_customers else used, customers)
    )
    timed = columns.time_us is not None
    return Canonical(
        events=events,
        cases=cases,
        case_ids=used,
        customers=customers,
        activities=activities,
        columns=columns,
        time_plan=plan,
        n_events=n_events,
        n_cases=_count(engine, cases),
        n_customers=n_customers,
        n_units=n_customers if by_customer else cases_sql.N_BUCKETS,
        first_us=int(size["first"][0]) if timed else None,
        last_us=int(size["last"][0]) if timed else None,
        cut_names=tuple(code for code, name in enumerate(activities) if len(name) == MAX_NAME),
    )


def check_columns(raw: RawLog, roles: Roles) -> None:
    """Every named column must exist, and an id and an activity must be named."""
    for role, column in (*roles.named(), *(("attributes", name) for name in roles.attributes)):
        if column not in raw.columns:
            problem = f"column {shown(column)} ({role}) not found in the log."
            hint = suggestion(column, raw.columns, f"pass {role}=... with one of the columns found.")
            raise LogSchemaError(problem, found=f"{listed(raw.columns)}.", hint=hint)
    if not roles.activity:
        raise LogSchemaError(
            "no activity column is named.", found=f"{listed(raw.columns)}.", hint='pass activity="...".'
        )
    if not roles.case_id and not roles.customer_id:
        hint = 'pass case_id="..." (one journey) or customer_id="..." (one customer, cut into journeys).'
        raise LogSchemaError(
            "neither a case nor a customer column is named.", found=f"{listed(raw.columns)}.", hint=hint
        )


def _check_value(engine: DuckDBEngine, raw: RawLog, column: str | None) -> None:
    """A value column must hold at least one number, unless it is empty."""
    if column is None:
        return
    text = _text(engine, column)
    amount = events_sql.number(engine.dialect.quote(column))
    filled = f"SELECT {text} AS v, {amount} AS amount FROM {raw.table} WHERE NOT {events_sql.blank(text)}"
    counted = engine.fetch(f"SELECT COUNT(*) AS n, COUNT(amount) AS n_read FROM ({filled}) AS filled")
    if int(counted["n"][0]) and not int(counted["n_read"][0]):
        some = engine.fetch(f"SELECT DISTINCT v FROM ({filled}) AS filled ORDER BY v LIMIT 3")["v"]
        hint = (
            "name a column of numbers such as 20.50 (a point for decimals, no currency), or leave value out."
        )
        found = ", ".join(shown(str(value)) for value in some)
        raise DataError(
            f"no value of column {shown(column)} (value) can be read as a number.", found=found, hint=hint
        )


def _id_text(engine: DuckDBEngine, raw: RawLog, column: str) -> str:
    """An id as text; whole numbers that a missing value has turned into floats lose their `.0`."""
    text, quoted = _text(engine, column), engine.dialect.quote(column)
    if raw.types[column].upper() not in ("DOUBLE", "FLOAT", "REAL"):
        return text
    odd = f"SELECT COUNT(*) AS n FROM {raw.table} WHERE {quoted} <> floor({quoted}) OR abs({quoted}) >= 1e15"
    whole = int(engine.fetch(odd)["n"][0]) == 0
    return engine.dialect.text(f"CAST({quoted} AS BIGINT)") if whole else text


def event_columns(
    engine: DuckDBEngine, raw: RawLog, roles: Roles
) -> tuple[events_sql.EventColumns, TimePlan | None]:
    """SQL expressions over the raw table for the roles, and how the times are read."""
    options: dict[str, Any] = {
        "time_format": roles.time_format,
        "time_unit": roles.time_unit,
        "timezone": roles.timezone,
    }
    plan = detect_time(engine, raw, roles.timestamp, **options) if roles.timestamp else None
    end = detect_time(engine, raw, roles.end_timestamp, **options) if roles.end_timestamp else None
    activity = _text(engine, roles.activity[0])
    if len(roles.activity) > 1:
        parts = ", ".join(f"NULLIF({_text(engine, name)}, '')" for name in roles.activity)
        activity = f"concat_ws({engine.dialect.literal(JOINED_BY)}, {parts})"
    case = _id_text(engine, raw, roles.case_id or roles.customer_id or "")
    return events_sql.EventColumns(
        case=case,
        key=engine.dialect.key(case),
        activity=activity,
        row=ROW,
        time_us=plan.sql if plan else None,
        time_raw=_text(engine, roles.timestamp) if roles.timestamp else None,
        end_us=end.sql if end else None,
        order=_order(engine, raw, roles.order),
        where=_where(engine, raw, roles.where),
    ), plan


def _text(engine: DuckDBEngine, column: str) -> str:
    return engine.dialect.text(engine.dialect.quote(column))


def _order(engine: DuckDBEngine, raw: RawLog, column: str | None) -> str | None:
    """Sort key of the order column: numbers as numbers, even where they are written as text."""
    if column is None:
        return None
    quoted = engine.dialect.quote(column)
    if raw.types[column].upper() != "VARCHAR":
        return quoted
    number = f"TRY_CAST({quoted} AS DECIMAL(38, 9))"
    is_word = f"NOT {events_sql.blank(quoted)} AND {number} IS NULL"
    words = engine.fetch(f"SELECT COUNT(*) AS n FROM {raw.table} WHERE {is_word}")
    return number if int(words["n"][0]) == 0 else quoted


def _where(engine: DuckDBEngine, raw: RawLog, condition: str | None) -> str | None:
    """The user's condition, tried on every row so that a bad one is told as such."""
    if condition is None:
        return None
    # On a line of its own: the condition may end with a comment.
    checked = f"CAST((\n{condition}\n) AS BOOLEAN)"
    hint = "write an SQL condition on the columns of the log, such as where = \"country = 'DE'\"."
    problem = f"where = {shown(condition)} is not a condition on this log"
    if not condition.strip():
        raise OptionError(f"{problem}.", hint=hint)
    try:
        engine.fetch(f"SELECT COUNT(*) AS n FROM {raw.table} WHERE {checked}")
    except EngineError as error:
        raise OptionError(
            f"{problem}: {error.problem}", found=f"{listed(raw.columns)}.", hint=hint
        ) from error
    return checked


def _names(
    engine: DuckDBEngine, raw: RawLog, columns: events_sql.EventColumns, rules: NameRules
) -> tuple[tuple[str, ...], str]:
    """Activities by code, and the table that codes them."""
    import pyarrow as pa

    found = engine.fetch(events_sql.activity_names_sql(raw.table, columns))["name"]
    activities, code = code_names((str(name) for name in found if name is not None), rules)
    table = pa.table(
        {"name": pa.array(list(code), pa.string()), "code": pa.array(list(code.values()), pa.int32())}
    )
    name = engine.new_name("names")
    engine.register(name, table)
    return activities, name


def _without_collision(
    engine: DuckDBEngine, raw: RawLog, columns: events_sql.EventColumns, customer: str | None
) -> tuple[events_sql.EventColumns, str]:
    """Columns keyed by the first hash under which no two case ids share a key, and the table of ids."""
    all_ids = engine.create_table("all_ids", cases_sql.all_case_ids_sql(raw.table, columns, customer))
    n_all = _count(engine, all_ids)
    for salt in ("", " || '#1'", " || '#2'"):
        ids = engine.create_table(
            "case_ids",
            cases_sql.case_ids_sql(all_ids, engine.dialect.key(f"(case_id{salt})"), engine.dialect),
        )
        size = engine.fetch(f"SELECT COUNT(*) AS n, COUNT(DISTINCT id_hash) AS n_keys FROM {ids}")
        if size["n"][0] == size["n_keys"][0]:
            key = engine.dialect.key(f"({columns.case}{salt})")
            return replace(columns, key=key, ids=ids, no_blank_case=int(size["n"][0]) == n_all), ids
    raise DataError("the case ids collide under every hash of the engine.", hint="please report this log.")


def _events_sql(raw: RawLog, columns: events_sql.EventColumns) -> str:
    return events_sql.canonical_events_sql(raw.table, columns, keeps_order=raw.keeps_order)


def _without_duplicates(
    engine: DuckDBEngine, raw: RawLog, events: str, columns: events_sql.EventColumns
) -> tuple[str, events_sql.EventColumns]:
    copies = engine.create_table("copies", duplicate_rows_sql(engine, raw, events, columns))
    if not _count(engine, copies):
        return events, columns
    columns = replace(columns, dropped=f"{ROW} IN (SELECT row FROM {copies})")
    return engine.create_table("events", _events_sql(raw, columns)), columns


def duplicate_rows_sql(
    engine: DuckDBEngine, raw: RawLog, events: str, columns: events_sql.EventColumns
) -> str:
    """Rows that repeat an earlier row of the raw table in every column."""
    quoted = [engine.dialect.quote(column) for column in raw.columns]
    if columns.time_us is None:
        return ledger_sql.all_duplicate_rows_sql(raw.table, events, ROW, quoted)
    return ledger_sql.duplicate_rows_sql(raw.table, events, ROW, quoted)


def _nothing_usable(engine: DuckDBEngine, raw: RawLog, columns: events_sql.EventColumns) -> DataError:
    rejected = rejected_rows(engine, raw, columns, raw.columns[:4])
    why = "; ".join(f"{e.rule}: {e.n} rows, for example {shown(e.examples[0])}" for e in rejected)
    hint = "check which columns are named case_id, activity and timestamp (journeymine init guesses them)."
    return DataError(f"no usable event among {raw.n_rows} rows.", found=why or "no rows.", hint=hint)


def rejected_rows(
    engine: DuckDBEngine, raw: RawLog, columns: events_sql.EventColumns, shown_columns: tuple[str, ...]
) -> tuple[LedgerEntry, ...]:
    """Rows of the raw table that are not used, by rule."""
    example = ledger_sql.example_text(shown_columns, engine.dialect)
    rows = engine.fetch_table(ledger_sql.rejected_sql(raw.table, columns, example)).to_pylist()
    return tuple(LedgerEntry(r["rule"], int(r["n"]), tuple(r["examples"])) for r in rows)


def _count(engine: DuckDBEngine, table: str) -> int:
    return int(engine.fetch(f"SELECT COUNT(*) AS n FROM {table}")["n"][0])
