"""What holds for the whole list of fixes: value of information, placebo, past tests, fixes evaluated together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journeymine.reporting.sections.fix_parts import parts_or_none

if TYPE_CHECKING:
    from journeymine.fixes.ranking import FixRanking

PLACEBO = ("n_tested", "n_kept", "n_splits", "n_splits_kept", "largest", "quiet")
SET = ("ids", "effect", "sum_of_singles", "cost", "net_value")
CALIBRATION = ("n_tests", "slope", "intercept", "spread", "assumed")


def ranking_section(ranking: FixRanking | None) -> dict[str, Any] | None:
    """The ranking as a whole; None where nothing was ranked."""
    if ranking is None:
        return None
    return {
        "outcome": ranking.outcome,
        "horizon": ranking.horizon,
        "horizon_months": ranking.horizon_months,
        "unit_of_value": ranking.unit_of_value,
        "evpi": ranking.evpi,
        "p_nothing": ranking.p_nothing,
        "conversion": ranking.conversion.at(),
        "n_draws": ranking.n_draws,
        "unit": ranking.unit,
        "causal": ranking.causal,
        "classes": None if ranking.classes is None else int(max(ranking.classes.n_classes)),
        "placebo": parts_or_none(ranking.placebo, PLACEBO),
        "calibration": parts_or_none(ranking.calibration, CALIBRATION),
        "sets": [parts_or_none(fixes, SET) for fixes in ranking.sets],
        "selection": ranking.selection,
    }
