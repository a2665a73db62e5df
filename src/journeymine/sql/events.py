"""Canonical events: one window pass from a raw table to integers, after which no query sees a string.

Canonical events table::

    case_key  INTEGER   key of the case, unique within the run, in no order
    bucket    INTEGER   hash bucket of the customer
    code      INTEGER   index of the activity in the sorted list of names
    time_us   BIGINT    microseconds since 1970-01-01 UTC; null in a log without times
    position  INTEGER   1, 2, ... within the case
    next_code INTEGER   code of the next event of the case; null at the end
    wait_us   BIGINT    from the end of this event to the start of the next; null at the end
    tie       INTEGER   what decided the order of this event and the next: see TIE_RULES
    row       BIGINT    place in the source: the way back to the attributes
"""

from __future__ import annotations

from dataclasses import dataclass

TIE_RULES = {1: "order_column", 2: "file_order", 3: "activity_name"}
"""Value of the column `tie` -> the rule that decided the order of a tied pair."""

NOTHING = "CAST(NULL AS BIGINT)"
WHITE = " \t\n\r\f\v\u00a0"


@dataclass(frozen=True, slots=True)
class EventColumns:
    """SQL expressions over the raw table, one a role; null where the log has no such column.

    Attributes
    ----------
    case, activity
        Text. Null or blank means missing.
    key
        64-bit hash of the case id.
    ids
        Table (id_hash, case_key, bucket) of the cases.
    row
        Unique BIGINT, the place in the source.
    time_us, end_us
        BIGINT microseconds, null where unreadable.
    time_raw
        The time as it was written, for telling "missing" from "unreadable".
    order
        Anything that sorts.
    no_blank_case
        Whether it is known that no id is missing, so that no row has to be asked.
    names
        Table (name, code) of the raw names that are activities.
    where
        Boolean; rows for which it is not true are left out.
    dropped
        Boolean; rows for which it is true are exact duplicates that the user dropped.
    """

    case: str
    key: str
    activity: str
    row: str
    time_us: str | None = None
    time_raw: str | None = None
    end_us: str | None = None
    order: str | None = None
    ids: str = ""
    no_blank_case: bool = False
    names: str = ""
    where: str | None = None
    dropped: str | None = None


def blank(expression: str) -> str:
    """True where a text is null or only white space."""
    return f"({expression} IS NULL OR trim({expression}, '{WHITE}') = '')"


def number(expression: str) -> str:
    """A number read from anything; null where it is none, or too large to be money."""
    read = f"TRY_CAST(CAST({expression} AS VARCHAR) AS DOUBLE)"
    return f"CASE WHEN abs({read}) < 1e12 THEN {read} END"


def chosen_rows_sql(raw: str, columns: EventColumns) -> str:
    """WHERE clause that keeps the rows the user asked for."""
    return f"FROM {raw} WHERE ({columns.where})" if columns.where else f"FROM {raw}"


def activity_names_sql(raw: str, columns: EventColumns) -> str:
    """Distinct activity names of the rows that can be events, unsorted: (name)."""
    return f"SELECT DISTINCT {columns.activity} AS name FROM {raw} WHERE {' AND '.join(_conditions(columns))}"


def canonical_events_sql(raw: str, columns: EventColumns, *, keeps_order: bool) -> str:
    """Canonical events of the usable rows.

    Parameters
    ----------
    raw
        The raw table.
    keeps_order
        Whether the place in the source means anything; if not, the activity's name decides ties.
    """
    time, order = columns.time_us or NOTHING, columns.order or NOTHING
    end = f"GREATEST({columns.end_us}, {time})" if columns.end_us else NOTHING
    wait = "LEAD(time_us) OVER w - time_us"
    if columns.end_us:
        after_end = "GREATEST(LEAD(time_us) OVER w - COALESCE(end_us, time_us), 0)"
        wait = f"CASE WHEN LEAD(time_us) OVER w IS NULL THEN NULL ELSE {after_end} END"
    keys = ["time_us"] * bool(columns.time_us) + ["ord"] * bool(columns.order)
    keys += ["row"] if keeps_order else ["code", "row"]
    return f"""
        SELECT case_key, bucket, code, time_us,
               CAST(ROW_NUMBER() OVER w AS INTEGER) AS position,
               LEAD(code) OVER w AS next_code,
               {wait} AS wait_us,
               {_tie(columns, keeps_order=keeps_order)} AS tie,
               row
        FROM (
            SELECT ids.case_key, ids.bucket, names.code AS code, time_us, end_us, ord, row
            FROM (SELECT {columns.key} AS key_of_row, {columns.activity} AS activity_name, {time} AS time_us,
                         {end} AS end_us, {order} AS ord, {columns.row} AS row
                  FROM {raw} WHERE {" AND ".join(_conditions(columns))}) AS usable
            JOIN {columns.names} AS names ON activity_name = names.name
            JOIN {columns.ids} AS ids ON ids.id_hash = key_of_row
        ) AS coded
        WINDOW w AS (PARTITION BY case_key ORDER BY {", ".join(keys)})"""


def _conditions(columns: EventColumns) -> list[str]:
    """What a row must meet to be an event, besides having an activity."""
    conditions = [] if columns.no_blank_case else [f"NOT {blank(columns.case)}"]
    if columns.time_us:
        conditions.append(f"{columns.time_us} IS NOT NULL")
    if columns.where:
        conditions.append(f"({columns.where})")
    if columns.dropped:
        conditions.append(f"NOT ({columns.dropped})")
    return conditions or ["TRUE"]


def _tie(columns: EventColumns, *, keeps_order: bool) -> str:
    """Which rule decided the order of an event and the next: 0 if they are not tied."""
    clock = "time_us" if columns.time_us else "ord"
    last = 2 if keeps_order else 3
    rule = (
        f"CASE WHEN LEAD(ord) OVER w IS DISTINCT FROM ord THEN 1 ELSE {last} END"
        if columns.order
        else str(last)
    )
    return f"CASE WHEN LEAD({clock}) OVER w = {clock} THEN {rule} ELSE 0 END"
