"""The list of fixes as a whole in words: its controls, past tests, and what testing is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journeymine import _format as fmt
from journeymine.reporting.phrases import Shown
from journeymine.reporting.wording.fix_numbers import outcome_of
from journeymine.reporting.wording.fix_reasons import control_fails

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader

NOTHING: Final = 0.005
"""Money below which no digit would be shown."""


def is_money(report: Reader) -> bool:
    """Whether fixes are ranked by a net value in money."""
    unit = str(report.value("ranking.unit_of_value") or "")
    return unit.startswith("money") and any(row.get("net_value") for row in report.items("fixes"))


def sub_of(report: Reader) -> list[Sentence]:
    """Say what is shown, and how it is numbered."""
    outcome, horizon = outcome_of(report), report.value("ranking.horizon")
    if outcome == "conversion" and horizon:
        what = report.say("fixes_sub_within", horizon=report.name("ranking.horizon"))
    else:
        what = report.say(f"fixes_sub_{outcome}")
    return [what, report.say("fixes_order_value" if is_money(report) else "fixes_order_effect")]


def checks_of(report: Reader, fixes: Sequence[Reader]) -> list[list[Sentence]]:
    """Say once for the list what was done against being fooled, and what it showed: one group of sentences a point."""
    if not report.value("ranking") or not fixes:
        return []
    family = [report.say("fixes_check_family")]
    if any("selected" in fix.items("flags") for fix in fixes):
        family.append(report.say("fixes_check_selection"))
    points = [
        family,
        _placebo(report),
        _controls(report, fixes),
        _classes(report),
        _calibration(report),
        _worth(report, fixes),
    ]
    return [point for point in points if point]


def _classes(report: Reader) -> list[Sentence]:
    n = report.value("ranking.classes")
    if not fmt.is_number(n) or n < 2:
        return []
    return [report.say("fixes_check_classes", n=report.count("ranking.classes"))]


def _placebo(report: Reader) -> list[Sentence]:
    if not report.value("ranking.placebo.n_splits"):
        return []
    n, kept = (report.count(f"ranking.placebo.{key}") for key in ("n_splits", "n_splits_kept"))
    out = [report.say("fixes_check_placebo", n=n, kept=kept)]
    if report.value("ranking.placebo.largest"):
        estimate, lower, upper = report.effect("ranking.placebo.largest")
        bounds = report.say("interval", lower=lower, upper=upper)
        out.append(report.say("fixes_check_placebo_largest", effect=estimate, bounds=bounds))
    if report.value("ranking.placebo.quiet") is False:
        out.append(report.say("fixes_check_placebo_loud"))
    return out


def _controls(report: Reader, fixes: Sequence[Reader]) -> list[Sentence]:
    tried = [fix for fix in fixes if fix.value("negative_control")]
    if not tried:
        return []
    failed = sum(control_fails(fix) for fix in tried)
    count, shown = (Shown(fmt.number(n, report.lang), n) for n in (len(tried), failed))
    return [report.say("fixes_check_controls", count=count, shown=shown)]


def _calibration(report: Reader) -> list[Sentence]:
    if not report.value("ranking.calibration.n_tests"):
        return [report.say("fixes_check_calibration_none")]
    n, slope = report.count("ranking.calibration.n_tests"), report.share("ranking.calibration.slope.estimate")
    out = [report.say("fixes_check_calibration", n=n, slope=slope)]
    if report.value("ranking.calibration.assumed"):
        out.append(report.say("fixes_check_calibration_few"))
    return out


def _worth(report: Reader, fixes: Sequence[Reader]) -> list[Sentence]:
    """Say what knowing more is worth, where the log has money."""
    if not is_money(report) or not fmt.is_number(report.value("ranking.evpi")):
        return []
    if report.value("ranking.evpi") < NOTHING:
        out = [report.say("fixes_check_evpi_none")]
    else:
        out = [report.say("fixes_check_evpi", value=report.money("ranking.evpi"))]
    if any(fix.value("cost") for fix in fixes) and report.value("ranking.p_nothing"):
        out.append(report.say("fixes_check_nothing", p=report.share("ranking.p_nothing")))
    worth = [(fix.value("evsi"), -i) for i, fix in enumerate(fixes) if fmt.is_number(fix.value("evsi"))]
    if worth and max(worth)[0] > 0:
        best = fixes[-max(worth)[1]]
        out.append(report.say("fixes_check_evsi", number=best.count("rank"), value=best.money("evsi")))
    return out
