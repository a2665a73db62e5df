"""Journeys drawn from a fitted mixture: the world in which a further class would be an illusion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.sequences import OPEN, SequenceCounts
from journeymine.markov.classes.mixture_members import MemberTable, unwatched_end

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.markov.classes.mixture_em import Mixture

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LONGEST = 10
"""A walk is cut at this many times the longest journey that was seen."""
NOBODY = -1


def walk_like(table: MemberTable, fit: Mixture, most: int, rng: np.random.Generator) -> SequenceCounts:
    """As many members as there are, or `most`, with as many journeys each in the same cells, drawn from the mixture.

    A journey whose end was not seen is cut where observation of it stopped, if it gets that far.

    Parameters
    ----------
    table
        Members.
    fit
        Mixture they were fitted with.
    most
        More members than these are sampled, without replacement.
    rng
        Source of randomness.
    """
    member, cell, cap, n_members = _sampled(table, most, rng)
    share = np.exp(fit.log_shares)
    begins = np.cumsum(share, axis=1)
    # One class for all journeys of a member in a cell.
    u = rng.random(n_members)[member]
    kind = np.minimum((begins[cell] < u[:, None]).sum(axis=1), fit.n_classes - 1)
    chain = _Edges(table, fit)
    k = table.sequences.n_states
    state_of = table.sequences.state_of_attempt()
    number = np.zeros((len(member), len(state_of)), dtype=np.int8)
    row, alive = np.full(len(member), chain.start, dtype=np.int64), np.arange(len(member))
    last = np.full(len(member), OPEN, dtype=np.int64)
    visits: list[tuple[Ints, Ints]] = []
    longest = LONGEST * int(table.sequences.length.max(initial=1))
    for step in range(longest):
        column = chain.follow(cell[alive], kind[alive], row[alive], rng)
        over = np.where(column == k, GOAL, np.where(column == k + 1, DROP, OPEN))
        on = (column >= 0) & (column < k)
        seen = on & (step < cap[alive])
        last[alive] = np.where(on, state_of[np.where(on, column, 0), 1], over)
        alive, activity = alive[seen], column[seen]
        number[alive, activity] = np.minimum(number[alive, activity] + 1, state_of.shape[1] - 1)
        row_next = state_of[activity, number[alive, activity]]
        row[alive] = row_next
        visits.append((alive, row_next))
        if not len(alive):
            break
    of = np.concatenate([a for a, _ in visits])
    code = np.concatenate([c for _, c in visits])
    order = np.argsort(of, kind="stable")
    length = np.bincount(of, minlength=len(member)).astype(np.int64)
    return SequenceCounts(
        states=table.sequences.states,
        code=code[order],
        begin=np.concatenate([[0], np.cumsum(length)]).astype(np.int64),
        last=last,
        unit=member,
        cell=cell,
        n=np.ones(len(member), np.int64),
        cells=tuple((str(c),) for c in range(table.members.n_cells)),
        n_units=n_members,
        activity=table.sequences.activity,
        attempt=table.sequences.attempt,
    )


def _sampled(table: MemberTable, most: int, rng: np.random.Generator) -> tuple[Ints, Ints, Ints, int]:
    """Member, cell and largest length of each journey of the sampled members, and how many members there are."""
    sequences = table.sequences
    far = np.iinfo(np.int64).max
    cap_of = np.where(unwatched_end(sequences), sequences.length, far)
    copies = sequences.n
    if table.customers:
        n_members = int(table.member.max(initial=-1)) + 1
        if n_members > most:
            chosen = np.zeros(n_members, dtype=bool)
            chosen[rng.choice(n_members, most, replace=False)] = True
            copies = np.where(chosen[table.member], copies, 0)
        each = np.repeat(np.arange(len(copies)), copies)
        names, member = np.unique(table.member[each], return_inverse=True)
        return member.ravel(), table.cell[each], cap_of[each], len(names)
    if table.n_members > most:
        copies = rng.multivariate_hypergeometric(copies, most, method="marginals")
    each = np.repeat(np.arange(len(copies)), copies)
    return np.arange(len(each)), table.cell[each], cap_of[each], len(each)


class _Edges:
    """Draws the next edge of many walks at once, by one search in all cumulative rows."""

    def __init__(self, table: MemberTable, fit: Mixture) -> None:
        members = table.members
        self.column, self.start = table.edges[:, 1], table.sequences.n_states
        names, row_of = np.unique(members.row_of, return_inverse=True)
        self.n_rows, self.n_edges, self.n_classes = len(names), members.n_edges, fit.n_classes
        self.place = np.full(self.start + 1, NOBODY, dtype=np.int64)
        self.place[names] = np.arange(len(names))
        seen = members.seen()
        share = np.moveaxis(np.exp(fit.log_moves) * seen[:, :, None], 2, 1)
        begin = np.flatnonzero(np.diff(row_of.ravel(), prepend=-1))
        total = np.add.reduceat(share, begin, axis=2)
        # In a cell that never left a state nothing is known of what follows it there.
        self.known = (total > 0).reshape(-1, self.n_rows)
        upto = np.cumsum(share / np.where(total > 0, total, 1.0)[:, :, row_of.ravel()], axis=2)
        row = np.arange(share.shape[0] * fit.n_classes)[:, None] * self.n_rows + row_of.ravel()
        before = np.concatenate([np.zeros((*upto.shape[:2], 1)), upto[:, :, :-1]], axis=2)[:, :, begin]
        within = (upto - before[:, :, row_of.ravel()]).reshape(row.shape)
        stop = np.append(begin[1:], self.n_edges) - 1
        within[:, stop] = 1.0
        self.upto = (row + np.minimum(within, 1.0)).ravel()
        self.stop = stop

    def follow(self, cell: Ints, kind: Ints, state: Ints, rng: np.random.Generator) -> Ints:
        """Column of the next edge of each walk; -1 where it is not known."""
        block = cell * self.n_classes + kind
        row = self.place[state]
        known = (row >= 0) & self.known[block, np.maximum(row, 0)]
        at = (block * self.n_rows + np.maximum(row, 0)) + rng.random(len(state))
        edge = np.searchsorted(self.upto, at, side="right") - block * self.n_edges
        edge = np.minimum(edge, self.stop[np.maximum(row, 0)])
        return np.where(known, self.column[np.clip(edge, 0, self.n_edges - 1)], NOBODY)
