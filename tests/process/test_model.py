"""`ProcessModel` on counts made by hand: numbers, intervals, limits said aloud, and every form."""

import json
from functools import partial

import numpy as np
import pytest

from journeymine.counts.variants import VariantCounts
from journeymine.errors import OptionError
from journeymine.process import pm4py_bridge as bridge
from journeymine.process.model import ProcessModel
from journeymine.process.tree import parse_tree


def counted(words, n, *, n_cases=None, n_variants=None):
    """Variants of which every case is a customer."""
    activities = tuple(sorted({name for word in words for name in word}))
    n = np.array(n)
    place = np.repeat(np.arange(len(words)), n)
    total = int(n.sum()) if n_cases is None else n_cases
    return VariantCounts(
        activities=activities,
        paths=tuple(tuple(activities.index(name) for name in word) for word in words),
        n=n,
        n_by_state=None,
        n_variants=n_variants or len(words),
        n_cases=total,
        unit=np.arange(len(place)),
        unit_place=place,
        unit_n=np.ones(len(place), np.int64),
        unit_cases=np.ones(total, np.int64),
        n_units=total,
    )


def model_of(text, words, n, **more):
    return ProcessModel("inductive", 0.0, parse_tree(text), None, partial(counted, words, n, **more))


def test_numbers_by_hand():
    model = model_of("->( 'a', 'b' )", ["ab", "a", "abx"], [90, 6, 4])
    assert model.coverage == 0.9
    # "a" misses one, "abx" has one too many; the shortest run has two activities.
    assert model.fitness == pytest.approx(1 - (6 + 4) / (90 * 4 + 6 * 3 + 4 * 5))
    assert model.precision == 1.0
    assert model.share_aligned == 1.0
    assert model.note == ""
    found = model.coverage_interval
    assert found["lower"] < 0.9 < found["upper"]
    assert found["n"] == 100


def test_customers_with_many_cases_widen_the_interval():
    single = model_of("'a'", ["a", "b"], [50, 50])
    counts = counted(["a", "b"], [50, 50])
    both = VariantCounts(
        **{f: getattr(counts, f) for f in ("activities", "paths", "n", "n_by_state", "n_variants", "n_cases")},
        unit=np.array([0, 1, 2, 3]), unit_place=np.array([0, 0, 1, 1]), unit_n=np.array([25, 25, 25, 25]),
        unit_cases=np.array([25, 25, 25, 25]), n_units=4,
    )  # fmt: skip
    clustered = ProcessModel("inductive", 0.0, parse_tree("'a'"), None, lambda: both)
    width = [m.coverage_interval["upper"] - m.coverage_interval["lower"] for m in (single, clustered)]
    assert width[1] > 2 * width[0]
    width = [m.fitness_interval["upper"] - m.fitness_interval["lower"] for m in (single, clustered)]
    assert width[1] > width[0]


def test_what_was_not_measured_is_said():
    model = model_of("->( 'a', 'b' )", ["ab"], [90], n_cases=100, n_variants=11)
    assert model.share_aligned == 0.9
    assert "1 of 11 variants" in model.note
    assert "90.0% of the journeys" in model.note
    assert model.coverage_interval["n"] == 90


def test_journeys_too_long_to_align_are_left_out_and_counted():
    model = model_of("*( 'a', tau )", ["a", "a" * 2200, "ab"], [6, 3, 1])
    assert model.n_variants_aligned == 2
    assert model.share_aligned == 0.7
    assert model.fitness == pytest.approx(1 - 1 / (6 * 2 + 3))
    # Replay has no such limit.
    assert model.coverage == 0.9


def test_every_form(tmp_path):
    model = model_of("->( 'a', X( tau, 'b' ) )", ["ab", "a"], [5, 5])
    pm4py = bridge.load_pm4py()
    assert str(model.to_pm4py()) == model.tree == "->( 'a', X( tau, 'b' ) )"
    net, initial, final = model.petri_net()
    assert {t.label for t in net.transitions} == {"a", "b", None}
    assert len(initial) == len(final) == 1
    assert {node.get_name() for node in model.bpmn().get_nodes()} >= {"a", "b"}
    assert str(pm4py.read_ptml(str(model.save(tmp_path / "m.ptml")))) == model.tree
    assert json.loads(json.dumps(model.to_dict()))["precision"] == 1.0
    assert model.to_frame()["measure"].tolist() == ["fitness", "precision", "coverage"]
    assert repr(model).splitlines()[-1].startswith("Next: ")
    assert len(repr(model).splitlines()) <= 12


def test_a_tree_shows_itself_and_a_net_says_why_not():
    model = model_of("->( 'a', X( tau, '<b>' ), *( 'c', 'd' ), +( 'e', 'f' ) )", ["a"], [1])
    picture = model._repr_svg_()
    assert picture.startswith("<svg")
    assert "&lt;b&gt;" in picture
    assert picture == model_of(model.tree, ["a"], [1])._repr_svg_()
    assert len([row for row in model.plot().rows if row["kind"] == "task"]) == 6
    net = ProcessModel(
        "heuristics", 0.0, None, bridge.tree_net(parse_tree("'a'")), partial(counted, ["a"], [1])
    )
    assert net._repr_svg_() is None
    with pytest.raises(OptionError, match="no blocks"):
        net.plot()


def test_a_net_is_measured_too():
    net = bridge.tree_net(parse_tree("->( 'a', 'b' )"))
    model = ProcessModel("heuristics", 0.0, None, net, partial(counted, ["ab", "a", "abx"], [90, 6, 4]))
    assert model.tree is None
    assert model.coverage == 0.9
    assert model.fitness == pytest.approx(1 - 10 / 398)
    assert model.to_pm4py() == net.parts
    assert model.precision == 1.0
    assert "places" in repr(model)


def test_without_alignments_there_is_a_word_and_no_number(monkeypatch):
    monkeypatch.setattr(bridge, "alignment_costs", lambda *_: (None, 0, "no time"))
    net = bridge.tree_net(parse_tree("'a'"))
    model = ProcessModel("heuristics", 0.0, None, net, partial(counted, ["a"], [3]))
    assert np.isnan(model.fitness)
    assert np.isnan(model.coverage)
    assert model.fitness_interval is None
    assert model.note == "fitness and coverage are not known: no time"
    assert model.to_dict()["fitness"] is None


def test_a_log_too_large_for_replay_has_no_precision_and_says_so(monkeypatch):
    monkeypatch.setattr(bridge, "MOST_REPLAYED_EVENTS", 2)
    model = ProcessModel("inductive_variants", 0.0, parse_tree("'a'"), None, partial(counted, ["a"], [3]))
    assert np.isnan(model.precision)
    assert "too large" in model.note
    assert model.fitness == 1.0
