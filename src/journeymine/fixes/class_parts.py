"""Classes of customers as cells of their own: their moves, starts and shares of what a fix is about, in each draw."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.chain import DROP
from journeymine.markov.classes.mixture_em import MixtureModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.fixes.candidates import Candidate, ScopedDrops
    from journeymine.fixes.classes import Classes, ClassGroup
    from journeymine.markov.classes.mixture_em import Mixture

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

STEPS_OF_A_DRAW = 60
WORK_LIMIT = 6e9
"""Products that all draws together may cost: about half a minute."""
STEP, SCALING = 2e4, 20.0
"""What a step costs whatever its size, and each number that is scaled to the cells."""
MIN_DRAWS = 100


class ClassParts:
    """The classes of every cell as cells of their own, for any reweighting of the units.

    A part is a class in a cell. Where a cell has one class its part is the cell itself, and nothing changes. In each
    draw the mixture is fitted again from its point estimate, so that intervals hold what is not known about classes.

    Attributes
    ----------
    cell
        Merged cell of each part, shape (n_parts,).
    label
        Number from 1 of the group and class of each part; 0 where the cell has one class; shape (n_parts,).
    """

    def __init__(self, classes: Classes, counts: ChainCounts) -> None:
        self.k, self.cell_of = counts.n_states, classes.cell_of
        activity = np.arange(self.k) if counts.base is None else counts.base
        n_classes = np.ones(int(classes.cell_of.max()) + 1, np.int64)
        self.groups = [_GroupParts(group, activity) for group in classes.groups if group.chosen.n_classes > 1]
        for group in self.groups:
            n_classes[group.cells] = group.n_classes
        self.first = np.concatenate([[0], np.cumsum(n_classes)])[:-1]
        self.cell = np.repeat(np.arange(len(n_classes)), n_classes)
        self.label = np.zeros(len(self.cell), np.int64)
        begin = 1
        for group in self.groups:
            for j in range(group.n_classes):
                self.label[self.first[group.cells] + j] = begin + j
            begin += group.n_classes

    @property
    def n_parts(self) -> int:
        """Number of parts."""
        return len(self.cell)

    def affordable_draws(self, wanted: int) -> int:
        """Fewer draws where each is a long fit; never fewer than 100."""
        work = sum(STEPS_OF_A_DRAW * group.work_of_a_step for group in self.groups)
        return min(wanted, max(MIN_DRAWS, int(WORK_LIMIT / max(work, 1.0))))

    def split(self, weights: Floats, moves: Floats, starts: Floats) -> tuple[Floats, Floats]:
        """Moves and starts of every part in every draw.

        Parameters
        ----------
        weights
            How often each unit is drawn, shape (draws, n_units).
        moves, starts
            Of every cell, shape (draws, n_cells, k, k + 2) and (draws, n_cells, k + 1).
        """
        moves, starts = moves[:, self.cell], starts[:, self.cell]
        for group in self.groups:
            parts = self.first[group.cells][:, None] + np.arange(group.n_classes)
            for draw, weight in enumerate(weights):
                made, begun = group.in_draw(weight, self.k)
                moves[draw, parts] = group.to_attempts(made, moves[draw, parts])
                starts[draw, parts] *= begun
        return moves, starts

    def spread(self, candidate: Candidate) -> Candidate:
        """A candidate whose visits and drops lie in parts; what it is compared with stays as it is."""
        return replace(
            candidate,
            scope=self._spread(candidate.scope, candidate.state),
            everywhere=self._spread(candidate.everywhere, candidate.state),
        )

    def _spread(self, scoped: ScopedDrops, state: int) -> ScopedDrops:
        cell = self.cell_of[scoped.cell]
        rows = [np.flatnonzero(self.label[self.first[cell]] == 0)]
        part = [self.first[cell[rows[0]]]]
        visits, drops = [np.ones(len(rows[0]))], [np.ones(len(rows[0]))]
        for group in self.groups:
            here = np.flatnonzero(np.isin(cell, group.cells))
            share = group.shares(scoped.unit[here], np.searchsorted(group.cells, cell[here]), state)
            for j in range(group.n_classes):
                rows.append(here)
                part.append(self.first[cell[here]] + j)
                visits.append(share[0][:, j])
                drops.append(share[1][:, j])
        at, visit_share = np.concatenate(rows), np.concatenate(visits)
        return type(scoped)(
            scoped.unit[at],
            np.concatenate(part),
            scoped.stratum[at],
            scoped.n_all[at] * visit_share,
            scoped.n[at] * visit_share,
            scoped.drops[at] * np.concatenate(drops),
        )


class _GroupParts:
    """One group of cells with more than one class: its moves in a draw, and whose a unit's visits are."""

    def __init__(self, group: ClassGroup, activity: Ints) -> None:
        self.cells, self.table, self.fit = group.cells, group.table, group.chosen.fit
        self.n_classes = self.fit.n_classes
        self.model = MixtureModel(self.table.members)
        self.activity, self.n_activities = activity, int(activity.max(initial=-1)) + 1
        self.first_attempt = self.table.sequences.state_of_attempt()[:, 1]
        self.visits = self._shares(of_drops=False)
        self.drops = self._shares(of_drops=True)

    @property
    def work_of_a_step(self) -> float:
        """Products of one EM step."""
        members = self.table.members
        scaled = members.n_cells * members.n_edges if members.n_cells > 1 else 0
        return self.n_classes * (members.moves.nnz + SCALING * scaled) + STEP

    def _refit(self, weight: Floats) -> tuple[Mixture, Floats]:
        members = np.asarray(weight @ self.table.by_unit)
        if np.array_equal(members, self.table.members.n):
            return self.fit, members
        fit = self.model.climb(self.fit.log_moves, self.fit.log_shares, members, most=STEPS_OF_A_DRAW)
        return fit, members

    def in_draw(self, weight: Floats, k: int) -> tuple[Floats, Floats]:
        """Moves of each class, shape (cells, K, k, k + 2), and its share of each start, (cells, K, k + 1)."""
        fit, members = self._refit(weight)
        source, column = self.table.edges[:, 0], self.table.edges[:, 1]
        made = self.model.made(fit.membership, members)
        visits = self.model.totals(made)
        fitted = np.moveaxis(visits * np.exp(fit.log_moves), 2, 1)
        n_cells = len(self.cells)
        moves = np.zeros((n_cells, self.n_classes, k, k + 2))
        states = source < k
        moves[:, :, source[states], column[states]] = fitted[:, :, states]
        journeys = np.moveaxis(made, 2, 1)[:, :, ~states]
        total = journeys.sum(axis=1, keepdims=True)
        share = np.exp(fit.log_shares)
        begun = np.repeat(share[:, :, None], k + 1, axis=2)
        known = np.divide(
            journeys, total, out=np.repeat(share[:, :, None], total.shape[2], axis=2), where=total > 0
        )
        first = column[~states]
        begun[
            :,
            :,
            np.where(first < k, self.first_attempt[np.minimum(first, len(self.first_attempt) - 1)], first),
        ] = known
        return moves, begun

    def to_attempts(self, made: Floats, moves: Floats) -> Floats:
        """Moves to activities, shared out to their attempts as in the moves of the whole cell.

        Parameters
        ----------
        made
            Moves of each class by activity, the goal and out, shape (cells, K, k, k + 2).
        moves
            Moves of the cells by state, the goal and out, same shape.
        """
        k = made.shape[2]
        if self.table.sequences.activity is None:
            return made
        member = np.zeros((k + 2, k + 2))
        member[np.arange(k), self.activity] = 1.0
        member[[k, k + 1], [k, k + 1]] = 1.0
        by_activity = moves @ member
        total = by_activity @ member.T
        share = np.divide(moves, total, out=np.zeros_like(moves), where=total > 0)
        return np.asarray((made @ member.T) * share)

    def _shares(self, *, of_drops: bool) -> tuple[Ints, Floats, Floats]:
        """Whose the visits (or drops) of a unit in a cell at an activity are: keys, shares, and those of the cell."""
        table, sequences = self.table, self.table.sequences
        target, of = sequences.target, sequences.of_visit
        chosen = target == DROP if of_drops else sequences.column(target) >= 0
        of, state = of[chosen], self.activity[sequences.code[chosen]]
        membership = self.fit.membership[table.kind[of]] * sequences.n[of][:, None]
        place = table.cell[of] * self.n_activities + state
        keys, key = np.unique(self._key(sequences.unit[of], table.cell[of], state), return_inverse=True)
        size = len(self.cells) * self.n_activities
        own = np.stack([np.bincount(key.ravel(), m, len(keys)) for m in membership.T], axis=1)
        every = np.stack([np.bincount(place, m, size) for m in membership.T], axis=1)
        share = np.repeat(np.exp(self.fit.log_shares), self.n_activities, axis=0)
        total = every.sum(axis=1, keepdims=True)
        return keys, own / own.sum(axis=1, keepdims=True), np.divide(every, total, out=share, where=total > 0)

    def _key(self, unit: Ints, cell: Ints, state: Ints | int) -> Ints:
        return (unit * len(self.cells) + cell) * self.n_activities + state

    def shares(self, unit: Ints, cell: Ints, state: int) -> tuple[Floats, Floats]:
        """Shares of the classes in the visits and in the drops of units in cells at a state, shape (entries, K)."""
        wanted = self._key(unit, cell, state)
        found = []
        for keys, own, every in (self.visits, self.drops):
            at = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
            known = keys[at] == wanted if len(keys) else np.zeros(len(wanted), bool)
            share = every[cell * self.n_activities + state]
            share[known] = own[at[known]]
            found.append(share)
        return found[0], found[1]
