from __future__ import annotations

import duckdb
import pytest

from journeymine.errors import DataError, OptionError, SourceError
from journeymine.readers import open_raw


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "o'dd.duckdb"
    connection = duckdb.connect(str(path))
    connection.execute('CREATE TABLE events (id VARCHAR, "at" VARCHAR, rest INTEGER)')
    connection.execute("INSERT INTO events VALUES ('007', 'a', 1), ('NA', 'b', 2), ('x', 'c', 3)")
    connection.execute("DELETE FROM events WHERE rest = 2")
    connection.execute("CREATE VIEW seen AS SELECT * FROM events")
    connection.execute(
        "CREATE SCHEMA shop; CREATE TABLE shop.log (a INTEGER, rowid INTEGER); INSERT INTO shop.log VALUES (1, 2)"
    )
    connection.execute("CREATE TABLE empty (a INTEGER)")
    connection.close()
    return path


@pytest.mark.parametrize("table", ["events", "EVENTS", "seen"])
def test_a_table_or_view(engine, rows, database, table):
    raw = open_raw(engine, database, table=table)
    assert sorted(rows(raw)) == [("007", "a", 1), ("x", "c", 3)]
    assert not raw.keeps_order
    assert str(database) not in raw.description


def test_schemas_and_columns_called_rowid(engine, rows, database):
    assert rows(open_raw(engine, database, table="shop.log")) == [(1, 2)]
    raw = open_raw(
        engine, database, query="SELECT e.id, f.id FROM events e JOIN events f USING (id) ORDER BY 1 -- end"
    )
    assert raw.columns == ("id", "id_1")
    assert raw.n_rows == 2


def test_the_file_is_read_only_and_can_be_opened_twice(engine, database):
    open_raw(engine, database, table="events")
    raw = open_raw(engine, database, query="SELECT * FROM events;")
    assert raw.description == "DuckDB query, 2 rows"
    with pytest.raises(SourceError):
        open_raw(engine, database, query="SELECT 1) AS x; DROP TABLE events; SELECT (1")
    assert engine.fetch("SELECT current_database() AS d")["d"][0] == "memory"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"table": "event"}, "did you mean 'events'"),
        ({}, "holds 4 tables"),
        ({"query": "SELECT nope FROM events"}, "nope"),
        ({"query": "SELEC 1"}, "cannot be run"),
    ],
)
def test_wrong_names(engine, database, options, words):
    with pytest.raises(SourceError, match=words) as caught:
        open_raw(engine, database, **options)
    assert caught.value.exit_code == 2


def test_empty_broken_and_busy(engine, database, tmp_path):
    with pytest.raises(DataError, match="no rows"):
        open_raw(engine, database, table="empty")
    broken = tmp_path / "broken.db"
    broken.write_bytes(database.read_bytes()[:5000])
    with pytest.raises(DataError, match="not a readable DuckDB file"):
        open_raw(engine, broken)
    with pytest.raises(OptionError, match="query is empty"):
        open_raw(engine, database, query=" ; ")
    busy = tmp_path / "busy.duckdb"
    connection = duckdb.connect(str(busy))
    connection.execute("CREATE TABLE t AS SELECT 1 AS a")
    connection.execute("CHECKPOINT")
    with pytest.raises(SourceError, match="open elsewhere"):
        open_raw(engine, busy)
    connection.close()


def test_tables_and_queries_of_the_engine(engine, rows):
    engine.execute("CREATE TABLE mine AS SELECT 'a' AS id, 1 AS n UNION ALL SELECT 'b', 2")
    assert sorted(rows(open_raw(engine, None, table="mine"))) == [("a", 1), ("b", 2)]
    assert rows(open_raw(engine, None, query="SELECT id FROM mine WHERE n = 2")) == [("b",)]
    with pytest.raises(SourceError):
        open_raw(engine, None, table="yours")
