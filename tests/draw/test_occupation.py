"""Stacked areas: they fill the frame, the bands stand at the bounds, names fit where they stand."""

from __future__ import annotations

import itertools
import re

import pytest

from journeymine.draw.occupation import (
    OccupationArea,
    OccupationEnd,
    OccupationTick,
    occupation_areas,
    thinned,
)
from journeymine.draw.svg import Path, Rect, Text
from journeymine.draw.text import text_width

TIMES = [60.0 * i for i in range(1, 41)]
GOAL = tuple(0.01 * i for i in range(40))
LOST = tuple(0.0 if i < 30 else 0.03 * (i - 29) for i in range(40))
THIN = tuple(0.01 for _ in range(40))
STATE = tuple(1 - a - b - c for a, b, c in zip(GOAL, LOST, THIN, strict=True))


def around(share: tuple[float, ...], by: float) -> tuple[float, ...]:
    return tuple(min(max(v + by, 0.0), 1.0) for v in share)


AREAS = [
    OccupationArea(name="Goal", kind="goal", share=GOAL, lower=around(GOAL, -0.02), upper=around(GOAL, 0.02)),
    OccupationArea(name="A step of many words", kind="state", share=STATE),
    OccupationArea(name='<script>"&\n', kind="state", share=THIN),
    OccupationArea(
        name="Dropped", kind="lost", share=LOST, lower=around(LOST, -0.01), upper=around(LOST, 0.01)
    ),
]
TICKS = [
    OccupationTick(time=60, label="1 min"),
    OccupationTick(time=120, label="2 min", n="1,234", ref="occupation.at[0].n"),
    OccupationTick(time=2400, label="40 min", n="1,000", ref="occupation.at[1].n"),
]
ENDS = [
    OccupationEnd(kind="goal", text="39% at the goal", note="37% to 41%"),
    OccupationEnd(kind="state", text="31% under way", note="29% to 33%"),
    OccupationEnd(kind="lost", text="30% dropped", note="29% to 31%"),
]


@pytest.mark.parametrize("logarithmic", [False, True])
@pytest.mark.parametrize("width", [340.0, 650.0, 1050.0])
def test_everything_stands_inside_the_picture(width: float, logarithmic: bool) -> None:
    figure = occupation_areas(
        TIMES, AREAS, lang="fr", alt="x", ticks=TICKS, ends=ENDS, followed="Followed", width=width,
        logarithmic=logarithmic,
    )  # fmt: skip
    for mark in figure.marks:
        if isinstance(mark, Rect):
            assert 0 <= mark.x <= mark.x + mark.width <= width
            assert mark.y + mark.height <= figure.height
        elif isinstance(mark, Text):
            room = text_width(mark.text, mark.size, mark.weight)
            begin = mark.x - {"start": 0, "middle": room / 2, "end": room}[mark.anchor]
            assert begin >= -1
            assert begin + room <= width + 1
            assert 0 < mark.y <= figure.height
        elif isinstance(mark, Path):
            numbers = [part for part in mark.d if not isinstance(part, str)]
            assert min(numbers) >= 0
            assert max(numbers) <= max(width, figure.height)


def paths(fill: str) -> list[list[float]]:
    figure = occupation_areas(TIMES, AREAS, lang="en", alt="x")
    return [
        [part for part in mark.d if not isinstance(part, str)]
        for mark in figure.marks
        if isinstance(mark, Path) and mark.fill == fill
    ]


def test_areas_end_at_their_shares() -> None:
    goal = paths("good_wash")[0]
    ys = goal[1::2]
    bottom = max(ys)
    # The frame is 320 px high.
    assert (bottom - min(ys)) / 320 == pytest.approx(GOAL[-1], abs=0.005)
    lost = paths("bad_wash")[0]
    assert (max(lost[1::2]) - min(lost[1::2])) / 320 == pytest.approx(LOST[-1], abs=0.005)


def test_the_edge_is_as_thick_as_the_interval() -> None:
    band = paths("good")[0]
    right = max(band[::2])
    ys = [y for x, y in zip(band[::2], band[1::2], strict=True) if x == right]
    assert (max(ys) - min(ys)) / 320 == pytest.approx(0.04, abs=0.003)
    # Nobody is lost before minute 30: no edge there.
    assert min(paths("bad")[0][::2]) > min(paths("bad_wash")[0][::2]) + 100


def test_names_stand_in_their_area_or_below() -> None:
    figure = occupation_areas(TIMES, AREAS, lang="en", alt="x", ends=ENDS)
    texts = {mark.text: mark for mark in figure.marks if isinstance(mark, Text)}
    assert texts["A step of many words"].anchor == "middle"
    thin = next(mark for text, mark in texts.items() if "script" in text)
    assert thin.anchor == "start"
    assert thin.y > 328
    assert not re.search("<script", figure.svg())


def test_labels_at_the_end_keep_clear_of_each_other() -> None:
    flat = [
        OccupationArea(name="Goal", kind="goal", share=(0.0, 0.01)),
        OccupationArea(name="A", kind="state", share=(1.0, 0.01)),
        OccupationArea(name="Dropped", kind="lost", share=(0.0, 0.98)),
    ]
    figure = occupation_areas([0, 60], flat, lang="en", alt="x", ends=ENDS)
    at = sorted(
        mark.y
        for mark in figure.marks
        if isinstance(mark, Text) and mark.text.startswith(("39%", "31%", "30%"))
    )
    assert min(b - a for a, b in itertools.pairwise(at)) >= 30


def test_ticks_that_would_touch_are_left_out() -> None:
    svg = occupation_areas(
        TIMES, AREAS, lang="en", alt="x", ticks=TICKS, followed="Followed", width=340
    ).svg()
    assert "40 min" in svg
    assert "2 min" in svg
    assert "1 min" not in svg.replace("41 min", "")


def test_thinning_stays_close() -> None:
    points = [(float(i), float((i % 7) ** 2 + i)) for i in range(60)]
    kept = thinned(points, 0.5)
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    for x, y in points:
        left = max(p for p in kept if p[0] <= x)
        right = min(p for p in kept if p[0] >= x)
        line = (
            left[1]
            if left == right
            else left[1] + (right[1] - left[1]) * (x - left[0]) / (right[0] - left[0])
        )
        assert abs(line - y) <= 0.5
