"""Durations, levels, choices and lists of texts: what is taken and how the rest is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymine._checks import UNITS_US, as_tuple, check_choice, check_level, duration_us, time_us
from journeymine.errors import OptionError

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1),
        ("45min", 2700),
        ("12h", 43_200),
        ("30d", 2_592_000),
        ("2w", 1_209_600),
        (" 30 d ", 2_592_000),
        ("1.5h", 5400),
    ],
)
def test_durations_are_read_exactly(text: str, seconds: int) -> None:
    assert duration_us(text) == seconds * SECOND
    assert duration_us(timedelta(seconds=seconds)) == seconds * SECOND


def test_decimal_durations_are_not_floats() -> None:
    assert duration_us("0.1s") == 100_000
    assert duration_us("0.3s") == 300_000


@pytest.mark.parametrize(
    "value",
    [
        "",
        "30",
        "d",
        "-3d",
        "0d",
        "30 days",
        "3m",
        "1e5d",
        "nan",
        "30d 2h",
        "٣d",
        "9" * 40 + "d",
        30,
        None,
        b"30d",
        timedelta(0),
        timedelta(days=-1),
    ],
)
def test_other_durations_are_refused_with_a_hint(value: Any) -> None:
    with pytest.raises(OptionError) as caught:
        duration_us(value, name="idle")
    assert caught.value.hint
    assert "idle is" in caught.value.problem


def test_minutes_and_months_are_told_apart() -> None:
    with pytest.raises(OptionError, match='write "min" for minutes'):
        duration_us("3m")


@given(st.integers(1, 10_000), st.sampled_from(sorted(UNITS_US)))
def test_text_and_timedelta_agree(number: int, unit: str) -> None:
    assert duration_us(f"{number}{unit}") == duration_us(timedelta(microseconds=number * UNITS_US[unit]))


@pytest.mark.parametrize("level", [0, 1, -0.1, 1.5, float("nan"), True, "0.95", None])
def test_levels_lie_between_zero_and_one(level: Any) -> None:
    assert check_level(0.9) == 0.9
    with pytest.raises(OptionError, match="expected a number between 0 and 1"):
        check_level(level)


def test_choices_are_suggested() -> None:
    colours = Literal["red", "green"]
    assert check_choice("colour", "green", colours) == "green"
    with pytest.raises(OptionError, match="did you mean 'green'") as caught:
        check_choice("colour", "grean", colours)
    assert "'red', 'green'" in caught.value.problem


def test_lists_keep_their_order_and_lose_repetitions() -> None:
    assert as_tuple(["b", "a", "b"]) == ("b", "a")
    assert as_tuple(x for x in "ab") == ("a", "b")
    assert as_tuple("ab") == ("ab",)


@pytest.mark.parametrize("value", [3, {"a": 1}, b"a", ["a", 1]])
def test_other_lists_are_refused(value: Any) -> None:
    with pytest.raises(OptionError):
        as_tuple(value)


@pytest.mark.parametrize(
    "value",
    [
        "1970-01-02",
        "1970-01-02T01:00+01:00",
        date(1970, 1, 2),
        datetime(1970, 1, 2),
        datetime(1970, 1, 2, tzinfo=UTC),
        datetime(1970, 1, 1, 23, tzinfo=timezone(timedelta(hours=-1))),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(value: Any) -> None:
    assert time_us(value) == 86_400 * SECOND


@pytest.mark.parametrize("value", ["yesterday", "", 5, None, True])
def test_other_times_are_refused_with_a_hint(value: Any) -> None:
    with pytest.raises(OptionError, match="Hint: write dates like 2026-01-31"):
        time_us(value)


@given(st.datetimes(datetime(1800, 1, 1), datetime(2199, 1, 1)))
def test_times_are_exact_to_the_microsecond(moment: datetime) -> None:
    assert datetime(1970, 1, 1) + timedelta(microseconds=time_us(moment)) == moment
