"""The funnel: the steps of the most common converting journey, and how many are lost from each to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.bench.habits.scores import as_scores
from journeymine.bench.habits.steps import steps_of

if TYPE_CHECKING:
    import pandas as pd

    from journeymine.bench.habits.steps import Ints, Steps
    from journeymine.fixes.fix import Fix


def funnel(events: pd.DataFrame, fixes: list[Fix], seed: int) -> pd.DataFrame:
    """Rank by the loss to the next step of the funnel, times the share of the step's visits in the scope of the fix."""
    steps = steps_of(events)
    loss = _losses(steps, _usual_order(steps))
    scores = []
    for fix in fixes:
        here = steps.at(fix)
        visits = steps.activity[here]
        all_ = int((steps.activity == visits[0]).sum()) if len(visits) else 1
        scores.append(loss[visits[0]] * len(visits) / all_ if len(visits) else 0.0)
    return as_scores(fixes, scores)


def _usual_order(steps: Steps) -> list[int]:
    """Activities of the most common converting journey, each once, in the order of their first visit."""
    import pandas as pd

    won = steps.converted[steps.case]
    rows = pd.DataFrame({"case": steps.case[won], "activity": steps.activity[won]}).drop_duplicates()
    if rows.empty:
        return []
    paths = rows.groupby("case")["activity"].agg(tuple).value_counts()
    return list(min(paths[paths == paths.iloc[0]].index))


def _losses(steps: Steps, order: list[int]) -> dict[int, float]:
    """Journeys that passed all steps up to one, in order, and not the next (after the last one: the goal)."""
    nowhere = len(steps.case)
    at: Ints = np.full(steps.n_cases, -1, np.int64)
    n_reached = []
    for activity in order:
        later = np.flatnonzero((steps.activity == activity) & (at[steps.case] < np.arange(nowhere)))
        cases, first = np.unique(steps.case[later], return_index=True)
        at = np.full(steps.n_cases, nowhere, np.int64)
        at[cases] = later[first]
        n_reached.append(len(cases))
    n_reached.append(int(steps.converted[at < nowhere].sum()))
    lost = dict(zip(order, -np.diff(n_reached), strict=True))
    return {code: float(lost.get(code, 0.0)) for code in range(len(steps.names))}


funnel.calibrated = False  # type: ignore[attr-defined]
