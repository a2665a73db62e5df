"""Process trees from the directly-follows graph: the inductive miner - directly follows, and its infrequent form.

S. J. J. Leemans, D. Fahland and W. M. P. van der Aalst, "Scalable process discovery and conformance checking",
Software & Systems Modeling 17 (2018), doi 10.1007/s10270-016-0545-x (IMd, IMfD); the filter is that of IMf:
the same, "Discovering block-structured process models from event logs containing infrequent behaviour", BPM
workshops 2013, doi 10.1007/978-3-319-06257-0_6.

Three departures, all measured in benchmarks/validation/rediscovery.py:

- A filter that is tried only where nothing else applies, as in the papers, comes too late on a graph: a single
  swapped pair makes a sequence of two look parallel, and there is no log to correct it. So the filter comes
  first. Since a strong one hides rare but true interleavings, the cut that most of four strengths up to `noise`
  agree on is taken.
- A graph does not show whether a child of a parallel block was skipped, but its counts can prove it: a child
  that happened less often than its block is optional.
- An activity that the filter would cut off keeps its most frequent way in, and an alternative of a choice must
  begin and end: else what is merely rare passes for an alternative to all the rest.
"""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from journeymine.errors import OptionError
from journeymine.process.cuts import Cut, Flow, find_cut, split
from journeymine.process.tree import SILENT, Tree, activity, exclusive, folded, loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from journeymine.counts.graph import GraphCounts

    Choice = tuple[Flow, Cut] | None

STRENGTHS = (1 / 8, 1 / 4, 1 / 2, 1.0)
"""Parts of `noise` at which the filter is tried."""


def discover_tree(graph: GraphCounts, *, noise: float = 0.0, n_empty: int = 0) -> Tree:
    """Discover a process tree from a directly-follows graph.

    Parameters
    ----------
    graph
        Counts of the graph. Activities that never occur are left out.
    noise
        0: every edge counts (IMd). Above 0: edges below this share of the most frequent way on from the same
        activity, and starts and ends below this share of the most frequent, may be taken for noise (IMfD);
        0.2 is usual.
    n_empty
        Cases without any event.

    Returns
    -------
    Tree
        Every activity that occurs, once. Where no block structure is found, ``*( tau, X( ... ) )``: any order,
        any number of times.

    Examples
    --------
    >>> from journeymine.counts.graph import GraphCounts
    >>> follows = np.array([[0, 60, 40, 0], [0, 0, 60, 40], [0, 39, 0, 61], [0, 1, 0, 0]])
    >>> graph = GraphCounts(
    ...     ("a", "b", "c", "d"),
    ...     n=np.array([100, 100, 100, 101]),
    ...     starts=np.array([100, 0, 0, 0]),
    ...     ends=np.array([0, 0, 0, 100]),
    ...     follows=follows,
    ... )
    >>> print(discover_tree(graph))
    ->( 'a', *( tau, X( 'b', 'c', 'd' ) ) )
    >>> print(discover_tree(graph, noise=0.2))
    ->( 'a', +( 'b', 'c' ), 'd' )
    """
    if not 0 <= noise <= 1:
        raise OptionError(
            f"noise is {noise}, expected a number between 0 and 1.", hint="0 keeps everything, 0.2 is usual."
        )
    return mine(graph, noise, n_empty, most_stable_cut)


def mine(graph: GraphCounts, noise: float, n_empty: int, choose: Callable[[Flow, float], Choice]) -> Tree:
    """`discover_tree` with another rule for which cut is taken of which filtered graph."""
    flow = _of_counts(graph, n_empty)
    if not flow.codes:
        return SILENT
    # From the leaves upwards and without recursion: the blocks of 500 activities may be nested 500 deep.
    times = _times(graph)
    done: list[Tree] = []
    waiting: list[tuple[Flow, Cut | None]] = [(flow, None)]
    while waiting:
        part, cut = waiting.pop()
        if cut is not None:
            first = len(done) - len(cut.groups)
            done[first:] = [_optional(_joined(cut, part, done[first:], times, noise), part, noise)]
        elif len(part.codes) > 1 and (choice := choose(part, noise)) is not None:
            waiting.append((part, choice[1]))
            waiting += [(child, None) for child in reversed(split(*choice))]
        else:
            done.append(_optional(_any_order(part, graph.activities, noise), part, noise))
    return done[0]


def _of_counts(graph: GraphCounts, n_empty: int) -> Flow:
    """The activities that occur, with counts below zero taken for none."""
    follows = np.maximum(graph.follows, 0)
    around = graph.n + graph.starts + graph.ends + follows.sum(axis=0) + follows.sum(axis=1)
    of = np.flatnonzero(around > 0)
    starts, ends = np.maximum(graph.starts, 0), np.maximum(graph.ends, 0)
    return Flow(tuple(of.tolist()), follows[np.ix_(of, of)], starts[of], ends[of], n_empty)


def most_stable_cut(flow: Flow, noise: float) -> Choice:
    """The cut that most strengths of the filter agree on, with the least filtered graph that has it."""
    if noise > 0:
        found = [
            (part, cut)
            for part in _filtered_more_and_more(flow, noise)
            if (cut := find_cut(part)) and _is_whole(cut, flow)
        ]
        if found:
            votes = Counter(str(cut) for _, cut in found)
            most = max(votes.values())
            # Of equally many the stronger filter's.
            winner = [str(cut) for _, cut in found if votes[str(cut)] == most][-1]
            return next((part, cut) for part, cut in found if str(cut) == winner)
    whole = find_cut(flow)
    return None if whole is None else (flow, whole)


def _is_whole(cut: Cut, flow: Flow) -> bool:
    """Whether every alternative of a choice begins and ends; what the filter cut off is none."""
    return cut.operator != "exclusive" or all(
        flow.starts[group].any() and flow.ends[group].any() for group in cut.groups
    )


def _filtered_more_and_more(flow: Flow, noise: float) -> list[Flow]:
    return [filtered(flow, noise * strength) for strength in STRENGTHS]


def filtered(flow: Flow, noise: float) -> Flow:
    """The graph without infrequent edges, starts and ends: the rule of IMf.

    An edge stays if it is above `noise` times the most frequent way on from its source, the end among them;
    a start (or end) if it is at least `noise` times the most frequent.

    Examples
    --------
    >>> flow = Flow((0, 1), np.array([[0, 50], [2, 0]]), np.array([50, 1]), np.array([2, 49]))
    >>> filtered(flow, 0.1).follows.tolist()
    [[0, 50], [0, 0]]
    """
    strongest = np.maximum(flow.follows.max(axis=1, initial=0), flow.ends)
    follows = np.where(flow.follows > noise * strongest[:, None], flow.follows, 0)
    starts, ends = _frequent(flow.starts, noise), _frequent(flow.ends, noise)
    # What is rare all in all keeps its most frequent way in: cut off, it would pass for an alternative to the rest.
    others = flow.follows * ~np.eye(len(follows), dtype=np.bool_)
    best = others.max(axis=0, initial=0)
    lost = (best > 0) & (starts == 0) & ~(others * (follows > 0)).any(axis=0)
    follows = np.where(lost[None, :] & (others == best[None, :]), flow.follows, follows)
    return Flow(flow.codes, follows, starts, ends, flow.n_empty)


def _frequent(counts: NDArray[np.int64], noise: float) -> NDArray[np.int64]:
    return np.where(counts >= noise * counts.max(initial=0), counts, 0)


def _any_order(flow: Flow, names: tuple[str, ...], noise: float) -> Tree:
    """What is left when there is no cut: one activity, or all in any order and any number of times."""
    leaves = [activity(names[code]) for code in flow.codes]
    if len(leaves) > 1:
        return loop(SILENT, exclusive(*leaves))
    again = int(flow.follows[0, 0])
    return loop(SILENT, leaves[0]) if again > noise * max(again, int(flow.ends[0])) else leaves[0]


def _joined(cut: Cut, flow: Flow, children: list[Tree], times: dict[str, int], noise: float) -> Tree:
    if cut.operator == "loop":
        return loop(children[0], children[1] if len(children) == 2 else exclusive(*children[1:]))
    if cut.operator == "parallel":
        n_block = int(flow.starts.sum())
        missing = [n_block - _most_often(child, times) for child in children]
        children = [
            exclusive(SILENT, child) if n > noise * n_block else child
            for child, n in zip(children, missing, strict=True)
        ]
    return Tree(cut.operator, tuple(children))


def _optional(tree: Tree, flow: Flow, noise: float) -> Tree:
    total = flow.n_empty + int(flow.starts.sum())
    return exclusive(SILENT, tree) if flow.n_empty > noise * total else tree


def _times(graph: GraphCounts) -> dict[str, int]:
    """How often each activity happened; of counts that contradict each other the highest."""
    into, out = graph.follows.sum(axis=0) + graph.starts, graph.follows.sum(axis=1) + graph.ends
    highest = np.maximum(np.maximum(into, out), graph.n)
    return dict(zip(graph.activities, highest.tolist(), strict=True))


def _most_often(tree: Tree, times: dict[str, int]) -> float:
    """Upper bound on how often a tree was gone through: as often as its rarest step that cannot be skipped."""
    return folded(tree, lambda node, below: _bound(node, below, times))


def _bound(node: Tree, below: list[float], times: dict[str, int]) -> float:
    if not below:
        return inf if node.activity is None else times[node.activity]
    if node.operator == "loop":
        return below[0]
    return sum(below) if node.operator == "exclusive" else min(below)
