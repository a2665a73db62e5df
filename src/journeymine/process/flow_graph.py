"""Flow charts with gateways, reduced to a process tree.

Blocks are folded from the inside out; what is left of choices and loops is eliminated node by node, as an automaton
becomes a regular expression (Kleene 1956), which may write an activity twice but keeps the language. What parallel
gateways do not enclose as a block cannot be written as a tree.
"""

from __future__ import annotations

from typing import Literal

from journeymine.errors import OptionError
from journeymine.process.tree import SILENT, Tree, exclusive, folded, loop, parallel, sequence

GateKind = Literal["xor", "and", "or"]
START, END = "start", "end"
MAX_NODES = 20_000


class FlowGraph:
    """A graph whose edges are process trees; a node chooses one way, takes all, or takes at least one."""

    def __init__(self) -> None:
        self.kind: dict[str, GateKind] = {START: "xor", END: "xor"}
        self.out: dict[str, dict[str, list[Tree]]] = {START: {}, END: {}}
        self.into: dict[str, dict[str, None]] = {START: {}, END: {}}

    def node(self, key: str, kind: GateKind) -> None:
        """Add a node; one that is there stays as it is."""
        if key not in self.kind:
            self.kind[key] = kind
            self.out[key], self.into[key] = {}, {}

    def edge(self, source: str, target: str, tree: Tree) -> None:
        """Add an edge."""
        self.out[source].setdefault(target, []).append(tree)
        self.into[target][source] = None

    def tree(self, where: str) -> Tree:
        """Reduce the graph to one tree."""
        while self._merge() or self._pass() or self._loop() or self._unloop() or self._eliminate():
            if (
                sum(_size(tree) for ways in self.out.values() for trees in ways.values() for tree in trees)
                > MAX_NODES
            ):
                break
        self._forget_unreachable()
        found = self.out[START].get(END, [])
        if len(self.out[START]) == 1 and len(found) == 1 and len(self.kind) == 2:
            return found[0]
        raise OptionError(
            f"{where} cannot be read as a process tree: its parallel gateways do not open and close as blocks.",
            hint="let every parallel gateway that splits be joined by one of its own, or list the steps in expected.",
        )

    def _merge(self) -> bool:
        """Edges between the same two nodes become one."""
        done = False
        for source, ways in self.out.items():
            for target, trees in ways.items():
                if len(trees) < 2:
                    continue
                kind, other = self.kind[source], self.kind[target]
                only = len(ways) == 1
                if kind == "xor" and other == "xor":
                    ways[target] = [either(trees)]
                elif kind == "and" and (other == "and" or (target == END and only)):
                    ways[target] = [together(trees)]
                elif (
                    kind == "or" and only and (other == "or" or target == END) and len(self.into[target]) == 1
                ):
                    ways[target] = [at_least_one(trees)]
                done |= len(ways[target]) == 1
        return done

    def _pass(self) -> bool:
        """A node with one way in and one way out is no node."""
        for key in list(self.kind):
            if key in (START, END) or self._degree(key) != (1, 1) or key in self.out[key]:
                continue
            (source,), (target,) = self.into[key], self.out[key]
            before, after = self.out[source][key][0], self.out[key][target][0]
            self._remove(key)
            self.edge(source, target, then(before, after))
            return True
        return False

    def _loop(self) -> bool:
        """Two choices, one into the other, with a way back: do, and redo."""
        for key, ways in self.out.items():
            if len(ways) != 1 or self.kind[key] != "xor":
                continue
            (other,) = ways
            is_pair = other != key and self.kind[other] == "xor" and list(self.into[other]) == [key]
            if is_pair and key in self.out[other] and len(ways[other]) == len(self.out[other][key]) == 1:
                redo = self.out[other].pop(key)[0]
                del self.into[key][other]
                ways[other] = [loop(ways[other][0], redo)]
                return True
        return False

    def _unloop(self) -> bool:
        """A way from a choice to itself: any number of times."""
        for key, ways in list(self.out.items()):
            if key in ways and self.kind[key] == "xor" and len(ways[key]) == 1:
                again = ways.pop(key)[0]
                del self.into[key][key]
                rest = f"{key} again"
                self.node(rest, "xor")
                for target, trees in ways.items():
                    del self.into[target][key]
                    for tree in trees:
                        self.edge(rest, target, tree)
                self.out[key] = {}
                self.edge(key, rest, SILENT if again == SILENT else loop(SILENT, again))
                return True
        return False

    def _eliminate(self) -> bool:
        """The choice that costs the least to do without: every way in is joined to every way out."""
        best = min(
            ((self._cost(key), key) for key in self.kind if self._can_go(key)),
            default=None,
            key=lambda pair: pair,
        )
        if best is None:
            return False
        key = best[1]
        before = [(source, tree) for source in self.into[key] for tree in self.out[source][key]]
        after = [(target, tree) for target, trees in self.out[key].items() for tree in trees]
        self._remove(key)
        for source, first in before:
            for target, second in after:
                self.edge(source, target, then(first, second))
        return True

    def _can_go(self, key: str) -> bool:
        if key in (START, END) or self.kind[key] != "xor" or key in self.out[key]:
            return False
        n_in, n_out = self._degree(key)
        splits_elsewhere = n_out > 1 and any(self.kind[source] != "xor" for source in self.into[key])
        joins_elsewhere = n_in > 1 and any(self.kind[target] != "xor" for target in self.out[key])
        return not (splits_elsewhere or joins_elsewhere)

    def _cost(self, key: str) -> int:
        n_in, n_out = self._degree(key)
        before = sum(_size(tree) for source in self.into[key] for tree in self.out[source][key])
        after = sum(_size(tree) for trees in self.out[key].values() for tree in trees)
        return before * (n_out - 1) + after * (n_in - 1)

    def _degree(self, key: str) -> tuple[int, int]:
        n_in = sum(len(self.out[source][key]) for source in self.into[key])
        return n_in, sum(len(trees) for trees in self.out[key].values())

    def _remove(self, key: str) -> None:
        for source in self.into[key]:
            del self.out[source][key]
        for target in self.out[key]:
            del self.into[target][key]
        del self.kind[key], self.out[key], self.into[key]

    def _forget_unreachable(self) -> None:
        for key in [key for key in self.kind if key not in (START, END) and not self.into[key]]:
            self._remove(key)


def then(first: Tree, second: Tree) -> Tree:
    """One after the other, without what is silent."""
    parts: list[Tree] = []
    for tree in (first, second):
        parts += tree.children if tree.operator == "sequence" else [tree]
    kept = [part for part in parts if part.operator != "silent"]
    return sequence(*kept) if len(kept) > 1 else (kept or [SILENT])[0]


def either(trees: list[Tree]) -> Tree:
    """One of several; equal ones are one, and what is silent comes last."""
    flat = [part for tree in trees for part in (tree.children if tree.operator == "exclusive" else (tree,))]
    parts = sorted(dict.fromkeys(flat), key=lambda part: part.operator == "silent")
    return exclusive(*parts) if len(parts) > 1 else parts[0]


def together(trees: list[Tree]) -> Tree:
    """All of several."""
    flat = [part for tree in trees for part in (tree.children if tree.operator == "parallel" else (tree,))]
    parts = [part for part in flat if part.operator != "silent"]
    return parallel(*parts) if len(parts) > 1 else (parts or [SILENT])[0]


def at_least_one(trees: list[Tree]) -> Tree:
    """Any of several, but not none: the first that is taken, and any of those after it."""
    ways = [
        together([tree, *(either([rest, SILENT]) for rest in trees[i + 1 :])]) for i, tree in enumerate(trees)
    ]
    return either(ways)


def _size(tree: Tree) -> int:
    return folded(tree, lambda _, below: 1 + sum(below))
