"""Where journeys are over the time since their start: stacked areas, the goal below, the lost above, states between."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final

from journeymine import _format as fmt
from journeymine.draw.figure import Figure
from journeymine.draw.svg import Mark, Path, Rect, Text
from journeymine.draw.text import fit, text_width

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

NARROW_BELOW: Final = 560.0
HEIGHT: Final = 320.0
NARROW_HEIGHT: Final = 280.0
LEFT, RIGHT, TOP = 50.0, 190.0, 8.0
LABEL: Final = 13.0
ENOUGH: Final = 17.0
"""Height in px that an area needs where its name stands."""
SHORTEST: Final = 0.6
STEPS, NEARLY = 60, 0.85
THIN: Final = 6.0
TOLERANCE: Final = 0.35
"""Points of a line are left out where that moves it by less than this, in px."""
GRID: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
_TONES: Final = ("line2", "line")
_COLOURS: Final = {"goal": ("good_wash", "good"), "lost": ("bad_wash", "bad")}


@dataclass(frozen=True, slots=True, kw_only=True)
class OccupationArea:
    """The share of one state over time.

    Attributes
    ----------
    kind
        "goal", "state" or "lost".
    share
        One value for each time.
    lower, upper
        Bounds of the goal and of the lost, which are drawn; empty for states.
    """

    name: str
    kind: str
    share: tuple[float, ...]
    lower: tuple[float, ...] = ()
    upper: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OccupationTick:
    """A time at the axis, how many journeys were followed that long, and the address of that number."""

    time: float
    label: str
    n: str = ""
    ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OccupationEnd:
    """What stands beside the end of an area: kind ("goal", "state" for all states together, "lost") and text."""

    kind: str
    text: str
    note: str = ""


def occupation_areas(
    times: Sequence[float],
    areas: Sequence[OccupationArea],
    *,
    lang: str,
    alt: str,
    ticks: Sequence[OccupationTick] = (),
    ends: Sequence[OccupationEnd] = (),
    followed: str = "",
    logarithmic: bool = False,
    width: float = 1050.0,
) -> Figure:
    """Draw stacked areas.

    Parameters
    ----------
    times
        Sorted; the axis goes from the first to the last.
    areas
        From below: the goal, the states in the order of the journey, the lost. Shares of one time sum to 1.
    lang
        Language of the scale.
    alt
        The conclusion.
    ticks
        Times at the axis; those that would touch the next one are left out.
    ends
        What stands on the right; left out below 560 px.
    followed
        What the numbers below the axis count.
    logarithmic
        Whether the axis is; the first time must then be above 0.
    width
        Width of the picture.

    Examples
    --------
    >>> areas = [OccupationArea(name="Order", kind="goal", share=(0.0, 0.4), lower=(0.0, 0.3), upper=(0.0, 0.5)),
    ...          OccupationArea(name="Visit", kind="state", share=(1.0, 0.6))]
    >>> occupation_areas([0, 60], areas, lang="en", alt="Four in ten order").to_dicts()
    [{'time': 0, 'Order': 0.0, 'Visit': 1.0}, {'time': 60, 'Order': 0.4, 'Visit': 0.6}]
    """
    narrow = width < NARROW_BELOW
    frame = _Frame(times, width, narrow, has_ends=bool(ends), logarithmic=logarithmic)
    edges = _edges(areas, len(times))
    marks: list[Mark] = []
    tone = 0
    for i, area in enumerate(areas):
        fill = _COLOURS[area.kind][0] if area.kind in _COLOURS else _TONES[tone % 2]
        tone += area.kind not in _COLOURS
        marks.append(Path(d=frame.between(edges[i], edges[i + 1]), stroke=None, fill=fill, title=area.name))
    marks += [Path(d=("M", *frame.line(edge)), stroke="card") for edge in edges[1:-1]]
    marks += _grid(frame, lang)
    marks += [mark for area in areas for mark in _band(area, frame)]
    names, nameless = _names(areas, edges, frame, () if narrow else {end.kind for end in ends})
    marks += names
    if not narrow:
        marks += _ends(ends, areas, frame)
    axis, bottom = _axis(ticks, followed, frame)
    legend, bottom = _legend(nameless, bottom, width)
    rows = tuple(
        {"time": time, **{area.name: area.share[t] for area in areas}} for t, time in enumerate(times)
    )
    return Figure("occupation", width, bottom, (*marks, *axis, *legend), alt, rows)


class _Frame:
    """Where times and shares stand."""

    def __init__(
        self, times: Sequence[float], width: float, narrow: bool, *, has_ends: bool, logarithmic: bool
    ) -> None:
        self.times, self.narrow, self.width = times, narrow, width
        self.scale: Callable[[float], float] = math.log if logarithmic else float
        self.left = 47.0 if narrow else LEFT
        self.right = width - (2.0 if narrow or not has_ends else RIGHT)
        self.top, self.bottom = TOP, TOP + (NARROW_HEIGHT if narrow else HEIGHT)

    def x(self, time: float) -> float:
        first, last = self.scale(self.times[0]), self.scale(self.times[-1])
        return self.left + (self.scale(time) - first) / (last - first) * (self.right - self.left)

    def y(self, share: float) -> float:
        return self.bottom - min(max(share, 0.0), 1.0) * (self.bottom - self.top)

    def line(self, edge: Sequence[float], begin: int = 0) -> tuple[float, ...]:
        """Points of an edge, without those that a straight line goes through anyway."""
        pairs = zip(self.times[begin:], edge[begin:], strict=True)
        points = [(self.x(time), self.y(share)) for time, share in pairs]
        return tuple(value for point in thinned(points, TOLERANCE) for value in point)

    def between(
        self, lower: Sequence[float], upper: Sequence[float], begin: int = 0
    ) -> tuple[str | float, ...]:
        """Outline of what lies between two edges."""
        above, below = self.line(upper, begin), self.line(lower, begin)
        back = [value for i in range(len(below) - 2, -1, -2) for value in below[i : i + 2]]
        return ("M", *above, "L", *back, "Z")


def thinned(points: Sequence[tuple[float, float]], tolerance: float) -> list[tuple[float, float]]:
    """A line of fewer points that stays within `tolerance` of the old one (Douglas and Peucker 1973).

    Examples
    --------
    >>> thinned([(0, 0), (1, 1), (2, 2), (3, 0)], 0.1)
    [(0, 0), (2, 2), (3, 0)]
    """
    kept = {0, len(points) - 1}
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        (x0, y0), (x1, y1) = points[first], points[last]
        worst, at = tolerance, -1
        for i in range(first + 1, last):
            x, y = points[i]
            away = abs(y - y0 - (y1 - y0) * (x - x0) / (x1 - x0)) if x1 > x0 else math.inf
            if away > worst:
                worst, at = away, i
        if at > 0:
            kept.add(at)
            spans += [(first, at), (at, last)]
    return [points[i] for i in sorted(kept)]


def _edges(areas: Sequence[OccupationArea], n: int) -> list[list[float]]:
    """Edges between the areas, from below."""
    columns = [list(accumulate((area.share[t] for area in areas), initial=0.0)) for t in range(n)]
    return [[column[i] for column in columns] for i in range(len(areas) + 1)]


def _grid(frame: _Frame, lang: str) -> list[Mark]:
    marks: list[Mark] = []
    for share in GRID:
        y = frame.y(share)
        if 0 < share < 1:
            marks.append(Path(d=("M", frame.left, y, "H", frame.right), stroke="card", stroke_width=0.6))
        label = fmt.share(share, lang, 0)
        marks.append(Text(x=frame.left - 7, y=y + 4.2, text=label, size=12, fill="ink3", anchor="end"))
    return marks


def _band(area: OccupationArea, frame: _Frame) -> list[Mark]:
    """The edge of an outer area, as thick as its interval."""
    if area.kind not in _COLOURS or not area.lower or max(area.share) <= 0:
        return []
    # Before anybody is there, there is no edge.
    begin = max(next(i for i, share in enumerate(area.share) if share > 0) - 1, 0)
    colour = _COLOURS[area.kind][1]
    flip: Callable[[float], float] = (lambda v: v) if area.kind == "goal" else (lambda v: 1 - v)
    lower, upper, middle = ([flip(v) for v in values] for values in (area.lower, area.upper, area.share))
    marks: list[Mark] = [
        Path(d=frame.between(lower, upper, begin), stroke=None, fill=colour),
        Path(d=("M", *frame.line(middle, begin)), stroke=colour, stroke_width=1.5),
    ]
    wide = max(abs(frame.y(low) - frame.y(high)) for low, high in zip(lower, upper, strict=True))
    if wide >= THIN:
        marks.append(Path(d=("M", *frame.line(middle, begin)), stroke="card"))
    return marks


def _names(
    areas: Sequence[OccupationArea],
    edges: Sequence[Sequence[float]],
    frame: _Frame,
    told: Collection[str],
) -> tuple[list[Mark], list[tuple[str, str]]]:
    """Names inside the areas, each where there is most room; and tones and names of those without."""
    marks: list[Mark] = []
    nameless: list[tuple[str, str]] = []
    tone = 0
    for i, area in enumerate(areas):
        is_end = area.kind in _COLOURS
        place = _place(area, edges[i], edges[i + 1], frame)
        fill = _TONES[tone % 2]
        tone += not is_end
        if place is not None:
            x, y, text = place
            colour = _COLOURS[area.kind][1] if is_end else "ink"
            weight = 600 if is_end else 400
            title = area.name if text != area.name else None
            marks.append(
                Text(
                    x=x,
                    y=y + 4.5,
                    text=text,
                    size=LABEL,
                    weight=weight,
                    fill=colour,
                    anchor="middle",
                    title=title,
                )
            )
        elif max(area.share) > 0 and not (is_end and area.kind in told):
            nameless.append((_COLOURS[area.kind][1] if is_end else fill, area.name))
    return marks, nameless


def _place(
    area: OccupationArea, lower: Sequence[float], upper: Sequence[float], frame: _Frame
) -> tuple[float, float, str] | None:
    """Where a name fits best: middle, height and the name, cut if there is no room for all of it."""
    weight = 600 if area.kind in _COLOURS else 400
    whole = text_width(area.name, LABEL, weight) + 10
    # The names of the ends are never cut.
    rooms = (whole,) if area.kind in _COLOURS else (whole, whole * 0.8, whole * SHORTEST)
    for room in rooms:
        found = _roomiest(lower, upper, frame, room)
        if found is not None:
            return (*found, fit(area.name, room - 8, LABEL, weight=weight))
    return None


def _roomiest(
    lower: Sequence[float], upper: Sequence[float], frame: _Frame, room: float
) -> tuple[float, float] | None:
    """Middle of the box of a width that has most height inside the area; None if it is too low everywhere."""
    xs = [frame.x(time) for time in frame.times]
    begin, end = frame.left + 2, frame.right - 2 - room
    if end < begin:
        return None
    boxes = []
    for step in range(STEPS + 1):
        x = begin + (end - begin) * step / STEPS
        at = [_between(xs, lower, upper, edge) for edge in (x, x + room)]
        at += [(lower[i], upper[i]) for i in range(len(xs)) if x <= xs[i] <= x + room]
        low, high = frame.y(max(a for a, _ in at)), frame.y(min(b for _, b in at))
        boxes.append((low - high, x + room / 2, (low + high) / 2))
    most = max(height for height, _, _ in boxes)
    if most < ENOUGH:
        return None
    # Of the places with about as much room, the one in the middle.
    good = [box for box in boxes if box[0] >= max(ENOUGH, NEARLY * most)]
    centre = (frame.left + frame.right) / 2
    return min(good, key=lambda box: abs(box[1] - centre))[1:]


def _between(
    xs: Sequence[float], lower: Sequence[float], upper: Sequence[float], x: float
) -> tuple[float, float]:
    """Both edges at a place, on straight lines between the points."""
    for i, (a, b) in enumerate(pairwise(xs)):
        if a <= x <= b and b > a:
            part = (x - a) / (b - a)
            return (
                lower[i] + part * (lower[i + 1] - lower[i]),
                upper[i] + part * (upper[i + 1] - upper[i]),
            )
    return lower[-1], upper[-1]


def _ends(ends: Sequence[OccupationEnd], areas: Sequence[OccupationArea], frame: _Frame) -> list[Mark]:
    """What the areas come to at the last time; labels keep clear of each other."""
    last = {kind: sum(a.share[-1] for a in areas if a.kind == kind) for kind in ("goal", "state", "lost")}
    base = {"goal": 0.0, "state": last["goal"], "lost": last["goal"] + last["state"]}
    colour = {"goal": "good", "state": "ink2", "lost": "bad"}
    wanted = [(frame.y(base[end.kind] + last[end.kind] / 2), end) for end in ends]
    wanted.sort(key=lambda pair: -pair[0])
    marks: list[Mark] = []
    limit = frame.bottom + 4
    needed = sum(34 if end.note else 20 for _, end in wanted)
    for y, end in wanted:
        size = 34 if end.note else 20
        # Not lower than the label below allows, and low enough that the rest still fits above.
        at = max(min(y, limit - size / 2), frame.top + needed - size / 2)
        needed -= size
        limit = at - size / 2
        room = frame.width - frame.right - 12
        shift = -4.0 if end.note else 4.5
        marks.append(
            Text(
                x=frame.right + 12, y=at + shift, text=fit(end.text, room, LABEL, weight=600), size=LABEL,
                weight=600, fill=colour[end.kind],
            )
        )  # fmt: skip
        if end.note:
            note = fit(end.note, room, 11.5)
            marks.append(Text(x=frame.right + 12, y=at + 11, text=note, size=11.5, fill="ink3"))
    return marks


def _axis(ticks: Sequence[OccupationTick], followed: str, frame: _Frame) -> tuple[list[Mark], float]:
    """Times below the areas, and how many journeys were followed that long."""
    marks: list[Mark] = [Path(d=("M", frame.left, frame.bottom, "H", frame.right), stroke="line2")]
    has_n = bool(followed) and any(tick.n for tick in ticks)
    limit = math.inf
    for tick in sorted(ticks, key=lambda tick: -tick.time):
        room = max(text_width(tick.label, 12), text_width(tick.n, 12) if has_n else 0.0)
        x = frame.x(tick.time)
        # The last label stays inside the picture, the others stand in the middle of their tick.
        middle = min(x, frame.width - 1 - room / 2)
        if middle + room / 2 > limit - 12 or middle - room / 2 < 0:
            continue
        limit = middle - room / 2
        marks.append(Path(d=("M", x, frame.bottom, "V", frame.bottom + 5), stroke="line2"))
        y = frame.bottom + 18
        marks.append(Text(x=middle, y=y, text=tick.label, size=12, fill="ink2", anchor="middle"))
        if has_n:
            marks.append(
                Text(x=middle, y=y + 34, text=tick.n, size=12, fill="ink3", anchor="middle", ref=tick.ref)
            )
    if not has_n:
        return marks, frame.bottom + 24
    marks.append(Text(x=0, y=frame.bottom + 36, text=fit(followed, frame.width, 12), size=12, fill="ink3"))
    return marks, frame.bottom + 58


def _legend(nameless: Sequence[tuple[str, str]], y: float, width: float) -> tuple[list[Mark], float]:
    """Areas that are too thin for their name, from below."""
    marks: list[Mark] = []
    x = 0.0
    for fill, name in nameless:
        shown = fit(name, width - 22, LABEL)
        needed = 20 + text_width(shown, LABEL)
        if x and x + needed > width:
            x, y = 0.0, y + 21
        marks.append(Rect(x=x, y=y + 4, width=13, height=13, fill=fill))
        marks.append(
            Text(
                x=x + 19, y=y + 15, text=shown, size=LABEL, fill="ink2", title=name if shown != name else None
            )
        )
        x += needed + 18
    return marks, y + (26 if nameless else 0)
