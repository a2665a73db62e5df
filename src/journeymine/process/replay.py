"""Exact replay: whether a trace is in the language of a process tree in which every activity appears once.

Unique labels make most of it a table lookup: without parallel blocks such a tree describes a local language, in
which only the first activity, the last one and the pairs between decide (Glushkov 1961; Berry and Sethi 1986).
A parallel block is checked by projection on each child. What is left, a loop around a parallel block, is cut
into rounds by dynamic programming: polynomial, never an enumeration.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import groupby, pairwise
from operator import or_
from typing import TYPE_CHECKING

from journeymine.errors import OptionError
from journeymine.process.tree import (
    SILENT,
    Operator,
    Tree,
    activity,
    can_be_empty,
    exclusive,
    folded,
    loop,
    skippable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Word = tuple[int, ...]
Memo = dict[tuple[int, Word], bool]


def accepts(tree: Tree, trace: Sequence[str]) -> bool:
    """Whether a trace is in the language of a tree.

    Parameters
    ----------
    tree
        Every activity at most once.
    trace
        Names of the activities, in order.

    Examples
    --------
    >>> from journeymine.process.tree import parse_tree
    >>> tree = parse_tree("->( 'a', *( +( 'b', 'c' ), tau ) )")
    >>> accepts(tree, ["a", "c", "b", "b", "c"]), accepts(tree, ["a", "b", "b", "c", "c"])
    (True, False)
    """
    return count_accepted(tree, [trace]) == 1


def count_accepted(tree: Tree, traces: Iterable[Sequence[str]], counts: Iterable[int] | None = None) -> int:
    """How many of the traces a tree accepts.

    Parameters
    ----------
    tree
        Every activity at most once.
    traces
        Traces, or the variants of a log.
    counts
        Cases of each variant; 1 by default.

    Examples
    --------
    >>> from journeymine.process.tree import parse_tree
    >>> count_accepted(parse_tree("X( 'a', ->( 'b', 'c' ) )"), [("a",), ("b", "c"), ("b",)], [10, 5, 1])
    15
    """
    names = tree.activities
    code = {name: at for at, name in enumerate(names)}
    if len(code) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise OptionError(
            "process tree: an activity appears more than once, which exact replay cannot follow.",
            found=", ".join(twice[:5]),
            hint="use an alignment instead.",
        )
    block = folded(tree, lambda node, below: _block(node, below, code))
    memo: Memo = {}
    total = 0
    for trace, n in zip(traces, counts, strict=True) if counts is not None else ((t, 1) for t in traces):
        word = tuple(code.get(name, -1) for name in trace)
        total += n * (-1 not in word and _accepted(block, word, memo))
    return total


def loosened(tree: Tree, traces: Iterable[Sequence[str]]) -> Tree:
    """Allow what a tree does not: weaken its smallest blocks until it accepts all of the traces.

    A directly-follows graph cannot tell `a b | b a` from `a b a | b`, so that a model discovered from it may miss
    traces inside parallel blocks. A step that is missing becomes optional; a block in which the order differs
    becomes ``*( tau, X( ... ) )``.

    Parameters
    ----------
    tree
        Every activity at most once.
    traces
        Traces of the activities of the tree.

    Examples
    --------
    >>> from journeymine.process.tree import parse_tree
    >>> print(loosened(parse_tree("->( 'a', +( 'b', 'c' ) )"), [("a", "b", "c"), ("a", "c")]))
    ->( 'a', +( X( tau, 'b' ), 'c' ) )
    """
    words = {tuple(trace) for trace in traces}
    unknown = sorted({name for word in words for name in word} - set(tree.activities))
    if unknown:
        raise OptionError(
            "traces: activities that are not in the tree.",
            found=", ".join(unknown[:5]),
            hint="leave these traces out, or discover a tree from all of them.",
        )
    return _loosened(tree, words)


def _loosened(tree: Tree, words: set[tuple[str, ...]]) -> Tree:
    if count_accepted(tree, words) == len(words):
        return tree
    if () in words and not can_be_empty(tree):
        return exclusive(SILENT, _loosened(tree, words - {()}))
    names = [frozenset(child.activities) for child in tree.children]
    parts = [_parts_of(word, tree.operator, names) for word in words] if names else [None]
    if None in parts:
        leaves = [activity(name) for name in tree.activities]
        return loop(SILENT, leaves[0] if len(leaves) == 1 else exclusive(*leaves))
    below = zip(tree.children, zip(*(part for part in parts if part is not None), strict=True), strict=True)
    return Tree(tree.operator, tuple(_loosened(child, set().union(*seen)) for child, seen in below))


def _parts_of(
    word: tuple[str, ...], operator: Operator, names: list[frozenset[str]]
) -> list[set[tuple[str, ...]]] | None:
    """What a word asks of each child; None if the operator does not allow it whatever the children are."""
    own = [tuple(name for name in word if name in of) for of in names]
    if operator == "parallel":
        return [{part} for part in own]
    if operator == "sequence":
        return [{part} for part in own] if sum(own, ()) == word else None
    if operator == "exclusive":
        return [{part} if part else set() for part in own] if word in own else None
    if not word:
        return [{()}, set()]
    runs = [(of, tuple(run)) for of, run in groupby(word, key=lambda name: name in names[1])]
    if runs[0][0] or runs[-1][0]:
        return None
    return [{run for of, run in runs if of == back} for back in (False, True)]


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """A node with what decides about its words; sets of activities are bits of integers.

    `names`: its activities. `first`, `last`, `follow`: what words begin and end with, and what follows each
    activity in them; where the block is `local` these and `empty` decide alone. `longest`: length of the longest
    word, None without limit.
    """

    operator: Operator
    children: tuple[_Block, ...]
    names: int
    empty: bool
    first: int
    last: int
    follow: dict[int, int]
    local: bool
    longest: int | None


def _block(node: Tree, below: list[_Block], code: dict[str, int]) -> _Block:
    operator = node.operator
    empty = skippable(operator, [child.empty for child in below])
    if not below:
        own = 0 if node.activity is None else 1 << code[node.activity]
        follow = {} if node.activity is None else {code[node.activity]: 0}
        return _Block(operator, (), own, empty, own, own, follow, True, own.bit_count())
    ordered = operator in ("sequence", "loop")
    first, last = ([c.first for c in below], [c.last for c in below])
    gaps = [c.empty for c in below]
    return _Block(
        operator,
        tuple(below),
        _union(child.names for child in below),
        empty,
        _ahead(first, gaps) if ordered else _union(first),
        _behind(operator, last, gaps) if ordered else _union(last),
        _follow(operator, below),
        operator != "parallel" and all(child.local for child in below),
        _longest(operator, [child.longest for child in below]),
    )


def _union(sets: Iterable[int]) -> int:
    return reduce(or_, sets, 0)


def _ahead(sets: list[int], gaps: list[bool]) -> int:
    """What can come first: the first part, and the next as long as those before it can be empty."""
    seen = 0
    for part, gap in zip(sets, gaps, strict=True):
        seen |= part
        if not gap:
            break
    return seen


def _behind(operator: Operator, sets: list[int], gaps: list[bool]) -> int:
    # A loop ends with its body too: what leads back comes last only where the body can be empty.
    return _ahead(sets, gaps) if operator == "loop" else _ahead(sets[::-1], gaps[::-1])


def _follow(operator: Operator, below: list[_Block]) -> dict[int, int]:
    follow = {at: after for child in below for at, after in child.follow.items()}
    if operator == "parallel":
        every = _union(child.names for child in below)
        for child in below:
            for at in child.follow:
                follow[at] |= every & ~child.names
    if operator == "sequence":
        for at, child in enumerate(below[:-1]):
            rest = below[at + 1 :]
            _extend(follow, child.last, _ahead([c.first for c in rest], [c.empty for c in rest]))
    if operator == "loop":
        do, redo = below
        _extend(follow, do.last, redo.first | (do.first if redo.empty else 0))
        _extend(follow, redo.last, do.first | (redo.first if do.empty else 0))
    return follow


def _extend(follow: dict[int, int], of: int, by: int) -> None:
    for at in follow:
        if of >> at & 1:
            follow[at] |= by


def _longest(operator: Operator, lengths: list[int | None]) -> int | None:
    known = [n for n in lengths if n is not None]
    if len(known) < len(lengths) or (operator == "loop" and any(known)):
        return None
    return max(known) if operator == "exclusive" else sum(known)


def _accepted(block: _Block, word: Word, memo: Memo) -> bool:
    if not word:
        return block.empty
    if not _plausible(block, word):
        return False
    if block.local:
        return True
    key = (id(block), word)
    if key not in memo:
        memo[key] = CHECKS[block.operator](block, word, memo)
    return memo[key]


def _plausible(block: _Block, word: Word) -> bool:
    """What every word of the block fulfils, and of a local block every other does not."""
    if block.longest is not None and len(word) > block.longest:
        return False
    if not (block.first >> word[0] & 1 and block.last >> word[-1] & 1):
        return False
    follow = block.follow
    return all(b in follow and follow[a] >> b & 1 for a, b in pairwise(word))


def _projections(block: _Block, word: Word) -> list[Word]:
    return [tuple(a for a in word if child.names >> a & 1) for child in block.children]


def _one(block: _Block, word: Word, memo: Memo) -> bool:
    return any(_accepted(child, word, memo) for child in block.children if child.names >> word[0] & 1)


def _all(block: _Block, word: Word, memo: Memo) -> bool:
    """A parallel block, or a sequence: there the pairs have shown that the children come in their order."""
    parts = zip(block.children, _projections(block, word), strict=True)
    return all(_accepted(child, part, memo) for child, part in parts)


def _rounds(block: _Block, word: Word, memo: Memo) -> bool:
    """A loop: the positions at which a body can be over, and those at which a way back can."""
    do, redo = block.children
    n = len(word)
    done, back = [False] * (n + 1), [True] + [False] * n
    for at in range(n + 1):
        done[at] = _reached(do, word, at, back, memo)
        if at:
            back[at] = _reached(redo, word, at, done, memo)
        # Either may be empty, after the other.
        done[at] = done[at] or (do.empty and back[at])
        back[at] = back[at] or (redo.empty and done[at])
    return done[n]


def _reached(block: _Block, word: Word, at: int, before: list[bool], memo: Memo) -> bool:
    """Whether a word of the block ends at a position and begins where the other part was left."""
    lowest = 0 if block.longest is None else max(0, at - block.longest)
    for begin in range(at - 1, lowest - 1, -1):
        if not block.names >> word[begin] & 1:
            return False
        if before[begin] and _accepted(block, word[begin:at], memo):
            return True
    return False


CHECKS = {"exclusive": _one, "sequence": _all, "parallel": _all, "loop": _rounds}
