"""Fixes in words: every kind, both languages, true to the numbers, and no claim of a cause."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from journeymine.reporting import words
from journeymine.reporting.phrases import Shown, say
from journeymine.reporting.reader import Reader
from journeymine.reporting.wording import fixes as fix_words
from journeymine.reporting.wording.fix_numbers import effect_number, effect_shown, listed
from journeymine.reporting.wording.fix_reasons import caveats_of, mind_of, ties_of, why_of
from journeymine.reporting.wording.ranking import checks_of, sub_of

if TYPE_CHECKING:
    from types import ModuleType

CAUSAL = re.compile(r"\b(because|caus\w+|due to|leads? to|parce que|à cause|provoque\w*)\b")
LONGEST = 36
"""Words in a sentence: more is not read."""


def readers(report: dict[str, Any], lang: str = "en") -> list[Reader]:
    root = Reader(report, lang)
    return [root.at(f"fixes[{i}]") for i in range(len(report["fixes"]))]


def by_id(report: dict[str, Any], id_: str, lang: str = "en") -> Reader:
    return next(fix for fix in readers(report, lang) if fix.value("id") == id_)


def texts(fix: Reader) -> list[str]:
    said = [fix_words.title_of(fix, "UTC"), fix_words.place_of(fix), fix_words.next_step_of(fix, "UTC")]
    said += [
        *fix_words.trust_of(fix),
        *why_of(fix, "conversion"),
        *mind_of(fix, "conversion"),
        *caveats_of(fix),
    ]
    test = fix_words.test_of(fix)
    return [sentence.text for sentence in [*said, *([test] if test else [])]]


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_sentence_is_short_finished_and_claims_no_cause(rankings: ModuleType, lang: str) -> None:
    for fix in readers(rankings.report(money=True), lang):
        for text in texts(fix):
            assert text
            assert text == text.strip()
            assert not re.search(r"\bNone\b|\bnan\b|[{}]", text), text
            assert not CAUSAL.search(text), text
            assert max(len(part.split()) for part in re.split(r"(?<=[.:?])\s", text)) <= LONGEST, text


TITLES = {
    "wait:Delivery quote": ("Shorten the wait after “Delivery quote” by 50%", "Raccourcir de 50 % l'attente"),
    "loop:Payment declined": (
        "Make later attempts at “Payment declined”, after “Payment”, end like the first",
        "Faire finir les essais suivants",
    ),
    "loop:Account sign-in": (
        "Spare customers 50% of the repeats of “Account sign-in”",
        "Épargner aux clients 50 %",
    ),
    "channel_switch:Call centre contact": (
        "Repair the change of channel at “Call centre contact”",
        "Réparer le changement",
    ),
    "reroute:Product page": (
        "Lead 20% of those who go on from “Product page” to “Store visit”",
        "Conduire à « Store visit » 20 %",
    ),
    "user:Basket": (
        "Lead 25% of those who go from “Basket” to “Account sign-in” to “Live chat” instead",
        "Conduire à « Live chat » 25 %",
    ),
    "remove_step:Delivery choice": ("Do without “Delivery choice”", "Se passer de « Delivery choice »"),
    "incident:Payment:2026-03-02": (
        "Keep the drop-out of 2 March to 15 March 2026 at “Payment” from coming back",
        "Éviter le retour",
    ),
    "incident:Basket:2026-06-01": (
        "Repair “Basket” (platform = mobile): more drop-out since 1 June 2026",
        "Réparer « Basket »",
    ),
    "user:Payment": (
        "Save 10% of the drop-outs at “Payment” (platform = mobile)",
        "Sauver 10 % des abandons",
    ),
    "user:guest": ("Let people order as guests", "Let people order as guests"),
}


@pytest.mark.parametrize("id_", TITLES)
def test_each_kind_has_a_title(rankings: ModuleType, id_: str) -> None:
    report = rankings.report()
    english, french = TITLES[id_]
    plain = [by_id(report, id_, lang) for lang in ("en", "fr")]
    titles = [
        fix_words.title_of(fix, "UTC").text.replace("\u202f", " ").replace("\u00a0", " ") for fix in plain
    ]
    assert titles[0] == english
    assert titles[1].startswith(french)
    assert by_id(report, id_).value("title") == words.fix_title(by_id(report, id_).data, "en", "UTC")


def test_a_period_is_named_in_the_title_of_other_kinds(rankings: ModuleType) -> None:
    fix = dict(by_id(rankings.report(), "wait:Delivery quote").data)
    fix["period"] = {"start": "2026-03-02T00:00:00Z", "end": "2026-03-16T00:00:00Z", "ongoing": False}
    title = fix_words.title_of(Reader(fix, "en"), "UTC").text.replace("\u00a0", " ")
    assert title == "Shorten the wait after “Delivery quote” by 50%, 2 March to 15 March 2026"


def test_ties_are_called_ties_by_their_numbers(rankings: ModuleType) -> None:
    report = rankings.report()
    ranks = {fix.value("id"): fix.count("rank") for fix in readers(report)}
    said = {fix.value("rank"): ties_of(fix, ranks) for fix in readers(report)}
    assert str(said[1]) == "cannot be told apart from 2"
    assert str(said[10]) == "cannot be told apart from 9, 11, 12 and 14"
    assert said[3] is None
    assert said[1] is not None
    assert 'data-ref="fixes[1].rank"' in said[1].__html__()


def test_a_long_list_says_how_many_more() -> None:
    numbers = [Shown(str(i), i) for i in range(1, 10)]
    assert str(listed(numbers, "en")) == "1, 2, 3 and 6 others"
    assert str(listed(numbers[:1], "fr")) == "1"
    assert str(listed(["<b>", "c"], "en").__html__()) == "&lt;b&gt; and c"


def test_the_rescue_factor_says_when_it_stops_to_pay(rankings: ModuleType) -> None:
    report = rankings.report(money=True)
    good = " ".join(sentence.text for sentence in mind_of(by_id(report, "user:guest"), "conversion"))
    assert "still worth it if only 38% of those rescued behave like the rest" in good
    assert "keeps its place if at least 66%" in good
    bad = " ".join(sentence.text for sentence in mind_of(by_id(report, "user:Basket"), "conversion"))
    assert "does not pay even if all of those rescued" in bad
    assert "still worth it" not in bad


def test_the_e_value_speaks_of_the_low_end_only_where_it_means_something(rankings: ModuleType) -> None:
    report = rankings.report()
    sure, open_ = (
        " ".join(sentence.text for sentence in mind_of(fix, "conversion"))
        for fix in (by_id(report, "loop:Payment declined"), by_id(report, "wait:Store visit"))
    )
    assert "only if it made both meeting this and missing the goal 1.3 times as likely; 1.1 times" in sure
    assert "for the low end nothing is needed" in open_
    assert "The gain may be zero" in open_
    assert "The gain may be zero" not in sure


def test_controls_speak_on_the_side_they_are_on(rankings: ModuleType) -> None:
    report = rankings.report()
    quiet, loud = by_id(report, "channel_switch:Call centre contact"), by_id(report, "reroute:Product page")
    keys = [
        [sentence.key for sentence in say_(fix, "conversion")]
        for fix in (quiet, loud)
        for say_ in (why_of, mind_of)
    ]
    assert "fix_why_control" in keys[0]
    assert "fix_why_exposure" in keys[0]
    assert "fix_mind_control" not in keys[1]
    assert "fix_why_control" not in keys[2]
    assert "fix_mind_control" in keys[3]


def test_a_measured_fix_is_rolled_out_and_not_doubted_as_an_association(rankings: ModuleType) -> None:
    fix = by_id(rankings.report(), "user:Payment")
    assert fix_words.next_step_of(fix).key == "next_measured"
    assert fix_words.test_of(fix) is None
    assert {sentence.key for sentence in mind_of(fix, "conversion")} == {"fix_mind_plan"}


def test_a_test_that_takes_years_is_no_next_step(rankings: ModuleType) -> None:
    report = rankings.report()
    long = by_id(report, "wait:Store visit")
    assert fix_words.test_of(long) is None
    assert fix_words.next_step_of(long).key == "next_uncertain"
    short = by_id(report, "loop:Account sign-in")
    assert str(fix_words.test_of(short)) == "Test: 2 × 1,240 customers who come here, 3 weeks"
    assert fix_words.next_step_of(short).key == "next_first_test"


def test_each_flag_has_its_caveat(rankings: ModuleType) -> None:
    report = rankings.report()
    said = {sentence.key for fix in readers(report) for sentence in caveats_of(fix)}
    flags = {flag for fix in report["fixes"] for flag in fix["flags"]}
    assert {re.sub(r"_(plain|unnamed)$", "", key.removeprefix("fix_caveat_")) for key in said} == flags
    cells = caveats_of(by_id(report, "channel_switch:Store visit"))[0].text
    assert cells.endswith("platform = app and country = FR.")


def test_a_difference_that_is_hardly_shrunk_is_no_caveat(rankings: ModuleType) -> None:
    fix = by_id(rankings.report(), "loop:Payment declined").data
    assert caveats_of(Reader({**fix, "shrinkage": 0.99}, "en")) == []
    assert [sentence.key for sentence in caveats_of(Reader({**fix, "shrinkage": None}, "en"))] == [
        "fix_caveat_selected_plain"
    ]


def test_effects_are_shown_in_the_unit_of_the_outcome() -> None:
    fix = Reader({"effect": {"estimate": 1.25, "lower": -0.5, "upper": 3.0, "n": 10}, "one": 0.031}, "en")
    assert [str(part) for part in effect_shown(fix, "effect", "time")] == ["+1.25\u00a0d", "−0.50", "+3.00"]
    assert [str(part) for part in effect_shown(fix, "effect", "revenue")] == ["+1.25", "−0.50", "+3.00"]
    assert str(effect_number(fix, "one", "conversion")) == "+3.10\u00a0pt"
    assert str(effect_number(fix, "one", "time")) == "+0.031\u00a0d"


def test_the_list_says_how_it_is_numbered(rankings: ModuleType) -> None:
    def keys(**rest: Any) -> list[str]:
        return [sentence.key for sentence in sub_of(Reader(rankings.report(**rest), "en"))]

    assert keys() == ["fixes_sub_conversion", "fixes_order_effect"]
    assert keys(money=True) == ["fixes_sub_conversion", "fixes_order_value"]
    assert keys(horizon="7d") == ["fixes_sub_within", "fixes_order_effect"]
    assert keys(outcome="time")[0] == "fixes_sub_time"


def test_worth_is_told_only_where_there_is_money(rankings: ModuleType) -> None:
    def said(**rest: Any) -> str:
        report = rankings.report(**rest)
        points = checks_of(Reader(report, "en"), readers(report))
        return " ".join(sentence.text for point in points for sentence in point)

    assert "worth" not in said()
    assert "No past test has been read back" in said()
    money = said(money=True)
    assert "would be worth 3,120" in money
    assert "would not change which fix is best" in said(money=True, evpi=0.0)
    assert "doing nothing is best with probability 3.0%" in money
    assert "measured gains are about 64% of predicted ones" in money
    assert "split at random 20 times" in money
    assert "For 2 fixes we also compared" in money


def test_a_loud_placebo_is_told(rankings: ModuleType) -> None:
    from dataclasses import replace

    ranking = rankings.many()
    loud = replace(ranking, placebo=replace(ranking.placebo, quiet=False, n_splits_kept=7))
    report = rankings.report(loud)
    points = checks_of(Reader(report, "fr"), readers(report))
    assert say("fixes_check_placebo_loud", "fr").text in [s.text for point in points for s in point]


def test_a_report_from_before_is_told_as_it_was() -> None:
    old = {
        "kind": "drop_off", "activity": "Sign-in", "segment": {"column": "platform", "value": "mobile"},
        "period": None, "reference": {"kind": "segment", "value": 0.1, "n": 40}, "block": "found",
    }  # fmt: skip
    assert words.fix_title(old, "en") == "Lose fewer customers at “Sign-in” (platform = mobile)"
    assumed = {
        "activity": "Basket",
        "reference": {"kind": "assumed", "value": 0.08, "n": 10},
        "drop": {"estimate": 0.1},
    }
    assert words.fix_title(assumed, "en") == "Save 20% of the drop-outs at “Basket”"


def test_the_headline_names_an_idea_that_stands_out(rankings: ModuleType) -> None:
    ideas = rankings.FixRanking(rankings.numbered(rankings.ideas()[:1]))
    report = rankings.report(ideas)
    assert words.headline(report, "en") == (
        "Your idea stands out: Let people order as guests, worth about 54 conversions a month"
    )
    report["fixes"][0]["per_month"] = None
    assert words.headline(report, "fr").endswith("environ +0,68\u00a0pt de conversion")
