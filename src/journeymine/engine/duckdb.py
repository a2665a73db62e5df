"""DuckDB, the embedded default engine."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from typing import TYPE_CHECKING, Any

from journeymine.engine.dialect import Dialect
from journeymine.errors import EngineError, EngineLimitError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import pyarrow as pa

MEMORY_LIMIT = "1500MB"


class DuckDBEngine:
    """A private in-memory DuckDB; spills to a temporary folder above its memory limit.

    Parameters
    ----------
    threads
        Number of threads; default: all cores.
    memory_limit
        What DuckDB may keep in memory before it spills, for example "4GB".

    Examples
    --------
    >>> engine = DuckDBEngine()
    >>> engine.fetch("SELECT 1 AS n")["n"].tolist()
    [1]
    """

    name = "duckdb"

    def __init__(self, *, threads: int | None = None, memory_limit: str = MEMORY_LIMIT) -> None:
        import duckdb

        self.dialect = Dialect()
        self.threads = threads or _cores()
        spill = tempfile.mkdtemp(prefix="journeymine-")
        weakref.finalize(self, shutil.rmtree, spill, ignore_errors=True)
        config: dict[str, Any] = {
            "memory_limit": memory_limit,
            "temp_directory": spill,
            "threads": self.threads,
            "autoinstall_known_extensions": False,
        }
        self.connection = duckdb.connect(":memory:", config=config)
        self.connection.execute("SET TimeZone = 'UTC'")
        # In a notebook the setting cannot be written without further packages: it is left alone where it is off.
        if self.connection.execute("SELECT current_setting('enable_progress_bar')").fetchall() != [(False,)]:
            self.connection.execute("SET enable_progress_bar = false")
        self._n_tables = 0

    def execute(self, sql: str) -> None:
        """Run a statement that returns nothing."""
        self._run(sql)

    def fetch(self, sql: str) -> dict[str, np.ndarray]:
        """Run a query and return its columns as NumPy arrays."""
        table = self.fetch_table(sql)
        return {name: table.column(name).to_numpy() for name in table.column_names}

    def fetch_table(self, sql: str) -> pa.Table:
        """Run a query and return an Arrow table."""
        return self._run(sql, lambda text: self.connection.sql(text).to_arrow_table())

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table visible to queries under `name`."""
        self.connection.register(name, table)

    def create_table(self, stem: str, sql: str) -> str:
        """Keep the result of a query as a table; returns its name."""
        name = self.new_name(stem)
        self.execute(f"CREATE TABLE {name} AS {sql}")
        return name

    def new_name(self, stem: str) -> str:
        """A table name that no other result of this engine uses."""
        self._n_tables += 1
        return f"jm_{stem}_{self._n_tables}"

    def _run(self, sql: str, run: Callable[[str], Any] | None = None) -> Any:
        import duckdb

        try:
            return (run or self.connection.execute)(sql)
        except duckdb.OutOfMemoryException as error:
            hint = "free disk space, or raise the limit with memory_limit."
            problem = f"DuckDB ran out of memory: {_first_line(error)}"
            raise EngineLimitError(problem, engine=self.name, sql=sql, hint=hint) from error
        except duckdb.Error as error:
            problem = f"DuckDB could not run a query: {_first_line(error)}"
            raise EngineError(problem, engine=self.name, sql=sql) from error


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
