"""A stored ranking after the past tests: each fix's effect and place before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from journeymine.fixes.decision.error_control import LEVEL, bounded
from journeymine.fixes.experiments.planning import sd_of_interval
from journeymine.fixes.experiments.posterior import posteriors
from journeymine.uncertainty import Estimates, benjamini_hochberg, quantile_of_normal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.fixes.experiments.past import PastTest
    from journeymine.fixes.experiments.stored import StoredFix

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """A fix before and after: effect over all starts, and rank."""

    id: str
    title: str
    before: Estimates
    after: Estimates
    rank_before: int
    rank_after: int
    tested: bool


def rerank(fixes: Sequence[StoredFix], past: Sequence[PastTest]) -> tuple[Moved, ...]:
    """Effects and places of the fixes of a report after the past tests, in their new order.

    What a new ranking of the log with these tests would say, with normal distributions in place of its draws: the same
    posteriors, the same error control over each list that is decided (fixes found and the user's own together, then
    the assumed ones), the same order by the lower bound of net value, or of the effect where no fix has a value. What
    is not known of the value of a conversion is left out.

    Raises
    ------
    NotEnoughDataError
        No past test says anything.
    """
    usable = [test for test in past if test.usable]
    mean, sd = _posteriors(fixes, usable)
    tested = {test.fix_id for test in usable}
    moved: list[Moved] = []
    for assumed in (False, True):
        group = [i for i, fix in enumerate(fixes) if (fix.block == "assumed") == assumed]
        decided = _decided([fixes[i] for i in group], mean[group], sd[group], _worth_of_one(fixes))
        for place, after in decided:
            fix = fixes[group[place]]
            rank = len(moved) + 1
            moved.append(Moved(fix.id, fix.title, fix.effect, after, fix.rank, rank, fix.id in tested))
    return tuple(moved)


def _posteriors(fixes: Sequence[StoredFix], usable: Sequence[PastTest]) -> tuple[Floats, Floats]:
    before = [_mean_and_sd(fix) for fix in fixes]
    means, sds = [mean for mean, _ in before], [sd for _, sd in before]
    found = posteriors(means, sds, [fix.kind for fix in fixes], [fix.id for fix in fixes], usable)
    table = np.array(found, dtype=float).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _mean_and_sd(fix: StoredFix) -> tuple[float, float]:
    """Predicted effect before any past test."""
    if fix.predicted is not None:
        # The `sd` of such a report is that after its tests; this interval is no part of the list's error control.
        return float(fix.predicted.estimate), sd_of_interval(fix.predicted)
    return float(fix.effect.estimate), sd_of_interval(fix.effect) if fix.sd is None else fix.sd


def _worth_of_one(fixes: Sequence[StoredFix]) -> float | None:
    """Net value of an effect of 1, before costs; None where the report has no values."""
    valued = [fix for fix in fixes if fix.net_value is not None and fix.effect.estimate]
    if not valued:
        return None
    # The same for all fixes; the largest effect is the least rounded.
    largest = max(valued, key=lambda fix: (abs(float(fix.effect.estimate)), fix.id))
    assert largest.net_value is not None
    return (largest.net_value + largest.cost) / float(largest.effect.estimate)


def _decided(
    fixes: Sequence[StoredFix], mean: Floats, sd: Floats, worth: float | None
) -> list[tuple[int, Estimates]]:
    """Places in one list, best first, with the effects after error control, as in `fixes.decision.decisions.decide`."""
    if not fixes:
        return []
    kept = _kept(mean, sd)
    half = quantile_of_normal(0.95) * sd
    lower, upper = bounded(mean - half, mean + half, kept)
    scale = 1.0 if worth is None else worth
    cost = np.array([0.0 if worth is None else fix.cost for fix in fixes])
    net = mean * scale - cost
    worst, _ = bounded(net - half * abs(scale), net + half * abs(scale), kept, -cost)
    # What the tests say of all predictions moves the bounds of large fixes most, and their order not at all.
    order = sorted(range(len(fixes)), key=lambda i: (-max(float(worst[i]), 0.0), -net[i], fixes[i].id))
    n = [int(fix.effect.n) for fix in fixes]
    found = Estimates(mean, lower, upper, np.array(n))
    return [(i, Estimates(found.estimate[i], found.lower[i], found.upper[i], found.n[i])) for i in order]


def _kept(mean: Floats, sd: Floats) -> NDArray[np.bool_]:
    """Effects that differ from 0 with false discoveries of the list controlled, by normal p values.

    As in `fixes.decision.error_control`: without any spread nothing is known about the error, and p is 1.
    """
    z = np.divide(np.abs(mean), sd, out=np.zeros_like(mean), where=sd > 0)
    return np.asarray(benjamini_hochberg(2 * special.ndtr(-z)) <= LEVEL)
