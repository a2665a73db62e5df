"""Heights: where the rows stand, with more room between them where many lines change sides."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from journeymine.draw.layout.graph import Layout, Pair

STRAIGHT_GAP, MIN_GAP, MAX_GAP, GAP_PER_LINE = 30.0, 38.0, 66.0, 3.2
EDGE: Final = 20.0
SLANTED: Final = 24.0


@dataclass(frozen=True, slots=True)
class Grid:
    """Heights of the rows.

    Attributes
    ----------
    tops
        Upper edge of the boxes of each row.
    box
        Height of a box.
    limits
        Upper edge of every row's part of its band, and the lower edge of the last one; length rows + 1.
    """

    tops: tuple[float, ...]
    box: float
    limits: tuple[float, ...]

    def centre(self, row: int) -> float:
        """Middle of the boxes of a row."""
        return self.tops[row] + self.box / 2

    def bottom(self, row: int) -> float:
        """Lower edge of the boxes of a row."""
        return self.tops[row] + self.box

    @property
    def height(self) -> float:
        """Height of the drawing."""
        return self.limits[-1]


def make_grid(layout: Layout, pairs: Iterable[Pair], box: float) -> Grid:
    """Stack the rows; `pairs` are the paths that are shown."""
    n_rows = max(layout.rows.values(), default=-1) + 1
    slanted = [0] * max(n_rows - 1, 0)
    for pair in pairs:
        for row, (a, b) in enumerate(crossings_of(layout, pair), min(layout.rows[id_] for id_ in pair)):
            slanted[row] += abs(a - b) > SLANTED
    gaps = [min(MIN_GAP + GAP_PER_LINE * (n - 1), MAX_GAP) if n else STRAIGHT_GAP for n in slanted]
    tops, limits = [], [0.0]
    top = EDGE
    for row in range(n_rows):
        tops.append(top)
        gap = gaps[row] if row < n_rows - 1 else 2 * EDGE
        limits.append(top + box + gap / 2)
        top += box + gap
    return Grid(tuple(tops), box, tuple(limits))


def crossings_of(layout: Layout, pair: Pair) -> list[tuple[float, float]]:
    """Return x above and below of every gap between rows that a path crosses, from the top."""
    places = chain(layout, pair)
    if layout.rows[pair[0]] > layout.rows[pair[1]]:
        places = places[::-1]
    elif layout.rows[pair[0]] == layout.rows[pair[1]]:
        return []
    return list(pairwise(places))


def chain(layout: Layout, pair: Pair) -> list[float]:
    """Return x of a path in every row from its source to its target; a row without a bend takes the way between."""
    source, target = pair
    n = abs(layout.rows[target] - layout.rows[source]) - 1
    bends = list(layout.bends.get(pair, ()))
    if n < 0 or len(bends) != n:
        start, end = layout.x[source], layout.x[target]
        bends = [start + (end - start) * (i + 1) / (n + 1) for i in range(max(n, 0))]
    return [layout.x[source], *bends, layout.x[target]]
