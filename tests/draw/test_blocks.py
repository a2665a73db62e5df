"""The diagram of blocks: everything inside the picture, names escaped and cut, arrows that point the right way."""

import re
import xml.etree.ElementTree as ET

from journeymine.draw.blocks import Box, block_diagram

BOXES = [
    Box("start", "", 40, 42, 36, 36),
    Box("task", 'Pay <now> & "soon" ' + "very " * 40, 116, 30, 120, 60),
    Box("choice", "", 276, 35, 50, 50),
    Box("parallel", "", 366, 35, 50, 50),
    Box("end", "", 456, 42, 36, 36),
]
FLOWS = [[(76, 60), (116, 60)], [(301, 85), (301, 130), (176, 130), (176, 90)]]


def test_a_diagram_is_a_whole_picture():
    figure = block_diagram(BOXES, FLOWS, "A process")
    root = ET.fromstring(figure.svg("static"))
    assert (figure.width, figure.height) == (532, 170)
    assert root.attrib["aria-label"] == "A process"
    shown = [text.text for text in root.iter() if text.tag.endswith("text")]
    assert shown[-2:] == ["×", "+"]
    assert len(shown) == 5
    assert all(len(line) < 30 for line in shown)
    assert [row["kind"] for row in figure.rows] == [box.kind for box in BOXES]


def test_heads_point_along_their_flows():
    svg = block_diagram((), FLOWS, "Flows").svg()
    heads = re.findall(r'd="M ?116[ ,]60 ?L ?110[ ,]57 ?L ?110[ ,]63', svg)
    up = re.findall(r'd="M ?176[ ,]90 ?L ?1(?:73|79)[ ,]96', svg)
    assert len(heads) == 1
    assert len(up) == 1


def test_nothing_is_drawn_of_nothing():
    figure = block_diagram((), (), "Nothing")
    assert (figure.width, figure.height) == (0, 0)
