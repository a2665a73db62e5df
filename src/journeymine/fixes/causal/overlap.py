"""Positivity: segments that never reach a state say nothing about fixing it there.

A cell of the segments, or a value of one of them, is without a state when its visits fall clearly below what the
others lead one to expect: the upper 99 % limit of its visits per journey (Poisson, widened by how visits of one
customer go together) is below a tenth of the visits per journey of everybody else. Cells and values of fewer than 50
customers are not judged. It takes about 46 expected visits to say so of a cell that has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts, DropCounts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

MIN_CUSTOMERS = 50
FEWER = 0.1
"""Part of the visits of the others below which a cell is without the state."""
CONFIDENCE = 0.99


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """Which segments a state can be studied in.

    Attributes
    ----------
    share
        Share of journeys that start in cells which reach the state.
    cells_without
        Cells that do not, as "mobile, DE"; those of a value that does not are among them.
    values_without
        Values that do not, as (column, value); columns are numbered.
    without
        The same for each cell, shape (n_cells,).
    """

    share: float
    cells_without: tuple[str, ...]
    values_without: tuple[tuple[int, str], ...]
    without: Flags

    def in_cells(self, chosen: Flags) -> Flags:
        """Cells without the state among some."""
        return np.asarray(self.without & chosen)


def overlap_of(counts: ChainCounts, drops: DropCounts, state: int) -> Overlap:
    """Cells and values that do not reach a state.

    Parameters
    ----------
    counts
        Starts and customers of the cells.
    drops
        Visits, watched or not.
    state
        Number of the state.

    Examples
    --------
    Nobody of the 200 customers on the web is ever asked for a code, half of the 200 in the app are:

    >>> from journeymine.counts.chain import GOAL, ChainCounts, DropCounts
    >>> ids, one, none = np.arange(400), np.ones(400, int), np.zeros(400, int)
    >>> counts = ChainCounts(("code",), np.array([0]), ids, ids // 200, none, none + GOAL, one, none * 1.0,
    ...     ids, ids // 200, none, one, (("web",), ("app",)), np.array([200, 200]), 400)
    >>> app = ids[300:]
    >>> drops = DropCounts(app, app // 200, *[np.zeros(100, int)] * 2, *[np.ones(100, int)] * 3, 400, None, None, 1)
    >>> found = overlap_of(counts, drops, 0)
    >>> found.share, found.cells_without
    (0.5, ('web',))
    """
    n_cells = len(counts.cells)
    here = drops.state == state
    visits = np.bincount(drops.cell[here], drops.n_all[here], n_cells).astype(float)
    starts = np.bincount(counts.start_cell, counts.start_n, n_cells).astype(float)
    together = 1.0 if counts.buckets else _visits_together(drops.unit[here], drops.n_all[here])
    without = _without(visits, starts, counts.cell_customers, together)
    values = []
    for column in range(len(counts.cells[0]) if n_cells else 0):
        names, place = np.unique([cell[column] for cell in counts.cells], return_inverse=True)
        v, s, customers = (
            np.bincount(place, x, len(names)).astype(float) for x in (visits, starts, counts.cell_customers)
        )
        for i in np.flatnonzero(_without(v, s, customers, together)):
            values.append((column, str(names[i])))
            without = without | (place == i)
    total = starts.sum()
    return Overlap(
        float(starts[~without].sum() / total) if total else 1.0,
        tuple(", ".join(counts.cells[c]) for c in np.flatnonzero(without)),
        tuple(values),
        without,
    )


def _visits_together(unit: Ints, n: Ints) -> float:
    """Visits of the customer that a visit belongs to: how much fewer independent visits there are."""
    by_unit = np.bincount(unit, n) if len(unit) else np.zeros(1)
    return float((by_unit**2).sum() / max(by_unit.sum(), 1.0)) if by_unit.any() else 1.0


def _without(visits: Floats, starts: Floats, customers: Floats | Ints, together: float) -> Flags:
    """Which groups of journeys clearly have next to no visits, against all others."""
    others = (visits.sum() - visits) / np.maximum(starts.sum() - starts, 1.0)
    # A chi-square quantile is the exact upper limit of a Poisson mean (Garwood 1936).
    most = together * stats.chi2.ppf(CONFIDENCE, 2 * (visits / together + 1)) / 2
    return np.asarray((customers >= MIN_CUSTOMERS) & (most < FEWER * others * starts))
