"""Where text that our own writers have escaped becomes markup; nothing else may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from journeymine.draw.figure import Figure


def drawn(svg: str) -> Markup:
    """Trust SVG that `draw/svg.py` wrote: it escapes every label.

    Examples
    --------
    >>> drawn("<svg></svg>")
    Markup('<svg></svg>')
    """
    return Markup(svg)  # noqa: S704


def picture(figure: Figure) -> Markup:
    """Write a figure for a page."""
    return drawn(figure.svg("page"))
