"""A process tree as a BPMN 2.0 diagram, laid out as its blocks are nested: any BPMN tool opens it as a picture."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from journeymine.draw.blocks import Box, block_diagram
from journeymine.process.alignment_costs import deep_enough
from journeymine.process.tree import folded

if TYPE_CHECKING:
    from journeymine.draw.blocks import Kind
    from journeymine.draw.figure import Figure
    from journeymine.process.tree import Tree

    Point = tuple[int, int]

TASK_W, TASK_H = 120, 60
GATE, EVENT = 50, 36
GAP_X, GAP_Y = 40, 30
NOT_IN_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SPACES = (
    'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" '
    'xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI"'
)


def readable(name: str) -> str:
    """A name without the control characters that no XML file may hold; each becomes U+FFFD.

    Examples
    --------
    >>> readable("pay" + chr(0)) == "pay" + chr(0xFFFD)
    True
    """
    return NOT_IN_XML.sub("\ufffd", name)


@dataclass(frozen=True, slots=True)
class _Shape:
    """An element of the diagram: where it stands, and what it is."""

    key: str
    tag: str
    name: str
    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> int:
        """Height of the line through it."""
        return self.y + self.height // 2


@dataclass(frozen=True, slots=True)
class _Open:
    """A flow that has left an element and has not arrived: the corners it has passed."""

    source: _Shape
    corners: tuple[Point, ...]

    def via(self, *corners: Point) -> _Open:
        """The same flow, further on."""
        return _Open(self.source, (*self.corners, *corners))


@dataclass(slots=True)
class _Drawing:
    """What has been drawn so far; sizes of the nodes by identity: (width, height)."""

    sizes: dict[int, tuple[int, int]]
    shapes: list[_Shape] = field(default_factory=list)
    flows: list[tuple[_Shape, _Shape, tuple[Point, ...]]] = field(default_factory=list)

    def shape(self, tag: str, x: int, middle: int, name: str = "") -> _Shape:
        """Add an element whose left side and middle line are given."""
        width, height = SIZES[tag]
        made = _Shape(f"n{len(self.shapes)}", tag, name, x, middle - height // 2, width, height)
        self.shapes.append(made)
        return made

    def arrive(self, flow: _Open, target: _Shape, *, below: bool = False) -> None:
        """Lead an open flow to an element: to its left side, or from below to its lower corner."""
        if below:
            end = (target.x + target.width // 2, target.y + target.height)
            corners = (*flow.corners, (end[0], flow.corners[-1][1]), end)
        else:
            end = (target.x, target.middle)
            last = flow.corners[-1]
            turn = (
                ((end[0] - GAP_X // 2, last[1]), (end[0] - GAP_X // 2, end[1])) if last[1] != end[1] else ()
            )
            corners = (*flow.corners, *turn, end)
        self.flows.append((flow.source, target, corners))

    def block(self, node: Tree, x: int, middle: int, flow: _Open) -> _Open:
        """Draw a node whose left side and middle line are given; the flow that comes in, the flow that goes out."""
        match node.operator:
            case "silent":
                return flow.via((x, middle))
            case "activity":
                task = self.shape("task", x, middle, str(node.activity))
                self.arrive(flow, task)
                return leaving(task)
            case "sequence":
                for child in node.children:
                    flow = self.block(child, x, middle, flow)
                    x += self.sizes[id(child)][0] + GAP_X
                return flow
            case "loop":
                return self._loop(node, x, middle, flow)
            case _:
                return self._branches(node, x, middle, flow)

    def _branches(self, node: Tree, x: int, middle: int, flow: _Open) -> _Open:
        tag = "exclusiveGateway" if node.operator == "exclusive" else "parallelGateway"
        width, height = self.sizes[id(node)]
        split = self.shape(tag, x, middle)
        self.arrive(flow, split)
        ends = []
        y = middle - height // 2
        inside = x + GATE + GAP_X
        for child in node.children:
            child_w, child_h = self.sizes[id(child)]
            line = y + child_h // 2
            out = leaving(split)
            if line != middle:
                turn = x + GATE + GAP_X // 2
                out = out.via((turn, middle), (turn, line))
            left = inside + (width - 2 * (GATE + GAP_X) - child_w) // 2
            ends.append(self.block(child, left, line, out.via((left, line)) if left > inside else out))
            y += child_h + GAP_Y
        join = self.shape(tag, x + width - GATE, middle)
        for end in ends:
            self.arrive(end, join)
        return leaving(join)

    def _loop(self, node: Tree, x: int, middle: int, flow: _Open) -> _Open:
        do, redo = node.children
        width = self.sizes[id(node)][0]
        do_h, redo_h = self.sizes[id(do)][1], self.sizes[id(redo)][1]
        join = self.shape("exclusiveGateway", x, middle)
        self.arrive(flow, join)
        inside = x + GATE + GAP_X
        out = self.block(do, inside, middle, leaving(join))
        split = self.shape("exclusiveGateway", x + width - GATE, middle)
        self.arrive(out, split)
        down = (split.x + GATE // 2, split.y + GATE)
        line = middle + do_h // 2 + GAP_Y + redo_h // 2
        back = _Open(split, (down,))
        if redo.operator == "silent":
            self.arrive(back.via((down[0], line)), join, below=True)
        else:
            floor, ceiling = line + redo_h // 2 + GAP_Y // 2, middle + do_h // 2 + GAP_Y // 2
            begin = inside - GAP_X // 4
            back = back.via((down[0], floor), (begin, floor), (begin, line))
            done = self.block(redo, inside, line, back)
            end = done.corners[-1][0] + GAP_X // 4
            self.arrive(done.via((end, done.corners[-1][1]), (end, ceiling)), join, below=True)
        return leaving(split)


SIZES = {
    "task": (TASK_W, TASK_H),
    "startEvent": (EVENT, EVENT),
    "endEvent": (EVENT, EVENT),
    "exclusiveGateway": (GATE, GATE),
    "parallelGateway": (GATE, GATE),
}


KINDS: dict[str, Kind] = {
    "task": "task",
    "startEvent": "start",
    "endEvent": "end",
    "exclusiveGateway": "choice",
    "parallelGateway": "parallel",
}


def leaving(shape: _Shape) -> _Open:
    """The flow that goes out at the right of an element."""
    return _Open(shape, ((shape.x + shape.width, shape.middle),))


def bpmn_text(tree: Tree) -> str:
    """BPMN 2.0 of a process tree, with the positions of everything.

    Examples
    --------
    >>> from journeymine.process.tree import parse_tree
    >>> text = bpmn_text(parse_tree("->( 'a', X( 'b', tau ) )"))
    >>> text.count("<task "), text.count("<exclusiveGateway "), text.count("<sequenceFlow ")
    (2, 2, 6)
    """
    drawing = _draw(tree)
    incoming: dict[str, list[int]] = {shape.key: [] for shape in drawing.shapes}
    outgoing: dict[str, list[int]] = {shape.key: [] for shape in drawing.shapes}
    for i, (source, target, _) in enumerate(drawing.flows):
        outgoing[source.key].append(i)
        incoming[target.key].append(i)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<definitions {SPACES} id="definitions" targetNamespace="http://www.omg.org/spec/BPMN/20100524/MODEL">',
        '  <process id="process" isExecutable="false">',
    ]
    for shape in drawing.shapes:
        name = f" name={quoteattr(readable(shape.name))}" if shape.name else ""
        inner = "".join(f"<incoming>f{i}</incoming>" for i in incoming[shape.key])
        inner += "".join(f"<outgoing>f{i}</outgoing>" for i in outgoing[shape.key])
        lines.append(f'    <{shape.tag} id="{shape.key}"{name}>{inner}</{shape.tag}>')
    lines += [
        f'    <sequenceFlow id="f{i}" sourceRef="{source.key}" targetRef="{target.key}"/>'
        for i, (source, target, _) in enumerate(drawing.flows)
    ]
    lines += ["  </process>", *_picture(drawing), "</definitions>", ""]
    return "\n".join(lines)


def process_figure(tree: Tree) -> Figure:
    """The same diagram as a static picture.

    Examples
    --------
    >>> from journeymine.process.tree import parse_tree
    >>> process_figure(parse_tree("->( 'a', X( 'b', tau ) )")).alt_text
    'Process model of 2 activities'
    """
    drawing = _draw(tree)
    boxes = [Box(KINDS[s.tag], s.name, s.x, s.y, s.width, s.height) for s in drawing.shapes]
    flows = [corners for _, _, corners in drawing.flows]
    n = sum(box.kind == "task" for box in boxes)
    return block_diagram(boxes, flows, f"Process model of {n} activities")


def _draw(tree: Tree) -> _Drawing:
    sizes: dict[int, tuple[int, int]] = {}

    def measure(node: Tree, below: list[tuple[int, int]]) -> tuple[int, int]:
        sizes[id(node)] = _size(node, below)
        return sizes[id(node)]

    _, height = folded(tree, measure)
    drawing = _Drawing(sizes)
    middle = GAP_Y + max(height, TASK_H) // 2
    start = drawing.shape("startEvent", GAP_X, middle)
    with deep_enough(tree):
        flow = drawing.block(tree, GAP_X + EVENT + GAP_X, middle, leaving(start))
    end = drawing.shape("endEvent", GAP_X + EVENT + GAP_X + sizes[id(tree)][0] + GAP_X, middle)
    drawing.arrive(flow, end)
    return drawing


def _size(node: Tree, below: list[tuple[int, int]]) -> tuple[int, int]:
    """Width and height of a block; its line goes through the middle."""
    if not below:
        return (0, GAP_Y) if node.operator == "silent" else (TASK_W, TASK_H)
    widths, heights = [w for w, _ in below], [h for _, h in below]
    if node.operator == "sequence":
        return sum(widths) + GAP_X * (len(below) - 1), max(heights)
    width = max(widths) + 2 * (GATE + GAP_X)
    if node.operator == "loop":
        # The way back hangs below; as much room above keeps the line in the middle.
        return width, max(heights[0], GATE) + 2 * (heights[1] + 2 * GAP_Y)
    return width, sum(heights) + GAP_Y * (len(below) - 1)


def _picture(drawing: _Drawing) -> list[str]:
    lines = [
        '  <bpmndi:BPMNDiagram id="diagram">',
        '    <bpmndi:BPMNPlane id="plane" bpmnElement="process">',
    ]
    lines += [
        f'      <bpmndi:BPMNShape id="{s.key}_di" bpmnElement="{s.key}">'
        f'<dc:Bounds x="{s.x}" y="{s.y}" width="{s.width}" height="{s.height}"/></bpmndi:BPMNShape>'
        for s in drawing.shapes
    ]
    for i, (_, _, corners) in enumerate(drawing.flows):
        kept = [point for place, point in enumerate(corners) if not place or point != corners[place - 1]]
        points = "".join(f'<di:waypoint x="{x}" y="{y}"/>' for x, y in kept)
        lines.append(f'      <bpmndi:BPMNEdge id="f{i}_di" bpmnElement="f{i}">{points}</bpmndi:BPMNEdge>')
    return [*lines, "    </bpmndi:BPMNPlane>", "  </bpmndi:BPMNDiagram>"]
