"""Text of a TOML file with comments; the standard library reads TOML but does not write it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_COMMENT = 160
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def toml_value(value: str | int | Sequence[str]) -> str:
    r"""Write a text, a number or a list of texts.

    Examples
    --------
    >>> toml_value('a "b"\n'), toml_value(["x", "y"])
    ('"a \\"b\\"\\n"', '["x", "y"]')
    """
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        # JSON's escapes are TOML's, except that TOML wants DEL escaped; "${" is our own mark.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f").replace("${", "$${")
    return f"[{', '.join(toml_value(item) for item in value)}]"


def comment(text: str) -> str:
    """One line that TOML does not read, however hostile the text is.

    Examples
    --------
    >>> comment("a" + chr(10) + "b")
    '# a b'
    """
    printable = "".join(char if char.isprintable() else " " for char in text)
    return f"# {printable if len(printable) <= MAX_COMMENT else printable[:MAX_COMMENT] + '…'}"


def line(key: str, value: str | int | Sequence[str], *, why: str = "", off: bool = False) -> list[str]:
    """Lines of a key: its reason as a comment above it, the key itself commented out if `off`."""
    text = f"{key if BARE_KEY.fullmatch(key) else toml_value(key)} = {toml_value(value)}"
    return [*([comment(why)] if why else []), f"# {text}" if off else text]
