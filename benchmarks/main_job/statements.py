"""Where journeymine's seconds go: every SQL statement of the main job and the further counts, slowest first.

python benchmarks/main_job/statements.py events.parquet

Statements that differ in numbers only are one line. What is left of a step is Python.
"""

from __future__ import annotations

import argparse
import re
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, TypeVar

from journeymine.engine.duckdb import DuckDBEngine
from journeymine.reading import read_log

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
SHORTEST_S = 0.05


SEEN: defaultdict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
"""Wall seconds, CPU seconds and runs of each statement of the current step."""


def timed(sql: str, work: Callable[[], T]) -> T:
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    entry = SEEN[re.sub(r"\d+", "#", " ".join(sql.split()))]
    for i, spent in enumerate((time.perf_counter() - wall, time.process_time() - cpu, 1)):
        entry[i] += spent
    return result


def watch() -> None:
    """Time every statement of every engine from now on."""
    execute, fetch_table = DuckDBEngine.execute, DuckDBEngine.fetch_table

    def timed_execute(self: DuckDBEngine, sql: str) -> None:
        timed(sql, lambda: execute(self, sql))

    def timed_fetch(self: DuckDBEngine, sql: str) -> Any:
        return timed(sql, lambda: fetch_table(self, sql))

    DuckDBEngine.execute = timed_execute  # type: ignore[method-assign]
    DuckDBEngine.fetch_table = timed_fetch  # type: ignore[method-assign]


def step(name: str, work: Callable[[], T], width: int) -> T:
    SEEN.clear()
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    in_sql = sum(entry[0] for entry in SEEN.values())
    print(f"{name}: {wall:.2f} s wall, {cpu:.2f} s CPU, {wall - in_sql:.2f} s of it Python")
    for sql, (w, c, n) in sorted(SEEN.items(), key=lambda item: -item[1][1]):
        if c >= SHORTEST_S:
            print(f"  {w:7.2f} wall {c:7.2f} CPU {n:4.0f} x  {sql[:width]}")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("log", help="a log written by benchmarks/generate.py")
    parser.add_argument("--goal", default="Activity 10")
    parser.add_argument("--segment", default="platform")
    parser.add_argument("--width", type=int, default=110, help="how much of a statement is shown")
    options = parser.parse_args()
    watch()
    w = options.width
    log = step(
        "read_log",
        lambda: read_log(
            options.log, case_id="case_id", activity="activity", timestamp="timestamp", threads=2
        ),
        w,
    )
    step("transitions", log.transitions, w)
    step("variants(100)", lambda: log.variants(100), w)
    journeys = step("journeys(goal)", lambda: log.journeys(goal=options.goal), w)
    step("end_states", lambda: journeys.end_states, w)
    step("fit_markov()", journeys.fit_markov, w)
    step("rank_fixes()", journeys.rank_fixes, w)
    parts = step(
        "journeys(goal, segments)", lambda: log.journeys(goal=options.goal, segments=options.segment), w
    )
    step("rank_fixes() by segment", parts.rank_fixes, w)
    step("activity_counts", lambda: log.activity_counts, w)
    step("departure_waits", lambda: log.departure_waits, w)
    step("ledger", lambda: log.ledger, w)


if __name__ == "__main__":
    main()
