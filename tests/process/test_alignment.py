from __future__ import annotations

import heapq
import random

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.errors import OptionError
from journeymine.process.alignment import align, align_all, alignment_costs, log_fitness
from journeymine.process.tree import SILENT, Tree, activity, exclusive, loop, parallel, sequence

# --- the oracle: a shortest path through the states of the tree, written without any table ---------------------------


def steps(state):
    """(activity or None, next state) of a state; None is the state in which nothing is left to do."""
    if state is None:
        return
    kind = state[0]
    if kind == "tree":
        yield from steps_of_tree(state[1])
    elif kind == "then":
        if state[1] is None:
            yield None, state[2]
        for name, after in steps(state[1]):
            yield name, ("then", after, state[2])
    elif kind == "both":
        if state[1] is None and state[2] is None:
            yield None, None
        for name, after in steps(state[1]):
            yield name, ("both", after, state[2])
        for name, after in steps(state[2]):
            yield name, ("both", state[1], after)


def of(tree):
    return ("tree", tree)


def steps_of_tree(tree: Tree):
    children = tree.children
    if tree.operator == "silent":
        yield None, None
    elif tree.operator == "activity":
        yield tree.activity, None
    elif tree.operator == "sequence":
        rest = of(children[1]) if len(children) == 2 else of(Tree("sequence", children[1:]))
        yield None, (of(children[0]) if len(children) == 1 else ("then", of(children[0]), rest))
    elif tree.operator == "exclusive":
        for child in children:
            yield None, of(child)
    elif tree.operator == "parallel":
        rest = of(children[1]) if len(children) == 2 else of(Tree("parallel", children[1:]))
        yield None, (of(children[0]) if len(children) == 1 else ("both", of(children[0]), rest))
    else:
        yield None, of(children[0])
        yield None, ("then", of(children[0]), ("then", of(children[1]), of(tree)))


def shortest(tree, trace, prefix=False, limit=30):
    """Least (cost, inserted) by Dijkstra over (state, events done)."""
    queue = [(0, 0, 0, 0, of(tree))]
    seen, tick = set(), 0
    while queue:
        cost, inserted, _, done, state = heapq.heappop(queue)
        if (done, state) in seen:
            continue
        seen.add((done, state))
        if done == len(trace) and (prefix or state is None):
            return cost, inserted
        if cost > limit:
            break
        following = [] if done == len(trace) else [(cost + 1, inserted + 1, done + 1, state)]
        for name, after in steps(state):
            if name is None:
                following.append((cost, inserted, done, after))
                continue
            following.append((cost + 1, inserted, done, after))
            if done < len(trace) and trace[done] == name:
                following.append((cost, inserted, done + 1, after))
        for c, k, d, s in following:
            tick += 1
            heapq.heappush(queue, (c, k, tick, d, s))
    raise AssertionError("no alignment found")


def accepts(tree, word, prefix=False):
    """Whether the tree can do exactly this word."""
    states = {of(tree)}

    def closure(found):
        stack, known = list(found), set(found)
        while stack:
            for name, after in steps(stack.pop()):
                if name is None and after not in known:
                    known.add(after)
                    stack.append(after)
        return known

    states = closure(states)
    for letter in word:
        states = closure({after for state in states for name, after in steps(state) if name == letter})
    return bool(states) if prefix else None in states


@st.composite
def trees(draw, names=tuple("abcdef"), depth=3):
    """Trees with labels of their own; silent leaves anywhere."""
    names = list(names)
    if depth == 0 or len(names) <= 1 or draw(st.integers(0, 4)) == 0:
        return activity(names[0]) if names and draw(st.integers(0, 5)) else SILENT
    operator = draw(st.sampled_from(["sequence", "exclusive", "parallel", "loop"]))
    n = 2 if operator == "loop" else draw(st.integers(1, 3))
    cuts = sorted(draw(st.lists(st.integers(0, len(names)), min_size=n - 1, max_size=n - 1)))
    parts = [names[a:b] for a, b in zip([0, *cuts], [*cuts, len(names)], strict=True)]
    return Tree(operator, tuple(draw(trees(tuple(part), depth - 1)) for part in parts))


TRACES = st.lists(st.sampled_from("abcdefz"), max_size=6)


@settings(max_examples=250, deadline=None)
@given(trees(), TRACES, st.booleans())
def test_an_alignment_is_valid_and_costs_what_a_shortest_path_costs(tree, trace, prefix):
    found = align(tree, trace, prefix=prefix)
    moves = found.moves
    cost, inserted = shortest(tree, trace, prefix)
    assert found.cost == cost
    assert sum(kind == "log" for kind, _ in moves) == inserted
    assert sum(kind != "both" for kind, _ in moves) == cost
    assert [name for kind, name in moves if kind != "model"] == trace
    assert accepts(tree, [name for kind, name in moves if kind != "log"], prefix)


@settings(max_examples=60, deadline=None)
@given(trees(), st.lists(TRACES, min_size=1, max_size=8), st.booleans())
def test_many_traces_together_are_the_same_as_each_alone(tree, traces, prefix):
    together = align_all(tree, traces, prefix=prefix)
    assert together == [align(tree, trace, prefix=prefix) for trace in traces]
    assert alignment_costs(tree, traces, prefix=prefix).tolist() == [found.cost for found in together]


CHECKOUT = sequence(activity("a"), activity("b"), activity("c"), activity("d"))


def test_the_tie_rule():
    """b and c are swapped: keep either; the later children take as much as they can, so c stays and b is late."""
    found = align(CHECKOUT, "acbd")
    assert found.moves == (
        ("both", "a"),
        ("model", "b"),
        ("both", "c"),
        ("log", "b"),
        ("both", "d"),
    )
    # The first occurrence is the right one, the second is inserted.
    assert align(CHECKOUT, "abbcd").moves[1:3] == (("both", "b"), ("log", "b"))
    # One inserted or one skipped activity cost the same: fewer are inserted.
    tree = exclusive(sequence(activity("a"), activity("b")), activity("c"))
    assert align(tree, "a").moves == (("both", "a"), ("model", "b"))


def test_moves_of_parallel_branches_come_in_the_order_of_the_trace():
    tree = parallel(sequence(activity("a"), activity("b")), sequence(activity("c"), activity("d")))
    found = align(tree, "cxad")
    assert found.cost == 2
    assert found.moves == (
        ("both", "c"),
        ("log", "x"),
        ("both", "a"),
        ("model", "b"),
        ("both", "d"),
    )


def test_a_journey_that_is_under_way_only_pays_for_what_it_did():
    assert align(CHECKOUT, "ab", prefix=True).cost == 0
    assert align(CHECKOUT, "ab").cost == 2
    assert align(CHECKOUT, "ac", prefix=True).moves == (("both", "a"), ("model", "b"), ("both", "c"))
    assert align(CHECKOUT, "ab", prefix=True).moves == (("both", "a"), ("both", "b"))


def test_hostile_names_and_empty_traces():
    names = ["it's", "<b>", "a\nb", "=cmd()", "🛒", "مرحبا", "NA", "->", "*", "x" * 10_000]
    tree = sequence(*(activity(name) for name in names))
    assert align(tree, names).cost == 0
    assert align(tree, [name + " " for name in names]).cost == 2 * len(names)
    assert align(tree, ()).cost == len(names)
    assert align(SILENT, ()).moves == ()
    assert align_all(CHECKOUT, []) == []


def test_shared_activities_of_parallel_branches_are_refused():
    with pytest.raises(OptionError, match="'a' occurs in two branches of a parallel node"):
        align(parallel(activity("a"), sequence(activity("a"), activity("b"))), "a")


def test_too_long_a_trace_is_refused_and_left_out_of_the_fitness():
    with pytest.raises(OptionError, match="1,001 events"):
        align(CHECKOUT, "a" * 1001)
    found = log_fitness(CHECKOUT, [(tuple("abcd"), 3), (("a",) * 1001, 2)])
    assert (found.fitness, found.n, found.n_fitting, found.n_left_out) == (1.0, 3, 3, 2)
    assert found.costs.tolist() == [0, -1]


def test_a_tree_that_is_nested_500_deep():
    tree = SILENT
    for k in range(500, 0, -1):
        tree = exclusive(SILENT, sequence(activity(f"a{k}"), tree))
    trace = [f"a{k}" for k in range(1, 30)]
    assert align(tree, trace).cost == 0
    assert align(tree, [*trace, "a2"], prefix=True).moves[-1] == ("log", "a2")


def test_fitness_is_one_minus_cost_over_the_worst():
    found = log_fitness(CHECKOUT, [(tuple("abcd"), 5), (tuple("ab"), 2), (tuple("zz"), 1)])
    assert found.costs.tolist() == [0, 2, 6]
    assert found.fitness == pytest.approx(1 - (2 * 2 + 6) / (5 * 8 + 2 * 6 + 6))
    assert (found.n, found.n_fitting, found.shortest) == (8, 5, 4)


def test_a_trace_of_185_events_and_a_flower():
    rng = random.Random(3)
    names = [f"step {k}" for k in range(16)]
    flower = loop(exclusive(*(activity(name) for name in names)), SILENT)
    tree = sequence(activity("start"), parallel(flower, activity("check")), activity("end"))
    trace = ["start", *(rng.choice(names) for _ in range(182)), "check", "end"]
    assert align(tree, trace).cost == 0
    rng.shuffle(trace)
    found = align(tree, trace)
    assert [name for kind, name in found.moves if kind != "model"] == trace
    assert found.cost == shortest(tree, trace, limit=200)[0]


# --- outside reference: pm4py ---------------------------------------------------------------------------------------


def variants_of(path):
    import pm4py

    log = pm4py.read_xes(str(path), return_legacy_log_object=False)
    log = log.sort_values(["case:concept:name", "time:timestamp"], kind="stable")
    counts: dict[tuple[str, ...], int] = {}
    for _, group in log.groupby("case:concept:name", sort=True):
        key = tuple(group["concept:name"])
        counts[key] = counts.get(key, 0) + 1
    return log, sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def to_tree(found) -> Tree:
    """pm4py's tree as ours."""
    if found.operator is None:
        return SILENT if found.label is None else activity(found.label)
    kinds = {"->": "sequence", "X": "exclusive", "+": "parallel", "*": "loop"}
    return Tree(kinds[found.operator.value], tuple(to_tree(child) for child in found.children))


@pytest.mark.reference
@pytest.mark.filterwarnings("ignore")
def test_receipt_golden_fitness(reference_data):
    import pm4py
    from pm4py.algo.filtering.dfg import dfg_filtering

    log, variants = variants_of(reference_data / "receipt" / "receipt.xes.gz")
    dfg, start, end = pm4py.discover_dfg(log)
    assert len(variants) == 116
    activities = pm4py.get_event_attribute_values(log, "concept:name")
    golden = {1.0: 1.0, 0.5: 0.9976, 0.2: 0.9736}
    for share, expected in golden.items():
        kept = (dfg, start, end)
        if share < 1:
            kept = dfg_filtering.filter_dfg_on_paths_percentage(dfg, start, end, activities, share)[:3]
        tree = to_tree(pm4py.discover_process_tree_inductive(pm4py.objects.dfg.obj.DFG(*kept)))
        assert log_fitness(tree, variants).fitness == pytest.approx(expected, abs=5e-5)
    found = to_tree(pm4py.discover_process_tree_inductive(log, noise_threshold=0.2))
    assert log_fitness(found, variants).fitness == pytest.approx(0.8278, abs=5e-5)


@pytest.mark.reference
@pytest.mark.filterwarnings("ignore")
def test_costs_are_those_of_pm4py(reference_data):
    """pm4py counts silent moves in the thousandths; a move of the log or of the model is worth 10,000."""
    import pm4py

    log, variants = variants_of(reference_data / "receipt" / "receipt.xes.gz")
    dfg, start, end = pm4py.discover_dfg(log)
    theirs = pm4py.discover_process_tree_inductive(pm4py.objects.dfg.obj.DFG(dfg, start, end))
    traces = [path for path, _ in variants[:12]]
    rng = random.Random(1)
    traces += [tuple(rng.sample(path, len(path) - 1)) for path in traces[:6] if len(path) > 1]
    rows = [
        (f"{i:03}", what, f"2026-01-01 00:00:{k:02}")
        for i, t in enumerate(traces)
        for k, what in enumerate(t)
    ]
    frame = pd.DataFrame(rows, columns=["case:concept:name", "concept:name", "time:timestamp"])
    frame["time:timestamp"] = pd.to_datetime(frame["time:timestamp"], utc=True)
    found = pm4py.conformance_diagnostics_alignments(frame, *pm4py.convert_to_petri_net(theirs))
    assert alignment_costs(to_tree(theirs), traces).tolist() == [row["cost"] // 10_000 for row in found]
