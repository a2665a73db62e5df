"""Cells of the segments, with values that few customers have joined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts

    Ints = NDArray[np.int64]

OTHER: Final = "(other)"
MAX_VALUES: Final = 20
MIN_CUSTOMERS_OF_VALUE: Final = 50


@dataclass(frozen=True, slots=True, eq=False)
class CellValues:
    """Values of the segment columns, numbered, with rare ones joined.

    Attributes
    ----------
    value
        Number of the value of each cell and column, shape (n_cells, n_columns).
    names
        Names of the values by column.
    """

    value: Ints
    names: tuple[tuple[str, ...], ...]

    def stratum(self, without: int | None = None) -> Ints:
        """Number of the combination of all columns but one, by cell."""
        columns = [c for c in range(self.value.shape[1]) if c != without]
        if not columns:
            return np.zeros(len(self.value), np.int64)
        return np.unique(self.value[:, columns], axis=0, return_inverse=True)[1].ravel()


def cell_values(counts: ChainCounts) -> CellValues:
    """Number the values of each segment column; values of few customers, or beyond twenty, become "(other)"."""
    n_columns = len(counts.cells[0]) if counts.cells else 0
    value = np.zeros((len(counts.cells), n_columns), np.int64)
    names: list[tuple[str, ...]] = []
    for column in range(n_columns):
        of_cell = [cell[column] for cell in counts.cells]
        customers: dict[str, int] = {}
        for name, n in zip(of_cell, counts.cell_customers.tolist(), strict=True):
            customers[name] = customers.get(name, 0) + n
        ranked = sorted(customers, key=lambda name: (-customers[name], name))
        kept = sorted(name for name in ranked[:MAX_VALUES] if customers[name] >= MIN_CUSTOMERS_OF_VALUE)
        folded = kept if len(kept) == len(ranked) else [*kept, OTHER]
        place = {name: i for i, name in enumerate(folded)}
        value[:, column] = [place.get(name, len(kept)) for name in of_cell]
        names.append(tuple(folded))
    return CellValues(value, tuple(names))
