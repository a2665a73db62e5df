"""The report says what its numbers say, in both languages, and no more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from journeymine.reporting import words
from journeymine.reporting.wording.quality import rule_name

if TYPE_CHECKING:
    from types import ModuleType

CAUSAL = re.compile(
    r"\b(cost|costs|because|caus\w+|due to|leads? to|coûte\w*|parce que|à cause|provoque\w*)\b"
)
LEDGER_RULES = (
    "missing_case_id",
    "missing_customer_id",
    "missing_activity",
    "missing_time",
    "unreadable_time",
    "unreadable_row",
    "filtered_out",
    "exact_duplicates",
    "duplicates_dropped",
    "attribute_changes",
    "customer_changes",
    "naive_times",
    "relative_time",
    "end_before_start",
    "negative_order",
    "no_order_in_database",
    "case_id_collision",
    "activities_folded",
    "not_started",
    "ambiguous_dates",
    "missing_order",
    "order_as_text",
    "unreadable_value",
    "long_names",
    "many_activities",
)


def headline(report: dict[str, Any], lang: str = "en") -> str:
    return words.headline(report, lang)


def keys(rows: list[dict[str, Any]]) -> list[str]:
    return [row["key"] for row in rows]


def test_headline_names_the_first_fix(samples: ModuleType) -> None:
    report = samples.sample()
    assert headline(report) == (
        "Customers with platform = mobile leave more often at “Account sign-in”: "
        "worth about 60 conversions a month if they left like the others"
    )
    assert "« Account sign-in »" in headline(report, "fr").replace("\u202f", " ")


def test_headline_without_a_month(samples: ModuleType) -> None:
    report = samples.sample()
    report["fixes"][0]["per_month"] = None
    assert "worth about +0.74\u00a0pt of conversion" in headline(report)


def test_headline_names_no_fix_whose_gain_may_be_zero(samples: ModuleType) -> None:
    report = samples.sample()
    report["fixes"][0]["effect"]["lower"] = 0.0
    assert headline(report) == "No single fix stands out"
    report["fixes"] = []
    assert headline(report) == "No single fix stands out"


def test_headline_with_assumed_fixes_only(samples: ModuleType) -> None:
    report = samples.sample()
    report["fixes"] = [fix for fix in report["fixes"] if fix["block"] == "assumed"]
    report["tests"] |= {"n_kept": 0}
    assert headline(report).startswith(
        "No single fix stands out; saved drop-outs would count most at “Product page”"
    )
    assert "no_difference" in keys(words.findings(report, "en"))
    assert any(row["params"].get("n_tested") == 48 for row in words.findings(report, "en"))


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((4500, 80, 0), "Drop-off is not the problem: 98% of journeys reach the goal"),
        ((700, 20, 500), "Drop-off is not the problem: an estimated 97% of journeys reach the goal"),
        ((0, 400, 10), "No journey reaches the goal “Order”"),
        ((400, 0, 0), "Every journey reaches the goal: nothing is lost on the way"),
        ((0, 0, 400), "All journeys are still open: too early to say what is lost"),
        ((3, 3, 0), "Too few journeys to name a fix: there are 6"),
        ((1, 0, 0), "Too few journeys to name a fix: there is 1"),
    ],
)
def test_headline_when_the_end_states_decide(
    samples: ModuleType, ends: tuple[int, int, int], expected: str
) -> None:
    assert headline(samples.end_with(samples.sample(), *ends)) == expected


def test_headline_without_a_goal(samples: ModuleType) -> None:
    assert headline(samples.without_goal()).startswith("What 48,210 journeys look like")
    assert keys(words.findings(samples.without_goal(), "en")) == ["commonest_path", "commonest_move"]


def test_incidents_past_and_present(samples: ModuleType) -> None:
    past = samples.sample()["fixes"][1]
    ongoing = past | {"period": past["period"] | {"ongoing": True}}
    assert words.next_step(past, "en") == (
        "Find out what was wrong with “Payment” between 2\u00a0March and 15\u00a0March 2026, "
        "and make sure it cannot return"
    )
    assert words.next_step(ongoing, "en").startswith("Repair “Payment” now")
    assert words.fix_title(ongoing, "en") == "Repair “Payment”: more drop-out since 2\u00a0March 2026"
    assert "revienne" in words.next_step(past, "fr")
    both = past | {"segment": {"column": "platform", "value": "mobile"}}
    assert "(platform = mobile)" in words.fix_title(both, "en")
    report = samples.sample()
    report["fixes"] = [ongoing]
    assert headline(report).startswith("More customers leave at “Payment” since 2\u00a0March 2026")
    report["fixes"] = [past]
    assert headline(report).startswith(
        "More customers left at “Payment” between 2\u00a0March and 15\u00a0March 2026"
    )


def test_days_of_an_incident_are_those_of_the_log(samples: ModuleType) -> None:
    fix = samples.sample()["fixes"][1]
    fix["period"]["start"] = "2026-03-01T23:30:00Z"
    assert "1\u00a0March" in words.fix_title(fix, "en")
    assert "2\u00a0March" in words.fix_title(fix, "en", "Europe/Paris")


def test_next_step_of_an_uncertain_fix(samples: ModuleType) -> None:
    assert words.next_step(samples.sample()["fixes"][2], "en") == "Wait for more data: the gain may be zero"


def test_assumed_fixes_say_what_is_assumed(samples: ModuleType) -> None:
    assert (
        words.fix_title(samples.sample()["fixes"][3], "en") == "Save 20% of the drop-outs at “Product page”"
    )


def test_warnings(samples: ModuleType) -> None:
    sample, end_with = samples.sample, samples.end_with
    assert words.warnings_text(sample(), "en") == []
    assert keys(words.warnings_text(samples.six_cases(), "en")) == ["few_cases", "no_time"]
    assert keys(words.warnings_text(end_with(sample(), 0, 90, 10), "en")) == ["nothing_converted"]
    assert keys(words.warnings_text(end_with(sample(), 100, 0, 0), "en")) == ["all_converted"]
    assert keys(words.warnings_text(end_with(sample(), 30, 40, 30), "en")) == ["many_open"]
    assert keys(words.warnings_text(samples.without_goal(), "en")) == ["no_goal"]
    relative = sample()
    relative["log"]["clock"] = "relative"
    assert keys(words.warnings_text(relative, "en")) == ["relative_time"]


def test_rows_that_the_user_left_out_are_no_warning(samples: ModuleType) -> None:
    report = samples.sample()
    report["ledger"]["rejected"] = [{"rule": "filtered_out", "n": 100_000, "examples": []}]
    assert words.warnings_text(report, "en") == []
    report["ledger"]["rejected"] = [{"rule": "unreadable_time", "n": 100_000, "examples": []}]
    assert keys(words.warnings_text(report, "en")) == ["rows_lost"]
    assert words.quality(report, "en")[0]["level"] == "look"


def test_quality_levels(samples: ModuleType) -> None:
    levels = {row["key"]: row["level"] for row in words.quality(samples.sample(), "en")}
    assert levels["rows_read"] == levels["ties"] == levels["cases"] == "fine"
    assert levels["idle"] == "look"
    report = samples.sample()
    report["ledger"]["ties"] = {
        "n_tied_pairs": 9000,
        "decided_by": {"activity_name": 9000, "file_order": 0, "order_column": 0},
    }
    assert {row["key"]: row["level"] for row in words.quality(report, "en")}["ties"] == "look"
    report["ledger"]["ties"]["decided_by"] = {"some_new_rule": 9000}
    assert "stated rule" in {row["key"]: row["text"] for row in words.quality(report, "en")}["ties"]


@pytest.mark.parametrize("rule", LEDGER_RULES)
def test_ledger_rules_have_words(rule: str) -> None:
    for lang in ("en", "fr"):
        assert str(rule_name(rule, lang)) != rule


def test_an_unknown_rule_stands_for_itself() -> None:
    assert str(rule_name("brand_new <rule>", "fr")) == "brand_new <rule>"


def test_idle_rule() -> None:
    assert "30\u00a0days" in words.idle_rule(2592000, "given", "en")
    assert "chosen from the data" in words.idle_rule(2592000, "auto", "en")
    assert "no times" in words.idle_rule(None, "auto", "en")
    assert "30\u00a0jours" in words.idle_rule(2592000, "given", "fr")


def all_texts(report: dict[str, Any], lang: str) -> list[str]:
    out = [words.headline(report, lang)]
    for rows in (
        words.findings(report, lang),
        words.warnings_text(report, lang),
        words.quality(report, lang),
    ):
        out += [row["text"] for row in rows]
    return out + [part(fix, lang) for fix in report["fixes"] for part in (words.fix_title, words.next_step)]


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("kind", ["sample", "hostile", "without_goal", "six_cases"])
def test_no_text_claims_a_cause_or_leaves_a_field_open(samples: ModuleType, kind: str, lang: str) -> None:
    for text in all_texts(getattr(samples, kind)(), lang):
        assert text.strip() == text
        assert text
        assert "None" not in text
        assert "nan" not in text.split()
        if kind != "hostile":
            assert not CAUSAL.search(text), text
            assert "{" not in text


def test_params_do_not_depend_on_the_language(samples: ModuleType) -> None:
    english, french = (words.findings(samples.sample(), lang) for lang in ("en", "fr"))
    assert [(row["key"], row["params"]) for row in english] == [(row["key"], row["params"]) for row in french]
    assert (
        english[0]["params"]["converted"]
        == samples.sample()["log"]["end_states"]["converted"]["share"]["estimate"]
    )


def test_texts_can_be_written_as_json(samples: ModuleType) -> None:
    import json

    report = samples.hostile()
    rows = [words.findings(report, "fr"), words.quality(report, "fr"), words.warnings_text(report, "fr")]
    assert json.loads(json.dumps(rows)) == rows
