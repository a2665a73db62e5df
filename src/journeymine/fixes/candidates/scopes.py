"""Visits that a fix is about, cut out of the counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.keyed import summed
from journeymine.fixes.candidates.candidate import ScopedDrops
from journeymine.paths.row_tests import GroupedDrops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts, DropCounts
    from journeymine.counts.switches import SwitchCounts

    Ints = NDArray[np.int64]


def scoped(here: DropCounts | SwitchCounts, stratum: Ints, keep: NDArray[np.bool_]) -> ScopedDrops:
    """The visits that are kept, in strata; one entry for each unit, cell and stratum, whenever they were."""
    keys, (n_all, n, drops) = summed(
        [here.unit[keep], here.cell[keep], stratum[keep]], [here.n_all[keep], here.n[keep], here.drops[keep]]
    )
    return ScopedDrops(keys[0], keys[1], keys[2], n_all, n, drops)


def joined_over_time(here: DropCounts, group: Ints) -> DropCounts:
    """The same visits in fewer slices of time: `group[s]` for slice s."""
    keys, (n_all, n, drops) = summed(
        [here.unit, here.cell, here.state, group[here.slice]], [here.n_all, here.n, here.drops]
    )
    unit, cell, state, slices = keys
    return replace(
        here,
        unit=unit,
        cell=cell,
        state=state,
        slice=slices,
        n_all=n_all.astype(np.int64),
        n=n.astype(np.int64),
        drops=drops.astype(np.int64),
        n_slices=int(group.max(initial=0)) + 1,
    )


def all_of(here: DropCounts | SwitchCounts) -> ScopedDrops:
    """All visits, in one stratum."""
    return scoped(here, np.zeros(len(here.n), np.int64), np.ones(len(here.n), bool))


def grouped(here: DropCounts | SwitchCounts, stratum: Ints, group: Ints) -> GroupedDrops:
    """The same visits in strata and groups, for tests."""
    n, drops = here.n.astype(float), here.drops.astype(float)
    return GroupedDrops(here.unit, stratum, group, n, drops, here.n_units)


def only(here: DropCounts, keep: NDArray[np.bool_]) -> DropCounts:
    """The entries for which `keep` is true."""
    return replace(
        here,
        unit=here.unit[keep],
        cell=here.cell[keep],
        state=here.state[keep],
        slice=here.slice[keep],
        n_all=here.n_all[keep],
        n=here.n[keep],
        drops=here.drops[keep],
    )


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
