"""Correlation analysis: odds ratio of meeting the friction with being lost (as PostHog, one added to each count)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.bench.habits.drivers import exposed
from journeymine.bench.habits.scores import as_scores
from journeymine.bench.habits.steps import steps_of

if TYPE_CHECKING:
    import pandas as pd

    from journeymine.bench.habits.steps import Bools, Steps
    from journeymine.fixes.fix import Fix


def odds_ratio(events: pd.DataFrame, fixes: list[Fix], seed: int) -> pd.DataFrame:
    """Rank by the log odds ratio of being lost."""
    steps = steps_of(events)
    return as_scores(fixes, [_log_odds_ratio(steps, exposed(steps, fix)) for fix in fixes])


def _log_odds_ratio(steps: Steps, met: Bools) -> float:
    won = steps.converted
    lost_met, won_met, lost_not, won_not = (
        1 + int(group.sum()) for group in (met & ~won, met & won, ~met & ~won, ~met & won)
    )
    return float(np.log(lost_met * won_not / (won_met * lost_not)))


odds_ratio.calibrated = False  # type: ignore[attr-defined]
