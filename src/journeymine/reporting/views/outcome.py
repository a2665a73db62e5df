"""The end states section."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.draw.end_states import EndState, Variation, end_states
from journeymine.reporting.phrases import Name, Shown, name
from journeymine.reporting.views.markup import picture
from journeymine.reporting.wording.head import MANY_OPEN, complete_share, has_goal

if TYPE_CHECKING:
    from journeymine.draw.figure import Figure
    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader

STATES: Final = ("converted", "dropped", "open")
WIDTHS: Final = {"wide": 1050.0, "middle": 650.0, "narrow": 340.0}


def outcome_view(report: Reader) -> dict[str, Any]:
    """Collect what the end states section shows."""
    if not has_goal(report):
        return {"heading": report.say("outcome_head_none"), "missing": report.say("outcome_missing")}
    return {
        "heading": heading_of(report),
        "missing": None,
        "goal": _goal(report),
        "idle": _idle(report),
        "figures": {kind: picture(outcome_figure(report, width)) for kind, width in WIDTHS.items()},
        "conversion": _conversion(report),
        "time": _time(report),
    }


def heading_of(report: Reader) -> Sentence:
    """Return the finding of the section."""
    still_open = report.value("log.end_states.open.share.estimate") or 0.0
    if still_open > MANY_OPEN:
        return report.say("outcome_head_open", open=report.share("log.end_states.open.share.estimate"))
    dropped = report.value("log.end_states.dropped.share.estimate") or 0.0
    if complete_share(report) or dropped == 0:
        converted = report.share("log.end_states.converted.share.estimate")
        return report.say("outcome_head_converted", converted=converted)
    return report.say("outcome_head", dropped=report.share("log.end_states.dropped.share.estimate"))


def outcome_figure(report: Reader, width: float) -> Figure:
    """Draw the end states, with what other lengths of silence would give."""
    shares = {state: report.share(f"log.end_states.{state}.share.estimate") for state in STATES}
    return end_states(
        [_part(report, state) for state in STATES],
        lang=report.lang,
        alt=report.say("outcome_alt", **shares).text,
        main_label=_idle_label(report, "idle_bar", 1.0) if report.value("log.idle") else "",
        variations=_variations(report),
        width=width,
    )


def _part(report: Reader, state: str) -> EndState:
    address = f"log.end_states.{state}"
    bounds = report.share_bounds(f"{address}.share")
    return EndState(
        key=state,
        label=report.say(f"state_{state}").text,
        share=float(report.value(f"{address}.share.estimate") or 0.0),
        note=report.say("state_note", n=report.count(f"{address}.n"), **bounds).text,
        ref=f"{address}.share.estimate",
    )


def _variations(report: Reader) -> list[Variation]:
    out = []
    for key, factor in (("half", 0.5), ("double", 2.0)):
        shares = [report.value(f"log.idle.{key}.{state}") for state in STATES]
        if all(fmt.is_number(value) for value in shares):
            refs = tuple(f"log.idle.{key}.{state}" for state in STATES)
            label = _idle_label(report, f"idle_bar_{key}", factor)
            out.append(Variation(label=label, shares=tuple(shares), refs=refs))
    return out


def _idle_label(report: Reader, key: str, factor: float) -> str:
    seconds = report.value("log.idle.seconds")
    text = fmt.duration(seconds * factor if fmt.is_number(seconds) else None, report.lang, long=True)
    return report.say(key, duration=text).text


def _goal(report: Reader) -> Sentence | None:
    goals = [name(goal, report.lang) for goal in report.items("log.goal")]
    return report.say("outcome_goal", goal=Name(", ".join(goals))) if goals else None


def _idle(report: Reader) -> Sentence | Name:
    """Use the rule that the analysis stated, if it did so in this language."""
    from journeymine.reporting.wording.method import idle_sentence

    stated = report.value("log.idle.rule")
    if stated and report.value("provenance.lang") == report.lang:
        return Name(str(stated)[:600])
    seconds = report.value("log.idle.seconds")
    return idle_sentence(seconds, str(report.value("log.idle.chosen")), report.lang)


def _conversion(report: Reader) -> Sentence | None:
    if not report.value("conversion"):
        return None
    share = report.share("conversion.estimate")
    return report.say("outcome_conversion", conversion=share, **report.share_bounds("conversion"))


def _time(report: Reader) -> Sentence | None:
    if not report.value("chain.events_to_goal"):
        return None
    events: Shown = report.amount("chain.events_to_goal.estimate")
    if not report.value("chain.seconds_to_goal"):
        return report.say("outcome_events", events=events)
    time = report.duration("chain.seconds_to_goal.estimate")
    return report.say("outcome_time", events=events, time=time)
