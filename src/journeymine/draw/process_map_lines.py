"""Lines of the process map: width by count, an arrow head, a label with the share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from journeymine import _format as fmt
from journeymine.draw.process_map_svg import Node, Phrase
from journeymine.draw.svg import Path, Rect, coordinate
from journeymine.draw.text import text_width

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journeymine.draw.layout.routes import Route
    from journeymine.draw.process_map import MapPath
    from journeymine.draw.process_map_svg import Part

THIN, MORE = 1.1, 10.5
LABEL: Final = 11.0
_ALONG: Final = {"down": (0, 1), "up": (0, -1), "right": (1, 0)}


def line_width(n: int, largest: int) -> float:
    """Width of a line by its count.

    Examples
    --------
    >>> line_width(25, 100), line_width(100, 100)
    (6.35, 11.6)
    """
    return THIN + MORE * math.sqrt(n / max(largest, 1))


def arrow_length(width: float) -> float:
    """Length of the head of a line."""
    return 6.5 + 0.35 * width


def line_node(path: MapPath, route: Route, largest: int, rows: Mapping[str, int]) -> Node:
    """One path: line, head, and what it says when it is pointed at."""
    width = line_width(path.n, largest)
    is_back = rows[path.target] < rows[path.source]
    token = "back" if is_back else "edge"
    parts: tuple[Part, ...] = (
        Path(d=route.d, stroke=token, stroke_width=width, dash=_dash(width) if is_back else None),
        Path(d=_head(route, width), stroke=None, fill=token),
    )
    kind = f"e{' bk' if is_back else ''}{'' if path.shown else ' off'}"
    data = (("class", kind), *_ends(path))
    return Node(parts=parts, attributes=data, title=path.note or None, on_page_only=not path.shown)


def _dash(width: float) -> str:
    return f"{coordinate(5 + 0.4 * width)} {coordinate(3.5 + 0.25 * width)}"


def _ends(path: MapPath) -> tuple[tuple[str, str], ...]:
    return (("data-r", str(path.place)), ("data-s", path.source), ("data-t", path.target))


def _head(route: Route, width: float) -> tuple[str | float, ...]:
    x, y, way = route.head
    along_x, along_y = _ALONG[way]
    length, half = arrow_length(width), 3.4 + 0.5 * width
    foot_x, foot_y = x - along_x * length, y - along_y * length
    return (
        "M", foot_x - along_y * half, foot_y - along_x * half,
        "L", x, y,
        "L", foot_x + along_y * half, foot_y + along_x * half, "Z",
    )  # fmt: skip


def label_width(share: float, lang: str) -> float:
    """Width of the text of a label."""
    return text_width(fmt.share(share, lang), LABEL, 600)


def label_node(path: MapPath, middle: tuple[float, float], is_shown: bool, lang: str) -> Node:
    """Share of the visits to the source that go on this way, on a patch of the card's colour."""
    x, y = middle
    width = label_width(path.share, lang) + 4
    parts: tuple[Part, ...] = (
        Rect(x=x - width / 2, y=y - 6.5, width=width, height=13, radius=4, fill="card", opacity=0.88),
        Phrase(
            x=x,
            y=y + 4,
            number=fmt.share(path.share, lang),
            ref=path.ref,
            size=LABEL,
            fill="ink2",
            anchor="middle",
        ),
    )
    visible = is_shown and path.shown
    data = (("class", f"l{'' if visible else ' off'}"), *_ends(path), ("data-b", "1" if is_shown else "0"))
    wait = (("data-w", path.wait),) if path.wait else ()
    return Node(parts=parts, attributes=(*data, *wait), on_page_only=not visible)
