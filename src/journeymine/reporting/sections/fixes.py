"""Tests and ranked fixes as plain numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journeymine.fixes.candidates import LEVEL
from journeymine.fixes.ranking import iso
from journeymine.reporting.sections.fix_parts import care_of, decision_of, wishes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.fixes.candidates import TestedRow
    from journeymine.fixes.ranked_fix import RankedFix
    from journeymine.fixes.ranking import FixRanking


TEST_METHOD = "generalised Cochran-Mantel-Haenszel, Rao-Scott over customers, Benjamini-Hochberg"


def tests_section(ranking: FixRanking | None, segments: Sequence[str]) -> dict[str, Any]:
    """Every test of the family, kept or not."""
    rows = [] if ranking is None else [_test(row, ranking.states, segments) for row in ranking.found.tests]
    kept = 0 if ranking is None else ranking.n_kept
    return {"n_tested": len(rows), "n_kept": kept, "level": LEVEL, "method": TEST_METHOD, "rows": rows}


def _test(row: TestedRow, states: Sequence[str], segments: Sequence[str]) -> dict[str, Any]:
    return {
        "activity": states[row.state],
        "column": None if row.column is None else segments[row.column],
        "periods": row.about == "period",
        "about": row.about,
        "target": row.target,
        "statistic": row.test.statistic,
        "df": row.test.df,
        "p_value": row.test.p_value,
        "q_value": row.q_value,
        "kept": row.kept,
    }


def fixes_section(ranking: FixRanking | None) -> list[dict[str, Any]]:
    """Ranked fixes; titles and next steps are added with the words."""
    return [] if ranking is None else [_fix(fix) for fix in ranking.fixes]


def _fix(fix: RankedFix) -> dict[str, Any]:
    """One fix: what it is, what it changes, what was decided about it, and how far to believe it."""
    return _what(fix) | wishes_of(fix) | _change(fix) | decision_of(fix) | care_of(fix)


def _what(fix: RankedFix) -> dict[str, Any]:
    period, segment = fix.period, fix.segment
    return {
        "id": fix.id,
        "kind": fix.kind,
        "activity": fix.activity,
        "attempt": fix.attempt,
        "segment": None if segment is None else {"column": segment.column, "value": segment.value},
        "period": None
        if period is None
        else {"start": iso(period.start_us), "end": iso(period.end_us), "ongoing": period.ongoing},
        "reference": {"kind": fix.reference.kind, "value": fix.reference.value, "n": fix.reference.n},
        "title": "",
        "next_step": "",
        "block": fix.block,
    }


def _change(fix: RankedFix) -> dict[str, Any]:
    return {
        "drop": fix.drop.at(),
        "effect": fix.effect.at(),
        "sd": fix.sd,
        "predicted": None if fix.predicted is None else fix.predicted.at(),
        "per_month": None if fix.per_month is None else fix.per_month.at(),
        "money_per_month": None if fix.money_per_month is None else fix.money_per_month.at(),
        "reach": fix.reach.at(),
        "p_best": fix.p_best,
        "rank": fix.rank,
        "rank_lower": fix.rank_lower,
        "rank_upper": fix.rank_upper,
        "evidence": fix.evidence,
        "audience": {"n": fix.audience_n},
    }
