"""What it costs to bring a part of a trace in line with a part of a process tree, for all parts at once.

`table(node)[b, i, j]` is the least cost of aligning events i to j of trace b with the node: insertions and deletions,
by dynamic programming over the tree (after Schwanen, Pakusa and van der Aalst, "A dynamic programming approach for
alignments on process trees", 2024). A sequence is a min-plus product, a choice a minimum, a loop a shortest path that
only goes forward. Children of a parallel node have no activity in common, so an interleaving costs what its children
cost, each with the events of the others left out.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from journeymine.errors import OptionError, shown
from journeymine.process.tree import folded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from journeymine.process.tree import Tree

    Costs = NDArray[np.int32]

UNIT = 1 << 11
"""Weight of a move; what remains after division counts the inserted events, which breaks ties."""
SKIPPED, INSERTED = UNIT, UNIT + 1
MAX_EVENTS = 1_000
"""Longest trace: a table has the square of it as cells, and ties stay below one unit."""
_FAR = 1 << 28


class CostTables:
    """Tables of one tree and of traces that have the same length.

    Parameters
    ----------
    tree
        The process tree; children of a parallel node have no activity in common.
    traces
        Traces of one length n, as names.
    """

    def __init__(self, tree: Tree, traces: Sequence[Sequence[str]]) -> None:
        self.tree, self.traces = tree, traces
        self.n = len(traces[0])
        steps = np.arange(self.n + 1, dtype=np.int32)
        gap = np.where(steps >= steps[:, None], (steps - steps[:, None]) * INSERTED, _FAR).astype(np.int32)
        self.nothing: Costs = np.broadcast_to(gap, (len(traces), *gap.shape))
        self._slope = steps * INSERTED
        self._names = np.array([[str(name) for name in trace] for trace in traces], dtype=object)
        self._tables: dict[tuple[str, int], Costs] = {}
        self._chains: dict[int, list[Costs]] = {}
        self._large: set[int] = set()
        folded(tree, self._size)

    def prepare(self, *, prefix: bool) -> None:
        """Fill the tables of all nodes, those of the leaves first, so that none is worked out twice."""
        folded(self.tree, lambda node, _: self.table(node))
        if prefix:
            folded(self.tree, lambda node, _: self.prefix(node))

    def _size(self, node: Tree, below: list[int]) -> int:
        size = 1 + sum(below)
        if size > 2 * self.n + 8:
            self._large.add(id(node))
        return size

    def table(self, node: Tree) -> Costs:
        """Cost of every part against a whole run of the node, shape (traces, n + 1, n + 1)."""
        key = ("whole", id(node))
        if key not in self._tables:
            self._tables[key] = self._whole(node)
        return self._tables[key]

    def prefix(self, node: Tree) -> Costs:
        """Cost of every part against a run of the node that may stop anywhere."""
        key = ("prefix", id(node))
        if key not in self._tables:
            if node.operator == "parallel":
                self._tables[key] = self._side_by_side([self.prefix(child) for child in node.children])
            else:
                self._tables[key] = self.prefix_through(node, self.nothing)
        return self._tables[key]

    def chain(self, node: Tree) -> list[Costs]:
        """Cost against the first 0, 1, ... children of a sequence."""
        if id(node) not in self._chains:
            steps = [self.nothing]
            for child in node.children:
                steps.append(self.through(child, steps[-1]))
            self._chains[id(node)] = steps
        return self._chains[id(node)]

    def body(self, node: Tree) -> Costs:
        """Cost against one more round of a loop: redo, then do."""
        key = ("body", id(node))
        if key not in self._tables:
            do, redo = node.children
            self._tables[key] = self.through(do, self.table(redo))
        return self._tables[key]

    def through(self, node: Tree, costs: Costs) -> Costs:
        """Cost of reaching each position after a run of the node, from costs before it (traces, starts, n + 1)."""
        known = self._tables.get(("whole", id(node))) if id(node) in self._large else None
        if known is not None:
            return product(costs, known)
        match node.operator:
            case "silent":
                return costs
            case "activity":
                return self._through_activity(str(node.activity), costs)
            case "sequence":
                for child in node.children:
                    costs = self.through(child, costs)
                return costs
            case "exclusive":
                return _least([self.through(child, costs) for child in node.children])
            case "loop":
                return self._through_loop(node, costs)
            case "parallel":
                return product(costs, self.table(node))

    def prefix_through(self, node: Tree, costs: Costs) -> Costs:
        """As `through`, for a run of the node that may stop anywhere."""
        known = self._tables.get(("prefix", id(node))) if id(node) in self._large else None
        if known is not None:
            return product(costs, known)
        match node.operator:
            case "silent":
                return costs
            case "activity":
                return np.minimum(costs, self.through(node, costs))
            case "sequence":
                found = []
                for c, child in enumerate(node.children):
                    costs = self.through(node.children[c - 1], costs) if c else costs
                    found.append(self.prefix_through(child, costs))
                return _least(found)
            case "exclusive":
                return _least([self.prefix_through(child, costs) for child in node.children])
            case "loop":
                do, redo = node.children
                after = self._through_loop(node, costs)
                again = self.prefix_through(do, self.through(redo, after))
                return _least([self.prefix_through(do, costs), self.prefix_through(redo, after), again])
            case "parallel":
                return product(costs, self.prefix(node))

    def _whole(self, node: Tree) -> Costs:
        if node.operator == "parallel":
            return self._side_by_side([self.table(child) for child in node.children])
        if node.operator == "sequence":
            return self.chain(node)[-1]
        return self.through(node, self.nothing)

    def _side_by_side(self, tables: list[Costs]) -> Costs:
        # Each child counts the events of all others as inserted; what is inserted for none of them counts once.
        total: Costs = self.nothing + sum((table - self.nothing for table in tables), np.int32(0))
        return np.where(self.nothing < _FAR, total, _FAR).astype(np.int32)

    def _through_activity(self, name: str, costs: Costs) -> Costs:
        result = costs + np.int32(SKIPPED)
        if self.n:
            # Compared by `==` on objects, so that no name is cut to the length of another.
            here = (self._names == name).astype(bool)[:, None, :]
            both = np.where(here, costs[:, :, :-1], np.int32(_FAR))
            np.minimum(result[:, :, 1:], both, out=result[:, :, 1:])
        slope = self._slope
        inserted: Costs = np.minimum.accumulate(result - slope, axis=2) + slope
        return np.minimum(inserted, np.int32(_FAR))

    def _through_loop(self, node: Tree, costs: Costs) -> Costs:
        body = self.body(node)
        result = self.through(node.children[0], costs).copy()
        for j in range(1, self.n + 1):
            again = (result[:, :, :j] + body[:, None, :j, j]).min(axis=2)
            np.minimum(result[:, :, j], again, out=result[:, :, j])
        return result


def product(left: Costs, right: Costs) -> Costs:
    """Min-plus product: the least of left[.., k] + right[k, ..] over k."""
    result = np.full((left.shape[0], left.shape[1], right.shape[2]), _FAR, dtype=np.int32)
    for k in range(right.shape[1]):
        np.minimum(result[:, :, k:], left[:, :, k, None] + right[:, k, None, k:], out=result[:, :, k:])
    return result


def check_disjoint(tree: Tree) -> None:
    """Children of a parallel node must have no activity in common: else the costs would not add up."""
    folded(tree, _disjoint)


def _disjoint(node: Tree, below: list[frozenset[str]]) -> frozenset[str]:
    if node.operator == "activity":
        return frozenset([str(node.activity)])
    names: frozenset[str] = frozenset().union(*below)
    if node.operator == "parallel" and len(names) < sum(len(part) for part in below):
        twice = min(name for name in names if sum(name in part for part in below) > 1)
        raise OptionError(
            f"the activity {shown(twice)} occurs in two branches of a parallel node of the process tree.",
            hint="give the branches activities of their own; align such a model as a Petri net.",
        )
    return names


@contextmanager
def deep_enough(tree: Tree) -> Iterator[None]:
    """Let functions call themselves as deep as the tree is nested: mined models may be nested 500 deep."""
    usual = sys.getrecursionlimit()
    depth = folded(tree, lambda _, below: 1 + max(below, default=0))
    sys.setrecursionlimit(max(usual, 1000 + 8 * depth))
    try:
        yield
    finally:
        sys.setrecursionlimit(usual)


def _least(costs: list[Costs]) -> Costs:
    result = costs[0]
    for other in costs[1:]:
        result = np.minimum(result, other)
    return result
