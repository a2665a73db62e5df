"""From what the user names to files that exist, and from their first bytes to a format."""

from __future__ import annotations

import glob
import gzip
import os
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeGuard, cast

from journeymine.errors import DataError, OptionError, SourceError, listed, shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD_BYTES = 8192
BLOCK_BYTES = 1 << 22
FORMATS = "CSV, TSV, Parquet, JSON lines, XES (each but Parquet also as .gz) or a DuckDB file"

# First bytes of what people rename to .csv by accident, and what to call it.
FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "an Excel workbook or another zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"{\\rtf", "an RTF document"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"ARROW1", "an Arrow (Feather) file"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-zip archive"),
    (b"\x7fELF", "a program"),
)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b")) + b"\x7f"
_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")


def is_paths(source: object) -> TypeGuard[str | os.PathLike[str] | list[Any] | tuple[Any, ...]]:
    """Whether a source names files (and is not a frame)."""
    return isinstance(source, str | os.PathLike | list | tuple)


def expand(source: str | os.PathLike[str] | list[Any] | tuple[Any, ...]) -> list[Path]:
    """Files that a source names: one file, a glob (sorted), or a list of those (in the order given).

    Examples
    --------
    >>> expand("no_such_file.csv")
    Traceback (most recent call last):
    journeymine.errors.SourceError: file 'no_such_file.csv' not found...
    """
    if isinstance(source, list | tuple):
        if not source:
            raise SourceError("the list of files is empty.", hint="name at least one file.")
        wrong = [item for item in source if not isinstance(item, str | os.PathLike)]
        if wrong:
            raise OptionError(
                f"a list of sources holds a {type(wrong[0]).__name__}, expected only file names.",
                hint="join frames first, for example with pandas.concat.",
            )
        paths = [path for item in source for path in _expand_one(os.fspath(item))]
    else:
        paths = _expand_one(os.fspath(source))
    repeated = sorted({str(p) for p in paths if paths.count(p) > 1}) if len(set(paths)) < len(paths) else []
    if repeated:
        raise SourceError(
            f"file {shown(repeated[0])} is named twice; its rows would count double.",
            hint="name every file once.",
        )
    return paths


def _expand_one(text: str) -> list[Path]:
    path = Path(text).expanduser()
    if not text.strip() or "\x00" in text:
        raise SourceError(
            f"{shown(text)} is not a file name.", hint="name a file, a glob or a list of files."
        )
    if _exists(path):
        _require_file(path, text)
        return [path]
    if glob.has_magic(text):
        matches = sorted(Path(m) for m in glob.glob(str(path), recursive=True) if Path(m).is_file())  # noqa: PTH207 - a whole path
        if not matches:
            raise SourceError(
                f"no file matches {shown(text)}.", found=_beside(path), hint="check the pattern."
            )
        return matches
    if "://" in text:
        raise SourceError(
            f"{shown(text)} is not a local file.",
            hint="download it first; journeymine never uses the network.",
        )
    raise SourceError(
        f"file {shown(text)} not found.",
        found=_beside(path),
        hint=suggestion(path.name, _names(path.parent), "check the name and the folder."),
    )


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except PermissionError as error:
        raise no_permission(path) from error
    except OSError:
        return False
    return True


def _require_file(path: Path, text: str) -> None:
    if path.is_dir():
        raise SourceError(
            f"{shown(text)} is a folder, not a file.",
            found=_listing(_names(path)),
            hint=f"pass a glob such as {shown(text.rstrip('/') + '/*.csv')}.",
        )


def no_permission(path: Path) -> SourceError:
    """The error for a file that may not be read."""
    return SourceError(
        f"no permission to read {shown(path.name)}.", hint="change its permissions, or copy the file."
    )


def _names(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError:
        return []


def _listing(names: list[str]) -> str:
    return listed(names) if names else "nothing"


def _beside(path: Path) -> str:
    if not path.parent.is_dir():
        return f"no folder {shown(str(path.parent))}"
    return _listing(_names(path.parent))


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file for reading; gzip is unpacked on the way. Close it yourself."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
        return cast("IO[bytes]", gzip.open(path)) if packed else path.open("rb")
    except PermissionError as error:
        raise no_permission(path) from error
    except OSError as error:
        raise SourceError(f"cannot open {shown(path.name)}: {error.strerror or error}.") from error


def blocks(stream: IO[bytes], path: Path, size: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Read a stream to its end in blocks; a damaged gzip is said to be one."""
    while True:
        try:
            block = stream.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(
                f"{shown(path.name)} is a truncated or damaged gzip file: {error}.",
                hint="copy or download the file again.",
            ) from error
        except OSError as error:
            raise SourceError(f"cannot read {shown(path.name)}: {error.strerror or error}.") from error
        if not block:
            return
        yield block


def head_of(path: Path) -> bytes:
    """First bytes of a file, unpacked."""
    with open_bytes(path) as stream:
        return next(blocks(stream, path, HEAD_BYTES), b"")


def format_of(path: Path) -> str:
    """Format of a file by its first bytes: csv, parquet, jsonl, xes or database.

    The name decides only between text formats that begin alike.
    """
    head = head_of(path)
    if not head.strip():
        raise DataError(f"{shown(path.name)} is empty.", hint="check how the file was written.")
    if head.startswith(b"PAR1"):
        return "parquet"
    if head[8:12] == b"DUCK":
        return "database"
    for magic, what in FOREIGN:
        if head.startswith(magic):
            raise _not_a_log(path, what)
    text = _as_text(head, path)
    return _text_format(text, path)


def _as_text(head: bytes, path: Path) -> str:
    if head.startswith(_BOMS[:2]) or looks_utf16(head):
        encoding = "utf-16" if head.startswith(_BOMS[:2]) else utf16_order(head)
        return head[: len(head) // 2 * 2].decode(encoding, "replace")
    n_control = len(head) - len(head.translate(None, _CONTROL))
    if n_control > max(32, len(head) // 20):
        raise _not_a_log(path, "a binary file")
    return head.decode("utf-8-sig", "replace")


def looks_utf16(head: bytes) -> bool:
    """Whether bytes without mark look like UTF-16 text: every second byte is zero."""
    even, odd = head[0:1024:2], head[1:1024:2]
    if len(odd) < 2:
        return False
    zeros = sorted((even.count(0) / len(even), odd.count(0) / len(odd)))
    return zeros[0] < 0.1 and zeros[1] > 0.5


def utf16_order(head: bytes) -> str:
    """Byte order of UTF-16 text without mark."""
    return "utf-16-be" if head[0:1024:2].count(0) > head[1:1024:2].count(0) else "utf-16-le"


def _text_format(text: str, path: Path) -> str:
    start = text.lstrip("\ufeff \t\r\n")
    suffix = path.name.casefold().removesuffix(".gz").rpartition(".")[2]
    if start.startswith("<"):
        return _markup_format(start, path, suffix)
    if suffix == "xes":
        raise _not_a_log(path, "not XML, although it is called .xes")
    if suffix in {"json", "jsonl", "ndjson"} or start.startswith(('{"', "{}", '[{"')):
        return "jsonl"
    if suffix in {"parquet", "pq", "duckdb", "xlsx", "xls", "pdf", "png", "zip"}:
        raise _not_a_log(path, f"text, although it is called .{suffix}")
    return "csv"


def _markup_format(start: str, path: Path, suffix: str) -> str:
    lowered = start[:2000].casefold()
    if lowered.startswith(("<!doctype html", "<html")) or "<html" in lowered:
        raise _not_a_log(path, "a web page")
    if suffix == "xes" or lowered.startswith(("<?xml", "<log", "<!--", "<!doctype")):
        return "xes"
    return "csv"


def _not_a_log(path: Path, what: str) -> DataError:
    return DataError(
        f"{shown(path.name)} is not an event log.", found=what + ".", hint=f"expected {FORMATS}."
    )


def as_pattern(path: Path) -> str:
    """Name of a file for an engine that reads names as globs: their special characters stand for themselves.

    Examples
    --------
    >>> as_pattern(Path("log[1].csv"))
    'log[[]1].csv'
    """
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(path))
