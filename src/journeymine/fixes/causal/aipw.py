"""The effect of an exposure that customers choose, such as a contact with support, adjusted for their history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.errors import NotEnoughDataError, OptionError, shown
from journeymine.fixes.causal.covariates import covariates
from journeymine.fixes.causal.decisions import Decisions, decision_points
from journeymine.fixes.causal.scores import Outcome, Sums, doubly_robust, folds_of_units, interval_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.sequences import SequenceCounts
    from journeymine.uncertainty import Estimates

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

N_FOLDS = 5
MIN_ARM = 30
"""Journeys with a known end that both the exposed and the others need."""
MOST_ALONE = 0.1
OVERLAP = 0.02
"""Propensities below this, or above one less this, are no overlap."""
BINS = np.linspace(0, 1, 21)


@dataclass(frozen=True, slots=True, eq=False)
class PropensityOverlap:
    """Whether those who met the exposure can be compared with others.

    Attributes
    ----------
    share_outside
        Share of decision points whose propensity is outside [0.02, 0.98].
    share_alone
        Share of the exposed whose propensity is above 0.98: nobody like them went on without it.
    lowest, highest
        Range of the propensities.
    edges
        Borders of the bins, shape (21,).
    exposed, others
        Decision points in each bin, shape (20,).
    """

    share_outside: float
    share_alone: float
    lowest: float
    highest: float
    edges: Floats
    exposed: Floats
    others: Floats

    @property
    def comparable(self) -> bool:
        """Whether at most a tenth of those who met the exposure have nobody like them who did not."""
        return self.share_alone <= MOST_ALONE


@dataclass(frozen=True, slots=True, eq=False)
class ExposureEffect:
    """What meeting an exposure does to reaching the goal; `exposure_effect` makes one.

    Attributes
    ----------
    exposed
        Number of the exposed state.
    at
        States of the decision points.
    att
        Effect on those who met it: their share that reaches the goal, less what it would have been had they gone on
        without it.
    ate
        The same over all decision points.
    naive
        Difference between those who met it and those who did not, nothing adjusted.
    overlap
        Whether they can be compared.
    n_decisions, n_exposed
        Decision points, and those that met the exposure.
    att_sums, ate_sums
        The same by unit: `att_sums.draws(weights)` are bootstrap replicates.
    met_per_start
        Journeys that met it after a decision point over journeys, by unit; what was not watched is made up for.
    """

    exposed: int
    at: Ints
    att: Estimates
    ate: Estimates
    naive: Estimates
    overlap: PropensityOverlap
    n_decisions: int
    n_exposed: int
    att_sums: Sums
    ate_sums: Sums
    met_per_start: Sums


def exposure_effect(
    sequences: SequenceCounts,
    exposed: int,
    *,
    at: Ints | None = None,
    seed: int = 0,
    n_folds: int = N_FOLDS,
    leaving: bool = False,
) -> ExposureEffect:
    """Effect of an exposure on reaching the goal, by cross-fitted AIPW at the moment of exposure.

    Those who met the exposure are compared with those who, with the same history until then, went on elsewhere
    (`decisions.py` says who counts). Later meetings of the others are part of how they go on. Journeys that are
    still under way are made up for by inverse probability weights (`watching.py`). It is an effect if nothing
    beyond that history drives both the exposure and the outcome.

    Parameters
    ----------
    sequences
        Journeys as sequences of states.
    exposed
        Number of the exposed state.
    at
        States of the decision points; by default all from which the exposed state came next at least five times.
    leaving
        Whether journeys that ended at a decision point count as not exposed.

    Raises
    ------
    OptionError
        A state or the number of folds cannot be used.
    NotEnoughDataError
        Fewer than 30 journeys, or units, with a known end met the exposure, or went on without it.

    Examples
    --------
    After an error most ask for help; help adds 0.3, the error takes 0.5. Who asked for help did worse, because of
    the error:

    >>> from journeymine.markov.lists import count_lists
    >>> kinds = [(["start", "error", "form", "help", "paid"], 32), (["start", "error", "form", "help"], 48),
    ...          (["start", "error", "form", "paid"], 2), (["start", "error", "form", "left"], 18),
    ...          (["start", "form", "help", "paid"], 9), (["start", "form", "help"], 1),
    ...          (["start", "form", "paid"], 54), (["start", "form", "left"], 36)]
    >>> journeys = [path for path, n in kinds for _ in range(10 * n)]
    >>> _, sequences = count_lists(journeys, goal="paid", customers=range(len(journeys)))
    >>> found = exposure_effect(sequences, sequences.states.index("help"))
    >>> round(float(found.naive.estimate), 2), round(float(found.att.estimate), 2)
    (-0.05, 0.3)
    """
    if n_folds < 2:
        raise OptionError(f"n_folds is {shown(n_folds)}, expected at least 2.")
    points = decision_points(sequences, exposed, at=at, leaving=leaving)
    _check_arms(points, sequences.states[exposed], n_folds)
    known = np.where(points.ended, 1 / points.sight[:, 0], 0.0)
    scores = doubly_robust(
        points.unit,
        points.exposed,
        points.n,
        Outcome(points.converted.astype(float), known, "logistic"),
        covariates(points),
        folds_of_units(points.n_units, n_folds, seed),
    )
    with_it, without = scores.naive
    n, n_exposed = int(points.n.sum()), int(points.n[points.exposed].sum())
    informed = int((scores.att.below > 0).sum())
    return ExposureEffect(
        exposed=exposed,
        at=np.unique(points.state),
        att=interval_of(scores.att.value, scores.att.influence, n_exposed, informed),
        ate=interval_of(scores.ate.value, scores.ate.influence, n, informed),
        naive=interval_of(with_it.value - without.value, with_it.influence - without.influence, n, informed),
        overlap=_overlap(points, scores.propensity),
        n_decisions=n,
        n_exposed=n_exposed,
        att_sums=scores.att,
        ate_sums=scores.ate,
        met_per_start=_met_per_start(points),
    )


def _check_arms(points: Decisions, name: str, n_folds: int) -> None:
    for arm, words in ((points.exposed, "met"), (~points.exposed, "went on without")):
        here = arm & points.ended
        n, units = int(points.n[here].sum()), len(np.unique(points.unit[here]))
        if min(n, units) < MIN_ARM or units < 2 * n_folds:
            raise NotEnoughDataError(
                f"{n} journeys of {units} customers {words} {shown(name)}, at least {MIN_ARM} are needed."
            )


def _overlap(points: Decisions, e: Floats) -> PropensityOverlap:
    n, d = points.n.astype(float), points.exposed
    outside, alone = (e < OVERLAP) | (e > 1 - OVERLAP), e > 1 - OVERLAP
    return PropensityOverlap(
        float((n * outside).sum() / n.sum()),
        float((n * (alone & d)).sum() / (n * d).sum()),
        float(e.min()),
        float(e.max()),
        BINS,
        np.histogram(e[d], BINS, weights=n[d])[0],
        np.histogram(e[~d], BINS, weights=n[~d])[0],
    )


def _met_per_start(points: Decisions) -> Sums:
    """Meetings after a decision point, those that would have been seen had everybody been watched, per journey."""
    n = np.where(points.exposed, points.n / points.sight[:, 1], 0.0)
    return Sums(np.bincount(points.unit, n, points.n_units).astype(float), points.journeys.astype(float))


def exposure_fix_effect(
    found: ExposureEffect, share: float, weights: Floats | None = None
) -> Estimates | Floats:
    """Change of conversion per start if a share of those who met the exposure were spared it.

    Less `share` times the effect on the exposed times the journeys per start that met it after a decision point.
    Journeys that begin with the exposure cannot be spared it, and are not counted.

    Parameters
    ----------
    share
        Share that is spared, from 0 to 1.
    weights
        Weights of the units, shape (n_draws, n_units): replicates come back, shape (n_draws,), instead of an
        estimate with its interval.
    """
    if not 0 <= share <= 1:
        raise OptionError(f"share is {shown(share)}, expected a number from 0 to 1.")
    att, met = found.att_sums, found.met_per_start
    if weights is not None:
        return -share * att.draws(weights) * met.draws(weights)
    value = -share * att.value * met.value
    influence = -share * (att.influence * met.value + att.value * met.influence)
    n = int(met.below.sum())
    return interval_of(value, influence, n, int((att.below > 0).sum()))
