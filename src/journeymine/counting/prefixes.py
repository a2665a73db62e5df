"""Counts of the prefix tree: first steps in the engine, only the frequent nodes out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import codes, ints
from journeymine.counting.spans import outcomes_of, spans_of
from journeymine.counts.prefixes import PrefixCounts
from journeymine.sql import prefixes as prefixes_sql

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys

    Ints = NDArray[np.int64]

UNKNOWN = 3
"""Column of `ended` for journeys whose state is not defined."""


def count_prefixes(
    engine: DuckDBEngine, log: Canonical, journeys: Journeys | None, *, depth: int, top: int
) -> PrefixCounts:
    """The `top` most frequent nodes of the tree of first steps, and its root."""
    with spans_of(engine, log, journeys) as spans:
        table = engine.create_table("prefixes", prefixes_sql.prefixes_sql(log.events, spans, depth))
    paths = ((), *_top_nodes(engine, table, depth, top))
    place = {path: node for node, path in enumerate(paths)}
    ended = np.zeros((len(paths), 4), np.int64)
    n_children = np.zeros(len(paths), np.int64)
    parts: dict[str, list[Ints]] = {name: [] for name in ("node", "unit", "n", "n_known", "n_converted")}
    for level in sorted({len(path) for path in paths}):
        nodes = [(node, path) for path, node in place.items() if len(path) == level]
        rows = engine.fetch(prefixes_sql.node_units_sql(table, nodes, level, depth))
        state = codes(rows["ended"], -2)
        ends = state > -2
        where = ints(rows["node"])[ends], np.where(state[ends] < 0, UNKNOWN, state[ends])
        np.add.at(ended, where, ints(rows["n"])[ends])
        for name, found in parts.items():
            found.append(ints(rows[name]))
        if level < depth:
            children = engine.fetch(prefixes_sql.children_sql(table, nodes, level))
            n_children[ints(children["node"])] = ints(children["n_children"])
    engine.execute(f"DROP TABLE {table}")
    joined = {name: np.concatenate(found) for name, found in parts.items()}
    return PrefixCounts(
        activities=log.activities,
        paths=paths,
        parent=np.array([place[path[:-1]] if path else -1 for path in paths]),
        outcomes=outcomes_of(joined, joined["node"], len(paths), log),
        ended=ended,
        n_children=n_children,
        depth=depth,
    )


def _top_nodes(engine: DuckDBEngine, table: str, depth: int, top: int) -> list[tuple[int, ...]]:
    """Paths of the most frequent nodes: a node is never more frequent than the one before it, so none is cut off."""
    found: list[tuple[int, tuple[int, ...]]] = []
    for level in range(1, depth + 1):
        rows = engine.fetch_table(prefixes_sql.top_prefixes_sql(table, level, top)).to_pydict()
        n = rows.pop("n")
        found += zip(n, zip(*rows.values(), strict=True), strict=True)
    return [path for _, path in sorted(found, key=lambda row: (-row[0], len(row[1]), row[1]))[:top]]
