"""A funnel as bars on one scale from 0 to 100 %: who goes on, who ends here, who is still open; never a trapezoid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from journeymine import _format as fmt
from journeymine.draw.figure import Figure
from journeymine.draw.svg import Mark, Path, Rect, Text
from journeymine.draw.text import fit, text_width, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

NARROW_BELOW: Final = 560.0
BAR, ROW = 22.0, 48.0
NARROW_HEAD, NARROW_LINE, NARROW_GAP = 46.0, 17.0, 15.0
NARROW_NUMBER: Final = 64.0
"""Room of a number, so that intervals begin below each other."""
MIN_AXIS: Final = 240.0
CAP, HATCH, NOTE = 4.0, 6.0, 11.5
TICKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)

# Open journeys are a hatched empty box: nothing is known yet.
_FILLS: Final = {"end": "good", "on": "data2", "skipped": "data", "lost": "bad", "open": "card"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelCell:
    """A number beside a bar, its interval below it, and its address."""

    text: str = ""
    note: str = ""
    ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelBar:
    """One step.

    Attributes
    ----------
    parts
        Kind ("end", "on", "skipped", "lost", "open") and share of all that enter, from the left.
    interval
        Estimate, lower and upper bound of the share that gets here; None for no whisker.
    cells
        Numbers beside the bar, one a column.
    """

    name: str
    parts: tuple[tuple[str, float], ...]
    interval: tuple[float, float, float] | None = None
    cells: tuple[FunnelCell, ...] = ()


def funnel_bars(
    steps: Sequence[FunnelBar],
    *,
    lang: str,
    alt: str,
    legend: Sequence[tuple[str, str]] = (),
    columns: Sequence[str] = (),
    width: float = 1050.0,
) -> Figure:
    """Draw a funnel.

    Parameters
    ----------
    steps
        In order.
    lang
        Language of the scale.
    alt
        The conclusion.
    legend
        Kind and label of the parts; the kind "whisker" explains the whiskers.
    columns
        Heads of the columns of numbers.
    width
        Width of the picture; below 560 px names stand above the bars and numbers below, a line each.

    Examples
    --------
    >>> step = FunnelBar(name="Basket", parts=(("on", 0.6), ("lost", 0.2)), interval=(0.8, 0.75, 0.85))
    >>> funnel_bars([step], lang="en", alt="Three in four go on").to_dicts()
    [{'step': 'Basket', 'on': 0.6, 'lost': 0.2}]
    """
    narrow = width < NARROW_BELOW
    marks, y = _legend(legend, width)
    frame = _Frame(width, narrow, len(columns))
    if not narrow:
        marks += [
            _line(text, frame.column(i), y + 12, frame.room, size=12.5, weight=600, fill="ink2")
            for i, text in enumerate(columns)
        ]
    y += 18 if columns and not narrow else 2
    heights = [_narrow_height(step) if narrow else ROW for step in steps]
    scale, axis = _scale(frame, y, y + sum(heights), lang)
    marks += scale
    for step, height in zip(steps, heights, strict=True):
        marks += _narrow_row(step, frame, y, columns) if narrow else _row(step, frame, y)
        y += height
    rows = tuple({"step": step.name, **dict(step.parts)} for step in steps)
    return Figure("funnel", width, axis, tuple(marks), alt, rows)


class _Frame:
    """Where bars and columns stand."""

    def __init__(self, width: float, narrow: bool, n_columns: int) -> None:
        small = width < 800
        self.left = 0.0 if narrow else (140.0 if small else 230.0)
        self.room = 0.0 if narrow else (94.0 if small else 104.0)
        self.right = width - 1 if narrow else width - n_columns * (self.room + 10) - 14
        self.width = width

    def column(self, i: int) -> float:
        return self.right + 24 + i * (self.room + 10)

    def place(self, share: float) -> float:
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)


def _line(
    text: str, x: float, y: float, room: float, *, size: float, weight: int = 400, fill: str = "ink"
) -> Text:
    shown = fit(text, room, size, weight=weight)
    return Text(
        x=x, y=y, text=shown, size=size, weight=weight, fill=fill, title=text if shown != text else None
    )


def _legend(legend: Sequence[tuple[str, str]], width: float) -> tuple[list[Mark], float]:
    """Names of the parts, in as many lines as they need."""
    marks: list[Mark] = []
    x, y = 0.0, 0.0
    for kind, label in legend:
        needed = 22 + text_width(label, 13) + 22
        if x and x + needed - 22 > width:
            x, y = 0.0, y + 21
        if kind == "whisker":
            marks += _whisker(x + 1, x + 7, x + 13, y + 10)
        else:
            marks += _part(kind, x, y + 3, 14, 14)
        marks.append(Text(x=x + 21, y=y + 14.5, text=fit(label, width - 22, 13), size=13, fill="ink2"))
        x += needed
    return marks, y + (34 if legend else 0)


def _scale(frame: _Frame, top: float, bottom: float, lang: str) -> tuple[list[Mark], float]:
    """Grid lines and per cents below the bars; returns the height of the picture."""
    marks: list[Mark] = []
    # The labels of a short axis would touch.
    shown = TICKS if frame.right - frame.left >= MIN_AXIS else TICKS[::2]
    for tick in shown:
        x = frame.place(tick)
        marks.append(Path(d=("M", x, top, "V", bottom), stroke="line"))
        anchor = {0.0: "start", 1.0: "end"}.get(tick, "middle")
        label = fmt.share(tick, lang, 0)
        marks.append(
            Text(x=x, y=bottom + 15, text=label, size=12, fill="ink3", anchor=anchor)  # type: ignore[arg-type]
        )
    return marks, bottom + 20


def _row(step: FunnelBar, frame: _Frame, y: float) -> list[Mark]:
    top = y + (ROW - BAR) / 2
    lines = wrap(step.name, frame.left - 14, 13.5)[:2]
    first = y + ROW / 2 + 4.5 - 8.5 * (len(lines) - 1)
    marks: list[Mark] = [
        Text(x=0, y=first + 17 * i, text=line, title=step.name if i == 0 else None)
        for i, line in enumerate(lines)
    ]
    marks += _bar(step, frame, top)
    for i, cell in enumerate(step.cells):
        x = frame.column(i)
        # Half an interval would mislead: it stands whole or not at all.
        fits = bool(cell.note) and text_width(cell.note, NOTE) <= frame.room + 9
        if cell.text:
            middle = y + ROW / 2 + (-1.5 if fits else 4.5)
            marks.append(Text(x=x, y=middle, text=cell.text, weight=600, ref=cell.ref))
        if fits:
            marks.append(Text(x=x, y=y + ROW / 2 + 13.5, text=cell.note, size=NOTE, fill="ink3"))
    return marks


def _narrow_height(step: FunnelBar) -> float:
    return NARROW_HEAD + NARROW_LINE * sum(bool(cell.text) for cell in step.cells) + NARROW_GAP


def _narrow_row(step: FunnelBar, frame: _Frame, y: float, columns: Sequence[str]) -> list[Mark]:
    marks: list[Mark] = [_line(step.name, 0, y + 14, frame.width, size=13.5, weight=600)]
    marks += _bar(step, frame, y + 21)
    # Numbers stand below each other, and so do their intervals: as in a table without lines.
    head_room = min(max((text_width(head, 12) for head in columns), default=0.0) + 10, frame.width / 2)
    y += NARROW_HEAD + 12
    for head, cell in zip(columns, step.cells, strict=False):
        if not cell.text:
            continue
        marks.append(_line(head, 0, y, head_room - 6, size=12, fill="ink3"))
        marks.append(Text(x=head_room, y=y, text=cell.text, size=12.5, weight=600, ref=cell.ref))
        note_at = head_room + max(text_width(cell.text, 12.5, 600) + 8, NARROW_NUMBER)
        # Half an interval would mislead: it stands whole or not at all.
        if cell.note and note_at + text_width(cell.note, NOTE) <= frame.width:
            marks.append(Text(x=note_at, y=y, text=cell.note, size=NOTE, fill="ink3"))
        y += NARROW_LINE
    return marks


def _bar(step: FunnelBar, frame: _Frame, top: float) -> list[Mark]:
    marks: list[Mark] = [
        Rect(x=frame.left, y=top, width=frame.right - frame.left, height=BAR, fill="band0", title=step.name)
    ]
    begin = 0.0
    for kind, share in step.parts:
        if share > 0:
            x = frame.place(begin)
            marks += _part(kind, x, top, max(frame.place(begin + share) - x, 0.8), BAR)
        begin += share
    if step.interval is not None:
        estimate, lower, upper = (frame.place(value) for value in step.interval)
        marks += _whisker(lower, estimate, upper, top + BAR / 2)
    return marks


def _part(kind: str, x: float, y: float, width: float, height: float) -> list[Mark]:
    if kind != "open":
        return [Rect(x=x, y=y, width=width, height=height, fill=_FILLS[kind])]
    box = Rect(x=x + 0.5, y=y + 0.5, width=max(width - 1, 0.4), height=height - 1, fill="card", stroke="data")
    return [box, Path(d=hatching(x, y, width, height), stroke="data")] if width > 2 else [box]


def hatching(x: float, y: float, width: float, height: float) -> tuple[str | float, ...]:
    """Diagonal lines that end at the borders of a box.

    Examples
    --------
    >>> hatching(0, 0, 6, 6)
    ('M', 0.0, 6.0, 'L', 6.0, 0.0)
    """
    d: list[str | float] = []
    offset = HATCH
    while offset < width + height:
        # The line on which the ways from the left and from the top border add up to the offset.
        begin, end = max(0.0, offset - height), min(offset, width)
        d += ["M", x + begin, y + offset - begin, "L", x + end, y + offset - end]
        offset += HATCH
    return tuple(d)


def _whisker(lower: float, estimate: float, upper: float, y: float) -> list[Mark]:
    """An interval with a halo, so that it shows on every colour; a short one has no caps."""
    d: tuple[str | float, ...] = ("M", lower, y, "H", upper, "M", estimate, y - CAP - 2, "V", y + CAP + 2)
    if upper - lower > 2 * CAP:
        d += ("M", lower, y - CAP, "V", y + CAP, "M", upper, y - CAP, "V", y + CAP)
    return [Path(d=d, stroke="card", stroke_width=4), Path(d=d, stroke="ink", stroke_width=1.5)]
