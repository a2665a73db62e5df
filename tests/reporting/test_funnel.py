"""The funnel in the report: numbers that fit their schema, sentences that are true, a page in both languages."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pyarrow as pa
import pytest

from journeymine.analyses.default_funnel import report_funnel
from journeymine.draw.text import clean
from journeymine.reading import read_log
from journeymine.reporting import render
from journeymine.reporting.numbers import rounded
from journeymine.reporting.reader import Reader, resolve
from journeymine.reporting.schema_parts import COUNT, NUMBER, object_of
from journeymine.reporting.sections.funnel import funnel_schema, funnel_section
from journeymine.reporting.views.funnel import funnel_view

HOUR = 3_600_000_000
START = 1_767_225_600_000_000
EVIL = '<img src=x onerror="x">'


def section(
    paths: list[str], *, timed: bool = True, goal: str | None = "G", **options: Any
) -> dict[str, Any]:
    """Journeys as "a0 b3": activities with their hours."""
    rows = [
        (f"{i:04}", e[0], START + int(e[1:]) * HOUR) for i, path in enumerate(paths) for e in path.split()
    ]
    names = {"e": EVIL}
    table = pa.table(
        {
            "case": [r[0] for r in rows],
            "what": [names.get(r[1], r[1]) for r in rows],
            "at": [r[2] for r in rows],
        }
    )
    times = {"timestamp": "at", "time_unit": "us"} if timed else {}
    log = read_log(table, case_id="case", activity="what", threads=1, **times)
    return rounded({"funnel": funnel_section(report_funnel(log.journeys(goal, idle="10h"), **options))})


CLEAR = ["a0 b1 G2"] * 40 + ["a0"] * 50 + ["a0 b1"] * 5 + ["z300"]
EQUAL = ["a0 b1 G2"] * 40 + ["a0"] * 30 + ["a0 b1"] * 28 + ["z300"]
OPEN = ["a0 b1 G2"] * 40 + ["a0"] * 5 + ["a300"] * 30 + ["b300"]


def page(data: dict[str, Any], lang: str) -> str:
    reader = Reader(data, lang)
    template = render._environment().get_template("funnel.html")
    return template.render(**render._common(reader), funnel=funnel_view(reader))


WORLDS = {
    "clear": section(CLEAR),
    "equal": section(EQUAL),
    "open": section(OPEN),
    "none": section(CLEAR, goal=None),
    "untimed": section(CLEAR, timed=False),
    "window": section(CLEAR, steps=["a", "b", "G"], within="2h"),
    "any order": section(CLEAR, steps=["b", "a"], closed=False, within="2h"),
    "any order, no window": section(CLEAR, steps=["b", "a"], closed=False),
    "one": section(CLEAR, steps=["a"]),
    "nobody lost": section(["a0 G1"] * 3 + ["z300"]),
    "skipped": section(["a0 b1 G2"] * 9 + ["a0 G1"] * 3 + ["a0", "z300"], steps=["a", "b", "G"]),
    "evil": section(["e0 b1 G2"] * 9 + ["e0"] * 20 + ["z300"]),
}


@pytest.mark.parametrize("name", WORLDS)
def test_the_section_fits_its_schema(name: str) -> None:
    schema = {
        **object_of(funnel=funnel_schema()),
        "$defs": {"estimate": object_of(estimate=NUMBER, lower=NUMBER, upper=NUMBER, n=COUNT)},
    }
    jsonschema.validate(WORLDS[name], schema)
    funnel = WORLDS[name]["funnel"]
    if funnel is not None and funnel["closed"]:
        steps = funnel["steps"]
        for here, after in zip(steps, [*steps[1:], None], strict=True):
            onward = after["n"] if after else here["n"]
            assert here["n"] == onward + here["n_skipped"] + here["n_lost"] + here["n_open"]


def headline(name: str, lang: str = "en") -> str:
    return funnel_view(Reader(WORLDS[name], lang))["heading"].text


def test_headings_say_what_was_found() -> None:
    assert headline("clear") == "The largest loss is between “a” and “b”: 53% do not go on"
    assert headline("equal") == "Most journeys are lost after “a” (31% do not go on) or “b” (41%)"
    assert headline("one") == "99% of journeys reach “a”"
    assert headline("any order").endswith("% of journeys reach “a”")
    assert headline("nobody lost") == "No journey is known to be lost on the way to “G”"
    assert headline("none") == "There is no funnel without a goal"
    assert headline("clear", "fr").startswith("La plus grande perte est entre «")


def test_open_journeys_are_not_lost() -> None:
    funnel = WORLDS["open"]["funnel"]
    assert funnel["steps"][0]["n_open"] == 30
    assert funnel["steps"][0]["n_lost"] == 5
    # Of the 45 that were watched at all 5 are lost; a plain share would say that 47 % do not go on.
    assert funnel["steps"][0]["loss"]["estimate"] == pytest.approx(5 / 45)


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("name", WORLDS)
def test_every_number_of_the_page_is_in_the_report(name: str, lang: str) -> None:
    html = page(WORLDS[name], lang)
    assert html.count("<h2") == 1
    for ref in set(re.findall(r'data-ref="([^"]+)"', html)):
        assert resolve(WORLDS[name], ref) is not None
    assert "None" not in html
    assert "{" not in html
    assert "<img" not in html


def test_what_is_said_depends_on_what_is_there() -> None:
    text = {
        name: re.sub(r"<[^>]+>", "", page(data, "en")).replace("\xa0", " ") for name, data in WORLDS.items()
    }
    assert "in time" in text["window"]
    assert "within 2 hours of the first" in text["window"]
    assert "first 2 hours of the journey" in text["any order"]
    assert "another way" in text["skipped"]
    assert "another way" not in text["clear"]
    assert "still open" in text["open"]
    assert "Median time" not in text["untimed"]
    assert "at least half" in text["clear"]
    assert "at least half" not in text["window"]
    assert clean(EVIL) not in page(WORLDS["evil"], "en")
