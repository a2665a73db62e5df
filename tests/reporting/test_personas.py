"""Personas in the report: numbers that fit their schema, names that are true and distinct, cards in both languages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np
import pytest

from journeymine.markov.classes.personas import find_personas
from journeymine.markov.lists import count_lists
from journeymine.reporting import render
from journeymine.reporting.numbers import rounded
from journeymine.reporting.reader import Reader, resolve
from journeymine.reporting.schema_parts import COUNT, NUMBER, object_of
from journeymine.reporting.sections.personas import personas_schema, personas_section
from journeymine.reporting.views.personas import personas_view

if TYPE_CHECKING:
    from types import ModuleType

SCHEMA = {
    **object_of(personas=personas_schema()),
    "$defs": {"estimate": object_of(estimate=NUMBER, lower=NUMBER, upper=NUMBER, n=COUNT)},
}


def section(lists: list[list[str]]) -> dict[str, Any]:
    _, journeys = count_lists(lists, goal="paid")
    data: dict[str, Any] = rounded({"personas": personas_section(find_personas(journeys, n_draws=50))})
    return data


def kinds() -> dict[str, Any]:
    """Two thirds come home again and again and leave; a third goes straight to the payment and pays."""
    rng = np.random.default_rng(2)
    lists = []
    for i in range(600):
        if i % 3:
            lists.append(["home"] * int(rng.integers(6, 12)))
        else:
            lists.append(["home", *["pay"] * int(rng.integers(1, 3)), *["paid"] * int(rng.random() < 0.9)])
    return section(lists)


TWO = kinds()
ONE = section([["home", "pay", "paid"], ["home"]] * 60)


def page(data: dict[str, Any], lang: str) -> str:
    reader = Reader(data, lang)
    template = render._environment().get_template("personas.html")
    return template.render(**render._common(reader), personas=personas_view(reader))


@pytest.mark.parametrize("data", [TWO, ONE, {"personas": None}], ids=["two", "one", "none"])
def test_the_section_fits_its_schema(data: dict[str, Any]) -> None:
    jsonschema.validate(data, SCHEMA)


def test_two_kinds_are_two_cards_with_their_numbers() -> None:
    view = personas_view(Reader(TWO, "en"))
    assert view is not None
    assert len(view["cards"]) == TWO["personas"]["n_classes"] == 2
    looking, paying = TWO["personas"]["list"]
    assert looking["size"]["estimate"] == pytest.approx(2 / 3, abs=0.02)
    assert looking["conversion"]["estimate"] < 0.02
    assert paying["conversion"]["estimate"] == pytest.approx(0.9, abs=0.06)
    assert "fall into two kinds" in view["heading"].text
    titles = [card["title"].text for card in view["cards"]]
    assert "“home”" in titles[0]
    assert "“pay”" in titles[1]
    assert looking["path_end"] == "dropped"


def test_one_kind_is_one_sentence() -> None:
    view = personas_view(Reader(ONE, "en"))
    assert view is not None
    assert view["cards"] == []
    assert view["heading"].text == "Customers are of one kind as far as the data can tell"
    assert "<article" not in page(ONE, "en")
    assert personas_view(Reader({"personas": None}, "en")) is None
    assert page({"personas": None}, "en").strip() == ""


def test_names_are_distinct_and_say_what_marks(samples: ModuleType) -> None:
    view = personas_view(Reader(samples.sample(), "en"))
    assert view is not None
    titles = [card["title"].text for card in view["cards"]]
    assert titles == [
        "Come back to “Product page”",
        "Begin with “Newsletter click”",
        "Come back to “Payment declined”",
    ]


def test_equal_marks_give_other_names(samples: ModuleType) -> None:
    data = samples.sample()
    people = data["personas"]["list"]
    people[1]["marks"] = people[2]["marks"] = people[0]["marks"][:1]
    view = personas_view(Reader(data, "en"))
    assert view is not None
    assert [card["title"].text for card in view["cards"]] == [
        "Come back to “Product page”",
        "Kind 2",
        "Kind 3",
    ]


def test_a_ratio_to_hardly_anything_is_no_number(samples: ModuleType) -> None:
    text = page(samples.sample(), "en")
    assert "only they" in text
    assert "×5,000" not in text


def test_what_follows_a_rare_step_says_little(samples: ModuleType) -> None:
    data = samples.sample()
    row = next(row for row in data["chain"]["outcomes"] if row["state"] == "Basket")
    row["visits"]["estimate"] = 0.01
    view = personas_view(Reader(data, "en"))
    assert view is not None
    whats = [mark["what"].text for mark in view["cards"][1]["marks"]]
    assert whats.index("“Basket” → “Account sign-in”") == 2


def test_unstable_kinds_are_not_announced(samples: ModuleType) -> None:
    data = samples.sample()
    data["personas"]["warnings"] = ["few_journeys", "unstable", "not_converged"]
    text = re.sub(r"<[^>]+>", "", page(data, "en"))
    assert "Customers may fall into three kinds" in text
    assert "another period" in text
    assert "fewer than 5,000 journeys" in text


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("member", ["customer", "journey"])
@pytest.mark.parametrize("kind", ["sample", "hostile"])
def test_every_number_of_the_page_is_in_the_report(
    samples: ModuleType, kind: str, member: str, lang: str
) -> None:
    data = getattr(samples, kind)()
    data["personas"]["member"] = member
    text = page(data, lang)
    for ref in set(re.findall(r'data-ref="([^"]+)"', text)):
        assert resolve(data, ref) is not None
    assert text.count("<article") == 3
    assert "None" not in text
    assert "<img" not in text


def test_every_kind_of_mark_has_words(samples: ModuleType) -> None:
    data = samples.sample()
    first = data["personas"]["list"][0]
    for kind, source, target, end in (
        ("state", "x", None, None), ("start", None, "x", None), ("start", None, None, "goal"),
        ("move", "x", "y", None), ("move", "x", "x", None), ("move", "x", None, "goal"), ("move", "x", None, "dropped"),
    ):  # fmt: skip
        for share, others in ((0.6, 0.1), (0.1, 0.6), (0.01, 0.6), (2.5, 0.1)):
            if kind != "state" and share > 1:
                continue
            lift = samples.est(share / others, 90, 0.01)
            mark = {"kind": kind, "source": source, "target": target, "end": end, "q_value": 0.0}
            first["marks"] = [{**mark, "share": share, "others": others, "lift": lift}]
            for lang in ("en", "fr"):
                view = personas_view(Reader(data, lang))
                assert view is not None
                title = view["cards"][0]["title"].text
                assert "{" not in title
                assert "(no name)" not in title
                assert "Kind 1" not in title
