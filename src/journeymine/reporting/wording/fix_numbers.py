"""Effects in the unit of their outcome, and lists in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.reporting.phrases import Shown, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader

LISTED: Final = 4
"""A longer list ends in "and so many others"."""
PARTS: Final = ("estimate", "lower", "upper")
PLAIN: Final = ("revenue", "time")
"""Outcomes whose effects are amounts; all others are changes of a share, shown in points."""


def outcome_of(report: Reader) -> str:
    """The outcome that effects are about: "conversion", "revenue" or "time"."""
    found = report.value("ranking.outcome")
    return found if found in PLAIN else "conversion"


def effect_shown(fix: Reader, address: str, outcome: str) -> tuple[Shown, Shown, Shown]:
    """Show an effect and its two bounds in the unit of the outcome."""
    if outcome not in PLAIN:
        return fix.effect(address)
    return amounts_shown(fix, address, outcome)


def amounts_shown(fix: Reader, address: str, outcome: str = "") -> tuple[Shown, Shown, Shown]:
    """Show a difference of amounts and its two bounds, with as many decimals each."""
    digits = _digits(*[fix.value(f"{address}.{part}") for part in PARTS])
    estimate, lower, upper = (_signed(fix, f"{address}.{part}", digits, outcome) for part in PARTS)
    return estimate, lower, upper


def effect_number(fix: Reader, address: str, outcome: str) -> Shown:
    """Show one effect that has no interval of its own."""
    value = fix.value(address)
    if outcome in PLAIN:
        return _signed(fix, address, _digits(value), outcome)
    return Shown(fmt.points(value, fix.lang), value, ref_of(fix, address))


def bounds_shown(fix: Reader, address: str, outcome: str) -> Sentence:
    """Show two bounds that have no estimate between them."""
    values = {part: fix.value(f"{address}.{part}") for part in ("lower", "upper")}
    digits = _digits(*values.values()) if outcome in PLAIN else fmt.points_digits(*values.values())
    scale = 1 if outcome in PLAIN else 100
    return fix.say(
        "interval",
        **{
            part: Shown(
                fmt.signed(scale * value, fix.lang, digits) if fmt.is_number(value) else fmt.MISSING,
                value,
                ref_of(fix, f"{address}.{part}"),
            )
            for part, value in values.items()
        },
    )


def times_shown(fix: Reader, address: str) -> Shown | None:
    """Show a factor; None where there is none."""
    value = fix.value(address)
    if not fmt.is_number(value):
        return None
    return Shown(fmt.number(value, fix.lang, 1), value, ref_of(fix, address))


def ref_of(fix: Reader, address: str) -> str | None:
    """Address of a number in report.json."""
    return f"{fix.prefix}{address}" if fix.has_refs and fix.value(address) is not None else None


def _signed(fix: Reader, address: str, digits: int, outcome: str) -> Shown:
    value = fix.value(address)
    text = fmt.signed(value, fix.lang, digits)
    is_estimate = not address.endswith((".lower", ".upper"))
    if outcome == "time" and is_estimate and text != fmt.MISSING:
        text = say("fix_days", fix.lang, value=text).text.replace(" ", fmt.NBSP)
    return Shown(text, value, ref_of(fix, address))


def _digits(*values: Any) -> int:
    """Decimals that show two digits of the largest amount, at most four."""
    largest = max((abs(value) for value in values if fmt.is_number(value)), default=0.0)
    if largest >= 10:
        return 1 if largest < 100 else 0
    return next((d for d in (2, 3) if largest >= 0.95 * 10.0 ** (1 - d) or largest == 0), 4)


def listed(items: Sequence[Any], lang: str) -> Any:
    """Join names or numbers in words; a long list is cut and says by how much.

    Examples
    --------
    >>> str(listed(["2", "3", "5"], "en")), str(listed(list("123456"), "en"))
    ('2, 3 and 5', '1, 2, 3 and 3 others')
    """
    if len(items) > LISTED:
        rest = len(items) - LISTED + 1
        first = _with_commas(items[: LISTED - 1], lang)
        return say("fix_list_rest", lang, first=first, n=Shown(fmt.number(rest, lang), rest))
    if len(items) < 2:
        return items[0] if items else ""
    return say("fix_list_and", lang, first=_with_commas(items[:-1], lang), last=items[-1])


def _with_commas(items: Sequence[Any], lang: str) -> Any:
    out = items[0]
    for item in items[1:]:
        out = say("fix_list_comma", lang, first=out, last=item)
    return out
