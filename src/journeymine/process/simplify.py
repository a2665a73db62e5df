"""A picture that can be read: which activities and moves to show, by a stated rule, and never one left hanging."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.graph import GraphCounts
from journeymine.errors import OptionError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Edge = tuple[int, int]

MAX_ACTIVITIES = 40
MAX_EDGES = 150
EVENT_SHARE = 0.99
MOVE_SHARE = 0.95
NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule of a simplification, and what it led to, in plain numbers.

    Attributes
    ----------
    max_activities, max_edges, event_share, move_share
        As asked for: activities by frequency until they hold `event_share` of all events, moves by frequency until
        they hold `move_share` of all moves, neither more than the limits.
    n_activities, n_edges
        Of the whole graph.
    n_backbone
        Moves that are shown however rare they are, so that every activity can be reached and left.
    least_events, least_moves
        Events of the rarest activity shown, moves of the rarest move shown outside the backbone; 0 if there is none.
    """

    max_activities: int
    max_edges: int
    event_share: float
    move_share: float
    n_activities: int
    n_edges: int
    n_backbone: int
    least_events: int
    least_moves: int


@dataclass(frozen=True, slots=True, eq=False)
class Simplified:
    """The part of a directly-follows graph that is shown.

    Attributes
    ----------
    graph
        The whole graph.
    codes
        Activities shown, sorted; their starts and ends are shown with them.
    source, target
        Moves shown, sorted by codes, shape (m,).
    backbone
        Whether a move belongs to the backbone, shape (m,).
    rule
        How they were chosen.
    """

    graph: GraphCounts
    codes: tuple[int, ...]
    source: Ints
    target: Ints
    backbone: NDArray[np.bool_]
    rule: Rule

    @property
    def n_hidden_activities(self) -> int:
        """Activities that are not shown."""
        return self.rule.n_activities - len(self.codes)

    @property
    def n_hidden_edges(self) -> int:
        """Moves that are not shown."""
        return self.rule.n_edges - len(self.source)

    @property
    def shown(self) -> GraphCounts:
        """The graph that is shown, as if nothing else were: its activities, their starts and ends, its moves."""
        keep = np.array(self.codes, dtype=np.int64)
        follows = np.zeros_like(self.graph.follows)
        follows[self.source, self.target] = self.graph.follows[self.source, self.target]
        return GraphCounts(
            tuple(self.graph.activities[code] for code in self.codes),
            self.graph.n[keep],
            self.graph.starts[keep],
            self.graph.ends[keep],
            follows[np.ix_(keep, keep)],
        )

    def __repr__(self) -> str:
        rule = self.rule
        return (
            f"Simplified: {len(self.codes)} of {rule.n_activities} activities, "
            f"{len(self.source)} of {rule.n_edges} moves\n"
            f"  the rarest activity has {rule.least_events:,} events\n"
            f"  the rarest move outside the backbone of {rule.n_backbone} happened {rule.least_moves:,} times\n"
            "Next: explain(log, simplified)"
        )


def simplify(
    graph: GraphCounts,
    *,
    max_activities: int = MAX_ACTIVITIES,
    max_edges: int = MAX_EDGES,
    event_share: float = EVENT_SHARE,
    move_share: float = MOVE_SHARE,
    always: Sequence[int] = (),
) -> Simplified:
    """Hide rare activities and moves.

    1. Activities are taken from the most frequent to the rarest until they hold `event_share` of the events. Each
       brings the activities of its best way in from a start and of its best way out to an end; a way is as good as its
       rarest move. One whose ways would exceed `max_activities` is passed over.
    2. The moves of these ways are the backbone, which is shown in any case.
    3. Other moves between the activities follow from the most frequent until all that is shown holds `move_share` of
       the moves, or there are `max_edges` of them with the backbone, which is never cut.

    Ties go by the names of the activities. Starts and ends belong to their activity and are shown with it.

    Parameters
    ----------
    always
        Codes of activities that are taken before all others, such as the goal.

    Raises
    ------
    OptionError
        A limit is not a whole number from 1, or a share not between 0 and 1.

    Examples
    --------
    >>> follows = np.array([[0, 90, 10, 0], [0, 0, 0, 80], [0, 0, 0, 9], [0, 0, 0, 0]])
    >>> starts, ends = np.array([100, 0, 0, 0]), np.array([0, 10, 1, 89])
    >>> graph = GraphCounts(("a", "b", "c", "d"), np.array([100, 90, 10, 89]), starts, ends, follows)
    >>> simple = simplify(graph, event_share=0.9)
    >>> [graph.activities[code] for code in simple.codes], simple.n_hidden_edges
    (['a', 'b', 'd'], 2)
    """
    for name, limit in (("max_activities", max_activities), ("max_edges", max_edges)):
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise OptionError(f"{name} is {shown(limit)}, expected a whole number from 1.")
    for name, share in (("event_share", event_share), ("move_share", move_share)):
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share <= 1:
            raise OptionError(
                f"{name} is {shown(share)}, expected a number above 0, at most 1.", hint=f"pass {name}=0.95."
            )
    codes, backbone = _activities(graph, max_activities, event_share, always)
    order = sorted(_moves(graph, codes, backbone, max_edges, move_share))
    rare = [int(graph.follows[edge]) for edge in order if edge not in backbone]
    rule = Rule(
        max_activities,
        max_edges,
        event_share,
        move_share,
        int((graph.n > 0).sum()),
        int((graph.follows > 0).sum()),
        len(backbone),
        min((int(graph.n[code]) for code in codes), default=0),
        min(rare, default=0),
    )
    ends = np.array(order, dtype=np.int64).reshape(-1, 2)
    is_backbone = np.array([edge in backbone for edge in order], dtype=bool)
    return Simplified(graph, tuple(sorted(codes)), ends[:, 0], ends[:, 1], is_backbone, rule)


def _best_ways(follows: Ints, begins: Ints) -> Ints:
    """Before each activity, the one on its best way from a start: itself if it is a start, NOWHERE if there is no way.

    Widest paths (Pollack 1960) by Dijkstra's scheme: the best way has the greatest least count. Where ways are equally
    good, the activity met first is preferred, by fewer moves and then the smaller code.
    """
    k = len(begins)
    before = np.full(k, NOWHERE, dtype=np.int64)
    width = begins.astype(np.int64).copy()
    steps = np.zeros(k, dtype=np.int64)
    before[begins > 0] = np.flatnonzero(begins > 0)
    open_ = np.ones(k, dtype=bool)
    for _ in range(k):
        best = np.lexsort((np.arange(k), steps, -width, ~open_))[0]
        if not width[best]:
            break
        open_[best] = False
        through = np.minimum(follows[best], width[best])
        better = (through > width) | (
            (through == width)
            & (through > 0)
            & (
                (steps[best] + 1 < steps)
                | ((steps[best] + 1 == steps) & (best < before) & (before != np.arange(k)))
            )
        )
        better &= open_
        width[better], steps[better], before[better] = through[better], steps[best] + 1, best
    return before


def _way(code: int, before: Ints) -> list[int]:
    """The activities of a best way, from the end to the beginning; nothing if there is no way."""
    if before[code] == NOWHERE:
        return []
    way = [code]
    while before[way[-1]] != way[-1]:
        way.append(int(before[way[-1]]))
    return way


def _activities(
    graph: GraphCounts, most: int, share: float, always: Sequence[int]
) -> tuple[set[int], set[Edge]]:
    """Activities to show, and the moves of their ways in and out: the backbone."""
    into, out = _best_ways(graph.follows, graph.starts), _best_ways(graph.follows.T, graph.ends)
    first = set(always)
    order = sorted(range(len(graph.n)), key=lambda code: (code not in first, -int(graph.n[code]), code))
    wanted, total = share * int(graph.n.sum()), 0
    kept: set[int] = set()
    backbone: set[Edge] = set()
    for code in order:
        if not graph.n[code] or (total >= wanted and code not in first):
            continue
        way_in, way_out = _way(code, into), _way(code, out)
        more = {*way_in, *way_out} - kept
        if way_in and way_out and len(kept) + len(more) <= most:
            kept |= more
            total += sum(int(graph.n[c]) for c in more)
            backbone |= {(a, b) for b, a in pairwise(way_in)} | set(pairwise(way_out))
    return kept, backbone


def _moves(graph: GraphCounts, codes: set[int], backbone: set[Edge], most: int, share: float) -> set[Edge]:
    """The backbone, and the most frequent other moves between the activities."""
    chosen = set(backbone)
    held = sum(int(graph.follows[edge]) for edge in backbone)
    wanted = share * int(graph.follows.sum())
    others = [(a, b) for a in codes for b in codes if graph.follows[a, b] and (a, b) not in backbone]
    for edge in sorted(others, key=lambda edge: (-int(graph.follows[edge]), edge)):
        if held >= wanted or len(chosen) >= most:
            break
        chosen.add(edge)
        held += int(graph.follows[edge])
    return chosen
