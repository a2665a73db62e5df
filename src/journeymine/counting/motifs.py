"""Counts of short patterns: found in the engine, only the commonest leave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import ints
from journeymine.counting.spans import count_outcomes, outcomes_of, spans_of
from journeymine.counts.motifs import KINDS, MotifCounts
from journeymine.sql import motifs as motifs_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.counts.outcomes import OutcomeCounts
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys

    Ints = NDArray[np.int64]
    Columns = dict[str, NDArray[np.generic]]

REPEAT, LOOP, SEQUENCE = motifs_sql.REPEAT, motifs_sql.LOOP, motifs_sql.SEQUENCE


@dataclass(frozen=True, slots=True)
class _Found:
    """A listed pattern."""

    kind: int
    n_cases: int
    n: int
    path: tuple[int, ...]


def count_motifs(
    engine: DuckDBEngine, log: Canonical, journeys: Journeys | None, *, length: int, top: int
) -> MotifCounts:
    """The commonest repeats, loops and sequences of `length`, `top` of each, before the goal."""
    found: list[_Found] = []
    totals: dict[int, tuple[int, int]] = {}
    units: list[tuple[Columns, tuple[_Found, ...]]] = []
    with spans_of(engine, log, journeys) as spans:
        for steps, shape, kinds in _passes(length):
            grams = engine.create_table("grams", motifs_sql.grams_sql(log.events, spans, steps, shape))
            listed = _listed(engine, grams, steps, kinds, top, totals)
            if listed:
                chosen = [(i, one.path) for i, one in enumerate(listed)]
                rows = engine.fetch(motifs_sql.gram_units_sql(grams, spans, chosen, steps))
                units.append((rows, listed))
            engine.execute(f"DROP TABLE {grams}")
            found += listed
        everyone = count_outcomes(engine, log, spans)
        found.sort(key=lambda one: (one.kind, -one.n_cases, -one.n, one.path))
        reach = _reach(engine, log, spans, found)
    return MotifCounts(
        activities=log.activities,
        kind=np.array([one.kind for one in found], dtype=np.int64),
        paths=tuple(one.path for one in found),
        n=np.array([one.n for one in found], dtype=np.int64),
        outcomes=_outcomes(units, found, log),
        reach=reach,
        everyone=everyone,
        n_patterns={name: totals.get(kind, (0, 0))[0] for kind, name in enumerate(KINDS)},
        n_occurrences={name: totals.get(kind, (0, 0))[1] for kind, name in enumerate(KINDS)},
    )


def _passes(length: int) -> list[tuple[int, str, tuple[int, ...]]]:
    """Runs to look for: (steps, condition, kinds). Sequences of two or three hold the repeats or loops as well."""
    passes = {2: ("a1 = a2", (REPEAT,)), 3: ("a1 = a3 AND a1 <> a2", (LOOP,))}
    passes[length] = ("TRUE", (*passes.get(length, ("", ()))[1], SEQUENCE))
    return [(steps, *passes[steps]) for steps in sorted(passes)]


def _listed(
    engine: DuckDBEngine,
    grams: str,
    steps: int,
    kinds: tuple[int, ...],
    top: int,
    totals: dict[int, tuple[int, int]],
) -> tuple[_Found, ...]:
    """The commonest patterns of one pass; how many there are goes into `totals`."""
    table = engine.create_table("motifs", motifs_sql.gram_totals_sql(grams, steps))
    rows = engine.fetch(motifs_sql.kinds_sql(table))
    for kind, n_patterns, n in zip(*(ints(rows[c]).tolist() for c in rows), strict=True):
        totals[kind] = (n_patterns, n)
    listed: list[_Found] = []
    for kind in kinds:
        best = engine.fetch_table(motifs_sql.top_grams_sql(table, steps, kind, top)).to_pydict()
        n, n_cases = best.pop("n"), best.pop("n_cases")
        paths = zip(*best.values(), strict=True)
        listed += [_Found(kind, c, k, path) for k, c, path in zip(n, n_cases, paths, strict=True)]
    engine.execute(f"DROP TABLE {table}")
    return tuple(listed)


def _outcomes(
    units: Sequence[tuple[Columns, tuple[_Found, ...]]], found: Sequence[_Found], log: Canonical
) -> OutcomeCounts:
    """Journeys with each pattern, the passes put together."""
    place = {one.path: i for i, one in enumerate(found)}
    empty = [np.zeros(0, np.int64)]
    column = [
        np.array([place[one.path] for one in listed], dtype=np.int64)[ints(rows["pattern"])]
        for rows, listed in units
    ]
    joined = {
        name: np.concatenate([*empty, *(ints(rows[name]) for rows, _ in units)])
        for name in ("unit", "n", "n_known", "n_converted")
    }
    return outcomes_of(joined, np.concatenate([*empty, *column]), len(found), log)


def _reach(engine: DuckDBEngine, log: Canonical, spans: str, found: Sequence[_Found]) -> OutcomeCounts:
    """Journeys that reach the first activity of each pattern: the rows of an activity, once for each pattern."""
    firsts = sorted({one.path[0] for one in found})
    rows = engine.fetch(motifs_sql.reach_units_sql(log.events, spans, firsts or [-1]))
    code = ints(rows["code"])
    places = [np.flatnonzero(code == one.path[0]) for one in found]
    taken = np.concatenate([np.zeros(0, np.int64), *places])
    column = np.repeat(np.arange(len(found)), [len(p) for p in places])
    return outcomes_of({name: rows[name][taken] for name in rows}, column, len(found), log)
