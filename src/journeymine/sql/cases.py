"""Cases: who they belong to, when they begin and end, and how they end.

Case ids table:      case_key, id_hash, bucket, case_id, customer_id, other_customer
Customers table:     customer_id, bucket, unit
Cases table:         case_key, unit, customer_id, n_events, first_us, last_us, first_row
Journeys table:      case_key, unit, customer_id, cell, n_events, first_us, last_us, start_position,
                     goal_position, has_ended, state (0 converted, 1 dropped, 2 open, null: never started)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.sql.events import EventColumns, blank, chosen_rows_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.engine.dialect import Dialect

N_BUCKETS = 200
CONVERTED, DROPPED, OPEN = 0, 1, 2
MISSING = "(missing)"


def all_case_ids_sql(raw: str, columns: EventColumns, customer: str | None) -> str:
    """Ids as they stand in the raw table, blank ones included: (case_id, customer_id, other_customer).

    The two customers differ only where a case has more than one; the smaller id is the one it belongs to.
    """
    rows = chosen_rows_sql(raw, columns)
    if customer is None:
        nobody = "CAST(NULL AS VARCHAR)"
        return f"SELECT DISTINCT {columns.case} AS case_id, {nobody} AS customer_id, {nobody} AS other_customer {rows}"
    who = f"CASE WHEN {blank(customer)} THEN NULL ELSE {customer} END"
    return f"""
        SELECT {columns.case} AS case_id, MIN({who}) AS customer_id, MAX({who}) AS other_customer
        {rows} GROUP BY {columns.case}"""


def case_ids_sql(all_ids: str, key: str, dialect: Dialect) -> str:
    """Usable ids behind the case keys: (case_key, id_hash, bucket, case_id, customer_id, other_customer).

    `case_key` counts the ids in any order: nothing may be sorted by it.
    """
    return f"""
        SELECT CAST(ROW_NUMBER() OVER () AS INTEGER) AS case_key, *
        FROM (SELECT {key} AS id_hash, {dialect.bucket("COALESCE(customer_id, case_id)", N_BUCKETS)} AS bucket,
                     case_id, customer_id, other_customer
              FROM {all_ids} WHERE NOT {blank("case_id")}) AS usable"""


def used_ids_sql(case_ids: str, events: str) -> str:
    """Ids of the cases that have a usable event."""
    return f"SELECT * FROM {case_ids} WHERE case_key IN (SELECT case_key FROM {events})"


def customers_sql(case_ids: str) -> str:
    """Customers and their bucket: (customer_id, bucket). A case without a customer is its own customer."""
    return f"SELECT DISTINCT COALESCE(customer_id, case_id) AS customer_id, bucket FROM {case_ids}"


def own_customers_sql(case_ids: str) -> str:
    """Customers where every case is one: (customer_id, bucket, case_key)."""
    return f"SELECT case_id AS customer_id, bucket, case_key FROM {case_ids}"


def numbered_customers_sql(customers: str) -> str:
    """Customers with the unit that is resampled: their place in the sorted list of ids."""
    return f"""
        SELECT *, CAST(ROW_NUMBER() OVER (ORDER BY customer_id) - 1 AS INTEGER) AS unit
        FROM {customers}"""


def bucketed_customers_sql(customers: str) -> str:
    """Customers with the unit that is resampled: their bucket."""
    return f"SELECT *, bucket AS unit FROM {customers}"


def cases_sql(events: str, case_ids: str | None, customers: str) -> str:
    """One row a case with its unit, size and times; without `case_ids` every case is its own customer."""
    owner = (
        f"JOIN {case_ids} AS i ON e.case_key = i.case_key "
        f"JOIN {customers} AS c ON c.customer_id = COALESCE(i.customer_id, i.case_id)"
        if case_ids
        else f"JOIN {customers} AS c ON c.case_key = e.case_key"
    )
    return f"""
        SELECT e.case_key, c.unit, c.customer_id, l.n_events, e.first_us, l.last_us, e.first_row
        FROM (SELECT case_key, time_us AS first_us, row AS first_row FROM {events} WHERE position = 1) AS e
        JOIN (SELECT case_key, CAST(position AS BIGINT) AS n_events, time_us AS last_us
              FROM {events} WHERE next_code IS NULL) AS l ON l.case_key = e.case_key {owner}"""


def sessions_sql(events: str, idle_us: int) -> str:
    """Canonical events with every case cut where it was silent for `idle_us` or longer.

    A part is known by the place in the source of its first event, which is unique; `parent_key` is the old case.
    """
    return f"""
        SELECT case_key, bucket, code, time_us, CAST(ROW_NUMBER() OVER w AS INTEGER) AS position,
               LEAD(code) OVER w AS next_code,
               CASE WHEN LEAD(code) OVER w IS NULL THEN NULL ELSE wait_us END AS wait_us,
               CASE WHEN LEAD(code) OVER w IS NULL THEN 0 ELSE tie END AS tie, row, parent_key
        FROM (SELECT MAX(CASE WHEN begins THEN row END) OVER (PARTITION BY parent_key, part) AS case_key,
                     parent_key, bucket, code, time_us, position, wait_us, tie, row
              FROM (SELECT parent_key, bucket, code, time_us, position, wait_us, tie, row, begins,
                           SUM(CASE WHEN begins THEN 1 ELSE 0 END) OVER (
                               PARTITION BY parent_key ORDER BY position
                               ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS part
                    FROM (SELECT case_key AS parent_key, bucket, code, time_us, position, wait_us, tie, row,
                                 position = 1 OR COALESCE(
                                     LAG(wait_us) OVER (PARTITION BY case_key ORDER BY position) >= {idle_us},
                                     FALSE) AS begins
                          FROM {events}) AS marked) AS numbered) AS cut
        WINDOW w AS (PARTITION BY case_key ORDER BY position)"""


def session_ids_sql(sessions: str, case_ids: str) -> str:
    """Ids of the parts of cut cases: (case_key, bucket, case_id, customer_id, other_customer)."""
    return f"""
        SELECT s.case_key, i.bucket, i.case_id || ' #' || CAST(ROW_NUMBER() OVER (
                   PARTITION BY s.parent_key ORDER BY s.first_us, s.case_key) AS VARCHAR) AS case_id,
               COALESCE(i.customer_id, i.case_id) AS customer_id, i.other_customer
        FROM (SELECT case_key, MAX(parent_key) AS parent_key, MIN(time_us) AS first_us
              FROM {sessions} GROUP BY case_key) AS s
        JOIN {case_ids} AS i ON i.case_key = s.parent_key"""


def cell_values_sql(cases: str, raw: str, row: str, columns: Sequence[str], dialect: Dialect) -> str:
    """Segment values of each case, those of its first event: (case_key, s0, s1, ...)."""
    values = ", ".join(
        f"COALESCE(NULLIF({dialect.text('r.' + dialect.quote(c))}, ''), {dialect.literal(MISSING)}) AS s{i}"
        for i, c in enumerate(columns)
    )
    return f"SELECT c.case_key, {values} FROM {cases} AS c JOIN {raw} AS r ON r.{row} = c.first_row"


def cells_sql(values: str, n_columns: int) -> str:
    """Distinct combinations of segment values, sorted and numbered: (cell, s0, s1, ..., n_cases)."""
    names = ", ".join(f"s{i}" for i in range(n_columns))
    return f"""
        SELECT CAST(ROW_NUMBER() OVER (ORDER BY {names}) - 1 AS INTEGER) AS cell, {names}, COUNT(*) AS n_cases
        FROM {values} GROUP BY {names}"""


def cells_of_cases_sql(values: str, cells: str, n_columns: int) -> str:
    """Cell of each case: (case_key, cell)."""
    match = " AND ".join(f"v.s{i} = c.s{i}" for i in range(n_columns))
    return f"SELECT v.case_key, c.cell FROM {values} AS v JOIN {cells} AS c ON {match}"


def marks_sql(events: str, goal: Sequence[int], start: Sequence[int]) -> str:
    """Start and first goal of each case: (case_key, start_position, goal_position)."""
    begins = f"MIN(CASE WHEN code IN ({_codes(start)}) THEN position END)" if start else "1"
    first = f"SELECT case_key, {begins} AS start_position FROM {events} GROUP BY case_key"
    if not goal:
        return f"SELECT case_key, start_position, CAST(NULL AS INTEGER) AS goal_position FROM ({first}) AS f"
    if not start:
        reach = f"MIN(CASE WHEN code IN ({_codes(goal)}) THEN position END)"
        return (
            f"SELECT case_key, 1 AS start_position, {reach} AS goal_position FROM {events} GROUP BY case_key"
        )
    return f"""
        SELECT f.case_key, f.start_position, g.goal_position
        FROM ({first}) AS f LEFT JOIN
             (SELECT e.case_key, MIN(e.position) AS goal_position FROM {events} AS e
              JOIN ({first}) AS s ON e.case_key = s.case_key AND e.position >= s.start_position
              WHERE e.code IN ({_codes(goal)}) GROUP BY e.case_key) AS g ON f.case_key = g.case_key"""


def state_expression(end_us: int | None, idle_us: int | None, ends: str) -> str:
    """End state of a case from its marks: goal reached, ended, silent, or open. `ends`: 'its last event is an end'."""
    silent = f"last_us <= {end_us - idle_us}" if end_us is not None and idle_us is not None else "TRUE"
    return (
        f"CASE WHEN start_position IS NULL THEN NULL WHEN goal_position IS NOT NULL THEN {CONVERTED} "
        f"WHEN {ends} OR {silent} THEN {DROPPED} ELSE {OPEN} END"
    )


def journeys_sql(cases: str, marks: str, ended: str, state: str, cells: str | None) -> str:
    """Journeys table: cases with cell, marks and end state."""
    cell = "COALESCE(x.cell, 0)" if cells else "0"
    join = f"LEFT JOIN {cells} AS x ON x.case_key = c.case_key" if cells else ""
    return f"""
        SELECT *, {state} AS state
        FROM (SELECT c.case_key, c.unit, c.customer_id, {cell} AS cell, c.n_events, c.first_us, c.last_us,
                     m.start_position, m.goal_position, COALESCE(d.has_ended, FALSE) AS has_ended
              FROM {cases} AS c JOIN {marks} AS m ON m.case_key = c.case_key
              LEFT JOIN {ended} AS d ON d.case_key = c.case_key {join}) AS joined"""


def ended_sql(events: str, end: Sequence[int]) -> str:
    """Cases whose last event is an `end` activity: (case_key, has_ended)."""
    condition = f"code IN ({_codes(end)})" if end else "FALSE"
    return f"SELECT case_key, TRUE AS has_ended FROM {events} WHERE next_code IS NULL AND {condition}"


def state_counts_sql(journeys: str, end_us: int | None, idle_us: int | None) -> str:
    """Journeys by unit and end state for a given idle: (unit, state, n)."""
    state = state_expression(end_us, idle_us, "has_ended")
    return f"""
        SELECT unit, state, COUNT(*) AS n FROM (SELECT unit, {state} AS state FROM {journeys}) AS judged
        WHERE state IS NOT NULL GROUP BY unit, state ORDER BY unit, state"""


def _codes(codes: Sequence[int]) -> str:
    return ", ".join(str(int(c)) for c in codes)
