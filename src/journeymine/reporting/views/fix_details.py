"""What opens under a fix: why it is believed, what would change our mind, and what to be careful about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journeymine import _format as fmt
from journeymine.reporting.phrases import Shown
from journeymine.reporting.wording.fix_reasons import caveats_of, mind_of, why_of

if TYPE_CHECKING:
    from journeymine.reporting.reader import Reader


def details_of(fix: Reader, outcome: str) -> dict[str, Any] | None:
    """Sentences about one fix; None in a report from before there were any."""
    if fix.value("effect_rho") is None:
        return None
    caveats = caveats_of(fix)
    count = Shown(fmt.number(len(caveats), fix.lang), len(caveats))
    return {
        "label": fix.say("fix_more_caveats", count=count) if caveats else fix.say("fix_more"),
        "parts": [
            (fix.say("fix_why_head"), why_of(fix, outcome)),
            (fix.say("fix_mind_head"), mind_of(fix, outcome)),
            *([(fix.say("fix_caveat_head"), caveats)] if caveats else []),
        ],
    }
