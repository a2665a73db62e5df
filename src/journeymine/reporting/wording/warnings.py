"""What the reader must not overlook before trusting the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journeymine import _format as fmt
from journeymine.reporting.phrases import Shown
from journeymine.reporting.wording.head import MANY_OPEN, end_count, has_goal, is_few

if TYPE_CHECKING:
    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader

ROWS_LOST: Final = 0.05
MOST_UNKNOWN: Final = 5


def warnings_of(report: Reader) -> list[Sentence]:
    """Return the warnings, the gravest first."""
    return [*_about_journeys(report), *_about_times(report), *_about_rows(report), *_about_stages(report)]


def _about_stages(report: Reader) -> list[Sentence]:
    """Activities of the stages that the log does not have, the first few."""
    known = {activity.get("name") for activity in report.value("activities") or ()}
    stages = report.value("stages") or ()
    unknown = [
        f"stages[{i}].activities[{j}]"
        for i, stage in enumerate(stages)
        for j, name in enumerate(stage["activities"])
        if known and name not in known
    ]
    return [report.say("warning_stage_unknown", activity=report.name(at)) for at in unknown[:MOST_UNKNOWN]]


def _about_journeys(report: Reader) -> list[Sentence]:
    out: list[Sentence] = []
    if is_few(report):
        out.append(report.say("warning_few_cases", n=report.count("log.n_cases")))
    if not has_goal(report):
        return [*out, report.say("warning_no_goal")]
    noted = report.value("ledger.noted") or ()
    for i, entry in enumerate(noted):
        if entry["rule"] == "not_started":
            out.append(report.say("warning_not_started", n=report.count(f"ledger.noted[{i}].n")))
    n, converted = report.value("log.n_cases"), end_count(report, "converted")
    if converted == 0:
        out.append(report.say("warning_nothing_converted"))
    elif converted == n:
        out.append(report.say("warning_all_converted"))
    if report.value("chain") is None:
        out.append(report.say("warning_no_chain"))
    address = "log.end_states.open.share.estimate"
    still_open = report.value(address)
    if fmt.is_number(still_open) and still_open > MANY_OPEN:
        out.append(report.say("warning_many_open", open=report.share(address)))
    return out


def _about_times(report: Reader) -> list[Sentence]:
    clock = report.value("log.clock")
    if clock == "none":
        return [report.say("warning_no_time")]
    return [report.say("warning_relative_time")] if clock == "relative" else []


def _about_rows(report: Reader) -> list[Sentence]:
    out: list[Sentence] = []
    lost = lost_share(report)
    if lost > ROWS_LOST:
        out.append(report.say("warning_rows_lost", lost=Shown(fmt.share(lost, report.lang), lost)))
    if report.value("chain.n_folded"):
        out.append(report.say("warning_folded", n=report.count("chain.n_folded")))
    return out


def lost_share(report: Reader) -> float:
    """Share of the rows that could not be used; rows that the configuration left out do not count."""
    read = report.value("ledger.rows_read") or 0
    wanted = {"filtered_out", "duplicates_dropped", "not_started"}
    rejected = [row for row in report.items("ledger.rejected") if row["rule"] not in wanted]
    return sum(row["n"] for row in rejected) / read if read else 0.0
