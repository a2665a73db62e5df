"""Counts of journeys as sequences of designed steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import codes, ints
from journeymine.counts.conformance import ProfileCounts, StepPaths
from journeymine.sql import conformance as conformance_sql
from journeymine.sql.cases import N_BUCKETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys


@dataclass(frozen=True, slots=True)
class PathTables:
    """Tables in the engine: the path of every journey, and the most frequent paths of the first `buckets`."""

    paths: str
    top: str
    buckets: int


def make_paths(
    engine: DuckDBEngine,
    log: Canonical,
    journeys: Journeys | None,
    steps: Sequence[tuple[int, int]],
    *,
    by_visit: bool,
    dropped_too: bool,
    top: int,
    longest: int,
) -> tuple[PathTables, StepPaths]:
    """Write every journey as a sequence of steps, and count the most frequent.

    Parameters
    ----------
    steps
        Code of an activity and number of its step.
    by_visit
        Whether steps that repeat at once count once.
    dropped_too
        Whether dropped journeys are held against the whole design.
    top, longest
        Most distinct paths, and most steps of a path, that are counted. Where there are more paths, the journeys of
        some customers are counted, chosen by the hash of their id: the commonest paths of all would be the short ones.
    """
    has_goal = bool(journeys and journeys.goal)
    judged = (
        conformance_sql.judged_journeys_sql(
            journeys.table, log.last_us, journeys.idle.us, has_goal=has_goal, dropped_too=dropped_too
        )
        if journeys
        else conformance_sql.all_cases_sql(log.cases)
    )
    mapped = conformance_sql.pairs_sql(steps, "code", "step")
    step_events = conformance_sql.steps_sql(log.events, mapped, by_visit=by_visit)
    paths = engine.create_table(
        "step_paths",
        conformance_sql.paths_sql(judged, step_events, log.events, engine.dialect, has_goal=has_goal),
    )
    buckets = _buckets(engine, paths, top, longest)
    best = engine.create_table("top_step_paths", conformance_sql.top_paths_sql(paths, top, longest, buckets))
    listed = engine.fetch_table(f"SELECT path, whole, goal_at, n FROM {best} ORDER BY place").to_pydict()
    n_all = int(engine.fetch(f"SELECT COUNT(*) AS n FROM ({judged}) AS j")["n"][0])
    n_journeys = int(engine.fetch(f"SELECT COUNT(*) AS n FROM {paths}")["n"][0])
    return PathTables(paths, best, buckets), StepPaths(
        paths=tuple(tuple(path) for path in listed["path"]),
        whole=np.array(listed["whole"], dtype=bool),
        goal_at=np.array(listed["goal_at"], dtype=np.int64),
        n=np.array(listed["n"], dtype=np.int64),
        n_journeys=n_journeys,
        n_without_step=n_all - n_journeys,
        sample=buckets / N_BUCKETS,
    )


def _buckets(engine: DuckDBEngine, paths: str, top: int, longest: int) -> int:
    """As many buckets of customers as have at most `top` distinct paths; at least one."""
    rows = engine.fetch(conformance_sql.first_buckets_sql(paths, longest))
    new = np.zeros(N_BUCKETS, np.int64)
    new[ints(rows["bucket"])] = ints(rows["n"])
    return max(1, int((np.cumsum(new) <= top).sum()))


def count_profiles(
    engine: DuckDBEngine, log: Canonical, tables: PathTables, profile_of_path: NDArray[np.int64]
) -> ProfileCounts:
    """Journeys by unit, cell, end state and profile of their path."""
    pairs = conformance_sql.pairs_sql(enumerate(profile_of_path.tolist()), "place", "profile")
    # A few buckets would be a few units: those of a sample are cut into as many units as a whole log has.
    unit = "part" if log.buckets and tables.buckets < N_BUCKETS else "unit"
    rows = engine.fetch(
        conformance_sql.profile_counts_sql(tables.paths, tables.top, pairs, tables.buckets, unit)
    )
    return ProfileCounts(
        unit=ints(rows["unit"]),
        cell=ints(rows["cell"]),
        state=codes(rows["state"], -1),
        profile=ints(rows["profile"]),
        n=ints(rows["n"]),
        n_timed=ints(rows["n_timed"]),
        time_s=ints(rows["time_s"]),
        n_units=log.n_units,
        buckets=log.buckets,
    )


def drop_paths(engine: DuckDBEngine, tables: PathTables) -> None:
    """Free the tables."""
    for name in (tables.paths, tables.top):
        engine.execute(f"DROP TABLE {name}")
