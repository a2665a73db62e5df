"""Process trees: block-structured models, written as text the way pm4py and PTML tools read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Operator = Literal["activity", "silent", "sequence", "exclusive", "parallel", "loop"]
SIGNS: dict[str, str] = {"sequence": "->", "exclusive": "X", "parallel": "+", "loop": "*"}


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
        if self.operator == "silent":
            return "tau"
        if self.operator == "activity":
            return "'" + str(self.activity).replace("\\", "\\\\").replace("'", "\\'") + "'"
        return f"{SIGNS[self.operator]}( {', '.join(str(child) for child in self.children)} )"

    def leaves(self) -> Iterator[Tree]:
        """Leaves from left to right, silent ones included."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()

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
