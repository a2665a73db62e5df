"""Occupation curves in the report: numbers that fit their schema, sentences that are true, both languages."""

from __future__ import annotations

import random
import re
from typing import Any

import jsonschema
import pyarrow as pa
import pytest

from journeymine.analyses.occupation import report_occupation
from journeymine.reading import read_log
from journeymine.reporting import render
from journeymine.reporting.numbers import rounded
from journeymine.reporting.reader import Reader, resolve
from journeymine.reporting.schema_parts import COUNT, NUMBER, object_of
from journeymine.reporting.sections.occupation import occupation_schema, occupation_section
from journeymine.reporting.views.occupation import occupation_view

START = 1_767_225_600_000_000
MINUTE = 60_000_000
EVIL = '<img src=x onerror="x">'


def section(
    seed: int,
    *,
    goal: str | None = "G",
    timed: bool = True,
    spread: int = 3000,
    names: int = 3,
    **options: Any,
) -> dict[str, Any]:
    """Three hundred journeys that begin at random minutes and may leave off, come back or get to the goal."""
    rng = random.Random(seed)
    rows = []
    for case in range(300):
        now = rng.randrange(spread)
        for step in range(8):
            what = EVIL if step == 1 else f"step {rng.randrange(names)}"
            rows.append((f"{case}", "G" if rng.random() < 0.12 else what, START + now * MINUTE))
            if rng.random() < 0.2:
                break
            now += rng.choice((1, 3, 10, 30, 100))
    rows.append(("last", "step 0", START + (spread + 900) * MINUTE))
    table = pa.table({"case": [r[0] for r in rows], "what": [r[1] for r in rows], "at": [r[2] for r in rows]})
    times = {"timestamp": "at", "time_unit": "us"} if timed else {}
    log = read_log(table, case_id="case", activity="what", threads=1, **times).journeys(
        goal, idle="2h", **options
    )
    idle = log.found.idle.us if log.found else None
    part = occupation_section(report_occupation(log, n_draws=30))
    return rounded(
        {"occupation": part, "log": {"idle": {"seconds": idle / 1e6} if idle else None, "end": list(options)}}
    )


WORLDS = {
    "plain": section(1),
    "no goal": section(2, goal=None),
    "untimed": section(3, timed=False),
    "many states": section(4, names=40),
    "ended": section(5, end="step 2"),
    "at once": section(6, spread=1),
}


@pytest.mark.parametrize("name", WORLDS)
def test_the_section_fits_its_schema(name: str) -> None:
    schema = {
        **object_of(occupation=occupation_schema()),
        "$defs": {"estimate": object_of(estimate=NUMBER, lower=NUMBER, upper=NUMBER, n=COUNT)},
    }
    jsonschema.validate({"occupation": WORLDS[name]["occupation"]}, schema)
    found = WORLDS[name]["occupation"]
    if found is None:
        assert name == "untimed"
        return
    n = len(found["times_s"])
    assert found["times_s"][0] == 0
    for t in range(n):
        total = sum(state["share"][t] for state in found["states"])
        total += found["converted"]["estimate"][t] + found["dropped"]["estimate"][t]
        assert total == pytest.approx(1, abs=1e-6)
    assert 3 <= len(found["at"]) <= 6
    assert found["at"][-1]["time_s"] == pytest.approx(found["horizon_days"] * 86_400)
    assert len(found["states"]) <= 9
    for row in found["at"]:
        assert row["time_s"] in found["times_s"]
        for part in (row["under_way"], row["dropped"], *row["states"]):
            assert part["lower"] <= part["estimate"] <= part["upper"]


def page(data: dict[str, Any], lang: str) -> str:
    reader = Reader(data, lang)
    template = render._environment().get_template("occupation.html")
    return template.render(**render._common(reader), occupation=occupation_view(reader))


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
    assert text["plain"].lstrip().startswith("Half of the journeys that convert do so within ")
    assert text["no goal"].lstrip().startswith("After ")
    assert "Goal reached" not in text["no goal"]
    assert "no curves" in text["untimed"]
    assert "Others (" in text["many states"]
    assert "an activity that ends it" in text["ended"]
    assert "an activity that ends it" not in text["plain"]
    assert "still open count" in text["plain"]


def test_french() -> None:
    heading = occupation_view(Reader(WORLDS["plain"], "fr"))["heading"].text
    assert heading.startswith("La moitié des parcours qui atteignent le but y sont en ")
