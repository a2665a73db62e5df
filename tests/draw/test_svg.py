"""The two writers: same picture, colours by name or resolved, everything escaped."""

from __future__ import annotations

import re
from xml.dom import minidom

import pytest

from journeymine.draw.figure import Figure
from journeymine.draw.svg import Circle, Group, Path, Rect, Text, coordinate, decoration
from journeymine.draw.tokens import DARK, LIGHT
from journeymine.errors import OptionError, OutputError

HOSTILE = "</text></svg><script>alert(1)</script>\"'&\x00\n"
MARKS = (
    Rect(x=1, y=2.04, width=3.06, height=4, fill="good", opacity=0.5, stroke="ink", radius=2, title=HOSTILE),
    Circle(x=1, y=2, r=3, fill="card", stroke="bad", stroke_width=2.2),
    Path(d=("M", 0, 1.23456, "H", 5), stroke="data2", dash="7 3", stroke_width=2),
    Group(id="g", marks=(Text(x=1, y=2, text=HOSTILE, weight=700, anchor="end", rotate=-45, ref='a"b'),)),
)
FIGURE = Figure("test", 20, 10, MARKS, f"Conclusion {HOSTILE}", ({"a": 1},))


@pytest.mark.parametrize("mode", ["page", "static"])
def test_hostile_labels_stay_text(mode: str) -> None:
    document = minidom.parseString(
        FIGURE.svg(mode).replace("<svg ", '<svg xmlns="x" ' if mode == "page" else "<svg ", 1)
    )
    assert document.getElementsByTagName("script").length == 0
    (text,) = document.getElementsByTagName("text")
    assert "<script>alert(1)</script>" in text.firstChild.data
    assert document.documentElement.getAttribute("role") == "img"
    assert document.documentElement.getAttribute("aria-label").startswith("Conclusion </text>")


def test_page_mode_names_colours_and_static_mode_resolves_them() -> None:
    page, static, dark = FIGURE.svg("page"), FIGURE.svg("static"), FIGURE.svg("static", "dark")
    assert "var(--good)" in page
    assert not re.search(r"#[0-9A-F]{6}", page)
    assert "var(" not in static
    assert "style" not in static
    assert LIGHT["good"] in static
    assert DARK["good"] in dark
    assert set(re.findall(r"#[0-9A-F]{6}", static)) <= set(LIGHT.values())


def test_both_modes_draw_the_same_shapes() -> None:
    shapes = re.compile(r"<(rect|circle|path|text|g)\b")
    page, static = (shapes.findall(FIGURE.svg(mode)) for mode in ("page", "static"))
    assert static == ["rect", *page]  # the background


def test_coordinates_have_one_decimal() -> None:
    assert coordinate(1.25) in {"1.2", "1.3"}
    assert coordinate(3.0) == "3"
    assert not re.search(r"\d\.\d\d", re.sub(r'fill-opacity="[^"]*"', "", FIGURE.svg()))


def test_ids_carry_a_prefix_of_the_content() -> None:
    other = Figure("test", 20, 10, MARKS[:3], "Other")
    assert f'id="{FIGURE.prefix}-g"' in FIGURE.svg()
    assert FIGURE.prefix != other.prefix
    assert FIGURE.prefix == Figure("test", 20, 10, MARKS, FIGURE.alt_text).prefix


def test_same_figure_same_bytes() -> None:
    assert FIGURE.svg() == Figure("test", 20, 10, MARKS, FIGURE.alt_text).svg()


def test_unknown_colours_and_weights_are_refused() -> None:
    with pytest.raises(KeyError):
        Figure("x", 1, 1, (Rect(x=0, y=0, width=1, height=1, fill="#123456"),), "").svg()
    with pytest.raises(ValueError, match="650"):
        Figure("x", 1, 1, (Text(x=0, y=0, text="a", weight=650),), "").svg()


def test_wrong_modes_are_named() -> None:
    with pytest.raises(OptionError, match="mode is 'png'"):
        FIGURE.svg("png")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="theme is 'blue'"):
        FIGURE.svg("static", "blue")  # type: ignore[arg-type]


def test_save_writes_one_readable_file(tmp_path: object) -> None:
    from pathlib import Path as FilePath

    folder = FilePath(str(tmp_path))
    path = FIGURE.save(folder / "figure.svg")
    minidom.parse(str(path))
    assert [file.name for file in folder.iterdir()] == ["figure.svg"]
    assert path.read_text(encoding="utf-8") == FIGURE.svg("static") + "\n"
    with pytest.raises(OptionError, match=r"only \.svg"):
        FIGURE.save(folder / "figure.png")
    with pytest.raises(OutputError, match="cannot write"):
        FIGURE.save(folder / "missing" / "figure.svg")


def test_data_behind_the_figure() -> None:
    assert FIGURE.to_dicts() == [{"a": 1}]
    assert FIGURE.to_frame()["a"].tolist() == [1]
    assert FIGURE._repr_svg_() == FIGURE.svg("static")


def test_a_decoration_is_silent() -> None:
    text = decoration(MARKS[:1], 10, 10, kind="bar", stretch=True)
    assert 'aria-hidden="true"' in text
    assert "role" not in text
