"""The process map: boxes in bands of stages, lines between them, leaving as a spill, loops as a badge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from journeymine import _format as fmt
from journeymine.draw.layout.graph import HALF_BOX
from journeymine.draw.layout.grid import make_grid
from journeymine.draw.layout.labels import Wish, place_labels
from journeymine.draw.layout.ports import Line, spread_ports
from journeymine.draw.layout.routes import route
from journeymine.draw.process_map_boxes import areas_of, box_height, box_node
from journeymine.draw.process_map_lines import arrow_length, label_node, label_width, line_node, line_width
from journeymine.draw.process_map_svg import MapFigure, Node, Phrase
from journeymine.draw.svg import Rect, Text
from journeymine.draw.text import wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.draw.layout.graph import Layout, Pair
    from journeymine.draw.layout.grid import Grid
    from journeymine.draw.layout.routes import Route
    from journeymine.draw.process_map_svg import Part

LEFT: Final = 118.0
RIGHT: Final = 16.0
MIN_WIDTH: Final = 700.0
"""On a phone the page keeps the picture at this width; a narrow map stands in the middle of it."""
SPILL_FROM: Final = 0.02
SPILL_ROOM: Final = 54.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MapStep:
    """A box. Shares are fractions; None where they are not known. `fixes` are the numbers of its ranked fixes."""

    id: str
    name: str
    reach: float
    leave: float | None = None
    repeat: float = 0.0
    is_goal: bool = False
    is_fold: bool = False
    fixes: tuple[int, ...] = ()
    note: str = ""
    ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MapPath:
    """A line; `place` is its place among all paths, those shown at first before the others."""

    source: str
    target: str
    n: int
    share: float
    shown: bool
    is_backbone: bool
    place: int
    note: str = ""
    wait: str = ""
    ref: str | None = None

    @property
    def pair(self) -> Pair:
        """Source and target."""
        return self.source, self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class MapBand:
    """A stage: its name, and the share of the journeys that reach it."""

    name: str
    reach: float | None
    ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MapWords:
    """Texts of the picture in one language; `{share}` is where the number goes."""

    lang: str = "en"
    reach: str = "{share} of journeys"


@dataclass(frozen=True, slots=True)
class _Drawing:
    """What is drawn, once everything has its place."""

    grid: Grid
    left: float
    width: float
    routes: dict[Pair, Route]
    places: dict[Pair, tuple[float, float]]
    labelled: set[Pair]
    largest: int


def right_of(leave: float | None) -> float:
    """What a box takes up to the right of its centre: half of it, and its spill."""
    return HALF_BOX + (SPILL_ROOM if (leave or 0.0) >= SPILL_FROM else 0.0)


def process_map(
    steps: Sequence[MapStep],
    paths: Sequence[MapPath],
    bands: Sequence[MapBand],
    layout: Layout,
    *,
    alt: str,
    words: MapWords | None = None,
) -> MapFigure:
    """Draw the map.

    Parameters
    ----------
    steps, paths, bands
        Boxes, lines and stages.
    layout
        Where they stand; see `layout.layered.lay_out`.
    alt
        The conclusion.
    words
        Texts of the picture.

    Examples
    --------
    >>> from journeymine.draw.layout.graph import Path, Step
    >>> from journeymine.draw.layout.layered import lay_out
    >>> layout = lay_out([Step(id="a", stage=0, place=1), Step(id="b", stage=0, place=2)],
    ...                  [Path(source="a", target="b", n=8)])
    >>> steps = [MapStep(id="a", name="Basket", reach=1.0), MapStep(id="b", name="Order", reach=0.8)]
    >>> path = MapPath(source="a", target="b", n=8, share=0.8, shown=True, is_backbone=True, place=0)
    >>> figure = process_map(steps, [path], [MapBand(name="Buy", reach=1.0)], layout, alt="Most go on")
    >>> figure.to_dicts()
    [{'source': 'Basket', 'target': 'Order', 'n': 8, 'share': 0.8}]
    """
    words = words or MapWords()
    drawing = _arrange(steps, paths, layout, words)
    stages = [_band(i, band, layout, drawing, words) for i, band in enumerate(bands)]
    ordered = sorted(paths, key=lambda path: (path.n, path.pair))
    lines = [line_node(path, drawing.routes[path.pair], drawing.largest, layout.rows) for path in ordered]
    boxes = [
        box_node(step, (layout.x[step.id] + drawing.left, layout.rows[step.id]), drawing.grid, words)
        for step in steps
    ]
    labels = [
        label_node(path, drawing.places[path.pair], path.pair in drawing.labelled, words.lang)
        for path in ordered
    ]
    names = {step.id: step.name for step in steps}
    rows = tuple(
        {"source": names[path.source], "target": names[path.target], "n": path.n, "share": path.share}
        for path in sorted(paths, key=lambda path: (-path.n, path.pair))
    )
    nodes: tuple[Part, ...] = (*stages, Node(parts=tuple(lines)), *boxes, Node(parts=tuple(labels)))
    return MapFigure("process_map", drawing.width, drawing.grid.height, (), alt, rows, nodes=nodes)


def _arrange(steps: Sequence[MapStep], paths: Sequence[MapPath], layout: Layout, words: MapWords) -> _Drawing:
    largest = max((path.n for path in paths), default=1)
    width = max(layout.width + LEFT + RIGHT, MIN_WIDTH)
    left = LEFT + (width - layout.width - LEFT - RIGHT) / 2
    grid = make_grid(layout, [path.pair for path in paths if path.shown], box_height(steps))
    lines = [Line(pair=path.pair, width=line_width(path.n, largest), shown=path.shown) for path in paths]
    ends = spread_ports(layout, lines)
    routes = {
        line.pair: _shifted(route(layout, grid, line.pair, ends[line.pair], arrow_length(line.width)), left)
        for line in lines
    }
    taken = [
        area
        for step in steps
        for area in areas_of(step, (layout.x[step.id] + left, layout.rows[step.id]), grid)
    ]
    wishes = [
        Wish(
            pair=path.pair,
            n=path.n,
            share=path.share,
            width=label_width(path.share, words.lang),
            is_backbone=path.is_backbone,
            spots=routes[path.pair].spots,
        )
        for path in paths
    ]
    shown = {path.pair for path in paths if path.shown}
    places, labelled = place_labels([wish for wish in wishes if wish.pair in shown], taken)
    rest, _ = place_labels([wish for wish in wishes if wish.pair not in shown], taken)
    return _Drawing(grid, left, width, routes, places | rest, labelled, largest)


def _shifted(found: Route, left: float) -> Route:
    """Move a route to the right of the names of the stages."""
    d: list[str | float] = []
    horizontal = True
    letter = ""
    for part in found.d:
        if isinstance(part, str):
            letter, horizontal = part, part != "V"
            d.append(part)
            continue
        d.append(part + left if horizontal else part)
        if letter in {"M", "C"}:
            horizontal = not horizontal
    x, y, way = found.head
    return type(found)(tuple(d), (x + left, y, way), tuple((a + left, b) for a, b in found.spots))


def _band(i: int, band: MapBand, layout: Layout, drawing: _Drawing, words: MapWords) -> Node:
    """Background, name and reach of a stage."""
    first, n_rows = layout.bands[i] if i < len(layout.bands) else (0, 0)
    if not n_rows:
        return Node(parts=())
    limits = drawing.grid.limits
    top, bottom = limits[first], limits[first + n_rows]
    parts: list[Part] = [Rect(x=0, y=top, width=drawing.width, height=bottom - top, fill=f"band{i % 2}")]
    lines = wrap(band.name, LEFT - 26, 13.5, weight=600)
    y = top + 24
    for j, line in enumerate(lines):
        parts.append(
            Text(
                x=14,
                y=y,
                text=line,
                size=13.5,
                weight=600,
                title=band.name if j == 0 and len(lines) > 1 else None,
            )
        )
        y += 16
    if band.reach is not None:
        parts.append(Phrase(x=14, y=y, number=fmt.share(band.reach, words.lang), ref=band.ref, size=12))
    return Node(parts=tuple(parts))
