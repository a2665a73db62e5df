"""The data-quality ledger: every row accounted for, every oddity counted, every tie explained."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from journeymine.canonical import Canonical, Roles, duplicate_rows_sql, rejected_rows
from journeymine.readers.raw import LedgerEntry, cut
from journeymine.sql import ledger as ledger_sql
from journeymine.sql.events import TIE_RULES, blank, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.readers.raw import RawLog


@dataclass(frozen=True, slots=True)
class Ledger:
    """What became of the rows.

    Attributes
    ----------
    rows_read
        Rows of the source, readable or not.
    rows_kept
        Rows that became events.
    rejected
        Rows that did not, by the first rule they broke: `rows_read` = `rows_kept` + their sum.
    noted
        Oddities that were kept.
    ties
        Pairs of neighbouring events of one case that share a time, by what decided their order.
    """

    rows_read: int
    rows_kept: int
    rejected: tuple[LedgerEntry, ...] = ()
    noted: tuple[LedgerEntry, ...] = ()
    ties: Mapping[str, int] = field(default_factory=dict)

    @property
    def n_tied_pairs(self) -> int:
        """Pairs of neighbouring events of one case that share a time."""
        return sum(self.ties.values())

    def to_dict(self) -> dict[str, Any]:
        """The ledger as in `report.json`."""
        return {
            "rows_read": self.rows_read,
            "rows_kept": self.rows_kept,
            "rejected": [_entry(e) for e in self.rejected],
            "noted": [_entry(e) for e in self.noted],
            "ties": {"n_tied_pairs": self.n_tied_pairs, "decided_by": dict(self.ties)},
        }


def _entry(entry: LedgerEntry) -> dict[str, Any]:
    return {"rule": entry.rule, "n": entry.n, "examples": list(entry.examples)}


def take_stock(
    engine: DuckDBEngine,
    raw: RawLog,
    log: Canonical,
    roles: Roles,
    segments: tuple[str, ...] = (),
    unstarted: str | None = None,
) -> Ledger:
    """Count what was rejected, noted and tied.

    Parameters
    ----------
    unstarted
        Table (case_id) of the journeys that never reach a start activity.
    """
    shown = roles.columns()
    unread = sum(entry.n for entry in raw.rejected)
    rejected = list(raw.rejected)
    if log.n_events != raw.n_rows:
        rejected += rejected_rows(engine, raw, log.columns, shown)
    ties = _ties(engine, log)
    noted = [
        *_duplicates(engine, raw, log, shown, any_ties=bool(sum(ties.values()))),
        *_times(engine, raw, log, roles, shown),
        *_customers(engine, log, roles),
        *_changes(engine, raw, log, segments),
        *_order(engine, raw, log, roles, shown),
        *_values(engine, raw, log, roles, shown),
        *_names(engine, log),
        *(
            _noted(engine, "not_started", ledger_sql.noted_rows_sql(unstarted, "TRUE", "case_id"))
            if unstarted
            else []
        ),
    ]
    return Ledger(
        rows_read=raw.n_rows + unread,
        rows_kept=log.n_events,
        rejected=tuple(sorted(rejected, key=lambda e: e.rule)),
        noted=tuple(sorted(noted, key=lambda e: e.rule)),
        ties=ties,
    )


def _ties(engine: DuckDBEngine, log: Canonical) -> dict[str, int]:
    rows = engine.fetch(ledger_sql.ties_sql(log.events))
    counted = dict(zip(rows["tie"].tolist(), rows["n"].tolist(), strict=True))
    return {rule: int(counted.get(value, 0)) for value, rule in TIE_RULES.items()}


def _noted(engine: DuckDBEngine, rule: str, sql: str) -> list[LedgerEntry]:
    row = engine.fetch_table(sql).to_pylist()[0]
    n = int(row["n"] or 0)
    return [LedgerEntry(rule, n, tuple(row["examples"] or ()))] if n else []


def _kept(raw: RawLog, log: Canonical) -> str:
    """Condition on the raw table: this row is an event."""
    return "TRUE" if log.n_events == raw.n_rows else f"{log.columns.row} IN (SELECT row FROM {log.events})"


def _duplicates(
    engine: DuckDBEngine, raw: RawLog, log: Canonical, shown: tuple[str, ...], *, any_ties: bool
) -> list[LedgerEntry]:
    """Copies share case and time, so with a clock and without ties there are none to look for."""
    if log.last_us is not None and not any_ties:
        return []
    copies = f"{log.columns.row} IN ({duplicate_rows_sql(engine, raw, log.events, log.columns)})"
    example = ledger_sql.example_text(shown, engine.dialect)
    return _noted(engine, "exact_duplicates", ledger_sql.noted_rows_sql(raw.table, copies, example))


def _times(
    engine: DuckDBEngine, raw: RawLog, log: Canonical, roles: Roles, shown: tuple[str, ...]
) -> list[LedgerEntry]:
    plan = log.time_plan
    if plan is None or roles.timestamp is None:
        return []
    kept = _kept(raw, log)
    time = ledger_sql.example_text((roles.timestamp,), engine.dialect)
    rules = {
        "naive_times": f"({plan.naive_sql}) AND {kept}" if plan.naive_sql.upper() != "FALSE" else None,
        "ambiguous_dates": kept if plan.ambiguous else None,
        "relative_time": kept if log.clock == "relative" else None,
    }
    entries: list[LedgerEntry] = []
    for rule, condition in rules.items():
        if condition is not None:
            sql = ledger_sql.noted_rows_sql(raw.table, condition, time, plan.sql)
            entries += _noted(engine, rule, sql)
    if log.columns.end_us:
        early = f"{log.columns.end_us} < {log.columns.time_us} AND {kept}"
        example = ledger_sql.example_text(shown, engine.dialect)
        entries += _noted(engine, "end_before_start", ledger_sql.noted_rows_sql(raw.table, early, example))
    return entries


def _customers(engine: DuckDBEngine, log: Canonical, roles: Roles) -> list[LedgerEntry]:
    """Cases without a customer, and cases with more than one (they belong to the smallest id)."""
    if not (roles.case_id and roles.customer_id):
        return []
    missing = _noted(
        engine,
        "missing_customer_id",
        ledger_sql.noted_rows_sql(log.case_ids, "customer_id IS NULL", "case_id"),
    )
    changed = _noted(
        engine,
        "customer_changes",
        ledger_sql.noted_rows_sql(log.case_ids, "customer_id <> other_customer", "case_id"),
    )
    return [*missing, *changed]


def _changes(
    engine: DuckDBEngine, raw: RawLog, log: Canonical, segments: tuple[str, ...]
) -> list[LedgerEntry]:
    """Segment columns whose value changes within a case; the case keeps the value of its first event."""
    entries: list[LedgerEntry] = []
    for column in segments:
        sql = ledger_sql.changing_cases_sql(
            log.events, log.case_ids, raw.table, log.columns.row, column, engine.dialect
        )
        entries += _noted(engine, "attribute_changes", sql)
    return _merged(entries)


def _merged(entries: list[LedgerEntry]) -> list[LedgerEntry]:
    if not entries:
        return []
    examples = sorted({example for entry in entries for example in entry.examples})[:5]
    return [LedgerEntry(entries[0].rule, sum(entry.n for entry in entries), tuple(examples))]


def _order(
    engine: DuckDBEngine, raw: RawLog, log: Canonical, roles: Roles, shown: tuple[str, ...]
) -> list[LedgerEntry]:
    """Events without a value of the order column; words in it; a database that keeps no order."""
    if roles.order is not None:
        kept, quoted = _kept(raw, log), engine.dialect.quote(roles.order)
        text, example = engine.dialect.text(quoted), ledger_sql.example_text(shown, engine.dialect)
        missing = ledger_sql.noted_rows_sql(raw.table, f"{blank(text)} AND {kept}", example)
        word = f"NOT {blank(text)} AND TRY_CAST({text} AS DOUBLE) IS NULL AND {kept}"
        is_text = raw.types[roles.order].upper() == "VARCHAR"
        words = (
            _noted(engine, "order_as_text", ledger_sql.noted_rows_sql(raw.table, word, text))
            if is_text
            else []
        )
        return [*_noted(engine, "missing_order", missing), *words]
    if raw.keeps_order or log.last_us is not None:
        return []
    return [LedgerEntry("no_order_in_database", log.n_events, ())]


def _values(
    engine: DuckDBEngine, raw: RawLog, log: Canonical, roles: Roles, shown: tuple[str, ...]
) -> list[LedgerEntry]:
    """Values that are there and are no number: they count for no conversion."""
    if roles.value is None:
        return []
    quoted = engine.dialect.quote(roles.value)
    bad = f"NOT {blank(engine.dialect.text(quoted))} AND {number(quoted)} IS NULL AND {_kept(raw, log)}"
    example = ledger_sql.example_text(shown, engine.dialect)
    return _noted(engine, "unreadable_value", ledger_sql.noted_rows_sql(raw.table, bad, example))


def _names(engine: DuckDBEngine, log: Canonical) -> list[LedgerEntry]:
    """Events whose activity has too long a name to be shown."""
    if not log.cut_names:
        return []
    codes = ", ".join(str(code) for code in log.cut_names)
    n = int(engine.fetch(f"SELECT COUNT(*) AS n FROM {log.events} WHERE code IN ({codes})")["n"][0])
    return [LedgerEntry("long_names", n, tuple(cut(log.activities[code]) for code in log.cut_names[:5]))]
