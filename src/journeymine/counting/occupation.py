"""Counts of occupation curves: the grid, and the moves of journeys between its points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import codes, ints
from journeymine.counts.chain import fold_rare
from journeymine.counts.occupation import START, OccupationCounts
from journeymine.errors import NotEnoughDataError
from journeymine.sql import occupation as occupation_sql
from journeymine.sql.occupation import Grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys

    Ints = NDArray[np.int64]

N_STEPS = 120
ENDED_SHARE = 0.95
FOLLOWED_SHARE = 0.1
"""The default horizon is at most the time for which this share of the journeys was followed."""
MAX_STATES = 100
SPAN = 3_000_000
"""Round times are not less than the horizon divided by this."""
SECOND_US = 1_000_000
_ROUND = (1, 2, 3, 5, 10, 15, 20, 30, 45)
LADDER_US = tuple(
    number * unit * SECOND_US
    for unit, numbers in (
        (1, _ROUND),
        (60, _ROUND),
        (3600, (1, 2, 3, 6, 12)),
        (86_400, (1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365, 540, 730, 1095, 1825, 3650)),
    )
    for number in numbers
)
"""Horizons that are chosen by themselves: a second to ten years."""


def chosen_horizon(engine: DuckDBEngine, log: Canonical, journeys: Journeys) -> int:
    """Microseconds since the start up to which the curves are drawn.

    The time by which 95 % of the journeys that ended had done so, at most as long as one journey in ten was followed.
    """
    end_us, idle_us = clock_of(log, journeys)
    started = occupation_sql.started_sql(log.events, journeys.table, has_starts=bool(journeys.start))
    ended = engine.fetch(
        occupation_sql.ended_after_sql(
            log.events, started, engine.dialect, end_us=end_us, idle_us=idle_us, share=ENDED_SHARE
        )
    )
    followed = engine.fetch(
        occupation_sql.followed_for_sql(started, engine.dialect, end_us=end_us, share=1 - FOLLOWED_SHARE)
    )
    most = int(codes(followed["us"], 0)[0])
    usual = int(codes(ended["us"], most)[0])
    fitting = [value for value in LADDER_US if value <= most]
    if not fitting:
        raise NotEnoughDataError(
            "journeys were followed for less than a second, so there is no time in which they could move.",
            hint="read a longer period.",
        )
    return next((value for value in fitting if value >= usual), fitting[-1])


def clock_of(log: Canonical, journeys: Journeys) -> tuple[int, int]:
    """End of observation and `idle`, in microseconds."""
    if log.last_us is None or journeys.idle.us is None:
        raise NotEnoughDataError(
            "the log has no times, so it does not say where journeys are after a while.",
            hint='pass timestamp="...".',
        )
    return log.last_us, journeys.idle.us


def grid_of(horizon_us: int, times_us: Sequence[int] = ()) -> Grid:
    """Grid of 120 steps up to the horizon, with round times and with those that are asked for.

    Round times make the grid finer at its beginning: much may happen in minutes that takes weeks to be over.
    """
    step = max(-(-horizon_us // N_STEPS), 1)
    extra = sorted({time for time in (*round_times(horizon_us), *times_us) if time % step})
    return Grid(step, -(-horizon_us // step), tuple(extra))


def round_times(horizon_us: int) -> tuple[int, ...]:
    """Round times below a horizon, and the horizon.

    Examples
    --------
    >>> [time // 3_600_000_000 for time in round_times(86_400_000_000)][-6:]
    [1, 2, 3, 6, 12, 24]
    """
    return (*(v for v in LADDER_US if horizon_us <= v * SPAN and v < horizon_us), horizon_us)


def points_of(grid: Grid) -> Ints:
    """Microseconds of the points."""
    return np.sort(np.concatenate([np.arange(grid.n_steps + 1) * grid.step_us, grid.extra_us])).astype(
        np.int64
    )


def count_occupation(
    engine: DuckDBEngine,
    log: Canonical,
    journeys: Journeys,
    times_us: Sequence[int] | None = None,
    *,
    groups: Sequence[tuple[str, Sequence[int]]] = (),
) -> OccupationCounts:
    """Moves of journeys between the points of a grid.

    Parameters
    ----------
    times_us
        Times that are asked for, which become points of the grid; None: all points of the default grid.
    groups
        Names and activities (codes) of states that stand for several activities: stages. Activities in none of
        them are states of their own.
    """
    end_us, idle_us = clock_of(log, journeys)
    wanted = sorted(set(times_us)) if times_us is not None else None
    horizon = max(wanted) if wanted else 0
    grid = grid_of(horizon or chosen_horizon(engine, log, journeys), wanted or ())
    n_codes = len(log.activities)
    started = occupation_sql.started_sql(log.events, journeys.table, has_starts=bool(journeys.start))
    places = engine.create_table(
        "places",
        occupation_sql.places_sql(
            log.events, started, grid, engine.dialect, end_us=end_us, idle_us=idle_us,
            goal=journeys.goal, end=journeys.end, n_codes=n_codes,
        ),
    )  # fmt: skip
    try:
        moves = engine.fetch(occupation_sql.moves_sql(places))
        left = engine.fetch(occupation_sql.left_sql(places, grid.last))
    finally:
        engine.execute(f"DROP TABLE {places}")
    source, target = codes(moves["source"], START), ints(moves["target"])
    n = ints(moves["n"])
    left_state = ints(left["state"])
    names, table, n_folded = _states(log.activities, groups, source, target, n)
    source, target = np.where(source == START, START, table[source]), table[target]
    changed = source != target
    points = points_of(grid)
    return OccupationCounts(
        states=names,
        times_us=points,
        unit=ints(moves["unit"])[changed],
        place=ints(moves["place"])[changed],
        source=source[changed],
        target=target[changed],
        n=n[changed],
        left_unit=ints(left["unit"]),
        left_place=ints(left["place"]),
        left_state=table[left_state],
        left_n=ints(left["n"]),
        wanted=np.arange(len(points)) if wanted is None else np.searchsorted(points, wanted),
        n_units=log.n_units,
        step_us=grid.step_us,
        has_goal=bool(journeys.goal),
        n_folded=n_folded,
        buckets=log.buckets,
    )


def _states(
    activities: tuple[str, ...],
    groups: Sequence[tuple[str, Sequence[int]]],
    source: Ints,
    target: Ints,
    n: Ints,
) -> tuple[tuple[str, ...], Ints, int]:
    """Names of the states, the state of each code (with the goal and lost), and how many activities are folded."""
    k = len(activities)
    state = np.full(k, -1, dtype=np.int64)
    names: list[str] = []
    for name, members in groups:
        state[list(members)] = len(names)
        names.append(name)
    used = np.bincount(np.concatenate([source[source >= 0], target]), minlength=k + 2)[:k] > 0
    alone = np.flatnonzero((state < 0) & used)
    arrivals = np.bincount(target, weights=n, minlength=k + 2).astype(np.int64)[alone]
    kept, n_folded = fold_rare(arrivals, max(MAX_STATES - len(names), 1))
    state[alone] = len(names) + len(kept)
    state[alone[kept]] = len(names) + np.arange(len(kept))
    names += [activities[code] for code in alone[kept].tolist()]
    if n_folded:
        names.append(f"(other, {n_folded} activities)")
    # States that nobody is ever in at a point are left out.
    occupied = np.unique(state[used])
    place = np.full(len(names) + 1, -1, dtype=np.int64)
    place[occupied] = np.arange(len(occupied))
    table = np.append(place[state], [len(occupied), len(occupied) + 1])
    return tuple(names[i] for i in occupied.tolist()), table, n_folded
