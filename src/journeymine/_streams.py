"""What the command line writes, and where: results to standard output, everything else to standard error."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


def put_result(text: str) -> None:
    """Write a result to standard output, at once."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(f"{_encodable(text, sys.stdout)}\n")
        sys.stdout.flush()
    except OSError as error:
        # Python would try again on its way out, and fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # The reader of our output may go away, as `head` does.
        if not isinstance(error, BrokenPipeError):
            raise


# Control characters of a hostile log could rewrite the terminal; direction marks could disguise a text.
_UNSAFE = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}
_UNSAFE |= {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def say(text: str) -> None:
    """Write a message to standard error; control characters are shown, not obeyed."""
    if sys.stderr is not None:
        sys.stderr.write(f"{_encodable(harmless(text), sys.stderr)}\n")


def harmless(text: str) -> str:
    r"""Escape what could rewrite a terminal; line ends and tabs stay.

    Examples
    --------
    >>> harmless("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return text.translate(_UNSAFE)


def _encodable(text: str, stream: TextIO) -> str:
    """Escape what the stream cannot show: an odd name must not turn a finished run into a crash."""
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding, stream.errors or "strict")
    except UnicodeEncodeError:
        return text.encode(encoding, "backslashreplace").decode(encoding)
    return text
