"""Classes of customers inside the cells of the segments, so that a fix is not credited with the determined ones.

Those rescued early are less determined than those who went on by themselves, so a what-if on one chain promises too
much for early fixes (the marginal customer). A mixture of chains learns from the moves that customers made who is
of which kind; what-ifs are then made inside every class and averaged (Heckman and Singer 1984 for the idea of few
support points).

A cell of many journeys is fitted on its own. The smaller cells are fitted together: each keeps its own rows, what
marks a class is common to them, and so no difference between cells is taken for a class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.fixes.class_parts import ClassParts
from journeymine.fixes.what_if.cells import merged_cells
from journeymine.markov.classes.class_number import ChosenNumber, choose_by_gain
from journeymine.markov.classes.mixture_members import MemberTable, member_table

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.counts.sequences import SequenceCounts

    Ints = NDArray[np.int64]

OWN_CELL = 10_000
"""Journeys from which a cell has classes of its own."""
FEWEST = 1_000
"""Journeys of the smaller cells together below which nothing is tried."""
FALSE_CLASS = 0.05
"""Chance of correcting a log whose customers are of one kind; the groups of cells share it."""
FEW_JOURNEYS = 5_000
"""Below this many journeys classes that matter may go unseen."""
MOST_CLASSES = 3


@dataclass(frozen=True, slots=True, eq=False)
class ClassGroup:
    """Cells that were fitted together.

    Attributes
    ----------
    cells
        Numbers of the cells after merging.
    table
        Members.
    chosen
        Chosen mixture, and what was tried.
    """

    cells: Ints
    table: MemberTable
    chosen: ChosenNumber


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """Classes of customers in each cell; `find_classes` makes one.

    Attributes
    ----------
    groups
        Cells that were fitted, together or alone.
    n_classes
        Classes found in each cell of the segments, shape (n_cells,); 1 means that nothing is corrected there.
    tried
        Whether a cell was fitted at all; shape (n_cells,).
    cell_of
        Merged cell of each cell.
    cells
        Values of the segment columns of each cell.
    journeys
        Journeys of each cell that were watched, shape (n_cells,).
    """

    groups: tuple[ClassGroup, ...]
    n_classes: Ints
    tried: NDArray[np.bool_]
    cell_of: Ints
    cells: tuple[tuple[str, ...], ...]
    journeys: Ints

    @property
    def n_journeys(self) -> int:
        """Journeys that were watched."""
        return int(self.journeys.sum())

    @property
    def corrected(self) -> bool:
        """Whether any cell has more than one class; without, the ranking is the plain one."""
        return bool((self.n_classes > 1).any())

    @property
    def few(self) -> bool:
        """Whether there are too few journeys to see classes that matter."""
        return self.n_journeys < FEW_JOURNEYS

    @property
    def converged(self) -> bool:
        """Whether every fit that is used settled."""
        return all(group.chosen.fit.converged for group in self.groups)

    @property
    def bic(self) -> float:
        """Criterion of Schwarz of all fits that are used, to compare state spaces of the same journeys."""
        return sum(group.chosen.tried[group.chosen.n_classes - 1].bic for group in self.groups)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is weak: "few_journeys", "not_converged"."""
        few = ("few_journeys",) if self.few else ()
        return few if self.converged else (*few, "not_converged")

    def to_frame(self) -> pd.DataFrame:
        """One row a cell: cell, n (journeys), n_classes, fitted ("alone", "together" or "not tried"), p_value.

        The p value is that of the last class that was accepted or refused by simulated worlds; none where AIC or BIC
        decided. Cells fitted together have it in common.
        """
        import pandas as pd

        alone = {int(group.cells[0]) for group in self.groups if len(group.cells) == 1}
        p_value = {
            int(cell): next(
                (row.p_value for row in reversed(group.chosen.tried) if row.p_value is not None), None
            )
            for group in self.groups
            for cell in group.cells
        }
        return pd.DataFrame(
            {
                "cell": [" · ".join(cell) for cell in self.cells],
                "n": self.journeys,
                "n_classes": self.n_classes,
                "fitted": [
                    ("alone" if cell in alone else "together") if tried else "not tried"
                    for cell, tried in zip(self.cell_of.tolist(), self.tried.tolist(), strict=True)
                ],
                "p_value": [p_value.get(cell) for cell in self.cell_of.tolist()],
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers: corrected, warnings, cells."""
        rows = [
            {"cell": list(cell), "n": int(n), "n_classes": int(k), "tried": bool(tried)}
            for cell, n, k, tried in zip(self.cells, self.journeys, self.n_classes, self.tried, strict=True)
        ]
        return {"corrected": self.corrected, "warnings": list(self.warnings), "cells": rows}

    def __repr__(self) -> str:
        if not self.corrected:
            return "Classes: one class of customers is enough (no correction)"
        more = int((self.n_classes > 1).sum())
        return f"Classes: up to {int(self.n_classes.max())} classes of customers in {more} of {len(self.cells)} cells"

    def parts(self, counts: ChainCounts) -> ClassParts:
        """The classes as cells of their own, for what-ifs on the chain that they were found in."""
        return ClassParts(self, counts)


def find_classes(
    sequences: SequenceCounts, counts: ChainCounts, *, most: int = MOST_CLASSES, seed: int = 0
) -> Classes:
    """Find how many classes of customers each cell has.

    Parameters
    ----------
    sequences
        Journeys.
    counts
        Their chain: the cells and their customers.
    most
        Largest number of classes.
    seed
        Seed of the fits.
    """
    cell_of, customers = merged_cells(counts.cell_customers)
    journeys = np.bincount(cell_of[sequences.cell], weights=sequences.n, minlength=len(customers))
    alone = np.flatnonzero(journeys >= OWN_CELL)
    together = np.flatnonzero((journeys < OWN_CELL) & (journeys > 0))
    sets = [np.array([cell]) for cell in alone]
    if journeys[together].sum() >= FEWEST:
        sets.append(together)
    level = FALSE_CLASS / max(len(sets), 1)
    groups = tuple(_fitted(sequences, cell_of, cells, len(customers), most, seed, level) for cells in sets)
    n_classes, tried = np.ones(len(customers), np.int64), np.zeros(len(customers), bool)
    for group in groups:
        n_classes[group.cells], tried[group.cells] = group.chosen.n_classes, True
    own = np.bincount(sequences.cell, weights=sequences.n, minlength=len(cell_of)).astype(np.int64)
    return Classes(groups, n_classes[cell_of], tried[cell_of], cell_of, counts.cells, own)


def _fitted(
    sequences: SequenceCounts, cell_of: Ints, cells: Ints, n_cells: int, most: int, seed: int, level: float
) -> ClassGroup:
    place = np.full(n_cells, -1, dtype=np.int64)
    place[cells] = np.arange(len(cells))
    table = member_table(sequences, cell_of=place[cell_of])
    return ClassGroup(cells, table, choose_by_gain(table, most, seed=seed, level=level))
