"""Validators of the configuration; each refusal carries its own hint to `_spec_errors`."""

from __future__ import annotations

import codecs
import re
import zoneinfo
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError

from journeymine._checks import as_tuple, duration_us, time_us
from journeymine.errors import OptionError, shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

REFUSED = "journeymine"


def refusal(problem: str, hint: str | None = None) -> PydanticCustomError:
    """Build an error that pydantic gives a place, and `_spec_errors` a wording."""
    # The template is constant: braces inside values must not be taken for fields.
    return PydanticCustomError(REFUSED, "{problem}", {"problem": problem, "hint": hint})


def names(value: Any) -> tuple[str, ...]:
    """One text or several."""
    try:
        return as_tuple(value, name="it")
    except OptionError as error:
        raise refusal(error.problem.removeprefix("it "), error.hint) from None


def steps(value: Any) -> tuple[str, ...]:
    """One text or several in order; the same may stand twice."""
    names(value)
    return (value,) if isinstance(value, str) else tuple(value)


def tables(value: Any) -> Any:
    """`[[…]]`: an array of tables."""
    if not isinstance(value, (list, tuple)):
        raise refusal(f"is {shown(value)}, expected an array of tables.", "write [[…]] with two brackets.")
    return tuple(value)


def idle(value: Any) -> str:
    """Check the text "auto" or a duration."""
    if value != "auto":
        try:
            duration_us(value, name="idle")
        except OptionError as error:
            hint = f'{error.hint or ""} Or "auto".'.strip()
            raise refusal(error.problem.removeprefix("idle "), hint) from None
    return str(value)


def duration(value: Any) -> str:
    """Check a duration."""
    try:
        duration_us(value, name="it")
    except OptionError as error:
        raise refusal(error.problem.removeprefix("it "), error.hint) from None
    return str(value)


def funnel_steps(value: Any) -> Any:
    """Steps in order; each is an activity or a list of activities."""
    if isinstance(value, str) or not isinstance(value, (list, tuple)):
        hint = 'write steps = ["A", "B", ["C", "D"]]: activities in order, a list where any of them will do.'
        raise refusal(f"is {shown(value)}, expected a list of activities.", hint)
    return tuple(value)


def pairs(value: Any) -> Any:
    """Pairs of activities."""
    if not isinstance(value, (list, tuple)) or not all(
        isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in value
    ):
        hint = 'write never = [["Subscribed", "Opened"]].'
        raise refusal(f"is {shown(value)}, expected pairs of two activities.", hint)
    return tuple(tuple(pair) for pair in value)


def timezone(value: Any) -> str:
    """Name of a time zone of the IANA data base."""
    try:
        zoneinfo.ZoneInfo(value)
    except (KeyError, ValueError, TypeError, OSError):
        known = zoneinfo.available_timezones()
        problem = f"is {shown(value)}, which is not the name of a time zone."
        raise refusal(
            problem, suggestion(str(value), sorted(known), 'write a name like "Europe/Paris".')
        ) from None
    return str(value)


def encoding(value: Any) -> str:
    """Name of a text encoding."""
    try:
        codecs.lookup(value)
    except (LookupError, TypeError, ValueError):
        problem = f"is {shown(value)}, which is not a known encoding."
        raise refusal(problem, 'write "utf-8", "latin-1", "cp1252" or "utf-16".') from None
    return str(value)


def pattern(value: Any) -> Any:
    """Check that a text is a regular expression."""
    if isinstance(value, str):
        try:
            re.compile(value)
        except (re.error, RecursionError, OverflowError) as error:
            problem = f"is {shown(value)}, which is not a regular expression: {error}."
            raise refusal(
                problem, "write patterns in 'single quotes', where a backslash stays one."
            ) from None
    return value


def replacement(expression: str, replace: str) -> None:
    """Check that the groups that a replacement names are in the pattern."""
    try:
        re.sub(expression, replace, "")
    except (re.error, IndexError) as error:
        raise refusal(
            f"has replace {shown(replace)}, which does not fit pattern {shown(expression)}: {error}."
        ) from None


def number(value: Any) -> float:
    """A number that is not infinite."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < float("inf"):
        raise refusal(f"is {shown(value)}, expected a number.", "write it without quotes.")
    return float(value)


def positive(value: Any) -> float:
    """A number above 0."""
    if number(value) <= 0:
        raise refusal(f"is {shown(value)}, expected a number above 0.")
    return float(value)


def share(value: Any) -> float:
    """A number from 0 to 1."""
    if not 0 <= number(value) <= 1:
        raise refusal(f"is {shown(value)}, expected a number from 0 to 1.", "write 20 % as 0.2.")
    return float(value)


def segment(value: Any) -> tuple[str, str]:
    """A column and one of its values."""
    if isinstance(value, dict) and set(value) == {"column", "value"}:
        value = (value["column"], value["value"])
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not all(isinstance(v, str) for v in value):
        hint = 'write segment = { column = "platform", value = "mobile" }, or ["platform", "mobile"].'
        raise refusal(f"is {shown(value)}, expected a column and a value.", hint)
    return value[0], value[1]


def period(value: Any) -> tuple[str, str]:
    """First day or moment, and the end, which is excluded; as texts or as dates of TOML."""
    hint = 'write period = ["2026-02-18", "2026-03-08"]: the first day, and the day after the last.'
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise refusal(f"is {shown(value)}, expected two times.", hint)
    texts = [v.isoformat() if isinstance(v, (date, datetime)) else v for v in value]
    try:
        first, last = (time_us(text) for text in texts)
    except OptionError as error:
        raise refusal(f"holds {error.problem.replace(' is ', ', which is ')}", hint) from None
    if first >= last:
        raise refusal(f"is {shown(tuple(texts))}, expected an end after its start.", hint)
    return texts[0], texts[1]


def fits_together(make: Callable[[], object]) -> None:
    """Check that what was given for a fix fits together; what it refuses is said of its table."""
    try:
        make()
    except OptionError as error:
        # "share is 2, expected …" is said of a key; here the table is the subject.
        problem = re.sub(r"^(\w+) is ", r"has \1 ", error.problem)
        raise refusal(problem, error.hint) from None


def at_most_one(where: str, options: Mapping[str, object]) -> None:
    """Check that at most one of some keys is given."""
    given = [key for key, value in options.items() if value]
    if len(given) > 1:
        raise refusal(f"has both {' and '.join(f'{where}.{key}' for key in given)}.", "keep one of them.")


def unique(where: str, key: str, values: Iterable[str]) -> None:
    """Check that no value comes twice."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise refusal(f"has two {where} entries with {key} {shown(value)}.", f"give each its own {key}.")
        seen.add(value)


def no_repeats(where: str, groups: Iterable[tuple[str, Iterable[str]]]) -> None:
    """Check that no activity belongs to two groups."""
    owner: dict[str, str] = {}
    for name, members in groups:
        for member in members:
            if member in owner:
                problem = (
                    f"puts activity {shown(member)} into {where} {shown(owner[member])} and {shown(name)}."
                )
                raise refusal(problem, "an activity belongs to one at most.")
            owner[member] = name
