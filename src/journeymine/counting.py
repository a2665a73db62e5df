"""From queries to typed counts: the only place where the numerics' input meets the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts import (
    DROP,
    GOAL,
    ActivityCounts,
    ChainCounts,
    DropCounts,
    EdgeCounts,
    VariantCounts,
    fold_rare,
)
from journeymine.sql import chain as chain_sql
from journeymine.sql import transitions as edges_sql
from journeymine.sql import variants as variants_sql

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys

    Ints = NDArray[np.int64]

MAX_STATES = 500
HOUR_US = 3_600_000_000
SLICE_LADDER_US = tuple(h * HOUR_US for h in (1, 6, 24, 7 * 24, 30 * 24, 365 * 24))
MOST_SLICES = 200
MOST_SLICES_OF_BUCKETS = 60


def ints(column: NDArray[np.generic]) -> Ints:
    """A column of integers."""
    return np.asarray(column).astype(np.int64)


def codes(column: NDArray[np.generic], missing: int) -> Ints:
    """A column of codes in which null becomes `missing`."""
    values = np.ma.filled(np.ma.asarray(column), missing)
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), missing, values)
    return values.astype(np.int64)


def make_visits(engine: DuckDBEngine, log: Canonical, journeys: Journeys) -> str:
    """View of the visits before the goal, columns in `sql/chain.py`."""
    name = engine.new_name("visits")
    engine.execute(
        f"CREATE VIEW {name} AS {chain_sql.visits_sql(log.events, journeys.table, journeys.last_start_us)}"
    )
    return name


def count_chain(
    engine: DuckDBEngine, log: Canonical, journeys: Journeys, visits: str, *, attempts: int = 1
) -> ChainCounts:
    """Moves of the conversion chain by unit and cell.

    All journeys say where journeys start, unless some start in a state whose visits nobody watched: then only the
    watched ones do. Above 500 activities the rarest share one state; a move into a state without a watched visit
    is left out and counted as unwatched.
    """
    if attempts > 1:
        rows = _attempt_rows(engine, log, journeys, visits, attempts)
    else:
        rows = engine.fetch(chain_sql.chain_counts_sql(visits))
    source, target = ints(rows["source"]), codes(rows["target"], DROP)
    attempt = ints(rows["attempt"]) if attempts > 1 else np.ones(len(source), np.int64)
    next_attempt = codes(rows["next_attempt"], 1) if attempts > 1 else np.ones(len(source), np.int64)
    starts = engine.fetch(chain_sql.starts_sql(log.events, journeys.table, journeys.last_start_us))
    starts_at_goal = np.asarray(starts["is_goal"]).astype(bool)
    target = np.where(np.isin(target, journeys.goal), GOAL, target)
    code_of, n_folded = _states(source, ints(rows["n"]), len(log.activities))
    place = _Place(code_of, attempts)
    source_state = place.state(source, attempt)
    target_state = np.where(target < 0, target, place.state(np.maximum(target, 0), next_attempt))
    start_code = ints(starts["code"])
    start_state = np.where(starts_at_goal, GOAL, place.state(start_code, np.ones(len(start_code), np.int64)))
    used, known = _followed(source_state, target_state)
    known_start = (start_state < 0) | np.isin(start_state, used)
    if not known_start.all():
        # Of some journeys it is not known where they lead: then those that began at their side do not count either.
        known_start &= np.asarray(starts["watched"]).astype(bool)
    customers = engine.fetch(chain_sql.cell_customers_sql(journeys.table))
    cell_customers = np.zeros(len(journeys.cells), np.int64)
    cell_customers[ints(customers["cell"])] = ints(customers["n_customers"])
    unwatched = 0
    if journeys.last_start_us is not None:
        late = engine.fetch(chain_sql.n_unwatched_sql(visits))
        unwatched = int(late["n"][0])
    n = ints(rows["n"])
    return ChainCounts(
        states=place.names(used, log.activities, n_folded),
        activity=place.codes(used),
        unit=ints(rows["unit"])[known],
        cell=ints(rows["cell"])[known],
        source=np.searchsorted(used, source_state)[known],
        target=np.where(target_state < 0, target_state, np.searchsorted(used, target_state))[known],
        n=n[known],
        wait_us=_floats(rows["wait_us"])[known],
        start_unit=ints(starts["unit"])[known_start],
        start_cell=ints(starts["cell"])[known_start],
        start_state=np.where(start_state < 0, start_state, np.searchsorted(used, start_state))[known_start],
        start_n=ints(starts["n"])[known_start],
        cells=journeys.cells,
        cell_customers=cell_customers,
        n_units=log.n_units,
        n_unwatched=unwatched + int(n[~known].sum()),
        n_folded=n_folded,
        buckets=log.buckets,
    )


def _followed(source: Ints, target: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """States of which it is known where they lead, and the moves between them.

    A move into a state whose visits nobody watched leads nowhere; without it, its source may lead nowhere too.
    """
    known = np.ones(len(source), bool)
    while True:
        used = np.unique(source[known])
        still = known & ((target < 0) | np.isin(target, used))
        if still.sum() == known.sum():
            return used, known
        known = still


def _floats(column: NDArray[np.generic]) -> NDArray[np.float64]:
    return np.array([0.0 if v is None or v != v else float(v) for v in column.tolist()], dtype=float)


def _attempt_rows(
    engine: DuckDBEngine, log: Canonical, journeys: Journeys, visits: str, attempts: int
) -> dict[str, NDArray[np.generic]]:
    numbered = f"({chain_sql.attempts_sql(visits, log.events, journeys.table, attempts)})"
    return engine.fetch(chain_sql.attempt_counts_sql(f"{numbered} AS numbered"))


def _states(source: Ints, n: Ints, n_activities: int) -> tuple[Ints, int]:
    """State of each code, and how many activities share the last one."""
    visits = np.bincount(source, weights=n, minlength=n_activities).astype(np.int64)
    visited = np.flatnonzero(visits)
    kept, n_folded = fold_rare(visits[visited], MAX_STATES)
    state = np.full(n_activities, len(kept) if n_folded else -1, dtype=np.int64)
    state[visited[kept]] = np.arange(len(kept))
    if n_folded == 0:
        state[state < 0] = n_activities + np.flatnonzero(state < 0)
    return state, n_folded


class _Place:
    """Numbers the states: an activity, or an activity and an attempt."""

    def __init__(self, state_of_code: Ints, attempts: int) -> None:
        self.of_code, self.attempts = state_of_code, attempts

    def state(self, code: Ints, attempt: Ints) -> Ints:
        return self.of_code[code] * self.attempts + (attempt - 1)

    def codes(self, states: Ints) -> Ints:
        first = np.full(int(self.of_code.max(initial=0)) + 1, -1, dtype=np.int64)
        shared = np.bincount(self.of_code, minlength=len(first)) > 1
        first[self.of_code] = np.arange(len(self.of_code))
        first[shared] = -1
        return first[states // self.attempts]

    def names(self, states: Ints, activities: tuple[str, ...], n_folded: int) -> tuple[str, ...]:
        base = [activities[c] if c >= 0 else f"(other, {n_folded} activities)" for c in self.codes(states)]
        if self.attempts == 1:
            return tuple(base)
        number = (states % self.attempts + 1).tolist()
        return tuple(
            f"{name} #{a}{'+' if a == self.attempts else ''}" for name, a in zip(base, number, strict=True)
        )


def slice_of_time(log: Canonical) -> tuple[int | None, int | None, int]:
    """Start of the first slice, length of a slice, number of slices; calendar-aligned, one if there is no calendar."""
    if log.clock != "calendar" or log.first_us is None or log.last_us is None:
        return None, None, 1
    most = MOST_SLICES_OF_BUCKETS if log.buckets else MOST_SLICES
    span = max(log.last_us - log.first_us, 1)
    length = next((s for s in SLICE_LADDER_US if span / s <= most), SLICE_LADDER_US[-1])
    day = 24 * HOUR_US
    origin = log.first_us - log.first_us % min(length, day)
    return origin, length, int((log.last_us - origin) // length) + 1


def count_drops(engine: DuckDBEngine, log: Canonical, visits: str, counts: ChainCounts) -> DropCounts:
    """Visits and drops of every activity by unit, cell and slice of time."""
    origin, length, n_slices = slice_of_time(log)
    rows = engine.fetch(chain_sql.drop_counts_sql(visits, engine.dialect, origin_us=origin, slice_us=length))
    state_of = np.full(len(log.activities), -1, dtype=np.int64)
    own = counts.activity >= 0
    state_of[counts.activity[own]] = np.flatnonzero(own)
    state = state_of[ints(rows["code"])]
    keep = state >= 0
    return DropCounts(
        ints(rows["unit"])[keep],
        ints(rows["cell"])[keep],
        state[keep],
        ints(rows["slice"])[keep],
        ints(rows["n_all"])[keep],
        ints(rows["n"])[keep],
        ints(rows["n_drops"])[keep],
        log.n_units,
        length,
        origin,
        n_slices,
    )


def count_reach(engine: DuckDBEngine, visits: str, condition: str = "TRUE") -> tuple[Ints, Ints, Ints]:
    """Journeys that meet each activity in a scope, by unit: (unit, code, n)."""
    rows = engine.fetch(chain_sql.reach_sql(visits, condition))
    return ints(rows["unit"]), ints(rows["code"]), ints(rows["n"])


def count_audience(engine: DuckDBEngine, visits: str, condition: str = "TRUE") -> dict[int, int]:
    """Customers lost after each activity in a scope, by code."""
    rows = engine.fetch(chain_sql.audience_sql(visits, condition))
    return dict(zip(ints(rows["code"]).tolist(), ints(rows["n"]).tolist(), strict=True))


def count_edges(engine: DuckDBEngine, log: Canonical, *, any_target: bool = False) -> EdgeCounts:
    """Directly-follows pairs, by unit, with the histograms of their waits.

    Parameters
    ----------
    any_target
        Count departures whatever follows; the target is then the source itself, and cases are not counted.
    """
    table = engine.new_name("edges")
    events = edges_sql.any_target_sql(log.events) if any_target else log.events
    engine.execute(f"CREATE TABLE {table} AS {edges_sql.edge_totals_sql(events, engine.dialect)}")
    totals = engine.fetch(f"SELECT * FROM {table} ORDER BY source, target")
    cases = None if any_target else engine.fetch(edges_sql.edge_cases_sql(events))
    units = engine.fetch(edges_sql.edge_units_sql(events, log.cases, table))
    bins = engine.fetch(edges_sql.wait_histogram_sql(events, engine.dialect))
    engine.execute(f"DROP TABLE {table}")
    source, target = ints(totals["source"]), ints(totals["target"])
    k = len(log.activities)
    ids = source * k + target
    return EdgeCounts(
        activities=log.activities,
        source=source,
        target=target,
        n=ints(totals["n"]),
        n_cases=ints(totals["n"]) if cases is None else ints(cases["n_cases"]),
        median_us=_floats_or_nan(totals["median_us"]),
        unit=ints(units["unit"]),
        unit_edge=np.searchsorted(ids, ints(units["source"]) * k + ints(units["target"])),
        unit_n=ints(units["n"]),
        unit_below=ints(units["n_below"]),
        bin_edge=np.searchsorted(ids, ints(bins["source"]) * k + ints(bins["target"])),
        bin=ints(bins["bin"]),
        bin_n=ints(bins["n"]),
        n_units=log.n_units,
        timed=log.last_us is not None,
        buckets=log.buckets,
    )


def _floats_or_nan(column: NDArray[np.generic]) -> NDArray[np.float64]:
    return np.array([np.nan if v is None else float(v) for v in column.tolist()])


def cases_by_unit(engine: DuckDBEngine, log: Canonical) -> Ints:
    """Cases of each unit, shape (n_units,)."""
    rows = engine.fetch(f"SELECT unit, COUNT(*) AS n FROM {log.cases} GROUP BY unit ORDER BY unit")
    cases = np.zeros(log.n_units, np.int64)
    cases[ints(rows["unit"])] = ints(rows["n"])
    return cases


def count_variants(
    engine: DuckDBEngine, log: Canonical, journeys: Journeys | None, top: int
) -> VariantCounts:
    """The most frequent variants; only these leave the engine."""
    paths, variants, best = (engine.new_name(stem) for stem in ("paths", "variants", "top"))
    engine.execute(f"CREATE TABLE {paths} AS {variants_sql.paths_sql(log.events, engine.dialect)}")
    engine.execute(f"CREATE TABLE {variants} AS {variants_sql.variants_sql(paths)}")
    engine.execute(f"CREATE TABLE {best} AS {variants_sql.top_variants_sql(variants, top)}")
    listed = engine.fetch_table(f"SELECT path, n FROM {best} ORDER BY place").to_pydict()
    n_variants = int(engine.fetch(f"SELECT COUNT(*) AS n FROM {variants}")["n"][0])
    state, table = (
        ("state", journeys.table) if journeys and journeys.goal else ("CAST(0 AS INTEGER)", log.cases)
    )
    rows = engine.fetch(variants_sql.variant_units_sql(paths, best, table, state))
    for name in (paths, variants, best):
        engine.execute(f"DROP TABLE {name}")
    place, n = ints(rows["place"]), ints(rows["n"])
    by_state = None
    if journeys and journeys.goal:
        known = codes(rows["state"], -1)
        by_state = np.zeros((len(listed["n"]), 3), np.int64)
        np.add.at(by_state, (place[known >= 0], known[known >= 0]), n[known >= 0])
    return VariantCounts(
        activities=log.activities,
        paths=tuple(tuple(path) for path in listed["path"]),
        n=np.array(listed["n"], dtype=np.int64),
        n_by_state=by_state,
        n_variants=n_variants,
        n_cases=log.n_cases,
        unit=ints(rows["unit"]),
        unit_place=place,
        unit_n=n,
        unit_cases=cases_by_unit(engine, log),
        n_units=log.n_units,
        buckets=log.buckets,
    )


def count_activities(engine: DuckDBEngine, log: Canonical) -> ActivityCounts:
    """Events and cases of each activity."""
    rows = engine.fetch(edges_sql.activity_units_sql(log.events, log.cases))
    k = len(log.activities)
    unit, code, n, n_cases = (ints(rows[name]) for name in ("unit", "code", "n", "n_cases"))
    place = np.bincount(code, weights=ints(rows["places"]), minlength=k).astype(np.int64)
    return ActivityCounts(
        n=np.bincount(code, weights=n, minlength=k).astype(np.int64),
        n_cases=np.bincount(code, weights=n_cases, minlength=k).astype(np.int64),
        places=place,
        unit=unit,
        code=code,
        unit_n=n,
        unit_n_cases=n_cases,
        unit_cases=cases_by_unit(engine, log),
        n_units=log.n_units,
        buckets=log.buckets,
    )


def count_values(
    engine: DuckDBEngine, log: Canonical, journeys: Journeys, raw: str, value: str
) -> tuple[Ints, NDArray[np.float64], Ints]:
    """Money of converted journeys: (unit, money, conversions); money is that of the goal event.

    Summed in the engine as integers, in ten-thousandths.
    """
    rows = engine.fetch(chain_sql.goal_values_sql(log.events, journeys.table, raw, log.columns.row, value))
    return ints(rows["unit"]), _floats(rows["value"]) / chain_sql.VALUE_SCALE, ints(rows["n"])
