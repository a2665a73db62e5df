"""The chain in the report: numbers that fit their schema, sentences that are true, a page in both languages."""

from __future__ import annotations

import html
import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np
import pyarrow as pa
import pytest

from journeymine.markov.chain import MarkovChain
from journeymine.markov.timing.horizons import times_to_goal
from journeymine.reading import read_log
from journeymine.reporting import render
from journeymine.reporting.numbers import rounded
from journeymine.reporting.phrases import table
from journeymine.reporting.reader import Reader, resolve
from journeymine.reporting.schema_parts import COUNT, NUMBER, object_of
from journeymine.reporting.sections.chain import chain_section
from journeymine.reporting.sections.chain_schema import chain_schema
from journeymine.reporting.views.chain import chain_view, heading_of
from journeymine.reporting.views.chain_checks import trust_heading

if TYPE_CHECKING:
    from types import ModuleType

EVIL = '<img src=x onerror="x">'
HOUR = 3_600_000_000
START = 1_767_225_600_000_000
SCHEMA = {
    **object_of(conversion={}, chain=chain_schema(), activities={}),
    "$defs": {"estimate": object_of(estimate=NUMBER, lower=NUMBER, upper=NUMBER, n=COUNT)},
}


def report_of(chain: MarkovChain, *, order: bool = True) -> dict[str, Any]:
    found = chain_section(chain, times_to_goal(chain), chain.order_choice if order else None)
    data: dict[str, Any] = rounded({"conversion": chain.conversion(), "chain": found, "activities": []})
    return data


def of_lists(paths: list[list[str]], weights: list[int], **options: Any) -> dict[str, Any]:
    return report_of(MarkovChain.from_sequences(paths, goal="won", weights=weights, n_draws=50), **options)


def timed() -> dict[str, Any]:
    """Two platforms of which one loses half of its journeys at the second step, over 80 days."""
    rng = np.random.default_rng(5)
    rows = []
    for i in range(600):
        platform, start = ("web", "app")[i % 2], START + i * 3 * HOUR
        rows.append((f"{i}", EVIL, start, platform))
        if rng.random() < 0.8:
            rows.append((f"{i}", "pay", start + HOUR, platform))
            if rng.random() < (0.9 if platform == "web" else 0.5):
                rows.append((f"{i}", "won", start + 2 * HOUR, platform))
    names = ("case", "what", "at", "platform")
    frame = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    log = read_log(frame, case_id="case", activity="what", timestamp="at", time_unit="us", threads=1)
    return report_of(log.journeys("won", idle="1d", segments=["platform"]).fit_markov(n_draws=50))


ALIKE = of_lists([["a", "won"], ["b", "won"], ["a"], ["b"]], [50, 50, 50, 50])
SPREAD = of_lists([["a", "b", "won"], ["a"], ["a", "b"]], [80, 100, 20])
NEARLY = of_lists([["a", "b", "won"], ["a"]], [990, 10])
NONE = {**deepcopy(SPREAD), "conversion": {"estimate": 0.0, "lower": 0.0, "upper": 0.02, "n": 200}}
MEMORY = of_lists([["x", "form", "won"], ["y", "form"]], [150, 150])
NO_ORDER = of_lists([["a", "won"], ["a"]], [30, 30], order=False)
TIMED = timed()
WORLDS = {
    "alike": ALIKE,
    "spread": SPREAD,
    "nearly": NEARLY,
    "none": NONE,
    "memory": MEMORY,
    "no order": NO_ORDER,
    "timed": TIMED,
}


@pytest.mark.parametrize("name", WORLDS)
def test_the_section_fits_its_schema(name: str) -> None:
    jsonschema.validate(WORLDS[name], SCHEMA)


def test_nothing_that_was_there_is_renamed() -> None:
    first = [
        "states", "n_folded", "attempts", "n_visits", "n_visits_open", "visits", "events_to_goal",
        "seconds_to_goal", "sensitivity",
    ]  # fmt: skip
    assert list(SPREAD["chain"])[: len(first)] == first


def test_numbers_are_those_of_the_chain() -> None:
    chain = MarkovChain.from_sequences(
        [["a", "b", "won"], ["a"], ["a", "b"]], goal="won", weights=[80, 100, 20], n_draws=50
    )
    for i, row in enumerate(SPREAD["chain"]["outcomes"]):
        assert row["state"] == chain.states[i]
        assert row["conversion"]["estimate"] == pytest.approx(chain.hit.estimate[i])
        assert row["conversion"]["estimate"] + row["drop_out"]["estimate"] == pytest.approx(1)
        assert row["remaining_seconds"] is None
    b = next(row for row in SPREAD["chain"]["outcomes"] if row["state"] == "b")
    # 80 of 100 at b convert, one step from the goal.
    assert (b["conversion"]["estimate"], b["steps_to_goal"]["estimate"]) == (
        pytest.approx(0.8),
        pytest.approx(1),
    )
    turn = SPREAD["chain"]["turning_points"][0]
    assert (turn["source"], turn["target"]) == ("a", "b")
    assert turn["change"]["estimate"] == pytest.approx(turn["after"]["estimate"] - turn["before"]["estimate"])
    assert SPREAD["chain"]["time_to_goal"] is None
    assert SPREAD["chain"]["median_seconds_to_goal"] is None


def test_times_are_told_where_there_are_any() -> None:
    times = TIMED["chain"]["time_to_goal"]
    assert times
    assert [time["horizon_days"] for time in times] == sorted(time["horizon_days"] for time in times)
    last = times[-1]
    total = last["by_chain"]["estimate"] + last["dropped"]["estimate"] + last["under_way"]["estimate"]
    assert total == pytest.approx(1, abs=1e-6)
    assert TIMED["chain"]["median_seconds_to_goal"]["estimate"] == pytest.approx(7200, rel=0.1)


def said(name: str, lang: str = "en") -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", page(WORLDS[name], lang))))


def page(data: dict[str, Any], lang: str) -> str:
    reader = Reader(data, lang)
    template = render._environment().get_template("chain.html")
    return template.render(**render._common(reader), chain=chain_view(reader))


def test_headings_say_what_was_found() -> None:
    heads = {name: heading_of(Reader(data, "en")).text for name, data in WORLDS.items()}
    assert heads["spread"] == "From “b” 80% still reach the goal, from “a” 40%"
    assert heads["alike"].startswith("No step is known to be nearer to the goal")
    assert heads["nearly"] == "From every step 99% or more reach the goal"
    assert heads["none"] == "No journey is known to reach the goal, from any step"
    assert heading_of(Reader(SPREAD, "fr")).text.startswith("Depuis «")


def test_few_visits_make_no_headline() -> None:
    data = deepcopy(SPREAD)
    for row in data["chain"]["outcomes"]:
        row["n"] = 29
    assert heading_of(Reader(data, "en")).text == "40% of journeys reach the goal"


def test_memory_is_named_with_what_to_do() -> None:
    text = said("memory")
    assert trust_heading(Reader(MEMORY, "en")).text.endswith("also depends on the step before")
    # Every y that comes to the form leaves: half of all do.
    assert re.search(r"Most of it at “form”: after “[xy]”, .* in (100|0)% of visits instead of 50%", text)
    assert "fit_markov(order=2)" in text


def test_platforms_that_differ_are_named() -> None:
    text = said("timed")
    assert "also depends on “platform”" in text
    assert re.search(
        r"Most of it at “pay”: for “(web|app)”, (journeys are dropped|the goal follows) in", text
    )
    assert "chain.segments()" in text


@pytest.mark.parametrize("verdict", ["holds", "small", "matters", "unclear"])
@pytest.mark.parametrize("name", ["first_order", "homogeneity", "stationarity"])
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_verdict_of_every_check_has_words(
    samples: ModuleType, name: str, verdict: str, lang: str
) -> None:
    data = samples.sample()
    check = data["chain"]["checks"][1]
    check |= {"name": name, "verdict": verdict, "consequence": "more_data"}
    for worst in (
        {"group": None, "target": None, "end": None},
        {"group": "2026-01-01 to 2026-02-03", "target": "x", "end": None},
        {"group": "2026-01-01T10:00 to 2026-01-01T12:00", "target": None, "end": "goal"},
        {"group": None, "at_start": True, "target": None, "end": "dropped"},
    ):
        check["worst"][0] |= worst
        data["chain"]["checks"] = [check]
        text = page(data, lang)
        assert "None" not in text
        assert "{" not in text


def test_days_of_a_period_are_written_in_the_language(samples: ModuleType) -> None:
    data = samples.sample()
    check = data["chain"]["checks"][1] | {"name": "stationarity", "by": "period"}
    check["worst"][0] |= {"group": "2026-01-01 to 2026-02-03"}
    data["chain"]["checks"] = [check]
    text = page(data, "fr").replace("\xa0", " ")
    assert "entre 1er janvier 2026 et 3 février 2026" in text


def test_a_move_back_and_small_changes_are_no_turning_points(samples: ModuleType) -> None:
    data = samples.sample()
    there = data["chain"]["turning_points"][0]
    back = {**there, "source": there["target"], "target": there["source"]}
    small = {**there, "target": "Basket", "change": samples.est(0.009, 900, 0.001)}
    data["chain"]["turning_points"] = [there, back, {**there, "source": "Basket"}, small]
    view = chain_view(Reader(data, "en"))
    assert view is not None
    assert [(turn["source"], turn["target"]) for turn in view["turns"]] == [("Payment", "Payment declined")]


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("name", WORLDS)
def test_every_number_of_the_page_is_in_the_report(name: str, lang: str) -> None:
    text = page(WORLDS[name], lang)
    assert text.count("<h2") == 1
    for ref in set(re.findall(r'data-ref="([^"]+)"', text)):
        assert resolve(WORLDS[name], ref) is not None
    assert "None" not in text
    assert "<img" not in text


def test_without_a_chain_there_is_no_section() -> None:
    assert chain_view(Reader({"chain": None}, "en")) is None
    assert page({"chain": None}, "en").strip() == ""


def test_both_languages_have_every_field() -> None:
    for key, entry in table()["en"].items():
        if not key.startswith(("chain_", "personas_", "heat_")):
            continue
        other = table()["fr"][key]
        forms = [(entry, other)]
        if not isinstance(entry, str):
            assert not isinstance(other, str)
            forms = [(entry[form], other[form]) for form in ("one", "other")]
        for en, fr in forms:
            assert set(re.findall(r"{(\w+)}", str(en))) == set(re.findall(r"{(\w+)}", str(fr))), key
