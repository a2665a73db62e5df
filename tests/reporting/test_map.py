"""The map section: strict schema, the numbers of report.json, complete without its script, nothing unsafe."""

from __future__ import annotations

import json
import random
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
import pandas as pd
import pytest

from journeymine.analyses.process_map import build_map
from journeymine.datasets import demo_log_path
from journeymine.draw.layout.graph import layout_of_dict
from journeymine.reading import read_log
from journeymine.reporting.numbers import rounded
from journeymine.reporting.reader import Reader, resolve
from journeymine.reporting.render import _common, _environment
from journeymine.reporting.schema import report_schema
from journeymine.reporting.sections.map import map_schema, map_section
from journeymine.reporting.views.map import map_view

if TYPE_CHECKING:
    from journeymine.log import EventLog

HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    "->",
    "",
    "NA",
    "=cmd()",
    "x" * 300,
    "支払い",
    "{share}",
    "تسجيل",
]
MAX_SCRIPT = 5_000


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


def hostile() -> EventLog:
    rng = random.Random(1)
    rows = [
        {"case": f"c{case}", "what": rng.choice(HOSTILE) or "(blank)", "at": place}
        for case in range(60)
        for place in range(rng.randint(1, 8))
    ]
    return read_log(pd.DataFrame(rows), case_id="case", activity="what", order="at")


def report_of(log: EventLog, **more: Any) -> dict[str, Any]:
    return {"map": rounded(map_section(build_map(log))), "fixes": [], "log": {"n_cases": log.n_cases}, **more}


@pytest.fixture(scope="module")
def shop() -> dict[str, Any]:
    return report_of(demo())


def html_of(report: dict[str, Any], lang: str) -> str:
    reader = Reader(report, lang)
    text: str = _environment().get_template("map.html").render(**_common(reader), map=map_view(reader))
    return text


def test_the_section_keeps_its_schema(shop: dict[str, Any]) -> None:
    schema = {**map_schema(), "$defs": report_schema()["$defs"]}
    for report in (shop, report_of(hostile())):
        jsonschema.validate(json.loads(json.dumps(report["map"], allow_nan=False)), schema)


def test_the_stored_layout_holds_everything_that_is_drawn(shop: dict[str, Any]) -> None:
    layout = layout_of_dict(shop["map"]["layout"])
    assert set(layout.x) == {step["id"] for step in shop["map"]["steps"]}
    for path in shop["map"]["paths"]:
        n = abs(layout.rows[path["source"]] - layout.rows[path["target"]]) - 1
        assert len(layout.bends.get((path["source"], path["target"]), ())) == max(n, 0)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_number_is_the_one_at_its_address(shop: dict[str, Any], lang: str) -> None:
    shares = re.findall(r'data-ref="([^"]+)"[^>]*>([^<]*)<', html_of(shop, lang))
    assert len(shares) > 150
    for address, text in shares:
        value = resolve(shop, address)
        assert value is not None, address
        digits = re.sub(r"[\s\u202f\u00a0,]", "", text.replace(",", ".") if lang == "fr" else text).strip(
            "%<>"
        )
        number = re.match(r"-?[0-9.]+", digits)
        if number and text.endswith("%"):
            decimals = len(number[0].partition(".")[2])
            assert abs(float(number[0]) / 100 - value) <= 0.51 * 10 ** (-2 - decimals), (address, text, value)


def test_both_languages_show_the_same_numbers(shop: dict[str, Any]) -> None:
    english, french = (set(re.findall(r'data-ref="([^"]+)"', html_of(shop, lang))) for lang in ("en", "fr"))
    assert english == french


def test_the_conclusion_is_where_journeys_are_lost(shop: dict[str, Any]) -> None:
    assert map_view(Reader(shop, "en"))["heading"].text == (
        "More journeys are lost after “Product page” than after any other step"
    )
    complete = shop | {"log": {"n_cases": 9, "end_states": {"converted": {"share": {"estimate": 0.99}}}}}
    complete["log"]["goal"] = ["Order placed"]
    way = map_view(Reader(report_of(hostile()), "en"))["heading"].text
    assert way.startswith(("The most travelled way: ", "Journeys begin with"))


def test_the_line_beside_the_picture_says_what_it_explains(shop: dict[str, Any]) -> None:
    lines = [line.text for line in map_view(Reader(shop, "en"))["covers"]]
    assert lines == ["This picture shows 28 of 28 steps and 45 of 55 paths; 98% of all moves are on them."]
    share = {"estimate": 0.81, "lower": 0.8, "upper": 0.82, "n": 9}
    explained = {"journeys": share, "events": share, "moves": share, "conversions": share}
    with_model = shop | {"model": {"fitness": share, "precision": 0.334, "explained": explained}}
    assert [line.text for line in map_view(Reader(with_model, "en"))["covers"]] == [
        (
            "This picture shows 28 of 28 steps and 45 of 55 paths. It holds 81% of all moves; 81% of journeys and "
            "81% of conversions, up to the goal, move along nothing else."
        ),
        "The discovered model has fitness 0.81 and precision 0.33.",
    ]
    explained |= {"fitness": share | {"estimate": 0.974}, "precision": 0.331, "conversions": None}
    assert [line.text for line in map_view(Reader(with_model, "en"))["covers"]] == [
        (
            "This picture shows 28 of 28 steps and 45 of 55 paths. It holds 81% of all moves; 81% of journeys move "
            "along nothing else."
        ),
        "A model discovered from what is shown has fitness 0.97 and precision 0.33 on all journeys.",
    ]


def test_fixes_are_tied_to_their_boxes(shop: dict[str, Any]) -> None:
    fixes = [{"block": "found", "activity": "Payment", "rank": rank} for rank in (1, 2)]
    fixes.append({"block": "assumed", "activity": "Basket", "rank": 3})
    text = html_of(shop | {"fixes": fixes}, "en")
    assert ">1 · 2</text>" in text
    assert "fixes 1, 2" in text
    assert "ranked fix" in text


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_hostile_names_are_escaped(lang: str) -> None:
    text = html_of(report_of(hostile()), lang)
    assert "<img" not in text
    data = re.search(r'id="map-data">(.*?)</script>', text, re.DOTALL)
    assert data is not None
    assert "<" not in data[1]
    names = {step["n"] for step in json.loads(data[1])["steps"].values()}
    assert HOSTILE[0] in names
    assert "{share}" in names


def test_the_panel_has_texts_for_every_step(shop: dict[str, Any]) -> None:
    data = map_view(Reader(shop, "fr"))["data"]
    assert set(data) == {step["id"] for step in shop["map"]["steps"]}
    one = data["account-sign-in"]
    assert one["n"] == "Account sign-in"
    assert one["d"][0][:2] == ["Atteinte par", "50\u202f%"]
    assert [row[0] for row in one["o"]] == ["Delivery choice", "abandon"]
    assert all(0 <= row[2] <= 1 for step in data.values() for row in step["o"] + step["i"])


def test_without_the_script_the_page_is_complete(shop: dict[str, Any]) -> None:
    text = html_of(shop, "en")
    assert re.search(r'<div class="mctl"[^>]* hidden>', text)
    assert "Where journeys are lost" in text
    assert 'role="img"' in text
    assert text.count("<tr>") == 21
    assert "<script>" not in text
    assert " style=" not in text
    assert len(text.encode()) <= 150_000


def test_the_script_is_small_and_safe() -> None:
    script = resources.files("journeymine.reporting").joinpath("templates/map.js").read_text(encoding="utf-8")
    assert len(script.encode()) <= MAX_SCRIPT
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "eval",
        "Function",
        "document.write",
        "http",
        "</",
    ):
        assert word not in script, word


def test_nothing_to_draw() -> None:
    view = map_view(Reader({"map": None}, "en"))
    assert view["picture"] is None
    assert "nothing to draw" in html_of({"map": None}, "en")
