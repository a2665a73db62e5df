"""Every error journeymine raises on purpose, and the one place where their wording is decided.

An error says three things: what is wrong with the value, what was found or expected, and what to do.
Each class carries the exit code that the command line ends with.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LISTED = 12
MAX_SHOWN = 120


class JourneymineError(Exception):
    """Base of all errors raised on purpose.

    Parameters
    ----------
    problem
        What is wrong, with the value. One sentence.
    found
        What was found, or what was expected.
    hint
        What to do about it.

    Examples
    --------
    >>> print(OptionError("level is 1.5, expected a number between 0 and 1.", hint="pass level=0.95."))
    level is 1.5, expected a number between 0 and 1.
    Hint: pass level=0.95.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, problem: str, *, found: str | None = None, hint: str | None = None) -> None:
        self.problem, self.found, self.hint = problem, found, hint
        lines = [problem]
        if found:
            lines.append(f"Found: {found}")
        if hint:
            lines.append(f"Hint: {hint}")
        super().__init__("\n".join(lines))


class OptionError(JourneymineError):
    """A parameter has a value that cannot be used."""

    exit_code = 2


class SpecError(JourneymineError):
    """The configuration is wrong; names the key, the value and the allowed values."""

    exit_code = 2


class SourceError(JourneymineError):
    """A file, folder, table or query cannot be opened."""

    exit_code = 2


class LogSchemaError(JourneymineError):
    """A column that was named is not in the log."""

    exit_code = 2


class OutputError(JourneymineError):
    """The output folder cannot be used: foreign, or not writable."""

    exit_code = 2


class MissingExtraError(JourneymineError):
    """An optional dependency is needed; the hint is the install line."""

    exit_code = 2


class DataError(JourneymineError):
    """The data cannot be used: empty, truncated, not a log, no readable time."""

    exit_code = 3


class NotEnoughDataError(DataError):
    """A method needs more data than there is."""


class EngineError(JourneymineError):
    """The engine refused a query; carries the SQL.

    Attributes
    ----------
    engine
        Name of the engine.
    sql
        The text that was sent.
    """

    def __init__(self, problem: str, *, engine: str, sql: str, hint: str | None = None) -> None:
        super().__init__(problem, hint=hint)
        self.engine, self.sql = engine, sql


class EngineLimitError(EngineError):
    """The engine ran out of memory or disk, or cannot do what was asked."""


class ConvergenceError(JourneymineError):
    """An iteration did not converge."""


def shown(value: object) -> str:
    """Quote a value for a message, cut to a readable length.

    Examples
    --------
    >>> shown("a" * 500)[:10], len(shown("a" * 500)) < 150
    ("'aaaaaaaaa", True)
    """
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}… ({len(text)} characters)"


def listed(values: Iterable[object]) -> str:
    """List values for a message, at most twelve of them."""
    items = [str(v) if len(str(v)) <= MAX_SHOWN else f"{str(v)[:MAX_SHOWN]}…" for v in values]
    more = len(items) - MAX_LISTED
    return ", ".join(items[:MAX_LISTED]) + (f" and {more} more" if more > 0 else "")


def did_you_mean(value: str, known: Iterable[str]) -> str | None:
    """The known value most like `value`, if any is close.

    Examples
    --------
    >>> did_you_mean("timestmp", ["case_id", "timestamp"])
    'timestamp'
    """
    names = list(known)
    same = [name for name in names if name.casefold() == value.casefold()]
    if same:
        return same[0]
    close = difflib.get_close_matches(value, names, n=1, cutoff=0.6)
    if close:
        return close[0]
    folded = {n.casefold(): n for n in names}
    close = difflib.get_close_matches(value.casefold(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def unknown_name(kind: str, value: str, *, where: str = "") -> str:
    """Sentence for a name that is not among the known ones (first line of an error)."""
    return f"{kind} {shown(value)} not found{f' in {where}' if where else ''}."


def suggestion(value: str, known: Iterable[str], fallback: str) -> str:
    """Hint for a misspelt name: the closest known one, else `fallback`."""
    close = did_you_mean(value, known)
    return f"did you mean {shown(close)}?" if close else fallback
