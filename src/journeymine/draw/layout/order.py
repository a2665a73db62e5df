"""Order inside rows: barycentre sweeps, keeping the order with the fewest crossings.

Sugiyama, Tagawa and Toda (1981); crossings are counted in O(m log n) with a Fenwick tree (Barth, Mutzel and
Juenger 2004), each weighted by the product of the two weights.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.draw.layout.points import Points

SWEEPS: Final = 24

Rows = list[list[int]]


def ordered(points: Points) -> Rows:
    """Return the rows in the order with the least weight of crossings that the sweeps come across."""
    rows = [list(row) for row in points.rows]
    index = indices(rows, len(points.left))
    best_cost, best = crossings(points, rows), [list(row) for row in rows]
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        near = points.up if down else points.down
        for row in rows if down else reversed(rows):
            keys = {v: (_barycentre(near[v], index, v), index[v]) for v in row}
            row.sort(key=keys.__getitem__)
            for i, v in enumerate(row):
                index[v] = i
        cost = crossings(points, rows)
        if cost < best_cost:
            best_cost, best = cost, [list(row) for row in rows]
    return best


def indices(rows: Sequence[Sequence[int]], n: int) -> list[int]:
    """Return the place of each point in its row."""
    index = [0] * n
    for row in rows:
        for i, v in enumerate(row):
            index[v] = i
    return index


def _barycentre(near: Sequence[tuple[int, float]], index: Sequence[int], v: int) -> float:
    total = sum(pull for _, pull in near)
    return sum(index[u] * pull for u, pull in near) / total if total else float(index[v])


def crossings(points: Points, rows: Sequence[Sequence[int]]) -> float:
    """Return the weight of all crossings."""
    index = indices(rows, len(points.left))
    total = 0.0
    for upper, lower in pairwise(rows):
        lines = sorted((index[u], index[v], pull) for u in upper for v, pull in points.down[u])
        total += weight_of_crossings(lines, len(lower))
    return total


def weight_of_crossings(lines: Sequence[tuple[int, int, float]], n_lower: int) -> float:
    """Return the weight of the crossings between two rows.

    Parameters
    ----------
    lines
        Place above, place below and weight of each line, sorted.
    n_lower
        Places below.

    Examples
    --------
    Two lines that cross, and a third that ends where one of them begins:

    >>> weight_of_crossings([(0, 1, 2.0), (0, 2, 5.0), (1, 0, 3.0)], 3)
    21.0
    """
    tree = [0.0] * (n_lower + 1)
    seen = total = 0.0
    for _, low, weight in lines:
        not_right_of, i = 0.0, low + 1
        while i > 0:
            not_right_of += tree[i]
            i -= i & -i
        total += (seen - not_right_of) * weight
        seen += weight
        i = low + 1
        while i <= n_lower:
            tree[i] += weight
            i += i & -i
    return total
