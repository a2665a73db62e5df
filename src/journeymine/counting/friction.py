"""Counts of friction: one table of visits with their signals in the engine, then a group-by a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import codes as codes_of
from journeymine.counting.arrays import ints
from journeymine.counts.friction import (
    FrictionCounts,
    Outcomes,
    PairCounts,
    ScoreCounts,
    ScoredCounts,
    WaitCounts,
)
from journeymine.sql import friction as friction_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys
    from journeymine.sql.friction import FrictionLimits

    Ints = NDArray[np.int64]

MAX_ACTIVITIES = 100
"""Activities that are judged: the most visited ones; the others share one code."""
MAX_STRATA = 24
"""Cells of the segments that are kept apart; the smaller ones share one stratum."""
MAX_ROWS = 2_000_000
MAX_EVENTS = 2_000_000
"""Events whose signals are worked out at a time."""
MIN_HELD = 10
"""Visits with a signal that a comparison needs: five expected to be lost, five to stay."""
FORCED_SHARE = 0.99
PAIR_ACTIVITIES = 20
GAP_SHARE = 0.75
N_FOLDS = 5
FEATURE_SIZES = (friction_sql.DEPTHS, friction_sql.ATTEMPTS, 2, 2, friction_sql.WAITS, 2, 3, 2)
RESOLUTIONS_US = (86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000, 1_000)
ON_THE_UNIT = 0.99


def clock_resolution_us(engine: DuckDBEngine, log: Canonical) -> int | None:
    """The coarsest unit (day, hour, minute, second, millisecond) of which 99 % of the times are multiples.

    1 if the times are finer still; None in a log without times.
    """
    if log.last_us is None:
        return None
    row = engine.fetch(friction_sql.resolution_sql(log.events, RESOLUTIONS_US))
    n = int(row["n"][0])
    fits = (u for i, u in enumerate(RESOLUTIONS_US) if int(row[f"u{i}"][0]) >= ON_THE_UNIT * n)
    return next(fits, 1)


def goal_delay_us(engine: DuckDBEngine, log: Canonical, journeys: Journeys, share: float) -> int | None:
    """Time from the start to the goal that a share of the conversions does not exceed; None without any."""
    row = engine.fetch(friction_sql.goal_delay_sql(log.events, journeys.table, share, engine.dialect))
    found = codes_of(row["us"], -1)
    return int(found[0]) if len(found) and found[0] >= 0 else None


def waits_before(engine: DuckDBEngine, log: Canonical) -> dict[int, float]:
    """Median wait before each activity in microseconds, by code."""
    rows = engine.fetch(friction_sql.waits_before_sql(log.events, engine.dialect))
    return dict(zip(ints(rows["code"]).tolist(), np.asarray(rows["wait_us"], float).tolist(), strict=True))


def channels_of(engine: DuckDBEngine, raw: str, channel: str) -> tuple[str, tuple[str, ...]]:
    """Table of the channels (channel, name), and their names."""
    table = engine.create_table("channels", friction_sql.channels_sql(raw, channel))
    names = engine.fetch_table(f"SELECT name FROM {table} ORDER BY channel").column("name").to_pylist()
    return table, tuple(str(name) for name in names)


def make_signals(
    engine: DuckDBEngine,
    log: Canonical,
    journeys: Journeys,
    limits: FrictionLimits,
    *,
    errors: Sequence[bool],
    contacts: Sequence[bool],
    long_us: Sequence[float | None],
    channel: tuple[str, str, str, Sequence[bool]] | None,
) -> str:
    """The visits table of `sql/friction.py`; drop it when done.

    Parameters
    ----------
    errors, contacts, long_us
        By activity: whether it is an error, whether it is a contact, from when on a wait before it is long.
    channel
        Raw table, channel as text, table of channels, and which of these are contacts.
    """
    import pyarrow as pa

    k = len(log.activities)
    ends = set(journeys.end)
    marks, strata = engine.new_name("marks"), engine.new_name("strata")
    engine.register(
        marks,
        pa.table(
            {
                "code": pa.array(range(k), pa.int32()),
                "is_error": pa.array([int(e) for e in errors], pa.int16()),
                "is_contact": pa.array([int(c) for c in contacts], pa.int16()),
                "is_end": pa.array([int(code in ends) for code in range(k)], pa.int16()),
                "long_us": pa.array(list(long_us), pa.float64()),
            }
        ),
    )
    of_cell = _strata(engine, journeys)
    engine.register(
        strata,
        pa.table(
            {"cell": pa.array(range(len(of_cell)), pa.int32()), "stratum": pa.array(of_cell, pa.int32())}
        ),
    )
    where = None
    if channel is not None:
        raw, text, table, is_contact = channel
        marked = engine.new_name("channel_marks")
        flags = pa.table(
            {
                "channel": pa.array(range(len(is_contact)), pa.int32()),
                "is_contact": pa.array([int(c) for c in is_contact], pa.int16()),
            }
        )
        engine.register(marked, flags)
        known = friction_sql.marked_channels_sql(table, marked)
        where = (raw, log.columns.row, text, known)
    n_parts = min(1 + log.n_events // MAX_EVENTS, log.n_units)
    name = ""
    for part in range(n_parts):
        events = friction_sql.events_of_journeys_sql(
            log.events, journeys.table, marks, strata, limits, where, (part, n_parts)
        )
        signals = friction_sql.signals_sql(events, limits, engine.dialect)
        if part == 0:
            name = engine.create_table("friction", signals)
        else:
            engine.execute(f"INSERT INTO {name} {signals}")
    return name


def _strata(engine: DuckDBEngine, journeys: Journeys) -> list[int]:
    """Stratum of each cell: the largest cells have their own."""
    rows = engine.fetch(f"SELECT cell, COUNT(*) AS n FROM {journeys.table} GROUP BY cell ORDER BY cell")
    n = np.zeros(max(len(journeys.cells), 1), np.int64)
    n[ints(rows["cell"])] = ints(rows["n"])
    order = np.lexsort((np.arange(len(n)), -n))
    stratum = np.full(len(n), MAX_STRATA - 1, np.int64)
    kept = order if len(n) <= MAX_STRATA else order[: MAX_STRATA - 1]
    stratum[kept] = np.arange(len(kept))
    return [int(s) for s in stratum]


def count_friction(
    engine: DuckDBEngine,
    log: Canonical,
    journeys: Journeys,
    visits: str,
    limits: FrictionLimits,
    signals: Sequence[str],
    compared: Sequence[str],
    *,
    pairs: Sequence[tuple[int, int]],
    n_auto: int,
    auto_share: float,
) -> FrictionCounts:
    """All counts but those of the score.

    Parameters
    ----------
    signals, compared
        Signals that can be judged, and those of them whose visits are compared with visits without them.
    pairs, n_auto, auto_share
        Pairs the user named; how many more to look for; the share of conversions in which y has to follow x.
    """
    met = engine.create_table("friction_met", friction_sql.met_sql(visits, signals))
    rows = engine.fetch(friction_sql.journeys_met_sql(met, signals))
    rates = engine.fetch(friction_sql.rates_sql(visits, signals))
    by_code = ints(rates["code"])
    k = len(log.activities)
    n_visits = np.bincount(by_code, weights=ints(rates["n"]), minlength=k).astype(np.int64)
    kept = _most_visited(n_visits)
    place = np.full(k, -1, np.int64)
    place[kept] = np.arange(len(kept))
    journeys_of, n_journeys = np.zeros((k, len(signals)), np.int64), np.zeros(k, np.int64)
    n_journeys[ints(rows["code"])] = ints(rows["n"])
    for s, name in enumerate(signals):
        journeys_of[ints(rows["code"]), s] = ints(rows[f"f_{name}"])
    own = place[by_code] >= 0
    judged = np.stack([ints(rates[f"e_{s}"])[own] for s in signals], axis=1)
    held = np.stack([ints(rates[f"f_{s}"])[own] for s in signals], axis=1)
    by_signal = {}
    for s, name in enumerate(signals):
        if name in compared and limits.has_goal:
            some = np.flatnonzero(
                np.bincount(place[by_code[own]], weights=held[:, s], minlength=len(kept)) >= MIN_HELD
            )
            by_signal[name] = _outcomes_of(engine, log, visits, name, kept[some], n_visits)
    forced = _forced(engine, met, journeys, kept) if limits.has_goal else journeys.goal
    found = FrictionCounts(
        activities=log.activities,
        signals=tuple(signals),
        code=kept,
        n_visits=n_visits[kept],
        n_journeys=n_journeys[kept],
        journeys=journeys_of[kept],
        unit=ints(rates["unit"])[own],
        place=place[by_code[own]],
        judged=judged,
        held=held,
        steps=_steps(engine, visits, kept),
        by_signal=by_signal,
        other=_others(engine, visits, signals),
        waits=count_waits(engine, visits, limits, kept),
        pairs=_count_pairs(
            engine, log, journeys, visits, met, limits, kept, pairs, n_auto, auto_share, forced
        ),
        forced=forced,
        n_units=log.n_units,
        buckets=log.buckets,
    )
    engine.execute(f"DROP TABLE {met}")
    return found


def _most_visited(n_visits: Ints) -> Ints:
    order = np.lexsort((np.arange(len(n_visits)), -n_visits))[:MAX_ACTIVITIES]
    return np.sort(order[n_visits[order] > 0]).astype(np.int64)


def _rows(rows: dict[str, NDArray[np.generic]], flag: str | None) -> Outcomes:
    n = len(rows["unit"])
    stratum = ints(rows["stratum"]) * friction_sql.DEPTHS + ints(rows["depth"])
    flags = ints(rows[flag]) if flag else np.zeros(n, np.int64)
    return Outcomes(
        ints(rows["unit"]), stratum, ints(rows["code"]), flags,
        ints(rows["n"]), ints(rows["won"]), ints(rows["watched"]), ints(rows["lost"]),
    )  # fmt: skip


def _steps(engine: DuckDBEngine, visits: str, codes: Ints) -> Outcomes:
    return _rows(engine.fetch(friction_sql.steps_sql(visits, codes.tolist())), None)


def _outcomes_of(
    engine: DuckDBEngine, log: Canonical, visits: str, signal: str, codes: Ints, n_visits: Ints
) -> Outcomes:
    """Outcomes with and without a signal, a few activities at a time so that memory stays bounded."""
    most = np.minimum(n_visits[codes], log.n_units * MAX_STRATA * friction_sql.DEPTHS * 2)
    batch = np.cumsum(most) // MAX_ROWS
    parts = [
        _rows(engine.fetch(friction_sql.signal_sql(visits, signal, codes[batch == b].tolist())), "flag")
        for b in np.unique(batch)
    ] or [_rows(engine.fetch(friction_sql.signal_sql(visits, signal, [])), "flag")]
    fields = ("unit", "stratum", "code", "flag", "n", "won", "watched", "lost")
    return Outcomes(*(np.concatenate([getattr(part, field) for part in parts]) for field in fields))


def _others(engine: DuckDBEngine, visits: str, signals: Sequence[str]) -> dict[tuple[str, int], int]:
    """The commonest companion of a signal at an activity."""
    found: dict[tuple[str, int], int] = {}
    for signal, query in (
        ("back_and_forth", friction_sql.between_sql),
        ("after_error", friction_sql.before_error_sql),
    ):
        if signal in signals:
            rows = engine.fetch(query(visits))
            for code, other in zip(ints(rows["code"]).tolist(), ints(rows["other"]).tolist(), strict=True):
                found.setdefault((signal, code), other)
    return found


def _forced(engine: DuckDBEngine, met: str, journeys: Journeys, codes: Ints) -> tuple[int, ...]:
    """Activities that nearly every converted journey passes before the goal, and those of the goal."""
    rows = engine.fetch(
        f"SELECT m.code, COUNT(*) AS n FROM {met} AS m JOIN {journeys.table} AS j ON j.case_key = m.case_key "
        f"WHERE j.state = 0 AND m.last_before IS NOT NULL GROUP BY m.code ORDER BY m.code"
    )
    total = int(engine.fetch(f"SELECT COUNT(*) AS n FROM {journeys.table} WHERE state = 0")["n"][0])
    passed = [
        int(code)
        for code, n in zip(ints(rows["code"]), ints(rows["n"]), strict=True)
        if total and n >= FORCED_SHARE * total
    ]
    return tuple(sorted({*journeys.goal, *passed}))


def count_waits(engine: DuckDBEngine, visits: str, limits: FrictionLimits, codes: Ints) -> WaitCounts | None:
    """Time until journeys go on from each step; None without times or without any move."""
    if limits.idle_us is None or limits.end_us is None:
        return None
    usual = engine.fetch(friction_sql.usual_wait_sql(visits, limits.idle_us, engine.dialect))["wait_us"]
    usual_us = float(np.ma.filled(np.ma.asarray(usual, dtype=float), np.nan)[0])
    if not np.isfinite(usual_us):
        return None
    rows = engine.fetch(friction_sql.waits_sql(visits, limits.idle_us, codes.tolist(), engine.dialect))
    per = friction_sql.WAIT_BINS_PER_OCTAVE
    n_bins = int(np.floor(per * np.log2(limits.idle_us + 1))) + 1
    edges = (2.0 ** (np.arange(1, n_bins + 1) / per) - 1) / 1e6
    edges[-1] = limits.idle_us / 1e6
    return WaitCounts(
        ints(rows["unit"]), ints(rows["code"]), np.minimum(codes_of(rows["bin"], n_bins), n_bins),
        ints(rows["moved"]), ints(rows["censored"]), edges, usual_us / 1e6,
    )  # fmt: skip


def _count_pairs(
    engine: DuckDBEngine,
    log: Canonical,
    journeys: Journeys,
    visits: str,
    met: str,
    limits: FrictionLimits,
    codes: Ints,
    named: Sequence[tuple[int, int]],
    n_auto: int,
    auto_share: float,
    forced: tuple[int, ...],
) -> PairCounts | None:
    import pyarrow as pa

    share = _followed(engine, met, journeys, named, codes) if limits.has_goal else {}
    pairs = [(x, y, True) for x, y in named]
    pairs += [(x, y, False) for x, y in _candidates(share, named, forced, n_auto, auto_share)]
    if not pairs:
        return None
    table, latest = engine.new_name("pairs"), None
    if limits.horizon_us is not None and limits.end_us is not None:
        latest = limits.end_us - limits.horizon_us
    columns = {"pair": list(range(len(pairs))), "x": [p[0] for p in pairs], "y": [p[1] for p in pairs]}
    engine.register(table, pa.table({name: pa.array(c, pa.int32()) for name, c in columns.items()}))
    cases = engine.create_table(
        "pair_cases", friction_sql.pairs_sql(visits, met, journeys.table, table, latest)
    )
    units = engine.fetch(friction_sql.pair_units_sql(cases))
    gaps = engine.create_table("pair_gaps", friction_sql.pair_gaps_sql(cases, GAP_SHARE, engine.dialect))
    gap_rows = engine.fetch(f"SELECT pair, gap FROM {gaps} ORDER BY pair")
    gap = np.zeros(len(pairs), np.int64)
    gap[ints(gap_rows["pair"])] = ints(gap_rows["gap"])
    rows = engine.fetch(friction_sql.pair_landmarks_sql(visits, cases, gaps))
    engine.execute(f"DROP TABLE {cases}")
    engine.execute(f"DROP TABLE {gaps}")
    n, won = ints(rows["n"]), ints(rows["won"])
    nothing = np.zeros(len(n), np.int64)
    stratum = ints(rows["stratum"]) * len(log.activities) + ints(rows["code"])
    landmarks = Outcomes(
        ints(rows["unit"]), stratum, ints(rows["pair"]), ints(rows["flag"]), n, won, nothing, nothing
    )
    shares = np.array([share.get((x, y), np.nan) for x, y, _ in pairs])
    return PairCounts(
        tuple(pairs), shares, ints(units["unit"]), ints(units["pair"]), ints(units["n"]),
        ints(units["n_never"]), gap, landmarks,
    )  # fmt: skip


def _followed(
    engine: DuckDBEngine, met: str, journeys: Journeys, named: Sequence[tuple[int, int]], codes: Ints
) -> dict[tuple[int, int], float]:
    """Share of the converted journeys with x in which y follows before the goal."""
    reached = engine.fetch(
        f"SELECT code, COUNT(*) AS n FROM {met} GROUP BY code ORDER BY n DESC, code LIMIT {PAIR_ACTIVITIES}"
    )
    some = sorted({*ints(reached["code"]).tolist(), *(code for pair in named for code in pair)})
    converted = engine.create_table("converted", friction_sql.converted_sql(met, journeys.table, some))
    rows = engine.fetch(friction_sql.followed_sql(converted))
    engine.execute(f"DROP TABLE {converted}")
    x, y, n = ints(rows["x"]), ints(rows["y"]), ints(rows["n"])
    base = dict(zip(x[x == y].tolist(), n[x == y].tolist(), strict=True))
    return {
        (a, b): c / base[a]
        for a, b, c in zip(x.tolist(), y.tolist(), n.tolist(), strict=True)
        if a != b and base.get(a)
    }


def _candidates(
    share: dict[tuple[int, int], float],
    named: Sequence[tuple[int, int]],
    forced: tuple[int, ...],
    n_auto: int,
    auto_share: float,
) -> list[tuple[int, int]]:
    """For each x the y that follows it most often without being bound to, the closest bonds first."""
    best: dict[int, tuple[float, int]] = {}
    for (x, y), value in share.items():
        open_ = auto_share < value < FORCED_SHARE and y not in forced and (x, y) not in named
        if open_ and (value, -y) > best.get(x, (0.0, 0)):
            best[x] = (value, -y)
    ranked = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))
    return [(x, -y) for x, (_, y) in ranked[:n_auto]]


def make_folds(engine: DuckDBEngine, log: Canonical) -> str:
    """Table (unit, fold)."""
    return engine.create_table("folds", friction_sql.folds_sql(log.customers, N_FOLDS))


def count_score(engine: DuckDBEngine, visits: str, folds: str, codes: Ints) -> ScoreCounts:
    """Watched visits that look alike to the score, and their drops."""
    rows = engine.fetch(friction_sql.score_groups_sql(visits, folds, codes.tolist()))
    key = ints(rows["key"])
    return ScoreCounts(
        ints(rows["fold"]), ints(rows["code"]), key, unpacked(key), ints(rows["n"]), ints(rows["lost"])
    )


def unpacked(key: Ints) -> Ints:
    """The features that a key stands for, shape (m, 8).

    Examples
    --------
    >>> unpacked(np.array([0, 1, 6])).tolist()
    [[0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 1, 0, 0]]
    """
    parts = []
    for size in reversed(FEATURE_SIZES):
        parts.append(key % size)
        key = key // size
    return np.stack(parts[::-1], axis=1)


def count_scored(
    engine: DuckDBEngine,
    log: Canonical,
    visits: str,
    folds: str,
    codes: Ints,
    counts: ScoreCounts,
    bin_: Ints,
    full: NDArray[np.float64],
    base: NDArray[np.float64],
) -> tuple[ScoredCounts, ScoredCounts]:
    """Predictions and drops by unit and bin, and by unit and activity (-1: the rare ones).

    Predictions are summed as whole millionths.
    """
    import pyarrow as pa

    name = engine.new_name("predictions")
    ppm = [np.rint(1e6 * p).astype(np.int64) for p in (full, base)]
    table = {"fold": counts.fold, "code": counts.code, "key": counts.key, "bin": bin_}
    table |= {"full_ppm": ppm[0], "base_ppm": ppm[1]}
    engine.register(name, pa.table({key: pa.array(values) for key, values in table.items()}))
    rows = engine.fetch(friction_sql.scored_sql(visits, folds, name, codes.tolist()))
    n, lost = ints(rows["n"]), ints(rows["lost"])
    sums = [ints(rows[column]) / 1e6 for column in ("full_ppm", "base_ppm")]
    by_bin, by_code = (
        _summed(ints(rows["unit"]), ints(rows[by]), (n, lost, *sums), log) for by in ("bin", "code")
    )
    return by_bin, by_code


def _summed(unit: Ints, group: Ints, values: tuple[NDArray[np.generic], ...], log: Canonical) -> ScoredCounts:
    """Values summed over the rows of each unit and group."""
    low = int(group.min(initial=0))
    size = int(group.max(initial=0)) - low + 1
    key, place = np.unique(unit * size + (group - low), return_inverse=True)
    n, lost, full, base = (
        np.bincount(place, weights=v, minlength=len(key)).astype(np.float64) for v in values
    )
    return ScoredCounts(
        key // size, key % size + low, n.astype(np.int64), lost.astype(np.int64), full, base, log.n_units, log.buckets
    )  # fmt: skip
