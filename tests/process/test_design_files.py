from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.errors import OptionError, SourceError
from journeymine.process.alignment import align, alignment_costs
from journeymine.process.design_files import read_design
from journeymine.process.tree import SILENT, Tree, activity, normalised, parse_tree

# --- writing, for the tests: BPMN and PTML of a tree, block by block -------------------------------------------------


class Writer:
    def __init__(self):
        self.nodes, self.flows = [], []

    def node(self, tag, name=""):
        key = f"n{len(self.nodes)}"
        self.nodes.append(f'<b:{tag} id="{key}" name="{name}"/>')
        return key

    def flow(self, source, target):
        self.flows.append(
            f'<b:sequenceFlow id="f{len(self.flows)}" sourceRef="{source}" targetRef="{target}"/>'
        )

    def block(self, tree: Tree):
        """First and last element of a block."""
        if tree.operator == "activity":
            key = self.node("userTask", tree.activity)
            return key, key
        if tree.operator == "silent":
            key = self.node("intermediateThrowEvent")
            return key, key
        parts = [self.block(child) for child in tree.children]
        if tree.operator == "sequence":
            for (_, end), (begin, _) in pairwise(parts):
                self.flow(end, begin)
            return parts[0][0], parts[-1][1]
        gate = "parallelGateway" if tree.operator == "parallel" else "exclusiveGateway"
        split, join = self.node(gate), self.node(gate)
        if tree.operator == "loop":
            (do, done), (redo, redone) = parts
            for source, target in ((join, do), (done, split), (split, redo), (redone, join)):
                self.flow(source, target)
            return join, split
        for begin, end in parts:
            self.flow(split, begin)
            self.flow(end, join)
        return split, join


def bpmn(tree):
    writer = Writer()
    start, end = writer.node("startEvent", "begin"), writer.node("endEvent", "end")
    first, last = writer.block(tree)
    writer.flow(start, first)
    writer.flow(last, end)
    return wrapped("".join(writer.nodes + writer.flows))


def wrapped(inner):
    space = 'xmlns:b="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    process = f'<b:process id="p">{inner}</b:process>'
    return f'<?xml version="1.0" encoding="UTF-8"?><b:definitions {space}>{process}</b:definitions>'


def flows(*pairs):
    return "".join(
        f'<b:sequenceFlow id="f{i}" sourceRef="{a}" targetRef="{b}"/>' for i, (a, b) in enumerate(pairs)
    )


def read(tmp_path, text, name="design.bpmn", known=()):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_design(path, known)


@st.composite
def trees(draw, names=tuple("abcdef"), depth=3):
    names = list(names)
    if depth == 0 or len(names) <= 1 or draw(st.integers(0, 4)) == 0:
        return activity(names[0]) if names and draw(st.integers(0, 5)) else SILENT
    operator = draw(st.sampled_from(["sequence", "exclusive", "parallel", "loop"]))
    n = 2 if operator == "loop" else draw(st.integers(2, 3))
    cuts = sorted(draw(st.lists(st.integers(0, len(names)), min_size=n - 1, max_size=n - 1)))
    parts = [names[a:b] for a, b in zip([0, *cuts], [*cuts, len(names)], strict=True)]
    return Tree(operator, tuple(draw(trees(tuple(part), depth - 1)) for part in parts))


def words(tree, n=40):
    """Random words near and in the language of a tree."""
    rng = random.Random(str(tree))
    found = [()]
    for _ in range(n):
        word = [rng.choice("abcdef") for _ in range(rng.randint(0, 6))]
        found.append(tuple(word))
        # What the alignment makes of it is in the language.
        found.append(tuple(name for kind, name in align(tree, word).moves if kind != "log"))
    return found


@settings(max_examples=80, deadline=None)
@given(tree=trees())
def test_a_drawn_tree_is_read_back_with_its_language(tree, tmp_path_factory):
    if not tree.activities:
        return
    folder = tmp_path_factory.mktemp("design")
    back = read(folder, bpmn(tree))
    both = words(tree) + words(back)
    assert alignment_costs(back, both).tolist() == alignment_costs(tree, both).tolist()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "text",
    [
        "->( 'a', X( 'b', tau ), *( ->( 'c', 'd' ), 'e' ) )",
        "+( ->( 'a', 'b' ), X( 'c', 'd', tau ), *( 'e', tau ) )",
        "*( X( 'a', ->( 'b', +( 'c', 'd' ) ) ), X( 'e', tau ) )",
    ],
)
def test_files_of_pm4py_are_read(tmp_path, text):
    import pm4py

    tree = parse_tree(text)
    theirs = pm4py.parse_process_tree(text)
    pm4py.write_bpmn(pm4py.convert_to_bpmn(theirs), str(tmp_path / "theirs.bpmn"), auto_layout=False)
    pm4py.write_ptml(theirs, str(tmp_path / "theirs.ptml"))
    assert normalised(read_design(tmp_path / "theirs.ptml")) == normalised(tree)
    back = read_design(tmp_path / "theirs.bpmn")
    both = words(tree) + words(back)
    assert alignment_costs(back, both).tolist() == alignment_costs(tree, both).tolist()


def test_own_ptml_is_read_back(tmp_path):
    from journeymine.process.model_files import ptml_text

    tree = parse_tree("->( 'it''s'".replace("''", "\\'") + ", X( '<b>&', tau ), *( 'c', +( 'd', 'e' ) ) )")
    assert read(tmp_path, ptml_text(tree), "t.ptml") == tree


def test_a_tangle_of_choices_is_read_by_elimination(tmp_path):
    """Retry from either step: no block structure, yet a regular language."""
    inner = (
        '<b:startEvent id="s"/><b:task id="a" name="a"/><b:task id="b" name="b"/>'
        '<b:exclusiveGateway id="x"/><b:exclusiveGateway id="y"/><b:endEvent id="e"/><b:endEvent id="f"/>'
        + flows(
            ("s", "a"),
            ("a", "x"),
            ("x", "b"),
            ("x", "a"),
            ("x", "e"),
            ("b", "y"),
            ("y", "b"),
            ("y", "a"),
            ("y", "f"),
        )
    )
    tree = read(tmp_path, wrapped(inner))
    inside = ["a", "aa", "ab", "abb", "abab", "aba", "abba"]
    outside = ["", "b", "ba", "bb"]
    assert alignment_costs(tree, inside).tolist() == [0] * len(inside)
    assert (alignment_costs(tree, outside) > 0).all()


def test_inclusive_gateways_sub_processes_boundary_events_and_pools(tmp_path):
    inner = (
        '<b:startEvent id="s" name="Start"/><b:inclusiveGateway id="i"/><b:inclusiveGateway id="j"/>'
        '<b:task id="a" name="a"/><b:task id="b" name=" b \n b "/>'
        '<b:subProcess id="p"><b:startEvent id="ps"/><b:task id="c" name="c"/>'
        '<b:sequenceFlow id="pf" sourceRef="ps" targetRef="c"/></b:subProcess>'
        '<b:boundaryEvent id="late" attachedToRef="p"/><b:task id="d" name="d"/><b:endEvent id="e" name="bought"/>'
        '<b:endEvent id="g"/>'
        + flows(
            ("s", "i"),
            ("i", "a"),
            ("i", "b"),
            ("a", "j"),
            ("b", "j"),
            ("j", "p"),
            ("p", "e"),
            ("late", "d"),
            ("d", "g"),
        )
    )
    other = '<b:process id="q"><b:task id="z" name="z"/></b:process>'
    text = wrapped(inner).replace("</b:definitions>", other + "</b:definitions>")
    tree = read(tmp_path, text)
    for word in (["a", "c"], ["b b", "c"], ["a", "b b", "c"], ["b b", "a", "c", "d"]):
        assert align(tree, word).cost == 0
    assert align(tree, ["c"]).cost == 1
    with_event = read(tmp_path, text, known=["bought"])
    assert align(with_event, ["a", "c", "bought"]).cost == 0


def test_what_cannot_be_a_tree_is_refused(tmp_path):
    inner = (
        '<b:startEvent id="s"/><b:parallelGateway id="p"/><b:exclusiveGateway id="x"/><b:parallelGateway id="q"/>'
        '<b:task id="a" name="a"/><b:task id="b" name="b"/><b:task id="c" name="c"/><b:endEvent id="e"/>'
        + flows(
            ("s", "p"),
            ("p", "a"),
            ("p", "b"),
            ("a", "x"),
            ("x", "q"),
            ("x", "c"),
            ("b", "q"),
            ("q", "e"),
            ("c", "e"),
        )
    )
    with pytest.raises(OptionError, match="parallel gateways do not open and close as blocks"):
        read(tmp_path, wrapped(inner))
    with pytest.raises(OptionError, match="no process with a task"):
        read(tmp_path, wrapped('<b:startEvent id="s"/>'))
    with pytest.raises(OptionError, match="complexGateway"):
        read(tmp_path, wrapped('<b:task id="a" name="a"/><b:complexGateway id="g"/>'))


def test_broken_and_hostile_files(tmp_path):
    with pytest.raises(SourceError, match="cannot be read"):
        read_design(tmp_path / "nowhere.bpmn")
    with pytest.raises(SourceError, match="not readable XML"):
        read(tmp_path, "<b:definitions>")
    with pytest.raises(SourceError, match="document type"):
        read(tmp_path, '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>')
    with pytest.raises(OptionError, match="no process tree"):
        read(tmp_path, "<ptml/>", "t.ptml")
    cycle = '<ptml><processTree root="a"><xor id="a"/><xor id="b"/>' + "".join(
        f'<parentsNode sourceId="{s}" targetId="{t}"/>' for s, t in ("ab", "ba")
    )
    with pytest.raises(OptionError, match="is not a tree"):
        read(tmp_path, cycle + "</processTree></ptml>", "t.ptml")
    edge = '<parentsNode sourceId="a" targetId="b"/>'
    text = f'<ptml><processTree root="a"><or id="a"/><manualTask id="b" name="b"/>{edge}</processTree></ptml>'
    with pytest.raises(OptionError, match="'or'"):
        read(tmp_path, text, "t.ptml")


@pytest.mark.reference
def test_the_model_of_the_running_example_fits_its_log(reference_data):
    import csv

    folder = reference_data / "running_example"
    paths: dict[str, list[str]] = {}
    with (folder / "running-example.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            paths.setdefault(row["case:concept:name"], []).append(row["concept:name"])
    tree = read_design(folder / "running-example.bpmn")
    assert len(paths) == 6
    assert alignment_costs(tree, list(paths.values())).tolist() == [0] * 6
    assert align(tree, ["register request", "decide"]).cost > 0
