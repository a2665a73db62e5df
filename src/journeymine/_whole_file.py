"""Small files, written whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from journeymine._crash import is_disk_full
from journeymine.errors import JourneymineError, OutputError, shown

if TYPE_CHECKING:
    from pathlib import Path


def write_text(out: Path, text: str) -> None:
    """Write a small file: all of it or nothing."""
    # A link is followed: it stays what it is.
    target = out.resolve()
    scratch = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("w", encoding="utf-8", newline="\n", errors="surrogatepass") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(target)
    except OSError as error:
        if is_disk_full(error):
            raise JourneymineError(f"the disk is full: {shown(str(out))} was not written.") from error
        raise OutputError(f"{shown(str(out))} cannot be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            scratch.unlink()
