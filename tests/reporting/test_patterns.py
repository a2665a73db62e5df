"""What is said under the paths: which patterns are told, in words that hold, in both languages and safely escaped."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import jsonschema
import pyarrow as pa
import pytest

from journeymine.analyses.paths import motifs
from journeymine.reading import read_log
from journeymine.reporting.numbers import rounded
from journeymine.reporting.reader import Reader
from journeymine.reporting.render import _common, _environment
from journeymine.reporting.schema import _estimate
from journeymine.reporting.sections.patterns import (
    SHOWN,
    patterns_schema,
    patterns_section,
    variety_schema,
    variety_section,
)
from journeymine.reporting.views.patterns import patterns_view

if TYPE_CHECKING:
    from journeymine.log import EventLog

HOSTILE = "</div><script>alert(1)</script> =cmd() -> \u202e*"


def make(paths: dict[str, int], goal: str | None = "goal") -> EventLog:
    rows = [
        (f"{path}{i}", what)
        for path, n in sorted(paths.items())
        for i in range(n)
        for what in path.split("~")
    ]
    table = pa.table({"case": [r[0] for r in rows], "what": [r[1] for r in rows]})
    log = read_log(table, case_id="case", activity="what", threads=1)
    return log.journeys(goal) if goal else log


def section(log: EventLog) -> dict[str, Any]:
    found = {"variety": variety_section(log.variants()), "patterns": patterns_section(motifs(log))}
    data: dict[str, Any] = rounded(found)
    for key, schema in (("variety", variety_schema()), ("patterns", patterns_schema())):
        jsonschema.validate(data[key], {**schema, "$defs": {"estimate": _estimate()}})
    json.dumps(data, allow_nan=False)
    return data


def page(data: dict[str, Any], lang: str) -> str:
    reader = Reader(data, lang)
    view = patterns_view(reader)
    return str(_environment().get_template("patterns.html").render(**_common(reader), patterns=view))


WORLD = {
    "home~pay~goal": 200, "home~pay": 60, "pay~declined~pay~goal": 20, "pay~declined~pay": 80,
    "home~home~pay~goal": 40, "home~home~pay": 12, "home~help~pay": 40, "home~a~b~c~d~goal": 1,
}  # fmt: skip


def told(data: dict[str, Any]) -> list[tuple[str, ...]]:
    rows = sorted((row for row in data["patterns"] if row["place"]), key=lambda row: row["place"])
    return [tuple(row["activities"]) for row in rows]


def test_the_loop_that_goes_with_lost_journeys_comes_first() -> None:
    data = section(make(WORLD))
    assert told(data)[0] == ("pay", "declined", "pay")
    assert ("home", "home") in told(data)
    assert ("home", "help", "pay") in told(data)
    assert len(told(data)) <= SHOWN
    row = next(r for r in data["patterns"] if r["activities"] == ["pay", "declined", "pay"])
    assert (row["kind"], row["n_journeys"], row["is_sure"]) == ("loop", 100, True)
    assert row["conversion"]["estimate"] == 0.2
    assert row["conversion_other"]["estimate"] == pytest.approx(240 / 352)
    repeat = next(r for r in data["patterns"] if r["activities"] == ["home", "home"])
    assert not repeat["is_sure"]
    view = patterns_view(Reader(data, "en"))
    assert str(view["heading"]) == (
        "20% of journeys with pay → declined → pay reach the goal, against 68% of the others that reach “pay”"
    )
    assert [row["tone"] for row in view["rows"]][:2] == ["worse", "noise"]


def test_no_two_patterns_share_a_step_from_one_activity_to_another() -> None:
    pairs = [pair for path in told(section(make(WORLD))) for pair in pairwise(path)]
    assert len(pairs) == len(set(pairs))


def test_a_handful_of_journeys_proves_nothing() -> None:
    data = section(make({"home~pay~goal": 2000, "home~pay~pay": 1, "home~pay~pay~goal": 34}))
    assert [row["is_sure"] for row in data["patterns"] if row["kind"] == "repeat"] == [False]


def test_concentration_in_words() -> None:
    many = {f"a{i}~b": 40 - i for i in range(12)} | {"x": 1, "y": 1}
    said = [str(s) for s in patterns_view(Reader(section(make(many, None)), "en"))["variety"]]
    assert (
        said[0] == "The 10 commonest paths cover 85% of journeys; 2 of 14 distinct paths are taken only once."
    )
    assert said[1:] == [
        "It takes 6 paths to cover half of all journeys.",
        "99.5% of journeys take a path that other customers take too.",
    ]
    few = patterns_view(Reader(section(make({"a~b": 3, "c": 1}, None)), "en"))["variety"]
    assert str(few[0]) == "There are 2 distinct paths in all; taken only once: 1."
    one = patterns_view(Reader(section(make({"a~b": 3}, None)), "en"))["variety"]
    assert str(one[0]) == "All journeys take the same path."
    alone = patterns_view(Reader(section(make({"a": 1, "b": 1}, None)), "en"))["variety"]
    assert str(alone[-1]) == "No path is taken by two customers."


def test_without_a_goal_only_how_often() -> None:
    data = section(make(WORLD, None))
    view = patterns_view(Reader(data, "fr"))
    assert not view["has_ends"]
    assert view["rows"][0]["conversion"] is None
    assert str(view["heading"]).startswith("22")
    assert "passent par" in str(view["heading"])
    assert page(data, "fr").count('role="row"') == len(view["rows"]) + 1


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_page_is_escaped_and_every_number_has_its_address(lang: str) -> None:
    data = section(make({f"{HOSTILE}~{HOSTILE}~goal": 40, f"{HOSTILE}~goal": 40, "x": 60}))
    html = page(data, lang)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert 'data-ref="variety.n_once"' in html or 'data-ref="variety.n_variants"' in html
    assert 'data-ref="patterns[0].difference.estimate"' in html
    assert "style=" not in html


def test_nothing_to_tell() -> None:
    data = section(make({"goal": 5}))
    assert data["patterns"] == []
    assert patterns_view(Reader(data, "en"))["rows"] == []
    assert "pa-t" not in page(data, "en")
    assert patterns_view(Reader({}, "en"))["variety"] == []
