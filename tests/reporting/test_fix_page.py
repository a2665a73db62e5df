"""The first section of the page: complete, escaped, and every number is the one of report.json."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from journeymine.draw.forest import ForestRow, effect_axis
from journeymine.reporting.reader import Reader, resolve
from journeymine.reporting.render import fragment_fixes, render_html
from journeymine.reporting.views.fixes import fixes_view

if TYPE_CHECKING:
    from types import ModuleType

MAX_FRAGMENT = 150_000
"""Bytes of an output in a notebook (design note, section 14)."""


class Section(HTMLParser):
    """Addresses with their text, and all tags, of the fixes section."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.refs: list[tuple[str, str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.shown = ""
        self.open: list[tuple[str, bool]] = []
        begin = text.index('<section id="fixes">')
        self.feed(text[begin : text.index("</section>", begin) + len("</section>")])
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        ref = found.get("data-ref")
        self.tags.append((tag, found))
        self.open.append((tag, bool(ref)))
        if ref:
            self.refs.append((ref, ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        self.shown += data
        if self.open and self.open[-1][1]:
            self.refs[-1] = (self.refs[-1][0], self.refs[-1][1] + data)


def section(report: dict[str, Any], lang: str = "en") -> Section:
    return Section(render_html(report, lang))


def number(text: str, lang: str) -> tuple[float, int, str]:
    """Number, decimals and unit of a shown text, read without the package's own formatter."""
    plain = text.replace("\u202f", "").replace("\u00a0", "").replace("\u2212", "-").strip()
    plain = plain.replace(",", "") if lang == "en" else plain.replace(",", ".")
    found = re.fullmatch(r"[<>]?([+-]?[\d.]+)(%|pt|d|j|)", plain)
    assert found, text
    return float(found.group(1)), len(found.group(1).partition(".")[2]), found.group(2)


IN_POINTS = re.compile(r"(effect|simultaneous|largest|exposure|mde|sum_of_singles|regret|impact)")


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("money", [False, True])
def test_every_address_resolves_and_the_shown_number_is_its_value(
    rankings: ModuleType, lang: str, money: bool
) -> None:
    report = json.loads(json.dumps(rankings.report(money=money)))
    page = section(report, lang)
    assert len(page.refs) > 500
    for address, text in page.refs:
        value = resolve(report, address)
        assert value is not None, address
        if isinstance(value, str):
            continue
        shown, decimals, unit = number(text, lang)
        in_money = money and address.endswith("regret")
        in_points = unit == "pt" or (not unit and not in_money and IN_POINTS.search(address))
        scale = 0.01 if in_points or unit == "%" else 1.0
        assert abs(shown * scale - value) <= 0.5001 * 10.0**-decimals * scale, (address, text, value)


def test_the_numbers_that_matter_have_addresses(rankings: ModuleType) -> None:
    addresses = {address for address, _ in section(rankings.report(money=True)).refs}
    for i in range(25):
        for part in (
            "rank",
            "effect.estimate", "effect.lower", "effect.upper", "per_month.estimate", "p_best", "rank_lower",
            "money_per_month.estimate", "reach.estimate", "audience.n", "net_value.estimate", "net_value.lower",
            "regret", "p_positive", "simultaneous.lower", "cost",
        ):  # fmt: skip
            assert f"fixes[{i}].{part}" in addresses, (i, part)
    assert {
        "ranking.evpi", "ranking.placebo.n_splits", "ranking.sets[0].effect.estimate", "ranking.sets[0].sum_of_singles",
        "ranking.calibration.slope.estimate", "fixes[0].plan.n_per_arm", "fixes[0].e_value", "fixes[0].e_value_bound",
        "fixes[0].effect_rho[0].effect", "fixes[12].rho_zero", "fixes[12].rice.score", "fixes[12].rho_break_even",
    } <= addresses  # fmt: skip


def test_both_languages_show_the_same_numbers(rankings: ModuleType) -> None:
    report = rankings.report(money=True)
    english, french = (section(report, lang).refs for lang in ("en", "fr"))
    assert {address for address, _ in english} == {address for address, _ in french}


def test_blocks_stand_in_order_and_hold_all_fixes(rankings: ModuleType) -> None:
    view = fixes_view(Reader(rankings.report(), "en"))
    assert [block["kind"] for block in view["blocks"]] == ["found", "user", "assumed"]
    assert [len(block["all"]) for block in view["blocks"]] == [12, 3, 10]
    for block in view["blocks"]:
        assert block["rows"] + block["more"] == block["all"]
    page = section(rankings.report())
    assert page.shown.index("Found in your data") < page.shown.index("Your ideas")
    numbers = [text for address, text in page.refs if re.fullmatch(r"fixes\[\d+\]\.rank", address)]
    assert {int(text) for text in numbers} == set(range(1, 26))


def test_ranks_that_run_across_blocks_keep_their_numbers(rankings: ModuleType) -> None:
    ranking = rankings.many()
    mixed = rankings.numbered(list(ranking.fixes[::-1]))
    view = fixes_view(Reader(rankings.report(rankings.FixRanking(mixed)), "en"))
    shown = {block["kind"]: [int(row["number"].value) for row in block["all"]] for block in view["blocks"]}
    assert shown["assumed"] == list(range(1, 11))
    assert shown["user"] == [11, 12, 13]
    assert shown["found"] == list(range(14, 26))


def test_the_dot_is_hollow_exactly_where_the_interval_contains_zero(rankings: ModuleType) -> None:
    report = rankings.report()
    view = fixes_view(Reader(report, "en"))
    rows = [row for block in view["blocks"] for row in block["all"]]
    for fix, row in zip(report["fixes"], rows, strict=True):
        hollow = 'class="fcard' in row["strip"] or "var(--card)" in row["strip"]
        assert hollow is (fix["effect"]["lower"] <= 0 <= fix["effect"]["upper"])
        assert row["sure"] is not hollow


def test_what_is_not_known_is_not_shown(rankings: ModuleType) -> None:
    plain, money = (fixes_view(Reader(rankings.report(money=known), "en")) for known in (False, True))
    assert plain["sets"] is None
    assert plain["rice"] is None or all(row["number"].value == 13 for row in plain["rice"]["rows"])
    assert "Net value" not in " ".join(map(str, plain["decision"]["columns"]))
    assert [str(column) for column in money["decision"]["columns"]][:3] == [
        "Net value, 12 months", "Cost", "Gain above cost, probability",
    ]  # fmt: skip
    assert [int(row["number"].value) for row in money["rice"]["rows"]] == [13, 14]
    assert [str(row["names"]) for row in money["sets"]["rows"]] == ["1 and 2", "1, 2 and 13"]


def test_hostile_names_stay_text(rankings: ModuleType) -> None:
    report = rankings.hostile()
    for text in (render_html(report, "en"), render_html(report, "fr"), fragment_fixes(report, "en")):
        for name in ("<img src=x", "<script>alert", "<i>x</i>", "<b>bold</b>"):
            assert name not in text
        assert "{{ 7*7 }}" in text
    page = section(report)
    assert "(no name)" in page.shown
    assert not re.search(r"\bNone\b|\bnan\b", page.shown)
    assert "<script>alert('idea')</script>" in page.shown
    names = {tag for tag, _ in page.tags}
    assert names.isdisjoint({"script", "img", "iframe", "select"})
    for _, attributes in page.tags:
        assert not any(key.startswith("on") or key == "style" for key in attributes)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_rows_open_and_are_labelled(rankings: ModuleType, lang: str) -> None:
    page = section(rankings.report(money=True), lang)
    ids = [str(attributes["id"]) for _, attributes in page.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    labels = {
        attributes["aria-labelledby"] for _, attributes in page.tags if attributes.get("aria-labelledby")
    }
    assert labels <= set(ids)
    spans = [attributes["aria-colspan"] for _, attributes in page.tags if "aria-colspan" in attributes]
    assert spans == ["6"] * 25
    names = [tag for tag, _ in page.tags]
    assert names.count("details") == names.count("summary")


def test_one_fix_and_none(rankings: ModuleType) -> None:
    assert "One fix stands out" in section(rankings.report(rankings.one())).shown
    empty = section(rankings.report(rankings.none()))
    assert "There is no fix to rank" in empty.shown
    assert "How far to trust" not in empty.shown
    assert "details" not in {tag for tag, _ in empty.tags}


def test_a_sure_idea_of_the_user_stands_out(rankings: ModuleType) -> None:
    ideas = rankings.FixRanking(rankings.numbered(rankings.ideas()[:1]))
    assert "One fix stands out" in section(rankings.report(ideas)).shown


def test_other_outcomes_have_their_own_axis(rankings: ModuleType) -> None:
    view = fixes_view(Reader(rankings.report(outcome="time"), "en"))
    assert str(view["axis_label"]) == "Days saved, 95% CI"
    row = ForestRow(number=1, title="", estimate=2.0, lower=1.0, upper=3.0, scale=1.0)
    assert effect_axis([row], 0, 100).ticks == (0.0, 1.0, 2.0, 3.0)
    assert (
        max(effect_axis([ForestRow(number=1, title="", estimate=0.02, lower=0.01, upper=0.03)], 0, 100).ticks)
        == 3.0
    )


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_fragment_stays_small(rankings: ModuleType, lang: str) -> None:
    fixes = rankings.many(money=True).fixes
    crowd = rankings.FixRanking(rankings.numbered([*fixes, *fixes]), unit_of_value="money")
    report = rankings.report(crowd)
    text = fragment_fixes(report, lang)
    assert len(text.encode()) <= MAX_FRAGMENT
    assert "data-ref" not in text
    assert render_html(report, lang).count("<details>") > text.count("<details>")


def test_same_input_same_bytes(rankings: ModuleType) -> None:
    report = rankings.report(money=True)
    before = json.dumps(report, sort_keys=True)
    assert render_html(report, "fr") == render_html(rankings.report(money=True), "fr")
    assert json.dumps(report, sort_keys=True) == before
