"""Numbers, shares, points, durations and dates in both languages, against examples written by hand."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymine import _format as fmt

N, B = "\u202f", "\u00a0"  # narrow no-break space, no-break space


@pytest.mark.parametrize(
    ("value", "digits", "en", "fr"),
    [
        (48210, 0, "48,210", f"48{N}210"),
        (0.744, 2, "0.74", "0,74"),
        (-1234.5, 1, "\u22121,234.5", f"\u22121{N}234,5"),
        (-0.001, 2, "0.00", "0,00"),
        (12_345_678_901, 0, "12,345,678,901", f"12{N}345{N}678{N}901"),
        (None, 0, "–", "–"),
        (math.nan, 0, "–", "–"),
        (math.inf, 1, "–", "–"),
    ],
)
def test_number(value: float | None, digits: int, en: str, fr: str) -> None:
    assert fmt.number(value, "en", digits) == en
    assert fmt.number(value, "fr", digits) == fr


@pytest.mark.parametrize(
    ("value", "en", "fr"),
    [
        (0.08, "8.0%", f"8,0{N}%"),
        (0.0804, "8.0%", f"8,0{N}%"),
        (0.0993, "9.9%", f"9,9{N}%"),
        (0.0996, "10%", f"10{N}%"),
        (0.0093, "0.93%", f"0,93{N}%"),
        (0.464, "46%", f"46{N}%"),
        (0, "0%", f"0{N}%"),
        (1, "100%", f"100{N}%"),
        (0.998, "99.8%", f"99,8{N}%"),
        (0.99999, ">99.9%", f">{B}99,9{N}%"),
        (0.00001, "<0.01%", f"<{B}0,01{N}%"),
        (None, "–", "–"),
    ],
)
def test_share(value: float | None, en: str, fr: str) -> None:
    assert fmt.share(value, "en") == en
    assert fmt.share(value, "fr") == fr


@given(st.floats(0, 1))
def test_only_none_and_all_are_shown_as_such(value: float) -> None:
    shown = fmt.share(value, "en")
    assert (shown == "0%") == (value * 100 == 0)
    assert (shown == "100%") == (value * 100 >= 100)


@given(st.floats(0.0001, 0.9994))
def test_a_share_is_right_to_the_digit_shown(value: float) -> None:
    text = fmt.share(value, "en").removesuffix("%")
    decimals = len(text.partition(".")[2])
    assert abs(float(text) / 100 - value) <= 0.5 * 10**-decimals / 100 + 1e-12


@given(st.floats(0, 1), st.floats(0, 1))
def test_different_bounds_look_different(one: float, other: float) -> None:
    low, high = sorted((one, other))
    if high - low > 2e-5:
        digits = fmt.share_digits(low, high)
        assert fmt.share(low, "en", digits) != fmt.share(high, "en", digits)


@pytest.mark.parametrize(
    ("value", "en", "fr"),
    [
        (0.0074, f"+0.74{B}pt", f"+0,74{B}pt"),
        (-0.0074, f"\u22120.74{B}pt", f"\u22120,74{B}pt"),
        (0.0, f"0.00{B}pt", f"0,00{B}pt"),
        (0.152, f"+15.2{B}pt", f"+15,2{B}pt"),
    ],
)
def test_points(value: float, en: str, fr: str) -> None:
    assert fmt.points(value, "en") == en
    assert fmt.points(value, "fr") == fr


def test_interval() -> None:
    assert fmt.interval("+0.49", "+0.99", "en") == "+0.49 to +0.99"
    assert fmt.interval("+0,49", "+0,99", "fr") == "de +0,49 à +0,99"
    assert fmt.level(0.95, "en") == "95% CI"
    assert fmt.level(0.95, "fr") == f"IC à 95{N}%"


@pytest.mark.parametrize(
    ("seconds", "en", "fr", "long_en", "long_fr"),
    [
        (0, "0 s", "0 s", "0 seconds", "0 seconde"),
        (0.4, "0.4 s", "0,4 s", "0.4 seconds", "0,4 seconde"),
        (45, "45 s", "45 s", "45 seconds", "45 secondes"),
        (240, "4 min", "4 min", "4 minutes", "4 minutes"),
        (5400, "1.5 h", "1,5 h", "1.5 hours", "1,5 heure"),
        (86400, "24 h", "24 h", "24 hours", "24 heures"),
        (181440, "2.1 d", "2,1 j", "2.1 days", "2,1 jours"),
        (2592000, "30 d", "30 j", "30 days", "30 jours"),
        (86400 * 1000, "1,000 d", f"1{N}000 j", "1,000 days", f"1{N}000 jours"),
    ],
)
def test_duration(seconds: float, en: str, fr: str, long_en: str, long_fr: str) -> None:
    blank = lambda text: text.replace(" ", B)  # noqa: E731
    assert fmt.duration(seconds, "en") == blank(en)
    assert fmt.duration(seconds, "fr") == blank(fr)
    assert fmt.duration(seconds, "en", long=True) == blank(long_en)
    assert fmt.duration(seconds, "fr", long=True) == blank(long_fr)


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_durations_keep_their_order(one: float, other: float) -> None:
    seconds = {"s": 1, "min": 60, "h": 3600, "d": 86400}

    def back(value: float) -> float:
        number, unit = fmt.duration(value, "en").split(B)
        return float(number.replace(",", "")) * seconds[unit]

    low, high = sorted((one, other))
    assert back(low) <= back(high) * 1.051 + 0.051


@pytest.mark.parametrize(
    ("first", "last", "en", "fr"),
    [
        ("2026-09-01", "2026-09-30", "1–30 September 2026", "1er–30 septembre 2026"),
        ("2026-09-01", "2026-09-01", "1 September 2026", "1er septembre 2026"),
        ("2026-03-02", "2026-04-16", "2 March – 16 April 2026", "2 mars – 16 avril 2026"),
        (
            "2025-12-31",
            "2026-01-01",
            "31 December 2025 – 1 January 2026",
            "31 décembre 2025 – 1er janvier 2026",
        ),
    ],
)
def test_period(first: str, last: str, en: str, fr: str) -> None:
    ends = (f"{first}T08:00:00Z", f"{last}T20:00:00Z")
    assert fmt.period(*ends, "en").replace(B, " ") == en
    assert fmt.period(*ends, "fr").replace(B, " ") == fr


def test_days_are_those_of_the_time_zone_of_the_log() -> None:
    late = "2026-03-28T23:30:00Z"
    assert fmt.date(late, "en") == f"28{B}March 2026"
    assert fmt.date(late, "en", "Europe/Paris") == f"29{B}March 2026"
    assert fmt.date(late, "en", "no/such zone") == f"28{B}March 2026"


@pytest.mark.parametrize(
    "broken", [None, "", "soon", 3, "2026-13-01", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
)
def test_times_that_cannot_be_read_never_raise(broken: object) -> None:
    assert isinstance(fmt.date(broken, "fr", "America/New_York"), str)
    assert isinstance(fmt.period(broken, None, "en"), str)


def test_money_and_amounts() -> None:
    assert fmt.money(12345.6, "fr", "EUR") == f"12{N}346{B}EUR"
    assert fmt.money(3.456, "en") == "3.46"
    assert [fmt.amount(v, "en") for v in (357.4, 9.97, 3.42, 0, -0.2)] == [
        "357",
        "10",
        "3.4",
        "0",
        "\u22120.20",
    ]
    assert [fmt.amount(v, "fr") for v in (0.034, 0.0004, 0.96)] == ["0,034", "0,000", "1,0"]


def test_plural_classes() -> None:
    assert [fmt.plural(n, "en") for n in (0, 1, 1.5, 2)] == ["other", "one", "other", "other"]
    assert [fmt.plural(n, "fr") for n in (0, 1, 1.5, 2)] == ["one", "one", "one", "other"]


@given(st.floats(allow_nan=True, allow_infinity=True), st.sampled_from(["en", "fr"]))
def test_any_float_is_written_without_a_locale(value: float, lang: str) -> None:
    for text in (
        fmt.number(value, lang, 1),
        fmt.share(value, lang),
        fmt.points(value, lang),
        fmt.duration(value, lang),
    ):
        assert text
        assert not re.search(r"nan|inf|e[+-]\d", text)
