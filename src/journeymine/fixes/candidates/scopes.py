"""Visits that a fix is about, cut out of the counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.fixes.candidates.candidate import ScopedDrops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts, DropCounts
    from journeymine.counts.switches import SwitchCounts

    Ints = NDArray[np.int64]


def scoped(here: DropCounts | SwitchCounts, stratum: Ints, keep: NDArray[np.bool_]) -> ScopedDrops:
    """The visits that are kept, in strata."""
    return ScopedDrops(
        here.unit[keep],
        here.cell[keep],
        stratum[keep],
        here.n_all[keep].astype(float),
        here.n[keep].astype(float),
        here.drops[keep].astype(float),
    )


def all_of(here: DropCounts | SwitchCounts) -> ScopedDrops:
    """All visits, in one stratum."""
    return scoped(here, np.zeros(len(here.n), np.int64), np.ones(len(here.n), bool))


def plain(unit: Ints, cell: Ints, stratum: Ints, n: Ints, drops: Ints) -> ScopedDrops:
    """Visits of which all that are known were watched."""
    visits = n.astype(float)
    return ScopedDrops(unit, cell, stratum, visits, visits, drops.astype(float))


def kept(scope: ScopedDrops, keep: NDArray[np.bool_]) -> ScopedDrops:
    """The entries for which `keep` is true."""
    return ScopedDrops(
        scope.unit[keep],
        scope.cell[keep],
        scope.stratum[keep],
        scope.n_all[keep],
        scope.n[keep],
        scope.drops[keep],
    )


def cells_of(counts: ChainCounts, column: int, value: str) -> Ints:
    """Cells that have a value in a segment column."""
    return np.flatnonzero([cell[column] == value for cell in counts.cells])
