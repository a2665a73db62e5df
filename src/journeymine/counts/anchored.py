"""Counts of anchored paths: what journeys do step by step after (or before) an anchor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

CONVERTED, DROPPED, OPEN, OUTSIDE, BEGAN = -1, -2, -3, -4, -5
"""Why a path has no event at a step; the same codes stand in `sql/anchored.py`."""

REASONS = {
    CONVERTED: "converted",
    DROPPED: "dropped",
    OPEN: "open",
    OUTSIDE: "outside window",
    BEGAN: "began",
}


@dataclass(frozen=True, slots=True, eq=False)
class AnchoredCounts:
    """Cells and edges of anchored paths; each journey has one cell at each step.

    Attributes
    ----------
    activities
        Names by code.
    anchor
        Activities of the anchor.
    after
        Direction.
    steps, within_us
        Number of steps after the anchor, and the window.
    step, cell, n
        Journeys of each cell, sorted; step 0 is the anchor. Shape (m,).
    unit, unit_cell, unit_n
        The same by unit: `unit_cell` is a place in `cell`.
    edge_step, source, target, edge_n
        Journeys of each edge, from a cell of the step before to a cell of the step. Shape (e,).
    edge_unit, unit_edge, unit_edge_n
        The same by unit: `unit_edge` is a place in `edge_n`.
    unit_anchored, unit_journeys
        Journeys with the anchor, and all journeys, by unit, shape (n_units,).
    """

    activities: tuple[str, ...]
    anchor: tuple[str, ...]
    after: bool
    steps: int
    within_us: int | None
    step: Ints
    cell: Ints
    n: Ints
    unit: Ints
    unit_cell: Ints
    unit_n: Ints
    edge_step: Ints
    source: Ints
    target: Ints
    edge_n: Ints
    edge_unit: Ints
    unit_edge: Ints
    unit_edge_n: Ints
    unit_anchored: Ints
    unit_journeys: Ints
    n_units: int
    buckets: bool = False

    @property
    def n_anchored(self) -> int:
        """Journeys with the anchor."""
        return int(self.unit_anchored.sum())

    def label(self, cell: int) -> str:
        """Activity of a cell, or in brackets why there is none."""
        return self.activities[cell] if cell >= 0 else f"({REASONS[cell]})"

    def source_cells(self) -> Ints:
        """Place in `cell` of the source of each edge."""
        place = {pair: i for i, pair in enumerate(zip(self.step.tolist(), self.cell.tolist(), strict=True))}
        pairs = zip(self.edge_step.tolist(), self.source.tolist(), strict=True)
        return np.array([place[(step - 1, source)] for step, source in pairs], dtype=np.int64)
