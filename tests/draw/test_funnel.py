"""The funnel picture: bars on one scale, whiskers where they belong, nothing outside the frame."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from journeymine.draw.funnel import FunnelBar, FunnelCell, funnel_bars, hatching
from journeymine.draw.svg import Path, Rect, Text

STEPS = [
    FunnelBar(
        name="Basket",
        parts=(("on", 0.5), ("skipped", 0.1), ("lost", 0.3), ("open", 0.1)),
        cells=(
            FunnelCell(text="100%"),
            FunnelCell(text="31%", note="28% to 35%", ref="funnel.steps[0].loss.estimate"),
        ),
    ),
    FunnelBar(
        name="A step with quite a long name that needs two lines or is cut",
        parts=(("end", 0.5), ("skipped", 0.0), ("lost", 0.0), ("open", 0.0)),
        interval=(0.55, 0.5, 0.6),
        cells=(FunnelCell(text="55%", note="50% to 60%"), FunnelCell()),
    ),
]
LEGEND = [("on", "go on"), ("lost", "go no further"), ("open", "still open"), ("whisker", "estimate")]


@pytest.mark.parametrize("width", [340.0, 650.0, 1050.0])
def test_everything_stands_inside_the_picture(width: float) -> None:
    figure = funnel_bars(
        STEPS, lang="en", alt="x", legend=LEGEND, columns=["Get here", "Do not go on"], width=width
    )
    for mark in figure.marks:
        if isinstance(mark, Rect):
            assert mark.x >= 0
            assert mark.x + mark.width <= width + 1
            assert mark.y + mark.height <= figure.height
        elif isinstance(mark, Text):
            assert 0 <= mark.x <= width
            assert mark.y <= figure.height
        elif isinstance(mark, Path):
            numbers = [part for part in mark.d if not isinstance(part, str)]
            assert min(numbers) >= 0
            assert max(numbers) <= max(width, figure.height) + 1
    assert "31%" in figure.svg()
    assert "funnel.steps[0].loss.estimate" in figure.svg()


def bars(width: float = 1050.0) -> list[Rect]:
    figure = funnel_bars(STEPS, lang="en", alt="x", width=width)
    return [m for m in figure.marks if isinstance(m, Rect) and m.height >= 20 and m.fill != "band0"]


def test_parts_follow_each_other_on_one_scale() -> None:
    first = bars()[:4]
    widths = [round(rect.width) for rect in first]
    track = next(m for m in funnel_bars(STEPS, lang="en", alt="x").marks if isinstance(m, Rect))
    assert widths[0] == round(0.5 * track.width)
    assert widths[2] == round(0.3 * track.width)
    for left, right in pairwise(first[:3]):
        assert left.x + left.width == pytest.approx(right.x)
    assert [rect.fill for rect in first] == ["data2", "data", "bad", "card"]
    assert bars()[4].width == pytest.approx(first[0].width)
    assert bars()[4].fill == "good"


def test_the_whisker_stands_at_the_bounds() -> None:
    figure = funnel_bars(STEPS, lang="en", alt="x")
    track = next(m for m in figure.marks if isinstance(m, Rect))
    whisker = next(m for m in figure.marks if isinstance(m, Path) and m.stroke == "ink")
    assert whisker.d[1] == pytest.approx(track.x + 0.5 * track.width)
    assert whisker.d[4] == pytest.approx(track.x + 0.6 * track.width)


def test_half_an_interval_is_not_shown() -> None:
    long = FunnelBar(name="x", parts=(("on", 1.0),), cells=(FunnelCell(text="5 min", note="x" * 40),))
    assert "xxx" not in funnel_bars([long], lang="en", alt="y", columns=["Time"]).svg()
    assert "xxx" not in funnel_bars([long], lang="en", alt="y", columns=["Time"], width=340.0).svg()


def test_below_a_narrow_bar_every_number_has_a_line_with_its_interval() -> None:
    columns = ["Get here", "Do not go on"]
    figure = funnel_bars(STEPS, lang="en", alt="x", columns=columns, width=340.0)
    texts = {m.text: m for m in figure.marks if isinstance(m, Text)}
    for head, number, note in (("Do not go on", "31%", "28% to 35%"), ("Get here", "55%", "50% to 60%")):
        line = [m for m in figure.marks if isinstance(m, Text) and m.y == texts[number].y]
        assert [m.text for m in sorted(line, key=lambda m: m.x)] == [head, number, note]
    # The first step has two numbers, the last one has one, and nothing is drawn for the other.
    assert [m.text for m in figure.marks if isinstance(m, Text)].count("Do not go on") == 1
    # Numbers stand below each other.
    assert len({texts[number].x for number in ("100%", "31%", "55%")}) == 1
    assert texts["28% to 35%"].x == texts["50% to 60%"].x


def test_labels_are_safe() -> None:
    bad = FunnelBar(name='<script>"&\n', parts=(("on", 1.0),))
    svg = funnel_bars([bad], lang="fr", alt="<b>", legend=[("on", "<i>")]).svg()
    assert not re.search("<(script|b|i)>", svg)
    assert "100\u202f%" in svg


@pytest.mark.parametrize(("width", "height"), [(6, 6), (100, 22), (3, 22), (14, 14)])
def test_hatching_stays_in_its_box(width: float, height: float) -> None:
    numbers = [part for part in hatching(10, 20, width, height) if not isinstance(part, str)]
    assert all(10 <= x <= 10 + width for x in numbers[::2])
    assert all(20 <= y <= 20 + height for y in numbers[1::2])


def test_the_data_twin() -> None:
    assert funnel_bars(STEPS, lang="en", alt="x").to_dicts()[0] == {
        "step": "Basket", "on": 0.5, "skipped": 0.1, "lost": 0.3, "open": 0.1,
    }  # fmt: skip
