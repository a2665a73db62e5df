"""Points: the steps, and one point in every row that a path crosses on its way."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from journeymine.draw.layout.graph import Pair, Path, Previous, Step

LANE: Final = 8.0
GAP: Final = 22.0
LANE_GAP: Final = 0.55 * GAP
TO_LANE, ALONG_LANE = 2.0, 30.0
"""Pull between a step and a point of a path, and between two points: long paths stay straight."""

Neighbours = list[list[tuple[int, float]]]


@dataclass(frozen=True, slots=True)
class Points:
    """Points 0 to k - 1 are the steps, the others the crossings of rows.

    Attributes
    ----------
    rows
        Points of each row; their order is what the layout looks for.
    up, down
        Neighbours of each point in the row above and below, with the pull between them.
    left, right
        What each point takes up on either side, in px.
    chains
        Points of each path between its source and its target, in that order; none inside a row.
    home
        Where each point was in the previous run; None if it is new.
    n_steps
        k.
    """

    rows: list[list[int]]
    up: Neighbours
    down: Neighbours
    left: list[float]
    right: list[float]
    chains: dict[Pair, list[int]]
    home: list[float | None]
    n_steps: int

    def gap(self, a: int, b: int) -> float:
        """Least distance between two points that stand side by side."""
        free = GAP if a < self.n_steps and b < self.n_steps else LANE_GAP
        return self.right[a] + self.left[b] + free

    def gaps(self, row: Sequence[int]) -> list[float]:
        """Least distances along a row."""
        return [self.gap(a, b) for a, b in pairwise(row)]


def make_points(
    steps: Sequence[Step], paths: Sequence[Path], row_of: Mapping[str, int], previous: Previous | None
) -> Points:
    """Lay out the points of the paths that are shown, in their first order: steps by place, then crossings."""
    k = len(steps)
    place = {step.id: i for i, step in enumerate(steps)}
    known = previous.x if previous else {}
    points = Points(
        rows=[[] for _ in range(max(row_of.values(), default=-1) + 1)],
        up=[[] for _ in steps],
        down=[[] for _ in steps],
        left=[step.left for step in steps],
        right=[step.right for step in steps],
        chains={},
        home=[known.get(step.id) for step in steps],
        n_steps=k,
    )
    for i in sorted(range(k), key=lambda i: (steps[i].place, steps[i].id)):
        points.rows[row_of[steps[i].id]].append(i)
    for path in paths:
        if path.shown and row_of[path.source] != row_of[path.target]:
            _add_chain(points, path, place, row_of, previous)
    return points


def _add_chain(
    points: Points, path: Path, place: Mapping[str, int], row_of: Mapping[str, int], previous: Previous | None
) -> None:
    first, last = row_of[path.source], row_of[path.target]
    step = 1 if last > first else -1
    chain = []
    for offset, row in enumerate(range(first + step, last, step), 1):
        point = len(points.left)
        points.rows[row].append(point)
        for neighbours in (points.up, points.down):
            neighbours.append([])
        points.left.append(LANE / 2)
        points.right.append(LANE / 2)
        points.home.append(previous.bend(path.pair, offset) if previous else None)
        chain.append(point)
    points.chains[path.pair] = chain
    whole = [place[path.source], *chain, place[path.target]]
    for a, b in pairwise(whole):
        n_lanes = (a >= points.n_steps) + (b >= points.n_steps)
        pull = math.sqrt(path.n) * (1.0, TO_LANE, ALONG_LANE)[n_lanes]
        upper, lower = (a, b) if step > 0 else (b, a)
        points.down[upper].append((lower, pull))
        points.up[lower].append((upper, pull))
