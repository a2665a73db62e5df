"""The friction section: numbers fit the schema, the page shows them with their addresses, in both languages."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pyarrow as pa
import pytest

import journeymine as jm
from journeymine.analyses.friction import find_friction
from journeymine.reading import read_log
from journeymine.reporting import render
from journeymine.reporting.numbers import rounded
from journeymine.reporting.reader import Reader, resolve
from journeymine.reporting.schema_parts import COUNT, NUMBER, object_of
from journeymine.reporting.sections.friction import (
    friction_schema,
    friction_score_section,
    friction_section,
    friction_tests_section,
)
from journeymine.reporting.views.friction import friction_view

DEFS = {"estimate": object_of(estimate=NUMBER, lower=NUMBER, upper=NUMBER, n=COUNT)}
ACTORS = {
    "case": list("aaabbbcccddd"),
    "what": ["user: ask", "company: <answer>", "goal", "user: ask", "company: <answer>", "user: ask"] * 2,
}


def data_of(log: jm.EventLog) -> dict[str, Any]:
    found = find_friction(log)
    data: dict[str, Any] = rounded(
        {
            "friction": friction_section(found),
            "friction_score": friction_score_section(found.score),
            "friction_tests": friction_tests_section(found),
        }
    )
    return data


def page_of(data: dict[str, Any], lang: str) -> str:
    reader = Reader(data, lang)
    template = render._environment().get_template("friction.html")
    return template.render(**render._common(reader), friction=friction_view(reader))


@pytest.fixture(scope="module")
def demo() -> dict[str, Any]:
    log = jm.read_log(
        jm.demo_log_path(), case_id="journey_id", customer_id="customer_id", activity="activity",
        timestamp="timestamp", channel="channel",
    )  # fmt: skip
    return data_of(log.journeys("Order placed", idle="21d", segments=["platform"]))


@pytest.fixture(scope="module")
def small() -> dict[str, Any]:
    return data_of(read_log(pa.table(ACTORS), case_id="case", activity="what").journeys("goal"))


@pytest.mark.parametrize("name", ["demo", "small"])
def test_numbers_fit_the_schema(name: str, request: pytest.FixtureRequest) -> None:
    data = request.getfixturevalue(name)
    json.dumps(data, allow_nan=False)
    for key, schema in friction_schema().items():
        jsonschema.Draft202012Validator({**schema, "$defs": DEFS}).validate(data[key])


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("name", ["demo", "small"])
def test_every_number_shown_has_its_address(name: str, lang: str, request: pytest.FixtureRequest) -> None:
    data = request.getfixturevalue(name)
    page = page_of(data, lang)
    addresses = re.findall(r'data-ref="([^"]+)"', page)
    assert all(resolve(data, address) is not None for address in addresses)
    assert "{" not in page
    assert "style=" not in page
    assert page.count("<tr") < 30


def test_the_heading_names_what_loses_most(demo: dict[str, Any]) -> None:
    view = friction_view(Reader(demo, "en"))
    assert str(view["heading"]) == (
        "“Landing page” and “Account sign-in” lose more journeys than other steps as far along"
    )
    assert sum(len(group["rows"]) for group in view["groups"]) <= 10
    assert len(view["score"]["rows"]) == 10
    tinted = [c for g in view["groups"] for r in g["rows"] for c in r["cells"] if c and c["tint"]]
    assert tinted
    assert not any(cell["is_noise"] for cell in tinted)


def test_a_small_log_is_counted_in_grey_and_split_by_actor(small: dict[str, Any]) -> None:
    view = friction_view(Reader(small, "en"))
    assert [str(group["label"]) for group in view["groups"]] == ["Steps of the company", "Steps of the user"]
    cells = [c for g in view["groups"] for r in g["rows"] for c in r["cells"] if c]
    assert all(cell["is_noise"] and not cell["tint"] for cell in cells)
    assert view["score"] is None
    page = page_of(small, "en")
    assert "<answer>" not in page
    assert "&lt;answer&gt;" in page


def test_without_a_goal_there_is_still_a_finding() -> None:
    table = pa.table({"case": list("aabb"), "what": list("xxxy")})
    data = data_of(read_log(table, case_id="case", activity="what").journeys())
    heading = friction_view(Reader(data, "en"))["heading"]
    assert str(heading) == "“x” is what journeys repeat most: 33% of its visits come again"


def test_one_event_makes_a_page() -> None:
    data = data_of(
        read_log(pa.table({"case": ["a"], "what": ["x"]}), case_id="case", activity="what").journeys("x")
    )
    assert "No friction stands out" in page_of(data, "en")
