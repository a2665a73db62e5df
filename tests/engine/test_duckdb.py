"""The engine: settings that no result may depend on, errors with their SQL, a temporary folder that goes away."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from journeymine.engine.duckdb import DuckDBEngine
from journeymine.errors import EngineError, EngineLimitError


def test_the_session_knows_neither_the_local_time_zone_nor_the_network() -> None:
    engine = DuckDBEngine(threads=1)
    settings = engine.fetch(
        "SELECT current_setting('TimeZone') AS zone, current_setting('threads') AS threads, "
        "current_setting('autoinstall_known_extensions') AS install"
    )
    assert settings["zone"][0] == "UTC"
    assert settings["threads"][0] == 1
    assert not settings["install"][0]


def test_a_refused_query_tells_the_engine_and_the_sql() -> None:
    with pytest.raises(EngineError, match="could not run a query") as caught:
        DuckDBEngine(threads=1).fetch("SELECT no_such_column")
    assert caught.value.sql == "SELECT no_such_column"
    assert caught.value.engine == "duckdb"
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("call", ["execute", "fetch", "fetch_table"])
def test_an_error_that_shows_only_while_a_query_runs_is_told_the_same_way(call: str) -> None:
    engine = DuckDBEngine(threads=1)
    engine.execute("CREATE TABLE t AS SELECT * FROM (VALUES ('1'), ('no number')) AS v(x)")
    with pytest.raises(EngineError, match="no number") as caught:
        getattr(engine, call)("SELECT CAST(x AS INTEGER) AS n FROM t")
    assert caught.value.sql == "SELECT CAST(x AS INTEGER) AS n FROM t"


def test_too_little_memory_and_no_room_to_spill_is_a_limit_with_a_hint() -> None:
    engine = DuckDBEngine(threads=1, memory_limit="20MB")
    engine.execute("SET max_temp_directory_size = '1MB'")
    with pytest.raises(EngineLimitError, match="ran out of memory") as caught:
        engine.fetch("SELECT range AS n, hash(range) AS h FROM range(5000000) ORDER BY h")
    assert "memory_limit" in str(caught.value.hint)


def test_two_engines_share_nothing() -> None:
    first, second = DuckDBEngine(threads=1), DuckDBEngine(threads=1)
    first.execute("CREATE TABLE t AS SELECT 1 AS n")
    with pytest.raises(EngineError):
        second.fetch("SELECT n FROM t")


def test_names_are_never_given_twice() -> None:
    engine = DuckDBEngine(threads=1)
    assert len({engine.new_name("events") for _ in range(50)}) == 50


def test_columns_come_back_as_arrays_in_the_order_of_the_query() -> None:
    engine = DuckDBEngine(threads=2)
    engine.register("given", pa.table({"x": [3, 1, 2], "name": ["c", "a", "b"]}))
    got = engine.fetch("SELECT x, name FROM given ORDER BY x DESC")
    assert list(got) == ["x", "name"]
    assert isinstance(got["x"], np.ndarray)
    assert got["x"].tolist() == [3, 2, 1]
    assert got["name"].tolist() == ["c", "b", "a"]


def test_the_temporary_folder_goes_with_the_engine() -> None:
    engine = DuckDBEngine(threads=1)
    spill = Path(str(engine.fetch("SELECT current_setting('temp_directory') AS d")["d"][0]))
    assert spill.is_dir()
    del engine
    gc.collect()
    assert not spill.exists()
