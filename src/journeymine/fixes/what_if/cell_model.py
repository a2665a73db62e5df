"""The chain of every cell of the segments, and of every class of customers in it, for any reweighting of the units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.chain import GOAL
from journeymine.fixes.what_if.cells import group_of_cells, merged_cells
from journeymine.uncertainty import unit_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.fixes.class_parts import ClassParts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MIN_CELL_CUSTOMERS = 200
"""A cell of fewer customers leans on the pooled row, by its share of this number."""
WORK_LIMIT = 1e11
MIN_DRAWS = 200
CHUNK_NUMBERS = 2e7


class CellModel:
    """The chains that what-ifs are made on.

    Parameters
    ----------
    counts
        The chain, with or without attempts.
    pools
        Activity (state of the chain without attempts) -> group of each cell: there small cells lean on the row of
        their group, not of everybody.
    parts
        Classes of customers as cells of their own; None without classes.
    standardise
        False: one chain for everybody, segments are not looked at.

    Attributes
    ----------
    part_cell
        Cell of each part; parts are the cells themselves without classes.
    """

    def __init__(
        self,
        counts: ChainCounts,
        pools: Mapping[int, Ints],
        parts: ClassParts | None = None,
        *,
        standardise: bool = True,
    ) -> None:
        self.k, self.n_units = counts.n_states, counts.n_units
        cell_of, customers = merged_cells(counts.cell_customers)
        if not standardise:
            cell_of, customers = np.zeros_like(cell_of), np.array([float(customers.sum())])
        self.cell_of, self.n_cells = cell_of, len(customers)
        base = np.arange(self.k) if counts.base is None else counts.base
        grouped = {state: group_of_cells(group, cell_of) for state, group in pools.items()}
        self.pools = {
            state: grouped[of] for state, of in enumerate(base.tolist()) if standardise and of in grouped
        }
        self.parts = parts
        self.part_cell = np.arange(self.n_cells) if parts is None else parts.cell
        self.n_parts = len(self.part_cell)
        self.lean = np.minimum(1.0, customers / MIN_CELL_CUSTOMERS)[self.part_cell]
        width = self.k + 2
        edge_of = counts.source * width + counts.column(counts.target)
        self.edges = np.unique(edge_of)
        column = cell_of[counts.cell] * len(self.edges) + np.searchsorted(self.edges, edge_of)
        self.moves = unit_matrix(
            counts.unit, column, counts.n, (self.n_units, self.n_cells * len(self.edges))
        )
        first = np.where(counts.start_state == GOAL, self.k, counts.start_state)
        column = cell_of[counts.start_cell] * (self.k + 1) + first
        self.starts = unit_matrix(
            counts.start_unit, column, counts.start_n, (self.n_units, self.n_cells * (self.k + 1))
        )
        self.fallback = normalised(self._dense(np.ones((1, self.n_units))).sum(axis=1))[0]
        self.chunk = max(1, min(100, int(CHUNK_NUMBERS / (self.n_parts * self.k * width + 1))))

    def affordable_draws(self, wanted: int) -> int:
        """Draws that can be afforded: fewer for very large chains, never fewer than 200."""
        most = int(WORK_LIMIT / (self.n_parts * max(self.k, 1) ** 3))
        draws = min(wanted, max(MIN_DRAWS, most))
        return draws if self.parts is None else self.parts.affordable_draws(draws)

    def chains(self, weights: Floats) -> tuple[Floats, Floats, Floats]:
        """Chain of every part, small cells leaning on what they belong to, where its journeys start, and its share.

        Returns
        -------
        moves
            Shape (draws, parts, k, k + 2).
        start
            Shares of the part's starts in the states and at the goal, shape (draws, parts, k + 1).
        share
            Share of all starts that the part has, shape (draws, parts).
        """
        moves, starts = self._rows(weights)
        begun = starts.sum(axis=-1)
        share = begun / np.maximum(begun.sum(axis=1, keepdims=True), 1.0)
        start = np.divide(starts, begun[..., None], out=np.zeros_like(starts), where=begun[..., None] > 0)
        return moves, start, share

    def _dense(self, weights: Floats) -> Floats:
        """Moves by cell, shape (draws, cells, k, k + 2)."""
        flat = (weights @ self.moves).reshape(len(weights), self.n_cells, len(self.edges))
        dense = np.zeros((len(weights), self.n_cells, self.k * (self.k + 2)))
        dense[:, :, self.edges] = flat
        return dense.reshape(len(weights), self.n_cells, self.k, self.k + 2)

    def _rows(self, weights: Floats) -> tuple[Floats, Floats]:
        moves = self._dense(weights)
        starts = (weights @ self.starts).reshape(len(weights), self.n_cells, self.k + 1)
        pooled_moves = moves.sum(axis=1)
        pooled = normalised(pooled_moves)
        pooled = np.where(pooled_moves.sum(axis=-1, keepdims=True) > 0, pooled, self.fallback)
        target = np.repeat(pooled[:, None], self.n_cells, axis=1)
        for state, group in self.pools.items():
            target[:, :, state] = _pooled_by_group(moves[:, :, state], group, pooled[:, state])
        if self.parts is not None:
            moves, starts = self.parts.split(weights, moves, starts)
            target = self._by_class(moves, target[:, self.part_cell])
        own = normalised(moves)
        lean = np.where(moves.sum(axis=-1, keepdims=True) > 0, self.lean[None, :, None, None], 0.0)
        return lean * own + (1 - lean) * target, starts

    def _by_class(self, moves: Floats, target: Floats) -> Floats:
        """Rows that small cells lean on: of their own class, over the cells (of their own group) fitted together."""
        assert self.parts is not None
        label = self.parts.label
        summed = _summed(moves, label)
        # Parts of a cell with one class lean on what its cell leans on.
        keep = (label == 0)[None, :, None, None] | (summed.sum(axis=-1, keepdims=True) == 0)
        rows = np.where(keep, target, normalised(summed))
        for state, group in self.pools.items():
            own = group[self.part_cell]
            key = np.where(own >= 0, label * (own.max() + 1) + own, -1 - label)
            summed = _summed(moves[:, :, [state]], key)
            known = (label > 0) & (own >= 0) & (summed.sum(axis=-1) > 0)[:, :, 0]
            rows[:, :, state] = np.where(known[..., None], normalised(summed)[:, :, 0], rows[:, :, state])
        return rows


def normalised(moves: Floats) -> Floats:
    """Rows that sum to 1; rows of zeros stay."""
    total = moves.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(moves, total, out=np.zeros_like(moves), where=total > 0))


def _summed(moves: Floats, key: Ints) -> Floats:
    """Moves of all parts with the key of each part."""
    same = (key[:, None] == key[None, :]).astype(float)
    return np.asarray(np.einsum("bp...,pq->bq...", moves, same))


def _pooled_by_group(moves: Floats, group: Ints, pooled: Floats) -> Floats:
    """Row of one state pooled over the cells of each group, by cell; of all cells where a cell mixes groups."""
    member = (group[:, None] == np.arange(group.max(initial=0) + 1)).astype(float)
    summed = np.einsum("bxc,xg->bgc", moves, member)
    rows = np.where(summed.sum(axis=-1, keepdims=True) > 0, normalised(summed), pooled[:, None])
    return np.where(group[None, :, None] >= 0, rows[:, np.maximum(group, 0)], pooled[:, None])
