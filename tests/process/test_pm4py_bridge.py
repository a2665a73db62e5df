"""The bridge to pm4py: there and back, names of any kind, nothing on the terminal, nothing left to luck."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.process.test_tree import trees

from journeymine.process import pm4py_bridge as bridge
from journeymine.process.alignment import log_fitness
from journeymine.process.precision import escaping_edges
from journeymine.process.tree import normalised, parse_tree

HOSTILE = ("a,b", "a", "b", "tau", "'", "->( x", "NA", "=cmd()", "<b>&amp;", "line\nbreak", "🛒", "שלום", "*")
TREES = st.integers(1, 4).flatmap(lambda n: trees("abcd"[:n]))


@settings(max_examples=60, deadline=None)
@given(TREES)
def test_trees_go_there_and_back(tree):
    assert bridge.from_process_tree(bridge.to_process_tree(tree)) == tree


def test_pm4py_reads_the_same_tree():
    pm4py = bridge.load_pm4py()
    text = "->( 'a', X( tau, +( 'b', 'c' ) ), *( 'd', 'e' ) )"
    assert bridge.from_process_tree(pm4py.parse_process_tree(text)) == parse_tree(text)
    assert str(bridge.to_process_tree(parse_tree(text))) == text


def test_the_exit_of_a_loop_is_kept():
    pm4py = bridge.load_pm4py()
    theirs = pm4py.parse_process_tree("*( 'a', 'b', 'c' )")
    assert bridge.from_process_tree(theirs) == parse_tree("->( *( 'a', 'b' ), 'c' )")


def test_other_operators_are_refused():
    pm4py = bridge.load_pm4py()
    with pytest.raises(bridge.OptionError, match="not known"):
        bridge.from_process_tree(pm4py.parse_process_tree("O( 'a', 'b' )"))


def test_hostile_names_stay_what_they_are():
    variants = [(HOSTILE, 5), ((HOSTILE[0], *HOSTILE[2:]), 3)]
    tree = bridge.inductive_from_variants(variants, 0.0)
    assert set(tree.activities) == set(HOSTILE)
    net = bridge.tree_net(tree)
    assert {t.label for t in net.net.transitions if t.label} == set(HOSTILE)
    # Names with commas would merge in pm4py's own keys; here its replay equals the exact number.
    assert bridge.replay_precision(tree, variants) == pytest.approx(escaping_edges(tree, variants))


def test_costs_of_alignments_equal_ours():
    tree = parse_tree("->( 'a', X( tau, +( 'b', 'c,d' ) ), *( 'e', 'f' ) )")
    words = ["ae", "abe", "ef", "aaeefe", "", "xx"]
    variants = [(tuple(word), 1) for word in words]
    costs, shortest, _ = bridge.alignment_costs(bridge.tree_net(tree), variants)
    assert costs == log_fitness(tree, variants).costs.tolist()
    assert shortest == 2


def test_without_time_there_is_no_cost_but_a_word():
    tree = parse_tree("+( 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h' )")
    costs, text = bridge._costs_by_pm4py(bridge.tree_net(tree), [(tuple("hgfedcbahgfedcba"), 1)], 0.0)
    assert costs is None
    assert "found no alignments within" in text


def test_a_net_without_an_end_is_told():
    net = bridge.tree_net(parse_tree("->( 'a', 'b' )"))
    last = next(iter(net.final))
    for arc in list(last.in_arcs):
        net.net.arcs.remove(arc)
        arc.source.out_arcs.remove(arc)
        last.in_arcs.remove(arc)
    assert bridge._costs_by_pm4py(net, [(("a",), 1)], 5.0) == (None, "the net cannot be brought to its end")


def test_a_log_too_large_is_not_replayed():
    variants = [(("a",) * 10, bridge.MOST_REPLAYED_EVENTS)]
    assert bridge.replay_precision(parse_tree("*( 'a', tau )"), variants) is None


def test_nets_and_bpmn_say_the_same_as_the_tree():
    pm4py = bridge.load_pm4py()
    tree = parse_tree("->( 'a', X( 'b', 'c' ), +( 'd', 'e' ) )")
    net, bpmn = bridge.tree_net(tree), bridge.to_bpmn(tree)
    again = pm4py.convert_to_process_tree(*pm4py.convert_to_petri_net(bpmn))
    assert normalised(bridge.from_process_tree(again)) == normalised(tree)
    assert normalised(bridge.from_process_tree(pm4py.convert_to_process_tree(*net.parts))) == normalised(tree)


def test_no_banner_and_nothing_imported_before_it_is_needed():
    code = (
        "import sys, journeymine.process.pm4py_bridge as b; assert 'pm4py' not in sys.modules\n"
        "from journeymine.process.tree import parse_tree\n"
        "b.replay_precision(parse_tree(\"->( 'a', 'b' )\"), [(('a', 'b'), 3)])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr == ""
