"""A fix in words: what to do, where, how it differs, and the next step.

The evidence is an association, so no sentence says that something costs or causes anything.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from journeymine import _format as fmt
from journeymine.reporting.phrases import Shown, name

if TYPE_CHECKING:
    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader


def is_found(fix: Reader) -> bool:
    """Whether the reference was found in the data."""
    return bool(fix.value("block") == "found" or fix.value("reference.kind") in {"segment", "period"})


def is_sure(fix: Reader) -> bool:
    """Whether the whole interval of the effect lies above zero."""
    lower = fix.value("effect.lower")
    return fmt.is_number(lower) and lower > 0


def is_ongoing(fix: Reader) -> bool:
    """Whether the period of the fix has not ended."""
    return bool(fix.value("period.ongoing"))


def kind_of(fix: Reader) -> str:
    """Which family of sentences a fix takes: segment, period, ongoing or assumed."""
    if fix.value("period"):
        return "ongoing" if is_ongoing(fix) else "period"
    return "segment" if fix.value("segment") and is_found(fix) else "assumed"


def common_fields(fix: Reader, zone: str | None = None) -> dict[str, Any]:
    """Fields that most sentences about a fix name."""
    fields: dict[str, Any] = {"activity": fix.name("activity")}
    if fix.value("segment"):
        fields |= {
            "column": fix.name("segment.column"),
            "value": fix.name("segment.value"),
        }
    fields |= _period_fields(fix, zone)
    return fields


def _period_fields(fix: Reader, zone: str | None) -> dict[str, Shown]:
    """Name the first and the last day of the period, whose end is exclusive; the year once where one will do."""
    start, end = fix.value("period.start"), fix.value("period.end")
    moment = fmt.parse_time(end)
    last = end if moment is None else (moment - timedelta(microseconds=1)).isoformat()
    same_year = isinstance(start, str) and isinstance(last, str) and start[:4] == last[:4]
    fields = {}
    if start:
        has_year = not same_year or is_ongoing(fix)
        fields["start"] = Shown(fmt.date(start, fix.lang, zone, year=has_year), start)
    if end:
        fields["end"] = Shown(fmt.date(last, fix.lang, zone), end)
    return fields


def title_of(fix: Reader, zone: str | None = None) -> Sentence:
    """Return the title."""
    kind = kind_of(fix)
    if kind == "assumed":
        return fix.say("fix_title_assumed", activity=fix.name("activity"), saved=_saved(fix))
    both = "segment_" if kind != "segment" and fix.value("segment") else ""
    return fix.say(f"fix_title_{both}{kind}", **common_fields(fix, zone))


def _saved(fix: Reader) -> Shown:
    """Share of the drop-outs that the assumption saves."""
    drop, reference = fix.value("drop.estimate"), fix.value("reference.value")
    known = fmt.is_number(drop) and fmt.is_number(reference) and drop > 0
    saved = round(1 - reference / drop, 3) if known else 0.2
    return Shown(fmt.share(saved, fix.lang), saved)


def place_of(fix: Reader) -> Sentence:
    """Say how many drop out here, and how many where it goes better."""
    kind = kind_of(fix)
    fields = {"drop": fix.share("drop.estimate"), "n": fix.count("audience.n")}
    if kind != "assumed":
        fields["reference"] = fix.share("reference.value")
    return fix.say(f"place_{kind}", **fields)


def next_step_of(fix: Reader, zone: str | None = None) -> Sentence:
    """Say what to do next."""
    kind = kind_of(fix)
    if kind != "assumed" and not is_sure(fix):
        return fix.say("next_uncertain")
    fields = common_fields(fix, zone)
    if kind == "ongoing":
        fields["reference"] = fix.share("reference.value")
    return fix.say(f"next_{kind}", **fields)


def trust_of(fix: Reader) -> list[Sentence]:
    """Say what stands beside the estimate: the grade of evidence, and the attempt if there is one."""
    known = {"association", "adjusted", "experiment"}
    grade = fix.value("evidence")
    notes = [fix.say(f"fix_evidence_{grade if grade in known else 'association'}")]
    if fix.value("attempt") is not None:
        attempt = fix.value("attempt")
        shown = fix.count("attempt") if fmt.is_number(attempt) else name(attempt, fix.lang)
        notes.insert(0, fix.say("place_attempt", attempt=shown))
    return notes
