"""A finished picture: what it shows, in words and numbers, and how to write it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from journeymine.draw.svg import Mark, Mode, document, page_colour, write_marks
from journeymine.errors import OptionError, OutputError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import pandas as pd

    from journeymine.draw.tokens import Theme


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A picture as plain values.

    Attributes
    ----------
    name
        Kind of figure.
    width, height
        Size in px.
    marks
        The primitives.
    alt_text
        The conclusion in one sentence.
    rows
        The data behind the picture, one mapping per row.

    Examples
    --------
    >>> Figure("empty", 10, 10, (), "Nothing to see").svg()
    '<svg viewBox="0 0 10 10" width="10" height="10" role="img" aria-label="Nothing to see"></svg>'
    """

    name: str
    width: float
    height: float
    marks: tuple[Mark, ...]
    alt_text: str
    rows: tuple[Mapping[str, Any], ...] = field(default=())

    @property
    def prefix(self) -> str:
        """Prefix of all ids: a hash of the content, so that two figures of a page never share one."""
        content = write_marks(self.marks, page_colour, "") + self.alt_text
        return "jm" + hashlib.sha256(content.encode()).hexdigest()[:8]

    def svg(self, mode: Mode = "page", theme: Theme = "light") -> str:
        """Write the picture as one `<svg>` element.

        Parameters
        ----------
        mode
            `page`: colours are the CSS variables of our pages. `static`: colours are written out.
        theme
            Colours of the static mode.
        """
        if mode not in {"page", "static"}:
            raise OptionError(f"mode is {mode!r}, expected 'page' or 'static'.")
        if theme not in {"light", "dark"}:
            raise OptionError(f"theme is {theme!r}, expected 'light' or 'dark'.")
        return document(
            self.marks,
            self.width,
            self.height,
            alt=self.alt_text,
            mode=mode,
            theme=theme,
            prefix=self.prefix,
        )

    def save(self, path: str | os.PathLike[str], theme: Theme = "light") -> FilePath:
        """Write the picture into a `.svg` file and return its path."""
        target = FilePath(path)
        if target.suffix.lower() != ".svg":
            raise OptionError(
                f"cannot save a figure as {target.name!r}: only .svg is written.",
                hint=f"save it as {target.with_suffix('.svg').name!r}.",
            )
        beside = target.with_name(target.name + ".part")
        try:
            beside.write_text(self.svg("static", theme) + "\n", encoding="utf-8", newline="\n")
            beside.replace(target)
        except OSError as error:
            raise OutputError(f"cannot write {str(target)!r}: {error.strerror or error}.") from error
        return target

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return the data behind the picture as plain Python."""
        return [dict(row) for row in self.rows]

    def to_frame(self) -> pd.DataFrame:
        """Return the data behind the picture as a frame, one row per row of the picture."""
        import pandas as pd

        return pd.DataFrame(self.to_dicts())

    def _repr_svg_(self) -> str:
        return self.svg("static")
