"""The picture of the map: two writers, everything escaped, complete without a script, small."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.dom import minidom

import pytest

from journeymine.draw.layout.graph import Path, Step
from journeymine.draw.layout.layered import lay_out
from journeymine.draw.process_map import MapBand, MapPath, MapStep, MapWords, process_map, right_of
from journeymine.draw.process_map_boxes import name_lines
from journeymine.draw.tokens import DARK, LIGHT

if TYPE_CHECKING:
    from journeymine.draw.process_map_svg import MapFigure

HOSTILE = "</script><img src=x onerror=alert(1)>\x00\n\"'&"
NAMES = ("Basket", HOSTILE, "companyCreateUserOnInstance and more " * 3, "支払い 💳", "تسجيل")


def figure(*, wide: bool = False, words: MapWords | None = None) -> MapFigure:
    leave = (0.0, 0.9, 0.3, None, 0.02)
    steps = [
        MapStep(
            id=f"s{i}",
            name=name,
            reach=1 - 0.2 * i,
            leave=leave[i],
            repeat=0.1 if i == 1 else 0.0,
            is_goal=i == 3,
            is_fold=i == 4,
            fixes=((), (1,), (2, 3), (), ())[i],
            note=name,
            ref=f"map.steps[{i}]",
        )
        for i, name in enumerate(NAMES)
    ]
    pairs = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (0, 4), (2, 1), (1, 3)]
    paths = [
        MapPath(
            source=f"s{a}",
            target=f"s{b}",
            n=100 - 10 * place,
            share=0.5,
            shown=place < 5,
            is_backbone=place < 4,
            place=place,
            note=f"{NAMES[a]} → {NAMES[b]}",
            wait="3 d",
            ref=f"map.paths[{place}].share.estimate",
        )
        for place, (a, b) in enumerate(pairs)
    ]
    boxes = [Step(id=s.id, stage=i // 3, place=i, right=right_of(s.leave)) for i, s in enumerate(steps)]
    lines = [Path(source=p.source, target=p.target, n=p.n, shown=p.shown) for p in paths]
    if wide:
        boxes += [Step(id=f"x{i}", stage=0, place=9, right=125) for i in range(4)]
        steps += [MapStep(id=f"x{i}", name="x", reach=0.1) for i in range(4)]
    bands = [
        MapBand(name=HOSTILE, reach=1.0, ref="map.stages[0].reach.estimate"),
        MapBand(name="Two", reach=0.4),
    ]
    return process_map(steps, paths, bands, lay_out(boxes, lines), alt=f"Lost {HOSTILE}", words=words)


@pytest.mark.parametrize("mode", ["page", "static"])
def test_hostile_names_stay_text(mode: str) -> None:
    text = figure().svg(mode)  # type: ignore[arg-type]
    document = minidom.parseString(text if mode == "static" else text.replace("<svg ", '<svg xmlns="x" ', 1))
    assert document.getElementsByTagName("img").length == 0
    assert document.getElementsByTagName("script").length == 0
    assert document.documentElement.getAttribute("role") == "img"


def test_the_page_names_colours_and_the_file_resolves_them() -> None:
    page, static, dark = figure().svg("page"), figure().svg("static"), figure().svg("static", "dark")
    assert not re.search(r"#[0-9A-F]{6}", page)
    assert "var(" not in static
    assert "style" not in static
    assert "class=" not in static
    assert "data-id" not in static
    assert set(re.findall(r"#[0-9A-F]{6}", static)) <= set(LIGHT.values())
    assert set(re.findall(r"#[0-9A-F]{6}", dark)) <= set(DARK.values())


def test_the_file_holds_what_is_shown_at_first_and_the_page_all_paths() -> None:
    page, static = figure().svg("page"), figure().svg("static")
    assert len(re.findall(r'class="e[ "]', page)) == 8
    assert len(re.findall(r'class="e[^"]* off"', page)) == 3
    assert len(re.findall(r'class="l[ "]', page)) == 8
    assert len(re.findall("→", static)) == 5
    assert "stroke-dasharray" in static


def test_lines_and_labels_stand_in_the_same_order() -> None:
    # The script takes them in pairs.
    page = figure().svg("page")
    lines, labels = (re.findall(rf'class="{kind}[^"]*" data-r="([0-9]+)"', page) for kind in "el")
    assert lines == labels


def test_goal_spill_loop_and_fixes_are_drawn() -> None:
    page = figure().svg("page")
    assert 'stroke="var(--good)"' in page
    assert page.count('stroke="var(--bad)"') == 3
    assert "↻ " in page
    assert ">2 · 3</text>" in page
    assert 'data-ref="map.steps[1].leave.estimate">90%</text>' in page
    assert '<tspan data-ref="map.steps[0].reach.estimate">100%</tspan> of journeys' in page


def test_words_of_another_language() -> None:
    page = figure(words=MapWords(lang="fr", reach="{share} des parcours")).svg("page")
    assert "100\u202f%</tspan> des parcours" in page


def test_a_narrow_map_stands_in_the_middle_and_a_wide_one_takes_its_width() -> None:
    assert figure().width == 700
    assert figure(wide=True).width > 900


def test_coordinates_have_one_decimal_and_the_picture_is_the_same_every_time() -> None:
    text = figure().svg("static")
    assert not re.search(r"\d\.\d\d", re.sub(r'fill-opacity="[^"]*"', "", text))
    assert figure().svg("static") == text
    assert figure().to_frame().shape == (8, 4)


def test_names_are_broken_where_they_may_be() -> None:
    assert name_lines("Account sign-in") == ("Account sign-in",)
    assert name_lines("T02 Check confirmation of receipt")[0] == "T02 Check"
    assert name_lines("x" * 90)[0].endswith("…")
    assert name_lines("snake_case_name_of_an_event")[0].endswith("_")
    assert len(name_lines("many words " * 20)) == 2
    assert name_lines("") == ("",)
