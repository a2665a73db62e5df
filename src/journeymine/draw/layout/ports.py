"""Ports: where lines leave and enter a box, sorted by where they go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from journeymine.draw.layout.graph import BOX_WIDTH
from journeymine.draw.layout.grid import chain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from journeymine.draw.layout.graph import Layout, Pair

Side = Literal["top", "bottom", "beside"]

SPREAD: Final = BOX_WIDTH - 30
STRIDE: Final = 20.0
PLAYED_OUT: Final = 0.5  # of the width of its line is added for every port


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A path as it is drawn: its width in px, and whether it is shown at first."""

    pair: Pair
    width: float
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Ends:
    """Sides and places of the two ends of a line."""

    out_side: Side
    out_x: float
    in_side: Side
    in_x: float


def sides(layout: Layout, pair: Pair) -> tuple[Side, Side]:
    """Return the sides on which a path leaves and enters: down by the bottom, up and back by the top.

    Inside a row to the right: straight if nothing stands between, else above; to the left: below.
    """
    source, target = pair
    first, last = layout.rows[source], layout.rows[target]
    if first != last:
        return ("bottom", "top") if last > first else ("top", "bottom")
    low, high = sorted((layout.x[source], layout.x[target]))
    if layout.x[source] > layout.x[target]:
        return "bottom", "bottom"
    between = any(
        row == first and id_ not in pair and low < layout.x[id_] < high for id_, row in layout.rows.items()
    )
    return ("top", "top") if between else ("beside", "beside")


def spread_ports(layout: Layout, lines: Sequence[Line]) -> dict[Pair, Ends]:
    """Spread the ends of the lines over the sides of the boxes.

    Lines that are not shown at first get ports of their own, so that the others stand evenly without them.
    """
    places: dict[tuple[Pair, bool], float] = {}
    for shown in (True, False):
        ends: dict[tuple[str, Side], list[tuple[float, Pair, bool, float]]] = {}
        for line in lines:
            if line.shown != shown:
                continue
            way = chain(layout, line.pair)
            out, into = sides(layout, line.pair)
            ends.setdefault((line.pair[0], out), []).append((way[1], line.pair, True, line.width))
            ends.setdefault((line.pair[1], into), []).append((way[-2], line.pair, False, line.width))
        for (id_, side), found in ends.items():
            if side != "beside":
                places |= _spread(layout.x[id_], sorted(found))
    return {line.pair: _ends(layout, line.pair, places) for line in lines}


def _spread(
    middle: float, found: Sequence[tuple[float, Pair, bool, float]]
) -> dict[tuple[Pair, bool], float]:
    n = len(found)
    if n == 1:
        # A lone line goes straight down where the box allows it.
        towards, pair, leaves, _ = found[0]
        return {(pair, leaves): middle + max(-14.0, min(14.0, towards - middle))}
    span = min(SPREAD, STRIDE * (n - 1) + PLAYED_OUT * sum(width for *_, width in found))
    return {
        (pair, leaves): middle - span / 2 + span * i / (n - 1) for i, (_, pair, leaves, _) in enumerate(found)
    }


def _ends(layout: Layout, pair: Pair, places: Mapping[tuple[Pair, bool], float]) -> Ends:
    out, into = sides(layout, pair)
    half = BOX_WIDTH / 2
    out_x = places.get((pair, True), layout.x[pair[0]] + half)
    in_x = places.get((pair, False), layout.x[pair[1]] - half)
    return Ends(out, out_x, into, in_x)
