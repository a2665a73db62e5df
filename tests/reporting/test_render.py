"""The page: self-contained, escaped, complete, and every number is the one of `report.json`."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from journeymine.reporting.reader import resolve
from journeymine.reporting.render import fragment_fixes, render_html

if TYPE_CHECKING:
    from types import ModuleType

KINDS = ("sample", "hostile", "without_goal", "six_cases")
VOID = {"meta", "br", "hr", "img", "input", "link", "wbr"}
MAX_PAGE, MAX_FRAGMENT = 500_000, 150_000
MAX_CROWDED = 700_000
"""120 activities with names of 80 letters, each of which follows each: more than any log has."""


class Page(HTMLParser):
    """Tags in balance, texts by address, elements by name."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, str | None]] = []
        self.refs: list[tuple[str, str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == [], "tags left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append((tag, dict(attrs).get("data-ref")))
            if self.open[-1][1]:
                self.refs.append((str(self.open[-1][1]), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        parents = [name for name, _ in self.open]
        self.text.setdefault(parents[-1] if parents else "", []).append(data)
        if self.open and self.open[-1][1]:
            self.refs[-1] = (self.refs[-1][0], self.refs[-1][1] + data)


def page_of(samples: ModuleType, kind: str, lang: str) -> str:
    return render_html(getattr(samples, kind)(), lang)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_page_is_well_formed_small_and_self_contained(samples: ModuleType, kind: str, lang: str) -> None:
    text = page_of(samples, kind, lang)
    page = Page(text)
    assert len(text.encode()) <= MAX_PAGE
    names = {tag for tag, _ in page.tags}
    scripts = [attributes for tag, attributes in page.tags if tag == "script"]
    assert all(attributes in ({}, {"type": "application/json", "id": "map-data"}) for attributes in scripts)
    assert scripts.count({}) == 1
    assert names.isdisjoint({"img", "link", "iframe", "object", "embed", "base", "form"})
    for _, attributes in page.tags:
        assert not any(name.startswith("on") or name in {"style", "src"} for name in attributes)
    style = "".join(page.text["style"])
    assert not re.search(r"https?:|url\(|@import|expression", style)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    labels = [
        attributes.get("aria-labelledby") for _, attributes in page.tags if "aria-labelledby" in attributes
    ]
    assert set(labels) <= set(ids)
    assert f'<html lang="{lang}">' in text


@pytest.mark.parametrize("kind", ["sample", "without_goal", "six_cases"])
def test_no_address_of_any_kind(samples: ModuleType, kind: str) -> None:
    for text in (page_of(samples, kind, "en"), fragment_fixes(getattr(samples, kind)(), "en")):
        assert not re.search(r"https?:|//[a-z]|url\(|@import", text)


def test_the_policy_allows_this_style_sheet_and_nothing_else(samples: ModuleType) -> None:
    text = page_of(samples, "hostile", "en")
    style = text.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy.group(1).startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest}'" in policy.group(1)
    script = text.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy.group(1)
    assert len(script.encode()) <= 5_000
    assert "innerHTML" not in script
    assert "eval" not in script
    assert text.count("<style") == 1
    assert "unsafe" not in policy.group(1)


def test_hostile_names_stay_text(samples: ModuleType) -> None:
    text = page_of(samples, "hostile", "en")
    page = Page(text)
    shown = "".join(part for parts in page.text.values() for part in parts)
    for name in (
        "</script><img src=x onerror=alert(1)>",
        "<script>alert('title')</script>",
        "=cmd()|' /C calc'!A0",
    ):
        assert name in shown
        assert "<" not in name or name not in text
    assert "{{ 7*7 }}" in shown
    assert "49" not in re.findall(r"“(\d+)”", shown)
    assert "\x00" not in text
    assert "(no name)" in shown
    text.encode()
    assert "x" * 500 not in text  # a name of 10,000 letters is cut everywhere, also in titles


def shown_number(text: str, lang: str, address: str) -> tuple[float, float] | None:
    """Number and tolerance of a shown text; None for a day. Written without the package's own formatter."""
    plain = text.replace("\u202f", " ").replace("\u00a0", " ").replace("\u2212", "-").replace("×", "")
    if address in {"log.first", "log.last", "prediction.cut"} or re.search(r"period\.(start|end)$", address):
        return None
    plain = plain.replace(",", "") if lang == "en" else plain.replace(",", ".")
    found = re.fullmatch(
        r"([<>]?) ?([+-]?[\d .]*\d) ?(%|pt|s|min|minutes?|h|d|j|days?|jours?|hours?|heures?|)", plain.strip()
    )
    assert found, (address, text)
    digits = found.group(2).replace(" ", "")
    decimals = len(digits.partition(".")[2])
    unit = {"minutes": "min", "minute": "min", "hour": "h", "hours": "h", "heure": "h", "heures": "h", "day": "d",
            "days": "d", "jour": "d", "jours": "d", "j": "d"}.get(found.group(3), found.group(3))  # fmt: skip
    scale = {"%": 0.01, "pt": 0.01, "min": 60, "h": 3600}.get(unit, 1.0)
    if unit == "d":
        scale = 86400.0
    if not unit and (found.group(2)[0] in "+-" or address == "friction_score.largest_gap"):
        scale = 0.01  # points, whose unit stands at the estimate or in the sentence
    slack = 0.5 if not found.group(1) else 1.0
    return float(digits) * scale, slack * 10.0**-decimals * scale * 1.0001


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_address_resolves_and_the_shown_number_is_its_value(
    samples: ModuleType, kind: str, lang: str
) -> None:
    report = json.loads(json.dumps(getattr(samples, kind)()))
    page = Page(render_html(report, lang))
    assert len(page.refs) > 30
    for address, text in page.refs:
        value = resolve(report, address)
        assert value is not None, address
        shown = shown_number(text, lang, address)
        if shown is None:
            assert isinstance(value, str)
            continue
        assert not isinstance(value, str)
        assert abs(shown[0] - value) <= shown[1] + 1e-12, (address, text, value)


def test_the_numbers_that_matter_are_on_the_page(samples: ModuleType) -> None:
    addresses = {address for address, _ in Page(page_of(samples, "sample", "en")).refs}
    for i in range(10):
        for part in ("rank", "effect.estimate", "effect.lower", "effect.upper", "per_month.estimate"):
            assert f"fixes[{i}].{part}" in addresses
        for part in ("reach.estimate", "p_best", "rank_lower", "rank_upper", "audience.n", "drop.estimate"):
            assert f"fixes[{i}].{part}" in addresses
    for address in (
        "log.n_cases",
        "log.end_states.converted.share.estimate",
        "log.idle.half.dropped",
        "log.idle.double.open",
        "conversion.estimate",
        "tests.n_tested",
        "tests.n_kept",
        "ledger.rows_read",
        "ledger.rejected[0].n",
        "ledger.ties.decided_by.file_order",
        "variants[0].share.estimate",
        "activities[8].drop.estimate",
        "transitions[0].share.estimate",
        "provenance.seed",
    ):
        assert address in addresses, address


def test_same_input_same_bytes_and_the_input_is_left_alone(samples: ModuleType) -> None:
    report = samples.sample()
    before = json.dumps(report, sort_keys=True)
    assert render_html(report, "en") == render_html(samples.sample(), "en")
    assert json.dumps(report, sort_keys=True) == before
    shuffled = {key: report[key] for key in sorted(report, reverse=True)}
    assert render_html(shuffled, "fr") == render_html(report, "fr")


def test_both_languages_show_the_same_numbers(samples: ModuleType) -> None:
    english, french = (Page(page_of(samples, "sample", lang)) for lang in ("en", "fr"))
    # Sentences may order their fields otherwise, and a narrow bar may have room for one label only.
    assert {address for address, _ in english.refs} == {address for address, _ in french.refs}


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((980, 20, 0), "Drop-off is not the problem"),
        ((0, 500, 0), "No journey reaches the goal"),
        ((500, 0, 0), "Every journey reaches the goal"),
        ((0, 0, 500), "All journeys are still open"),
        ((1, 0, 0), "Too few journeys"),
    ],
)
def test_extreme_ends_render(samples: ModuleType, ends: tuple[int, int, int], expected: str) -> None:
    report = samples.end_with(samples.sample(), *ends)
    report["fixes"] = []
    page = Page(render_html(report, "en"))
    assert expected in "".join(page.text["h1"])
    headings = "".join(page.text["h2"])
    assert "There is no fix to rank" in headings


def test_nothing_is_empty(samples: ModuleType) -> None:
    text = page_of(samples, "without_goal", "en")
    assert "Fixes need a goal" in text
    assert "End states need a goal" in text
    report = samples.without_goal()
    report.update(variants=[], transitions=[], activities=report["activities"][:1])
    text = render_html(report, "en")
    assert "There are no paths to show" in text
    assert "there are no transitions to show" in text
    report["ledger"].update(rejected=[], noted=[])
    assert "Nothing was left out" in render_html(report, "en")


def test_a_report_with_hardly_anything_renders() -> None:
    report: dict[str, Any] = {"log": {"n_cases": 1, "end_states": None}, "fixes": []}
    for lang in ("en", "fr"):
        Page(render_html(report, lang))
        Page(fragment_fixes(report, lang))


def test_many_activities_and_fixes_stay_small(samples: ModuleType) -> None:
    report = samples.sample()
    names = [f"activity {i} " + "x" * 70 for i in range(120)]
    one = report["activities"][0]
    report["activities"] = [one | {"name": name, "n": 1000 + i} for i, name in enumerate(names)]
    share = report["transitions"][0]["share"]
    report["transitions"] = [
        {"source": a, "target": b, "n": 10, "n_cases": 10, "share": share, "wait_s": None}
        for a in names
        for b in names
    ]
    fix = report["fixes"][3]
    report["fixes"] = [fix | {"activity": name, "rank": i + 1} for i, name in enumerate(names)]
    text = render_html(report, "fr")
    assert len(text.encode()) <= MAX_CROWDED
    assert "fixes.csv" in text
    assert len(fragment_fixes(report, "fr").encode()) <= MAX_FRAGMENT
    Page(text)


def test_a_fragment_is_one_element_under_its_class(samples: ModuleType) -> None:
    text = fragment_fixes(samples.hostile(), "en")
    page = Page(text)
    assert page.tags[0] == ("div", {"class": "jm frag", "lang": "en"})
    assert text.rstrip().endswith("</div>")
    assert len(text.encode()) <= MAX_FRAGMENT
    assert page.refs == []
    for rule in re.findall(r"(?:^|\})\s*([^@{}]+)\{", "".join(page.text["style"])):
        assert all(".jm" in selector for selector in rule.split(",")), rule


def test_the_first_rows_of_the_forest_read_like_this(samples: ModuleType) -> None:
    text = page_of(samples, "sample", "en")
    row = text.split('<div class="fx" role="row">')[3]
    row = re.sub(r"<svg.*?</svg>", "", row, flags=re.DOTALL)
    words = " ".join(re.sub(r"<[^>]*>", " ", row.split("</section>")[0].split("<details>")[0]).split())
    assert words == (
        "3 Lose fewer customers at “ Delivery choice ” ( country = FR ) 18% drop out here ( 161 customers), "
        "14% in comparable segments Buy evidence: association +0.12 pt −0.03 to +0.27 9.7 a month "
        "Wait for more data: the gain may be zero"
    )


def test_stages_are_shown_by_name_not_by_id(samples: ModuleType) -> None:
    text = page_of(samples, "sample", "en")
    assert '<bdi class="nb">Buy</bdi>' in text
    assert ">Buy</text>" in text
    assert ">buy<" not in text
    report = samples.sample()
    report["stages"] = []
    assert '<bdi class="nb">buy</bdi>' in render_html(report, "en")
