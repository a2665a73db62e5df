"""What a pattern is made of, once it is read: a tree of events, places, repeats, paths and choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Activity:
    """One event of an activity; `at` is where its name stands in the pattern."""

    name: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class AnyEvent:
    """One event, whatever it is."""


@dataclass(frozen=True, slots=True)
class Without:
    """One event that is none of these activities."""

    activities: tuple[Activity, ...]


@dataclass(frozen=True, slots=True)
class Start:
    """The place before the first event."""


@dataclass(frozen=True, slots=True)
class End:
    """The place after the last event; of journeys that end in one of these states, or of all (none named)."""

    state: str | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part, repeated: "*", "+" or "?"."""

    part: Node
    sign: str


@dataclass(frozen=True, slots=True)
class Path:
    """Parts that follow each other directly."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    parts: tuple[Node, ...]


Node = Activity | AnyEvent | Without | Start | End | Repeat | Path | Choice
GAP: Final = Repeat(AnyEvent(), "*")


def all_nodes(node: Node) -> Iterator[Node]:
    """A node and all below it, in the order of the text."""
    yield node
    inner: Sequence[Node] = ()
    if isinstance(node, (Path, Choice)):
        inner = node.parts
    elif isinstance(node, Without):
        inner = node.activities
    elif isinstance(node, Repeat):
        inner = (node.part,)
    for part in inner:
        yield from all_nodes(part)
