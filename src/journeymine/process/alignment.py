"""Alignments: the cheapest way to bring a journey in line with a process tree, exactly."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from journeymine.errors import OptionError
from journeymine.process.alignment_costs import MAX_EVENTS, UNIT, CostTables, check_disjoint, deep_enough
from journeymine.process.tree import folded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from journeymine.process.tree import Tree

    Ints = NDArray[np.int64]
    Path = Sequence[str]

Kind = Literal["both", "log", "model"]
Move = tuple[Kind, str]
_MAX_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class Alignment:
    """A cheapest alignment of a trace with a process tree.

    Attributes
    ----------
    cost
        Inserted and skipped activities together; 0 if the trace fits.
    moves
        In order: ("both", a) if the tree and the trace do a, ("log", a) if only the trace does (inserted),
        ("model", a) if only the tree does (skipped).
    """

    cost: int
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Fitness:
    """How well a process tree fits variants.

    Attributes
    ----------
    fitness
        1 - costs / costs of an alignment without any synchronous move, both summed over cases.
    n, n_fitting
        Cases; cases that fit without any cost.
    costs
        Cost of each variant, shape (variants,); -1 for a variant that is too long to align.
    shortest
        Activities of the shortest run of the tree.
    n_left_out
        Cases of variants that are too long; they do not count in any other number.
    """

    fitness: float
    n: int
    n_fitting: int
    costs: Ints
    shortest: int
    n_left_out: int = 0


def align(tree: Tree, trace: Path, *, prefix: bool = False) -> Alignment:
    """Align one trace with a process tree.

    Of all alignments of the least cost it is one with the fewest inserted (so the most synchronous) activities. Among
    these the rule is, from the root of the tree down: the first child of a choice, the fewest rounds of a loop, and,
    read from the end, later children of a sequence take as much of the trace as they can. Of several occurrences that
    one leaf could take, it takes the first. The rule looks at names and their order only, so every run gives the same.

    Parameters
    ----------
    tree
        A process tree; children of a parallel node have no activity in common.
    trace
        Names of activities, at most 1,000.
    prefix
        Whether the trace may stop anywhere: what is still to come then costs nothing.

    Examples
    --------
    >>> from journeymine.process.tree import activity, exclusive, sequence, SILENT
    >>> tree = sequence(activity("cart"), exclusive(SILENT, activity("coupon")), activity("pay"))
    >>> align(tree, ["cart", "help", "pay"])
    Alignment(cost=1, moves=(('both', 'cart'), ('log', 'help'), ('both', 'pay')))
    >>> align(tree, ["cart"], prefix=True).cost
    0
    """
    return align_all(tree, [trace], prefix=prefix)[0]


def align_all(tree: Tree, traces: Sequence[Path], *, prefix: bool = False) -> list[Alignment]:
    """As `align`, for many traces; those of one length are aligned together."""
    result: dict[int, Alignment] = {}
    for places, tables in _batches(tree, traces):
        tables.prepare(prefix=prefix)
        table = tables.prefix(tree) if prefix else tables.table(tree)
        with deep_enough(tree):
            for b, place in enumerate(places):
                moves = _Backtrace(tables, b).moves(tree, 0, tables.n, prefix=prefix)
                cost = int(table[b, 0, tables.n]) // UNIT
                result[place] = Alignment(cost, tuple((kind, name) for _, kind, name in moves))
    return [result[place] for place in range(len(traces))]


def alignment_costs(tree: Tree, traces: Sequence[Path], *, prefix: bool = False) -> Ints:
    """Cost of each trace alone, shape (traces,); faster than `align_all`."""
    costs = np.zeros(len(traces), dtype=np.int64)
    for places, tables in _batches(tree, traces):
        through = tables.prefix_through if prefix else tables.through
        with deep_enough(tree):
            costs[places] = through(tree, tables.nothing[:, :1])[:, 0, -1] // UNIT
    return costs


def log_fitness(tree: Tree, variants: Sequence[tuple[tuple[str, ...], int]]) -> Fitness:
    """Fitness of a process tree by alignments, over variants with their counts.

    1 - sum(n * cost) / sum(n * (events + activities of the shortest run)): Adriansyah, "Aligning observed and
    modeled behavior", 2014, ch. 5. Token replay overstates fitness where the model lacks activities.

    Examples
    --------
    >>> from journeymine.process.tree import activity, sequence
    >>> found = log_fitness(sequence(activity("a"), activity("b")), [(("a", "b"), 9), (("a",), 1)])
    >>> round(found.fitness, 4), found.n_fitting, found.costs.tolist()
    (0.9744, 9, [0, 1])
    """
    n = np.array([count for _, count in variants], dtype=np.int64)
    lengths = np.array([len(path) for path, _ in variants], dtype=np.int64)
    short = lengths <= MAX_EVENTS
    costs = np.full(len(variants), -1, dtype=np.int64)
    costs[short] = alignment_costs(tree, [path for path, _ in variants if len(path) <= MAX_EVENTS])
    shortest = int(alignment_costs(tree, [()])[0])
    worst = int((n * (lengths + shortest))[short].sum())
    fitness = 1 - int((n * costs)[short].sum()) / worst if worst else 1.0
    return Fitness(
        fitness, int(n[short].sum()), int(n[costs == 0].sum()), costs, shortest, int(n[~short].sum())
    )


def _batches(tree: Tree, traces: Sequence[Path]) -> Iterator[tuple[list[int], CostTables]]:
    """Traces of one length at a time, few enough for their tables to fit into memory."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for place, trace in enumerate(traces):
        by_length[len(trace)].append(place)
    if by_length and max(by_length) > MAX_EVENTS:
        raise OptionError(
            f"The trace has {max(by_length):,} events; alignments take at most {MAX_EVENTS:,}.",
            hint="leave such traces out, or split them into journeys by a shorter `idle`.",
        )
    check_disjoint(tree)
    nodes = folded(tree, lambda _, below: 1 + sum(below))
    for length in sorted(by_length):
        size = max(1, _MAX_CELLS // ((length + 1) ** 2 * nodes))
        for begin in range(0, len(by_length[length]), size):
            places = by_length[length][begin : begin + size]
            yield places, CostTables(tree, [traces[place] for place in places])


_Placed = tuple[int, Kind, str]


class _Backtrace:
    """Moves of one trace, read back from the tables; each with the number of events before it."""

    def __init__(self, tables: CostTables, b: int) -> None:
        self.tables, self.b, self.trace = tables, b, tables.traces[b]

    def moves(self, node: Tree, i: int, j: int, *, prefix: bool = False) -> list[_Placed]:
        """Moves of events i to j against the node."""
        if prefix and self.tables.prefix(node)[self.b, i, j] == self.tables.nothing[self.b, i, j]:
            return self._inserted(i, j)
        match node.operator:
            case "silent":
                return self._inserted(i, j)
            case "activity":
                return self._activity(str(node.activity), i, j)
            case "exclusive":
                return self._exclusive(node, i, j, prefix=prefix)
            case "sequence":
                return self._sequence(node, i, j, prefix=prefix)
            case "loop":
                return self._loop_prefix(node, i, j) if prefix else self._loop(node, i, j)
            case "parallel":
                return self._parallel(node, i, j, prefix=prefix)

    def _table(self, node: Tree, *, prefix: bool) -> NDArray[np.int32]:
        table = self.tables.prefix(node) if prefix else self.tables.table(node)
        return np.asarray(table[self.b])

    def _inserted(self, i: int, j: int) -> list[_Placed]:
        return [(place, "log", str(self.trace[place])) for place in range(i, j)]

    def _activity(self, name: str, i: int, j: int) -> list[_Placed]:
        taken = next((place for place in range(i, j) if self.trace[place] == name), None)
        if taken is None:
            return [(i, "model", name), *self._inserted(i, j)]
        return [*self._inserted(i, taken), (taken, "both", name), *self._inserted(taken + 1, j)]

    def _exclusive(self, node: Tree, i: int, j: int, *, prefix: bool) -> list[_Placed]:
        tables = [self._table(child, prefix=prefix)[i, j] for child in node.children]
        return self.moves(node.children[int(np.argmin(tables))], i, j, prefix=prefix)

    def _sequence(self, node: Tree, i: int, j: int, *, prefix: bool) -> list[_Placed]:
        chain = [step[self.b, i] for step in self.tables.chain(node)]
        last, target = len(node.children) - 1, chain[-1][j]
        if prefix:
            ends = [
                (chain[c][i : j + 1] + self._table(child, prefix=True)[i : j + 1, j]).min()
                for c, child in enumerate(node.children)
            ]
            last, target = int(np.argmin(ends)), min(ends)
        parts: list[list[_Placed]] = []
        for c in range(last, -1, -1):
            ending = prefix and c == last
            costs = chain[c][i : j + 1] + self._table(node.children[c], prefix=ending)[i : j + 1, j]
            k = i + int(np.argmax(costs == (target if ending else chain[c + 1][j])))
            parts.append(self.moves(node.children[c], k, j, prefix=ending))
            j = k
        return [move for part in reversed(parts) for move in part]

    def _loop(self, node: Tree, i: int, j: int) -> list[_Placed]:
        do, redo = node.children
        row, once = self._table(node, prefix=False)[i], self._table(do, prefix=False)[i]
        body = self.tables.body(node)[self.b]
        parts: list[list[_Placed]] = []
        while once[j] != row[j]:
            k = i + int(np.argmax(row[i:j] + body[i:j, j] == row[j]))
            parts.append(self._pair((redo, False), (do, False), k, j, int(body[k, j])))
            j = k
        parts.append(self.moves(do, i, j))
        return [move for part in reversed(parts) for move in part]

    def _loop_prefix(self, node: Tree, i: int, j: int) -> list[_Placed]:
        do, redo = node.children
        target = int(self._table(node, prefix=True)[i, j])
        if self._table(do, prefix=True)[i, j] == target:
            return self.moves(do, i, j, prefix=True)
        row = self._table(node, prefix=False)[i]
        stopped = row[i : j + 1] + self._table(redo, prefix=True)[i : j + 1, j]
        if (stopped == target).any():
            k = i + int(np.argmax(stopped == target))
            return [*self._loop(node, i, k), *self.moves(redo, k, j, prefix=True)]
        again = self.tables.prefix_through(do, self.tables.table(redo))[self.b]
        k = i + int(np.argmax(row[i : j + 1] + again[i : j + 1, j] == target))
        return [*self._loop(node, i, k), *self._pair((redo, False), (do, True), k, j, int(again[k, j]))]

    def _pair(
        self, first: tuple[Tree, bool], second: tuple[Tree, bool], i: int, j: int, target: int
    ) -> list[_Placed]:
        """One node after the other; each with whether it may stop anywhere."""
        left = self._table(first[0], prefix=first[1])[i, i : j + 1]
        right = self._table(second[0], prefix=second[1])[i : j + 1, j]
        k = i + int(np.argmax(left + right == target))
        return [*self.moves(first[0], i, k, prefix=first[1]), *self.moves(second[0], k, j, prefix=second[1])]

    def _parallel(self, node: Tree, i: int, j: int, *, prefix: bool) -> list[_Placed]:
        """Moves of all children, in the order of the trace; what is skipped comes as early as it can."""
        keyed: list[tuple[int, _Placed]] = []
        of_children: set[str] = set()
        for child in node.children:
            own = set(child.activities)
            of_children |= own
            before = 2 * i - 1
            for move in self.moves(child, i, j, prefix=prefix):
                if move[1] == "model":
                    keyed.append((before, move))
                elif move[2] in own:
                    before = 2 * move[0] + 1
                    keyed.append((2 * move[0], move))
        foreign = [(2 * p, (p, k, name)) for p, k, name in self._inserted(i, j) if name not in of_children]
        return [move for _, move in sorted([*keyed, *foreign], key=lambda pair: pair[0])]
