"""The biggest drop-off: how many journeys ended, without the goal, at the step that a fix is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.bench.habits.scores import as_scores
from journeymine.bench.habits.steps import steps_of

if TYPE_CHECKING:
    import pandas as pd

    from journeymine.fixes.fix import Fix


def drops(events: pd.DataFrame, fixes: list[Fix], seed: int) -> pd.DataFrame:
    """Rank by the number of journeys lost at the step."""
    steps = steps_of(events)
    lost = steps.next == steps.drop
    return as_scores(fixes, [(lost & steps.at(fix)).sum() for fix in fixes])


drops.calibrated = False  # type: ignore[attr-defined]
