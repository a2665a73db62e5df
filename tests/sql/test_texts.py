"""SQL text: what users name is quoted, no setting of a model appears, nothing runs."""

from __future__ import annotations

import pytest

from journeymine.engine.dialect import Dialect
from journeymine.engine.duckdb import DuckDBEngine
from journeymine.sql import cases, chain, ledger
from journeymine.sql.events import blank

D = Dialect()
HOSTILE = ('a" FROM t; DROP TABLE t; --', "it's", 'my "col" x', "select", "two\nlines", "😀", "%s", "{x}")


@pytest.fixture(scope="module")
def engine() -> DuckDBEngine:
    return DuckDBEngine(threads=1)


@pytest.mark.parametrize("name", HOSTILE)
def test_an_example_names_its_columns_whatever_they_are_called(engine: DuckDBEngine, name: str) -> None:
    sql = f"SELECT {ledger.example_text([name], D)} AS e FROM (SELECT 'v' AS {D.quote(name)}) AS t"
    assert engine.fetch_table(sql).to_pylist() == [{"e": f"{name}=v"}]


@pytest.mark.parametrize("name", HOSTILE)
def test_segments_of_any_name_and_value(engine: DuckDBEngine, name: str) -> None:
    engine.execute("CREATE OR REPLACE TABLE c AS SELECT 1 AS case_key, 7 AS first_row")
    engine.execute(f"CREATE OR REPLACE TABLE raw AS SELECT 7 AS at_row, {D.literal(name)} AS {D.quote(name)}")
    sql = cases.cell_values_sql("c", "raw", "at_row", [name], D)
    assert engine.fetch_table(sql).to_pylist() == [{"case_key": 1, "s0": name}]


@pytest.mark.parametrize(
    ("value", "is_blank"), [("''", True), ("'  '", True), ("NULL", True), ("'x'", False), ("'0'", False)]
)
def test_blank_is_null_or_nothing_but_blanks(engine: DuckDBEngine, value: str, is_blank: bool) -> None:
    assert bool(engine.fetch(f"SELECT {blank(f'CAST({value} AS VARCHAR)')} AS b")["b"][0]) is is_blank


def test_a_scope_without_cells_is_empty_and_without_any_limit_is_the_activity() -> None:
    assert chain.scope_condition(3, None, None) == "code = 3"
    assert chain.scope_condition(3, [], None) == "code = 3 AND cell IN (-1)"
    assert (
        chain.scope_condition(3, [1, 2], (5, 9))
        == "code = 3 AND cell IN (1, 2) AND time_us >= 5 AND time_us < 9"
    )


@pytest.mark.parametrize(
    ("end_us", "idle_us", "last_us", "state"),
    [
        (100, 10, 90, 1),
        (100, 10, 91, 2),
        (None, None, None, 1),
        (100, None, 100, 1),
        (-100, 10, -110, 1),
        (-100, 10, -109, 2),
    ],
)
def test_silence_is_counted_back_from_the_end_of_the_log(
    engine: DuckDBEngine, end_us: int | None, idle_us: int | None, last_us: int | None, state: int
) -> None:
    judged = cases.state_expression(end_us, idle_us, "has_ended")
    last = "CAST(NULL AS BIGINT)" if last_us is None else str(last_us)
    row = f"(SELECT 1 AS start_position, CAST(NULL AS INTEGER) AS goal_position, FALSE AS has_ended, {last} AS last_us)"
    assert engine.fetch(f"SELECT {judged} AS s FROM {row} AS j")["s"][0] == state


def test_only_the_five_smallest_examples_are_told_each_once(engine: DuckDBEngine) -> None:
    values = ", ".join(f"('{v}')" for v in "gfedcbaaab")
    sql = ledger.noted_rows_sql(f"(VALUES {values}) AS t(v)", "v <> 'c'", "v")
    assert engine.fetch_table(sql).to_pylist() == [{"n": 9, "examples": ["a", "b", "d", "e", "f"]}]
