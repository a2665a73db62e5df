"""Separated text, record by record: the exact rule for what is a row and what is not.

A field is quoted or not. A quoted field may hold separators, line ends and doubled quotes, and nothing but
blanks may stand outside its quotes. An unquoted field holds anything but separators and line ends. A quote that
is never closed spoils its own line only: reading goes on with the line after it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_OPEN_BYTES = 1 << 28


@dataclass(frozen=True, slots=True)
class Shape:
    """Tell how the fields of a line are parted. No separator means runs of blanks.

    Examples
    --------
    >>> Shape(b";", b'"').name
    "separator ';'"
    """

    separator: bytes
    quote: bytes

    @property
    def name(self) -> str:
        """The separator for people."""
        named = {b"\t": "tab-separated", b"": "separated by blanks"}
        quoted = ", quotes '" if self.quote == b"'" else ""
        return named.get(self.separator, f"separator {self.separator.decode()!r}") + quoted


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its text, and its fields unless it cannot be read.

    `fields` is None for a record with a misplaced quote; `open` says that a quote was never closed. A `plain`
    record is known to have the wanted number of fields and one reading only; its fields are not taken apart.
    """

    text: bytes
    fields: tuple[bytes, ...] | None
    open: bool = False
    plain: bool = False


def fitted(fields: tuple[bytes, ...] | None, width: int) -> tuple[bytes, ...] | None:
    """Cut empty fields beyond the last column (lines that end in separators); None if the width is still wrong.

    Examples
    --------
    >>> fitted((b"1", b"", b""), 2), fitted((b"1", b"", b"x"), 2)
    ((b'1', b''), None)
    """
    if fields is None or len(fields) < width or any(fields[width:]):
        return None
    return fields[:width]


def physical_lines(stream: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Lines and their line ends (LF, CRLF or CR) from an iterator over LF-terminated lines."""
    for chunk in stream:
        body, end = (chunk[:-1], b"\n") if chunk.endswith(b"\n") else (chunk, b"")
        if b"\r" not in body:
            yield body, end
            continue
        if end and body.endswith(b"\r"):
            body, end = body[:-1], b"\r\n"
        *parts, last = body.split(b"\r")
        for part in parts:
            yield part, b"\r"
        if last or end:
            yield last, end


def records(lines: Iterable[tuple[bytes, bytes]], shape: Shape, width: int = 0) -> Iterator[Record]:
    """All records that are not blank; with a `width`, those that plainly have it are not taken apart."""
    source = _Pushback(lines)
    is_plain = _plain_line(shape, width).fullmatch if width and shape.separator else None
    white = _white(shape)
    for line, end in source:
        if is_plain and is_plain(line):
            yield Record(line, (), plain=True)
        elif not line.strip(white):
            continue
        elif not shape.separator:
            yield Record(line, tuple(line.split()))
        elif not shape.quote or shape.quote not in line:
            yield Record(line, tuple(line.split(shape.separator)))
        else:
            yield _quoted_record(line, end, source, shape)


def _plain_line(shape: Shape, width: int) -> re.Pattern[bytes]:
    """Lines of `width` fields that are quoted from end to end or hold no quote at all, and are not blank."""
    separator, quote = re.escape(shape.separator), re.escape(shape.quote)
    field = b"[^" + separator + quote + b"]*"
    if quote:
        field = b"(?:" + field + b"|%b[^%b]*(?:%b%b[^%b]*)*%b)" % ((quote,) * 6)
    return re.compile(b"(?=.*[^%b])" % _white(shape) + separator.join([field] * width), re.DOTALL)


def _white(shape: Shape) -> bytes:
    """What a blank line may hold. A tab that separates does not: such a line is a row of missing fields."""
    return b" \r\n\v\f" if shape.separator == b"\t" else b" \t\r\n\v\f"


def _quoted_record(line: bytes, end: bytes, source: _Pushback, shape: Shape) -> Record:
    fields, is_open = split_fields(line, shape)
    if not is_open:
        return Record(line, fields)
    parts, taken, size = [line, end], [], len(line)
    for more, more_end in source:
        taken.append((more, more_end))
        parts += [more, more_end]
        size += len(more)
        if _closing_quote(more, 0, shape.quote) >= 0:
            fields, is_open = split_fields(b"".join(parts[:-1]), shape)
            if not is_open:
                break
        if size > MAX_OPEN_BYTES:
            break
    if is_open or fields is None:
        source.give_back(taken)
        return Record(line, None, open=is_open)
    return Record(b"".join(parts[:-1]), fields)


class _Pushback:
    """Iterator that takes items back."""

    def __init__(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        self._items = iter(items)
        self._back: list[tuple[bytes, bytes]] = []

    def __iter__(self) -> _Pushback:
        return self

    def __next__(self) -> tuple[bytes, bytes]:
        return self._back.pop() if self._back else next(self._items)

    def give_back(self, items: list[tuple[bytes, bytes]]) -> None:
        """Put items back, to be read again in the same order."""
        self._back.extend(reversed(items))


def split_fields(text: bytes, shape: Shape) -> tuple[tuple[bytes, ...] | None, bool]:
    """Fields of a record (None if a quote is misplaced), and whether its last quote is still open.

    Examples
    --------
    >>> split_fields(b'1,"a,""b"" ",c"d', Shape(b",", b'"'))
    ((b'1', b'a,"b" ', b'c"d'), False)
    >>> split_fields(b'1,"a"b', Shape(b",", b'"'))
    (None, False)
    >>> split_fields(b'1,"a', Shape(b",", b'"'))
    (None, True)
    """
    separator, quote = shape.separator, shape.quote
    fields: list[bytes] = []
    place, length = 0, len(text)
    while True:
        start = _skip_blanks(text, place, separator)
        if quote and text[start : start + 1] == quote:
            close = _closing_quote(text, start + 1, quote)
            if close < 0:
                return None, True
            fields.append(text[start + 1 : close].replace(quote * 2, quote))
            place = _skip_blanks(text, close + 1, separator)
            if place < length and text[place : place + 1] != separator:
                return None, False
        else:
            stop = text.find(separator, place)
            stop = length if stop < 0 else stop
            fields.append(text[place:stop])
            place = stop
        if place >= length:
            return tuple(fields), False
        place += 1


def _skip_blanks(text: bytes, place: int, separator: bytes) -> int:
    if separator == b" ":
        return place
    while text[place : place + 1] == b" ":
        place += 1
    return place


def _closing_quote(text: bytes, place: int, quote: bytes) -> int:
    while True:
        close = text.find(quote, place)
        if close < 0 or text[close + 1 : close + 2] != quote:
            return close
        place = close + 2
