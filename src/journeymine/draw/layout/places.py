"""Places: each row is set exactly, by least squares under minimum gaps."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.draw.layout.order import Rows
    from journeymine.draw.layout.points import Points

SWEEPS: Final = 60
STILL: Final = 0.02
ROUNDED: Final = 0.3
"""Stored places are rounded to a tenth of a px, so that gaps may be this much too small."""
ANCHOR: Final = 1.0
"""Pull towards the place of the previous run, in units of the pull of all neighbours together."""


def isotonic(wanted: Sequence[float], weights: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """Return the places nearest to the wanted ones that keep the gaps.

    Minimises sum of weights * (x - wanted)^2 under x[i + 1] - x[i] >= gaps[i]: isotonic regression of
    `wanted - cumulative gap` by pooling adjacent violators (Barlow, Bartholomew, Bremner and Brunk 1972).

    Examples
    --------
    >>> isotonic([0.0, 1.0, 50.0], [1.0, 1.0, 1.0], [10.0, 10.0])
    [-4.5, 5.5, 50.0]
    """
    offsets = list(accumulate(gaps, initial=0.0))
    blocks: list[tuple[float, float, int]] = []
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        mean, total, count = want - offset, weight, 1
        while blocks and blocks[-1][0] > mean:
            last, last_weight, last_count = blocks.pop()
            mean = (last * last_weight + mean * total) / (last_weight + total)
            total, count = total + last_weight, count + last_count
        blocks.append((mean, total, count))
    values = [mean for mean, _, count in blocks for _ in range(count)]
    return [value + offset for value, offset in zip(values, offsets, strict=True)]


def wanted(points: Points, x: Sequence[float], v: int) -> tuple[float, float]:
    """Return where a point wants to be, between its neighbours and its old place, and how much."""
    pull = total = 0.0
    for near in (points.up[v], points.down[v]):
        for u, weight in near:
            pull += weight
            total += weight * x[u]
    want = total / pull if pull else x[v]
    home = points.home[v]
    if home is not None:
        want = (want + ANCHOR * home) / (1 + ANCHOR)
    return want, pull or 1.0


def set_row(points: Points, x: list[float], row: Sequence[int]) -> float:
    """Set one row; return how far its points moved at most."""
    if not row:
        return 0.0
    wants, pulls = zip(*(wanted(points, x, v) for v in row), strict=True)
    moved = 0.0
    for v, place in zip(row, isotonic(wants, pulls, points.gaps(row)), strict=True):
        moved = max(moved, abs(place - x[v]))
        x[v] = place
    return moved


def settle(points: Points, rows: Rows, x: list[float]) -> None:
    """Set all rows, from the top and from the bottom in turn, until they stand still."""
    for sweep in range(SWEEPS):
        order = rows if sweep % 2 == 0 else rows[::-1]
        if max((set_row(points, x, row) for row in order), default=0.0) < STILL:
            break


def packed(points: Points, rows: Rows) -> list[float]:
    """Return first places: every row packed and centred."""
    x = [0.0] * len(points.left)
    for row in rows:
        if not row:
            continue
        places = list(accumulate(points.gaps(row), initial=0.0))
        middle = places[-1] / 2
        for v, place in zip(row, places, strict=True):
            x[v] = place - middle
    return x


def returned(points: Points, rows: Rows) -> list[float]:
    """Return first places from the previous run: old points at home, new ones between their neighbours.

    The rows are sorted by them.
    """
    homes = [_home(points, v) for v in range(len(points.left))]
    x = list(homes)
    for row in rows:
        row.sort(key=lambda v: (homes[v], v))
        kept = isotonic([homes[v] for v in row], [1.0] * len(row), points.gaps(row)) if row else []
        for v, place in zip(row, kept, strict=True):
            x[v] = place
    return x


def at_home(points: Points, x: Sequence[float]) -> list[float] | None:
    """Return the places of the previous run if nothing is new and all of them still hold: nothing moves then.

    Parameters
    ----------
    x
        First places, as `returned` gives them.
    """
    homes = [home for home in points.home if home is not None]
    if len(homes) < len(points.home):
        return None
    return homes if all(abs(a - b) <= ROUNDED for a, b in zip(homes, x, strict=True)) else None


def _home(points: Points, v: int) -> float:
    home = points.home[v]
    if home is not None:
        return home
    known = [(points.home[u], pull) for u, pull in (*points.up[v], *points.down[v])]
    near = [(x, pull) for x, pull in known if x is not None]
    total = sum(pull for _, pull in near)
    return sum(x * pull for x, pull in near) / total if total else 0.0
