"""Simplification: the rule, limits, and that nothing shown is left hanging."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.counts.graph import GraphCounts
from journeymine.errors import OptionError
from journeymine.process.simplify import _best_ways, simplify


@st.composite
def graphs(draw, most=9):
    """Graphs of random logs: every activity lies on a case."""
    k = draw(st.integers(1, most))
    cases = draw(
        st.lists(
            st.tuples(st.lists(st.integers(0, k - 1), min_size=1, max_size=8), st.integers(1, 20)),
            min_size=1, max_size=10,
        )
    )  # fmt: skip
    return graph_of(cases, k)


def graph_of(cases, k):
    n, starts, ends = (np.zeros(k, np.int64) for _ in range(3))
    follows = np.zeros((k, k), np.int64)
    for path, count in cases:
        starts[path[0]] += count
        ends[path[-1]] += count
        for code in path:
            n[code] += count
        for a, b in pairwise(path):
            follows[a, b] += count
    return GraphCounts(tuple(f"a{i:02d}" for i in range(k)), n, starts, ends, follows)


def reached(begins, edges):
    found = set(begins)
    while more := {b for a, b in edges if a in found} - found:
        found |= more
    return found


@settings(max_examples=100, deadline=None)
@given(graphs(), st.integers(1, 9), st.integers(1, 20), st.floats(0.05, 1.0), st.floats(0.05, 1.0))
def test_everything_shown_can_be_reached_and_left(graph, activities, edges, event_share, move_share):
    simple = simplify(
        graph, max_activities=activities, max_edges=edges, event_share=event_share, move_share=move_share
    )
    moves = list(zip(simple.source.tolist(), simple.target.tolist(), strict=True))
    codes = set(simple.codes)
    assert len(codes) <= activities
    assert len(moves) <= max(edges, int(simple.backbone.sum()))
    assert all(graph.follows[move] > 0 for move in moves)
    assert reached({c for c in codes if graph.starts[c]}, moves) == codes
    assert reached({c for c in codes if graph.ends[c]}, [(b, a) for a, b in moves]) == codes


@settings(max_examples=100, deadline=None)
@given(graphs())
def test_nothing_is_hidden_if_all_is_asked_for(graph):
    simple = simplify(graph, max_edges=100, event_share=1.0, move_share=1.0)
    assert simple.n_hidden_activities == simple.n_hidden_edges == 0
    kept = simple.shown
    codes = list(simple.codes)
    assert np.array_equal(kept.follows, graph.follows[np.ix_(codes, codes)])
    assert kept.n_cases == graph.n_cases


@settings(max_examples=100, deadline=None)
@given(graphs(), st.randoms())
def test_names_decide_not_places(graph, random):
    """Only ties may depend on the order of the activities: without ties the choice is the same."""
    counts = [*graph.n.tolist(), *graph.follows[graph.follows > 0].tolist()]
    if len(set(counts)) < len(counts):
        return
    order = list(range(len(graph.n)))
    random.shuffle(order)
    mixed = GraphCounts(
        tuple(graph.activities[i] for i in order), graph.n[order], graph.starts[order], graph.ends[order],
        graph.follows[np.ix_(order, order)],
    )  # fmt: skip
    one, two = ({g.activities[c] for c in simplify(g, max_activities=4).codes} for g in (graph, mixed))
    assert one == two


@settings(max_examples=80, deadline=None)
@given(graphs(most=6))
def test_best_ways_have_the_greatest_least_count(graph):
    """Against every way, by adding activities one after the other (Floyd and Warshall on widths)."""
    k = len(graph.n)
    width = graph.follows.copy()
    for through in range(k):
        width = np.maximum(width, np.minimum(width[:, [through]], width[[through], :]))
    best = np.maximum(graph.starts, np.max(np.minimum(graph.starts[:, None], width), axis=0))
    before = _best_ways(graph.follows, graph.starts)
    for code in range(k):
        if before[code] < 0:
            assert best[code] == 0
            continue
        found, at = np.iinfo(np.int64).max, code
        while before[at] != at:
            found = min(found, graph.follows[before[at], at])
            at = before[at]
        assert min(found, graph.starts[at]) == best[code]


def test_the_rule_in_numbers():
    graph = graph_of([([0, 1, 3], 80), ([0, 2, 3], 10), ([0, 1], 9), ([0, 4, 3], 1)], 5)
    simple = simplify(graph, event_share=0.95, move_share=0.9)
    assert simple.codes == (0, 1, 3)
    assert (simple.rule.n_activities, simple.rule.n_edges) == (5, 6)
    assert simple.rule.least_events == 89
    assert simple.n_hidden_activities == 2
    assert "3 of 5 activities" in repr(simple)


def test_a_goal_is_never_hidden():
    graph = graph_of([([0, 1], 1000), ([0, 2], 1)], 3)
    assert simplify(graph, event_share=0.9).codes == (0, 1)
    assert 2 in simplify(graph, event_share=0.9, always=[2]).codes
    assert simplify(graph, max_activities=2, always=[2]).codes == (0, 2)


def test_a_graph_without_ways_shows_nothing():
    empty = GraphCounts(("a",), np.array([3]), np.array([0]), np.array([0]), np.array([[2]]))
    simple = simplify(empty)
    assert simple.codes == ()
    assert len(simple.source) == 0


@pytest.mark.parametrize(
    "option",
    [{"max_activities": 0}, {"max_edges": 1.5}, {"event_share": 0}, {"move_share": 1.1}, {"max_edges": True}],
)
def test_wrong_options_are_told(option):
    with pytest.raises(OptionError, match=next(iter(option))):
        simplify(graph_of([([0], 1)], 1), **option)
