"""The report's section of differences: numbers against their schema, a page in both languages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pyarrow as pa
import pytest

import journeymine as jm
from journeymine._demo import demo_spec
from journeymine.analyses.comparisons import compare_everything
from journeymine.reading import log_from_spec
from journeymine.reporting import render
from journeymine.reporting.reader import Reader
from journeymine.reporting.schema import _estimate
from journeymine.reporting.sections.differences import differences_schema, differences_section
from journeymine.reporting.views.differences import differences_view

if TYPE_CHECKING:
    from journeymine.log import EventLog


@pytest.fixture(scope="module")
def section() -> list[dict[str, Any]]:
    spec, folder = demo_spec()
    return differences_section(compare_everything(log_from_spec(spec, folder)))


def page(section: list[dict[str, Any]], lang: str) -> str:
    reader = Reader({"log": {"timezone": "UTC"}, "differences": section}, lang)
    template = render._environment().get_template("differences.html")
    return template.render(**render._common(reader), differences=differences_view(reader))


def valid(section: list[dict[str, Any]]) -> None:
    schema = {**differences_schema(), "$defs": {"estimate": _estimate()}}
    jsonschema.validate(json.loads(json.dumps(section, allow_nan=False)), schema)


def test_the_section_follows_its_schema(section: list[dict[str, Any]]) -> None:
    valid(section)
    assert len(section) == 10
    first = section[0]
    assert (first["attribute"], first["a"], first["b"], first["n_kept_rows"]) == (
        "platform",
        "mobile",
        None,
        1,
    )
    assert first["rows"][0]["kept"]
    assert all(len(one["rows"]) <= 20 for one in section)
    assert [d["activity"] for d in first["drivers"]] == ["Account sign-in"]
    total = first["mix"]["estimate"] + first["behaviour"]["estimate"]
    assert total == pytest.approx(first["conversion"]["estimate"])
    assert section[-1]["period"]["start"].endswith("T00:00:00Z")


@pytest.mark.parametrize(
    ("lang", "heading"),
    [
        ("en", "platform = mobile: dropping out after “Account sign-in” is 23.2 points more frequent"),
        (
            "fr",
            "platform = mobile\xa0: l'abandon après «\u202fAccount sign-in\u202f» est plus fréquent de 23,2 points",
        ),
    ],
)
def test_the_heading_is_the_finding(section: list[dict[str, Any]], lang: str, heading: str) -> None:
    view = differences_view(Reader({"log": {}, "differences": section}, lang))
    assert view["heading"].text == heading
    assert len(view["groups"]) == 10
    assert 1 <= len(view["kept"]) <= 8
    html = page(section, lang)
    assert html.count("<tr") == 4 + len(view["groups"]) + len(view["kept"]) + len(view["noise"]) - 1
    assert "None" not in html
    assert "style=" not in html


def test_nothing_supported_is_said() -> None:
    rows = [{"case": str(i), "what": "ab"[j], "kind": "xy"[i % 2]} for i in range(40) for j in (0, 1)]
    log = jm.read_log(pa.Table.from_pylist(rows), case_id="case", activity="what").journeys(segments="kind")
    section = differences_section(compare_everything(log))
    valid(section)
    assert len(section) == 1
    assert section[0]["conversion"] is None
    assert "No group of journeys" in page(section, "en")


def test_nothing_to_compare_is_said() -> None:
    assert "There is nothing to compare" in page([], "en")
    assert "Il n'y a rien à comparer" in page([], "fr").replace("&#39;", "'")


def test_names_are_escaped() -> None:
    def log_of(n: int) -> EventLog:
        rows = [
            {"case": str(i), "what": what, "kind": "<i>" if i % 2 else "</section>"}
            for i in range(n)
            for what in (["<script>", "b"] if i % 2 or i % 6 == 0 else ["<script>"])
        ]
        log = jm.read_log(pa.Table.from_pylist(rows), case_id="case", activity="what")
        return log.journeys("b", segments="kind")

    section = differences_section(compare_everything(log_of(240)))
    assert section[0]["n_kept"] > 0
    html = page(section, "en")
    assert "<script>" not in html
    assert html.count("</section>") == 1
