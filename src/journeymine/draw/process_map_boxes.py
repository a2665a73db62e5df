"""Boxes of the process map: name, reach, loop badge, leaving as a spill, numbers of the ranked fixes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from journeymine import _format as fmt
from journeymine.draw.layout.graph import BOX_WIDTH, HALF_BOX
from journeymine.draw.process_map_svg import Node, Phrase
from journeymine.draw.svg import Circle, Path, Rect, Text
from journeymine.draw.text import fit, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.draw.layout.grid import Grid
    from journeymine.draw.layout.labels import Area
    from journeymine.draw.process_map import MapStep, MapWords
    from journeymine.draw.process_map_svg import Part

HEIGHT, TALL = 44.0, 57.0
PAD: Final = 10.0
INNER: Final = BOX_WIDTH - 2 * PAD
NAME, SMALL = 12.5, 11.0
SPILL_FROM: Final = 0.02
LOOP_FROM: Final = 0.005
WHOLE_FROM: Final = 0.01
MAX_FIXES: Final = 3
ROOM: Final = 1.06
"""Widths of texts are guessed on the generous side."""
_BREAK: Final = re.compile(r"[\s_/.:-](?=\S)|[a-z0-9](?=[A-Z])")


def box_height(steps: Sequence[MapStep]) -> float:
    """Height of all boxes: taller if a name needs two lines."""
    return TALL if any(len(name_lines(step.name)) > 1 for step in steps) else HEIGHT


def box_node(step: MapStep, place: tuple[float, int], grid: Grid, words: MapWords) -> Node:
    """One step; `place` is its centre and its row."""
    x, row = place[0] - HALF_BOX, place[1]
    y, height = grid.tops[row], grid.box
    parts: list[Part] = [
        Rect(
            x=x,
            y=y,
            width=BOX_WIDTH,
            height=height,
            radius=7,
            fill="card",
            stroke="good" if step.is_goal else "data",
            stroke_width=2.2 if step.is_goal else 1.1,
        ),
        *_name(step, x, y, height),
        *_reach(step, x, y + height, words),
        *_bar(step, x, y + height),
    ]
    if _spills(step):
        parts += _spill(step, x + BOX_WIDTH, y + height / 2, height, words.lang)
    if step.is_goal:
        parts += _goal(x + BOX_WIDTH, y)
    if step.fixes:
        parts += _fixes(step.fixes, x, y, words.lang)
    return Node(
        parts=tuple(parts), attributes=(("class", "n"), ("data-id", step.id)), title=step.note or None
    )


def _spills(step: MapStep) -> bool:
    return (step.leave or 0.0) >= SPILL_FROM


def _name(step: MapStep, x: float, y: float, height: float) -> list[Part]:
    fill = "ink2" if step.is_fold else "ink"
    if height == HEIGHT:
        return [Text(x=x + PAD, y=y + 17, text=step.name, size=NAME, weight=600, fill=fill)]
    lines = name_lines(step.name)
    if len(lines) == 1:
        return [Text(x=x + PAD, y=y + 24, text=lines[0], size=NAME, weight=600, fill=fill)]
    return [
        Text(x=x + PAD, y=y + 16 + 13.5 * i, text=line, size=NAME - 0.5, weight=600, fill=fill)
        for i, line in enumerate(lines)
    ]


def _reach(step: MapStep, x: float, bottom: float, words: MapWords) -> list[Part]:
    share = fmt.share(step.reach, words.lang)
    before, after = words.reach.split("{share}")
    ref = f"{step.ref}.reach.estimate" if step.ref else None
    digits = 0 if step.repeat >= WHOLE_FROM else None
    loop = fmt.share(step.repeat, words.lang, digits) if step.repeat >= LOOP_FROM else ""
    needed = text_width(before + share + after, SMALL) * 0.94 + (
        text_width(f"↻ {loop}", SMALL, 600) + 6 if loop else 0
    )
    if needed > INNER:
        # The number goes before the words around it.
        before = after = ""
    y = bottom - 13
    parts: list[Part] = [Phrase(x=x + PAD, y=y, number=share, before=before, after=after, ref=ref)]
    if loop:
        at = f"{step.ref}.repeat.estimate" if step.ref else None
        parts.append(
            Phrase(
                x=x + BOX_WIDTH - PAD + 2,
                y=y,
                number=loop,
                before="↻ ",
                ref=at,
                weight=600,
                fill="back",
                anchor="end",
            )
        )
    return parts


def _bar(step: MapStep, x: float, bottom: float) -> list[Part]:
    y = bottom - 8
    return [
        Rect(x=x + PAD, y=y, width=INNER, height=3.5, radius=1.7, fill="line"),
        Rect(x=x + PAD, y=y, width=max(2.0, INNER * step.reach), height=3.5, radius=1.7, fill="data2"),
    ]


def spill_width(share: float) -> float:
    """Thickness of a spill.

    Examples
    --------
    >>> spill_width(0.5)
    11.0
    """
    return 2 + 18 * share


def _spill(step: MapStep, x: float, y: float, height: float, lang: str) -> list[Part]:
    """Leaving: it runs out of the box to the right and falls."""
    share = step.leave or 0.0
    width = spill_width(share)
    bend = max(6.0, width / 2 + 1.5)
    fall = max(height / 2 - bend - 1, 2.0)
    ref = f"{step.ref}.leave.estimate" if step.ref else None
    return [
        Path(
            d=("M", x, y, "h", 3.0, "q", bend, 0.0, bend, bend, "v", fall),
            stroke="bad",
            stroke_width=width,
        ),
        Phrase(
            x=x + 3 + bend + width / 2 + 4,
            y=y + 4,
            number=fmt.share(share, lang),
            ref=ref,
            size=11.5,
            weight=600,
            fill="bad",
        ),
    ]


def _goal(x: float, y: float) -> list[Part]:
    return [
        Circle(x=x - 1, y=y + 1, r=8.5, fill="good"),
        Path(d=("M", x - 5, y + 1.2, "l", 3.0, 3.0, "l", 5.0, -6.0), stroke="on", stroke_width=2),
    ]


def _fixes(ranks: Sequence[int], x: float, y: float, lang: str) -> list[Part]:
    """Numbers of the ranked fixes on the corner: a disc, or a pill for several."""
    text = " · ".join(fmt.number(rank, lang) for rank in ranks[:MAX_FIXES])
    text += " …" if len(ranks) > MAX_FIXES else ""
    width = max(22.0, text_width(text, 12.5, 700) + 12)
    top = y - 11 if len(ranks) == 1 else y - 15
    return [
        Rect(x=x - 11, y=top, width=width, height=22, radius=11, fill="ink"),
        Text(
            x=x - 11 + width / 2,
            y=top + 15.5,
            text=text,
            size=12.5,
            weight=700,
            fill="card",
            anchor="middle",
        ),
    ]


def areas_of(step: MapStep, place: tuple[float, int], grid: Grid) -> list[Area]:
    """What a box, its spill and its disc take up: no label goes there."""
    x, row = place
    top = grid.tops[row]
    areas = [(x - HALF_BOX, top, x + HALF_BOX, top + grid.box)]
    if _spills(step):
        areas.append((x + HALF_BOX, top + grid.box / 2 - 11, x + HALF_BOX + 52, top + grid.box + 2))
    if step.fixes:
        areas.append(
            (x - HALF_BOX - 13, top - 16, x - HALF_BOX + 14 + 16 * (len(step.fixes[:MAX_FIXES]) - 1), top)
        )
    return areas


def name_lines(name: str) -> tuple[str, ...]:
    """Break a name into one or two lines of a box: at blanks, behind signs, or before a capital; cut the rest.

    Examples
    --------
    >>> name_lines("Basket"), name_lines("companyCreateUserOnInstance")
    (('Basket',), ('companyCreateUser', 'OnInstance'))
    """
    room = INNER * ROOM
    if text_width(name, NAME, 600) <= room:
        return (name,)
    breaks = [m.start() + 1 for m in _BREAK.finditer(name)]
    fitting = [i for i in breaks if text_width(name[:i].rstrip(), NAME - 0.5, 600) <= room]
    if not fitting:
        return (fit(name, room, NAME, weight=600),)
    at = fitting[-1]
    return name[:at].rstrip(), fit(name[at:].lstrip(), INNER, NAME - 0.5, weight=600)
