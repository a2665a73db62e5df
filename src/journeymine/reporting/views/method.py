"""The method section."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from journeymine.draw.text import REPLACEMENT
from journeymine.reporting.wording.method import method_of

if TYPE_CHECKING:
    from journeymine.reporting.reader import Reader

SETTINGS_MAX: Final = 20_000


def method_view(report: Reader) -> dict[str, Any]:
    """Collect what the method section shows."""
    settings = report.value("provenance.settings")
    text = json.dumps(settings, indent=1, sort_keys=True, ensure_ascii=False) if settings else ""
    # Half a surrogate pair cannot be written to a file.
    text = "".join(REPLACEMENT if 0xD800 <= ord(c) <= 0xDFFF else c for c in text[:SETTINGS_MAX])
    return {"paragraphs": method_of(report), "settings": text}
