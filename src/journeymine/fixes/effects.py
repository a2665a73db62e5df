"""What each fix would change: exact what-ifs on the chain, standardised over segments, in every bootstrap draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.chain import GOAL
from journeymine.fixes.candidates import ASSUMED_SHARE
from journeymine.markov.absorbing import absorb, drop_saved
from journeymine.uncertainty import N_DRAWS, bootstrap_weights, unit_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.fixes.candidates import Candidate
    from journeymine.fixes.class_parts import ClassParts
    from journeymine.fixes.classes import Classes

    Floats = NDArray[np.float64]

MIN_CELL_CUSTOMERS = 200
"""A cell of fewer customers leans on the pooled row, by its share of this number."""
MAX_CELLS = 60
REFERENCE_PRIOR = 20.0
"""Visits' worth of the pooled reference rate that each stratum's reference starts from."""
WORK_LIMIT = 1e11
MIN_DRAWS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """Effects on conversion, and what they rest on; first axis of the draws: replicates.

    Attributes
    ----------
    effect, drop, reference
        Change of conversion, drop-out share in the scope, and the share it is brought down to; shape (n_fixes,).
    effect_draws, drop_draws
        Replicates, shape (n_draws, n_fixes).
    reference_n
        Visits behind each reference; for assumptions the visits of the activity.
    """

    effect: Floats
    drop: Floats
    reference: Floats
    reference_n: NDArray[np.int64]
    effect_draws: Floats
    drop_draws: Floats


class _Scope:
    """Visits and drops of one candidate as sparse matrices units x cells or strata: a draw is one product."""

    def __init__(self, candidate: Candidate, n_units: int, cell_of: NDArray[np.int64], n_cells: int) -> None:
        scope, every, reference = candidate.scope, candidate.everywhere, candidate.reference
        self.assumed = reference is None
        cells = (n_units, n_cells)
        self.in_scope = unit_matrix(scope.unit, cell_of[scope.cell], scope.n_all, cells)
        self.everywhere = unit_matrix(every.unit, cell_of[every.cell], every.n_all, cells)
        compared = scope if reference is None else reference
        strata = (n_units, int(max(scope.stratum.max(initial=0), compared.stratum.max(initial=0))) + 1)
        self.n = unit_matrix(scope.unit, scope.stratum, scope.n, strata)
        self.drops = unit_matrix(scope.unit, scope.stratum, scope.drops, strata)
        self.all_n = unit_matrix(every.unit, cell_of[every.cell], every.n, cells)
        self.all_drops = unit_matrix(every.unit, cell_of[every.cell], every.drops, cells)
        self.scope_n = unit_matrix(scope.unit, cell_of[scope.cell], scope.n, cells)
        self.scope_drops = unit_matrix(scope.unit, cell_of[scope.cell], scope.drops, cells)
        self.reference_n = unit_matrix(compared.unit, compared.stratum, compared.n, strata)
        self.reference_drops = unit_matrix(compared.unit, compared.stratum, compared.drops, strata)

    def shares(self, weights: Floats) -> tuple[Floats, Floats]:
        """Drop-out share in scope, and the share it is brought down to, in each draw."""
        visits = weights @ self.n
        total = visits.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (weights @ self.drops).sum(axis=1) / total
            if self.assumed:
                return share, share * (1 - ASSUMED_SHARE)
            n, lost = weights @ self.reference_n, weights @ self.reference_drops
            pooled = lost.sum(axis=1) / n.sum(axis=1)
            by_stratum = (lost + REFERENCE_PRIOR * pooled[:, None]) / (n + REFERENCE_PRIOR)
            return share, (visits * by_stratum).sum(axis=1) / total

    def part_of_drops(self, weights: Floats) -> Floats:
        """Share of a cell's drop-outs that the scope accounts for, shape (draws, cells).

        Share of all visits, times how much likelier a visit in scope is to end than any visit of the cell.
        """
        visits = _ratio(weights @ self.in_scope, weights @ self.everywhere)
        scope = _ratio(weights @ self.scope_drops, weights @ self.scope_n)
        every = _ratio(weights @ self.all_drops, weights @ self.all_n)
        return visits * _ratio(scope, every)


def _ratio(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.divide(a, b, out=np.zeros_like(a), where=b > 0))


def estimate_effects(
    counts: ChainCounts,
    candidates: Sequence[Candidate],
    *,
    pools: Mapping[int, NDArray[np.int64]] | None = None,
    classes: Classes | None = None,
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> Effects:
    """Effects of all candidates on the same draws, so that they can be compared draw by draw.

    Parameters
    ----------
    pools
        State -> group of each cell: at these states small cells lean on the row of their group, not of everybody.
    classes
        Classes of customers: what-ifs are made inside each and averaged. Where none has more than one, the effects
        are those without.
    """
    parts = classes.parts(counts.n_states) if classes is not None and classes.corrected else None
    model = _CellModel(counts, pools or {}, parts)
    scopes = [model.scope(candidate) for candidate in candidates]
    states = np.array([c.state for c in candidates], dtype=np.int64)
    point = model.effects(np.ones((1, counts.n_units)), scopes, states)
    draws = model.affordable_draws(n_draws)
    chunks = [
        model.effects(weights, scopes, states)
        for weights in bootstrap_weights(counts.n_units, draws, seed, chunk=model.chunk)
    ]
    effect_draws = np.concatenate([chunk[0] for chunk in chunks])
    drop_draws = np.concatenate([chunk[1] for chunk in chunks])
    reference_n = [int((c.reference or c.scope).n.sum()) for c in candidates]
    return Effects(
        point[0][0], point[1][0], point[2][0], np.array(reference_n, dtype=np.int64), effect_draws, drop_draws
    )


def affordable_draws(n_states: int, n_cells: int, wanted: int) -> int:
    """Fewer draws for very large chains, where each draw inverts large matrices; never fewer than 200."""
    most = int(WORK_LIMIT / (n_cells * max(n_states, 1) ** 3))
    return min(wanted, max(MIN_DRAWS, most))


class _CellModel:
    """The chain of every cell of the segments, and of every class in it, for any reweighting of the units."""

    def __init__(
        self, counts: ChainCounts, pools: Mapping[int, NDArray[np.int64]], parts: ClassParts | None = None
    ) -> None:
        self.k, self.n_units = counts.n_states, counts.n_units
        self.cell_of, customers = merged_cells(counts.cell_customers)
        self.n_cells = len(customers)
        self.pools = {state: group_of_cells(group, self.cell_of) for state, group in pools.items()}
        self.parts = parts
        self.part_cell = np.arange(self.n_cells) if parts is None else parts.cell
        self.n_parts = len(self.part_cell)
        self.lean = np.minimum(1.0, customers / MIN_CELL_CUSTOMERS)[self.part_cell]
        width = self.k + 2
        edge_of = counts.source * width + counts.column(counts.target)
        self.edges = np.unique(edge_of)
        column = self.cell_of[counts.cell] * len(self.edges) + np.searchsorted(self.edges, edge_of)
        self.moves = unit_matrix(
            counts.unit, column, counts.n, (self.n_units, self.n_cells * len(self.edges))
        )
        first = np.where(counts.start_state == GOAL, self.k, counts.start_state)
        column = self.cell_of[counts.start_cell] * (self.k + 1) + first
        self.starts = unit_matrix(
            counts.start_unit, column, counts.start_n, (self.n_units, self.n_cells * (self.k + 1))
        )
        self.fallback = self._normalised(self._dense(np.ones((1, self.n_units))).sum(axis=1))[0]
        self.chunk = max(1, min(100, int(2e7 / (self.n_parts * self.k * width + 1))))

    def scope(self, candidate: Candidate) -> _Scope:
        """A candidate's visits and drops by part."""
        if self.parts is None:
            return _Scope(candidate, self.n_units, self.cell_of, self.n_cells)
        return _Scope(self.parts.spread(candidate), self.n_units, np.arange(self.n_parts), self.n_parts)

    def affordable_draws(self, wanted: int) -> int:
        """Draws that can be afforded."""
        draws = affordable_draws(self.k, self.n_parts, wanted)
        return draws if self.parts is None else self.parts.affordable_draws(draws)

    def _dense(self, weights: Floats) -> Floats:
        """Moves by cell, shape (draws, cells, k, k + 2)."""
        flat = (weights @ self.moves).reshape(len(weights), self.n_cells, len(self.edges))
        dense = np.zeros((len(weights), self.n_cells, self.k * (self.k + 2)))
        dense[:, :, self.edges] = flat
        return dense.reshape(len(weights), self.n_cells, self.k, self.k + 2)

    @staticmethod
    def _normalised(moves: Floats) -> Floats:
        total = moves.sum(axis=-1, keepdims=True)
        return np.asarray(np.divide(moves, total, out=np.zeros_like(moves), where=total > 0))

    def effects(
        self, weights: Floats, scopes: Sequence[_Scope], states: NDArray[np.int64]
    ) -> tuple[Floats, Floats, Floats]:
        """Effect, drop-out share and reference of every fix in every draw, shape (draws, n_fixes)."""
        chain, starts = self._chains(weights)
        begun = starts.sum(axis=-1)
        share = begun / np.maximum(begun.sum(axis=1, keepdims=True), 1.0)
        start = np.divide(starts, begun[..., None], out=np.zeros_like(starts), where=begun[..., None] > 0)
        solved = absorb(chain[..., : self.k], chain[..., self.k], start[..., : self.k])
        results = np.zeros((3, len(weights), len(scopes)))
        for f, (scope, state) in enumerate(zip(scopes, states.tolist(), strict=True)):
            drop, reference = scope.shares(weights)
            with np.errstate(divide="ignore", invalid="ignore"):
                cut = np.where(drop > 0, 1 - reference / drop, 0.0)
            gain = drop_saved(
                solved.visits[..., state],
                solved.hit[..., state],
                solved.fundamental[..., state, state],
                chain[..., state, self.k + 1],
                # Where little of the scope was watched, the cell's own drop-out may be the smaller one.
                np.minimum(scope.part_of_drops(weights) * cut[:, None], 1.0),
            )
            results[:, :, f] = (share * gain).sum(axis=1), drop, reference
        return results[0], results[1], results[2]

    def _chains(self, weights: Floats) -> tuple[Floats, Floats]:
        """Chain of every part, small cells leaning on what they belong to, and its starts."""
        moves = self._dense(weights)
        starts = (weights @ self.starts).reshape(len(weights), self.n_cells, self.k + 1)
        pooled_moves = moves.sum(axis=1)
        pooled = self._normalised(pooled_moves)
        pooled = np.where(pooled_moves.sum(axis=-1, keepdims=True) > 0, pooled, self.fallback)
        target = np.repeat(pooled[:, None], self.n_cells, axis=1)
        for state, group in self.pools.items():
            target[:, :, state] = self._pooled_by_group(moves[:, :, state], group, pooled[:, state])
        if self.parts is not None:
            moves, starts = self.parts.split(weights, moves, starts)
            target = self._by_class(moves, target[:, self.part_cell])
        own = self._normalised(moves)
        lean = np.where(moves.sum(axis=-1, keepdims=True) > 0, self.lean[None, :, None, None], 0.0)
        return lean * own + (1 - lean) * target, starts

    def _by_class(self, moves: Floats, target: Floats) -> Floats:
        """Rows that small cells lean on: of their own class, over the cells (of their own group) fitted together."""
        assert self.parts is not None
        label = self.parts.label
        summed = self._summed(moves, label)
        # Parts of a cell with one class lean on what its cell leans on.
        keep = (label == 0)[None, :, None, None] | (summed.sum(axis=-1, keepdims=True) == 0)
        rows = np.where(keep, target, self._normalised(summed))
        for state, group in self.pools.items():
            own = group[self.part_cell]
            summed = self._summed(
                moves[:, :, [state]], np.where(own >= 0, label * (own.max() + 1) + own, -1 - label)
            )
            known = (label > 0) & (own >= 0) & (summed.sum(axis=-1) > 0)[:, :, 0]
            rows[:, :, state] = np.where(
                known[..., None], self._normalised(summed)[:, :, 0], rows[:, :, state]
            )
        return rows

    @staticmethod
    def _summed(moves: Floats, key: NDArray[np.int64]) -> Floats:
        """Moves of all parts with the key of each part."""
        same = (key[:, None] == key[None, :]).astype(float)
        return np.asarray(np.einsum("bp...,pq->bq...", moves, same))

    def _pooled_by_group(self, moves: Floats, group: NDArray[np.int64], pooled: Floats) -> Floats:
        """Row of one state pooled over the cells of each group, by cell; of all cells where a cell mixes groups."""
        member = (group[:, None] == np.arange(group.max(initial=0) + 1)).astype(float)
        summed = np.einsum("bxc,xg->bgc", moves, member)
        rows = np.where(summed.sum(axis=-1, keepdims=True) > 0, self._normalised(summed), pooled[:, None])
        return np.where(group[None, :, None] >= 0, rows[:, np.maximum(group, 0)], pooled[:, None])


def group_of_cells(group: NDArray[np.int64], cell_of: NDArray[np.int64]) -> NDArray[np.int64]:
    """Group of each merged cell; -1 where it mixes groups.

    Examples
    --------
    >>> group_of_cells(np.array([0, 1, 1, 0]), np.array([0, 1, 1, 1])).tolist()
    [0, -1]
    """
    n_cells = int(cell_of.max(initial=-1)) + 1
    merged = np.full(n_cells, -1, dtype=np.int64)
    merged[cell_of] = group
    mixed = merged[cell_of] != group
    merged[cell_of[mixed]] = -1
    return merged


def merged_cells(customers: NDArray[np.int64]) -> tuple[NDArray[np.int64], Floats]:
    """Cells that get a chain of their own: all, or the 59 with most customers and one for the others.

    Returns
    -------
    cell_of
        New cell of each old one.
    customers
        Customers of each new cell.
    """
    own: NDArray[np.int64] = np.arange(len(customers), dtype=np.int64)
    if len(customers) > MAX_CELLS:
        large = np.lexsort((own, -customers))[: MAX_CELLS - 1]
        large = np.sort(large)
        own = np.full(len(customers), len(large), dtype=np.int64)
        own[large] = np.arange(len(large))
    return own, np.bincount(own, weights=customers).astype(float)
