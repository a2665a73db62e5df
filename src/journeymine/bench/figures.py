"""Pictures of the benchmark page: predicted against true on log axes, coverage by scenario."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from journeymine import _format as fmt
from journeymine.draw.axis import Axis
from journeymine.draw.figure import Figure
from journeymine.draw.svg import Circle, Mark, Path, Rect, Text
from journeymine.draw.text import fit, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

SIDE: Final = 330.0
TOP, BELOW, GAP, LABEL = 26.0, 46.0, 8.0, 12.0
ROW: Final = 22.0
WITHIN: Final = 1.25
_STEPS: Final = (1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class RatioPoint:
    """Mean prediction of one fix of one world against its true effect, both as fractions of the journeys."""

    true: float
    predicted: float
    title: str = ""

    @property
    def holds(self) -> bool:
        """Whether the prediction is within a quarter of the truth."""
        return 1 / WITHIN <= self.predicted / self.true <= WITHIN


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """Share of intervals that hold the truth in one scenario, with its own interval; `n` pairs."""

    name: str
    share: float
    lower: float
    upper: float
    n: int


def ratio_plot(points: Sequence[RatioPoint], *, alt: str, width: float = SIDE) -> Figure:
    """Draw predictions against the truth, both axes logarithmic, in points; those off by a quarter are hollow.

    Points at or below zero stand on the lower edge: a logarithm cannot show them.

    Examples
    --------
    >>> ratio_plot([RatioPoint(0.01, 0.011)], alt="Right").to_dicts()
    [{'true': 0.01, 'predicted': 0.011, 'holds': True}]
    """
    ticks = _log_ticks([100 * v for p in points for v in (p.true, p.predicted) if v > 0])
    room = max(text_width(_tick(tick), LABEL) for tick in ticks) + GAP
    low, high = math.log10(ticks[0]), math.log10(ticks[-1])
    bottom = TOP + width - room - 8
    places = tuple(math.log10(tick) for tick in ticks)
    across, up = Axis(low, high, room, width - 8, places, 0), Axis(low, high, bottom, TOP, places, 0)
    marks: list[Mark] = [Text(x=0, y=12, text="predicted, points", size=12.5, fill="ink2")]
    for tick, place in zip(ticks, places, strict=True):
        x, y = across.place(place), up.place(place)
        marks += [
            Path(d=("M", across.start, y, "H", across.end), stroke="line"),
            Path(d=("M", x, TOP, "V", bottom), stroke="line"),
            Text(x=room - GAP, y=y + 4, text=_tick(tick), size=LABEL, fill="ink3", anchor="end"),
            Text(x=x, y=bottom + 18, text=_tick(tick), size=LABEL, fill="ink3", anchor="middle"),
        ]
    marks.append(Text(x=across.end, y=bottom + 38, text="true, points", size=12.5, fill="ink2", anchor="end"))
    marks += _band(across, up)
    for point in points:
        colour = "good" if point.holds else "bad"
        x, y = across.place(math.log10(100 * point.true)), up.place(_log(100 * point.predicted, ticks[0]))
        fill = colour if point.holds else "card"
        marks.append(Circle(x=x, y=y, r=3.4, fill=fill, stroke=colour, stroke_width=1.6, title=point.title))
    rows = tuple({"true": p.true, "predicted": p.predicted, "holds": p.holds} for p in points)
    return Figure("ratio", width, bottom + BELOW, tuple(marks), alt, rows)


def _band(across: Axis, up: Axis) -> list[Mark]:
    """The line on which predictions are right, and a quarter off on both sides."""
    off = math.log10(WITHIN)
    marks: list[Mark] = [
        Path(d=("M", across.start, up.start, "L", across.end, up.end), stroke="ink3", dash="5 4")
    ]
    for a, b in ((off, 0.0), (0.0, off)):
        ends = (across.low + b, across.low + a), (across.high - a, across.high - b)
        (x0, y0), (x1, y1) = ((across.place(x), up.place(y)) for x, y in ends)
        marks.append(Path(d=("M", x0, y0, "L", x1, y1), stroke="line2"))
    return marks


def _log(value: float, least: float) -> float:
    return math.log10(value) if value > 0 else math.log10(least)


def _log_ticks(values: Sequence[float]) -> tuple[float, ...]:
    """Ticks 1, 2, 5, 10, … around the values; every decade where there are many.

    Examples
    --------
    >>> _log_ticks([0.3, 1.4])
    (0.2, 0.5, 1.0, 2.0)
    """
    low, high = min(values, default=0.5), max(values, default=2.0)
    first, last = math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1
    grid = [round(step * 10.0**power, 10) for power in range(first, last + 1) for step in _STEPS]
    inside = [i for i, tick in enumerate(grid) if low <= tick <= high]
    begin = max(i for i, tick in enumerate(grid) if tick <= low)
    end = min(i for i, tick in enumerate(grid) if tick >= high)
    ticks = grid[begin : max(end, begin + 1) + 1]
    return (
        tuple(ticks) if len(inside) < 8 else (ticks[0], *(t for t in ticks[1:-1] if _is_decade(t)), ticks[-1])
    )


def _is_decade(tick: float) -> bool:
    return abs(math.log10(tick) - round(math.log10(tick))) < 1e-9


def _tick(value: float) -> str:
    return f"{value:g}"


def coverage_plot(
    rows: Sequence[CoverageRow], *, alt: str, low: float = 0.9, high: float = 0.98, width: float = SIDE
) -> Figure:
    """Draw the coverage of 95 % intervals by scenario; the band is what a gate allows, hollow: outside of it.

    Examples
    --------
    >>> coverage_plot([CoverageRow("markov", 0.94, 0.9, 0.97, 120)], alt="Fine").to_dicts()[0]["coverage"]
    0.94
    """
    room = min(max((text_width(row.name, LABEL) for row in rows), default=0.0) + GAP, 0.5 * width)
    least = min([0.8, *(math.floor(10 * row.lower) / 10 for row in rows)])
    axis = Axis(least, 1.0, room + 6, width - 18, _shares(least), 0)
    bottom = TOP + ROW * len(rows)
    begin, end = axis.place(low), axis.place(high)
    marks: list[Mark] = [Rect(x=begin, y=TOP, width=end - begin, height=bottom - TOP, fill="good_wash")]
    for tick in axis.ticks:
        x = axis.place(tick)
        marks.append(Path(d=("M", x, TOP, "V", bottom), stroke="line"))
        marks.append(
            Text(x=x, y=TOP - 8, text=fmt.share(tick, "en", 0), size=LABEL, fill="ink3", anchor="middle")
        )
    for i, row in enumerate(rows):
        marks += _coverage_row(row, axis, TOP + ROW * (i + 0.5), room, row.upper >= low and row.lower <= high)
    data = tuple(
        {"scenario": r.name, "coverage": r.share, "lower": r.lower, "upper": r.upper, "n": r.n} for r in rows
    )
    return Figure("coverage", width, bottom + 8, tuple(marks), alt, data)


def _shares(least: float) -> tuple[float, ...]:
    step = 0.1 if least > 0.45 else 0.25
    n = math.floor((1.0 - least) / step + 1e-9)
    return tuple(round(1.0 - step * i, 10) for i in range(n, -1, -1))


def _coverage_row(row: CoverageRow, axis: Axis, y: float, room: float, is_fine: bool) -> list[Mark]:
    colour = "good" if is_fine else "bad"
    title = f"{row.name}: {fmt.share(row.share, 'en', 1)} of {fmt.number(row.n, 'en')}"
    return [
        Text(x=0, y=y + 4, text=fit(row.name, room, LABEL), size=LABEL, fill="ink2"),
        Path(d=("M", axis.place(row.lower), y, "H", axis.place(row.upper)), stroke=colour, stroke_width=1.8),
        Circle(
            x=axis.place(row.share),
            y=y,
            r=4.2,
            fill=colour if is_fine else "card",
            stroke=colour,
            stroke_width=1.8,
            title=title,
        ),
    ]
