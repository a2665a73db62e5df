"""Fixtures of the reader tests."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from journeymine.engine.duckdb import DuckDBEngine
from journeymine.readers.raw import ROW, RawLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def engine() -> Iterator[DuckDBEngine]:
    """A fresh engine with two threads."""
    engine = DuckDBEngine(threads=2)
    yield engine
    engine.connection.close()


@pytest.fixture
def rows(engine: DuckDBEngine) -> Callable[[RawLog], list[tuple[Any, ...]]]:
    """All rows of a raw log in source order, without the row number (which must rise strictly)."""

    def fetch(raw: RawLog) -> list[tuple[Any, ...]]:
        table = engine.fetch_table(f"SELECT * FROM {raw.table} ORDER BY {ROW}")
        numbers = table.column(ROW).to_pylist()
        assert all(a < b for a, b in itertools.pairwise(numbers))
        assert table.num_rows == raw.n_rows
        assert tuple(table.column_names) == (ROW, *raw.columns)
        assert tuple(raw.types) == raw.columns
        columns = [table.column(name).to_pylist() for name in raw.columns]
        return list(zip(*columns, strict=True))

    return fetch
