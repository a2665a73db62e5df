"""Numbers, shares, points, durations and dates as people write them, in English and in French.

Own tables instead of the system locale, which is often missing in containers and would make the
bytes of a report depend on the machine. No-break spaces keep a number and its unit on one line.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, tzinfo
from typing import Final, Literal, TypeGuard

Lang = Literal["en", "fr"]
LANGUAGES: Final[tuple[Lang, ...]] = ("en", "fr")

MINUS: Final = "\u2212"
NARROW: Final = "\u202f"
NBSP: Final = "\u00a0"
DASH: Final = "\u2013"
MISSING: Final = DASH

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

_MONTHS: Final[dict[str, tuple[str, ...]]] = {
    "en": (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    "fr": (
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ),
}
_UNITS: Final[dict[str, dict[str, str]]] = {
    "en": {"s": "s", "min": "min", "h": "h", "d": "d"},
    "fr": {"s": "s", "min": "min", "h": "h", "d": "j"},
}
_LONG_UNITS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "en": {
        "s": ("second", "seconds"),
        "min": ("minute", "minutes"),
        "h": ("hour", "hours"),
        "d": ("day", "days"),
    },
    "fr": {
        "s": ("seconde", "secondes"),
        "min": ("minute", "minutes"),
        "h": ("heure", "heures"),
        "d": ("jour", "jours"),
    },
}


def is_number(value: object) -> TypeGuard[float]:
    """Whether `value` can be shown as a number: a finite int or float, not a bool."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def plural(n: float, lang: str) -> str:
    """Plural class of a count: English one/other; French one for 0 and 1.

    Examples
    --------
    >>> plural(0, "en"), plural(0, "fr"), plural(1, "en"), plural(2, "fr")
    ('other', 'one', 'one', 'other')
    """
    return "one" if (abs(n) < 2 if lang == "fr" else n == 1) else "other"


def number(value: float | None, lang: str, digits: int = 0) -> str:
    r"""Write a number with thousands separators and a true minus.

    Examples
    --------
    >>> number(48210, "en"), number(-0.744, "en", 2)
    ('48,210', '−0.74')
    >>> number(48210.5, "fr", 1)
    '48\u202f210,5'
    """
    if not is_number(value):
        return MISSING
    text = f"{abs(value):,.{digits}f}"
    if lang == "fr":
        text = text.replace(",", NARROW).replace(".", ",")
    is_zero = not any(character in "123456789" for character in text)
    return text if value >= 0 or is_zero else MINUS + text


def amount(value: float | None, lang: str) -> str:
    """Write a quantity that is an estimate: whole from 10 on, two significant digits below.

    Examples
    --------
    >>> amount(357.4, "en"), amount(3.42, "fr"), amount(-0.034, "en")
    ('357', '3,4', '−0.034')
    """
    if not is_number(value):
        return MISSING
    size = abs(value)
    if size >= 9.95 or size == 0:
        return number(value, lang)
    digits = next((d for d in (1, 2, 3) if size >= 0.95 * 10.0 ** (1 - d)), 3)
    return number(value, lang, digits)


def money(value: float | None, lang: str, unit: str | None = None) -> str:
    r"""Write an amount of money: a plain number, and the unit if there is one.

    Examples
    --------
    >>> money(12345.6, "en", "EUR")
    '12,346\xa0EUR'
    """
    text = number(value, lang, 0 if not is_number(value) or abs(value) >= 9.995 else 2)
    return f"{text}{NBSP}{unit}" if unit and text != MISSING else text


def share(value: float | None, lang: str, digits: int | None = None) -> str:
    r"""Write a fraction as per cent: two significant digits under 10 %, whole per cents above.

    A share that is not quite all or not quite none is never rounded to all or none. `digits` fixes the
    number of decimals.

    Examples
    --------
    >>> share(0.0804, "en"), share(0.464, "en"), share(0.0093, "en"), share(0.998, "en")
    ('8.0%', '46%', '0.93%', '99.8%')
    >>> share(0.08, "fr")
    '8,0\u202f%'
    """
    if not is_number(value):
        return MISSING
    sign = f"{NARROW}%" if lang == "fr" else "%"
    size = abs(value) * 100
    if digits is not None:
        return number(value * 100, lang, digits) + sign
    if 0 < size < 0.01:
        return f"<{NBSP if lang == 'fr' else ''}{number(0.01, lang, 2)}{sign}"
    if 99.95 <= size < 100:
        return f">{NBSP if lang == 'fr' else ''}{number(99.9, lang, 1)}{sign}"
    return number(value * 100, lang, _share_digits(size)) + sign


def _share_digits(size: float) -> int:
    """Decimals of a per cent figure."""
    if size == 0 or size == 100:
        return 0
    if size < 9.95:
        return 2 if size < 0.995 else 1
    return 1 if 99.5 <= size < 100 else 0


def share_digits(lower: float, upper: float) -> int | None:
    """Decimals that two bounds of a share need to be told apart; None where the usual ones will do.

    Examples
    --------
    >>> share_digits(0.786, 0.793), share_digits(0.5, 0.7)
    (1, None)
    """
    if lower == upper or share(lower, "en") != share(upper, "en"):
        return None
    return next((d for d in (1, 2, 3) if share(lower, "en", d) != share(upper, "en", d)), 3)


def points_digits(*values: float) -> int:
    """Decimals of per cent points: two below ten points, one above, the same within an interval.

    Examples
    --------
    >>> points_digits(0.0074, 0.0099), points_digits(0.0074, 0.152)
    (2, 1)
    """
    return 1 if max((abs(v) for v in values if is_number(v)), default=0.0) >= 0.0995 else 2


def signed(value: float | None, lang: str, digits: int = 2) -> str:
    """Write a number with its sign; zero has none.

    Examples
    --------
    >>> signed(0.74, "en"), signed(-0.74, "fr"), signed(0.001, "en")
    ('+0.74', '−0,74', '0.00')
    """
    text = number(value, lang, digits)
    plus = is_number(value) and value > 0 and any(c in "123456789" for c in text)
    return f"+{text}" if plus else text


def points(value: float | None, lang: str, digits: int | None = None) -> str:
    r"""Write a difference of two shares in per cent points.

    Examples
    --------
    >>> points(0.0074, "en"), points(-0.0074, "fr")
    ('+0.74\xa0pt', '−0,74\xa0pt')
    """
    if not is_number(value):
        return MISSING
    return f"{signed(value * 100, lang, points_digits(value) if digits is None else digits)}{NBSP}pt"


def interval(lower: str, upper: str, lang: str) -> str:
    """Join two bounds that are already written.

    Examples
    --------
    >>> interval("+0.49", "+0.99", "en"), interval("+0,49", "+0,99", "fr")
    ('+0.49 to +0.99', 'de +0,49 à +0,99')
    """
    return f"de {lower} à {upper}" if lang == "fr" else f"{lower} to {upper}"


def duration(seconds: float | None, lang: str, *, long: bool = False) -> str:
    r"""Write a duration in the unit that suits it.

    Parameters
    ----------
    seconds
        The duration.
    lang
        Language.
    long
        Write the unit as a word, for sentences.

    Examples
    --------
    >>> duration(240, "en"), duration(181440, "en"), duration(181440, "fr"), duration(0.4, "en")
    ('4\xa0min', '2.1\xa0d', '2,1\xa0j', '0.4\xa0s')
    >>> duration(2592000, "en", long=True), duration(86400, "fr", long=True)
    ('30\xa0days', '24\xa0heures')
    """
    if not is_number(seconds):
        return MISSING
    unit, value = _duration_unit(abs(seconds))
    has_decimal = round(value, 1) != round(value) and value < 9.95
    text = number(math.copysign(value, seconds), lang, 1 if has_decimal else 0)
    if long:
        return f"{text}{NBSP}{_LONG_UNITS[lang][unit][plural(round(value, 1), lang) != 'one']}"
    return f"{text}{NBSP}{_UNITS[lang][unit]}"


def _duration_unit(seconds: float) -> tuple[str, float]:
    """Choose the unit: 90 seconds, 90 minutes and 48 hours are where the next one begins."""
    if seconds < 90:
        return "s", seconds
    if seconds < 90 * MINUTE:
        return "min", seconds / MINUTE
    if seconds < 48 * HOUR:
        return "h", seconds / HOUR
    return "d", seconds / DAY


def parse_time(text: object, zone: str | None = None) -> datetime | None:
    """Read an ISO 8601 time of `report.json` into the time zone of the log; None if it is none."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(_zone(zone))
    except (ValueError, OverflowError):
        return None


def _zone(name: str | None) -> tzinfo:
    if not name or name.upper() == "UTC":
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def date(text: object, lang: str, zone: str | None = None, *, year: bool = True) -> str:
    r"""Write the day of an ISO 8601 time.

    Examples
    --------
    >>> date("2026-09-01T02:00:00Z", "en"), date("2026-09-01T02:00:00Z", "fr")
    ('1\xa0September 2026', '1er\xa0septembre 2026')
    """
    moment = parse_time(text, zone)
    return MISSING if moment is None else _day(moment, lang, month=True, year=year)


def period_parts(first: object, last: object, lang: str, zone: str | None = None) -> tuple[str, str, str]:
    r"""Write a period as (first day, separator, last day), leaving out what the two days share.

    Examples
    --------
    >>> "".join(period_parts("2026-09-01T00:00:00Z", "2026-09-30T23:00:00Z", "en"))
    '1–30\xa0September 2026'
    >>> "".join(period_parts("2026-09-01T00:00:00Z", "2026-09-01T23:00:00Z", "fr"))
    '1er\xa0septembre 2026'
    """
    start, end = parse_time(first, zone), parse_time(last, zone)
    if start is None or end is None:
        known = start or end
        return ("", "", MISSING if known is None else _day(known, lang, month=True, year=True))
    full = _day(end, lang, month=True, year=True)
    if start.date() == end.date():
        return ("", "", full)
    if (start.year, start.month) == (end.year, end.month):
        return (_day(start, lang), DASH, full)
    same_year = start.year == end.year
    return (_day(start, lang, month=True, year=not same_year), f" {DASH} ", full)


def period(first: object, last: object, lang: str, zone: str | None = None) -> str:
    r"""Write a period of days.

    Examples
    --------
    >>> period("2026-03-02T00:00:00Z", "2026-04-16T00:00:00Z", "en")
    '2\xa0March – 16\xa0April 2026'
    """
    return "".join(period_parts(first, last, lang, zone))


def _day(moment: datetime, lang: str, *, month: bool = False, year: bool = False) -> str:
    text = "1er" if lang == "fr" and moment.day == 1 else str(moment.day)
    if month:
        text += f"{NBSP}{_MONTHS[lang][moment.month - 1]}"
    return f"{text} {moment.year}" if year else text


def level(value: float, lang: str) -> str:
    r"""Name of an interval.

    Examples
    --------
    >>> level(0.95, "en"), level(0.95, "fr")
    ('95% CI', 'IC à 95\u202f%')
    """
    text = share(value, lang)
    return f"IC à {text}" if lang == "fr" else f"{text} CI"
