"""Files of models: read back by pm4py, the same bytes every time, nothing half written."""

import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.process.test_tree import trees

from journeymine.errors import OptionError, OutputError
from journeymine.process import pm4py_bridge as bridge
from journeymine.process.bpmn import bpmn_text
from journeymine.process.model_files import pnml_text, ptml_text, write_model
from journeymine.process.tree import SILENT, Tree, activity, exclusive, normalised, parse_tree, sequence

TEXT = (
    "->( 'a', X( tau, +( 'b', *( 'c', 'd' ), *( 'x', tau ) ), ->( 'e', 'f' ) ), "
    "*( ->( 'h', X( 'i', 'j', tau ) ), ->( 'k', 'l' ) ), *( tau, X( 'n', 'o' ) ) )"
)
HOSTILE = "quote \" ' <b>& \x00\x1b \ud800 🛒 שלום ]]> --"
TREES = st.integers(1, 5).flatmap(lambda n: trees("abcde"[:n]))


def read_back(path):
    pm4py = bridge.load_pm4py()
    if path.suffix == ".ptml":
        return bridge.from_process_tree(pm4py.read_ptml(str(path)))
    net = (
        pm4py.read_pnml(str(path))
        if path.suffix == ".pnml"
        else pm4py.convert_to_petri_net(pm4py.read_bpmn(str(path)))
    )
    return bridge.from_process_tree(pm4py.convert_to_process_tree(*net))


@pytest.mark.parametrize("suffix", [".bpmn", ".pnml", ".ptml", ".BPMN"])
def test_pm4py_reads_what_is_written(tmp_path, suffix):
    tree = parse_tree(TEXT)
    path = write_model(tmp_path / f"model{suffix}", tree, None)
    if suffix != ".BPMN":
        assert normalised(read_back(path)) == normalised(tree)
    assert [file.name for file in tmp_path.iterdir()] == [f"model{suffix}"]


@settings(max_examples=60, deadline=None)
@given(TREES)
def test_every_diagram_is_whole(tree):
    root = ET.fromstring(bpmn_text(tree))
    ids = {element.attrib["id"] for element in root.iter() if "id" in element.attrib}
    flows = [element for element in root.iter() if element.tag.endswith("sequenceFlow")]
    edges = [element for element in root.iter() if element.tag.endswith("BPMNEdge")]
    tasks = [element.attrib["name"] for element in root.iter() if element.tag.endswith("}task")]
    boxes = [element for element in root.iter() if element.tag.endswith("Bounds")]
    assert sorted(tasks) == sorted(tree.activities)
    assert len(edges) == len(flows)
    for flow in flows:
        assert {flow.attrib["sourceRef"], flow.attrib["targetRef"]} <= ids
    areas = [tuple(int(box.attrib[key]) for key in ("x", "y", "width", "height")) for box in boxes]
    assert all(x >= 0 and y >= 0 for x, y, _, _ in areas)
    for i, (x, y, width, height) in enumerate(areas):
        for u, v, other_w, other_h in areas[:i]:
            assert x >= u + other_w or u >= x + width or y >= v + other_h or v >= y + height


def test_hostile_names_make_files_that_can_be_read(tmp_path):
    tree = sequence(activity(HOSTILE), activity("b"))
    for suffix in (".bpmn", ".pnml", ".ptml"):
        path = write_model(tmp_path / f"m{suffix}", tree, None)
        ET.parse(path)
    assert "\x00" not in path.read_text(encoding="utf-8")


def test_wrong_suffix_and_unwritable_places_are_told(tmp_path):
    tree = parse_tree("'a'")
    for name in ("model.xml", "model", "model.png"):
        with pytest.raises(OptionError, match="cannot save"):
            write_model(tmp_path / name, tree, None)
    with pytest.raises(OutputError, match="cannot write"):
        write_model(tmp_path / "missing" / "model.ptml", tree, None)
    (tmp_path / "taken.ptml").mkdir()
    with pytest.raises(OutputError):
        write_model(tmp_path / "taken.ptml", tree, None)
    assert [file.name for file in tmp_path.iterdir()] == ["taken.ptml"]


def test_a_net_has_no_tree_to_save(tmp_path):
    net = bridge.tree_net(parse_tree("->( 'a', 'b' )"))
    with pytest.raises(OptionError, match="no process tree"):
        write_model(tmp_path / "m.ptml", None, net)
    assert write_model(tmp_path / "m.pnml", None, net).exists()
    assert b"bpmn" in write_model(tmp_path / "m.bpmn", None, net).read_bytes()


def test_deep_trees_are_written():
    tree: Tree = activity("last")
    for i in range(400):
        tree = exclusive(sequence(activity(f"a{i}"), tree), SILENT)
    assert bpmn_text(tree).count("<task ") == 401
    assert ptml_text(tree).count("<manualTask ") == 401


def test_the_same_bytes_in_any_process():
    code = (
        "import hashlib\n"
        "from journeymine.process.tree import parse_tree\n"
        "from journeymine.process.model_files import pnml_text, ptml_text\n"
        "from journeymine.process.bpmn import bpmn_text\n"
        "from journeymine.process.pm4py_bridge import tree_net\n"
        f"tree = parse_tree({TEXT!r})\n"
        "text = ptml_text(tree) + bpmn_text(tree) + pnml_text(tree_net(tree))\n"
        "print(hashlib.sha256(text.encode()).hexdigest())\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
    assert len(pnml_text(bridge.tree_net(parse_tree(TEXT)))) > 1000
