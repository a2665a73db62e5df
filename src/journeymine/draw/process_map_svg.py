"""The picture of the process map as SVG text: groups that a page can select, and phrases with one number in them.

What a page needs beyond the primitives of `draw/svg.py` (classes, data attributes) is left out of the static file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, TypeAlias

from journeymine.draw.figure import Figure
from journeymine.draw.svg import Anchor, Mark, coordinate, page_colour, static_colour, write_marks
from journeymine.draw.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from journeymine.draw.svg import Colour, Mode
    from journeymine.draw.tokens import Theme


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A line of text that says one number: `before`, the number with its address in `report.json`, `after`."""

    x: float
    y: float
    number: str
    before: str = ""
    after: str = ""
    ref: str | None = None
    size: float = 11.0
    weight: int = 400
    fill: str = "ink3"
    anchor: Anchor = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Parts that belong together; `looks` are presentation attributes with token names as colours.

    `attributes` (class, data-*) and `on_page_only` nodes are written for pages alone.
    """

    parts: tuple[Part, ...]
    attributes: tuple[tuple[str, str], ...] = ()
    looks: tuple[tuple[str, str], ...] = ()
    title: str | None = None
    on_page_only: bool = False


Part: TypeAlias = Mark | Phrase | Node
COLOURS = ("fill", "stroke")


@dataclass(frozen=True, slots=True, eq=False)
class MapFigure(Figure):
    """A figure made of nodes; everything else is as with any figure.

    Examples
    --------
    >>> node = Node(parts=(), attributes=(("class", "n"),), looks=(("fill", "none"),))
    >>> figure = MapFigure("map", 10, 4, (), "Nothing to see", nodes=(node,))
    >>> figure.svg()[-32:]
    '<g class="n" fill="none"/></svg>'
    """

    nodes: tuple[Part, ...] = field(default=())

    def svg(self, mode: Mode = "page", theme: Theme = "light") -> str:
        """Write the picture as one `<svg>` element; see `Figure.svg`."""
        frame = Figure(self.name, self.width, self.height, self.marks, self.alt_text).svg(mode, theme)
        colour = page_colour if mode == "page" else static_colour(theme)
        return frame.removesuffix("</svg>") + write_parts(self.nodes, colour, mode) + "</svg>"


def write_parts(parts: Iterable[Part], colour: Colour, mode: Mode) -> str:
    """Write parts one after the other."""
    return "".join(_write(part, colour, mode) for part in parts)


def _write(part: Part, colour: Colour, mode: Mode) -> str:
    if isinstance(part, Node):
        return _node(part, colour, mode)
    if isinstance(part, Phrase):
        return _phrase(part, colour)
    return write_marks((part,), colour, "")


def _node(node: Node, colour: Colour, mode: Mode) -> str:
    if mode != "page" and node.on_page_only:
        return ""
    looks = [
        (name, colour(value) if name in COLOURS and value != "none" else value) for name, value in node.looks
    ]
    pairs = [*(node.attributes if mode == "page" else ()), *looks]
    attributes = "".join(f' {name}="{_attribute(value)}"' for name, value in pairs)
    title = f"<title>{escape(clean(node.title))}</title>" if node.title else ""
    inner = title + write_parts(node.parts, colour, mode)
    return f"<g{attributes}>{inner}</g>" if inner else f"<g{attributes}/>"


def _attribute(text: str) -> str:
    return escape(clean(text), quote=True)


def _phrase(phrase: Phrase, colour: Colour) -> str:
    number = escape(clean(phrase.number))
    if phrase.ref and (phrase.before or phrase.after):
        number = f'<tspan data-ref="{_attribute(phrase.ref)}">{number}</tspan>'
    address = f' data-ref="{_attribute(phrase.ref)}"' if phrase.ref and not number.startswith("<") else ""
    attributes = (
        f' x="{coordinate(phrase.x)}" y="{coordinate(phrase.y)}" font-size="{coordinate(phrase.size)}"'
        + (f' font-weight="{phrase.weight}"' if phrase.weight != 400 else "")
        + (f' text-anchor="{phrase.anchor}"' if phrase.anchor != "start" else "")
        + f' fill="{colour(phrase.fill)}"'
        + address
    )
    return f"<text{attributes}>{escape(clean(phrase.before))}{number}{escape(clean(phrase.after))}</text>"
