"""Precision: how much a model allows that was never seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from journeymine.process.automaton import Automaton

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.process.tree import Tree

    Variant = tuple[tuple[str, ...], int]


@dataclass(slots=True)
class _Prefix:
    """What is known of the journeys that begin alike."""

    n: int = 0
    next: dict[str, _Prefix] = field(default_factory=dict)


def escaping_edges(tree: Tree, variants: Sequence[Variant]) -> float:
    """Precision of a process tree by escaping edges.

    Every beginning of a journey is replayed; where it leaves the model, what the model allows next is compared with
    what came next in the log. One minus the allowed moves that never came ("escaping edges") over all allowed ones,
    weighted by how often each beginning was seen: Muñoz-Gama and Carmona, "A fresh look at precision in process
    conformance", BPM 2010. Beginnings that the model does not allow do not count; activities that the model does not
    know are passed over, as token replay does. The replay follows every silent way at once, so it is exact.

    Parameters
    ----------
    tree
        Every activity at most once.
    variants
        Activities in order, and how many cases took them.

    Examples
    --------
    >>> from journeymine.process.tree import parse_tree
    >>> log = [(("a", "b"), 1)]
    >>> escaping_edges(parse_tree("->( 'a', 'b' )"), log), escaping_edges(parse_tree("->( 'a', X( 'b', 'c' ) )"), log)
    (1.0, 0.6666666666666667)
    """
    machine = Automaton(tree)
    with machine.room():
        allowed, escaping = _sums(machine, _beginnings(variants))
    return 1 - escaping / allowed if allowed else 1.0


def _sums(machine: Automaton, beginnings: _Prefix) -> tuple[int, int]:
    """Allowed moves after all beginnings, and those of them that never came."""
    allowed = escaping = 0
    waiting = [(beginnings, machine.start)]
    while waiting:
        prefix, state = waiting.pop()
        enabled = machine.enabled(state)
        seen = 0
        for name, longer in prefix.next.items():
            bit = machine.code.get(name)
            after = state if bit is None else machine.step(state, name)
            if bit is not None:
                seen |= 1 << bit
            if after is not None and longer.next:
                waiting.append((longer, after))
        allowed += prefix.n * enabled.bit_count()
        escaping += prefix.n * (enabled & ~seen).bit_count()
    return allowed, escaping


def _beginnings(variants: Sequence[Variant]) -> _Prefix:
    """All beginnings of journeys as a tree; `n` counts the journeys that go on from there."""
    root = _Prefix()
    for path, n in variants:
        at = root
        for name in path:
            at.n += n
            at = at.next.setdefault(name, _Prefix())
    return root
