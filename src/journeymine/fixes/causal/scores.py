"""Doubly robust scores of decision points, with nuisance models that were fitted on other customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import special

from journeymine.fixes.causal.regressions import fit_linear, fit_logistic
from journeymine.uncertainty import LEVEL, Estimates, generator

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from journeymine.fixes.causal.covariates import Covariates

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

CLIP = 0.01
"""Propensities nearer to 0 or 1 count as this: nobody stands for more than a hundred."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """An outcome of decision points; shape (m,).

    Attributes
    ----------
    value
        The outcome: 0 or 1 where `link` is "logistic".
    known
        Inverse probability weight of knowing it; 0 where it is not known.
    link
        Regression that predicts it.
    """

    value: Floats
    known: Floats
    link: Literal["logistic", "linear"]


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """A ratio of sums over units: `above` over `below`, shape (n_units,) each."""

    above: Floats
    below: Floats

    @property
    def value(self) -> float:
        """The ratio."""
        return float(self.above.sum() / self.below.sum())

    def draws(self, weights: Floats) -> Floats:
        """The ratio for each row of weights of the units, shape (n_draws,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((weights @ self.above) / (weights @ self.below))

    @property
    def influence(self) -> Floats:
        """What each unit adds to the estimate less its mean, shape (n_units,)."""
        return np.asarray((self.above - self.value * self.below) / self.below.sum())


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scores summed by unit, and the propensities behind them.

    Attributes
    ----------
    att, ate
        Effect on those who were exposed, and on all decision points.
    naive
        Means of the exposed and of the others, nothing adjusted.
    propensity
        Probability of the exposure at each decision point, as predicted from other units, shape (m,).
    """

    att: Sums
    ate: Sums
    naive: tuple[Sums, Sums]
    propensity: Floats


def folds_of_units(n_units: int, n_folds: int, seed: int) -> Ints:
    """Fold of each unit, at random and of equal sizes."""
    return np.asarray(generator(seed, "folds of exposure").permutation(n_units) % n_folds)


def doubly_robust(
    unit: Ints,
    exposed: Flags,
    n: Ints,
    outcome: Outcome,
    known: Covariates,
    fold: Ints,
    *,
    known_of_outcome: Covariates | None = None,
) -> Scores:
    """Augmented inverse probability weighting (Robins, Rotnitzky and Zhao 1994), cross-fitted by unit.

    With e the probability of exposure, m1 and m0 the mean outcome with and without it, given the history, D the
    exposure, Y the outcome and C its weight (0 where not known), the scores of a decision point are

    - on all: m1 - m0 + D C (Y - m1) / e - (1 - D) C (Y - m0) / (1 - e);
    - on the exposed: D (m1 - m0 + C (Y - m1)) - (1 - D) C (Y - m0) e / (1 - e), over D.

    They are right if either e or the m are (Chernozhukov and others 2018 on fitting them on other units).

    Parameters
    ----------
    unit, exposed, n
        Of each decision point, shape (m,).
    known
        Covariates of both models.
    fold
        Fold of each unit, shape (n_units,): its scores come from models of the other folds.
    known_of_outcome
        Other covariates for the outcome.
    """
    d, n_units = exposed.astype(float), len(fold)
    weight = n * outcome.known
    e = _predicted(known, fold[unit], d * n, n.astype(float), fit_logistic, special.expit)
    fit = fit_logistic if outcome.link == "logistic" else fit_linear
    link = special.expit if outcome.link == "logistic" else np.asarray
    history = known_of_outcome or known
    m1, m0 = (
        _predicted(history, fold[unit], weight * arm * outcome.value, weight * arm, fit, link)
        for arm in (d, 1 - d)
    )
    p = np.clip(e, CLIP, 1 - CLIP)
    off1, off0 = outcome.known * (outcome.value - m1), outcome.known * (outcome.value - m0)
    att = d * (m1 - m0 + off1) - (1 - d) * off0 * p / (1 - p)
    ate = m1 - m0 + d * off1 / p - (1 - d) * off0 / (1 - p)

    def by_unit(score: Floats) -> Floats:
        return np.bincount(unit, weights=score, minlength=n_units).astype(float)

    return Scores(
        Sums(by_unit(n * att), by_unit(n * d)),
        Sums(by_unit(n * ate), by_unit(n * np.ones_like(d))),
        (
            Sums(by_unit(weight * d * outcome.value), by_unit(weight * d)),
            Sums(by_unit(weight * (1 - d) * outcome.value), by_unit(weight * (1 - d))),
        ),
        e,
    )


def _predicted(
    known: Covariates,
    fold: Ints,
    wins: Floats,
    trials: Floats,
    fit: Callable[..., Floats],
    link: Callable[[Floats], Floats],
) -> Floats:
    """Prediction of each decision point by a model of the other folds."""
    n_folds, rows = int(fold.max()) + 1, known.design.shape[0]
    place = known.pattern * n_folds + fold
    won = np.bincount(place, wins, rows * n_folds).reshape(rows, n_folds)
    tried = np.bincount(place, trials, rows * n_folds).reshape(rows, n_folds)
    predicted = np.empty((rows, n_folds))
    start = fit(known.design, won.sum(axis=1), tried.sum(axis=1))
    for f in range(n_folds):
        w, t = won.sum(axis=1) - won[:, f], tried.sum(axis=1) - tried[:, f]
        beta = fit(known.design, w, t, start=start)
        predicted[:, f] = link(known.design @ beta)
    return np.asarray(predicted[known.pattern, fold])


def interval_of(value: float, influence: Floats, n: int, n_informed: int) -> Estimates:
    """Interval of a smooth function of sums over units, by its influence values.

    Student's t for the units that inform it: few exposed customers do not tell how much customers differ.
    """
    active = max(n_informed, 2)
    half = float(special.stdtrit(active - 1, 0.5 + LEVEL / 2))
    half *= float(np.sqrt((influence**2).sum() * active / (active - 1)))
    return Estimates(np.array(value), np.array(value - half), np.array(value + half), np.array(n))
