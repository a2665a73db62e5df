"""One report dict -> one self-contained page, or a fragment for a notebook: no script, no network."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from journeymine.draw.tokens import CODE, SANS, TINT_MAX, fragment_css, page_css
from journeymine.reporting.phrases import check_language, say
from journeymine.reporting.reader import Reader
from journeymine.reporting.views.chain import chain_view
from journeymine.reporting.views.conformance import conformance_view
from journeymine.reporting.views.differences import differences_view
from journeymine.reporting.views.fixes import fixes_view
from journeymine.reporting.views.friction import friction_view
from journeymine.reporting.views.funnel import funnel_view
from journeymine.reporting.views.head import head_view
from journeymine.reporting.views.map import map_view
from journeymine.reporting.views.markup import drawn
from journeymine.reporting.views.method import method_view
from journeymine.reporting.views.occupation import occupation_view
from journeymine.reporting.views.outcome import outcome_view
from journeymine.reporting.views.paths import paths_view
from journeymine.reporting.views.patterns import patterns_view
from journeymine.reporting.views.personas import personas_view
from journeymine.reporting.views.prediction import prediction_view
from journeymine.reporting.views.quality import quality_view
from journeymine.reporting.views.steps import TINTS, steps_view

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jinja2 import Environment

SECTIONS: Final[dict[str, Callable[[Reader], dict[str, Any] | None]]] = {
    "fixes": fixes_view,
    "outcome": outcome_view,
    "map": map_view,
    "funnel": funnel_view,
    "occupation": occupation_view,
    "friction": friction_view,
    "paths": lambda reader: {**paths_view(reader), "patterns": patterns_view(reader)},
    "personas": personas_view,
    "conformance": conformance_view,
    "differences": differences_view,
    "chain": chain_view,
    "prediction": prediction_view,
    "steps": steps_view,
    "quality": quality_view,
    "method": method_view,
}
"""Sections in the order of the page: each has a view (None: left out) and a template."""
STYLES: Final = (
    "base",
    "page",
    "fixes",
    "map",
    "friction",
    "patterns",
    "conformance",
    "differences",
    "chain",
    "personas",
    "occupation",
    "prediction",
)


def render_html(report: Mapping[str, Any], lang: str) -> str:
    """Render the report as one self-contained HTML page.

    Parameters
    ----------
    report
        The dict of `report.json`. Texts are made anew from its numbers, so any language will do.
    lang
        `en` or `fr`.

    Returns
    -------
    str
        The page. The same dict and language give the same text.
    """
    reader = Reader(report, check_language(lang))
    style = page_css() + "".join(_css(f"{name}.css") for name in STYLES)
    script = _template("map.js")
    views = {name: view(reader) for name, view in SECTIONS.items()}
    return (
        _environment()
        .get_template("page.html")
        .render(
            **_common(reader),
            style=drawn(style),
            style_hash=_hash(style),
            script=drawn(script),
            script_hash=_hash(script),
            sections=[name for name, view in views.items() if view is not None],
            head=head_view(reader),
            **views,
        )
    )


def fragment_fixes(report: Mapping[str, Any], lang: str) -> str:
    """Render the ranking of the fixes as a fragment for a notebook.

    Parameters
    ----------
    report
        The dict of `report.json`, or the part of it with `log`, `fixes`, `tests` and `activities`.
    lang
        `en` or `fr`.

    Returns
    -------
    str
        One `<div class="jm">` with its own style sheet, which reaches nothing outside of it.
    """
    reader = Reader(report, check_language(lang), has_refs=False)
    style = fragment_css() + _css("base.css") + _css("fixes.css")
    return (
        _environment()
        .get_template("fragment.html")
        .render(
            **_common(reader, _uid(report, lang)),
            style=drawn(style),
            head=head_view(reader),
            fixes=fixes_view(reader),
        )
    )


def _common(reader: Reader, uid: str = "") -> dict[str, Any]:
    """Give the templates the language, the table of strings and the prefix of all ids."""
    return {"lang": reader.lang, "uid": uid, "t": lambda key, **fields: say(key, reader.lang, **fields)}


def _uid(report: Mapping[str, Any], lang: str) -> str:
    """Prefix of the ids of a fragment: a hash of what it shows, so that two of them never share one."""
    content = json.dumps([lang, report], sort_keys=True, default=str)
    return f"jm{hashlib.sha256(content.encode()).hexdigest()[:8]}-"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    return Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )


@cache
def _template(file: str) -> str:
    folder = resources.files("journeymine.reporting").joinpath("templates")
    return folder.joinpath(file).read_text(encoding="utf-8")


def _css(file: str) -> str:
    text = _template(file).replace("FONT_SANS", SANS).replace("FONT_CODE", CODE)
    return text.replace("TINT_RULES\n", tint_rules())


def tint_rules() -> str:
    """Write one rule per strength of the tint: classes, so that no element needs a style of its own."""
    steps = ((i, round(100 * TINT_MAX * i / TINTS, 1)) for i in range(1, TINTS + 1))
    return "".join(
        f".jm .tb .t{i}{{background:color-mix(in srgb,var(--bad) {percent:g}%,transparent)}}\n"
        for i, percent in steps
    )


def _hash(style: str) -> str:
    """Hash of the style sheet, as the content security policy wants it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
