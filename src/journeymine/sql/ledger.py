"""What was rejected, what was kept but is odd, and what decided ties: counts, each with examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.sql.events import EventColumns, blank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.engine.dialect import Dialect

MAX_EXAMPLE = 200
N_SMALLEST = 50


def example_text(columns: Sequence[str], dialect: Dialect) -> str:
    """SQL text that shows a raw row: its named columns, `name=value`, joined by `; ` and cut."""
    parts = [
        f"{dialect.literal(name + '=')} || COALESCE({dialect.text(dialect.quote(name))}, '')"
        for name in columns
    ]
    return f"substr({(' || ' + dialect.literal('; ') + ' || ').join(parts)}, 1, {MAX_EXAMPLE})"


def rejected_sql(raw: str, columns: EventColumns, example: str) -> str:
    """Rows that are not used, by the first rule they break: (rule, n, examples).

    A name of which cleaning leaves nothing is a missing activity.
    The order of the rules is fixed, so every row is counted once. Examples are the five smallest by value.
    """
    branches = []
    if columns.where:
        branches.append(f"WHEN NOT COALESCE(({columns.where}), FALSE) THEN 'filtered_out'")
    branches.append(f"WHEN {blank(columns.case)} THEN 'missing_case_id'")
    branches.append(f"WHEN {blank(columns.activity)} THEN 'missing_activity'")
    if columns.time_us and columns.time_raw:
        branches.append(f"WHEN {columns.time_us} IS NULL AND {blank(columns.time_raw)} THEN 'missing_time'")
        branches.append(f"WHEN {columns.time_us} IS NULL THEN 'unreadable_time'")
    named = f"COALESCE({columns.activity} IN (SELECT name FROM {columns.names}), FALSE)"
    branches.append(f"WHEN NOT {named} THEN 'missing_activity'")  # cleaning leaves nothing of it
    if columns.dropped:
        branches.append(f"WHEN {columns.dropped} THEN 'duplicates_dropped'")
    rule = f"CASE {' '.join(branches)} END"
    return f"""
        SELECT rule, SUM(n) AS n, {_smallest_five("example")} AS examples
        FROM (SELECT rule, example, COUNT(*) AS n,
                     ROW_NUMBER() OVER (PARTITION BY rule ORDER BY example) AS place
              FROM (SELECT {rule} AS rule, {example} AS example FROM {raw}) AS judged
              WHERE rule IS NOT NULL GROUP BY rule, example) AS counted
        GROUP BY rule ORDER BY rule"""


def noted_rows_sql(raw: str, condition: str, example: str, order: str | None = None) -> str:
    """Rows for which `condition` is true: (n, examples), up to five of the smallest examples.

    Parameters
    ----------
    order
        What the smallest are the smallest of; by default the example itself. Only the first fifty rows become
        text, so that ten million of them cost no more than a scan.
    """
    return f"""
        SELECT (SELECT COUNT(*) FROM {raw} WHERE {condition}) AS n, list(example ORDER BY example) AS examples
        FROM (SELECT DISTINCT example
              FROM (SELECT {example} AS example FROM {raw} WHERE {condition}
                    ORDER BY {order or example}, {example} LIMIT {N_SMALLEST}) AS smallest
              ORDER BY example LIMIT 5) AS listed"""


def duplicate_rows_sql(raw: str, events: str, row: str, all_columns: Sequence[str]) -> str:
    """Rows that equal an earlier row in every column: (row).

    Copies share case and time, so only events that tie with a neighbour are looked up in the raw table.
    """
    listed = ", ".join(f"r.{c}" for c in all_columns)
    return f"""
        SELECT row FROM (
            SELECT t.row AS row, ROW_NUMBER() OVER (PARTITION BY {listed} ORDER BY t.row) AS copy
            FROM (SELECT e.row AS row FROM {events} AS e JOIN
                    (SELECT case_key, position FROM {events} WHERE tie > 0
                     UNION SELECT case_key, position + 1 FROM {events} WHERE tie > 0) AS tied
                    ON e.case_key = tied.case_key AND e.position = tied.position) AS t
            JOIN {raw} AS r ON r.{row} = t.row) AS copies
        WHERE copy > 1"""


def all_duplicate_rows_sql(raw: str, events: str, row: str, all_columns: Sequence[str]) -> str:
    """Rows of events that equal an earlier one in every column, wherever it stands: (row)."""
    listed = ", ".join(f"r.{c}" for c in all_columns)
    return f"""
        SELECT row FROM (
            SELECT e.row AS row, ROW_NUMBER() OVER (PARTITION BY {listed} ORDER BY e.row) AS copy
            FROM {events} AS e JOIN {raw} AS r ON r.{row} = e.row) AS copies
        WHERE copy > 1"""


def ties_sql(events: str) -> str:
    """Tied pairs by what decided them: (tie, n)."""
    return f"SELECT tie, COUNT(*) AS n FROM {events} WHERE tie > 0 GROUP BY tie ORDER BY tie"


def _smallest_five(expression: str) -> str:
    return f"list({expression} ORDER BY {expression}) FILTER (WHERE place <= 5)"


def changing_cases_sql(events: str, case_ids: str, raw: str, row: str, column: str, dialect: Dialect) -> str:
    """Cases in which a column has more than one value: (n, examples)."""
    value = dialect.text("r." + dialect.quote(column))
    name = dialect.literal(column + " of ")
    changing = f"""(SELECT i.case_id AS case_id FROM
        (SELECT e.case_key FROM {events} AS e JOIN {raw} AS r ON r.{row} = e.row
         GROUP BY e.case_key HAVING COUNT(DISTINCT {value}) > 1
             OR (COUNT({value}) > 0 AND COUNT({value}) < COUNT(*))) AS c
        JOIN {case_ids} AS i ON i.case_key = c.case_key) AS changing"""
    return noted_rows_sql(changing, "TRUE", f"{name} || case_id")
