"""A process tree as a machine that reads journeys event by event and says what may come next.

The machine is deterministic although silent steps are not: a state stands for everything the tree may be doing
after what was read. Labels are unique, so an event belongs to one leaf; a parallel block is a state of each child,
never their product, and only a loop has to keep several possibilities (the rounds it may be in). States are made
as they are met: their number is bounded by the events that are read.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, cast

from journeymine.process.alignment_costs import check_disjoint, deep_enough
from journeymine.process.tree import folded, skippable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from journeymine.process.tree import Operator, Tree

DO, REDO = 0, 1
USUAL_DEPTH = 100


class Automaton:
    """Reads the words of a process tree in which every activity appears once.

    Attributes
    ----------
    code
        Name -> bit of the activity in the sets that `enabled` returns.
    start
        State before anything is read.

    Examples
    --------
    >>> from journeymine.process.tree import parse_tree
    >>> machine = Automaton(parse_tree("->( 'a', X( tau, +( 'b', 'c' ) ), 'd' )"))
    >>> state = machine.step(machine.step(machine.start, "a"), "c")
    >>> [name for name in machine.code if machine.enabled(state) >> machine.code[name] & 1]
    ['b']
    >>> machine.accepts(["a", "d"]), machine.accepts(["a", "c"]), machine.step(machine.start, "b")
    (True, False, None)
    """

    def __init__(self, tree: Tree) -> None:
        check_disjoint(tree)
        self.code = {name: bit for bit, name in enumerate(tree.activities)}
        self._tree = tree
        self._is_deep = folded(tree, lambda _, below: 1 + max(below, default=0)) > USUAL_DEPTH
        self._root = folded(tree, lambda node, below: _Part(node, below, self.code))
        self.start = self._root.start

    def step(self, state: int | None, name: str) -> int | None:
        """State after one more event; None if the tree does not allow it here."""
        bit = self.code.get(name)
        if state is None or bit is None:
            return None
        return self._root.step(state, bit)

    def enabled(self, state: int) -> int:
        """Set of activities that can be next: bit `code[name]` of an integer."""
        return self._root.enabled(state)

    def accepts(self, path: Sequence[str]) -> bool:
        """Whether the tree allows exactly this journey."""
        with self.room():
            state: int | None = self.start
            for name in path:
                state = self.step(state, name)
                if state is None:
                    return False
            assert state is not None
            return self._root.is_final(state)

    def room(self) -> AbstractContextManager[None]:
        """Room for `step` and `enabled` to follow a tree that is nested hundreds of levels deep."""
        return deep_enough(self._tree) if self._is_deep else nullcontext()


# What a state is made of, by operator: activity: (whether it is done,); silent: (); sequence: (child, its state);
# exclusive: () or (child, its state); parallel: the state of each child; loop: pairs (DO or REDO, its state), sorted.
Content = tuple[int, ...] | tuple[tuple[int, int], ...]


class _Part:
    """A node with the states met so far, numbered."""

    def __init__(self, node: Tree, below: list[_Part], code: dict[str, int]) -> None:
        self.operator: Operator = node.operator
        self.children = below
        self.empty: bool = skippable(node.operator, [child.empty for child in below])
        self.place = {bit: place for place, child in enumerate(below) for bit in child.bits}
        self.bits: list[int] = list(self.place) if node.activity is None else [code[node.activity]]
        self.contents: list[Content] = []
        self.numbers: dict[Content, int] = {}
        self.moves: dict[tuple[int, int], int | None] = {}
        self.sets: dict[int, int] = {}
        self.finals: dict[int, bool] = {}
        self.start: int = self._number(self._beginning())

    def _beginning(self) -> Content:
        match self.operator:
            case "activity":
                return (0,)
            case "sequence":
                return (0, self.children[0].start)
            case "parallel":
                return tuple(child.start for child in self.children)
            case "loop":
                return ((DO, self.children[DO].start),)
            case _:
                return ()

    def _number(self, content: Content) -> int:
        number = self.numbers.setdefault(content, len(self.contents))
        if number == len(self.contents):
            self.contents.append(content)
        return number

    def is_final(self, state: int) -> bool:
        """Whether the node can be over."""
        if state not in self.finals:
            self.finals[state] = self._is_final(self.contents[state])
        return self.finals[state]

    def _is_final(self, content: Content) -> bool:
        match self.operator:
            case "activity":
                return content == (1,)
            case "sequence":
                at, inner = _pair(content)
                later = self.children[at + 1 :]
                return self.children[at].is_final(inner) and all(child.empty for child in later)
            case "exclusive" if content:
                at, inner = _pair(content)
                return self.children[at].is_final(inner)
            case "parallel":
                return all(
                    child.is_final(inner) for child, inner in zip(self.children, _flat(content), strict=True)
                )
            case "loop":
                do = self.children[DO]
                return any(
                    self.children[phase].is_final(inner) and (phase == DO or do.empty)
                    for phase, inner in _pairs(content)
                )
            case _:
                return self.empty

    def step(self, state: int, bit: int) -> int | None:
        """State after an activity; None if it cannot be next."""
        key = (state, bit)
        if key not in self.moves:
            content = self._step(self.contents[state], bit)
            self.moves[key] = None if content is None else self._number(content)
        return self.moves[key]

    def _step(self, content: Content, bit: int) -> Content | None:
        if self.operator == "activity":
            return (1,) if content == (0,) and bit in self.bits else None
        place = self.place.get(bit)
        if place is None:
            return None
        child = self.children[place]
        if self.operator == "loop":
            inners = sorted(
                {child.step(inner, bit) for phase, inner in self._rounds(content) if phase == place} - {None},
                key=lambda inner: inner or 0,
            )
            return tuple((place, inner) for inner in inners if inner is not None) or None
        inner = self._inner(content, place)
        after = None if inner is None else child.step(inner, bit)
        if after is None:
            return None
        if self.operator == "parallel":
            states = _flat(content)
            return (*states[:place], after, *states[place + 1 :])
        return (place, after)

    def _inner(self, content: Content, place: int) -> int | None:
        """State of the child that an activity belongs to; None if it is not its turn."""
        if self.operator == "parallel":
            return _flat(content)[place]
        if not content:
            return self.children[place].start
        at, inner = _pair(content)
        if at == place:
            return inner
        if self.operator == "exclusive" or place < at:
            return None
        between = self.children[at + 1 : place]
        over = self.children[at].is_final(inner) and all(child.empty for child in between)
        return self.children[place].start if over else None

    def _rounds(self, content: Content) -> list[tuple[int, int]]:
        """Everything a loop may be doing: where one part can be over, the other can begin."""
        found = list(_pairs(content))
        for phase, inner in found:
            following = (1 - phase, self.children[1 - phase].start)
            if following not in found and self.children[phase].is_final(inner):
                found.append(following)
        return found

    def enabled(self, state: int) -> int:
        """Activities that can be next, as bits."""
        if state not in self.sets:
            self.sets[state] = self._enabled(self.contents[state])
        return self.sets[state]

    def _enabled(self, content: Content) -> int:
        if self.operator == "activity":
            return 1 << self.bits[0] if content == (0,) else 0
        union = 0
        for place, inner in self._open(content):
            union |= self.children[place].enabled(inner)
        return union

    def _open(self, content: Content) -> list[tuple[int, int]]:
        """Children that may go on or begin, with their states."""
        match self.operator:
            case "sequence":
                at, inner = _pair(content)
                found = [(at, inner)]
                over = self.children[at].is_final(inner)
                while over and at + 1 < len(self.children):
                    at += 1
                    found.append((at, self.children[at].start))
                    over = self.children[at].empty
                return found
            case "parallel":
                return list(enumerate(_flat(content)))
            case "exclusive":
                return (
                    [_pair(content)]
                    if content
                    else [(place, child.start) for place, child in enumerate(self.children)]
                )
            case "loop":
                return self._rounds(content)
            case _:
                return []


def _flat(content: Content) -> tuple[int, ...]:
    return cast("tuple[int, ...]", content)


def _pair(content: Content) -> tuple[int, int]:
    return cast("tuple[int, int]", content)


def _pairs(content: Content) -> tuple[tuple[int, int], ...]:
    return cast("tuple[tuple[int, int], ...]", content)
