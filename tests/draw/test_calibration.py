"""The calibration picture: dots where they belong, nothing outside the frame, labels that are safe."""

from __future__ import annotations

import re

import pytest

from journeymine.draw.calibration import CalibrationPoint, calibration_plot
from journeymine.draw.svg import Circle, Path, Rect, Text
from journeymine.draw.text import text_width

POINTS = [
    CalibrationPoint(predicted=0.08, observed=0.09, lower=0.05, upper=0.14, n=400, title="few"),
    CalibrationPoint(predicted=0.31, observed=0.30, lower=0.27, upper=0.33, n=1600, label="31% → 30%"),
    CalibrationPoint(predicted=0.62, observed=0.75, lower=0.70, upper=0.79, n=900),
]
NEAR_ONE = [
    CalibrationPoint(predicted=0.9975, observed=0.998, lower=0.99, upper=0.9995, n=10, label="99.8% → 99.8%"),
    CalibrationPoint(predicted=0.999, observed=0.9985, lower=0.995, upper=1.0, n=20),
]


def circles(points: list[CalibrationPoint], width: float = 560.0) -> list[Circle]:
    figure = calibration_plot(points, lang="en", alt="x", width=width)
    return [mark for mark in figure.marks if isinstance(mark, Circle)]


@pytest.mark.parametrize("width", [340.0, 560.0])
@pytest.mark.parametrize("points", [POINTS, NEAR_ONE, POINTS[:1], []])
def test_everything_stands_inside_the_picture(points: list[CalibrationPoint], width: float) -> None:
    figure = calibration_plot(points, lang="fr", alt="x", x_label="Prévu", y_label="Venu", width=width)
    for mark in figure.marks:
        if isinstance(mark, Circle):
            assert mark.x - mark.r >= 0
            assert mark.x + mark.r <= width
            assert mark.y - mark.r >= 0
            assert mark.y + mark.r <= figure.height
        elif isinstance(mark, Text):
            size = text_width(mark.text, mark.size, mark.weight)
            begin = mark.x - {"start": 0.0, "middle": size / 2, "end": size}[mark.anchor]
            assert begin >= -0.5
            assert begin + size <= width + 0.5
            assert 0 < mark.y <= figure.height
        elif isinstance(mark, Path):
            numbers = [part for part in mark.d if not isinstance(part, str)]
            assert min(numbers) >= 0
            assert max(numbers) <= max(width, figure.height) + 1
        else:
            assert isinstance(mark, Rect)


def test_dots_on_the_line_lie_on_the_diagonal() -> None:
    exact = [
        CalibrationPoint(predicted=p, observed=p, lower=p - 0.01, upper=p + 0.01, n=5)
        for p in (0.2, 0.5, 0.7)
    ]
    figure = calibration_plot(exact, lang="en", alt="x")
    line = next(mark for mark in figure.marks if isinstance(mark, Path) and mark.dash)
    x0, y0, x1, y1 = (part for part in line.d if not isinstance(part, str))
    for dot in circles(exact):
        assert dot.y == pytest.approx(y0 + (dot.x - x0) / (x1 - x0) * (y1 - y0))


def test_a_dot_that_is_off_is_hollow_and_larger_groups_have_larger_dots() -> None:
    first, second, third = circles(POINTS)
    assert first.fill == first.stroke == second.fill == "good"
    assert (third.fill, third.stroke) == ("card", "bad")
    assert first.r < third.r < second.r
    assert first.title == "few"
    assert [point.holds for point in POINTS] == [True, True, False]


def test_small_differences_get_a_scale_that_shows_them() -> None:
    figure = calibration_plot(NEAR_ONE, lang="en", alt="x")
    ticks = {mark.text for mark in figure.marks if isinstance(mark, Text) and mark.text.endswith("%")}
    assert "0%" not in ticks
    assert any("99" in tick for tick in ticks)
    dots = circles(NEAR_ONE)
    assert dots[1].x - dots[0].x > 20


def test_labels_are_safe() -> None:
    bad = CalibrationPoint(
        predicted=0.5, observed=0.5, lower=0.4, upper=0.6, n=1, title="<script>", label='<b>"&</b>'
    )
    svg = calibration_plot([bad], lang="en", alt="<i>", x_label="<u>", y_label="<s>").svg()
    assert not re.search("<(script|b|i|u|s)>", svg)
    assert calibration_plot([bad], lang="en", alt="x").to_frame()["observed"].tolist() == [0.5]
