"""The benchmark as one HTML page: no script, no network, two colour modes."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import TYPE_CHECKING

from journeymine.bench.page_view import page_view
from journeymine.draw.tokens import CODE, SANS, page_css
from journeymine.errors import NotEnoughDataError
from journeymine.reporting.views.markup import drawn, picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.bench.journal import Line


def benchmark_page(lines: Sequence[Line]) -> str:
    """Write the page.

    Parameters
    ----------
    lines
        What `run_benchmark` gives.

    Returns
    -------
    str
        The page; the same lines give the same text.

    Raises
    ------
    NotEnoughDataError
        No ranker has answered on any log.
    """
    from jinja2 import Environment, StrictUndefined

    if not any("error" not in line for line in lines):
        first = next((str(line["error"]) for line in lines), None)
        raise NotEnoughDataError(
            "no ranker has answered on any log, so there is nothing to show.", found=first
        )
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    environment.filters["picture"] = picture
    style = page_css() + _text("journeymine.reporting", "base.css") + _text("journeymine.bench", "page.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    template = environment.from_string(_text("journeymine.bench", "page.html"))
    return template.render(style=drawn(style), style_hash=f"sha256-{digest}", **page_view(lines))


def _text(package: str, file: str) -> str:
    text = resources.files(package).joinpath("templates").joinpath(file).read_text(encoding="utf-8")
    return text.replace("FONT_SANS", SANS).replace("FONT_CODE", CODE)
