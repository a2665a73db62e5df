"""A fix in words: what to do, where, how it differs, and the next step.

The evidence is mostly an association, so no sentence says that something costs or causes anything.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.reporting.phrases import Shown, name

if TYPE_CHECKING:
    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader

OWN_WORDS: Final = ("loop", "wait", "channel_switch", "remove_step", "reroute")
"""Kinds with sentences of their own; the others are told by where their reference comes from."""
NEEDS_REFERENCE: Final = ("loop", "channel_switch")
LONG_TEST: Final = 52


def is_found(fix: Reader) -> bool:
    """Whether the fix was found in the data."""
    block = fix.value("block")
    return bool(block == "found" or (block is None and has_reference(fix)))


def has_reference(fix: Reader) -> bool:
    """Whether the fix brings things to where they work, rather than by an assumed share."""
    return fix.value("reference.kind") in {"segment", "period", "attempt", "channel"}


def is_compared(fix: Reader) -> bool:
    """Whether a drop-out share stands beside that of the fix: found, or assumed."""
    return has_reference(fix) or fix.value("kind") not in OWN_WORDS


def is_sure(fix: Reader) -> bool:
    """Whether the whole interval of the effect lies above zero."""
    lower = fix.value("effect.lower")
    return fmt.is_number(lower) and lower > 0


def is_ongoing(fix: Reader) -> bool:
    """Whether the period of the fix has not ended."""
    return bool(fix.value("period.ongoing"))


def kind_of(fix: Reader) -> str:
    """Which family of sentences a fix takes: its kind, or segment, period, ongoing or assumed."""
    kind = fix.value("kind")
    if kind in OWN_WORDS:
        return str(kind)
    known = has_reference(fix)
    if fix.value("period") and (known or kind == "incident"):
        return "ongoing" if is_ongoing(fix) else "period"
    return "segment" if fix.value("segment") and known else "assumed"


def common_fields(fix: Reader, zone: str | None = None) -> dict[str, Any]:
    """Fields that most sentences about a fix name."""
    fields: dict[str, Any] = {"activity": fix.name("activity")}
    fields |= {part: fix.name(part) for part in ("target", "to") if fix.value(part) is not None}
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
    """Return the title: the user's own words where there are some."""
    kind = kind_of(fix)
    if fix.value("label") and fix.value("block") == "user":
        return fix.say("fix_title_given", label=fix.name("label"))
    if kind in {"segment", "period", "ongoing"}:
        both = "segment_" if kind != "segment" and fix.value("segment") else ""
        return fix.say(f"fix_title_{both}{kind}", **common_fields(fix, zone))
    if kind == "assumed":
        title = fix.say("fix_title_assumed", activity=fix.name("activity"), saved=saved_of(fix))
    else:
        title = _title_of_kind(fix, kind)
    return _with_scope(fix, title, zone)


def _title_of_kind(fix: Reader, kind: str) -> Sentence:
    """Name a fix by what it does: to the reference or by a share, by itself or through another activity."""
    share = _share(fix, kind)
    key = f"fix_title_{kind}" + ("_share" if share else "")
    if fix.value("target") not in {None, fix.value("activity")} and (share or kind == "loop"):
        key += "_through"
    return fix.say(key, **common_fields(fix), **({"share": share} if share else {}))


def _share(fix: Reader, kind: str) -> Shown | None:
    value = fix.value("share")
    is_whole = kind == "remove_step" and value == 1
    return None if not fmt.is_number(value) or is_whole else fix.share("share")


def _with_scope(fix: Reader, title: Sentence, zone: str | None) -> Sentence:
    """Add to a title where, and when."""
    fields = common_fields(fix, zone)
    if fix.value("segment"):
        title = fix.say("fix_title_in_segment", title=title, **fields)
    return fix.say("fix_title_in_period", title=title, **fields) if fix.value("period") else title


def saved_of(fix: Reader) -> Shown:
    """Share of the drop-outs that an assumption saves."""
    if fmt.is_number(fix.value("share")):
        return fix.share("share")
    drop, reference = fix.value("drop.estimate"), fix.value("reference.value")
    known = fmt.is_number(drop) and fmt.is_number(reference) and drop > 0
    saved = round(1 - reference / drop, 3) if known else 0.2
    return Shown(fmt.share(saved, fix.lang), saved)


def place_of(fix: Reader) -> Sentence:
    """Say how many drop out here, and how many where it goes better."""
    kind = kind_of(fix)
    if kind in NEEDS_REFERENCE and not has_reference(fix):
        kind = "assumed"
    return fix.say(f"place_{kind}", n=fix.count("audience.n"), **shares_of(fix))


def shares_of(fix: Reader) -> dict[str, Shown]:
    """Shares that sentences about a fix compare."""
    return {
        "drop": fix.share("drop.estimate"),
        "reach": fix.share("reach.estimate"),
        "reference": fix.share("reference.value"),
    }


def next_step_of(fix: Reader, zone: str | None = None) -> Sentence:
    """Say what to do next."""
    kind = kind_of(fix)
    if fix.value("evidence") == "experiment" and is_sure(fix):
        return fix.say("next_measured")
    if kind != "assumed" and not is_sure(fix):
        return fix.say("next_first_test" if can_be_tested(fix) else "next_uncertain")
    fields = common_fields(fix, zone)
    if kind == "ongoing":
        fields["reference"] = fix.share("reference.value")
    return fix.say(f"next_{kind}", **fields)


def can_be_tested(fix: Reader) -> bool:
    """Whether there is a plan of a test that ends within a year."""
    weeks = fix.value("plan.weeks")
    n = fix.value("plan.n_per_arm")
    return bool(fmt.is_number(n) and n > 0 and (not fmt.is_number(weeks) or weeks <= LONG_TEST))


def test_of(fix: Reader) -> Sentence | None:
    """Say how large a test must be; None without a plan, or where it would take more than a year."""
    if not can_be_tested(fix) or fix.value("evidence") == "experiment":
        return None
    n = fix.count("plan.n_per_arm")
    if not fmt.is_number(fix.value("plan.weeks")):
        return fix.say("fix_test_open", n=n)
    return fix.say("fix_test", n=n, weeks=fix.say("fix_weeks", n=fix.count("plan.weeks")))


def trust_of(fix: Reader) -> list[Sentence]:
    """Say what stands beside the estimate: the grade of evidence, and the attempt if there is one."""
    known = {"association", "adjusted", "experiment"}
    grade = fix.value("evidence")
    notes = [fix.say(f"fix_evidence_{grade if grade in known else 'association'}")]
    if fix.value("attempt") is not None:
        attempt = fix.value("attempt")
        shown = fix.count("attempt") if fmt.is_number(attempt) else name(attempt, fix.lang)
        notes.insert(0, fix.say("place_attempt", attempt=shown))
    if fix.value("label") and fix.value("block") != "user":
        notes.insert(0, fix.say("fix_title_given", label=fix.name("label")))
    return notes
