"""Conformance in the report: numbers that fit their schema, sentences that are true, a page in both languages."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from typing import Any

import jsonschema
import pandas as pd
import pytest

from journeymine.analyses.conformance import check_conformance
from journeymine.reading import read_log
from journeymine.reporting import render
from journeymine.reporting.numbers import rounded
from journeymine.reporting.reader import Reader, resolve
from journeymine.reporting.schema_parts import COUNT, NUMBER, object_of
from journeymine.reporting.sections.conformance import conformance_schema, conformance_section
from journeymine.reporting.views.conformance import conformance_view
from journeymine.spec import Stage

EVIL = '<img src=x onerror="x">'
STAGES = (
    Stage(id="look", name="Look", activities=("a",)),
    Stage(id="buy", name="Buy", activities=("b", "c", "g")),
)


def report(
    design: Any = ("a", "b?", "c"), *, goal: str | None = "g", stages: Any = (), n: int = 400
) -> dict[str, Any]:
    rng = random.Random(0)
    rows = []
    for case in range(n):
        path = rng.choice(["abc", "ac", "abcc", "bac", "abec", "aba", "zab", "ab"])
        path += "g" if path.endswith("c") and rng.random() < 0.6 else ""
        device = rng.choice("dm")
        hour = 0.0
        for what in path:
            hour += rng.random() * 9
            at = pd.Timestamp("2026-01-01", tz="UTC") + pd.Timedelta(hours=hour)
            rows.append(
                {"case": f"{case:04}", "what": {"e": EVIL}.get(what, what), "at": at, "device": device}
            )
    log = read_log(pd.DataFrame(rows), case_id="case", activity="what", timestamp="at", threads=1)
    log = replace(log.journeys(goal, segments="device", idle="10h"), stages=stages)
    found = check_conformance(log, design, n_draws=50)
    states = None if goal is None else {}
    return rounded({"log": {"end_states": states}, "conformance": conformance_section(found)})


def page(data: dict[str, Any], lang: str) -> str:
    reader = Reader(data, lang)
    template = render._environment().get_template("conformance.html")
    return template.render(**render._common(reader), conformance=conformance_view(reader))


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))


@pytest.mark.parametrize(
    "options", [{}, {"goal": None}, {"design": None, "stages": STAGES}, {"design": "->( 'a', 'c' )"}]
)
def test_the_numbers_fit_the_schema_and_the_page_shows_them(options: dict[str, Any]) -> None:
    data = report(**options)
    estimate = object_of(estimate=NUMBER, lower=NUMBER, upper=NUMBER, n=COUNT)
    jsonschema.validate(data["conformance"], {**conformance_schema(), "$defs": {"estimate": estimate}})
    for lang in ("en", "fr"):
        html = page(data, lang)
        refs = re.findall(r'data-ref="([^"]+)"', html)
        assert "conformance.share.estimate" in refs
        assert all(resolve(data, ref) is not None for ref in refs)
        assert "<img" not in html
        assert "style=" not in html
        assert "{" not in text_of(html)


def test_the_heading_is_the_conclusion() -> None:
    data = report()
    heading = str(conformance_view(Reader(data, "en"))["heading"])
    first = data["conformance"]["deviations"][0]
    assert heading.startswith(
        f"{data['conformance']['share']['estimate']:.0%} of journeys keep to the designed journey"
    )
    assert f"“{first['step']}”" in heading
    stages = report(None, stages=STAGES)
    assert "go through the stages in their order; the others go back, most often to “Look”" in str(
        conformance_view(Reader(stages, "en"))["heading"]
    )


def test_the_parts_add_up() -> None:
    found = report()["conformance"]
    assert found["n"] == sum(found[f"n_{part}"] for part in ("complete", "stopped", "open", "deviating"))
    assert found["n"] + found["n_left_out"] + found["n_without_step"] == 400


def test_what_is_ignored_missing_or_open_is_said() -> None:
    text = text_of(page(report(), "en"))
    assert "3 activities are not part of the design and do not count here" in text
    assert "has not skipped what is still to come, and leaving early is counted as drop-out" in text
    assert "dashed steps may be left out" in text
    assert "They are associations" in text
    assert "Mean time to goal" in text
    plain = text_of(page(report(goal=None), "en"))
    assert "Mean time of a journey" in plain
    assert "Conversion" not in plain
    assert "drop-out" not in plain


def test_every_journey_keeps_to_it() -> None:
    text = text_of(page(report(["a*"]), "en"))
    assert "Every journey keeps to the designed journey" in text
    assert "What happens instead" not in text


def test_nothing_without_a_design() -> None:
    assert conformance_section(None) is None
    data = {"log": {"end_states": None}, "conformance": None}
    assert conformance_view(Reader(data, "en")) is None
    assert page(data, "en").strip() == ""
