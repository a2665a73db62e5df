"""Labels: make them safe to draw, cut them, wrap them, guess their width.

Labels are the user's: event names may hold newlines, control characters, half an emoji or ten megabytes.
"""

from __future__ import annotations

import unicodedata
from typing import Final

LABEL_MAX: Final = 80
TITLE_MAX: Final = 400
ELLIPSIS: Final = "…"
REPLACEMENT: Final = "\ufffd"

_BLANKS: Final = frozenset("\t\n\r\x0b\x0c\x85\u2028\u2029")
_NARROW: Final = frozenset("fijlrtI.,:;!|'()[]{} -")
_WIDE: Final = frozenset("mwMW@%—…ABCDEFGHKNOPQRSUVXYZ0123456789&")


def clean(text: object, limit: int = TITLE_MAX) -> str:
    r"""Make text that XML can hold: blanks for line breaks, a mark for what cannot be shown.

    Examples
    --------
    >>> clean("two\nlines"), clean("nul\x00"), clean("", 10)
    ('two lines', 'nul�', '')
    """
    head = str(text)[: limit + 1]
    shown = "".join(_clean_character(character) for character in head)
    return shown if len(head) <= limit else _shorten(shown, limit)


def _clean_character(character: str) -> str:
    if character in _BLANKS:
        return " "
    # Control characters, halves of surrogate pairs and non-characters have no place in XML.
    if unicodedata.category(character) in {"Cc", "Cs"} or ord(character) & 0xFFFE == 0xFFFE:
        return REPLACEMENT
    return character


def cut(text: object, limit: int = LABEL_MAX) -> str:
    """Clean a label and cut it at `limit` characters.

    Examples
    --------
    >>> cut("Account sign-in", 8), cut("Basket", 8)
    ('Account…', 'Basket')
    """
    return clean(text, limit)


def _shorten(text: str, limit: int) -> str:
    kept = text[: limit - 1]
    # Do not leave a joiner or an accent without the character it belongs to.
    while kept and (kept[-1] == "\u200d" or unicodedata.category(kept[-1]) in {"Mn", "Me"}):
        kept = kept[:-1]
    return kept.rstrip() + ELLIPSIS


def text_width(text: str, size: float, weight: int = 400) -> float:
    """Guess the width of a text in px, a little on the generous side for the fonts of the page.

    Examples
    --------
    >>> text_width("Basket", 10) < text_width("Account sign-in", 10)
    True
    """
    return sum(_character_width(character) for character in text) * size * (1.06 if weight >= 600 else 1.0)


def _character_width(character: str) -> float:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0.0
    if unicodedata.east_asian_width(character) in {"W", "F"}:
        return 1.05
    if character in _NARROW:
        return 0.34
    return 0.68 if character in _WIDE else 0.58


def wrap(text: object, width: float, size: float, *, lines: int = 2, weight: int = 400) -> tuple[str, ...]:
    """Break a label into at most `lines` lines that fit `width` px; what is left over is cut.

    Examples
    --------
    >>> wrap("Stop losing customers at Sign-in", 120, 12)
    ('Stop losing', 'customers at Sign-in')
    >>> wrap("Stop losing customers at Sign-in", 60, 12)
    ('Stop', 'losing c…')
    """
    words = _breakable(cut(text), width, size, weight)
    out: list[str] = []
    for word in words:
        joined = f"{out[-1]} {word}" if out else word
        if out and text_width(joined, size, weight) <= width:
            out[-1] = joined
        else:
            out.append(word)
    if len(out) <= lines:
        return tuple(out)
    return (*out[: lines - 1], fit(" ".join(out[lines - 1 :]), width, size, weight=weight))


def fit(text: object, width: float, size: float, *, weight: int = 400) -> str:
    """Cut a label so that it fits one line of `width` px.

    Examples
    --------
    >>> fit("Account sign-in", 60, 12), fit("Basket", 60, 12)
    ('Account…', 'Basket')
    """
    shown = cut(text)
    if text_width(shown, size, weight) <= width:
        return shown
    n = len(shown)
    while n > 1 and text_width(_shorten(shown, n), size, weight) > width:
        n -= 1
    return _shorten(shown, n)


def _breakable(text: str, width: float, size: float, weight: int) -> list[str]:
    """Words; a word wider than the line is broken."""
    words: list[str] = []
    for word in text.split(" "):
        rest = word
        while rest and text_width(rest, size, weight) > width:
            n = max(
                1,
                next(
                    i
                    for i in range(len(rest), 0, -1)
                    if i == 1 or text_width(rest[:i], size, weight) <= width
                ),
            )
            words.append(rest[:n])
            rest = rest[n:]
        if rest:
            words.append(rest)
    return words
