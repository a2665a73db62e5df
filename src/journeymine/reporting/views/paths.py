"""The paths section: the commonest variants as chips, and how each ended."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.draw.svg import Rect, decoration
from journeymine.reporting.phrases import Name, Shown, name
from journeymine.reporting.views.markup import drawn

if TYPE_CHECKING:
    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader

SHOWN: Final = 10
MAX_CHIPS, HEAD, TAIL = 16, 10, 4
BAR: Final = 110.0


def paths_view(report: Reader) -> dict[str, Any]:
    """Collect what the paths section shows."""
    variants = report.items("variants")[:SHOWN]
    if not variants:
        return {"heading": report.say("paths_missing"), "rows": [], "sub": None}
    largest = max((row["share"]["estimate"] for row in variants), default=0.0) or 1.0
    return {
        "heading": heading_of(report),
        "sub": report.say(
            "paths_sub",
            count=Shown(fmt.number(len(variants), report.lang), len(variants)),
            n_variants=report.count("log.n_variants"),
        ),
        "rows": [_row(report.at(f"variants[{i}]"), largest) for i in range(len(variants))],
    }


def heading_of(report: Reader) -> Sentence:
    """Return the finding of the section."""
    first = report.at("variants[0]")
    n = first.value("n") or 0
    if n == 1 and (report.value("log.n_cases") or 0) > 1:
        return report.say("paths_head_unique")
    if report.value("variants[1].n") == n:
        return report.say("paths_head_tie", share=report.share("variants[0].share.estimate"))
    length = len(first.items("activities"))
    steps = Shown(fmt.number(length, report.lang), length)
    ends = first.value("end_states") or {}
    for state in ("dropped", "converted"):
        if (ends.get(state) or 0) > n / 2:
            return report.say(f"paths_head_{state}", n=steps)
    return report.say("paths_head_share", share=report.share("variants[0].share.estimate"))


def _row(variant: Reader, largest: float) -> dict[str, Any]:
    share = variant.value("share.estimate") or 0.0
    bar = Rect(x=0, y=0, width=max(BAR * share / largest, 1.0), height=8, radius=2)
    return {
        "share": variant.share("share.estimate"),
        "bounds": variant.interval("share", "share"),
        "bar": drawn(decoration((bar,), BAR, 8, kind="share")),
        "chips": _chips(variant),
        "ends": _ends(variant),
    }


def _chips(variant: Reader) -> list[dict[str, Any]]:
    """One chip per step; repeats are folded, and the middle of a very long path is left out."""
    runs = [(step, len(list(same))) for step, same in groupby(variant.items("activities"))]
    chips = [_chip(step, times, variant.lang) for step, times in runs]
    if len(chips) <= MAX_CHIPS:
        return chips
    hidden = len(chips) - HEAD - TAIL
    more = variant.say("path_more", count=fmt.number(hidden, variant.lang))
    return [*chips[:HEAD], {"name": more, "times": None, "is_gap": True, "full": None}, *chips[-TAIL:]]


def _chip(step: Any, times: int, lang: str) -> dict[str, Any]:
    from journeymine.draw.text import clean

    shown: Name = name(step, lang)
    full = clean(step)
    return {
        "name": shown,
        "times": Shown(f"×{fmt.number(times, lang)}", times) if times > 1 else None,
        "is_gap": False,
        "full": full if full != shown else None,
    }


def _ends(variant: Reader) -> list[dict[str, Any]]:
    """How the journeys of the path ended; counts only where they ended in several ways."""
    ends = variant.value("end_states") or {}
    states = [state for state in ("converted", "dropped", "open") if ends.get(state)]
    return [
        {
            "kind": state,
            "label": variant.say(f"end_{state}"),
            "n": variant.count(f"end_states.{state}") if len(states) > 1 else None,
        }
        for state in states
    ]
