"""What a run takes over from the one before: where the steps of the map were drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from journeymine._format import is_number

if TYPE_CHECKING:
    import os


def last_layout(folder: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Layout of the map in the `report.json` of a run folder; None if there is none that can be used.

    Examples
    --------
    >>> last_layout("no such folder") is None
    True
    """
    try:
        data = json.loads((Path(folder) / "report.json").read_text(encoding="utf-8"))
        layout = data["map"]["layout"]
        return layout if _is_whole(layout) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _is_whole(layout: dict[str, Any]) -> bool:
    """Whether nobody has edited it into something else."""
    return (
        all(is_number(x) for x in layout["x"].values())
        and all(isinstance(row, int) and 0 <= row < 1000 for row in layout["rows"].values())
        and all(isinstance(stage, str) for stage in layout["stage_of"].values())
        and layout["rows"].keys() == layout["stage_of"].keys() <= layout["x"].keys()
        and all(
            isinstance(band["stage"], str) and isinstance(band["n_rows"], int) for band in layout["bands"]
        )
        and isinstance(layout["derived"], bool)
    )
