"""Predicted shares against what came: dots with whiskers around the line on which predictions are right."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from journeymine import _format as fmt
from journeymine.draw.axis import Axis, round_step
from journeymine.draw.figure import Figure
from journeymine.draw.svg import Circle, Mark, Path, Text
from journeymine.draw.text import fit, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

TOP, BELOW, GAP = 26.0, 46.0, 8.0
LABEL: Final = 12.0
MOST_HEIGHT: Final = 400.0
SMALLEST, LARGEST = 3.5, 7.5
CAP: Final = 4.0
NARROW_BELOW: Final = 400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationPoint:
    """Visits that were given about the same share.

    Attributes
    ----------
    predicted
        Mean share they were given.
    observed, lower, upper
        Share that came, with its interval.
    n
        Visits.
    title
        What a pointer on the dot tells.
    label
        Written beside the dot; empty for most.
    """

    predicted: float
    observed: float
    lower: float
    upper: float
    n: int
    title: str = ""
    label: str = ""

    @property
    def holds(self) -> bool:
        """Whether the interval contains what was predicted."""
        return self.lower <= self.predicted <= self.upper


def calibration_plot(
    points: Sequence[CalibrationPoint],
    *,
    lang: str,
    alt: str,
    x_label: str = "",
    y_label: str = "",
    width: float = 560.0,
) -> Figure:
    """Draw predictions against outcomes; dots off the line, by more than their interval, are hollow.

    Parameters
    ----------
    points
        Groups of visits, by rising prediction.
    lang
        Language of the scale.
    alt
        The conclusion.
    x_label, y_label
        What the axes say.
    width
        Width of the picture in px.

    Examples
    --------
    >>> point = CalibrationPoint(predicted=0.3, observed=0.31, lower=0.28, upper=0.34, n=1200)
    >>> calibration_plot([point], lang="en", alt="Right").to_dicts()
    [{'predicted': 0.3, 'observed': 0.31, 'lower': 0.28, 'upper': 0.34, 'n': 1200}]
    """
    ticks, digits = _ticks(points)
    room = max(text_width(fmt.share(tick, lang, digits), LABEL) for tick in ticks)
    left, right = room + GAP, width - room / 2 - 2
    height = min(right - left, MOST_HEIGHT)
    bottom = TOP + height
    across = Axis(ticks[0], ticks[-1], left, right, ticks, digits)
    up = Axis(ticks[0], ticks[-1], bottom, TOP, ticks, digits)
    marks = [*_grid(across, up, width, lang), _diagonal(across, up)]
    if y_label:
        marks.append(Text(x=0, y=12, text=fit(y_label, width, 12.5), size=12.5, fill="ink2"))
    if x_label:
        label = fit(x_label, right - left, 12.5)
        marks.append(Text(x=right, y=bottom + 38, text=label, size=12.5, fill="ink2", anchor="end"))
    most = max((point.n for point in points), default=1) or 1
    for point in points:
        marks += _whisker(point, across, up)
    for point in points:
        marks += _dot(point, across, up, most, width)
    rows = tuple(
        {
            "predicted": point.predicted,
            "observed": point.observed,
            "lower": point.lower,
            "upper": point.upper,
            "n": point.n,
        }
        for point in points
    )
    return Figure("calibration", width, bottom + BELOW, tuple(marks), alt, rows)


def _ticks(points: Sequence[CalibrationPoint]) -> tuple[tuple[float, ...], int]:
    """Ticks of both directions, no wider than they have to be, and the decimals that they need."""
    values = [v for p in points for v in (p.predicted, p.lower, p.upper)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    low = 0.0 if low < high - low else low
    step = round_step(max(high - low, 0.004) / 4)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, -math.floor(math.log10(100 * step) + 1e-9))
    digits += round(100 * step * 10**digits, 6) != round(100 * step * 10**digits)
    return tuple(round(i * step, 12) for i in range(first, max(last, first + 1) + 1)), digits


def _grid(across: Axis, up: Axis, width: float, lang: str) -> list[Mark]:
    marks: list[Mark] = []
    for tick in up.ticks:
        y = up.place(tick)
        text = fmt.share(tick, lang, up.digits)
        marks.append(Path(d=("M", across.start, y, "H", across.end), stroke="line"))
        marks.append(
            Text(x=across.start - GAP + 1, y=y + 4, text=text, size=LABEL, fill="ink3", anchor="end")
        )
    # The labels of a short axis would touch.
    shown = across.ticks if width >= NARROW_BELOW else across.ticks[::2]
    bottom = up.start
    for tick in across.ticks:
        x = across.place(tick)
        marks.append(Path(d=("M", x, bottom, "V", bottom + 4), stroke="line2"))
        if tick in shown:
            text = fmt.share(tick, lang, across.digits)
            marks.append(Text(x=x, y=bottom + 18, text=text, size=LABEL, fill="ink3", anchor="middle"))
    return marks


def _diagonal(across: Axis, up: Axis) -> Mark:
    return Path(d=("M", across.start, up.start, "L", across.end, up.end), stroke="ink3", dash="5 4")


def _whisker(point: CalibrationPoint, across: Axis, up: Axis) -> list[Mark]:
    x, low, high = across.place(point.predicted), up.place(point.lower), up.place(point.upper)
    d: tuple[str | float, ...] = ("M", x, low, "V", high)
    if low - high > 2 * CAP:
        d += ("M", x - CAP, low, "H", x + CAP, "M", x - CAP, high, "H", x + CAP)
    return [Path(d=d, stroke="good" if point.holds else "bad", stroke_width=1.8)]


def _dot(point: CalibrationPoint, across: Axis, up: Axis, most: int, width: float) -> list[Mark]:
    x, y = across.place(point.predicted), up.place(point.observed)
    colour = "good" if point.holds else "bad"
    radius = SMALLEST + (LARGEST - SMALLEST) * math.sqrt(point.n / most)
    fill = colour if point.holds else "card"
    dot = Circle(x=x, y=y, r=radius, fill=fill, stroke=colour, stroke_width=2.0, title=point.title or None)
    if not point.label:
        return [dot]
    needed = text_width(point.label, 12.5, 600)
    right = x + 14 + needed <= width
    return [
        dot,
        Text(
            x=x + 13 if right else x - 13,
            y=y + 16 if right else y - 8,
            text=point.label,
            size=12.5,
            weight=600,
            anchor="start" if right else "end",
        ),
    ]
