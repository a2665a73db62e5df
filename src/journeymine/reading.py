"""Reading a log: `read_log` from arguments, `log_from_spec` from a configuration."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from journeymine._checks import as_tuple
from journeymine.activities import NameRules
from journeymine.canonical import Roles
from journeymine.engine.duckdb import MEMORY_LIMIT, DuckDBEngine
from journeymine.errors import OptionError, shown
from journeymine.log import EventLog, event_log
from journeymine.readers import open_raw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from journeymine.spec import JourneySpec


def read_log(
    source: Any = None,
    *,
    case_id: str | None = None,
    customer_id: str | None = None,
    activity: str | Iterable[str] | None = None,
    timestamp: str | None = None,
    end_timestamp: str | None = None,
    order: str | None = None,
    channel: str | None = None,
    value: str | None = None,
    attributes: Iterable[str] | None = None,
    timezone: str = "UTC",
    time_format: str | None = None,
    time_unit: str | None = None,
    where: str | None = None,
    duplicates: str = "keep",
    rename: Mapping[str, str] | None = None,
    group: Mapping[str, Iterable[str]] | None = None,
    clean: Iterable[tuple[str, str]] = (),
    table: str | None = None,
    query: str | None = None,
    separator: str | None = None,
    encoding: str | None = None,
    threads: int | None = None,
    memory_limit: str = MEMORY_LIMIT,
) -> EventLog:
    """Read an event log and code it in the engine.

    Parameters
    ----------
    source
        A file (CSV, TSV, Parquet, JSON lines, XES, XES.gz), a glob, a list of files, a pandas or Polars frame,
        an Arrow table, a DuckDB relation, or a DuckDB file with `table` or `query`.
    case_id, customer_id
        Columns that name the journey and the customer; either alone will do. XES files bring their own.
    activity
        Column that says what happened; several are joined with " | ".
    timestamp, end_timestamp
        Columns that say when. Without a timestamp the order column, or the order of the rows, decides.
    order
        Column that orders events of the same time.
    channel, value
        Columns for where it happened, and for the money of an event.
    timezone
        Zone of times that have no offset of their own.
    where
        SQL condition on the columns of the source.
    duplicates
        "keep" or "drop" rows that equal another in every column.
    rename, group, clean
        Activity names: {old: new}, {new: [old, ...]}, [(regular expression, replacement), ...].
    threads, memory_limit
        Limits of the engine; they never change a result.

    Returns
    -------
    EventLog
        Nothing is dropped silently: see `.ledger`.

    Raises
    ------
    SourceError, LogSchemaError, DataError
        The source cannot be opened, a column is not there, or no event can be used.

    Examples
    --------
    >>> import pandas as pd
    >>> days = ["2026-01-01", "2026-01-02", "2026-01-01"]
    >>> rows = pd.DataFrame({"who": ["a", "a", "b"], "what": ["visit", "buy", "visit"], "when": days})
    >>> log = read_log(rows, case_id="who", activity="what", timestamp="when")
    >>> log.n_events, log.n_cases, log.activities
    (3, 2, ('buy', 'visit'))
    """
    if duplicates not in ("keep", "drop"):
        raise OptionError(f"duplicates is {shown(duplicates)}, expected 'keep' or 'drop'.")
    engine = DuckDBEngine(threads=threads, memory_limit=memory_limit)
    raw = open_raw(engine, source, table=table, query=query, separator=separator, encoding=encoding)
    fixed = raw.roles
    names = as_tuple(activity, name="activity") or as_tuple(fixed.get("activity"), name="activity")
    own = case_id or customer_id
    roles = Roles(
        case_id=case_id if own else fixed.get("case_id"),
        customer_id=customer_id,
        activity=names,
        timestamp=timestamp or fixed.get("timestamp"),
        end_timestamp=end_timestamp,
        order=order,
        channel=channel,
        value=value,
        attributes=as_tuple(attributes, name="attributes"),
        timezone=timezone,
        time_format=time_format,
        time_unit=time_unit,
        where=where,
        duplicates=duplicates,
    )
    groups = {new: as_tuple(old, name="group") for new, old in (group or {}).items()}
    rules = NameRules(clean=tuple((p, r) for p, r in clean), rename=dict(rename or {}), group=groups)
    return event_log(engine, raw, roles, rules)


def log_from_spec(
    spec: JourneySpec, base: Path, *, progress: Any = None, threads: int | None = None
) -> EventLog:
    """Read the log that a configuration describes, and define its journeys.

    Parameters
    ----------
    base
        Folder that the source is relative to: that of the configuration.
    """
    from journeymine._progress import make_progress

    step = make_progress(progress).step
    log, journey = spec.log, spec.journey
    with step("Reading"):
        events = read_log(
            _sources(log.source, base),
            case_id=log.case_id,
            customer_id=log.customer_id,
            activity=log.activity,
            timestamp=log.timestamp,
            end_timestamp=log.end_timestamp,
            order=log.order,
            channel=log.channel,
            value=log.value,
            attributes=log.attributes,
            timezone=log.timezone,
            time_format=log.time_format,
            time_unit=log.time_unit,
            where=log.where,
            duplicates=log.duplicates,
            table=log.table,
            query=log.query,
            separator=log.separator,
            encoding=log.encoding,
            rename=spec.activities.rename,
            group=spec.activities.group,
            clean=[(rule.pattern, rule.replace) for rule in spec.activities.clean],
            threads=threads,
        )
    with step("Finding journeys"):
        found = events.journeys(
            journey.goal, end=journey.end, start=journey.start, idle=journey.idle, segments=journey.segments
        )
    return replace(found, stages=spec.stage, expected=_design(journey.expected, base))


def _design(expected: tuple[str, ...], base: Path) -> Any:
    """The designed journey: one text is a file or a process tree, several are activities."""
    if len(expected) != 1:
        return expected or None
    is_file = expected[0].lower().endswith((".bpmn", ".ptml"))
    return base / expected[0] if is_file else expected[0]


def _sources(source: Any, base: Path) -> Any:
    """Paths relative to the folder of the configuration."""
    paths = as_tuple(source, name="source")
    placed = [str(base / path) for path in paths]
    return placed[0] if len(placed) == 1 else placed or None
