"""Write the log that the benchmarks run on: Markov-like journeys, rows in no order, the same content each time.

    python benchmarks/generate.py big.parquet --events 10_000_000

Every random number is the md5 of a name (case, step), so the content depends on the size alone. A case has one event
for certain and on average eight (an eighth as many cases as events), lengths geometric. Its activities follow a
chain of 40: mostly the next one, sometimes skipping, repeating or going back, now and then somewhere else; a few
paths are frequent and a long tail is not, as in real logs. Waits spread over five orders of magnitude.
"""

from __future__ import annotations

import argparse
from pathlib import Path

EVENTS = 10_000_000
EVENTS_A_CASE = 8
N_ACTIVITIES = 40
START = "2026-01-01 00:00:00"
START_DAYS = 180
SECOND_US = 1_000_000
UNIT = "18446744073709551616.0"
"""md5_number_lower / UNIT is uniform in [0, 1)."""


def lengths_sql(n_cases: int, n_events: int) -> str:
    """Cases and their lengths, geometric, adding up to `n_events`: (case_no, n, start_us, u_start, platform, country).

    Each case gets one event, and of the others its share of a running sum of exponential weights.
    """
    more = n_events - n_cases
    return f"""
        WITH weighted AS (
            SELECT i AS case_no, md5_number_lower('start' || i) / {UNIT} AS u_start,
                   md5_number_upper('start' || i) / {UNIT} AS u_time, md5_number_lower('who' || i) AS who,
                   CAST(1 - 1000000 * ln(1 - md5_number_lower('length' || i) / {UNIT}) AS HUGEINT) AS weight
            FROM range({n_cases}) AS t(i)),
        running AS (SELECT *, SUM(weight) OVER (ORDER BY case_no) AS upto, SUM(weight) OVER () AS total FROM weighted)
        SELECT case_no, u_start,
               CAST(1 + upto * {more} // total - (upto - weight) * {more} // total AS INTEGER) AS n,
               epoch_us(TIMESTAMP '{START}') + CAST(u_time * {START_DAYS} * 86400 AS BIGINT) * {SECOND_US} AS start_us,
               ['app', 'desktop', 'mobile', 'mobile'][CAST(1 + who % 4 AS BIGINT)] AS platform,
               ['AT', 'CH', 'DE', 'DE', 'FR', 'GB', 'IT', 'US'][CAST(1 + who // 4 % 8 AS BIGINT)] AS country
        FROM running"""


def walk_sql(cases: str) -> str:
    """Events of all cases: (case_no, step, state, time_us). One step of every case at a time."""
    draw = "md5_number_lower(c.case_no || ':' || w.step) / " + UNIT
    wait = "md5_number_upper(c.case_no || ':' || w.step) / " + UNIT
    k = N_ACTIVITIES
    return f"""
        WITH RECURSIVE walk AS (
            SELECT case_no, 1 AS step, CAST(floor(6 * u_start * u_start) AS INTEGER) AS state, start_us AS time_us
            FROM {cases}
            UNION ALL
            SELECT case_no, step + 1,
                   CAST(CASE WHEN u < 0.62 THEN (state + 1) % {k} WHEN u < 0.76 THEN (state + 2) % {k}
                             WHEN u < 0.84 THEN state WHEN u < 0.91 THEN (state + {k} - 1) % {k}
                             ELSE floor({k} * pow((u - 0.91) / 0.09, 2)) END AS INTEGER),
                   time_us + CAST(pow(10, 1 + 5 * v) * {SECOND_US} AS BIGINT) // 1000 * 1000
            FROM (SELECT w.*, {draw} AS u, {wait} AS v FROM walk AS w JOIN {cases} AS c ON c.case_no = w.case_no
                  WHERE w.step < c.n) AS drawn)
        SELECT * FROM walk"""


def events_sql(walk: str, cases: str) -> str:
    """Rows of the log in no order: (case_id, activity, timestamp, platform, country, amount)."""
    order = "md5_number_lower('row' || w.case_no || ':' || w.step)"
    return f"""
        SELECT 'case-' || lpad(CAST(w.case_no AS VARCHAR), 8, '0') AS case_id,
               'Activity ' || lpad(CAST(w.state + 1 AS VARCHAR), 2, '0') AS activity,
               make_timestamp(w.time_us) AS timestamp, c.platform, c.country,
               CAST(md5_number_upper('row' || w.case_no || ':' || w.step) % 50000 AS INTEGER) AS amount
        FROM {walk} AS w JOIN {cases} AS c ON c.case_no = w.case_no ORDER BY {order}"""


def generate(path: Path, n_events: int = EVENTS) -> None:
    """Write the log to a Parquet file."""
    import duckdb

    n_cases = max(1, n_events // EVENTS_A_CASE)
    part = path.with_suffix(".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(":memory:", config={"memory_limit": "6GB"}) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"CREATE TABLE cases AS {lengths_sql(n_cases, n_events)}")
        connection.execute(f"CREATE TABLE walk AS {walk_sql('cases')}")
        target = str(part).replace("'", "''")
        connection.execute(f"COPY ({events_sql('walk', 'cases')}) TO '{target}' (FORMAT parquet)")
    part.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("path", type=Path, help="Parquet file to write")
    parser.add_argument("--events", type=int, default=EVENTS, help=f"number of events (default {EVENTS:,})")
    options = parser.parse_args()
    generate(options.path, options.events)
    print(options.path)


if __name__ == "__main__":
    main()
