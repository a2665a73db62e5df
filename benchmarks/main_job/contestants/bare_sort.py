"""DuckDB alone: sort the same three columns into a table, with the memory limit and threads that journeymine gets."""

from __future__ import annotations

import sys
import tempfile

import duckdb
from _stages import Stages

THREADS = 2
MEMORY_LIMIT = "1500MB"


def sort(path: str, spill: str) -> int:
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": THREADS,
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": spill,
    }
    source = path.replace("'", "''")
    with duckdb.connect(":memory:", config=config) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(
            "CREATE TABLE sorted AS SELECT case_id, activity, timestamp "
            f"FROM read_parquet('{source}') ORDER BY case_id, timestamp"
        )
        return int(connection.execute("SELECT COUNT(*) FROM sorted").fetchall()[0][0])


def main() -> None:
    stages = Stages()
    with tempfile.TemporaryDirectory() as spill:
        stages.found["n_events"] = stages.time("job", lambda: sort(sys.argv[1], spill))
    stages.peak("job")
    stages.print()


if __name__ == "__main__":
    main()
