"""Predictions in the report: numbers that fit their schema, sentences that are true, both languages."""

from __future__ import annotations

import copy
import re
from typing import Any

import jsonschema
import pytest

from journeymine.analyses.prediction import evaluate_predictions
from journeymine.reading import read_log
from journeymine.reporting import render
from journeymine.reporting.numbers import rounded
from journeymine.reporting.reader import Reader, resolve
from journeymine.reporting.schema import report_schema
from journeymine.reporting.sections.prediction import VERDICTS, prediction_schema, prediction_section
from journeymine.reporting.views.prediction import prediction_figure, prediction_view
from journeymine.simulate import sample_chain

MATRIX = [[0.20, 0.50, 0.00, 0.05, 0.25], [0.10, 0.00, 0.60, 0.00, 0.30], [0.00, 0.15, 0.10, 0.55, 0.20]]
EVIL = ['<img src=x onerror="x">', "NA", "b\n&c"]


def section(horizon: str | None) -> dict[str, Any]:
    events = sample_chain(MATRIX, [1, 0, 0], 1500, 2, activities=EVIL, days=1500.0).events
    log = read_log(
        events,
        case_id="case_id",
        customer_id="customer_id",
        activity="activity",
        timestamp="timestamp",
        threads=1,
    ).journeys("Goal", idle="30d")
    part = prediction_section(evaluate_predictions(log, horizon=horizon, n_draws=50))
    return rounded({"prediction": part, "log": {"timezone": "Europe/Paris"}})


@pytest.fixture(scope="module")
def in_the_end() -> dict[str, Any]:
    return section(None)


@pytest.fixture(scope="module")
def within() -> dict[str, Any]:
    return section("7d")


def html(data: dict[str, Any], lang: str) -> str:
    reader = Reader(data, lang)
    template = render._environment().get_template("prediction.html")
    return template.render(**render._common(reader), prediction=prediction_view(reader))


def test_the_section_fits_its_schema(in_the_end: dict[str, Any], within: dict[str, Any]) -> None:
    schema = {**prediction_schema(), "$defs": report_schema()["$defs"]}
    for data in (in_the_end, within):
        jsonschema.Draft202012Validator(schema).validate(data["prediction"])
    jsonschema.Draft202012Validator(schema).validate(prediction_section(None))
    assert prediction_view(Reader({"prediction": None}, "en")) is None


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_number_on_the_page_is_in_the_report(
    in_the_end: dict[str, Any], within: dict[str, Any], lang: str
) -> None:
    for data in (in_the_end, within):
        page = html(data, lang)
        refs = re.findall(r'data-ref="([^"]+)"', page)
        assert len(refs) > 40
        assert all(resolve(data, ref) is not None for ref in refs)
        assert "<img" not in page
        assert "None" not in page
        assert "nan" not in page.lower().replace("nanv", "")


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_has_its_words(
    within: dict[str, Any], in_the_end: dict[str, Any], verdict: str, lang: str
) -> None:
    seen = set()
    for data in (within, in_the_end):
        changed = copy.deepcopy(data)
        changed["prediction"]["verdict"] = verdict
        view = prediction_view(Reader(changed, lang))
        assert view is not None
        text = str(view["heading"])
        assert "{" not in text
        assert "%" in text
        seen.add(text.split(":")[0] + str(data["prediction"]["horizon_s"]))
    assert len(seen) == 2


def test_the_heading_says_what_the_example_says(in_the_end: dict[str, Any]) -> None:
    part = in_the_end["prediction"]
    group = part["groups"][part["example"]]
    view = prediction_view(Reader(in_the_end, "en"))
    assert view is not None
    assert f"{100 * group['predicted']:.0f}%" in view["heading"].text
    assert f"{100 * group['observed']['estimate']:.0f}%" in view["heading"].text
    assert part["verdict"] == "good"
    assert view["heading"].text.startswith("Predictions hold")


def test_notes_say_what_weakens_the_judgement(within: dict[str, Any]) -> None:
    changed = copy.deepcopy(within)
    part = changed["prediction"]
    plain = prediction_view(Reader(changed, "en"))
    part |= {"undecided": 0.12, "n_steps": 0, "n_unseen": 7, "verdict": "too_low"}
    part["models"][1]["skill"]["estimate"] = part["models"][0]["skill"]["estimate"] + 0.01
    for lang in ("en", "fr"):
        view = prediction_view(Reader(changed, lang))
        assert view is not None
        assert plain is not None
        assert len(view["notes"]) == len(plain["notes"]) + 4
        text = " ".join(str(note) for note in view["notes"])
        assert "12" in text
        assert "recalibrate=True" in text


def test_the_picture_has_a_dot_for_every_group(in_the_end: dict[str, Any]) -> None:
    found = Reader(in_the_end, "en").at("prediction")
    for width in (340.0, 560.0):
        figure = prediction_figure(found, width)
        assert len(figure.to_dicts()) == len(in_the_end["prediction"]["groups"])
        assert figure.svg().count(" → ") == 1
