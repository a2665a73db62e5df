"""Tables under the forest: fixes taken together, the decision in numbers, RICE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journeymine import _format as fmt
from journeymine.reporting.phrases import Shown, name
from journeymine.reporting.wording import fixes as words
from journeymine.reporting.wording.fix_numbers import (
    bounds_shown,
    effect_number,
    effect_shown,
    listed,
)
from journeymine.reporting.wording.ranking import is_money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.reporting.phrases import Sentence
    from journeymine.reporting.reader import Reader

RICE = ("reach", "impact", "confidence", "effort", "score")
Table = dict[str, Any]
Cell = tuple[Any, Any]
"""What a cell shows, and the small print under it."""


def decision_table(report: Reader, fixes: Sequence[Reader], outcome: str) -> Table | None:
    """What the joint draws say about each fix; None in a report from before they were asked."""
    if not fixes or fixes[0].value("p_positive") is None:
        return None
    money, costs = is_money(report), any(fix.value("cost") for fix in fixes)
    columns: list[Sentence] = [report.say("col_gain_cost" if costs else "col_gain")]
    if money:
        columns = [_net_heading(report), *([report.say("col_cost")] if costs else []), *columns]
    columns += [report.say("col_regret"), *([report.say("col_evsi")] if money else [])]
    return {
        "label": report.say("fixes_decision" if money else "fixes_decision_effect"),
        "columns": [*columns, report.say("col_simultaneous")],
        "rows": [_row(fix, report, _decision_cells(fix, outcome, money=money, costs=costs)) for fix in fixes],
    }


def _net_heading(report: Reader) -> Sentence:
    if not fmt.is_number(report.value("ranking.horizon_months")):
        return report.say("col_net_value")
    return report.say("col_net_value_months", n=report.amount("ranking.horizon_months"))


def _decision_cells(fix: Reader, outcome: str, *, money: bool, costs: bool) -> list[Cell]:
    cells: list[Cell] = []
    if money:
        cells.append((fix.money("net_value.estimate"), fix.interval("net_value", "money")))
        cells += [(_cost(fix), None)] if costs else []
    cells.append((fix.share("p_positive"), None))
    cells.append((fix.money("regret") if money else effect_number(fix, "regret", outcome), None))
    cells += [(fix.money("evsi"), None)] if money else []
    return [*cells, (bounds_shown(fix, "simultaneous", outcome), None)]


def _cost(row: Reader) -> Shown:
    """Nothing is 0, not 0.00."""
    return row.money("cost") if row.value("cost") else row.count("cost")


def rice_table(report: Reader, fixes: Sequence[Reader], outcome: str) -> Table | None:
    """RICE of the fixes whose effort is known; None where no effort is given."""
    known = [fix for fix in fixes if fix.value("rice")]
    if not known:
        return None
    known.sort(key=lambda fix: (-(fix.value("rice.score") or 0), fix.value("rank") or 0))
    return {
        "label": report.say("fixes_rice"),
        "columns": [report.say(f"col_rice_{part}") for part in RICE],
        "rows": [_row(fix, report, _rice_cells(fix, outcome)) for fix in known],
    }


def _rice_cells(fix: Reader, outcome: str) -> list[Cell]:
    return [
        (fix.amount("rice.reach"), None),
        (effect_number(fix, "rice.impact", outcome), None),
        (fix.share("rice.confidence"), None),
        (fix.amount("rice.effort"), None),
        (fix.amount("rice.score"), None),
    ]


def _row(fix: Reader, report: Reader, cells: list[Cell]) -> Table:
    return {"number": fix.count("rank"), "title": words.title_of(fix, report.zone), "cells": cells}


def sets_table(report: Reader, fixes: Sequence[Reader], outcome: str) -> Table | None:
    """Fixes evaluated together; None where none were."""
    sets = [report.at(f"ranking.sets[{i}]") for i in range(len(report.items("ranking.sets")))]
    if not sets:
        return None
    ranks = {fix.value("id"): fix.count("rank") for fix in fixes}
    costs = any(row.value("cost") for row in sets)
    columns = ["col_set_effect", "col_set_sum", *(["col_cost"] if costs else [])]
    return {
        "columns": [report.say(column) for column in columns],
        "rows": [_set_row(row, ranks, outcome, costs=costs) for row in sets],
    }


def _set_row(row: Reader, ranks: dict[Any, Shown], outcome: str, *, costs: bool) -> Table:
    effect, lower, upper = effect_shown(row, "effect", outcome)
    cells: list[Cell] = [
        (effect, row.say("interval", lower=lower, upper=upper)),
        (effect_number(row, "sum_of_singles", outcome), None),
    ]
    cells += [(_cost(row), None)] if costs else []
    names = [ranks[id_] if id_ in ranks else name(id_, row.lang) for id_ in row.items("ids")]
    return {"names": listed(names, row.lang), "cells": cells}
