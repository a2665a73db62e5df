"""The removal effect of Markov attribution, read as a ranking: what is lost when the step sends everybody away.

The opposite question of a fix (Anderl et al. 2016): a step that all must pass is worth everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.bench.habits.pooled_chain import converts, move_counts, shares, start_shares
from journeymine.bench.habits.scores import as_scores
from journeymine.bench.habits.steps import steps_of

if TYPE_CHECKING:
    import pandas as pd

    from journeymine.bench.habits.steps import Floats
    from journeymine.fixes.fix import Fix


def removal(events: pd.DataFrame, fixes: list[Fix], seed: int) -> pd.DataFrame:
    """Rank by the removal effect of the step, times the share of its visits in the scope of the fix."""
    steps = steps_of(events)
    rows, start = shares(move_counts(steps)), start_shares(steps)
    scores = []
    for fix in fixes:
        here = steps.activity[steps.at(fix)]
        share = len(here) / max(int((steps.activity == here[0]).sum()), 1) if len(here) else 0.0
        scores.append(share * removal_effect(start, rows, int(here[0])) if len(here) else 0.0)
    return as_scores(fixes, scores)


def removal_effect(start: Floats, rows: Floats, state: int) -> float:
    """Share of the conversions that is lost when a state sends everybody away.

    Examples
    --------
    The worked example of the design note: 0.8166 for the form.

    >>> import numpy as np
    >>> rows = np.array([[0.2, 0.5, 0, 0.05, 0.25], [0.1, 0, 0.6, 0, 0.3], [0, 0.15, 0.1, 0.55, 0.2]])
    >>> round(removal_effect(np.array([1.0, 0, 0]), rows, 1), 4)
    0.8166
    """
    base = converts(start, rows)
    without = rows.copy()
    without[state] = 0.0
    without[state, -1] = 1.0
    return 1.0 - converts(start, without) / base if base > 0 else 0.0


removal.calibrated = False  # type: ignore[attr-defined]
