"""Discovery and honest simplification on logs: golden numbers, a plain oracle, hostile options."""

from functools import partial
from itertools import pairwise

import jsonschema
import numpy as np
import pandas as pd
import pytest

import journeymine as jm
from journeymine.analyses.model import discover, explain
from journeymine.counting.graph import count_graph
from journeymine.counting.triples import count_triples
from journeymine.counting.variant_list import list_variants
from journeymine.errors import OptionError
from journeymine.process import pm4py_bridge as bridge
from journeymine.process.inductive import discover_tree
from journeymine.process.model import ProcessModel
from journeymine.process.precision import escaping_edges
from journeymine.process.simplify import simplify
from journeymine.process.tree import normalised, parse_tree
from journeymine.reporting.sections.model import model_schema, model_section

RUNNING = (
    "->( 'register request', *( ->( +( 'check ticket', X( 'examine thoroughly', 'examine casually' ) ), 'decide' ), "
    "'reinitiate request' ), X( 'reject request', 'pay compensation' ) )"
)
ESTIMATE = {
    "type": "object",
    "properties": {name: {"type": "number"} for name in ("estimate", "lower", "upper", "n")},
    "required": ["estimate", "lower", "upper", "n"],
}


def read(cases, **more):
    rows = [
        {"case": str(i), "who": who, "what": name, "at": i * 1000 + place}
        for i, (who, path) in enumerate(cases)
        for place, name in enumerate(path)
    ]
    frame = pd.DataFrame(rows)
    return jm.read_log(
        frame, case_id="case", customer_id="who", activity="what", timestamp="at", time_unit="s", **more
    )


@pytest.fixture(scope="module")
def receipt(reference_data):
    return jm.read_log(reference_data / "receipt" / "receipt.xes.gz")


@pytest.fixture(scope="module")
def variants(receipt):
    found = list_variants(receipt.engine, receipt.canonical)
    names = found.activities
    return [(tuple(names[c] for c in path), n) for path, n in zip(found.paths, found.n.tolist(), strict=True)]


@pytest.mark.reference
def test_running_example(reference_data):
    log = jm.read_log(
        reference_data / "running_example" / "running-example.csv",
        case_id="case:concept:name", activity="concept:name", timestamp="time:timestamp",
    )  # fmt: skip
    for algorithm in ("inductive", "inductive_variants"):
        model = discover(log, algorithm=algorithm)
        assert normalised(model.root) == normalised(parse_tree(RUNNING))
        assert round(model.precision, 4) == 0.7531
        assert (model.fitness, model.coverage) == (1.0, 1.0)
        assert bridge.tree_net(model.root).size == (9, 10, 22)


@pytest.mark.reference
@pytest.mark.parametrize(
    ("algorithm", "noise", "size", "fitness", "precision"),
    [
        ("inductive", 0.0, (7, 33, 66), 1.0, 0.1308),
        ("inductive_variants", 0.0, (45, 74, 158), 1.0, 0.1670),
        ("inductive_variants", 0.2, (47, 69, 146), 0.8278, 0.2662),
    ],
)
def test_golden_models_of_receipt(receipt, algorithm, noise, size, fitness, precision):
    model = discover(receipt, noise, algorithm)
    assert bridge.Net(*model.petri_net()).size == size
    assert round(model.fitness, 4) == fitness
    assert round(model.precision, 4) == precision
    assert model.n_variants_aligned == 116


@pytest.mark.reference
def test_golden_heuristics_net_of_receipt(receipt):
    model = discover(receipt, algorithm="heuristics")
    assert bridge.Net(*model.petri_net()).size == (43, 87, 191)
    assert round(model.precision, 4) == 0.6809


@pytest.mark.reference
@pytest.mark.parametrize(
    ("paths", "size", "fitness", "precision"),
    [(0.5, (13, 32, 64), 0.9976, 0.2047), (0.2, (10, 17, 34), 0.9736, 0.3322)],
)
def test_golden_filtered_models_of_receipt(receipt, variants, paths, size, fitness, precision):
    """pm4py filters and discovers; our alignments and our replay measure, without and with unknown activities."""
    pm4py = bridge.load_pm4py()
    from pm4py.objects.dfg.obj import DFG

    graph = count_graph(receipt.engine, receipt.canonical)
    names = {name: name for name in graph.activities}
    edges = bridge._coded_edges(graph, names)
    ends = [bridge._coded_ends(graph, counts, names) for counts in (graph.starts, graph.ends)]
    theirs = pm4py.discover_process_tree_inductive(
        DFG(*pm4py.filter_dfg_paths_percentage(edges, *ends, paths))
    )
    root = bridge.from_process_tree(theirs)
    measured = ProcessModel(
        "inductive", 0.0, root, None, partial(list_variants, receipt.engine, receipt.canonical)
    )
    assert bridge.tree_net(root).size == size
    assert round(measured.fitness, 4) == fitness
    assert round(measured.precision, 4) == precision
    assert measured.precision == pytest.approx(bridge.replay_precision(root, variants), abs=1e-12)


@pytest.mark.reference
@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_our_precision_is_that_of_pm4py_on_our_trees(receipt, variants, noise):
    root = discover(receipt, noise).root
    assert escaping_edges(root, variants) == pytest.approx(bridge.replay_precision(root, variants), abs=1e-12)


def test_discovery_of_what_is_frequent_counts_the_graph_only():
    log = read([("u1", "abc"), ("u2", "ac")])
    asked = []
    execute = log.engine.fetch_table
    log.engine.fetch_table = lambda sql: (asked.append(sql), execute(sql))[1]
    discover(log, noise=0.1)
    assert len(asked) == 1


def test_at_noise_0_every_journey_is_allowed():
    """The graph cannot tell ab, ba from aba, b."""
    log = read([("u1", "aba"), ("u2", "b")])
    assert str(discover_tree(count_graph(log.engine, log.canonical))) == "+( 'a', 'b' )"
    model = discover(log)
    assert model.coverage == 1.0
    assert model.fitness == 1.0


def test_every_algorithm_on_a_small_log():
    log = read([(f"u{i}", "abd") for i in range(9)] + [(f"v{i}", "acd") for i in range(5)] + [("w", "ad")])
    for algorithm in ("inductive", "inductive_variants", "heuristics"):
        model = discover(log, algorithm=algorithm)
        assert model.algorithm == algorithm
        assert 0 <= model.precision <= 1
        assert 0 <= model.coverage <= 1
    assert discover(log).coverage == 1.0


def test_triples_against_a_loop():
    log = read([("u", "abab"), ("v", "aba"), ("w", "b")])
    assert count_triples(log.engine, log.canonical) == {("a", "b", "a"): 2, ("b", "a", "b"): 1}


def test_variants_beyond_the_limit_stay_in_the_engine():
    log = read([("u", "ab"), ("v", "ab"), ("w", "ba"), ("x", "a")])
    found = list_variants(log.engine, log.canonical, 2)
    assert (found.n.tolist(), found.n_variants, found.n_cases) == ([2, 1], 3, 4)
    assert [[found.activities[c] for c in path] for path in found.paths] == [["a", "b"], ["a"]]


@pytest.mark.parametrize("noise", [-0.1, 1, 1.5, float("nan"), "0.2", None, True])
def test_wrong_noise_is_told(noise):
    with pytest.raises(OptionError, match="noise is"):
        discover(read([("u", "ab")]), noise)


def test_a_misspelt_algorithm_is_told():
    with pytest.raises(OptionError, match="did you mean 'inductive'"):
        discover(read([("u", "ab")]), algorithm="inductiv")


CASES = [
    *((f"u{i % 7}", "abcg") for i in range(30)),
    *((f"v{i}", "abg") for i in range(10)),
    *((f"w{i % 2}", "axg") for i in range(3)),
    *((f"x{i}", "ab") for i in range(12)),
    ("y", "g"), ("z", "x"),
]  # fmt: skip


def test_what_a_picture_explains_against_a_loop():
    log = read(CASES).journeys(goal="g")
    graph = count_graph(log.engine, log.canonical)
    picture = simplify(graph, max_activities=4, move_share=0.85)
    names = graph.activities
    codes = {names[c] for c in picture.codes}
    moves = {(names[a], names[b]) for a, b in zip(picture.source, picture.target, strict=True)}
    assert codes == set("abcg")
    whole = [all(e in codes for e in p) and all(m in moves for m in pairwise(p)) for _, p in CASES]
    won = ["g" in path for _, path in CASES]
    expected = {
        "journeys": (sum(whole), len(CASES)),
        "events": (sum(e in codes for _, p in CASES for e in p), sum(len(p) for _, p in CASES)),
        "moves": (
            sum(m in moves for _, p in CASES for m in pairwise(p)),
            sum(len(p) - 1 for _, p in CASES),
        ),
        "conversions": (sum(w and g for w, g in zip(whole, won, strict=True)), sum(won)),
    }
    found = explain(log, picture)
    for row in found.to_frame().to_dict("records"):
        part, n = expected[row["measure"]]
        assert (row["estimate"], row["n"]) == (pytest.approx(part / n), n)
        assert row["lower"] <= row["estimate"] <= row["upper"]
    assert found.model.fitness < 1
    assert set(found.model.root.activities) <= codes
    assert found.model.share_aligned == 1.0
    assert repr(found).splitlines()[-1].startswith("Next: ")


def test_a_picture_of_everything_explains_everything():
    log = read(CASES).journeys(goal="g")
    picture = simplify(count_graph(log.engine, log.canonical), event_share=1.0, move_share=1.0)
    found = explain(log, picture)
    assert np.all(found.share.estimate == 1.0)
    assert np.all(found.share.lower < 1.0)
    assert found.model.coverage == 1.0


def test_a_picture_of_nothing_explains_nothing():
    log = read([("u", "ab"), ("v", "ab")]).journeys(goal="b")
    picture = simplify(count_graph(log.engine, log.canonical), max_activities=1)
    assert picture.codes == ()
    found = explain(log, picture)
    assert found.share.estimate.tolist() == [0, 0, 0, 0]
    assert found.model.coverage == 0
    assert found.model.fitness == 0
    assert model_section(discover(log), found)["explained"]["hidden"] == ["a", "b"]


def test_without_a_goal_no_conversion_is_explained():
    log = read(CASES)
    found = explain(log, simplify(count_graph(log.engine, log.canonical)))
    assert found.conversions is None
    assert found.journeys is not None
    assert "conversions" not in repr(found)


@pytest.mark.reference
def test_a_simpler_picture_explains_less(receipt):
    graph = count_graph(receipt.engine, receipt.canonical)
    shares = [
        explain(receipt, simplify(graph, move_share=share, event_share=1.0)).share.estimate[:3]
        for share in (0.9, 0.97, 1.0)
    ]
    assert np.all(np.diff(shares, axis=0) >= 0)
    assert np.all(shares[-1] == 1.0)


def test_the_section_meets_its_schema():
    log = read(CASES).journeys(goal="g")
    model = discover(log)
    explained = explain(log, simplify(count_graph(log.engine, log.canonical), max_activities=4))
    schema = {"$defs": {"estimate": ESTIMATE}, **model_schema()}
    for section in (model_section(model, explained), model_section(model, None), model_section(None, None)):
        jsonschema.validate(section, schema)
    assert model_section(None, None) is None
    section = model_section(model, explained)
    assert section["explained"]["hidden"] == ["x"]
    assert section["coverage"]["estimate"] == 1.0


def test_rows_in_any_order_give_the_same_section():
    sections = []
    for cases in (CASES, CASES[::-1]):
        log = read(cases).journeys(goal="g")
        picture = simplify(count_graph(log.engine, log.canonical), max_activities=4)
        sections.append(model_section(discover(log), explain(log, picture)))
    assert sections[0] == sections[1]
