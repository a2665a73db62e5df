"""The table of strings is complete, typeset, and never lets a field escape its place."""

from __future__ import annotations

import re
import string
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from journeymine.errors import OptionError
from journeymine.reporting.phrases import Name, Shown, check_language, name, say, spelled, table

KEYS = sorted(table()["en"])
TEMPLATES = resources.files("journeymine.reporting").joinpath("templates")


def forms(lang: str, key: str) -> dict[str, str]:
    entry = table()[lang][key]
    return {"": entry} if isinstance(entry, str) else entry


def fields(text: str) -> set[str]:
    return {part[1] for part in string.Formatter().parse(text) if part[1]}


def test_both_languages_have_every_key() -> None:
    assert set(table()["en"]) == set(table()["fr"])


@pytest.mark.parametrize("key", KEYS)
def test_both_languages_name_the_same_fields(key: str) -> None:
    english = set().union(*(fields(text) for text in forms("en", key).values()))
    french = set().union(*(fields(text) for text in forms("fr", key).values()))
    assert english == french
    for lang in ("en", "fr"):
        assert set(forms(lang, key)) in ({""}, {"one", "other"})
        assert all(text.strip() == text and text for text in forms(lang, key).values())


@pytest.mark.parametrize("key", KEYS)
def test_french_spacing(key: str) -> None:
    for text in forms("fr", key).values():
        assert not re.search(r"[^\u202f][;!?]", text), text
        assert not re.search(r"[^\u00a0]:(?!/)", text), text
        assert not re.search(r"«[^\u202f]|[^\u202f]»|\d%", text), text
    for text in forms("en", key).values():
        assert not re.search(r"[«»\u202f]| [;:!?%]", text), text


def test_every_key_is_used() -> None:
    code = "".join(
        file.read_text(encoding="utf-8")
        for folder in ("", "wording", "views", "templates")
        for file in resources.files("journeymine.reporting").joinpath(folder).iterdir()
        if file.name.endswith((".py", ".html"))
    )
    made = re.compile(
        r"^(fix_(title|why|mind|caveat)|fixes_sub|place|next|headline|finding|fix_evidence|rule|q|state|end|level|done|block"
        r"|outcome_head|paths_head|idle_bar|warning|col|map_sub|map_note_step|map_legend|map_panel"
        r"|friction_(head|col|note|off)|conformance_(head|part|row)|differences_(head|end)"
        r"|chain_(advice|check|follows|group|label|missing|on|order|settled|title)"
        r"|personas_(end|head|mark|name|one|sub|warning)"
        r"|occupation_(end|sub)|prediction_(col|fact|head|model)"
        r"|funnel_(col|key|rule))_|_nav$|^conformance_design|^funnel_(any_)?order"
        r"|^personas_(size|conversion|events|shares|visits)$"
    )
    unused = [
        key for key in KEYS if f'"{key}"' not in code and f"'{key}'" not in code and not made.search(key)
    ]
    assert unused == []


def test_templates_hold_no_words_of_their_own() -> None:
    for file in TEMPLATES.iterdir():
        if file.name.endswith(".html"):
            text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
            text = re.sub(r"<[^>]*>", "", text)
            assert not re.search(r"[^\W\d_]{2,}", text), (file.name, text.strip())


def test_templates_trust_nothing() -> None:
    for file in TEMPLATES.iterdir():
        text = file.read_text(encoding="utf-8")
        assert "|safe" not in text.replace(" ", "")
        assert "autoescape" not in text
        # One script of our own, its hash in the page's policy, and one block of data: neither has a source.
        known = ("<script>{{ script }}</script>", '<script type="application/json" id="map-data">')
        assert "<script" not in "".join(text.split(known[0])).replace(known[1], "")
        assert not re.search(r"\son\w+=|\sstyle=", text)
        assert not re.search(r"https?:|url\(|@import", text)


@given(st.text(max_size=60), st.text(max_size=60))
def test_fields_are_escaped_and_braces_are_left_alone(activity: str, value: str) -> None:
    sentence = say("next_segment", "en", activity=Name(activity), column=Name("{value}"), value=Name(value))
    assert activity in sentence.text
    markup = sentence.__html__()
    assert isinstance(markup, Markup)
    inside = re.sub(r"</?bdi( class=\"nb\")?>", "", markup)
    assert "<" not in inside
    assert ">" not in inside


def test_numbers_carry_value_and_address() -> None:
    sentence = say("finding_loss", "en", drop=Shown("3%", 0.03, "x[0].y"))
    assert '<span data-ref="x[0].y">3%</span>' in sentence.__html__()
    assert sentence.params == {"drop": 0.03}


def test_plurals() -> None:
    assert say("warnings_lead", "en", count=spelled(1, "en")).text == "One warning."
    assert say("warnings_lead", "en", count=spelled(3, "en")).text == "Three warnings."
    assert say("warnings_lead", "fr", count=spelled(0, "fr")).text == "Un avertissement."
    assert say("q_ties_value", "en", n=Shown("0", 0)).text == "0 pairs"


def test_names_are_never_empty() -> None:
    assert name("", "fr") == "(sans nom)"
    assert name(None, "en") == "None"
    assert len(name("x" * 1000, "en")) == 80


def test_languages() -> None:
    assert check_language("en") == "en"
    with pytest.raises(OptionError, match="lang is 'de'"):
        check_language("de")
