"""Journeys that match: engine against the definition, conversions by plain loops, the log of the matching journeys."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from tests.paths.path_worlds import with_journeys, without_goal, worlds
from tests.paths.test_patterns import SPECS, matches, written

from journeymine.analyses.patterns import match, matching
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.reading import read_log
from journeymine.reporting.build import report

if TYPE_CHECKING:
    from tests.paths.path_worlds import World
    from tests.paths.test_patterns import Spec

    from journeymine.log import EventLog

HOUR, START = 3_600_000_000, 1_767_225_600_000_000
LETTERS = ("a", "b", "c d")


def named(spec: Spec) -> set[str]:
    if spec[0] in ("name", "not"):
        return set(spec[1:])
    return {name for part in spec[1:] if isinstance(part, tuple) for name in named(part)}


@pytest.fixture(scope="module")
def all_paths() -> EventLog:
    """Every path of up to three of three activities, long ago and just now."""
    paths = [path for n in (1, 2, 3) for path in product(LETTERS, repeat=n)]
    rows = [
        (f"{late}{i}", name, START + (place + late * 1000) * HOUR)
        for late in (0, 1)
        for i, path in enumerate(paths)
        for place, name in enumerate(path)
    ]
    table = {name: [row[i] for row in rows] for i, name in enumerate(("case", "what", "at"))}
    log = read_log(
        pa.table(table), case_id="case", activity="what", timestamp="at", time_unit="us", threads=1
    )
    return log.journeys("b", idle="5d")


@given(SPECS.filter(lambda spec: named(spec) <= set(LETTERS)))
@settings(max_examples=60, deadline=None)
def test_the_engine_matches_what_the_definition_says(all_paths: EventLog, spec: Spec) -> None:
    found = match(all_paths, written(spec)).to_frame()
    events = all_paths.to_frame()
    expected = set()
    for case, part in events.groupby("case_id"):
        path = part["activity"].tolist()
        state = "converted" if "b" in path else "dropped" if str(case)[0] == "0" else "open"
        if matches(spec, path, state):
            expected.add((case, state))
    assert set(zip(found["case_id"], found["state"], strict=True)) == expected


@given(worlds())
@settings(max_examples=15, deadline=None)
def test_numbers_by_plain_loops(world: World) -> None:
    log, journeys = with_journeys(world)
    name = world[0][2]
    spec: Spec = ("path", ("name", name), ("any",))
    found = match(log, written(spec))
    having = [j for j in journeys if matches(spec, j.steps, None)]
    assert (found.n, found.n_journeys) == (len(having), len(journeys))
    assert float(found.share.estimate) == pytest.approx(len(having) / len(journeys))
    assert found.to_frame()["case_id"].tolist() == [j.case for j in having]
    assert found.to_frame()["customer_id"].tolist() == [j.customer for j in having]
    customers = found.customers()
    assert customers["customer_id"].tolist() == sorted({j.customer for j in having})
    assert customers["n_journeys"].sum() == len(having)
    goal = log.activities[log.found.goal[0]]  # type: ignore[union-attr]
    if name == goal:
        assert found.conversion.at() is None
        return
    early = [j for j in journeys if matches(spec, j.before if j.state == "converted" else j.steps, None)]
    for part, group in (
        (found.conversion, early),
        (found.conversion_other, [j for j in journeys if j not in early]),
    ):
        known = [j for j in group if j.outcome]
        assert part.n == len(known)
        won = sum(j.outcome == "converted" for j in known)
        assert part.at() is None or float(part.estimate) == pytest.approx(won / len(known))


def test_what_says_the_end_has_no_conversion(all_paths: EventLog) -> None:
    for pattern in ("a -> converted", "a => b", "start -> not b* -> end"):
        assert match(all_paths, pattern).conversion.at() is None
    found = match(all_paths, "a -> exit")
    assert found.conversion.at() is not None
    assert found.to_dict()["difference"] == found.difference.at()
    assert repr(found).splitlines()[-1].startswith("Next:")


def test_journeys_begin_at_their_start_and_those_that_never_start_are_not_asked() -> None:
    rows = [("1", w) for w in "xab"] + [("2", w) for w in "ab"] + [("3", w) for w in "xb"]
    table = pa.table({"case": [r[0] for r in rows], "what": [r[1] for r in rows]})
    log = read_log(table, case_id="case", activity="what", threads=1)
    found = match(log.journeys("b", start="a"), "start -> a -> b")
    assert (found.n, found.n_journeys) == (2, 2)
    assert match(log, "start -> a").to_frame()["case_id"].tolist() == ["2"]
    assert match(log, "start -> a").to_frame()["state"].tolist() == [None]


# --- the log of the matching journeys


@given(worlds())
@settings(max_examples=12, deadline=None)
def test_the_matching_log_holds_the_matching_journeys_as_they_were(world: World) -> None:
    log, journeys = with_journeys(world)
    pattern = written(("name", world[0][2]))
    chosen = matching(log, pattern)
    kept = [j for j in journeys if world[0][2] in j.steps]
    assert chosen.n_cases == len(kept)
    events = log.to_frame()
    expected = events[events["case_id"].isin([j.case for j in kept])].reset_index(drop=True)
    assert chosen.to_frame().equals(expected)
    assert chosen.end_states is not None
    assert chosen.end_states.n == tuple(
        sum(j.state == state for j in kept) for state in ("converted", "dropped", "open")
    )
    ledger = chosen.ledger
    assert ledger.rows_read == len(world) == ledger.rows_kept + sum(e.n for e in ledger.rejected)
    rules = {entry.rule: entry.n for entry in ledger.rejected}
    assert rules.get("not_matching", 0) == len(world) - len(expected)
    # Whatever is asked next starts from these journeys.
    assert chosen.where("TRUE").n_events == len(expected)
    assert chosen.journeys(log.activities[log.found.goal[0]]).n_cases == len(kept)  # type: ignore[union-attr]


def test_matching_twice_and_before_journeys() -> None:
    paths = ("ab", "ac", "bc", "abc")
    world = [(f"c{i}", f"k{i}", name, h) for i, path in enumerate(paths) for h, name in enumerate(path)]
    log, _ = without_goal(world)
    twice = matching(matching(log, "start -> a"), "c")
    assert sorted(set(twice.to_frame()["case_id"])) == ["c1", "c3"]
    entries = [(e.rule, e.n, e.examples) for e in twice.ledger.rejected]
    assert entries == [("not_matching", 4, ("c0", "c2"))]
    assert twice.found is None
    assert (log.n_cases, log.ledger.rejected) == (4, ())


def test_customers_cut_into_journeys_keep_their_journeys_and_ids() -> None:
    hours = [
        ("k1", "a", 0),
        ("k1", "b", 1),
        ("k1", "a", 100),
        ("k1", "c", 101),
        ("k2", "c", 0),
        ("k3", "a", 150),
    ]
    who, what, when = zip(*hours, strict=True)
    table = pa.table({"who": who, "what": what, "at": [START + hour * HOUR for hour in when]})
    log = read_log(table, customer_id="who", activity="what", timestamp="at", time_unit="us", threads=1)
    cut = log.journeys("b", idle="2d")
    found = match(cut, "start -> a -> c | start -> c")
    assert found.to_frame()["case_id"].tolist() == ["k1 #2", "k2 #1"]
    chosen = found.log
    assert chosen.to_frame()["case_id"].tolist() == ["k1 #2", "k1 #2", "k2 #1"]
    assert chosen.to_frame()["position"].tolist() == [1, 2, 1]
    assert (chosen.n_customers, chosen.canonical.last_us) == (2, cut.canonical.last_us)
    assert chosen.end_states is not None
    assert chosen.end_states.n == (0, 2, 0)
    assert chosen.journeys("c", idle="2d").n_cases == 2


def test_a_report_of_the_matching_journeys(all_paths: EventLog) -> None:
    data = report(matching(all_paths, "start -> a")).data
    assert data["log"]["n_cases"] == 26
    assert [e["rule"] for e in data["ledger"]["rejected"]] == ["not_matching"]


def test_nothing_matches(all_paths: EventLog) -> None:
    found = match(all_paths, "start -> end")
    assert (found.n, len(found.to_frame()), len(found.customers())) == (0, 0, 0)
    with pytest.raises(NotEnoughDataError, match="no journey matches"):
        found.log  # noqa: B018


@pytest.mark.parametrize("pattern", ["a -> z", "a ->", 'a -> "', "a -> not support* -> exit"])
def test_wrong_patterns(all_paths: EventLog, pattern: Any) -> None:
    with pytest.raises(OptionError):
        match(all_paths, pattern)


def test_more_activities_than_a_byte_or_a_word_of_text_holds() -> None:
    """Codes whose characters are combining marks, and codes behind the gap of the characters."""
    n = 56_000
    names = [f"n{i:05}" for i in range(n)]
    table = pa.table({"case": ["x"] * n + ["y"] * 2, "what": [*names, names[-1], names[600]]})
    log = read_log(table, case_id="case", activity="what", threads=1).journeys("n00700")
    assert match(log, f"{names[511]} -> {names[512]} -> {names[513]}").n == 1
    assert match(log, f"start -> {names[-1]} -> {names[600]} -> end").to_frame()["case_id"].tolist() == ["y"]
    early = match(log, f"{names[599]} -> {names[600]}")
    late = match(log, f"{names[800]} -> {names[801]}")
    assert (early.conversion.n, late.conversion.n) == (1, 0)
