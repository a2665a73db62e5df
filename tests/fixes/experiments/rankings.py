"""A small ranking for tests of plans, with the attributes of the real one."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from journeymine.fixes.experiments.plannable import PlanFacts
from journeymine.uncertainty import Estimates


def estimate(value: float, lower: float, upper: float, n: int = 10_000) -> Estimates:
    return Estimates(np.asarray(value), np.asarray(lower), np.asarray(upper), np.asarray(n))


@dataclass(frozen=True, slots=True, eq=False)
class SmallFix:
    id: str
    rank: int
    effect: Estimates
    reach: Estimates
    kind: str = "drop_off"
    activity: str = "Payment"
    label: str | None = None
    attempt: int | None = None
    segment: Any = None
    period: Any = None
    per_month: Estimates | None = None


def small_ranking(**facts: Any) -> Any:
    """Two starts in five reach Payment; 3,043.75 starts a month are 700 a week, 280 of them reach it."""
    pay = SmallFix(
        "drop_off:Payment:platform=mobile",
        1,
        estimate(0.02, 0.012, 0.028),
        estimate(0.4, 0.39, 0.41),
        segment=SimpleNamespace(column="platform", value="mobile"),
        per_month=estimate(60.875, 36.5, 85.2),
    )
    harm = SmallFix("loop:Form", 2, estimate(-0.001, -0.01, 0.008), estimate(0.1, 0.09, 0.11), kind="loop")
    over = SmallFix(
        "incident:Pay",
        3,
        estimate(0.01, 0.005, 0.015),
        estimate(0.05, 0.04, 0.06),
        kind="incident",
        period=SimpleNamespace(ongoing=False),
    )
    known = {
        "outcome": "conversion",
        "metric": "order within 21 days",
        "baseline": {pay.id: 0.55, harm.id: 0.3, over.id: 0.3},
        "follow_up_days": 21.0,
    }
    return SimpleNamespace(fixes=(pay, harm, over), facts=PlanFacts(**{**known, **facts}))
