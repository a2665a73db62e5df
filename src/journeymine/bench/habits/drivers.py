"""Conversion drivers: share exposed to the friction times how much less the exposed convert (as Amplitude's drivers).

Association of doing something with converting; who reaches a late step has survived everything before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.bench.habits.scores import as_scores
from journeymine.bench.habits.steps import steps_of

if TYPE_CHECKING:
    import pandas as pd

    from journeymine.bench.habits.steps import Bools, Steps
    from journeymine.fixes.fix import Fix


def drivers(events: pd.DataFrame, fixes: list[Fix], seed: int) -> pd.DataFrame:
    """Rank by exposure times difference of conversion."""
    steps = steps_of(events)
    return as_scores(fixes, [_driver(steps, exposed(steps, fix)) for fix in fixes])


def exposed(steps: Steps, fix: Fix) -> Bools:
    """Journeys that met the friction of a fix, shape (n_cases,): the step, a long wait after it, its repetition."""
    here = steps.at(fix)
    if fix.kind == "wait":
        waits = steps.wait_s[here & np.isfinite(steps.wait_s)]
        return (
            steps.met(here & (steps.wait_s > np.median(waits)))
            if len(waits)
            else np.zeros(steps.n_cases, bool)
        )
    if fix.kind == "loop" and fix.target is None:
        return steps.met(here & (steps.next == steps.activity))
    if fix.kind == "reroute" and fix.target is not None:
        return steps.met(here & (steps.next == steps.code(fix.target)))
    return steps.met(here)


def _driver(steps: Steps, met: Bools) -> float:
    if met.all() or not met.any():
        return 0.0
    difference = steps.converted[~met].mean() - steps.converted[met].mean()
    return float(met.mean() * difference)


drivers.calibrated = False  # type: ignore[attr-defined]
