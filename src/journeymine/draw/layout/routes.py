"""Routes: curves with vertical ends between the rows, straight through them, so that no line meets a box."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from journeymine.draw.layout.grid import chain

if TYPE_CHECKING:
    from journeymine.draw.layout.graph import Layout, Pair
    from journeymine.draw.layout.grid import Grid
    from journeymine.draw.layout.ports import Ends

BESIDE: Final = 14.0
"""Height above the middle of a box at which a line to its neighbour runs: the spill leaves below."""

Curve = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
Command = tuple[str | float, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """A line as it is drawn.

    Attributes
    ----------
    d
        Letters and numbers of the path, up to the foot of the arrow head.
    head
        Tip of the arrow, and the direction it points in.
    spots
        Places for its label, the best first.
    """

    d: Command
    head: tuple[float, float, str]
    spots: tuple[tuple[float, float], ...]


def route(layout: Layout, grid: Grid, pair: Pair, ends: Ends, arrow: float) -> Route:
    """Draw one path; `arrow` is the length of its head."""
    first, last = layout.rows[pair[0]], layout.rows[pair[1]]
    if first == last:
        return _inside_row(grid, first, ends, arrow)
    step = 1 if last > first else -1
    way = [ends.out_x, *chain(layout, pair)[1:-1], ends.in_x]
    curves = []
    for i, row in enumerate(range(first, last, step)):
        below, above = (row, row + 1) if step > 0 else (row - 1, row)
        y0, y1 = (grid.bottom(below), grid.tops[above])[::step]
        if row + step == last:
            y1 -= step * arrow
        curves.append(_curve(way[i], y0, way[i + 1], y1))
    tip = grid.tops[last] if step > 0 else grid.bottom(last)
    return Route(_commands(curves), (ends.in_x, tip, "down" if step > 0 else "up"), _spots(curves))


def _curve(x0: float, y0: float, x1: float, y1: float) -> Curve:
    middle = (y0 + y1) / 2
    return (x0, y0), (x0, middle), (x1, middle), (x1, y1)


def _commands(curves: list[Curve]) -> Command:
    (x0, y0), *_ = curves[0]
    out: list[str | float] = ["M", x0, y0]
    for curve in curves:
        (x0, y0), (_, middle), _, (x1, y1) = curve
        if out[-1] != y0:
            out += ["V", y0]
        if abs(x1 - x0) < 0.05:
            out += ["V", y1]
        else:
            out += ["C", x0, middle, x1, middle, x1, y1]
    return tuple(_without_repeats(out))


def _without_repeats(commands: list[str | float]) -> list[str | float]:
    """Join vertical strokes that follow each other."""
    out: list[str | float] = []
    for part in commands:
        if isinstance(part, str) and part == "V" and len(out) >= 2 and out[-2] == "V":
            out = out[:-2]
        out.append(part)
    return out


def point_at(curve: Curve, t: float) -> tuple[float, float]:
    """Return the point of a cubic curve at `t`.

    Examples
    --------
    >>> point_at(((0, 0), (0, 5), (8, 5), (8, 10)), 0.5)
    (4.0, 5.0)
    """
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    x = sum(w * p[0] for w, p in zip(weights, curve, strict=True))
    y = sum(w * p[1] for w, p in zip(weights, curve, strict=True))
    return x, y


def _spots(curves: list[Curve]) -> tuple[tuple[float, float], ...]:
    """Places for the label: on the curves, then on the straight pieces between them."""
    first, last, between = curves[0], curves[-1], curves[len(curves) // 2]
    chosen = [(curve, t) for t in (0.5, 0.38, 0.64, 0.27, 0.75) for curve in (first, between, last)]
    straight = [((a[3][0], (a[3][1] + b[0][1]) / 2)) for a, b in pairwise(curves)]
    return tuple(dict.fromkeys([*(point_at(curve, t) for curve, t in chosen), *straight]))


def _inside_row(grid: Grid, row: int, ends: Ends, arrow: float) -> Route:
    if ends.out_side == "beside":
        y = grid.centre(row) - BESIDE
        x0, x1 = ends.out_x, ends.in_x - arrow
        spots = tuple((x0 + (x1 - x0) * t, y) for t in (0.5, 0.7))
        return Route(("M", x0, y, "H", x1), (ends.in_x, y, "right"), spots)
    up = ends.out_side == "top"
    y = grid.tops[row] if up else grid.bottom(row)
    depth = min(18.0 + 0.03 * abs(ends.in_x - ends.out_x), 26.0) * (-1 if up else 1)
    foot = y + arrow * (-1 if up else 1)
    high = y + depth * 4 / 3
    curve = ((ends.out_x, y), (ends.out_x, high), (ends.in_x, high), (ends.in_x, foot))
    d = ("M", ends.out_x, y, "C", ends.out_x, high, ends.in_x, high, ends.in_x, foot)
    spots = tuple(point_at(curve, t) for t in (0.5, 0.35, 0.65))
    return Route(d, (ends.in_x, y, "down" if up else "up"), spots)
