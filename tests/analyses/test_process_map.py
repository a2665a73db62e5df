"""The map of a log: its numbers by plain loops, its limits, its memory of the last run."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import replace
from functools import cache
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from journeymine.analyses.process_map import build_map, shown_graph
from journeymine.datasets import demo_log_path
from journeymine.errors import OptionError, OutputError
from journeymine.reading import read_log
from journeymine.spec import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from journeymine.log import EventLog
    from journeymine.paths.process_map import ProcessMap

HOSTILE = [
    "</script><img src=x>",
    "->",
    "*",
    "NA",
    "=cmd()",
    "a>b@1",
    "x" * 300,
    "two\nlines",
    "支払い",
    "تسجيل",
]


def frame(seed: int, names: list[str], n_cases: int = 60, longest: int = 9) -> pd.DataFrame:
    rng = random.Random(seed)
    rows = []
    for case in range(n_cases):
        time = pd.Timestamp("2026-01-01", tz="UTC") + pd.Timedelta(hours=rng.randrange(400))
        for _ in range(rng.randint(1, longest)):
            rows.append({"case": f"c{case}", "who": f"w{case // 3}", "what": rng.choice(names), "when": time})
            time += pd.Timedelta(minutes=rng.randint(1, 500))
    return pd.DataFrame(rows)


def log_of(data: pd.DataFrame) -> EventLog:
    return read_log(data, case_id="case", customer_id="who", activity="what", timestamp="when")


def paths_of(data: pd.DataFrame) -> dict[str, list[tuple[str, pd.Timestamp]]]:
    cases: dict[str, list[tuple[str, pd.Timestamp]]] = defaultdict(list)
    for row in data.itertuples():
        cases[row.case].append((row.what, row.when))
    return cases


def named(found: ProcessMap) -> dict[str, int]:
    return {found.name(i): i for i in range(len(found.steps.ids))}


def test_every_number_is_that_of_a_plain_loop() -> None:
    names = list("abcdef")
    data = frame(1, names)
    cases = paths_of(data)
    found = build_map(log_of(data))
    events = Counter(what for case in cases.values() for what, _ in case)
    moves = Counter((a[0], b[0]) for case in cases.values() for a, b in pairwise(case))
    waits: dict[tuple[str, str], list[float]] = defaultdict(list)
    for case in cases.values():
        for a, b in pairwise(case):
            waits[a[0], b[0]].append((b[1] - a[1]).total_seconds())
    ends = Counter(case[-1][0] for case in cases.values())
    place = named(found)
    for name in names:
        i = place[name]
        n_with = sum(any(what == name for what, _ in case) for case in cases.values())
        assert found.n[i] == events[name]
        assert found.n_cases[i] == n_with
        assert found.reach.estimate[i] == pytest.approx(n_with / len(cases))
        assert found.leave.estimate[i] == pytest.approx(ends[name] / events[name])
        assert found.repeat.estimate[i] == pytest.approx(moves[name, name] / events[name])
        assert found.reach.lower[i] <= found.reach.estimate[i] <= found.reach.upper[i]
    between = {pair: n for pair, n in moves.items() if pair[0] != pair[1]}
    assert found.n_paths == len(between)
    for e, (a, b) in enumerate(zip(found.source, found.target, strict=True)):
        pair = (found.name(a), found.name(b))
        assert found.path_n[e] == between[pair]
        assert found.share.estimate[e] == pytest.approx(between[pair] / events[pair[0]])
        assert found.wait_s is not None
        assert found.wait_s.estimate[e] == pytest.approx(median(waits[pair]))
    shown = {(found.name(a), found.name(b)) for a, b in zip(found.source, found.target, strict=True)}
    kept = [(found.name(found.source[e]), found.name(found.target[e])) for e in range(found.n_shown)]
    carried = sum(moves[pair] for pair in kept) + sum(moves[name, name] for name in names)
    assert shown == set(between)
    assert float(found.share_moves.estimate) == pytest.approx(carried / moves.total())
    for i, id_ in enumerate(found.stages.ids):
        own = {found.activities[c] for c in range(6) if found.stages.of[c] == i}
        n_with = sum(any(what in own for what, _ in case) for case in cases.values())
        assert found.stage_reach.estimate[i] == pytest.approx(n_with / len(cases)), id_


def test_with_a_goal_leaving_is_drop_out_before_it() -> None:
    data = pd.DataFrame(
        [
            {
                "case": case,
                "who": case,
                "what": what,
                "when": pd.Timestamp("2026-01-01") + pd.Timedelta(days=i),
            }
            for case, way in {"1": "abG", "2": "ab", "3": "aGb", "4": "a"}.items()
            for i, what in enumerate(way)
        ]
        + [{"case": "9", "who": "9", "what": "a", "when": pd.Timestamp("2027-01-01")}]
    )
    found = build_map(log_of(data).journeys(goal="G", idle="30d"))
    place = named(found)
    # Case 9 is open: its visit is not watched. The b after the goal is no visit before it.
    assert found.leave.estimate[place["a"]] == pytest.approx(1 / 4)
    assert found.leave.estimate[place["b"]] == pytest.approx(1 / 2)
    assert found.leave.at(place["G"]) is None
    assert found.goal == (place["G"],)
    assert "of visits dropped" in repr(found)


def test_conversion_comes_with_the_chain() -> None:
    log = demo()
    chain = log.fit_markov(n_draws=200)
    found = build_map(log, chain=chain, transitions=log.transitions())
    hit = dict(zip(chain.states, chain.hit.estimate, strict=True))
    for name, i in named(found).items():
        at = found.conversion.at(i)
        assert (at is None) == (name not in hit)
        assert at is None or at["estimate"] == hit[name]


@cache
def demo() -> EventLog:
    log = read_log(
        demo_log_path(),
        case_id="journey_id",
        customer_id="customer_id",
        activity="activity",
        timestamp="timestamp",
    )
    return log.journeys(goal="Order placed", idle="21d")


def test_more_than_forty_steps_are_folded_and_counted_together() -> None:
    names = [f"activity {i:03}" for i in range(200)]
    weights = [name for i, name in enumerate(names) for _ in range(1 + 40 * (i < 30))]
    data = frame(2, weights, n_cases=300)
    found = build_map(log_of(data))
    assert len(found.steps.ids) <= 40
    assert len(found.source) <= 150
    assert found.n_folded > 90
    assert all(len(found.steps.members[i]) == 1 for i in found.main_way)
    step_of = {found.activities[c]: int(found.steps.of[c]) for c in range(len(found.activities))}
    cases = paths_of(data)
    folded = next(i for i, members in enumerate(found.steps.members) if len(members) > 1)
    n_with = sum(any(step_of[what] == folded for what, _ in case) for case in cases.values())
    visits = sum(step_of[what] == folded for case in cases.values() for what, _ in case)
    ends = sum(step_of[case[-1][0]] == folded for case in cases.values())
    assert found.n_cases[folded] == n_with
    assert found.leave.estimate[folded] == pytest.approx(ends / visits)
    moves = Counter((step_of[a[0]], step_of[b[0]]) for case in cases.values() for a, b in pairwise(case))
    for a, b, n in zip(found.source, found.target, found.path_n, strict=True):
        assert n == moves[int(a), int(b)]
    assert len(found.plot().svg("static")) <= 100_000


def test_the_goal_keeps_its_box_however_rare_it_is() -> None:
    data = frame(3, [f"activity {i:03}" for i in range(80)], n_cases=200)
    data.loc[len(data)] = {
        "case": "c0",
        "who": "w0",
        "what": "zz goal",
        "when": pd.Timestamp("2027-01-01", tz="UTC"),
    }
    found = build_map(log_of(data).journeys(goal="zz goal"))
    assert "zz goal" in named(found)


def test_the_rows_of_the_source_may_stand_in_any_order() -> None:
    data = frame(4, list("abcdefgh"))
    stored = build_map(log_of(data)).stored
    for seed in range(2):
        assert build_map(log_of(data.sample(frac=1, random_state=seed))).stored == stored


def test_a_map_starts_from_the_last_one() -> None:
    log = demo()
    first = build_map(log)
    assert build_map(log, first.stored).layout.rows == first.layout.rows
    later = (
        log.between("2026-01-01", "2100-01-01")
        .where("hash(journey_id) % 20 <> 0")
        .journeys(goal="Order placed", idle="21d")
    )
    again = build_map(later, first)
    assert again.layout.rows == first.layout.rows
    shifts = [abs(again.layout.x[id_] - first.layout.x[id_]) for id_ in first.layout.x]
    assert sum(shifts) / len(shifts) <= 20
    assert again.stages.of.tolist() == first.stages.of.tolist()


@pytest.mark.parametrize("previous", [{}, {"x": {}}, 3, "layout"])
def test_what_is_no_layout_is_refused(previous: Any) -> None:
    with pytest.raises(OptionError, match="no layout of a map"):
        build_map(log_of(frame(5, list("ab"))), previous)


def test_stages_of_the_configuration_are_taken_and_forget_a_layout_of_others() -> None:
    log = log_of(frame(6, list("abcd")))
    first = build_map(log)
    staged = replace(
        log,
        stages=(
            Stage(id="late", name="Late", activities=("c", "d")),
            Stage(id="x", name="X", activities=("b",)),
        ),
    )
    found = build_map(staged, first)
    assert found.stages.ids == ("late", "x", "(rest)")
    assert not found.stages.derived
    place = named(found)
    assert found.layout.rows[found.steps.ids[place["c"]]] < found.layout.rows[found.steps.ids[place["b"]]]


def test_hostile_names(tmp_path: Path) -> None:
    found = build_map(log_of(frame(7, HOSTILE)))
    path = found.save(tmp_path / "map.svg")
    text = path.read_text(encoding="utf-8")
    assert "<img" not in text
    assert text.startswith("<svg xmlns=")
    with pytest.raises(OptionError, match=r"only \.svg"):
        found.save(tmp_path / "map.png")
    with pytest.raises(OutputError):
        found.save(tmp_path / "no" / "map.svg")
    assert "<img" not in found._repr_html_()
    assert "<script" not in found._repr_html_()


def test_it_shows_itself(tmp_path: Path) -> None:
    found = build_map(demo())
    assert len(found._repr_html_()) <= 150_000
    assert len(found._repr_svg_()) <= 60_000
    lines = repr(found).splitlines()
    assert len(lines) <= 12
    assert lines[-1] == 'Next: .save("map.svg")'
    assert lines[1] == (
        "  main way: Product page > Basket > Account sign-in > Delivery choice > Payment > Order placed"
    )
    columns = ["source", "target", "n", "estimate", "lower", "upper", "shown"]
    assert list(found.to_frame().columns) == columns
    assert int(found.to_frame()["shown"].sum()) == found.n_shown
    moves = found.shown_moves()
    assert len(moves) == found.n_shown + 28
    assert all(0 <= a < 28 and 0 <= b < 28 for a, b in moves)


def test_one_step_and_no_path() -> None:
    data = pd.DataFrame(
        {"case": ["1", "2"], "what": ["a", "a"], "when": pd.to_datetime(["2026-01-01", "2026-01-02"])}
    )
    found = build_map(read_log(data, case_id="case", activity="what", timestamp="when"))
    assert found.n_paths == 0
    assert found.main_way == (0,)
    assert found.share_moves.at() is None
    assert found.to_frame().empty
    assert "Journeys begin" in found._repr_html_() or "way: a" in found._repr_html_()
    assert found.leave.estimate.tolist() == [1.0]


def test_a_log_without_times() -> None:
    data = pd.DataFrame({"case": list("1112"), "what": list("abca"), "at": [1, 2, 3, 1]})
    found = build_map(read_log(data, case_id="case", activity="what", order="at"))
    assert found.wait_s is None
    assert found.n_paths == 2


@pytest.mark.reference
def test_sepsis_is_no_hairball(reference_data: Path) -> None:
    log = read_log(str(reference_data / "sepsis/Sepsis_Cases-Event_Log.xes.gz")).journeys(goal="Release A")
    found = build_map(log)
    assert (len(found.steps.ids), found.n_shown, found.n_paths) == (16, 30, 110)
    assert float(found.share_moves.estimate) > 0.8
    assert found.plot().width < 1300


@pytest.mark.reference
def test_journeys_without_times_and_with_many_activities(reference_data: Path) -> None:
    path = str(reference_data / "greps_journeys/greps_journeys.csv")
    log = read_log(path, case_id="journey", activity="output_event", order="step").journeys(goal="positive")
    found = build_map(log)
    assert len(found.steps.ids) == 65  # nearly one chain: nothing is folded
    assert {"positive", "negative"} <= set(named(found))


def test_what_is_shown_is_the_graph_that_is_explained() -> None:
    from journeymine.analyses.model import explain

    log = demo()
    found = build_map(log)
    simple = shown_graph(log, found)
    moves = list(zip(simple.source.tolist(), simple.target.tolist(), strict=True))
    assert set(moves) == {move for move in found.shown_moves() if simple.graph.follows[move]}
    explained = explain(log, simple)
    assert explained.moves is not None
    assert explained.moves["estimate"] == pytest.approx(float(found.share_moves.estimate))
    assert explained.events is not None
    assert explained.events["estimate"] == 1
    assert explained.journeys is not None
    assert 0.8 < float(explained.journeys["estimate"]) < 1
