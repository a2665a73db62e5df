"""Whether stated probabilities of being the best come true: the scores of a benchmark, held against their truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.bench.estimates import Figure
from journeymine.errors import NotEnoughDataError
from journeymine.fixes.decision.reliability import reliability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.bench.scoring import Score
    from journeymine.uncertainty import Estimates


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Fixes that were given about the same probability: its mean, and how often they are the best."""

    stated: float
    came: Figure


@dataclass(frozen=True, slots=True)
class StatedBest:
    """Slope of what came on what was stated (1: calibrated; below: overconfident), and the curve by tenths."""

    slope: Figure
    curve: tuple[ReliabilityBin, ...]


def reliability_of(scores: Sequence[Score]) -> StatedBest | None:
    """Reliability of P(best) over all fixes of all logs; None where nobody states one, or all state the same.

    Logs of one world share their truth: their winner is the same each time. Pool worlds with different winners.
    """
    used = [score for score in scores if all(fix.p_best is not None for fix in score.fixes)]
    stated = np.array([fix.p_best for score in used for fix in score.fixes], dtype=float)
    best = np.array([fix.best for score in used for fix in score.fixes], dtype=float)
    log = np.array([i for i, score in enumerate(used) for _ in score.fixes], dtype=np.int64)
    try:
        found = reliability(stated, best, log)
    except NotEnoughDataError:
        return None
    curve = tuple(
        ReliabilityBin(float(said), _figure(found.happened, i, len(used)))
        for i, said in enumerate(found.said)
    )
    return StatedBest(_figure(found.slope, (), len(used)), curve)


def _figure(values: Estimates, index: int | tuple[int, ...], n_logs: int) -> Figure:
    return Figure(
        float(values.estimate[index]),
        float(values.lower[index]),
        float(values.upper[index]),
        int(values.n[index]),
        n_logs,
    )
