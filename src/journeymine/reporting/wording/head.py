"""Headline and findings: what a reader takes away in ten seconds, and it must be true.

The headline names a fix only if its whole interval lies above zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.reporting.phrases import name
from journeymine.reporting.wording import fixes as fix_words

if TYPE_CHECKING:
    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader

FEW_CASES: Final = 30
COMPLETE: Final = 0.95
MANY_OPEN: Final = 0.2
MAX_FINDINGS: Final = 4

Finding = tuple[str, "Sentence", "Sentence"]


def has_goal(report: Reader) -> bool:
    """Whether end states are known."""
    return isinstance(report.value("log.end_states"), dict)


def end_count(report: Reader, state: str) -> int:
    """Return the number of journeys with one end state."""
    return int(report.value(f"log.end_states.{state}.n") or 0)


def is_few(report: Reader) -> bool:
    """Whether there are too few journeys to say anything."""
    return int(report.value("log.n_cases") or 0) < FEW_CASES


def complete_share(report: Reader) -> str | None:
    """Address of a share that says that nearly all journeys reach the goal; None if they do not."""
    if not has_goal(report):
        return None
    for address in ("log.end_states.converted.share.estimate", "conversion.estimate"):
        value = report.value(address)
        if fmt.is_number(value) and value >= COMPLETE:
            return address
    return None


def found_and_sure(report: Reader) -> list[int]:
    """Places of the fixes that were found in the data and whose whole interval lies above zero."""
    fixes = [report.at(f"fixes[{i}]") for i in range(len(report.items("fixes")))]
    return [i for i, fix in enumerate(fixes) if fix_words.is_found(fix) and fix_words.is_sure(fix)]


def headline_of(report: Reader) -> Sentence:
    """Return the conclusion of the whole report."""
    if not has_goal(report):
        return report.say("headline_no_goal", n=report.count("log.n_cases"))
    if is_few(report):
        return report.say("headline_few", n=report.count("log.n_cases"))
    return _outcome_headline(report) or _fix_headline(report)


def _outcome_headline(report: Reader) -> Sentence | None:
    """Return the headline if the end states alone decide it."""
    n, converted, still_open = (
        int(report.value("log.n_cases") or 0),
        end_count(report, "converted"),
        end_count(report, "open"),
    )
    if still_open == n:
        return report.say("headline_open")
    if converted == 0:
        goals = report.items("log.goal")
        if len(goals) == 1:
            return report.say("headline_none", goal=name(goals[0], report.lang))
        return report.say("headline_none_several")
    if converted == n:
        return report.say("headline_all")
    address = complete_share(report)
    if address is None:
        return None
    key = "headline_complete" if address.startswith("log.") else "headline_complete_known"
    return report.say(key, share=report.share(address))


def _fix_headline(report: Reader) -> Sentence:
    """Return the headline about the first fix, if it stands out."""
    if not report.items("fixes"):
        return report.say("headline_no_fix")
    first = report.at("fixes[0]")
    if not fix_words.is_sure(first):
        return report.say("headline_no_fix")
    if first.value("block") == "user":
        title = fix_words.title_of(first, report.zone)
        if fmt.is_number(first.value("per_month.estimate")):
            return report.say("headline_user", title=title, n=first.amount("per_month.estimate"))
        return report.say("headline_user_points", title=title, points=first.effect("effect")[0])
    if not fix_words.is_found(first):
        return report.say("headline_assumed", activity=first.name("activity"))
    fields: dict[str, Any] = fix_words.common_fields(first, report.zone)
    kind = fix_words.kind_of(first)
    if fmt.is_number(first.value("per_month.estimate")):
        return report.say(f"headline_{kind}", n=first.amount("per_month.estimate"), **fields)
    return report.say(f"headline_{kind}_points", points=first.effect("effect")[0], **fields)


def findings_of(report: Reader) -> list[Finding]:
    """Return at most four findings, each with its key, a leading sentence and one with the numbers."""
    out: list[Finding] = []
    if has_goal(report):
        out.append(_outcome(report))
        out += _fix_findings(report)
        out += _loss(report)
    out += _path(report)
    if not has_goal(report):
        out += _move(report)
    return out[:MAX_FINDINGS]


def _outcome(report: Reader) -> Finding:
    share = {
        state: report.share(f"log.end_states.{state}.share.estimate")
        for state in ("converted", "dropped", "open")
    }
    lead = report.say("finding_outcome_lead", converted=share["converted"])
    if end_count(report, "open") == 0:
        return "outcome", lead, report.say("finding_outcome_closed", dropped=share["dropped"])
    return "outcome", lead, report.say("finding_outcome", dropped=share["dropped"], open=share["open"])


def _fix_findings(report: Reader) -> list[Finding]:
    sure = [] if is_few(report) else found_and_sure(report)
    keys = ("first_fix", "second_fix")
    if sure:
        return [(key, *_fix_sentences(report, i)) for key, i in zip(keys, sure, strict=False)]
    if report.value("tests.n_tested") and not report.value("tests.n_kept"):
        lead = report.say("finding_no_difference_lead")
        body = report.say("finding_no_difference", n_tested=report.count("tests.n_tested"))
        return [("no_difference", lead, body)]
    return []


def _fix_sentences(report: Reader, i: int) -> tuple[Sentence, Sentence]:
    fix = report.at(f"fixes[{i}]")
    kind = fix_words.kind_of(fix)
    effect, lower, upper = fix.effect("effect")
    body = report.say(
        f"finding_{kind}",
        drop=fix.share("drop.estimate"),
        reference=fix.share("reference.value"),
        effect=effect,
        lower=lower,
        upper=upper,
    )
    return report.say(f"finding_{kind}_lead", **fix_words.common_fields(fix, report.zone)), body


def largest_loss(report: Reader) -> int | None:
    """Place of the activity after which most journeys are dropped; None if none is."""
    lost: list[tuple[float, int]] = []
    for i, activity in enumerate(report.items("activities")):
        drop = activity.get("drop")
        if drop and fmt.is_number(drop.get("estimate")) and drop["estimate"] > 0:
            lost.append((drop["estimate"] * drop["n"], -i))
    return -max(lost)[1] if lost else None


def _loss(report: Reader) -> list[Finding]:
    i = largest_loss(report)
    if i is None or end_count(report, "dropped") == 0 or complete_share(report):
        return []
    activity = report.at(f"activities[{i}]")
    lead = report.say("finding_loss_lead", activity=activity.name("name"))
    return [("largest_loss", lead, report.say("finding_loss", drop=activity.share("drop.estimate")))]


def _path(report: Reader) -> list[Finding]:
    if not report.items("variants"):
        return []
    lead = report.say("finding_path_lead", share=report.share("variants[0].share.estimate"))
    return [("commonest_path", lead, report.say("finding_path", n=report.count("log.n_variants")))]


def commonest_move(report: Reader) -> int | None:
    """Place of the most frequent transition between two different steps; None if there is none."""
    moves = [
        (move["n"], -i)
        for i, move in enumerate(report.items("transitions"))
        if move["source"] != move["target"]
    ]
    return -max(moves)[1] if moves else None


def _move(report: Reader) -> list[Finding]:
    i = commonest_move(report)
    if i is None:
        return []
    move = report.at(f"transitions[{i}]")
    names = {"source": move.name("source"), "target": move.name("target")}
    lead = report.say("finding_move_lead", **names)
    body = report.say("finding_move", share=move.share("share.estimate"), source=names["source"])
    return [("commonest_move", lead, body)]
