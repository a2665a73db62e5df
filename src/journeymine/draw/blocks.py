"""A block-structured process as a picture: steps, gateways and the flows between them, in the manner of BPMN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from journeymine.draw.figure import Figure
from journeymine.draw.svg import Circle, Mark, Path, Rect, Text
from journeymine.draw.text import clean, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    Points = Sequence[tuple[float, float]]

Kind = Literal["task", "start", "end", "choice", "parallel"]
LABEL, LINE = 11.5, 14.0
PADDING = 8.0
HEAD = 6.0


@dataclass(frozen=True, slots=True)
class Box:
    """A step, an end of the process, or a gateway; x and y are those of its upper left corner."""

    kind: Kind
    name: str
    x: float
    y: float
    width: float
    height: float


def block_diagram(boxes: Sequence[Box], flows: Sequence[Points], alt_text: str) -> Figure:
    """Draw steps, gateways and flows where they stand.

    Parameters
    ----------
    flows
        Corners of each flow, from its source to its target.

    Examples
    --------
    >>> box = Box("task", "Pay", 10, 10, 120, 60)
    >>> block_diagram([box], [[(0, 40), (10, 40)]], "One step").svg().count("<rect")
    1
    """
    corners = [point for flow in flows for point in flow]
    width = max([b.x + b.width for b in boxes] + [x for x, _ in corners], default=0.0)
    height = max([b.y + b.height for b in boxes] + [y for _, y in corners], default=0.0)
    marks: list[Mark] = []
    for flow in flows:
        marks += _flow(flow)
    for box in boxes:
        marks += _box(box)
    rows = tuple({"kind": b.kind, "name": b.name, "x": b.x, "y": b.y} for b in boxes)
    margin = min((b.x for b in boxes), default=0.0)
    return Figure("process", width + margin, height + margin, tuple(marks), alt_text, rows)


def _flow(points: Points) -> list[Mark]:
    kept = [point for place, point in enumerate(points) if not place or point != points[place - 1]]
    d: list[str | float] = []
    for place, (x, y) in enumerate(kept):
        d += ["L" if place else "M", x, y]
    marks: list[Mark] = [Path(d=tuple(d), stroke="edge", stroke_width=1.4)]
    if len(kept) > 1:
        (a, b), (x, y) = kept[-2], kept[-1]
        # Flows run along the axes.
        u, v = (1 if x > a else -1, 0) if y == b else (0, 1 if y > b else -1)
        back_x, back_y = x - HEAD * u, y - HEAD * v
        half = HEAD / 2
        head = (
            "M",
            x,
            y,
            "L",
            back_x - half * v,
            back_y - half * u,
            "L",
            back_x + half * v,
            back_y + half * u,
            "Z",
        )
        marks.append(Path(d=head, stroke=None, fill="edge"))
    return marks


def _box(box: Box) -> list[Mark]:
    x, y = box.x + box.width / 2, box.y + box.height / 2
    if box.kind == "task":
        return _task(box, x, y)
    if box.kind in ("start", "end"):
        thick = 3.0 if box.kind == "end" else 1.4
        return [Circle(x=x, y=y, r=box.width / 2 - thick / 2, fill="card", stroke="ink3", stroke_width=thick)]
    half = box.width / 2
    diamond = ("M", x - half, y, "L", x, y - half, "L", x + half, y, "L", x, y + half, "Z")
    sign = "+" if box.kind == "parallel" else "×"
    return [
        Path(d=diamond, stroke="ink3", stroke_width=1.4, fill="card"),
        Text(x=x, y=y + 6, text=sign, size=18, weight=600, fill="ink2", anchor="middle"),
    ]


def _task(box: Box, x: float, y: float) -> list[Mark]:
    lines = wrap(box.name, box.width - 2 * PADDING, LABEL, lines=3)
    first = y - LINE * (len(lines) - 1) / 2 + LABEL * 0.36
    frame = Rect(
        x=box.x, y=box.y, width=box.width, height=box.height, fill="card", stroke="line2", radius=6,
        title=clean(box.name),
    )  # fmt: skip
    texts = [
        Text(x=x, y=first + LINE * place, text=line, size=LABEL, anchor="middle")
        for place, line in enumerate(lines)
    ]
    return [frame, *texts]
