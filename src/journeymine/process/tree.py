"""Process trees: block-structured models, written as text the way pm4py and PTML tools read it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from journeymine.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Operator = Literal["activity", "silent", "sequence", "exclusive", "parallel", "loop"]
SIGNS: dict[str, str] = {"sequence": "->", "exclusive": "X", "parallel": "+", "loop": "*"}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tree:
    """A node of a process tree.

    Attributes
    ----------
    operator
        "activity" and "silent" are leaves; a "loop" has two children: what is done, and what leads back to it.
    children
        Sub-trees, in order.
    activity
        Name of the activity of a leaf.

    Examples
    --------
    >>> print(sequence(activity("a"), exclusive(activity("b"), SILENT), loop(activity("c"), SILENT)))
    ->( 'a', X( 'b', tau ), *( 'c', tau ) )
    """

    operator: Operator
    children: tuple[Tree, ...] = ()
    activity: str | None = None

    def __str__(self) -> str:
        return folded(self, _text)

    def leaves(self) -> Iterator[Tree]:
        """Leaves from left to right, silent ones included."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            if not node.children:
                yield node
            waiting.extend(reversed(node.children))

    @property
    def activities(self) -> tuple[str, ...]:
        """Names of the activities of the leaves, from left to right."""
        return tuple(str(leaf.activity) for leaf in self.leaves() if leaf.operator == "activity")


SILENT = Tree("silent")


def activity(name: str) -> Tree:
    """A leaf that is an activity."""
    return Tree("activity", (), name)


def sequence(*children: Tree) -> Tree:
    """One after the other."""
    return Tree("sequence", children)


def exclusive(*children: Tree) -> Tree:
    """Exactly one of them."""
    return Tree("exclusive", children)


def parallel(*children: Tree) -> Tree:
    """All of them, interleaved in any way."""
    return Tree("parallel", children)


def loop(do: Tree, redo: Tree) -> Tree:
    """`do` once, then any number of times `redo` and `do`."""
    return Tree("loop", (do, redo))


def folded(tree: Tree, combine: Callable[[Tree, list[T]], T]) -> T:
    """Combine a tree from its leaves upwards: `combine(node, results of its children)`.

    Without recursion, since a model of 500 activities may be nested 500 deep.

    Examples
    --------
    >>> folded(sequence(activity("a"), SILENT), lambda node, below: 1 + sum(below))
    3
    """
    results: list[T] = []
    waiting = [(tree, False)]
    while waiting:
        node, ready = waiting.pop()
        if not ready:
            waiting.append((node, True))
            waiting.extend((child, False) for child in reversed(node.children))
            continue
        first = len(results) - len(node.children)
        below = results[first:]
        del results[first:]
        results.append(combine(node, below))
    return results[0]


def _text(node: Tree, below: Sequence[str]) -> str:
    if node.operator == "silent":
        return "tau"
    if node.operator == "activity":
        return "'" + str(node.activity).replace("\\", "\\\\").replace("'", "\\'") + "'"
    return f"{SIGNS[node.operator]}( {', '.join(below)} )"


def can_be_empty(tree: Tree) -> bool:
    """Whether the tree allows that nothing happens at all.

    Examples
    --------
    >>> can_be_empty(parse_tree("*( 'a', tau )")), can_be_empty(parse_tree("*( tau, 'a' )"))
    (False, True)
    """
    return folded(tree, lambda node, below: skippable(node.operator, below))


def skippable(operator: Operator, below: Sequence[bool]) -> bool:
    """Whether a node can be empty, from whether its children can."""
    if operator in ("activity", "silent"):
        return operator == "silent"
    if operator == "loop":
        return below[0]
    return any(below) if operator == "exclusive" else all(below)


def normalised(tree: Tree) -> Tree:
    """Canonical form, with the same language: equal block structures become equal trees.

    Nested sequences, choices, parallels and loops are flattened, children of choices and parallels sorted,
    silent steps that change nothing removed, "any number of times" always written as ``*( tau, ... )``.

    Examples
    --------
    >>> print(normalised(parse_tree("X( 'b', X( tau, 'a' ), ->( tau, *( *( 'c', 'e' ), 'd' ) ) )")))
    X( 'a', 'b', *( 'c', X( 'd', 'e' ) ), tau )
    >>> print(normalised(parse_tree("X( tau, *( 'a', tau ) )")))
    *( tau, 'a' )
    """
    return folded(tree, _normal)


def _normal(node: Tree, below: list[Tree]) -> Tree:
    if node.operator in ("sequence", "parallel"):
        return _normal_steps(node.operator, below)
    if node.operator == "exclusive":
        return _normal_choice(below)
    if node.operator == "loop":
        return _normal_loop(below[0], _normal_choice(below[1:]))
    return node


def _normal_steps(operator: Operator, below: list[Tree]) -> Tree:
    children = [child for child in _flat(operator, below) if child.operator != "silent"]
    if operator == "parallel":
        children.sort(key=str)
    return _wrapped(operator, children)


def _normal_choice(below: list[Tree]) -> Tree:
    flat = _flat("exclusive", below)
    children = _distinct(flat)
    if SILENT not in flat or any(can_be_empty(child) for child in children):
        return _wrapped("exclusive", children)
    for at, child in enumerate(children):
        if child.operator == "loop" and child.children[1] == SILENT:
            # A choice between nothing and once or more is any number of times.
            children[at] = _normal_loop(SILENT, child.children[0])
            return _normal_choice(children)
    return _wrapped("exclusive", [*children, SILENT])


def _normal_loop(do: Tree, redo: Tree) -> Tree:
    if do.operator == "loop":
        # A (B A)* (C A (B A)*)* = A ((B or C) A)*
        return _normal_loop(do.children[0], _normal_choice([do.children[1], redo]))
    if redo == SILENT and can_be_empty(do):
        do, redo = SILENT, do
    if do == SILENT:
        return _any_number(redo)
    return loop(do, redo)


def _any_number(of: Tree) -> Tree:
    """``*( tau, of )``, without what any number of times makes superfluous inside `of`."""
    parts, waiting = [], [of]
    while waiting:
        part = waiting.pop()
        if part.operator == "exclusive" or (part.operator == "loop" and SILENT in part.children):
            waiting.extend(part.children)
        else:
            parts.append(part)
    children = _distinct(parts)
    return loop(SILENT, _wrapped("exclusive", children)) if children else SILENT


def _distinct(trees: list[Tree]) -> list[Tree]:
    """Each once, sorted by text, without the silent step. Hashing would recurse, text does not."""
    by_text = {str(tree): tree for tree in trees if tree.operator != "silent"}
    return [by_text[text] for text in sorted(by_text)]


def _flat(operator: Operator, below: list[Tree]) -> list[Tree]:
    """Children, with the children of those that are of the same operator in their place."""
    return [part for child in below for part in (child.children if child.operator == operator else (child,))]


def _wrapped(operator: Operator, children: list[Tree]) -> Tree:
    if len(children) > 1:
        return Tree(operator, tuple(children))
    return children[0] if children else SILENT


TOKEN = re.compile(
    r"""\s*(?:(?P<open>->|[→xX×+∧*⟲↺])\s*\(|(?P<close>\))|(?P<comma>,)|(?P<silent>tau\b|τ)"""
    r"""|'(?P<name>(?:[^'\\]|\\.)*)'|"(?P<quoted>(?:[^"\\]|\\.)*)")""",
    re.DOTALL,
)
OPERATORS: dict[str, Operator] = {
    **dict.fromkeys(("->", "→"), "sequence"),
    **dict.fromkeys(("x", "X", "×"), "exclusive"),
    **dict.fromkeys(("+", "∧"), "parallel"),
    **dict.fromkeys(("*", "⟲", "↺"), "loop"),
}
EXAMPLE = "write it like ->( 'a', X( 'b', tau ), +( 'c', 'd' ), *( 'e', tau ) ), names in quotes."


def parse_tree(text: str) -> Tree:
    r"""Read a tree from its text.

    Parameters
    ----------
    text
        Operators ``->`` (sequence), ``X`` (choice), ``+`` (parallel), ``*`` (loop of two children), ``tau``;
        names in quotes, with ``\`` before a quote or a backslash. The signs → × ∧ ⟲ τ are read too.

    Examples
    --------
    >>> parse_tree("->( 'a', X( 'b', tau ) )") == sequence(activity("a"), exclusive(activity("b"), SILENT))
    True
    """
    at, open_nodes = 0, [_Open("", 0)]
    wants_child = True
    text = text.rstrip()
    while at < len(text):
        token = TOKEN.match(text, at)
        kind = token.lastgroup if token else None
        wanted = ("open", "silent", "name", "quoted") if wants_child else ("close", "comma")
        if token is None or kind not in wanted or (len(open_nodes) == 1 and not wants_child):
            raise _unreadable(text, at)
        if kind == "open":
            open_nodes.append(_Open(token["open"], at))
        elif kind == "close":
            child = open_nodes.pop().closed(text)
            open_nodes[-1].children.append(child)
        elif kind != "comma":
            open_nodes[-1].children.append(_leaf(token))
        wants_child = kind in ("open", "comma")
        at = token.end()
    if wants_child or len(open_nodes) > 1:
        raise _unreadable(text, len(text))
    return open_nodes[0].children[0]


class _Open:
    """An operator whose bracket is not closed yet."""

    def __init__(self, sign: str, at: int) -> None:
        self.sign, self.at = sign, at
        self.children: list[Tree] = []

    def closed(self, text: str) -> Tree:
        operator = OPERATORS[self.sign]
        if operator == "loop" and len(self.children) != 2:
            raise OptionError(
                f"process tree: the loop at character {self.at + 1} has {len(self.children)} children, expected 2.",
                found=_around(text, self.at),
                hint="what is done, then what leads back to it: *( 'a', tau ); a choice of ways back is X( ... ).",
            )
        return Tree(operator, tuple(self.children))


def _leaf(token: re.Match[str]) -> Tree:
    if token["silent"]:
        return SILENT
    name = token["name"] if token["name"] is not None else token["quoted"]
    return activity(re.sub(r"\\(.)", r"\1", cast("str", name), flags=re.DOTALL))


def _unreadable(text: str, at: int) -> OptionError:
    where = "the text ends too early" if at >= len(text) else f"character {at + 1} cannot be read"
    return OptionError(f"process tree: {where}.", found=_around(text, at) or None, hint=EXAMPLE)


def _around(text: str, at: int) -> str:
    return text[max(0, at - 30) : at + 30].strip()
