"""What is said of errors that nobody raised on purpose: full disk, no memory, crash."""

from __future__ import annotations

import errno
import tempfile
import traceback

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
DISK_FULL_TEXT = "No space left on device"


def is_disk_full(error: BaseException) -> bool:
    """Tell whether an error, or what caused it, is a full disk.

    Examples
    --------
    >>> is_disk_full(OSError(errno.ENOSPC, "no space")), is_disk_full(ValueError("x"))
    (True, False)
    """
    at: BaseException | None = error
    while at is not None:
        # DuckDB and Arrow raise errors of their own, which only say it.
        if getattr(at, "errno", None) in DISK_FULL or DISK_FULL_TEXT in str(at):
            return True
        at = at.__cause__ or at.__context__
    return False


def crash_message(error: BaseException) -> str:
    """Say in a few lines what happened, and where the traceback is."""
    if isinstance(error, MemoryError):
        problem = "out of memory."
    elif is_disk_full(error):
        problem = "the disk is full."
    else:
        problem = f"unexpected error: {type(error).__name__}: {_first_line(error)}"
    return f"{problem}\n{crash_details(error)}"


def crash_details(error: BaseException) -> str:
    """Write the traceback, and the SQL if there is any, to a log file; the line that names the file."""
    text = "".join(traceback.format_exception(error))
    if sql := getattr(error, "sql", None):
        text += f"\nSQL:\n{sql}\n"
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            prefix="journeymine-crash-",
            suffix=".log",
            delete=False,
            encoding="utf-8",
            errors="backslashreplace",
        ) as file:
            file.write(text)
    except OSError:
        return text
    return f"Details: {file.name}"


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0][:300] if lines else ""
