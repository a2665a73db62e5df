"""Who belongs to a class: journeys, or customers with all their journeys, counted by the moves they made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from journeymine.counts.chain import GOAL
from journeymine.counts.sequences import OPEN
from journeymine.errors import OptionError, shown
from journeymine.markov.classes.mixture_em import Members

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from journeymine.counts.sequences import SequenceCounts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

Member = Literal["auto", "customer", "journey"]
HASHES = 2


@dataclass(frozen=True, slots=True, eq=False)
class MemberTable:
    """Members of a mixture, and how they lie in the sequences.

    Attributes
    ----------
    sequences
        What it was made from; only sequences of the chosen cells, with something watched.
    of_sequence
        Place of each of them among all sequences, shape (s,).
    members
        Kinds of members.
    kind
        Kind that each sequence's member is of, shape (s,).
    member
        Number of the customer, for members that are customers; of the sequence for journeys; shape (s,).
    by_unit
        Members by unit and kind, sparse, shape (n_units, m).
    journeys
        Journeys by unit and kind, sparse, shape (n_units, m).
    edges
        Source and column of each edge, shape (n_edges, 2); source k: where journeys start, its column k: at the goal.
        Where states carry attempts the columns below k are activities.
    cell
        Cell of each sequence among those fitted together, shape (s,).
    customers
        Whether members are customers.
    n_sequences
        Sequences there were, chosen or not.
    """

    sequences: SequenceCounts
    of_sequence: Ints
    members: Members
    kind: Ints
    member: Ints
    by_unit: sparse.csr_array
    journeys: sparse.csr_array
    edges: Ints
    cell: Ints
    customers: bool
    n_sequences: int

    @property
    def n_members(self) -> int:
        """Members."""
        return int(self.members.n.sum())

    @property
    def n_journeys(self) -> int:
        """Journeys of all members."""
        return int(self.sequences.n.sum())

    @property
    def n_independent(self) -> int:
        """Members that are independent of each other: customers, or journeys where customers are not known."""
        return self.n_members if self.sequences.buckets else len(np.unique(self.sequences.unit))


def member_table(
    sequences: SequenceCounts, *, member: Member = "auto", cell_of: Ints | None = None
) -> MemberTable:
    """Count the members.

    Parameters
    ----------
    sequences
        Journeys.
    member
        "customer": all journeys of a customer belong to one class; "journey": each to its own; "auto": customers
        where the units of the log are customers, because intent belongs to the customer and several journeys say
        more about it than one, and journeys in larger logs, whose counts know buckets of customers only.
    cell_of
        Number from 0, by cell of the segments, of the cell in which members are fitted; -1 leaves a cell out. By
        default one cell holds everybody. A customer with journeys in two cells is a member of both.

    Raises
    ------
    OptionError
        Members are to be customers, but the log has only buckets of them.
    """
    as_customers = _as_customers(member, buckets=sequences.buckets)
    place = np.zeros(len(sequences.cells), np.int64) if cell_of is None else np.asarray(cell_of)
    told = (sequences.length > 0) | (sequences.last == GOAL)
    chosen = told & (place[sequences.cell] >= 0)
    kept = sequences.take(chosen)
    cell = place[kept.cell]
    n_cells = int(place.max(initial=0)) + 1
    made, edges = _moves(kept)
    if as_customers:
        keys = kept.unit * n_cells + cell
        names, member_of = np.unique(keys, return_inverse=True)
        member_of = member_of.ravel()
        group = _matrix(
            member_of, np.arange(len(member_of)), kept.n.astype(float), (len(names), len(member_of))
        )
        made, owner, owner_cell = group @ made, names // n_cells, names % n_cells
        amount = np.ones(len(names))
    else:
        member_of, owner, owner_cell = np.arange(len(cell)), kept.unit, cell
        amount = kept.n.astype(float)
    first, kind_of = _kinds(made, owner_cell)
    n_kinds = len(first)
    kinds, kinds_cell = made[first], owner_cell[first]
    kinds = _matrix(
        np.repeat(np.arange(n_kinds), np.diff(kinds.indptr)),
        kinds.indices + np.repeat(kinds_cell, np.diff(kinds.indptr)) * len(edges),
        kinds.data,
        (n_kinds, n_cells * len(edges)),
    )
    n = np.bincount(kind_of, weights=amount, minlength=n_kinds).astype(float)
    kind = kind_of[member_of]
    shape = (kept.n_units, n_kinds)
    return MemberTable(
        sequences=kept,
        of_sequence=np.flatnonzero(chosen),
        members=Members(kinds, n, kinds_cell, edges[:, 0]),
        kind=kind,
        member=member_of,
        by_unit=_matrix(owner, kind_of, amount, shape),
        journeys=_matrix(kept.unit, kind, kept.n.astype(float), shape),
        edges=edges,
        cell=cell,
        customers=as_customers,
        n_sequences=sequences.n_sequences,
    )


def _as_customers(member: Member, *, buckets: bool) -> bool:
    if member not in ("auto", "customer", "journey"):
        raise OptionError(
            f"member is {shown(member)}, expected one of 'auto', 'customer', 'journey'.",
            hint='leave it out, or pass member="journey".',
        )
    if member == "customer" and buckets:
        raise OptionError(
            "member is 'customer', but logs of many customers are counted by buckets of them.",
            hint='pass member="journey".',
        )
    return member == "customer" or (member == "auto" and not buckets)


def _moves(sequences: SequenceCounts) -> tuple[sparse.csr_array, Ints]:
    """How often each sequence made each edge, starting included; and the edges that occur, sorted.

    Where states carry attempts an edge leads to an activity: which attempt it is says what the journey did before,
    not what kind of customer it is.
    """
    k, width = sequences.n_states, sequences.n_states + 2
    column = sequences.next_column(sequences.target)
    known = column >= 0
    first = np.full(sequences.n_sequences, k, dtype=np.int64)
    full = sequences.length > 0
    first[full] = sequences.next_column(sequences.code[sequences.begin[:-1][full]])
    row = np.concatenate([sequences.of_visit[known], np.arange(sequences.n_sequences)])
    edge = np.concatenate([sequences.code[known] * width + column[known], k * width + first])
    ids = np.unique(edge)
    shape = (sequences.n_sequences, len(ids))
    made = _matrix(row, np.searchsorted(ids, edge), np.ones(len(row)), shape)
    return made, np.stack([ids // width, ids % width], axis=1)


def _matrix(row: Ints, column: Ints, value: Floats, shape: tuple[int, int]) -> sparse.csr_array:
    from scipy import sparse

    matrix = sparse.csr_array((value, (row, column)), shape=shape)
    matrix.sum_duplicates()
    return matrix


def _kinds(made: sparse.csr_array, cell: Ints) -> tuple[Ints, Ints]:
    """First member of each kind and the kind of each member: equal cells and equal moves.

    Members are told apart by 128 bits of a linear hash of their counts, and every one is compared with the first
    of its kind, so that kinds are exact; their order depends on their content only.
    """
    rng = np.random.default_rng(made.shape[1])
    keys = rng.integers(1, 2**63 - 1, size=(HASHES, made.shape[1]), dtype=np.int64).view(
        np.uint64
    ) | np.uint64(1)
    count = made.data.astype(np.uint64)
    before = np.zeros((HASHES, len(count) + 1), np.uint64)
    np.cumsum(keys[:, made.indices] * count, axis=1, out=before[:, 1:])
    hashed = before[:, made.indptr[1:]] - before[:, made.indptr[:-1]]
    order = np.lexsort((hashed[1], hashed[0], cell))
    new = np.ones(len(cell), dtype=bool)
    new[1:] = (np.diff(cell[order]) != 0) | (hashed[:, order[1:]] != hashed[:, order[:-1]]).any(axis=0)
    kind = np.empty(len(cell), dtype=np.int64)
    kind[order] = np.cumsum(new) - 1
    first = order[new]
    assert abs(made - made[first[kind]]).sum() == 0, "two different members have the same hash"
    return first, kind


def unwatched_end(sequences: SequenceCounts) -> NDArray[np.bool_]:
    """Whether a journey's end was not seen: nothing of its last visit, or a move to a visit that was not watched."""
    return np.asarray((sequences.last == OPEN) | (sequences.last >= 0))
