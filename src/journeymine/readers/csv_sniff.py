"""Separator, quotation mark and header of separated text, found from its first lines."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from journeymine.errors import DataError, LogSchemaError, OptionError, listed, shown
from journeymine.readers.csv_records import Record, Shape, fitted, records
from journeymine.readers.raw import cut
from journeymine.readers.text import TextFile, sample_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_RECORDS = 300
SEPARATORS = (b",", b";", b"\t", b"|", b"^", b"~", b":")
BLANKS = Shape(b"", b"")
# Below this share of well-formed lines a quotation mark is taken for an ordinary character.
MIN_QUOTED_SHARE = 0.5
_NAMED = {
    "tab": "\t",
    "\\t": "\t",
    "comma": ",",
    "semicolon": ";",
    "pipe": "|",
    "space": " ",
    "whitespace": "",
}
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
_TIME = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ,]+\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(:\d{2}.*)?")
_SEP_LINE = re.compile(rb"sep=(.)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Layout:
    """What the first lines of a file say.

    Attributes
    ----------
    shape
        Separator and quotation mark.
    names
        Column names as written, one for each field.
    n_before
        Records before the first data record: the header, and a `sep=` line before it if there is one.
    unlabelled
        Whether the rows have one field more than the header (row names without a name).
    blank_start
        Whether blank lines stand before the header.
    """

    shape: Shape
    names: tuple[str, ...]
    n_before: int
    unlabelled: bool
    blank_start: bool


def find_layout(file: TextFile, separator: str | None = None) -> Layout:
    """Find how a file is laid out, or say why it is not a table with a header."""
    lines = [(line, b"\n") for line in sample_lines(file)]
    said = next((_SEP_LINE.fullmatch(line) for line, _ in lines if line.strip()), None)
    body = lines[1:] if said else lines
    wanted = given_separator(separator) if separator is not None else said.group(1) if said else None
    shape = _best_shape(body, wanted, file)
    sample = _sample(body, shape)
    header = sample[0] if sample else None
    if header is None or header.fields is None:
        found = f"first line {shown(_text(header.text))}." if header else None
        raise DataError(
            f"{shown(file.name)} has no header line that can be read.", found=found, hint="check its quotes."
        )
    names = tuple(_text(name).strip() for name in header.fields)
    if len(names) < 2:
        raise _one_column(file, header, separator)
    _refuse_data_as_header(names, file)
    unlabelled = bool(sample[1:]) and _widths(sample[1:], len(names)) == {len(names) + 1: len(sample) - 1}
    return Layout(
        shape, ("", *names) if unlabelled else names, 2 if said else 1, unlabelled, not lines[0][0].strip()
    )


def given_separator(separator: str) -> bytes:
    r"""Separator as the user gave it, as one byte.

    Examples
    --------
    >>> given_separator("tab")
    b'\t'
    """
    text = _NAMED.get(separator.casefold(), separator) if separator else separator
    if separator == "" or len(text) > 1 or not text.isascii() or text in {'"', "'", "\n", "\r"}:
        raise OptionError(
            f"separator is {shown(separator)}, expected one character.",
            hint="pass separator=',' or ';' or '\\t' or '|', or 'whitespace' for columns parted by blanks.",
        )
    return text.encode()


def _best_shape(lines: list[tuple[bytes, bytes]], wanted: bytes | None, file: TextFile) -> Shape:
    """Separator and quotation mark that give most lines as many fields as the header."""
    separators = [s for s in (SEPARATORS if wanted is None else (wanted,)) if s]
    if not separators:
        return BLANKS
    best, score = _best_of([Shape(s, b'"') for s in separators], lines)
    if score[0] < 1 and file.has_single and not file.has_double:
        single, other = _best_of([Shape(s, b"'") for s in separators], lines)
        best, score = (single, other) if other > score else (best, score)
    if score[0] < MIN_QUOTED_SHARE and file.has_double:
        plain, other = _best_of([Shape(s, b"") for s in separators], lines)
        best, score = (plain, other) if other > score else (best, score)
    if wanted is None and score[1] < 2:
        share, width = _score(_sample(lines, BLANKS))
        if width >= 2 and share == 1:
            return BLANKS
    return best


def _best_of(shapes: list[Shape], lines: list[tuple[bytes, bytes]]) -> tuple[Shape, tuple[float, int]]:
    scores = [_score(_sample(lines, shape)) for shape in shapes]
    place = max(range(len(shapes)), key=lambda i: (scores[i], -i))
    return shapes[place], scores[place]


def _sample(lines: list[tuple[bytes, bytes]], shape: Shape) -> list[Record]:
    """First records; one that the sample cuts in two is left out."""
    found = list(islice(records(lines, shape), MAX_RECORDS))
    return found[:1] + [r for r in found[1:] if not r.open]


def _score(sample: Sequence[Record]) -> tuple[float, int]:
    """Share of the records with as many fields as the header, in twentieths, and that number of fields."""
    if not sample or sample[0].fields is None:
        return 0.0, 0
    width = len(sample[0].fields)
    if width < 2:
        return 0.0, width
    rest = sample[1:]
    widths = _widths(rest, width)
    same = widths[width] or widths[width + 1]  # rows may start with a name that the header lacks
    return (round(20 * same / len(rest)) / 20 if rest else 1.0), width


def _widths(sample: Sequence[Record], width: int) -> Counter[int]:
    """Count the numbers of fields; empty ones beyond the last column do not count."""
    fields = [r.fields for r in sample if r.fields is not None]
    return Counter(width if fitted(f, width) else len(f) for f in fields)


def _refuse_data_as_header(names: tuple[str, ...], file: TextFile) -> None:
    filled = [name for name in names if name]
    times = [name for name in filled if _TIME.fullmatch(name) and ":" in name]
    if filled and not times and not all(_NUMBER.fullmatch(n) or _TIME.fullmatch(n) for n in filled):
        return
    raise LogSchemaError(
        f"{shown(file.name)} has no header line: its first line holds data.",
        found=listed(map(cut, names)) + ".",
        hint="add a first line with column names, for example case_id,activity,timestamp.",
    )


def _one_column(file: TextFile, header: Record, separator: str | None) -> DataError:
    with_what = f"separator {shown(separator)}" if separator is not None else "no separator"
    return DataError(
        f"{shown(file.name)} is not an event log: {with_what} parts its lines into columns.",
        found=f"first line {shown(cut(_text(header.text)))}.",
        hint="expected a table with a header line; pass separator=… if it is an unusual one.",
    )


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
