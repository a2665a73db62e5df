"""Counts of anchored paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.arrays import ints
from journeymine.counts.anchored import AnchoredCounts
from journeymine.sql import anchored as anchored_sql
from journeymine.sql.funnel import journeys_by_unit_sql

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.canonical import Canonical
    from journeymine.engine.duckdb import DuckDBEngine
    from journeymine.journeys import Journeys

    Ints = NDArray[np.int64]


def count_anchored(
    engine: DuckDBEngine,
    log: Canonical,
    journeys: Journeys,
    table: str,
    *,
    anchor: tuple[str, ...],
    steps: int,
    within_us: int | None,
    after: bool,
) -> AnchoredCounts:
    """Counts of a path table (columns in `sql/anchored.py`)."""
    cells = engine.fetch(anchored_sql.cell_counts_sql(table, steps))
    edges = engine.fetch(anchored_sql.edge_counts_sql(table, steps))
    (step, cell), unit_cell, n = _grouped((ints(cells["step"]), ints(cells["cell"])), ints(cells["n"]))
    (edge_step, source, target), unit_edge, edge_n = _grouped(
        tuple(ints(edges[key]) for key in ("step", "source", "target")), ints(edges["n"])
    )
    unit, first = ints(cells["unit"]), ints(cells["step"]) == 0
    anchored = np.zeros(log.n_units, np.int64)
    np.add.at(anchored, unit[first], ints(cells["n"])[first])
    every = engine.fetch(journeys_by_unit_sql(journeys.table))
    started = np.zeros(log.n_units, np.int64)
    started[ints(every["unit"])] = ints(every["n"])
    return AnchoredCounts(
        activities=log.activities,
        anchor=anchor,
        after=after,
        steps=steps,
        within_us=within_us,
        step=step,
        cell=cell,
        n=n,
        unit=unit,
        unit_cell=unit_cell,
        unit_n=ints(cells["n"]),
        edge_step=edge_step,
        source=source,
        target=target,
        edge_n=edge_n,
        edge_unit=ints(edges["unit"]),
        unit_edge=unit_edge,
        unit_edge_n=ints(edges["n"]),
        unit_anchored=anchored,
        unit_journeys=started,
        n_units=log.n_units,
        buckets=log.buckets,
    )


def _grouped(keys: tuple[Ints, ...], n: Ints) -> tuple[tuple[Ints, ...], Ints, Ints]:
    """Distinct keys, sorted; the place of each row among them; sums of `n`."""
    stacked = np.stack(keys, axis=1)
    distinct, place = np.unique(stacked, axis=0, return_inverse=True)
    place = place.reshape(-1)
    total = np.zeros(len(distinct), np.int64)
    np.add.at(total, place, n)
    return tuple(distinct.T.copy()), place.astype(np.int64), total
