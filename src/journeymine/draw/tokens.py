"""The colours and the type, once: the style sheet, both SVG writers and the palette test read this file.

Grey is data, blue is good, orange is bad, amber is where it is decided, ink is text and rank.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Theme = Literal["light", "dark"]

LIGHT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "page": "#F6F8FA",
        "card": "#FFFFFF",
        "line": "#E1E6EC",
        "line2": "#C9D1DB",
        "ink": "#17202B",
        "ink2": "#465262",
        "ink3": "#5F6B7B",
        "data": "#8792A2",
        "data2": "#5B6B7F",
        "good": "#1B6CA8",
        "bad": "#BF4A0B",
        "key": "#F2B705",
        "edge": "#7C8DA2",
        "back": "#8A6FB0",
        "good_wash": "#DCEBF6",
        "bad_wash": "#FBE6D9",
        "key_wash": "#FFF8E1",
        "band0": "#F1F4F7",
        "band1": "#FAFBFC",
        "on": "#FFFFFF",
    }
)
DARK: Final[Mapping[str, str]] = MappingProxyType(
    {
        "page": "#0F141A",
        "card": "#161B22",
        "line": "#28303B",
        "line2": "#3B4654",
        "ink": "#E9EDF2",
        "ink2": "#B4BECA",
        "ink3": "#93A0AF",
        "data": "#7C8A9B",
        "data2": "#A3B0BF",
        "good": "#6DB6F2",
        "bad": "#E07559",
        "key": "#F2C94C",
        "edge": "#66768C",
        "back": "#9A82C4",
        "good_wash": "#16324A",
        "bad_wash": "#46240F",
        "key_wash": "#2A2412",
        "band0": "#141A21",
        "band1": "#10151B",
        "on": "#10151B",
    }
)
THEMES: Final[Mapping[Theme, Mapping[str, str]]] = MappingProxyType({"light": LIGHT, "dark": DARK})

CATEGORIES: Final[Mapping[Theme, tuple[str, ...]]] = MappingProxyType(
    {
        "light": ("#1B6CA8", "#BF4A0B", "#175034", "#8A1161", "#BF7A79"),
        "dark": ("#6DB6F2", "#FF9A5C", "#C35A27", "#8566C7", "#048D85"),
    }
)
DIVERGING: Final = ("#1B6CA8", "#A9CDE8", "#F1F3F5", "#F3BF9D", "#BF4A0B")

TINT_MAX: Final = 0.34  # `bad` over a table cell: ink text stays readable at full tint
HEAT_MAX: Final = 0.5  # `data2` over a cell of the heat matrix

SANS: Final = (
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", "DejaVu Sans", Arial, '
    "sans-serif"
)
CODE: Final = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"
WEIGHTS: Final = (400, 600, 700)  # the only ones that every renderer of our SVG knows


def css_name(token: str) -> str:
    """CSS variable of a token.

    Examples
    --------
    >>> css_name("good_wash")
    '--good-wash'
    """
    return f"--{token.replace('_', '-')}"


def css_variables(theme: Theme) -> str:
    """Write the declarations of one theme, to stand between the braces of a rule.

    Examples
    --------
    >>> css_variables("light").split(";")[0]
    'color-scheme:light'
    """
    colours = "".join(f"{css_name(name)}:{value};" for name, value in THEMES[theme].items())
    return f"color-scheme:{theme};{colours}".rstrip(";")


def page_css() -> str:
    """Write the rules of a page: the scheme of the reader, `data-theme` over it, print always light.

    Examples
    --------
    >>> "prefers-color-scheme:dark" in page_css()
    True
    """
    light, dark = css_variables("light"), css_variables("dark")
    return (
        f":root{{{light}}}\n"
        f"@media(prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}\n"
        f":root[data-theme=dark]{{{dark}}}\n"
        f"@media print{{:root:root:root{{{light}}}}}\n"
    )


def fragment_css(scope: str = ".jm") -> str:
    """Write the rules of a fragment: the theme marks of the notebook go before the scheme of the system.

    Examples
    --------
    >>> fragment_css().startswith(".jm{color-scheme:light")
    True
    """
    light, dark = css_variables("light"), css_variables("dark")
    marks = (
        'body[data-vscode-theme-kind*="dark"]',
        "body.vscode-high-contrast",
        'body[data-jp-theme-light="false"]',
        "html[theme=dark]",
        "[data-theme=dark]",
    )
    known = 'body:not([data-jp-theme-light="true"]):not([data-vscode-theme-kind*="light"])'
    unmarked = f"{known} {scope}:not([data-theme=light])"
    forced = ",".join(f"{mark} {scope}" for mark in marks)
    return (
        f"{scope}{{{light}}}\n"
        f"@media(prefers-color-scheme:dark){{{unmarked}{{{dark}}}}}\n"
        f"{forced},{scope}[data-theme=dark]{{{dark}}}\n"
        f"@media print{{body {scope}{scope}{scope}{{{light}}}}}\n"
    )
