"""Cuts: how the activities of a directly-follows graph fall into the blocks of a process tree.

Definitions of Leemans, Fahland and van der Aalst, "Scalable process discovery and conformance checking",
Software & Systems Modeling 17 (2018), doi 10.1007/s10270-016-0545-x, and of S. J. J. Leemans, "Robust process
mining with guarantees", PhD thesis, TU Eindhoven 2017 (strict sequence cut).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]
    Groups = list[list[int]]


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """A directly-follows graph inside discovery: part of the activities, and how often they are passed by.

    Attributes
    ----------
    codes
        Code of each of the m activities.
    follows
        Shape (m, m): how often j comes directly after i.
    starts, ends
        Shape (m,): how often the part begins and ends with each activity.
    n_empty
        How often the part was skipped.
    """

    codes: tuple[int, ...]
    follows: Ints
    starts: Ints
    ends: Ints
    n_empty: int = 0

    def part(self, of: list[int], starts: Ints, ends: Ints, n_empty: int) -> Flow:
        """The graph of some of the activities, by position."""
        inside = self.follows[np.ix_(of, of)]
        return Flow(tuple(self.codes[i] for i in of), inside, starts, ends, n_empty)


@dataclass(frozen=True, slots=True)
class Cut:
    """A partition of the activities under one operator.

    Attributes
    ----------
    operator
        Operator of the block; "loop" has the body first.
    groups
        Positions of the activities of each child.
    """

    operator: Literal["exclusive", "sequence", "parallel", "loop"]
    groups: Groups


def find_cut(flow: Flow) -> Cut | None:
    """The maximal cut of a graph of at least two activities: choice, sequence, parallel, loop, in this order.

    Examples
    --------
    >>> ab = Flow((0, 1), np.array([[0, 2], [0, 0]]), np.array([2, 0]), np.array([0, 2]))
    >>> find_cut(ab)
    Cut(operator='sequence', groups=[[0], [1]])
    """
    edge = flow.follows > 0
    if len(groups := exclusive_groups(edge)) > 1:
        return Cut("exclusive", groups)
    starts, ends = flow.starts > 0, flow.ends > 0
    if len(groups := sequence_groups(edge, starts, ends)) > 1:
        return Cut("sequence", groups)
    if len(groups := parallel_groups(edge, starts, ends)) > 1:
        return Cut("parallel", groups)
    if len(groups := loop_groups(edge, starts, ends)) > 1:
        return Cut("loop", groups)
    return None


def exclusive_groups(edge: Bools) -> Groups:
    """Activities that never follow each other, in any number of steps: connected components."""
    return _components(edge)


def sequence_groups(edge: Bools, starts: Bools, ends: Bools) -> Groups:
    """Blocks such that every earlier one leads to every later one and never back, in order.

    Activities that reach each other, or of which neither reaches the other, are in one block. The result is the
    strict cut: a block that never happens without an optional neighbour belongs to the same option.
    """
    reach = _reached(edge)
    groups = _components(reach == reach.T)
    n_after = (reach | np.eye(len(reach), dtype=np.bool_)).sum(axis=1)
    groups.sort(key=lambda group: -int(n_after[group[0]]))
    return _strict(groups, edge, starts, ends) if len(groups) > 1 else groups


def _strict(groups: Groups, edge: Bools, starts: Bools, ends: Bools) -> Groups:
    """Join to every block that can be skipped the neighbours that never happen without it, from the left."""
    n = len(groups)
    earliest, latest, over = _spans(groups, edge, starts, ends)
    joined: list[tuple[int, int]] = []
    first = 0
    while first < n:
        optional = last = first
        if over[optional] > optional:
            while last < n - 1 and earliest[last + 1] >= optional:
                last += 1
            while joined and max(latest[slice(joined[-1][0], joined[-1][1] + 1)]) <= optional:
                first = joined.pop()[0]
        joined.append((first, last))
        first = last + 1
    return [sorted(chain.from_iterable(groups[first : last + 1])) for first, last in joined]


def _spans(groups: Groups, edge: Bools, starts: Bools, ends: Bools) -> tuple[list[int], list[int], list[int]]:
    """What comes directly around each block: the earliest before it, the latest after it.

    The third list is the latest that comes after any earlier block. Before the first block is the start (-1),
    after the last is the end (n).
    """
    n = len(groups)
    of = block_of(groups, len(edge))
    between = np.zeros((n + 2, n + 2), np.bool_)
    source, target = np.nonzero(edge)
    between[of[source] + 1, of[target] + 1] = True
    between[0, of[starts] + 1] = True
    between[of[ends] + 1, n + 1] = True
    between[np.tril_indices(n + 2)] = False
    place = np.arange(n + 2) - 1
    latest = np.where(between, place, -1).max(axis=1)
    earliest = np.where(between, place[:, None], n).min(axis=0)
    over = np.maximum.accumulate(latest)
    return earliest[1:-1].tolist(), latest[1:-1].tolist(), over[:-2].tolist()


def block_of(groups: Groups, m: int) -> Ints:
    """Number of the block of each of the m activities."""
    of = np.empty(m, np.int64)
    for at, group in enumerate(groups):
        of[group] = at
    return of


def parallel_groups(edge: Bools, starts: Bools, ends: Bools) -> Groups:
    """Blocks whose activities all follow each other both ways, each with a start and an end.

    A block without a start or an end is joined to its neighbour in the order of size and first activity: the
    paper leaves open to which.
    """
    groups = sorted(_components(~(edge & edge.T)), key=lambda group: (len(group), group))
    at = 0
    while at < len(groups) > 1:
        if starts[groups[at]].any() and ends[groups[at]].any():
            at += 1
            continue
        at = max(at, 1)
        groups[at - 1 : at + 1] = [sorted(groups[at - 1] + groups[at])]
        at -= at == 1
    return sorted(groups)


def loop_groups(edge: Bools, starts: Bools, ends: Bools) -> Groups:
    """The body first, then each way back to it.

    The body holds every start and end. What is connected without them leads back if it comes only after ends and
    goes only to starts, and where it does, after every end and to every start; else it belongs to the body.
    """
    outer = starts | ends
    if not outer.any() or outer.all():
        return [list(range(len(edge)))]
    inner = np.flatnonzero(~outer)
    only_start, only_end = starts & ~ends, ends & ~starts
    body, back = np.flatnonzero(outer).tolist(), []
    for component in _components(edge[np.ix_(inner, inner)]):
        group = inner[component]
        into, out = edge[:, group], edge[group]
        leads_back = not into[only_start].any() and not out[:, only_end].any()
        entered, left = into[ends], out[:, starts]
        whole = (entered.all(axis=0) | ~entered.any(axis=0)).all() and (
            left.all(axis=1) | ~left.any(axis=1)
        ).all()
        if leads_back and whole:
            back.append(group.tolist())
        else:
            body += group.tolist()
    return [sorted(body), *back]


def _components(edge: Bools) -> Groups:
    """Weakly connected components, each sorted, in the order of their first member."""
    # Rows as bits of integers: for the small graphs of discovery many times faster than a sparse matrix.
    packed = np.packbits(edge | edge.T, axis=1, bitorder="little")
    near = [int.from_bytes(row.tobytes(), "little") for row in packed]
    groups: Groups = []
    left = (1 << len(near)) - 1
    while left:
        group, front = 0, left & -left
        while front:
            group |= front
            beyond = 0
            for at in _bits(front):
                beyond |= near[at]
            front = beyond & ~group
        groups.append(_bits(group))
        left &= ~group
    return groups


def _bits(of: int) -> list[int]:
    found = []
    while of:
        lowest = of & -of
        found.append(lowest.bit_length() - 1)
        of ^= lowest
    return found


def _reached(edge: Bools) -> Bools:
    """reach[i, j]: j comes after i in one or more steps (Warshall)."""
    reach = edge.copy()
    for via in range(len(reach)):
        reach[reach[:, via]] |= reach[via]
    return reach


def split(flow: Flow, cut: Cut) -> list[Flow]:
    """The graph of each block of a cut.

    A block of a sequence starts where earlier blocks lead into it and ends where it leads to later ones; what
    leads past it skips it. A way back of a loop starts where the body leads into it, and is skipped where an end
    of the body is followed by a start.

    Examples
    --------
    >>> flow = Flow((0, 1), np.array([[0, 2], [0, 0]]), np.array([2, 1]), np.array([0, 3]))
    >>> [part.n_empty for part in split(flow, Cut("sequence", [[0], [1]]))]
    [1, 0]
    """
    if cut.operator == "sequence":
        return _steps(flow, cut.groups)
    if cut.operator == "loop":
        return _rounds(flow, cut.groups)
    return [flow.part(group, flow.starts[group], flow.ends[group], 0) for group in cut.groups]


def _steps(flow: Flow, groups: Groups) -> list[Flow]:
    n = len(groups)
    of = block_of(groups, len(flow.codes))
    onward = np.where(of[:, None] < of, flow.follows, 0)
    starts, ends = flow.starts + onward.sum(axis=0), flow.ends + onward.sum(axis=1)
    # Passing by from a to b counts for every block between: +1 after a, -1 at b, summed up.
    passing = np.zeros(n + 2, np.int64)
    np.add.at(passing, of + 1, onward.sum(axis=1) + flow.ends)
    np.add.at(passing, of, -onward.sum(axis=0) - flow.starts)
    passing[0] += flow.starts.sum()
    skips = np.cumsum(passing)
    return [flow.part(group, starts[group], ends[group], int(skips[at])) for at, group in enumerate(groups)]


def _rounds(flow: Flow, groups: Groups) -> list[Flow]:
    body = groups[0]
    back = sorted(chain.from_iterable(groups[1:]))
    into, out = flow.follows[np.ix_(body, back)], flow.follows[np.ix_(back, body)]
    # Ways back are further rounds: their way into the body is a start of it.
    starts, ends = flow.starts[body] + out.sum(axis=0), flow.ends[body] + into.sum(axis=1)
    again = int(flow.follows[np.ix_(flow.ends > 0, flow.starts > 0)].sum())
    parts = [flow.part(body, starts, ends, 0)]
    for group in groups[1:]:
        first, last = flow.follows[np.ix_(body, group)], flow.follows[np.ix_(group, body)]
        parts.append(flow.part(group, first.sum(axis=0), last.sum(axis=1), again))
    return parts
