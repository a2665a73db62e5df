"""Friction as plain numbers: signals, the learned score with its calibration, waits, and what was tested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.paths.signals import SIGNALS
from journeymine.reporting.schema_parts import (
    COUNT,
    ESTIMATE,
    ESTIMATE_OR_NULL,
    FLAG,
    KEY,
    NUMBER,
    SHARE,
    TEXT,
    Schema,
    array_of,
    object_of,
    one_of,
    or_null,
)

if TYPE_CHECKING:
    from journeymine.paths.friction import Friction, FrictionRow
    from journeymine.paths.friction_score import FrictionScore
    from journeymine.uncertainty import Estimates

MAX_ROWS = 400
READINGS = ("friction", "satisfaction", "noise")
LACKING = ("times", "fine_clock", "channel", "contacts", "errors", "goal")
NOT_LEARNED = ("few_units", "few_drops", "few_stays", "no_goal")


def friction_section(friction: Friction) -> list[dict[str, Any]]:
    """Signals by activity, those that stand out first; at most 400, and of what never holds only dead ends."""
    rows = [row for row in friction.rows if row.n or row.p_value is not None or row.signal == "dead_end"]
    return [_row(row) for row in rows[:MAX_ROWS]]


def _row(row: FrictionRow) -> dict[str, Any]:
    return {
        "signal": row.signal,
        "activity": row.activity,
        "other": row.other,
        "actor": row.actor,
        "rate": row.rate.at(),
        "n": row.n,
        "n_journeys": row.n_journeys,
        "effect": _at(row.effect),
        "effect_on": row.effect_on,
        "leave": _at(row.leave),
        "q_value": row.q_value,
        "kept": row.kept,
        "reading": row.reading,
        "score": _at(row.score),
    }


def _at(estimate: Estimates | None) -> dict[str, float | int] | None:
    return None if estimate is None else estimate.at()


def friction_score_section(score: FrictionScore | None) -> dict[str, Any] | None:
    """The learned score of each step and its calibration on customers it had not seen."""
    if score is None:
        return None
    known = score.observed.n > 0
    gap = np.abs(score.predicted - score.observed.estimate)[known]
    return {
        "n_visits": score.n_visits,
        "n_drops": score.n_drops,
        "n_folds": score.n_folds,
        "auc": score.auc.at(),
        "slope": score.slope.at(),
        "largest_gap": float(gap.max()),
        "deciles": [
            {"predicted": float(p), "observed": score.observed.at(i)}
            for i, p in enumerate(score.predicted.tolist())
            if score.observed.n[i]
        ],
        "steps": [{"activity": name, "score": score.excess.at(i)} for i, name in enumerate(score.activities)],
    }


def friction_tests_section(friction: Friction) -> dict[str, Any]:
    """What was tested, what was not judged and why, and the waits."""
    return {
        "n_tested": friction.n_tested,
        "n_kept": friction.n_kept,
        "level": friction.rules.level,
        "horizon_s": friction.horizon_s,
        "resolution_s": friction.resolution_s,
        "long_after_s": friction.long_after_s,
        "score_missing": friction.score_reason,
        "n_left_out": friction.n_left_out,
        "off": [{"signal": off.signal, "reason": off.reason} for off in friction.off],
        "waits": [
            {
                "activity": wait.activity,
                "waiting": wait.found.waiting.at(),
                "waiting_movers": wait.found.waiting_movers.at(),
                "median_s": wait.found.median_s.at(),
                "long": wait.long,
            }
            for wait in friction.waits
        ],
    }


def friction_schema() -> dict[str, Schema]:
    """Schemas of the keys `friction`, `friction_score` and `friction_tests`."""
    row = object_of(
        signal=one_of(*(signal.name for signal in SIGNALS)),
        activity=TEXT,
        other=or_null(TEXT),
        actor=or_null(TEXT),
        rate=ESTIMATE,
        n=COUNT,
        n_journeys=COUNT,
        effect=ESTIMATE_OR_NULL,
        effect_on=or_null(one_of("goal", "drop")),
        leave=ESTIMATE_OR_NULL,
        q_value=or_null(SHARE),
        kept=FLAG,
        reading=or_null(one_of(*READINGS)),
        score=ESTIMATE_OR_NULL,
    )
    score = object_of(
        n_visits=COUNT,
        n_drops=COUNT,
        n_folds=COUNT,
        auc=ESTIMATE_OR_NULL,
        slope=ESTIMATE_OR_NULL,
        largest_gap=SHARE,
        deciles=array_of(object_of(predicted=SHARE, observed=ESTIMATE)),
        steps=array_of(object_of(activity=TEXT, score=ESTIMATE)),
    )
    wait = object_of(
        activity=TEXT,
        waiting=ESTIMATE_OR_NULL,
        waiting_movers=ESTIMATE_OR_NULL,
        median_s=ESTIMATE_OR_NULL,
        long=FLAG,
    )
    tests = object_of(
        n_tested=COUNT,
        n_kept=COUNT,
        level=SHARE,
        horizon_s=or_null(NUMBER),
        resolution_s=or_null(NUMBER),
        long_after_s=or_null(NUMBER),
        score_missing=or_null(one_of(*NOT_LEARNED)),
        n_left_out=COUNT,
        off=array_of(object_of(signal=KEY, reason=one_of(*LACKING))),
        waits=array_of(wait),
    )
    return {"friction": array_of(row), "friction_score": or_null(score), "friction_tests": tests}
