"""The differential step matrix (as retentioneering): where the lost stand more often than those who convert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from journeymine.bench.habits.scores import as_scores
from journeymine.bench.habits.steps import steps_of

if TYPE_CHECKING:
    import pandas as pd

    from journeymine.bench.habits.steps import Bools, Floats, Steps
    from journeymine.fixes.fix import Fix

N_STEPS: Final = 20


def step_matrix(events: pd.DataFrame, fixes: list[Fix], seed: int) -> pd.DataFrame:
    """Rank by the share of the lost at the step, less that of the converted, summed over the first 20 steps."""
    steps = steps_of(events)
    place = _places(steps)
    return as_scores(fixes, [_difference(steps, place, steps.at(fix)).sum() for fix in fixes])


def _places(steps: Steps) -> Floats:
    """Place of each step in its journey, from 0."""
    begin = np.flatnonzero(steps.first)
    return np.asarray(np.arange(len(steps.case)) - begin[steps.case], float)


def _difference(steps: Steps, place: Floats, here: Bools) -> Floats:
    won = steps.converted[steps.case]
    early = here & (place < N_STEPS)

    def share(group: Bools, n: int) -> Floats:
        return np.bincount(place[early & group].astype(int), minlength=N_STEPS) / max(n, 1)

    return share(~won, int((~steps.converted).sum())) - share(won, int(steps.converted.sum()))


step_matrix.calibrated = False  # type: ignore[attr-defined]
