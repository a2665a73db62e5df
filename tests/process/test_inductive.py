"""Discovery against pm4py, known trees, replay, and ten thousand graphs of any kind."""

import sys
import time

import numpy as np
import pytest

from journeymine.counting.graph import count_graph
from journeymine.counts.graph import GraphCounts
from journeymine.errors import OptionError
from journeymine.process import inductive
from journeymine.process.cuts import Flow, split
from journeymine.process.inductive import discover_tree
from journeymine.process.replay import count_accepted
from journeymine.process.tree import SILENT, activity, can_be_empty, normalised, parse_tree
from journeymine.reading import read_log
from journeymine.simulate.process_trees import graph_of, play_out, random_tree

RUNNING_EXAMPLE = (
    "->( 'register request', *( ->( +( 'check ticket', X( 'examine thoroughly', 'examine casually' ) ), "
    "'decide' ), 'reinitiate request' ), X( 'reject request', 'pay compensation' ) )"
)


def discovered(*traces, **settings):
    return str(normalised(discover_tree(graph_of(traces), **settings)))


def canonical(text):
    return str(normalised(parse_tree(text)))


def pm4py_tree(graph):
    """The tree of pm4py; None where it raises."""
    sys._pm4py_welcome_shown = True
    import pm4py
    from pm4py.objects.dfg.obj import DFG

    names = graph.activities
    edges = {
        (names[i], names[j]): int(graph.follows[i, j])
        for i, j in zip(*np.nonzero(graph.follows), strict=True)
    }
    starts = {name: int(n) for name, n in zip(names, graph.starts, strict=True) if n}
    ends = {name: int(n) for name, n in zip(names, graph.ends, strict=True) if n}
    try:
        text = str(pm4py.discover_process_tree_inductive(DFG(edges, starts, ends)))
    except IndexError:
        return None
    return parse_tree(text) if "(" in text or text == "tau" else activity(text)


@pytest.mark.parametrize(
    ("traces", "expected"),
    [
        (["a"], "'a'"),
        (["a", "aa"], "*( tau, 'a' )"),
        (["abc", "c"], "->( X( tau, ->( 'a', 'b' ) ), 'c' )"),
        (["abc", "ac"], "->( 'a', X( tau, 'b' ), 'c' )"),
        (["abbc", "ac"], "->( 'a', *( tau, 'b' ), 'c' )"),
        (["abcab", "ab"], "*( ->( 'a', 'b' ), 'c' )"),
        (["ab", "abab"], "*( tau, X( 'a', 'b' ) )"),
        (["b", "ad", "bcd"], "->( X( 'a', ->( 'b', X( tau, 'c' ) ) ), X( tau, 'd' ) )"),
        (["sabe", "sbae", "sbe"], "->( 's', +( X( tau, 'a' ), 'b' ), 'e' )"),
    ],
)
def test_small_logs(traces, expected):
    assert discovered(*traces) == canonical(expected)


def test_cases_without_events_make_the_tree_optional():
    assert discovered("ab", n_empty=1) == canonical("X( tau, ->( 'a', 'b' ) )")
    assert discovered(*["ab"] * 10, n_empty=1, noise=0.2) == canonical("->( 'a', 'b' )")
    assert discovered(*["ab"] * 10, n_empty=9, noise=0.2) == canonical("X( tau, ->( 'a', 'b' ) )")


def test_what_never_occurs_is_left_out():
    zeros = np.zeros(2, np.int64)
    assert discover_tree(GraphCounts(("a", "b"), zeros, zeros, zeros, np.zeros((2, 2), np.int64))) == SILENT
    graph = GraphCounts(
        ("a", "b"), np.array([3, 0]), np.array([3, 0]), np.array([3, 0]), np.zeros((2, 2), np.int64)
    )
    assert discover_tree(graph) == activity("a")


@pytest.mark.parametrize("noise", [-0.1, 1.5, float("nan")])
def test_noise_is_a_share(noise):
    with pytest.raises(OptionError, match="noise"):
        discover_tree(graph_of(["ab"]), noise=noise)


def test_rare_edges_are_noise_only_if_asked():
    traces = [*["abc"] * 97, "acb", "bac", "ac"]
    assert discovered(*traces, noise=0.2) == canonical("->( 'a', 'b', 'c' )")
    assert discovered(*traces) != canonical("->( 'a', 'b', 'c' )")


def test_a_child_that_is_rarely_missing_is_noise_and_one_that_is_often_is_optional():
    both = ["ab", "ba"]
    assert discovered(*both * 50, "b", noise=0.2) == canonical("+( 'a', 'b' )")
    assert discovered(*both * 50, *["b"] * 50, noise=0.2) == canonical("+( X( tau, 'a' ), 'b' )")


@pytest.mark.parametrize(
    ("rare", "expected"),
    [
        (["abxc"], "->( 'a', 'b', X( tau, 'x' ), 'c' )"),
        (["abxc", "abyc"], "->( 'a', 'b', X( tau, 'x', 'y' ), 'c' )"),
        (["abxyc"], "->( 'a', 'b', X( tau, ->( 'x', 'y' ) ), 'c' )"),
        (["abxxxxxxxxc"], "->( 'a', 'b', *( tau, 'x' ), 'c' )"),
        (["abxbc"], "->( 'a', *( 'b', 'x' ), 'c' )"),
    ],
)
def test_what_is_rare_stays_behind_its_most_frequent_way_in(rare, expected):
    # Without its way in, x would be an alternative to the first steps.
    assert discovered(*["abc"] * 95, *rare * 3, noise=0.2) == canonical(expected)


def test_filtering_keeps_one_way_into_what_is_rare_and_the_rest_of_the_rule():
    graph = graph_of([*["abc"] * 95, *["abxc"] * 3, "axbc", "xabc"])
    flow = Flow((0, 1, 2, 3), graph.follows, graph.starts, graph.ends, 0)
    left = inductive.filtered(flow, 0.2)
    a, b, c, x = range(4)
    assert left.follows[:, x].tolist() == [0, 3, 0, 0]
    assert left.follows[a, b] == graph.follows[a, b]
    assert left.starts.tolist() == [99, 0, 0, 0]
    # What starts often, or has a frequent way in, needs no other.
    assert left.follows[c].sum() == left.follows[b, a] == 0


def test_what_the_filter_cuts_off_is_no_alternative():
    # x and y lead to each other, so that each has a way in; together they have none that is frequent.
    rare = ["ab" + "xy" * 8] * 3
    expected = canonical("->( 'a', 'b', X( 'c', *( tau, X( 'x', 'y' ) ) ) )")
    assert discovered(*["abc"] * 95, *rare, noise=0.2) == expected
    # An alternative that begins and ends is one, however rare.
    assert discovered(*["abc"] * 95, *["xy"] * 5, noise=0.2) == canonical(
        "X( ->( 'a', 'b', 'c' ), ->( 'x', 'y' ) )"
    )


LOGS = [
    (
        "running_example/running-example.csv",
        {"case_id": "case:concept:name", "activity": "concept:name", "timestamp": "time:timestamp"},
    ),
    ("receipt/receipt.xes.gz", {}),
    ("helpdesk/Helpdesk_full_italian.xes.gz", {}),
]


@pytest.mark.reference
@pytest.mark.parametrize(("path", "roles"), LOGS, ids=[path.split("/")[0] for path, _ in LOGS])
def test_real_logs_equal_pm4py_and_every_case_fits(reference_data, path, roles):
    log = read_log(reference_data / path, threads=1, **roles)
    graph = count_graph(log.engine, log.canonical)
    tree = discover_tree(graph)
    assert normalised(tree) == normalised(pm4py_tree(graph))
    if path.startswith("running"):
        assert normalised(tree) == normalised(parse_tree(RUNNING_EXAMPLE))
    variants = log.variants(top=1000).counts
    traces = [[variants.activities[code] for code in path] for path in variants.paths]
    assert count_accepted(tree, traces, variants.n.tolist()) == graph.n_cases


def test_generated_logs_equal_pm4py_or_are_right_where_it_is_not():
    n_same = 0
    for seed in range(40):
        known = random_tree(3 + seed % 12, seed)
        traces = play_out(known, 1500, seed)
        graph = graph_of(traces)
        tree = discover_tree(graph)
        assert count_accepted(tree, traces) == len(traces)
        theirs = normalised(pm4py_tree(graph))
        n_same += normalised(tree) == theirs
        # pm4py takes steps of a way back for optional; see as_pm4py_splits.
        assert normalised(tree) == theirs or normalised(tree) == normalised(known)
    assert n_same >= 36


def as_pm4py_splits(flow, cut):
    """Projections as pm4py 2.7 has them: they lose starts, ends and ways in that are not between neighbours."""
    parts = split(flow, cut)
    groups = cut.groups
    if cut.operator == "loop":
        for at, part in enumerate(parts[1:], start=1):
            both = part.starts + part.ends
            parts[at] = flow.part(groups[at], both, both, part.n_empty)
    if cut.operator == "sequence":
        for at, part in enumerate(parts):
            starts, ends = flow.starts[groups[at]], flow.ends[groups[at]]
            if at:
                starts = flow.follows[np.ix_(groups[at - 1], groups[at])].sum(axis=0)
            if at < len(parts) - 1:
                ends = flow.follows[np.ix_(groups[at], groups[at + 1])].sum(axis=1)
            parts[at] = flow.part(groups[at], starts, ends, part.n_empty)
    return parts


def discovered_as_pm4py(graph):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inductive, "split", as_pm4py_splits)
        patch.setattr(inductive, "_most_often", lambda *_: np.inf)
        return discover_tree(graph)


@pytest.mark.parametrize("kind", ["ordered", "permuted", "any"])
def test_random_logs_equal_pm4py_but_for_its_known_losses(kind):
    rng = np.random.default_rng(7)
    n_differ = n_unexplained = 0
    for _ in range(250):
        k = int(rng.integers(2, 8))
        traces = [_random_trace(kind, k, rng) for _ in range(int(rng.integers(1, 7)))]
        graph = graph_of(traces)
        theirs = pm4py_tree(graph)
        ours = discover_tree(graph)
        if kind == "ordered":
            # Without parallel blocks and loops nothing is lost.
            assert count_accepted(ours, traces) == len(traces)
        if theirs is None or normalised(theirs) == normalised(ours):
            continue
        n_differ += 1
        n_unexplained += normalised(discovered_as_pm4py(graph)) != normalised(theirs)
    assert n_differ < 0.25 * 250
    # What remains are activities that pm4py loses, and ways back of loops.
    assert n_unexplained <= 0.02 * 250


def _random_trace(kind, k, rng):
    drawn = rng.permutation(k)[: int(rng.integers(1, k + 1))]
    if kind == "any":
        drawn = rng.integers(0, k, int(rng.integers(1, 6)))
    return tuple("abcdefg"[i] for i in (sorted(drawn) if kind == "ordered" else drawn))


def _random_graph(rng):
    k = int(rng.integers(0, 8))
    density = rng.choice([0.0, 0.1, 0.3, 0.6, 1.0])
    follows = (rng.random((k, k)) < density) * rng.integers(0, 30, (k, k))
    if rng.random() < 0.3:
        follows = np.triu(follows, int(rng.integers(0, 2)))
    starts, ends = (rng.random((2, k)) < rng.choice([0.0, 0.3, 1.0])) * rng.integers(0, 30, (2, k))
    n = follows.sum(axis=1) + ends if rng.random() < 0.7 else rng.integers(0, 5, k)
    names = tuple(f"{rng.integers(10)}'\\\n{i}" for i in range(k))
    return GraphCounts(names, n, starts, ends, follows)


def test_ten_thousand_graphs_of_any_kind_give_a_tree_of_their_activities():
    rng = np.random.default_rng(0)
    for _ in range(10_000):
        graph = _random_graph(rng)
        occurs = (
            graph.n + graph.starts + graph.ends + graph.follows.sum(axis=0) + graph.follows.sum(axis=1)
        ) > 0
        tree = discover_tree(graph, noise=float(rng.choice([0, 0.2, 1.0])), n_empty=int(rng.integers(2)))
        assert sorted(tree.activities) == sorted(np.array(graph.activities, object)[occurs])
        _check_valid(tree)


def _check_valid(tree):
    if tree.operator == "loop":
        assert len(tree.children) == 2
    if tree.operator in ("activity", "silent"):
        assert not tree.children
    else:
        assert len(tree.children) >= 2
    for child in tree.children:
        _check_valid(child)


def test_noise_towards_zero_is_no_noise():
    for seed in range(30):
        graph = graph_of(play_out(random_tree(9, seed), 300, seed, noise=0.2))
        assert discover_tree(graph, noise=1e-9) == discover_tree(graph)


def test_activity_order_does_not_matter():
    rng = np.random.default_rng(1)
    for seed in range(30):
        graph = graph_of(play_out(random_tree(9, seed), 400, seed, noise=0.1))
        order = rng.permutation(len(graph.activities))
        other = GraphCounts(
            tuple(graph.activities[i] for i in order),
            graph.n[order],
            graph.starts[order],
            graph.ends[order],
            graph.follows[np.ix_(order, order)],
        )
        for noise in (0.0, 0.2):
            assert normalised(discover_tree(graph, noise=noise)) == normalised(
                discover_tree(other, noise=noise)
            )


def test_generating_trees_are_rediscovered():
    known = [random_tree(3 + seed % 8, seed) for seed in range(40)]
    for noise, filtering, least in ((0.0, 0.0, 39), (0.1, 0.2, 34), (0.2, 0.2, 30)):
        found = [
            normalised(discover_tree(graph_of(play_out(tree, 1500, at, noise=noise)), noise=filtering))
            for at, tree in enumerate(known)
        ]
        assert sum(a == normalised(b) for a, b in zip(found, known, strict=True)) >= least


def test_sixty_activities_take_no_time_and_five_hundred_nested_do_not_hang():
    wide = graph_of(play_out(random_tree(60, 3), 1000, 1))
    began = time.perf_counter()
    tree = discover_tree(wide, noise=0.2)
    assert time.perf_counter() - began < 0.3
    assert len(tree.activities) == len(wide.activities)
    k = 150
    later = np.triu(np.full((k, k), 9), 1)
    follows = later + np.where(np.arange(k) % 2, later.T, 0)
    ends = np.where(np.arange(k) % 2, 9, 0)
    starts = np.where(np.arange(k) == 0, 9, 0)
    deep = GraphCounts(tuple(f"a{i}" for i in range(k)), follows.sum(axis=1) + ends, starts, ends, follows)
    began = time.perf_counter()
    tree = discover_tree(deep)
    assert time.perf_counter() - began < 3
    assert len(tree.activities) == k
    assert not can_be_empty(tree)
