"""How journeys end: one bar from 0 to 100 %, and thin bars for other definitions of "dropped"."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from journeymine import _format as fmt
from journeymine.draw.figure import Figure
from journeymine.draw.svg import Mark, Rect, Text
from journeymine.draw.text import fit, text_width, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

BAR, THIN = 34.0, 18.0
NARROW_BELOW: Final = 640.0
LABEL_WIDTH: Final = 210.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EndState:
    """One part of the bar; `note` is its interval and count in words."""

    key: str
    label: str
    share: float
    note: str = ""
    ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """Shares of the same parts under another definition, in the same order."""

    label: str
    shares: tuple[float, ...]
    refs: tuple[str | None, ...] = ()


# Fill, border, colour of the text on it. Open journeys are an empty box: nothing is known yet.
_LOOKS: Final[dict[str, tuple[str, str, str]]] = {
    "converted": ("good", "good", "on"),
    "dropped": ("bad", "bad", "on"),
    "open": ("card", "data", "ink"),
}


def end_states(
    parts: Sequence[EndState],
    *,
    lang: str,
    alt: str,
    main_label: str = "",
    variations: Sequence[Variation] = (),
    width: float = 1010.0,
) -> Figure:
    """Draw the end states.

    Parameters
    ----------
    parts
        `converted`, `dropped` and `open`, with shares that add up to 1.
    lang
        Language of the numbers.
    alt
        The conclusion.
    main_label
        Name of the thick bar.
    variations
        Thin bars below, each with shares in the order of `parts`.
    width
        Width of the picture; below 640 px the names of the bars stand above them.

    Examples
    --------
    >>> goal = EndState(key="converted", label="goal", share=0.25)
    >>> parts = [goal, EndState(key="dropped", label="left", share=0.75)]
    >>> figure = end_states(parts, lang="en", alt="A quarter reach the goal")
    >>> [row["share"] for row in figure.to_dicts()]
    [0.25, 0.75]
    """
    narrow = width < NARROW_BELOW
    left = 0.0 if narrow or not variations else LABEL_WIDTH
    marks, y = _legend(parts, lang, width, narrow)
    bars = [(main_label, tuple(p.share for p in parts), tuple(p.ref for p in parts), BAR)]
    bars += [(v.label, v.shares, v.refs or (None,) * len(v.shares), THIN) for v in variations]
    for label, shares, refs, height in bars:
        if label and narrow:
            marks.append(Text(x=0, y=y + 11, text=fit(label, width, 12), size=12, fill="ink2", title=label))
            y += 17
        elif label and left:
            marks += _side_label(label, y + height / 2, left - 16)
        keys = [part.key for part in parts]
        marks += _bar(keys, shares, refs, box=(left, y, width - left - 1, height), lang=lang)
        y += height + (12 if height == BAR else 8)
    rows = tuple(
        {"state": part.key, "label": part.label, "share": part.share, "note": part.note} for part in parts
    )
    return Figure("end_states", width, y, tuple(marks), alt, rows)


def _legend(parts: Sequence[EndState], lang: str, width: float, narrow: bool) -> tuple[list[Mark], float]:
    """Name, share and interval of each part: in columns, or in lines on a phone."""
    marks: list[Mark] = []
    column = width / max(len(parts), 1)
    for i, part in enumerate(parts):
        x, y = (0.0, 38.0 * i) if narrow else (column * i, 0.0)
        fill, border, _ = _LOOKS[part.key]
        room = (width if narrow else column) - 34
        marks += [
            Rect(x=x + 0.5, y=y + 3.5, width=13, height=13, fill=fill, stroke=border, radius=2),
            Text(x=x + 22, y=y + 15, text=fmt.share(part.share, lang), weight=700, size=15, ref=part.ref),
            Text(
                x=x + 22 + text_width(fmt.share(part.share, lang), 15, 700) + 6,
                y=y + 15,
                text=fit(part.label, room - 60, 13.5),
                title=part.label,
            ),
            Text(x=x + 22, y=y + 31, text=part.note, size=12, fill="ink3"),
        ]
    return marks, (38.0 * len(parts) if narrow else 38.0) + 8


def _side_label(label: str, middle: float, width: float) -> list[Mark]:
    lines = wrap(label, width, 12)
    top = middle + 4 - 7 * (len(lines) - 1)
    return [
        Text(x=0, y=top + 14 * i, text=line, size=12, fill="ink2", title=label if i == 0 else None)
        for i, line in enumerate(lines)
    ]


def _bar(
    keys: Sequence[str],
    shares: Sequence[float],
    refs: Sequence[str | None],
    *,
    box: tuple[float, float, float, float],
    lang: str,
) -> list[Mark]:
    """Parts from 0 to 100 % of the width; a part that is wide enough says its share."""
    x0, y, width, height = box
    edges = [0.0, *accumulate(shares)]
    whole = max(edges[-1], 1.0)
    size = 13.5 if height == BAR else 11.0
    marks: list[Mark] = []
    for key, share, ref, start in zip(keys, shares, refs, edges, strict=False):
        fill, border, ink = _LOOKS[key]
        x, w = x0 + start / whole * width, share / whole * width
        if w <= 0:
            continue
        marks.append(
            Rect(x=x + 0.5, y=y + 0.5, width=max(w - 1, 0.6), height=height - 1, fill=fill, stroke=border)
        )
        text = fmt.share(share, lang)
        if text_width(text, size, 600) + 8 <= w:
            middle = y + height / 2 + size * 0.36
            marks.append(
                Text(
                    x=x + w / 2,
                    y=middle,
                    text=text,
                    size=size,
                    weight=600,
                    fill=ink,
                    anchor="middle",
                    ref=ref,
                )
            )
    return marks
