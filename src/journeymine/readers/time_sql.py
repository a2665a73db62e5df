"""SQL that turns written times into moments, one builder per way of writing them.

Every builder takes an SQL expression of text (or number) and returns `Moment`: microseconds since 1970 UTC, NULL where
the value cannot be read, and an expression that says whether the value lacks an offset.
"""

from __future__ import annotations

from dataclasses import dataclass

UNITS = {
    "ns": (1, 1000),
    "us": (1, 1),
    "ms": (1000, 1),
    "s": (1_000_000, 1),
    "min": (60_000_000, 1),
    "h": (3_600_000_000, 1),
    "d": (86_400_000_000, 1),
}
UNIT_NAMES = {
    "ns": "nanoseconds",
    "us": "microseconds",
    "ms": "milliseconds",
    "s": "seconds",
    "min": "minutes",
    "h": "hours",
    "d": "days",
}
# 1800-01-01 and 2200-01-01 in microseconds since 1970.
LOWEST_US, HIGHEST_US = -5_364_662_400_000_000, 7_258_118_400_000_000

_YEAR = r"(18|19|20|21)\d{2}"  # the years that count; what lies outside is a mistake or a stand-in
_CLOCK = r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?"
_HALF = r"[AaPp]\.?[Mm]\.?"
_OFFSET = r"(Z|z|UTC|GMT|[+-](0\d|1[0-5])(:?[0-5]\d)?)"
_TIME = rf"(,?[Tt ]\s*{_CLOCK}(\s*{_OFFSET}| ?{_HALF})?)?"
_STRICT_NAIVE = rf"{_YEAR}-\d{{2}}-\d{{2}}([T ]\d{{2}}:\d{{2}}(:\d{{2}}(\.\d+)?)?)?"
_SECONDS = r":\d{2}(\.\d+)?"
_STRICT_OFFSET = rf"{_YEAR}-\d{{2}}-\d{{2}}[T ]\d{{2}}:\d{{2}}{_SECONDS}(Z|[+-](0\d|1[0-5]):?[0-5]\d)"
ISO = rf"\s*{_YEAR}[-/.]\d{{1,2}}[-/.]\d{{1,2}}{_TIME}\s*"
DAY_MONTH = rf"\s*\d{{1,2}}[-/.]\d{{1,2}}[-/.]{_YEAR}{_TIME}\s*"
SHORT_YEAR = rf"\s*\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{2}}{_TIME}\s*"
COMPACT = rf"\s*{_YEAR}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([T ]?([01]\d|2[0-3])[0-5]\d([0-5]\d)?Z?)?\s*"
WHOLE = r"\s*[+-]?\d+\s*"
NUMBER = r"\s*[+-]?(\d+(\.\d*)?|\.\d+)\s*"
WORDS = tuple(
    f"{prefix}{date}{clock}{offset}"
    for date in ("%d %b %Y", "%d-%b-%Y", "%d/%b/%Y", "%b %d, %Y", "%b %d %Y", "%d %B %Y", "%B %d, %Y")
    for prefix in ("", "%a, ", "%a ")
    for clock in (
        "",
        " %H:%M",
        " %H:%M:%S",
        " %H:%M:%S.%f",
        ":%H:%M:%S",
        ", %H:%M:%S",
        " %I:%M %p",
        " %I:%M:%S %p",
    )
    for offset in (("", " %z") if clock else ("",))
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in SQL.

    Attributes
    ----------
    us
        Microseconds since 1970 UTC, or NULL.
    naive
        Whether the value lacks an offset.
    """

    us: str
    naive: str


def full_match(text: str, pattern: str) -> str:
    """Whether all of a text matches."""
    return f"regexp_full_match({text}, '{pattern}')"


def local(timestamp: str, zone: str) -> str:
    """Microseconds of a time without offset, read in a zone (an SQL text literal)."""
    return f"epoch_us({timestamp})" if zone == "'UTC'" else f"epoch_us(timezone({zone}, {timestamp}))"


def bounded(us: str) -> str:
    """Microseconds, or NULL outside the years 1800 to 2199."""
    return f"CASE WHEN {us} BETWEEN {LOWEST_US} AND {HIGHEST_US} THEN {us} END"


def native(column: str, kind: str, zone: str) -> Moment:
    """A column that already is a time."""
    nanoseconds = kind.endswith("_NS")
    if kind.startswith(("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ")):
        return Moment(bounded(_floored(column) if nanoseconds else f"epoch_us({column})"), "FALSE")
    stamp = f"CAST({column} AS TIMESTAMP)"
    if nanoseconds:
        stamp = f"make_timestamp({_floored(column)})"
    return Moment(bounded(local(stamp, zone)), f"({column} IS NOT NULL)")


def _floored(column: str) -> str:
    """Microseconds of a timestamp in nanoseconds; a cast would round them."""
    ns = f"epoch_ns({column})"
    return f"(({ns} - (({ns} % 1000) + 1000) % 1000) // 1000)"


def iso(text: str, zone: str) -> Moment:
    """Year first: ISO 8601 and its looser relatives; an offset is respected row by row."""
    loose = _written(text, r"^\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2}).*$", r"\1-\2-\3", zone)
    sql = (
        f"CASE WHEN {full_match(text, _STRICT_NAIVE)} THEN {local(f'TRY_CAST({text} AS TIMESTAMP)', zone)} "
        f"WHEN {full_match(text, _STRICT_OFFSET)} THEN epoch_us(TRY_CAST({text} AS TIMESTAMPTZ)) "
        f"WHEN {full_match(text, ISO)} THEN {loose} END"
    )
    return Moment(sql, _lacks_offset(text))


def day_month(text: str, zone: str, *, day_first: bool) -> Moment:
    """Day and month before a year of four digits, in either order."""
    order = r"\3-\2-\1" if day_first else r"\3-\1-\2"
    written = _written(text, r"^\s*(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}).*$", order, zone)
    return Moment(f"CASE WHEN {full_match(text, DAY_MONTH)} THEN {written} END", _lacks_offset(text))


def day_month_part(text: str, group: int) -> str:
    """First or second number of a day-and-month date, NULL for anything else."""
    number = f"CAST(regexp_extract({text}, '^\\s*(\\d{{1,2}})[-/.](\\d{{1,2}})', {group}) AS INTEGER)"
    return f"CASE WHEN {full_match(text, DAY_MONTH)} THEN {number} END"


def _written(text: str, pattern: str, order: str, zone: str) -> str:
    """Put a matching text into one form and let the engine read that."""
    date = f"regexp_replace({text}, '{pattern}', '{order} ', 's')"
    clock = f"coalesce(nullif(replace(regexp_extract({text}, '{_CLOCK}'), ',', '.'), ''), '0:00')"
    half = f"regexp_extract({text}, '\\d ?([AaPp])\\.?[Mm]', 1)"
    offset = f"regexp_extract({text}, ':\\d{{2}}([.,]\\d+)?\\s*{_OFFSET}\\s*$', 2)"
    twelve = ", ".join(f"'%Y-%m-%d %I:%M{seconds} %p'" for seconds in ("", ":%S", ":%S.%f"))
    seconds = f"CASE WHEN regexp_matches({text}, ':\\d{{2}}:\\d{{2}}') THEN '' ELSE ':00' END"
    by_halves = f"try_strptime({date} || {clock} || ' ' || {half} || 'M', [{twelve}])"
    return (
        f"CASE WHEN {half} <> '' THEN {local(by_halves, zone)} "
        f"WHEN {offset} <> '' THEN epoch_us(TRY_CAST({date} || {clock} || {seconds} || "
        f"regexp_replace({offset}, 'z|UTC|GMT', 'Z') AS TIMESTAMPTZ)) "
        f"ELSE {local(f'TRY_CAST({date} || {clock} AS TIMESTAMP)', zone)} END"
    )


def _lacks_offset(text: str) -> str:
    return f"({text} IS NOT NULL AND NOT regexp_matches({text}, ':\\d{{2}}([.,]\\d+)?\\s*{_OFFSET}\\s*$'))"


def compact(text: str, zone: str) -> Moment:
    """Digits only: yyyymmdd, with or without hours, minutes and seconds."""
    digits = f"regexp_replace({text}, '[^0-9]', '', 'g')"
    parts = [f"substr({digits}, {start}, 2)" for start in (5, 7)]
    clock = f"rpad(substr({digits}, 9), 6, '0')"
    stamp = (
        f"TRY_CAST(substr({digits}, 1, 4) || '-' || {parts[0]} || '-' || {parts[1]} || ' ' || substr({clock}, 1, 2) "
        f"|| ':' || substr({clock}, 3, 2) || ':' || substr({clock}, 5, 2) AS TIMESTAMP)"
    )
    is_utc = f"trim({text}) LIKE '%Z'"
    us = f"CASE WHEN {is_utc} THEN epoch_us({stamp}) ELSE {local(stamp, zone)} END"
    return Moment(
        f"CASE WHEN {full_match(text, COMPACT)} THEN {us} END", f"({text} IS NOT NULL AND NOT {is_utc})"
    )


def strptime(text: str, time_format: str, zone: str) -> Moment:
    """Read a format given by the user (an SQL text literal)."""
    if "%z" in time_format:  # the engine's %z knows no Z
        with_digits = f"regexp_replace(trim({text}), '[Zz]$', '+0000')"
        return Moment(bounded(f"epoch_us(try_strptime({with_digits}, {time_format}))"), "FALSE")
    stamp = f"try_strptime(trim({text}), {time_format})"
    if "%Z" in time_format:
        return Moment(bounded(f"epoch_us({stamp})"), "FALSE")
    return Moment(bounded(local(stamp, zone)), f"({text} IS NOT NULL)")


def whole_number(number: str, unit: str) -> str:
    """Microseconds of a whole number of units since 1970, floored; NULL outside the years that count."""
    times, divided = UNITS[unit]
    low, high = -(-LOWEST_US * divided // times), HIGHEST_US * divided // times
    if divided == 1:
        value = f"CAST({number} AS BIGINT) * {times}"
    else:
        exact = f"CAST({number} AS BIGINT)"
        value = f"({exact} - (({exact} % {divided}) + {divided}) % {divided}) // {divided}"
    return f"CASE WHEN {number} >= {low} AND {number} < {high} THEN {value} END"


def real_number(number: str, unit: str) -> str:
    """Microseconds of a fractional number of units, to the nearest: more a floating-point number does not hold."""
    times, divided = UNITS[unit]
    us = f"CAST({number} AS DOUBLE) * {times} / {divided}"
    return f"CASE WHEN {us} >= {LOWEST_US} AND {us} < {HIGHEST_US} THEN CAST(round({us}) AS BIGINT) END"


def written_number(text: str, unit: str) -> str:
    """Microseconds of a number written as text."""
    whole, real = f"TRY_CAST({text} AS BIGINT)", f"TRY_CAST({text} AS DOUBLE)"
    return (
        f"CASE WHEN {full_match(text, WHOLE)} THEN {whole_number(whole, unit)} "
        f"WHEN {full_match(text, NUMBER)} THEN {real_number(real, unit)} END"
    )
