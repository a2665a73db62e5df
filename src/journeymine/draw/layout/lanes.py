"""Lanes: paths that are not shown at first find their way between the boxes, which no longer move."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

MARGIN: Final = 9.0
BEND: Final = 30.0
"""What a bend costs, in px of detour."""

Blocks = list[tuple[float, float]]


def blocked(boxes: Sequence[tuple[float, float]]) -> Blocks:
    """Return what the boxes of a row take up with a margin, merged and sorted.

    Examples
    --------
    >>> blocked([(100, 200), (0, 50), (40, 60)])
    [(-9.0, 69.0), (91.0, 209.0)]
    """
    out: Blocks = []
    for low, high in sorted((low - MARGIN, high + MARGIN) for low, high in boxes):
        if out and low <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    return out


def nearest_free(blocks: Blocks, x: float) -> float:
    """Return the nearest place outside the blocks.

    Examples
    --------
    >>> nearest_free([(0.0, 10.0)], 4), nearest_free([(0.0, 10.0)], 20)
    (0.0, 20)
    """
    i = bisect_left(blocks, (x, x))
    for low, high in blocks[max(i - 1, 0) : i + 1]:
        if low < x < high:
            return low if x - low <= high - x else high
    return x


def thread(blocks: Sequence[Blocks], start: float, end: float) -> tuple[float, ...]:
    """Return where a line from `start` to `end` crosses the rows between them: short, with few bends.

    The best chain over a few places a row (those nearest to both ends, the middle, and straight ahead).

    Examples
    --------
    >>> thread([[(0.0, 100.0)], []], 40, 60)
    (0.0, 0.0)
    """
    wishes = [start, end, (start + end) / 2]
    wishes += [nearest_free(row, x) for row in blocks for x in (start, end)]
    best: dict[float, tuple[float, tuple[float, ...]]] = {start: (0.0, ())}
    for row in blocks:
        places = sorted({nearest_free(row, x) for x in wishes})
        best = {
            place: min(
                (cost + abs(place - x) + BEND * (place != x), (*way, place))
                for x, (cost, way) in best.items()
            )
            for place in places
        }
    return min((cost + abs(x - end), way) for x, (cost, way) in best.items())[1]
