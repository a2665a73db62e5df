"""The fixes section: a forest whose rows can wrap, and stack on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.draw.forest import ForestRow, grid_strip, interval_strip, strip_axis, tick_strip
from journeymine.reporting.phrases import Shown, name, spelled
from journeymine.reporting.views.fix_details import details_of
from journeymine.reporting.views.fix_tables import decision_table, rice_table, sets_table
from journeymine.reporting.views.markup import drawn
from journeymine.reporting.wording import fixes as words
from journeymine.reporting.wording.fix_numbers import PLAIN, effect_shown, outcome_of
from journeymine.reporting.wording.fix_reasons import ties_of
from journeymine.reporting.wording.head import complete_share, end_count, has_goal, is_few
from journeymine.reporting.wording.ranking import checks_of, sub_of

if TYPE_CHECKING:
    from journeymine.draw.axis import Axis
    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader

SHOWN: Final = {"found": 10, "user": 10, "assumed": 5}
"""Rows of each block that are open; the assumed ones all say the same kind of thing."""
MAX_ROWS: Final = 40
BLOCKS: Final = ("found", "user", "assumed")


def fixes_view(report: Reader) -> dict[str, Any]:
    """Collect what the fixes section shows."""
    fixes = [report.at(f"fixes[{i}]") for i in range(len(report.items("fixes")))]
    outcome = outcome_of(report)
    rows = [_forest_row(fix, outcome) for fix in fixes]
    axis = strip_axis(rows)
    seen = _Seen(report, outcome, axis, {fix.value("id"): fix.count("rank") for fix in fixes})
    blocks = {
        kind: [seen.row(fix, row) for fix, row in zip(fixes, rows, strict=True) if block_of(fix) == kind]
        for kind in BLOCKS
    }
    return {
        "heading": heading_of(report),
        "missing": None if fixes else _missing(report),
        "sub": sub_of(report),
        "tested": _tested(report) if has_goal(report) else None,
        "ticks": drawn(tick_strip(axis, report.lang)),
        "grid": drawn(grid_strip(axis)),
        "has_month": any(fix.value("per_month") or fix.value("money_per_month") for fix in fixes),
        "axis_label": report.say("col_interval" if outcome not in PLAIN else f"col_interval_{outcome}"),
        "blocks": [_block(kind, rows, report) for kind, rows in blocks.items() if rows],
        "sets": sets_table(report, fixes, outcome),
        "checks": checks_of(report, fixes),
        "decision": decision_table(report, fixes[:MAX_ROWS], outcome),
        "rice": rice_table(report, fixes, outcome),
    }


def block_of(fix: Reader) -> str:
    """Under which heading a fix stands."""
    if fix.value("block") == "user":
        return "user"
    return "found" if words.is_found(fix) else "assumed"


def heading_of(report: Reader) -> Sentence:
    """Return the finding of the section."""
    if not report.items("fixes"):
        return report.say("fixes_head_none")
    if is_few(report):
        return report.say("fixes_head_few")
    if complete_share(report):
        return report.say("fixes_head_complete")
    named = [fix for fix in _fixes(report) if block_of(fix) != "assumed"]
    sure = [fix for fix in named if words.is_sure(fix)]
    if sure:
        return report.say("fixes_head_sure", count=spelled(len(sure), report.lang))
    if named:
        return report.say("fixes_head_unsure")
    if not report.value("tests.n_tested"):
        return report.say("fixes_head_untested")
    return report.say("fixes_head_kept" if report.value("tests.n_kept") else "fixes_head_assumed")


def _fixes(report: Reader) -> list[Reader]:
    return [report.at(f"fixes[{i}]") for i in range(len(report.items("fixes")))]


def _missing(report: Reader) -> Sentence:
    if not has_goal(report):
        return report.say("fixes_missing_goal")
    return report.say("fixes_missing_other" if end_count(report, "dropped") else "fixes_missing_drop")


def _tested(report: Reader) -> Sentence:
    if not report.value("tests.n_tested"):
        return report.say("fixes_not_tested")
    fields = {key: report.count(f"tests.{key}") for key in ("n_tested", "n_kept")}
    return report.say("fixes_tested", **fields)


def _forest_row(fix: Reader, outcome: str) -> ForestRow:
    estimate, lower, upper = (
        float(value) if fmt.is_number(value := fix.value(f"effect.{part}")) else 0.0
        for part in ("estimate", "lower", "upper")
    )
    number, scale = int(fix.value("rank") or 0), 1.0 if outcome in PLAIN else 100.0
    return ForestRow(number=number, title="", estimate=estimate, lower=lower, upper=upper, scale=scale)


class _Seen:
    """What all rows of the list have in common."""

    def __init__(self, report: Reader, outcome: str, axis: Axis, ranks: dict[Any, Shown]) -> None:
        self.outcome, self.axis, self.ranks, self.zone = outcome, axis, ranks, report.zone
        names = report.stage_names()
        self.stages = {
            row["name"]: names.get(row["stage"], name(row["stage"], report.lang))
            for row in report.items("activities")
            if row.get("stage")
        }

    def row(self, fix: Reader, row: ForestRow) -> dict[str, Any]:
        """Everything that the page says about one fix."""
        effect, lower, upper = effect_shown(fix, "effect", self.outcome)
        ties = ties_of(fix, self.ranks)
        return {
            "number": fix.count("rank"),
            "title": words.title_of(fix, self.zone),
            "place": words.place_of(fix),
            "stage": self.stages.get(fix.value("activity")),
            "trust": [*words.trust_of(fix), *([ties] if ties else [])],
            "strip": drawn(interval_strip(row, self.axis)),
            "effect": effect,
            "bounds": fix.say("interval", lower=lower, upper=upper),
            "sure": not row.has_zero,
            "month": fix.amount("per_month.estimate") if fix.value("per_month") else None,
            "money": fix.money("money_per_month.estimate") if fix.value("money_per_month") else None,
            "next": words.next_step_of(fix, self.zone),
            "test": words.test_of(fix),
            "details": details_of(fix, self.outcome),
            **_facts(fix),
        }


def _facts(fix: Reader) -> dict[str, Any]:
    ranks = None
    if fix.value("rank_lower") is not None:
        ranks = fix.say("interval", lower=fix.count("rank_lower"), upper=fix.count("rank_upper"))
    return {
        "reach": fix.share("reach.estimate"),
        "drop": fix.share("drop.estimate"),
        "drop_bounds": fix.interval("drop", "share"),
        "reference": fix.share("reference.value") if words.is_compared(fix) else None,
        "best": fix.share("p_best"),
        "ranks": ranks,
    }


def _block(kind: str, rows: list[dict[str, Any]], report: Reader) -> dict[str, Any]:
    more = rows[SHOWN[kind] : MAX_ROWS]
    count = Shown(fmt.number(len(more), report.lang), len(more))
    return {
        "kind": kind,
        "heading": report.say(f"block_{kind}"),
        "rows": rows[: SHOWN[kind]],
        # A fragment stays small: what is folded away has its reasons in the report.
        "more": more if report.has_refs else [row | {"details": None} for row in more],
        "more_label": report.say("block_more", count=count),
        "all": rows[:MAX_ROWS],
        "has_rest": len(rows) > MAX_ROWS,
    }
