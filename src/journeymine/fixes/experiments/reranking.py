"""A stored ranking after the past tests: each fix's effect and place before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.fixes.experiments.posterior import posteriors
from journeymine.uncertainty import Estimates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.fixes.experiments.past import PastTest
    from journeymine.fixes.experiments.stored import StoredFix

Z = 1.959963984540054


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

    The prediction of a fix is normal with the width of its interval. Fixes stay in their block and are sorted by the
    lower bound of net value, or of the effect where no fix has a value, as in the report.
    """
    usable = [test for test in past if test.usable]
    effects = [_effect_before(fix) for fix in fixes]
    mean = [float(effect.estimate) for effect in effects]
    sd = [(float(effect.upper) - float(effect.lower)) / (2 * Z) for effect in effects]
    found = posteriors(mean, sd, [fix.kind for fix in fixes], [fix.id for fix in fixes], usable)
    after = [_normal(m, s, int(effect.n)) for (m, s), effect in zip(found, effects, strict=True)]
    blocks = list(dict.fromkeys(fix.block for fix in sorted(fixes, key=lambda fix: fix.rank)))
    order = sorted(
        range(len(fixes)),
        key=lambda i: (
            blocks.index(fixes[i].block),
            -_worth(fixes[i], float(after[i].lower)),
            -float(after[i].estimate),
            fixes[i].id,
        ),
    )
    tested = {test.fix_id for test in usable}
    return tuple(
        Moved(
            fixes[i].id, fixes[i].title, fixes[i].effect, after[i], fixes[i].rank, rank, fixes[i].id in tested
        )
        for rank, i in enumerate(order, start=1)
    )


def _effect_before(fix: StoredFix) -> Estimates:
    return fix.effect if fix.predicted is None else fix.predicted


def _worth(fix: StoredFix, effect: float) -> float:
    """Net value of an effect, in the unit of the report."""
    if fix.net_value is None or not fix.effect.estimate:
        return effect
    return (fix.net_value + fix.cost) / float(fix.effect.estimate) * effect - fix.cost


def _normal(mean: float, sd: float, n: int) -> Estimates:
    values = np.array([mean, mean - Z * sd, mean + Z * sd])
    return Estimates(values[0], values[1], values[2], np.asarray(n))
