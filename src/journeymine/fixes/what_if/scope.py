"""What part of an activity's visits and drop-outs a fix is about, in every draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.uncertainty import unit_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.fixes.candidates import Candidate

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

REFERENCE_PRIOR = 20.0
"""Visits' worth of the pooled reference rate that each stratum's reference starts from."""


class Scope:
    """Visits and drops of one candidate as sparse matrices units x cells or strata: a draw is one product.

    Parameters
    ----------
    candidate
        What is fixed; its visits may lie in parts of cells.
    cell_of
        Cell of the chains that each of its cells belongs to.
    """

    def __init__(self, candidate: Candidate, n_units: int, cell_of: Ints, n_cells: int) -> None:
        scope, every, reference = candidate.scope, candidate.everywhere, candidate.reference
        self.has_reference = reference is not None
        self.whole = candidate.column is None and candidate.period_us is None
        self.only_later = candidate.fix.kind == "loop" or candidate.kind == "step"
        self.share = candidate.fix.fraction
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
        """Drop-out share in scope, and the share it is brought down to, in each draw; shape (draws,)."""
        visits = weights @ self.n
        total = visits.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (weights @ self.drops).sum(axis=1) / total
            if not self.has_reference:
                return share, share * (1 - self.share)
            n, lost = weights @ self.reference_n, weights @ self.reference_drops
            pooled = lost.sum(axis=1) / n.sum(axis=1)
            by_stratum = (lost + REFERENCE_PRIOR * pooled[:, None]) / (n + REFERENCE_PRIOR)
            return share, (visits * by_stratum).sum(axis=1) / total

    def saved(self, weights: Floats) -> Floats:
        """Share of each cell's drop-outs at the activity that the fix saves, shape (draws, cells)."""
        drop, reference = self.shares(weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            cut = np.where(drop > 0, 1 - reference / drop, 0.0)
        # Where little of the scope was watched, the cell's own drop-out may be the smaller one.
        return np.minimum(self.part_of_drops(weights) * cut[:, None], 1.0)

    def part_of_drops(self, weights: Floats) -> Floats:
        """Share of a cell's drop-outs that the scope accounts for, shape (draws, cells).

        Share of all visits, times how much likelier a visit in scope is to end than any visit of the cell.
        """
        scope = _ratio(weights @ self.scope_drops, weights @ self.scope_n)
        every = _ratio(weights @ self.all_drops, weights @ self.all_n)
        return self.part_of_visits(weights) * _ratio(scope, every)

    def part_of_visits(self, weights: Floats) -> Floats:
        """Share of a cell's visits of the activity that lie in the scope, shape (draws, cells).

        The scope of a loop holds later attempts only: there, a cell is in it or not.
        """
        part = _ratio(weights @ self.in_scope, weights @ self.everywhere)
        return (part > 0).astype(float) if self.only_later else part


def _ratio(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.divide(a, b, out=np.zeros_like(a), where=b > 0))
