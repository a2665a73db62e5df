"""Counts of moves and starts by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import codes, ints
from journeymine.counts.compare import DROPPED, END, MoveCounts
from journeymine.errors import LogSchemaError, OptionError, listed, shown, suggestion
from journeymine.readers.raw import ROW
from journeymine.sql import cases as cases_sql
from journeymine.sql import compare as compare_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys
    from journeymine.readers.raw import RawLog


def count_moves(
    engine: DuckDBEngine, log: Canonical, journeys: Journeys, *, slot: str = "0", slots: str | None = None
) -> MoveCounts:
    """Watched moves and all starts, by unit, cell, first activity and group.

    Parameters
    ----------
    slot
        SQL of the group: a constant, an expression on the event `e`, or "g.slot".
    slots
        Table (case_key, slot) behind "g.slot".
    """
    firsts = engine.create_table("firsts", compare_sql.first_events_sql(log.events, journeys.table))
    sql = compare_sql.moves_sql(
        log.events, journeys.table, firsts, journeys.last_start_us, slot=slot, slots=slots
    )
    moves = engine.fetch(sql)
    starts = engine.fetch(compare_sql.begins_sql(log.events, journeys.table, slot=slot, slots=slots))
    engine.execute(f"DROP TABLE {firsts}")
    late = ints(moves["late"])
    last = np.where((late == 1) | (not journeys.goal), END, DROPPED)
    target = codes(moves["target"], DROPPED)
    return MoveCounts(
        activities=log.activities,
        unit=ints(moves["unit"]),
        cell=ints(moves["cell"]),
        begin=ints(moves["begin"]),
        slot=ints(moves["slot"]),
        late=late,
        source=ints(moves["source"]),
        target=np.where(target < 0, last, target),
        n=ints(moves["n"]),
        start_unit=ints(starts["unit"]),
        start_cell=ints(starts["cell"]),
        start_begin=ints(starts["begin"]),
        start_slot=ints(starts["slot"]),
        start_at_goal=ints(starts["at_goal"]),
        start_n=ints(starts["n"]),
        segments=journeys.segments,
        cells=journeys.cells,
        goal=journeys.goal,
        n_units=log.n_units,
        buckets=log.buckets,
    )


def groups_by_value(
    engine: DuckDBEngine,
    raw: RawLog,
    log: Canonical,
    column: str,
    groups: Sequence[Sequence[str] | None],
) -> str:
    """Table (case_key, slot) of the groups that values of a column make; the caller drops it.

    Raises
    ------
    LogSchemaError
        The log has no such column.
    OptionError
        A value does not occur in it.
    """
    if column not in raw.columns:
        hint = suggestion(column, raw.columns, 'name a column of the log, or "period".')
        problem = f"attribute {shown(column)} not found in the log."
        raise LogSchemaError(problem, found=f"{listed(raw.columns)}.", hint=hint)
    values = engine.create_table(
        "values", cases_sql.cell_values_sql(log.cases, raw.table, ROW, (column,), engine.dialect)
    )
    try:
        _check_values(engine, values, column, [value for group in groups if group for value in group])
        return engine.create_table("groups", compare_sql.groups_of_values_sql(values, groups, engine.dialect))
    finally:
        engine.execute(f"DROP TABLE {values}")


def _check_values(engine: DuckDBEngine, values: str, column: str, wanted: Sequence[str]) -> None:
    found = engine.fetch(compare_sql.known_values_sql(values, wanted, engine.dialect))["value"].tolist()
    for value in wanted:
        if value not in found:
            raise _unknown_value(engine, values, column, value)


def _unknown_value(engine: DuckDBEngine, values: str, column: str, value: str) -> OptionError:
    rows = engine.fetch_table(compare_sql.value_counts_sql(values)).to_pylist()
    names = [str(row["value"]) for row in rows]
    counted = (f"{name[:60]} ({row['n']:,} cases)" for name, row in zip(names, rows, strict=True))
    return OptionError(
        f"{shown(value)} is not a value of {shown(column)} at the start of a case.",
        found=f"{listed(counted)}.",
        hint=suggestion(value, names, "pass one of the values found."),
    )
