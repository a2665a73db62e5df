"""The head of the page: period, counts, headline, findings, warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journeymine import _format as fmt
from journeymine.reporting.phrases import Shown, name, spelled
from journeymine.reporting.wording.head import findings_of, headline_of
from journeymine.reporting.wording.warnings import warnings_of

if TYPE_CHECKING:
    from journeymine.reporting.reader import Reader


def head_view(report: Reader) -> dict[str, Any]:
    """Collect what the head shows."""
    warnings = warnings_of(report)
    title = report.value("title")
    return {
        "title": name(title, report.lang) if title else None,
        "period": _period(report),
        "counts": report.say(
            "eyebrow_counts",
            n=report.count("log.n_cases"),
            n_customers=report.count("log.n_customers"),
            n_events=report.count("log.n_events"),
        ),
        "headline": headline_of(report),
        "findings": [(lead, body) for _, lead, body in findings_of(report)],
        "warnings": warnings,
        "warnings_lead": report.say("warnings_lead", count=spelled(len(warnings), report.lang)),
    }


def _period(report: Reader) -> list[Any]:
    """Parts of the period, each with the address of its day; or why there is none."""
    clock = report.value("log.clock")
    if clock in {"relative", "none"}:
        return [report.say("eyebrow_relative" if clock == "relative" else "eyebrow_no_time")]
    first, last = report.value("log.first"), report.value("log.last")
    if not (first or last):
        return []
    start, dash, end = fmt.period_parts(first, last, report.lang, report.zone)
    parts = [Shown(start, first, "log.first"), dash] if start else []
    return [*parts, Shown(end, last, "log.last" if last else "log.first")]
