"""How good predicted probabilities are: Brier score, log loss, discrimination, and calibration.

Predictions take few different values (one a kind of history), so everything is a function of two sums for each of
them: what was judged and what came true. A leading axis holds the replicates of a bootstrap over customers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from journeymine.uncertainty import Estimates, share_of_units

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MEASURES = ("brier", "log_loss", "auc", "slope", "intercept")
STEPS_OF_NEWTON = 60
SMALL = 1e-10
"""A Newton step below this changes no digit that is shown."""
MOST_HALVINGS = 40
FARTHEST_SHARE = 1e-9
FARTHEST = 50.0
"""A slope beyond this means that the predictions separate the outcomes: there is no finite one."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Predicted probabilities against what came true, by tenths of the predictions.

    Attributes
    ----------
    predicted
        Mean prediction of each group, shape (g,), rising; groups are tenths of what was judged, fewer where
        predictions are equal.
    lowest, highest
        Smallest and largest prediction of each group.
    observed
        Share that came true, with its interval over customers.
    n
        Histories in each group.
    """

    predicted: Floats
    lowest: Floats
    highest: Floats
    observed: Estimates
    n: Ints


def softened(share: Floats, n: NDArray[Any], n_columns: int) -> Floats:
    """Shares with one more observation spread evenly over all columns (Perks 1947), so that none is 0 or 1.

    Examples
    --------
    >>> softened(np.array([0.0, 1.0]), np.array([9.0]), 2)
    array([0.05, 0.95])
    """
    return np.asarray((share * n + 1 / n_columns) / (n + 1))


def brier(won: Floats, total: Floats, p: Floats) -> Floats:
    """Mean squared error of predictions (Brier 1950); `won` and `total` have shape (..., m), `p` (m,)."""
    return _mean(won * (1 - p) ** 2 + (total - won) * p**2, total)


def log_loss(won: Floats, total: Floats, p: Floats) -> Floats:
    """Mean of minus the logarithm of the probability given to what came (natural logarithm)."""
    return _mean(-special.xlogy(won, p) - special.xlogy(total - won, 1 - p), total)


def auc(won: Floats, total: Floats, p: Floats) -> Floats:
    """Chance that what came true had the higher prediction than what did not, ties half (Hanley and McNeil 1982).

    Examples
    --------
    >>> float(auc(np.array([1.0, 3.0]), np.array([4.0, 4.0]), np.array([0.3, 0.6])))
    0.75
    """
    values, place = np.unique(p, return_inverse=True)
    hits, misses = (_by_value(part, place, len(values)) for part in (won, total - won))
    below = np.cumsum(misses, axis=-1) - misses / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((hits * below).sum(axis=-1) / (hits.sum(axis=-1) * misses.sum(axis=-1)))


def _by_value(part: Floats, place: Ints, n_values: int) -> Floats:
    """Sums over equal predictions: one product with a matrix of zeros and ones."""
    same = np.zeros((len(place), n_values))
    same[np.arange(len(place)), place] = 1.0
    return np.asarray(part @ same)


def recalibration(won: Floats, total: Floats, p: Floats) -> tuple[Floats, Floats]:
    """Calibration slope, and calibration in the large (Cox 1958; Van Calster et al. 2019).

    The slope is b in logit P = a + b logit(p): below 1 predictions are too extreme. Calibration in the large is a
    where b is held at 1: above 0 more came true than was predicted. nan where they do not exist: nothing or
    everything came true, or, for the slope, all predictions are equal or separate the outcomes.

    Parameters
    ----------
    won, total
        Shape (..., m).
    p
        Predictions strictly between 0 and 1, shape (m,).

    Examples
    --------
    Predictions twice as extreme, on the log-odds scale, as they should be:

    >>> p = np.array([0.2, 0.5, 0.8])
    >>> true = special.expit(special.logit(p) / 2)
    >>> slope, large = recalibration(100 * true, np.full(3, 100.0), p)
    >>> round(float(slope), 6), round(abs(float(large)), 6)
    (0.5, 0.0)
    """
    x = special.logit(p)
    mixed = np.asarray((won.sum(axis=-1) > 0) & (won.sum(axis=-1) < total.sum(axis=-1)))
    large = np.where(mixed, _intercept(won, total, x), np.nan)
    varied = mixed & (np.ptp(x) > SMALL if len(x) else False)
    slope = _line(won, total, x)[1] if varied.any() else np.full(mixed.shape, np.nan)
    return np.where(varied & (np.abs(slope) < FARTHEST), slope, np.nan), large


def recalibrated(p: Floats, won: NDArray[Any], total: NDArray[Any], known: Floats) -> Floats:
    """Predictions put on the line logit P = a + b logit(p) that fits what is known best (Cox 1958; Platt 1999).

    Parameters
    ----------
    p
        Predictions strictly between 0 and 1, shape (m,).
    won, total
        What came true and what was judged of other predictions, shape (j,).
    known
        These predictions, shape (j,).

    Returns
    -------
    Floats
        Shape (m,); `p` itself where there is no line: nothing to tell it from, or one that falls.

    Examples
    --------
    >>> known = np.array([0.2, 0.8])
    >>> recalibrated(known, np.array([35.0, 65.0]), np.array([100.0, 100.0]), known).round(2).tolist()
    [0.35, 0.65]
    """
    slope, large = recalibration(won, total, known)
    if not np.isfinite(large):
        return p
    if not np.isfinite(slope) or slope <= 0:
        return np.asarray(special.expit(large + special.logit(p)))
    a, b = _line(won, total, special.logit(known))
    return np.asarray(special.expit(a + b * special.logit(p)))


def _line(won: Floats, total: Floats, x: Floats) -> tuple[Floats, Floats]:
    """Intercept and slope of the logistic regression on x."""
    start = special.logit(
        _ratio(won.sum(axis=-1), total.sum(axis=-1), 0.5).clip(FARTHEST_SHARE, 1 - FARTHEST_SHARE)
    )
    a, b = start, np.zeros_like(start)
    value = _likelihood(won, total, a, b, x)
    for _ in range(STEPS_OF_NEWTON):
        mu = special.expit(a[..., None] + b[..., None] * x)
        rest, weight = won - total * mu, total * mu * (1 - mu)
        g0, g1 = rest.sum(axis=-1), (rest * x).sum(axis=-1)
        h0, h1, h2 = weight.sum(axis=-1), (weight * x).sum(axis=-1), (weight * x**2).sum(axis=-1)
        determinant = h0 * h2 - h1**2
        da, db = _ratio(h2 * g0 - h1 * g1, determinant), _ratio(h0 * g1 - h1 * g0, determinant)
        da, db, value = _shortened(won, total, x, (a, b), (da, db), value)
        a, b = a + da, b + db
        if np.all(np.maximum(np.abs(da), np.abs(db)) < SMALL):
            break
    return np.asarray(a), np.asarray(b)


def _intercept(won: Floats, total: Floats, x: Floats) -> Floats:
    """Intercept of the logistic regression in which x has the slope 1."""
    a, one = np.zeros(won.shape[:-1]), np.ones(won.shape[:-1])
    value = _likelihood(won, total, a, one, x)
    for _ in range(STEPS_OF_NEWTON):
        mu = special.expit(a[..., None] + x)
        step = _ratio((won - total * mu).sum(axis=-1), (total * mu * (1 - mu)).sum(axis=-1))
        step, _, value = _shortened(won, total, x, (a, one), (step, np.zeros_like(step)), value)
        a = a + step
        if np.all(np.abs(step) < SMALL):
            break
    return np.asarray(a)


def _likelihood(won: Floats, total: Floats, a: Floats, b: Floats, x: Floats) -> Floats:
    score = a[..., None] + b[..., None] * x
    return np.asarray((won * score - total * np.logaddexp(0.0, score)).sum(axis=-1))


def _shortened(
    won: Floats,
    total: Floats,
    x: Floats,
    at: tuple[Floats, Floats],
    step: tuple[Floats, Floats],
    value: Floats,
) -> tuple[Floats, Floats, Floats]:
    """A Newton step, halved until the likelihood does not fall: far from the solution a whole one may overshoot."""
    (a, b), (da, db) = at, step
    for _ in range(MOST_HALVINGS):
        new = _likelihood(won, total, a + da, b + db, x)
        worse = new < value - SMALL * (1 + np.abs(value))
        if not worse.any():
            break
        da, db = np.where(worse, da / 2, da), np.where(worse, db / 2, db)
    else:
        da, db = np.where(worse, 0.0, da), np.where(worse, 0.0, db)
        new = np.where(worse, value, new)
    return da, db, new


def measures(won: Floats, total: Floats, p: Floats, soft: Floats) -> Floats:
    """All of MEASURES, shape (..., 5).

    Parameters
    ----------
    p
        Predictions as they are given.
    soft
        The same, none of them 0 or 1: for what takes their logarithm.
    """
    slope, large = recalibration(won, total, soft)
    parts = [brier(won, total, p), log_loss(won, total, soft), auc(won, total, p), slope, large]
    return np.stack(np.broadcast_arrays(*parts), axis=-1)


def calibrate(
    won: sparse.csr_array, total: sparse.csr_array, p: Floats, n: Ints, *, buckets: bool, n_groups: int = 10
) -> Calibration:
    """Put predictions into tenths and see what came true.

    Parameters
    ----------
    won, total
        What came true and what was judged, by unit and kind of history, shape (n_units, m).
    p
        Prediction of each kind, shape (m,).
    n
        Histories of each kind, shape (m,).
    """
    weight = np.asarray(total.sum(axis=0), dtype=float).ravel()
    group = tenths(p, weight, n_groups)
    used = group >= 0
    g = int(group.max(initial=-1)) + 1
    same = np.zeros((len(p), g))
    same[np.flatnonzero(used), group[used]] = 1.0
    from scipy import sparse as sp

    join = sp.csr_array(same)
    observed = share_of_units(sp.csr_array(won @ join), sp.csr_array(total @ join), buckets=buckets)
    mass = same.T @ weight
    inside = [p[group == i] for i in range(g)]
    return Calibration(
        predicted=(same.T @ (weight * p)) / mass,
        lowest=np.array([part.min() for part in inside]),
        highest=np.array([part.max() for part in inside]),
        observed=observed,
        n=(same.T @ n).astype(np.int64),
    )


def tenths(p: Floats, weight: Floats, n_groups: int = 10) -> Ints:
    """Group of each prediction: equal ones stay together, and each group holds about a tenth of the weight.

    -1 where there is no weight. A group takes the values whose middle lies in its tenth; empty ones are skipped.

    Examples
    --------
    >>> tenths(np.array([0.1, 0.9, 0.5, 0.1]), np.array([1.0, 2.0, 1.0, 0.0]), 4).tolist()
    [0, 2, 1, -1]
    """
    values, place = np.unique(p, return_inverse=True)
    mass = np.bincount(place, weights=weight, minlength=len(values))
    kept = mass > 0
    middle = np.cumsum(mass) - mass / 2
    share = middle / mass.sum() if mass.sum() > 0 else middle
    # Rounding must not move a value that lies on the border of two tenths.
    tenth = np.minimum(np.floor(share * n_groups + 1e-9), n_groups - 1).astype(np.int64)
    group = np.full(len(values), -1, dtype=np.int64)
    _, group[kept] = np.unique(tenth[kept], return_inverse=True)
    return np.where(np.asarray(weight) > 0, group[place], -1)


def _mean(total_loss: Any, total: Floats) -> Floats:
    return _ratio(total_loss.sum(axis=-1), total.sum(axis=-1), np.nan)


def _ratio(a: Floats, b: Floats, otherwise: float = 0.0) -> Floats:
    top, bottom = np.broadcast_arrays(np.asarray(a, dtype=float), np.asarray(b, dtype=float))
    found: Floats = np.divide(top, bottom, out=np.full(bottom.shape, otherwise), where=bottom != 0)
    return found
