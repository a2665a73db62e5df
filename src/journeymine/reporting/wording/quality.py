"""Checks of the data: a value, whether it is fine, and what it means for the reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from journeymine import _format as fmt
from journeymine.reporting.phrases import Shown, name, table
from journeymine.reporting.wording.head import FEW_CASES, MANY_OPEN, end_count, has_goal
from journeymine.reporting.wording.warnings import ROWS_LOST, lost_share

if TYPE_CHECKING:
    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader

WIDE_BELOW: Final = 200
DUPLICATES_LOOK: Final = 0.01
TIES_LOOK: Final = 0.01
IDLE_LOOK: Final = 0.1
TIE_RULES: Final = frozenset({"order_column", "file_order", "activity_name"})


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the data quality section."""

    key: str
    level: Literal["fine", "look"]
    label: Sentence
    value: Any
    meaning: Sentence


def checks_of(report: Reader) -> list[Check]:
    """Return all checks, in the order in which they are shown."""
    found = (
        _rows(report),
        _cases(report),
        _clock(report),
        _ties(report),
        _duplicates(report),
        _still_open(report),
        _idle(report),
        _folded(report),
        _stages(report),
    )
    return [check for check in found if check is not None]


def _check(
    report: Reader, key: str, value: Any, meaning: Sentence, *, look: bool, label: str | None = None
) -> Check:
    return Check(key, "look" if look else "fine", report.say(label or f"q_{key}"), value, meaning)


def _rows(report: Reader) -> Check:
    value = report.say(
        "q_rows_value", kept=report.count("ledger.rows_kept"), read=report.count("ledger.rows_read")
    )
    lost = (report.value("ledger.rows_read") or 0) - (report.value("ledger.rows_kept") or 0)
    meaning = (
        report.say("q_rows_some", n=Shown(fmt.number(lost, report.lang), lost))
        if lost > 0
        else report.say("q_rows_all")
    )
    return _check(
        report, "rows_read", value, meaning, look=lost_share(report) > ROWS_LOST / 5, label="q_rows"
    )


def _cases(report: Reader) -> Check:
    n = report.value("log.n_cases") or 0
    size = "few" if n < FEW_CASES else "wide" if n < WIDE_BELOW else "enough"
    meaning = report.say(f"q_cases_{size}")
    return _check(report, "cases", report.count("log.n_cases"), meaning, look=size != "enough")


def _clock(report: Reader) -> Check:
    clock = report.value("log.clock")
    clock = clock if clock in {"relative", "none"} else "calendar"
    fields = {"timezone": name(report.zone or "UTC", report.lang)} if clock == "calendar" else {}
    value = report.say(f"q_clock_{clock}_value", **fields)
    return _check(report, "clock", value, report.say(f"q_clock_{clock}"), look=clock != "calendar")


def _ties(report: Reader) -> Check:
    n = report.value("ledger.ties.n_tied_pairs") or 0
    decided = report.value("ledger.ties.decided_by") or {}
    value = report.say("q_ties_value", n=report.count("ledger.ties.n_tied_pairs"))
    if n == 0:
        return _check(report, "ties", value, report.say("q_ties_none"), look=False)
    if set(decided) == TIE_RULES:
        rules = {rule: report.count(f"ledger.ties.decided_by.{rule}") for rule in sorted(decided)}
        meaning = report.say("q_ties_some", **rules)
    else:
        meaning = report.say("q_ties_other")
    by_name = decided.get("activity_name") or 0
    return _check(
        report, "ties", value, meaning, look=by_name > TIES_LOOK * (report.value("log.n_events") or 1)
    )


def _duplicates(report: Reader) -> Check | None:
    rows = report.items("ledger.noted")
    i = next((i for i, row in enumerate(rows) if row["rule"] == "exact_duplicates"), None)
    if i is None:
        return None
    value = report.say("q_duplicates_value", n=report.count(f"ledger.noted[{i}].n"))
    look = rows[i]["n"] > DUPLICATES_LOOK * (report.value("log.n_events") or 1)
    return _check(report, "duplicates", value, report.say("q_duplicates_kept"), look=look)


def _still_open(report: Reader) -> Check | None:
    if not has_goal(report) or report.value("log.clock") == "none":
        return None
    share = report.value("log.end_states.open.share.estimate") or 0.0
    look = share > MANY_OPEN
    key = "q_open_none" if end_count(report, "open") == 0 else "q_open_look" if look else "q_open_fine"
    value = report.share("log.end_states.open.share.estimate")
    return _check(report, "open", value, report.say(key), look=look)


def _idle(report: Reader) -> Check | None:
    half, double = report.value("log.idle.half.dropped"), report.value("log.idle.double.dropped")
    if not (fmt.is_number(half) and fmt.is_number(double)):
        return None
    meaning = report.say(
        "q_idle_text",
        half=report.share("log.idle.half.dropped"),
        double=report.share("log.idle.double.dropped"),
    )
    value = report.duration("log.idle.seconds", long=True)
    return _check(report, "idle", value, meaning, look=abs(half - double) > IDLE_LOOK)


def _folded(report: Reader) -> Check | None:
    if not report.value("chain.n_folded"):
        return None
    return _check(report, "folded", report.count("chain.n_folded"), report.say("q_folded_text"), look=True)


def _stages(report: Reader) -> Check:
    n = len(report.items("stages"))
    value: Any = Shown(fmt.number(n, report.lang), n) if n else report.say("q_stages_none_value")
    return _check(report, "stages", value, report.say("q_stages_text" if n else "q_stages_none"), look=False)


def rule_name(rule: str, lang: str) -> Any:
    """Name a rule of the ledger; an unknown rule stands for itself."""
    from journeymine.reporting.phrases import say

    key = f"rule_{rule}"
    return say(key, lang) if key in table()["en"] else name(rule, lang)
