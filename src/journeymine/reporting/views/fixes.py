"""The fixes section: a forest whose rows can wrap, and stack on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.draw.forest import ForestRow, grid_strip, interval_strip, strip_axis, tick_strip
from journeymine.reporting.phrases import Shown, name, spelled
from journeymine.reporting.views.markup import drawn
from journeymine.reporting.wording import fixes as words
from journeymine.reporting.wording.head import complete_share, end_count, found_and_sure, has_goal, is_few

if TYPE_CHECKING:
    from journeymine.draw.axis import Axis
    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader

SHOWN: Final = 10
MAX_ROWS: Final = 40


def fixes_view(report: Reader) -> dict[str, Any]:
    """Collect what the fixes section shows."""
    n = len(report.items("fixes"))
    fixes = [report.at(f"fixes[{i}]") for i in range(n)]
    rows = [_forest_row(fix) for fix in fixes]
    axis = strip_axis(rows)
    kinds = {"found": [], "assumed": []}  # type: dict[str, list[int]]
    for i, fix in enumerate(fixes):
        kinds["found" if words.is_found(fix) else "assumed"].append(i)
    names = report.stage_names()
    stages = {
        row["name"]: names.get(row["stage"], name(row["stage"], report.lang))
        for row in report.items("activities")
        if row.get("stage")
    }
    return {
        "heading": heading_of(report),
        "missing": None if n else _missing(report),
        "tested": _tested(report) if has_goal(report) else None,
        "ticks": drawn(tick_strip(axis, report.lang)),
        "grid": drawn(grid_strip(axis)),
        "has_month": any(fix.value("per_month") for fix in fixes),
        "has_money": any(fix.value("money_per_month") for fix in fixes),
        "blocks": [
            _block(kind, [_row(fixes[i], rows[i], axis, stages, report.zone) for i in places], report)
            for kind, places in kinds.items()
            if places
        ],
    }


def heading_of(report: Reader) -> Sentence:
    """Return the finding of the section."""
    if not report.items("fixes"):
        return report.say("fixes_head_none")
    if is_few(report):
        return report.say("fixes_head_few")
    if complete_share(report):
        return report.say("fixes_head_complete")
    sure = found_and_sure(report)
    if sure:
        return report.say("fixes_head_sure", count=spelled(len(sure), report.lang))
    found = any(words.is_found(report.at(f"fixes[{i}]")) for i in range(len(report.items("fixes"))))
    if found:
        return report.say("fixes_head_unsure")
    if not report.value("tests.n_tested"):
        return report.say("fixes_head_untested")
    return report.say("fixes_head_kept" if report.value("tests.n_kept") else "fixes_head_assumed")


def _missing(report: Reader) -> Sentence:
    if not has_goal(report):
        return report.say("fixes_missing_goal")
    return report.say("fixes_missing_other" if end_count(report, "dropped") else "fixes_missing_drop")


def _tested(report: Reader) -> Sentence:
    if not report.value("tests.n_tested"):
        return report.say("fixes_not_tested")
    fields = {key: report.count(f"tests.{key}") for key in ("n_tested", "n_kept")}
    return report.say("fixes_tested", **fields)


def _forest_row(fix: Reader) -> ForestRow:
    estimate, lower, upper = (
        float(value) if fmt.is_number(value := fix.value(f"effect.{part}")) else 0.0
        for part in ("estimate", "lower", "upper")
    )
    return ForestRow(
        number=int(fix.value("rank") or 0), title="", estimate=estimate, lower=lower, upper=upper
    )


def _row(fix: Reader, row: ForestRow, axis: Axis, stages: dict[str, Any], zone: str | None) -> dict[str, Any]:
    effect, lower, upper = fix.effect("effect")
    has_ranks = fix.value("rank_lower") is not None
    return {
        "number": fix.count("rank"),
        "title": words.title_of(fix, zone),
        "place": words.place_of(fix),
        "stage": stages.get(fix.value("activity")),
        "trust": words.trust_of(fix),
        "strip": drawn(interval_strip(row, axis)),
        "effect": effect,
        "bounds": fix.say("interval", lower=lower, upper=upper),
        "sure": not row.has_zero,
        "month": fix.amount("per_month.estimate") if fix.value("per_month") else None,
        "money": fix.money("money_per_month.estimate") if fix.value("money_per_month") else None,
        "next": words.next_step_of(fix, zone),
        "reach": fix.share("reach.estimate"),
        "drop": fix.share("drop.estimate"),
        "drop_bounds": fix.interval("drop", "share"),
        "reference": fix.share("reference.value"),
        "best": fix.share("p_best"),
        "ranks": fix.say("interval", lower=fix.count("rank_lower"), upper=fix.count("rank_upper"))
        if has_ranks
        else None,
    }


def _block(kind: str, rows: list[dict[str, Any]], report: Reader) -> dict[str, Any]:
    more = rows[SHOWN:MAX_ROWS]
    count = Shown(fmt.number(len(more), report.lang), len(more))
    return {
        "kind": kind,
        "heading": report.say(f"block_{kind}"),
        "rows": rows[:SHOWN],
        "more": more,
        "more_label": report.say("block_more", count=count),
        "all": rows[:MAX_ROWS],
        "has_rest": len(rows) > MAX_ROWS,
    }
