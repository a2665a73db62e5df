"""Effects of removed steps that customers choose to meet: adjusted for their history, in place of the chain's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from journeymine.fixes.causal.aipw import exposure_fix_effect
from journeymine.uncertainty import bootstrap_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.fixes.candidates import Candidate
    from journeymine.fixes.causal.aipw import ExposureEffect
    from journeymine.fixes.what_if.what_if import Effects

    Floats = NDArray[np.float64]


def with_exposures(
    candidates: Sequence[Candidate],
    effects: Effects,
    exposures: Sequence[ExposureEffect | None],
    n_units: int,
    seed: int,
) -> Effects:
    """Effects of the chain, and where a step that customers choose is removed, those of AIPW, on the same draws.

    Where those who met the step have nobody like them who did not, the effect of the chain stays.
    """
    effect, draws = effects.effect.copy(), effects.effect_draws.copy()
    for i, (candidate, exposure) in enumerate(zip(candidates, exposures, strict=True)):
        if exposure is None or candidate.fix.kind != "remove_step" or not exposure.overlap.comparable:
            continue
        share = candidate.fix.fraction * candidate.fix.rho
        weights = bootstrap_weights(n_units, len(draws), seed)
        effect[i] = _spared(exposure, share, np.ones((1, n_units)))[0]
        draws[:, i] = np.concatenate([_spared(exposure, share, chunk) for chunk in weights])
    return replace(effects, effect=effect, effect_draws=draws)


def _spared(exposure: ExposureEffect, share: float, weights: Floats) -> Floats:
    return np.asarray(exposure_fix_effect(exposure, share, weights), dtype=float)
