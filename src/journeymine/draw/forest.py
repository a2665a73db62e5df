"""The forest of fixes: one row per fix, its interval on an axis that contains zero.

A hollow grey dot says that the interval contains zero. Rows stand in the order given: the ranking decides.
The page builds the same picture from strips, so that its text can wrap and stack on a phone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.draw.axis import Axis, axis_with_zero
from journeymine.draw.figure import Figure
from journeymine.draw.svg import Circle, Mark, Path, Text, decoration
from journeymine.draw.text import cut, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROW: Final = 66.0
HEADING: Final = 40.0
AXIS_HEIGHT: Final = 24.0
WIDTH: Final = 1040.0
TITLE_X, TITLE_WIDTH = 34.0, 330.0
AXIS_X, AXIS_END = 384.0, 644.0
POINTS_X, MONTH_X, NEXT_X = 752.0, 830.0, 850.0
STRIP_WIDTH, STRIP_HEIGHT, STRIP_PAD = 280.0, 30.0, 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """One fix; texts are already in the reader's language.

    `scale` is what effects are multiplied by on the axis: 100 for fractions of the journeys, which are shown in points,
    1 for money and days.
    """

    number: int
    title: str
    estimate: float
    lower: float
    upper: float
    place: str = ""
    per_month: str = ""
    next_step: str = ""
    ref: str = ""
    scale: float = 100.0

    @property
    def has_zero(self) -> bool:
        """Whether the interval contains zero."""
        return self.lower <= 0.0 <= self.upper


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestBlock:
    """Fixes of one kind under their own heading."""

    heading: str
    rows: tuple[ForestRow, ...]


def effect_axis(rows: Iterable[ForestRow], start: float, end: float) -> Axis:
    """Fit one axis, in per cent points unless the rows say otherwise, to all rows.

    Examples
    --------
    >>> effect_axis([ForestRow(number=1, title="A", estimate=0.007, lower=0.004, upper=0.009)], 0, 100).ticks
    (0.0, 0.25, 0.5, 0.75, 1.0)
    """
    values = [row.scale * value for row in rows for value in (row.estimate, row.lower, row.upper)]
    return axis_with_zero(values, start, end, n_ticks=4)


def forest(
    blocks: Sequence[ForestBlock], *, lang: str, alt: str, month_label: str = "", axis_label: str = ""
) -> Figure:
    """Draw the fixes.

    Parameters
    ----------
    blocks
        Fixes in the order of the ranking, by kind.
    lang
        Language of the numbers.
    alt
        The conclusion.
    month_label
        Stands under the number per month.
    axis_label
        What the axis shows, with its unit.

    Examples
    --------
    >>> row = ForestRow(number=1, title="Repair it", estimate=0.0074, lower=0.0049, upper=0.0099)
    >>> figure = forest([ForestBlock(heading="Found", rows=(row,))], lang="en", alt="One fix")
    >>> "+0.49 to +0.99" in figure.svg()
    True
    """
    rows = [row for block in blocks for row in block.rows]
    axis = effect_axis(rows, AXIS_X, AXIS_END)
    marks: list[Mark] = []
    y = AXIS_HEIGHT + (14 if axis_label else 0)
    if axis_label:
        marks.append(Text(x=AXIS_X, y=12, text=axis_label, size=12, fill="ink3"))
    for block in (block for block in blocks if block.rows):
        marks.append(Text(x=0, y=y + 18, text=block.heading, weight=600, size=13, fill="ink2"))
        marks += axis_marks(axis, y + 20, lang)
        y += HEADING
        marks += grid_marks(axis, y - 8, y + ROW * len(block.rows))
        for row in block.rows:
            marks += _row_marks(row, axis, y + ROW / 2, lang, month_label)
            y += ROW
    return Figure("forest", WIDTH, y + 8, tuple(marks), alt, tuple(_data(block) for block in _flat(blocks)))


def _flat(blocks: Sequence[ForestBlock]) -> list[tuple[ForestBlock, ForestRow]]:
    return [(block, row) for block in blocks for row in block.rows]


def _data(pair: tuple[ForestBlock, ForestRow]) -> dict[str, Any]:
    block, row = pair
    return {
        "rank": row.number,
        "title": row.title,
        "place": row.place,
        "block": block.heading,
        "estimate": row.estimate,
        "lower": row.lower,
        "upper": row.upper,
        "per_month": row.per_month,
        "next_step": row.next_step,
    }


def axis_marks(axis: Axis, y: float, lang: str, size: float = 12) -> list[Mark]:
    """Draw the numbers of the axis, in points; zero has no sign."""
    return [
        Text(
            x=axis.place(tick),
            y=y,
            text=fmt.signed(tick, lang, axis.digits) if tick else "0",
            size=size,
            fill="ink3",
            anchor="middle",
        )
        for tick in axis.ticks
    ]


def grid_marks(axis: Axis, top: float, bottom: float) -> list[Mark]:
    """Draw one line per tick; the line at zero is darker."""
    return [
        Path(d=("M", axis.place(tick), top, "V", bottom), stroke="line" if tick else "data2")
        for tick in axis.ticks
    ]


def interval_marks(row: ForestRow, axis: Axis, y: float) -> list[Mark]:
    """Draw the interval with its two ends and the dot of the estimate."""
    low, high, dot = (axis.place(row.scale * value) for value in (row.lower, row.upper, row.estimate))
    colour = "data2" if row.has_zero else "good" if row.lower > 0 else "bad"
    ends = ("M", low, y, "H", high, "M", low, y - 5, "V", y + 5, "M", high, y - 5, "V", y + 5)
    point = Circle(
        x=dot, y=y, r=5.5, fill="card" if row.has_zero else colour, stroke=colour, stroke_width=2.2
    )
    return [Path(d=ends, stroke=colour, stroke_width=2.3), point]


def _row_marks(row: ForestRow, axis: Axis, y: float, lang: str, month_label: str) -> list[Mark]:
    marks: list[Mark] = [
        Circle(x=12, y=y - 2, r=11, fill="ink"),
        Text(x=12, y=y + 2.5, text=str(row.number), size=12.5, weight=700, fill="card", anchor="middle"),
    ]
    marks += _block_of_text(row.title, row.place, y, TITLE_X, TITLE_WIDTH)
    marks += interval_marks(row, axis, y - 2)
    marks += _effect_texts(row, y, lang)
    if row.per_month:
        marks += [
            Text(
                x=MONTH_X,
                y=y - 4,
                text=row.per_month,
                weight=700,
                anchor="end",
                ref=_ref(row, "per_month.estimate"),
            ),
            Text(x=MONTH_X, y=y + 12, text=month_label, size=12, fill="ink3", anchor="end"),
        ]
    marks += _block_of_text("", row.next_step, y, NEXT_X, WIDTH - NEXT_X)
    return marks


def _effect_texts(row: ForestRow, y: float, lang: str) -> list[Mark]:
    digits = fmt.points_digits(row.estimate, row.lower, row.upper)
    lower, upper = (fmt.signed(100 * value, lang, digits) for value in (row.lower, row.upper))
    return [
        Text(
            x=POINTS_X,
            y=y - 4,
            text=fmt.points(row.estimate, lang, digits),
            weight=700 if not row.has_zero else 400,
            anchor="end",
            ref=_ref(row, "effect.estimate"),
        ),
        Text(x=POINTS_X, y=y + 12, text=fmt.interval(lower, upper, lang), size=12, fill="ink3", anchor="end"),
    ]


def _ref(row: ForestRow, name: str) -> str | None:
    return f"{row.ref}.{name}" if row.ref else None


def _block_of_text(bold: str, small: str, y: float, x: float, width: float) -> list[Mark]:
    """Up to three lines, centred on the row: the bold text first."""
    heads = wrap(bold, width, 13.5, lines=2, weight=700) if bold else ()
    notes = wrap(small, width, 12, lines=4 - len(heads)) if small else ()
    lines = [(text, 13.5, 700, "ink") for text in heads] + [
        (text, 12.0, 400, "ink3" if heads else "ink") for text in notes
    ]
    full = cut(bold or small, 400)
    top = y - 15.5 * (len(lines) - 1) / 2 + 2.5
    return [
        Text(
            x=x,
            y=top + 15.5 * i,
            text=text,
            size=size,
            weight=weight,
            fill=fill,
            title=full if i == 0 else None,
        )
        for i, (text, size, weight, fill) in enumerate(lines)
    ]


def strip_axis(rows: Iterable[ForestRow]) -> Axis:
    """Axis of the strips from which the page builds the same picture."""
    return effect_axis(rows, STRIP_PAD + 8, STRIP_WIDTH - STRIP_PAD - 8)


def interval_strip(row: ForestRow, axis: Axis) -> str:
    """Draw the interval of one row of a page."""
    marks = interval_marks(row, axis, STRIP_HEIGHT / 2)
    return decoration(marks, STRIP_WIDTH, STRIP_HEIGHT, kind="strip")


def grid_strip(axis: Axis) -> str:
    """Draw the lines behind an interval; the page stretches it to the height of the row."""
    return decoration(grid_marks(axis, 0, 10), STRIP_WIDTH, 10, kind="grid", stretch=True)


def tick_strip(axis: Axis, lang: str) -> str:
    """Draw the numbers of the axis."""
    return decoration(axis_marks(axis, 13, lang), STRIP_WIDTH, 18, kind="ticks")
