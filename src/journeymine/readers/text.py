"""Text files: which encoding, and the same bytes as UTF-8 on disk for the engine to read."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from journeymine.errors import OptionError, shown
from journeymine.readers.sources import HEAD_BYTES, blocks, head_of, looks_utf16, open_bytes, utf16_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BAD = "journeymine_bad_bytes"
# Bytes that Windows-1252 does not define; a file that has them is read as Latin-1.
_UNDEFINED_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


def _mark_bad(error: UnicodeError) -> tuple[str, int]:
    """Undecodable bytes become U+DCFF, which goes to disk as the byte FF: never valid UTF-8, so never lost."""
    if isinstance(error, UnicodeDecodeError):
        return "\udcff", error.end
    raise error


codecs.register_error(BAD, _mark_bad)


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text file as UTF-8 on disk, with what one pass over its bytes found.

    Attributes
    ----------
    path
        The file itself if it is plain UTF-8, else a temporary copy.
    name
        Name of the source, for messages.
    encoding
        What it was, for people.
    valid
        Whether all of it is valid UTF-8.
    n_lf, n_crlf, n_cr
        Line ends of each kind.
    has_double, has_single
        Whether the quotation marks `"` and `'` occur at all.
    ends_line
        Whether the last line has a line end.
    """

    path: Path
    name: str
    encoding: str
    valid: bool
    n_lf: int
    n_crlf: int
    n_cr: int
    has_double: bool
    has_single: bool
    ends_line: bool

    @property
    def n_lines(self) -> int:
        """Physical lines, blank ones included."""
        return self.n_lf + self.n_crlf + self.n_cr + (not self.ends_line)

    @property
    def one_line_end(self) -> bool:
        """Whether every line ends the same way, with LF or CRLF."""
        return self.n_cr == 0 and (self.n_lf == 0 or self.n_crlf == 0)


def prepare(path: Path, folder: Path, encoding: str | None = None, *, unicode_only: bool = False) -> TextFile:
    """Bring a text file to UTF-8, unpacked; `folder` takes the copy if one is needed.

    `unicode_only` keeps bytes that are no UTF-8 from being taken for Windows-1252, as JSON demands.
    """
    wanted = _known(encoding) if encoding else None
    name, shown_as = wanted or _detect(path, unicode_only=unicode_only)
    head = head_of(path)
    is_utf8 = name in {"utf-8", "utf-8-sig"}
    if is_utf8:
        shown_as = "UTF-8 with BOM" if head.startswith(codecs.BOM_UTF8) else "UTF-8"
    packed = _is_packed(path)
    local = path
    if packed or not is_utf8:
        local = folder / f"text_{len(list(folder.iterdir()))}.txt"
        _copy(path, local, None if is_utf8 else name)
    return _scan(local, path.name, shown_as)


def _known(encoding: str) -> tuple[str, str]:
    try:
        name = codecs.lookup(encoding).name
        b"".decode(name)
    except (LookupError, ValueError) as error:
        raise OptionError(
            f"encoding is {shown(encoding)}, which is not known.",
            found="expected a name such as utf-8, utf-16, cp1252 or latin-1.",
            hint='leave it out to have it detected, or pass encoding="cp1252".',
        ) from error
    return name, _label(name)


def _label(name: str) -> str:
    labels = {"cp1252": "Windows-1252", "iso8859-1": "Latin-1"}
    return labels.get(name, name.upper())


def _is_packed(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _detect(path: Path, *, unicode_only: bool) -> tuple[str, str]:
    """Find the encoding: by mark, else by zeros, else UTF-8 unless hardly anything beyond ASCII is UTF-8."""
    head = head_of(path)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32", "UTF-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "UTF-16"
    if looks_utf16(head):
        return utf16_order(head), "UTF-16"
    n_good, n_bad, undefined = (0, 0, False) if unicode_only else _count_utf8(path)
    if n_bad <= 10 * n_good:  # text in a one-byte encoding is hardly ever valid UTF-8 by chance
        return "utf-8", "UTF-8"
    name = "iso8859-1" if undefined else "cp1252"
    return name, _label(name)


def _count_utf8(path: Path) -> tuple[int, int, bool]:
    """Characters beyond ASCII that are valid UTF-8, byte runs that are not, and bytes outside Windows-1252."""
    n_good = n_bad = 0
    undefined = False
    decode = codecs.getincrementaldecoder("utf-8")(errors=BAD).decode
    with open_bytes(path) as stream:
        for block in blocks(stream, path):
            if block.isascii():
                n_bad += decode(block).count("\udcff")
                continue
            text = decode(block)
            n_block_bad = text.count("\udcff")
            n_bad += n_block_bad
            n_good += len(text) - n_block_bad - len(text.encode("ascii", "ignore"))
            undefined = undefined or _UNDEFINED_1252.search(block) is not None
    return n_good, n_bad + decode(b"", True).count("\udcff"), undefined


def _copy(path: Path, target: Path, encoding: str | None) -> None:
    convert: Callable[[bytes, bool], bytes] = _same if encoding is None else _converter(encoding)
    with open_bytes(path) as stream, target.open("wb") as out:
        for block in blocks(stream, path):
            out.write(convert(block, False))
        out.write(convert(b"", True))


def _same(block: bytes, final: bool) -> bytes:
    del final
    return block


def _converter(encoding: str) -> Callable[[bytes, bool], bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors=BAD)

    def convert(block: bytes, final: bool) -> bytes:
        return decoder.decode(block, final).encode("utf-8", "surrogateescape")

    return convert


def _scan(path: Path, name: str, encoding: str) -> TextFile:
    n_lf = n_crlf = n_cr = 0
    valid, has_double, has_single, ends_cr, last = True, False, False, False, b"\n"
    decode = codecs.getincrementaldecoder("utf-8")(errors=BAD).decode
    with path.open("rb") as stream:
        for block in blocks(stream, path):
            lf, cr, crlf = block.count(b"\n"), block.count(b"\r"), block.count(b"\r\n")
            if ends_cr and block.startswith(b"\n"):
                n_crlf, n_cr, lf = n_crlf + 1, n_cr - 1, lf - 1
            n_crlf, n_lf, n_cr = n_crlf + crlf, n_lf + lf - crlf, n_cr + cr - crlf
            last = block[-1:]
            ends_cr = last == b"\r"
            has_double = has_double or b'"' in block
            has_single = has_single or b"'" in block
            valid = valid and "\udcff" not in decode(block)
    valid = valid and "\udcff" not in decode(b"", True)
    return TextFile(path, name, encoding, valid, n_lf, n_crlf, n_cr, has_double, has_single, last in b"\r\n")


def lines_outside_quotes(path: Path, quote: bytes) -> int:
    """Count the lines whose end lies outside quotation marks, and a last line without end."""
    n_lines, inside, last = 0, False, b""
    with path.open("rb") as stream:
        for block in blocks(stream, path):
            parts = block.split(quote)
            n_lines += sum(part.count(b"\n") for part in parts[inside::2])
            inside ^= len(parts) % 2 == 0
            last = block[-1:]
    return n_lines + (last != b"\n" or inside)


def sample_lines(file: TextFile, size: int = 1 << 18) -> Iterator[bytes]:
    """Physical lines of the beginning of a file, without a byte-order mark; a cut last line is left out."""
    with file.path.open("rb") as stream:
        head = stream.read(max(size, HEAD_BYTES))
        while b"\n" not in head and b"\r" not in head:
            more = stream.read(len(head))
            if not more:
                break
            head += more
        complete = not stream.read(1)
    head = head.removeprefix(codecs.BOM_UTF8)
    lines = head.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return iter(lines if complete else lines[:-1])
