"""Primitives of a picture and the two writers that turn them into SVG text.

Colours are token names, never hex: the page writer says `var(--good)`, so that dark mode works; the
static writer resolves every colour and uses presentation attributes only, so that a renderer without
style sheets draws the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from journeymine.draw.text import clean
from journeymine.draw.tokens import LIGHT, SANS, THEMES, WEIGHTS, css_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from journeymine.draw.tokens import Theme

Mode = Literal["page", "static"]
Anchor = Literal["start", "middle", "end"]
Colour: TypeAlias = "Callable[[str], str]"

MARGIN: Final = 14.0
XMLNS: Final = "http://www.w3.org/2000/svg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rect:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float
    fill: str = "data"
    opacity: float = 1.0
    stroke: str | None = None
    stroke_width: float = 1.0
    radius: float = 0.0
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """A circle."""

    x: float
    y: float
    r: float
    fill: str = "data"
    stroke: str | None = None
    stroke_width: float = 1.0
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A path: letters and numbers in the order of the `d` attribute."""

    d: tuple[str | float, ...]
    stroke: str | None = "line"
    stroke_width: float = 1.0
    fill: str | None = None
    dash: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One line of text; `ref` is the address of the number in `report.json`."""

    x: float
    y: float
    text: str
    size: float = 13.5
    weight: int = 400
    fill: str = "ink"
    anchor: Anchor = "start"
    rotate: float = 0.0
    title: str | None = None
    ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Marks that belong together; `id` gets the prefix of the picture.

    What a group says of its texts (size, anchor) and fills is not repeated by each mark: a matrix of 700
    cells is a third smaller for it.
    """

    marks: tuple[Mark, ...]
    id: str | None = None
    fill: str | None = None
    size: float | None = None
    anchor: Anchor | None = None


Mark: TypeAlias = Rect | Circle | Path | Text | Group


def coordinate(value: float) -> str:
    """Write a coordinate to a tenth of a pixel.

    Examples
    --------
    >>> coordinate(12.04), coordinate(12.06), coordinate(-0.01)
    ('12', '12.1', '0')
    """
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def page_colour(token: str) -> str:
    """Colour of a token on a page."""
    if token not in LIGHT:
        raise KeyError(token)
    return f"var({css_name(token)})"


def static_colour(theme: Theme) -> Colour:
    """Colours of the static writer: hex of one theme."""
    return THEMES[theme].__getitem__


def write_marks(marks: Iterable[Mark], colour: Colour, prefix: str) -> str:
    """Write primitives one after the other."""
    return "".join(_write(mark, colour, prefix) for mark in marks)


def _write(mark: Mark, colour: Colour, prefix: str) -> str:
    match mark:
        case Rect():
            return _rect(mark, colour)
        case Circle():
            return _circle(mark, colour)
        case Path():
            return _path(mark, colour)
        case Text():
            return _text(mark, colour)
        case Group():
            return _group(mark, colour, prefix)


def _group(group: Group, colour: Colour, prefix: str) -> str:
    attributes = f' id="{_attribute(f"{prefix}-{group.id}")}"' if group.id else ""
    body = write_marks(group.marks, colour, prefix)
    for shared in (
        f' fill="{colour(group.fill)}"' if group.fill else "",
        f' font-size="{coordinate(group.size)}"' if group.size else "",
        f' text-anchor="{group.anchor}"' if group.anchor else "",
    ):
        # A label cannot hold this text: its quotes are escaped.
        body = body.replace(shared, "") if shared else body
        attributes += shared
    return f"<g{attributes}>{body}</g>"


def _attribute(text: str) -> str:
    return escape(clean(text), quote=True)


def _titled(tag: str, attributes: str, title: str | None, body: str = "") -> str:
    head = f"<title>{escape(clean(title))}</title>" if title else ""
    inner = head + body
    return f"<{tag}{attributes}>{inner}</{tag}>" if inner else f"<{tag}{attributes}/>"


def _stroke(stroke: str | None, width: float, colour: Colour) -> str:
    if stroke is None:
        return ""
    thickness = "" if width == 1 else f' stroke-width="{coordinate(width)}"'
    return f' stroke="{colour(stroke)}"{thickness}'


def _rect(mark: Rect, colour: Colour) -> str:
    c = coordinate
    attributes = (
        f' x="{c(mark.x)}" y="{c(mark.y)}" width="{c(max(mark.width, 0))}" height="{c(max(mark.height, 0))}"'
        + (f' rx="{c(mark.radius)}"' if mark.radius else "")
        + f' fill="{colour(mark.fill)}"'
        + (f' fill-opacity="{mark.opacity:.2f}"' if mark.opacity < 1 else "")
        + _stroke(mark.stroke, mark.stroke_width, colour)
    )
    return _titled("rect", attributes, mark.title)


def _circle(mark: Circle, colour: Colour) -> str:
    c = coordinate
    attributes = f' cx="{c(mark.x)}" cy="{c(mark.y)}" r="{c(mark.r)}" fill="{colour(mark.fill)}"'
    return _titled("circle", attributes + _stroke(mark.stroke, mark.stroke_width, colour), mark.title)


def _path(mark: Path, colour: Colour) -> str:
    d = " ".join(part if isinstance(part, str) else coordinate(part) for part in mark.d)
    attributes = (
        f' d="{d}" fill="{colour(mark.fill) if mark.fill else "none"}"'
        + _stroke(mark.stroke, mark.stroke_width, colour)
        + (f' stroke-dasharray="{mark.dash}"' if mark.dash else "")
    )
    return _titled("path", attributes, mark.title)


def _text(mark: Text, colour: Colour) -> str:
    if mark.weight not in WEIGHTS:
        raise ValueError(mark.weight)
    x, y = coordinate(mark.x), coordinate(mark.y)
    attributes = (
        f' x="{x}" y="{y}" font-size="{coordinate(mark.size)}"'
        + (f' font-weight="{mark.weight}"' if mark.weight != 400 else "")
        + (f' text-anchor="{mark.anchor}"' if mark.anchor != "start" else "")
        + (f' transform="rotate({coordinate(mark.rotate)} {x} {y})"' if mark.rotate else "")
        + f' fill="{colour(mark.fill)}"'
        + (f' data-ref="{_attribute(mark.ref)}"' if mark.ref else "")
    )
    return _titled("text", attributes, mark.title, escape(clean(mark.text)))


def document(
    marks: tuple[Mark, ...], width: float, height: float, *, alt: str, mode: Mode, theme: Theme, prefix: str
) -> str:
    """Write a whole `<svg>` element.

    Parameters
    ----------
    marks
        What to draw.
    width, height
        Size in px; also the coordinate system.
    alt
        The conclusion, for those who cannot see the picture.
    mode
        `page` for HTML with our style sheet, `static` for everything else.
    theme
        Colours of the static mode.
    prefix
        Put before every id.

    Examples
    --------
    >>> print(document((), 10, 10, alt="Nothing & more", mode="page", theme="light", prefix="x"))
    <svg viewBox="0 0 10 10" width="10" height="10" role="img" aria-label="Nothing &amp; more"></svg>
    """
    # On a dark page or slide dark ink would vanish: a static picture brings its own background and margin.
    m = 0.0 if mode == "page" else MARGIN
    w, h = coordinate(width + 2 * m), coordinate(height + 2 * m)
    corner = coordinate(-m)
    frame = f'viewBox="{corner} {corner} {w} {h}" width="{w}" height="{h}"'
    frame += f' role="img" aria-label="{_attribute(alt)}"'
    if mode == "page":
        return f"<svg {frame}>{write_marks(marks, page_colour, prefix)}</svg>"
    background = Rect(x=-m, y=-m, width=width + 2 * m, height=height + 2 * m, fill="card")
    body = write_marks((background, *marks), static_colour(theme), prefix)
    family = escape(SANS.replace('"', "'"), quote=True).replace("&#x27;", "'")
    return f'<svg xmlns="{XMLNS}" {frame} font-family="{family}">{body}</svg>'


def decoration(
    marks: Iterable[Mark], width: float, height: float, *, kind: str, stretch: bool = False
) -> str:
    """Write a picture that only repeats what stands beside it in words: hidden from screen readers.

    Parameters
    ----------
    marks
        What to draw.
    width, height
        Coordinate system; the style sheet of the page decides the size.
    kind
        Class of the element.
    stretch
        Let the page stretch it in both directions.

    Examples
    --------
    >>> decoration((), 10, 4, kind="bar")
    '<svg class="bar" viewBox="0 0 10 4" aria-hidden="true" focusable="false"></svg>'
    """
    frame = f'class="{_attribute(kind)}" viewBox="0 0 {coordinate(width)} {coordinate(height)}"'
    ratio = ' preserveAspectRatio="none"' if stretch else ""
    body = write_marks(marks, page_colour, "")
    return f'<svg {frame}{ratio} aria-hidden="true" focusable="false">{body}</svg>'
