"""Checks of the values that users pass; every refusal is an OptionError with a hint."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, get_args

from journeymine.errors import OptionError, listed, shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable

UNITS_US = {
    "s": 1_000_000,
    "min": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
DURATION_EXAMPLES = '"45min", "12h", "30d" or "2w" (units: s, min, h, d, w)'
MAX_DURATION_US = 2**62
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-zµ]+)", re.ASCII)


def duration_us(value: str | timedelta, *, name: str = "idle") -> int:
    """Microseconds of a duration.

    Parameters
    ----------
    value
        A number with a unit (s, min, h, d, w), for example "30d", or a timedelta. Must be positive.
    name
        What the error calls it.

    Examples
    --------
    >>> duration_us("45min")
    2700000000
    """
    if isinstance(value, timedelta):
        return _positive(value // timedelta(microseconds=1), value, name)
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise OptionError(
            f"{name} is {shown(value)}, expected a duration.",
            hint=f"write a number and a unit, like {DURATION_EXAMPLES}.",
        )
    number, unit = match.groups()
    if unit not in UNITS_US:
        hint = (
            'write "min" for minutes; months have no fixed length, so count days ("30d").'
            if unit in {"m", "M"}
            else None
        )
        raise OptionError(
            f"{name} is {shown(value)}: unit {shown(unit)} is not known.",
            hint=hint or f"write a number and a unit, like {DURATION_EXAMPLES}.",
        )
    # Decimal: 0.1 s is exactly 100,000 µs.
    return _positive(int(Decimal(number) * UNITS_US[unit]), value, name)


def check_level(level: float, *, name: str = "level") -> float:
    """Check a confidence level or error rate: strictly between 0 and 1.

    Examples
    --------
    >>> check_level(0.95)
    0.95
    """
    if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 < level < 1:
        raise OptionError(
            f"{name} is {shown(level)}, expected a number between 0 and 1.", hint=f"pass {name}=0.95."
        )
    return float(level)


def check_choice(name: str, value: str, allowed: Any) -> str:
    """Check that a value is one of those of a Literal alias (or of any collection of texts).

    Examples
    --------
    >>> check_choice("lang", "fr", ("en", "fr"))
    'fr'
    """
    known: tuple[str, ...] = get_args(allowed) or tuple(allowed)
    if value not in known:
        choices = listed(shown(k) for k in known)
        raise OptionError(
            f"{name} is {shown(value)}, expected one of {choices}.",
            hint=suggestion(str(value), known, f"pass one of {choices}."),
        )
    return value


def as_tuple(value: str | Iterable[str] | None, *, name: str = "value") -> tuple[str, ...]:
    """Put one text or several into a tuple without repetitions, in the order given; None is none.

    Examples
    --------
    >>> as_tuple("Order"), as_tuple(["a", "b"]), as_tuple(None)
    (('Order',), ('a', 'b'), ())
    """
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, (dict, bytes)) or not hasattr(value, "__iter__"):
        raise OptionError(f"{name} is {shown(value)}, expected a text or a list of texts.")
    items = tuple(value)
    for item in items:
        if not isinstance(item, str):
            raise OptionError(f"{name} holds {shown(item)}, expected texts only.", hint="put it in quotes.")
    return tuple(dict.fromkeys(items))


def _positive(microseconds: int, value: object, name: str) -> int:
    if not 0 < microseconds < MAX_DURATION_US:
        raise OptionError(
            f"{name} is {shown(value)}, expected a duration above zero.", hint=f"write {DURATION_EXAMPLES}."
        )
    return microseconds


def time_us(value: Any) -> int:
    """Microseconds since 1970 of a date or time, in UTC unless it says otherwise.

    Examples
    --------
    >>> time_us("1970-01-02"), time_us("1970-01-01T01:00+01:00")
    (86400000000, 0)
    """
    given = value
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, datetime):
        hint = "write dates like 2026-01-31 or 2026-01-31T12:00."
        raise OptionError(f"{shown(given)} is not a time.", hint=hint)
    moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
