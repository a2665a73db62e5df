"""The learned friction score: how many more leave a step than its depth in the journey explains.

A logistic regression on visits gives the probability that the journey is dropped right after the visit. It is
fitted on counts of visits that look alike, and judged on customers it has not seen (five folds of customers).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from journeymine.errors import ConvergenceError
from journeymine.uncertainty import (
    LEVEL,
    Estimates,
    bootstrap_weights,
    percentile_interval,
    share_of_units,
    unit_matrix,
    wilson,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from journeymine.counts.friction import ScoreCounts, ScoredCounts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

N_BINS, N_DECILES = 50, 10
RIDGE = 1.0
MIN_OUTCOMES, MIN_UNITS = 50, 10
"""Drops and stays that learning needs, and customers (or buckets of them)."""
MAX_STEPS = 60
N_DRAWS = 500


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Out-of-fold probabilities of the groups of `ScoreCounts`, and the bin of each by rising probability.

    Attributes
    ----------
    full
        With everything that is known of the visit, shape (m,).
    base
        With the depth in the journey alone.
    bin
        One of 50 bins of about the same number of visits, by `full`.
    """

    full: Floats
    base: Floats
    bin: Ints


@dataclass(frozen=True, slots=True, eq=False)
class FrictionScore:
    """The learned score of each step, and how far its predictions can be trusted.

    Attributes
    ----------
    activities, excess
        Names, and the mean predicted drop-out after the step less that of visits as deep in the journey.
    predicted, observed
        Mean prediction and share dropped of visits that were not used for fitting, in ten groups of rising
        prediction.
    slope
        Calibration slope: 1 if predictions are neither too extreme nor too timid (Cox 1958).
    auc
        Chance that a visit that was dropped had the larger prediction.
    n_visits, n_drops, n_folds
        What it was learned from.
    """

    activities: tuple[str, ...]
    excess: Estimates
    predicted: Floats
    observed: Estimates
    slope: Estimates
    auc: Estimates
    n_visits: int
    n_drops: int
    n_folds: int

    def by_activity(self) -> dict[str, Estimates]:
        """Score of each activity."""
        parts = (self.excess.estimate, self.excess.lower, self.excess.upper, self.excess.n)
        return {
            name: Estimates(*(np.asarray(part[i]) for part in parts))
            for i, name in enumerate(self.activities)
        }

    def __repr__(self) -> str:
        order = np.argsort(-self.excess.estimate, kind="stable")[:6]
        quality = f"AUC {float(self.auc.estimate):.2f}, calibration slope {float(self.slope.estimate):.2f}"
        lines = [
            f"Friction score: {self.n_visits:,} visits, {self.n_drops:,} dropped; {quality} (out of fold)"
        ]
        lines += [f"  {100 * self.excess.estimate[i]:+.1f} pt  {self.activities[i][:80]}" for i in order]
        return "\n".join([*lines, "Next: .excess, .predicted, .observed"])


def can_learn(counts: ScoreCounts, n_units: int) -> str | None:
    """Why nothing can be learned: "few_units", "few_drops", "few_stays"; None if it can."""
    lost, n = int(counts.lost.sum()), int(counts.n.sum())
    if n_units < MIN_UNITS or len(np.unique(counts.fold)) < 2:
        return "few_units"
    if lost < MIN_OUTCOMES:
        return "few_drops"
    return "few_stays" if n - lost < MIN_OUTCOMES else None


def fit_logistic(x: sparse.csr_array, n: Floats, hits: Floats, *, ridge: float = RIDGE) -> Floats:
    """Coefficients of a grouped logistic regression, the first one of an unpenalised intercept.

    Newton's method, which for this model is iteratively reweighted least squares (McCullagh and Nelder 1989,
    ch. 4), with a ridge penalty on all others (le Cessie and van Houwelingen 1992).

    Parameters
    ----------
    x
        Features without the intercept, shape (m, p).
    n, hits
        Trials and successes of each row, shape (m,).

    Examples
    --------
    >>> from scipy import sparse
    >>> x = sparse.csr_array(np.array([[0.0], [1.0]]))
    >>> fit_logistic(x, np.array([100.0, 100.0]), np.array([20.0, 50.0]), ridge=0.0).round(4).tolist()
    [-1.3863, 1.3863]
    """
    from scipy import sparse

    ones = sparse.csr_array(np.ones((x.shape[0], 1)))
    design = sparse.csr_array(sparse.hstack([ones, x], format="csr"))
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = 0.0
    beta = np.zeros(design.shape[1])
    beta[0] = special.logit((hits.sum() + 0.5) / (n.sum() + 1.0))
    value = _objective(design, n, hits, beta, penalty)
    for _ in range(MAX_STEPS):
        p = special.expit(design @ beta)
        gradient = design.T @ (hits - n * p) - penalty * beta
        weighted = sparse.csr_array(design.multiply((n * p * (1 - p))[:, None]))
        hessian = (weighted.T @ design).toarray() + np.diag(penalty + 1e-10)
        step = np.linalg.solve(hessian, gradient)
        scale = 1.0
        while (new := _objective(design, n, hits, beta + scale * step, penalty)) < value and scale > 1e-6:
            scale /= 2
        beta = beta + scale * step
        if abs(new - value) <= 1e-9 * (abs(value) + 1) and np.abs(scale * step).max() < 1e-6:
            return beta
        value = new
    raise ConvergenceError("the friction score did not converge.", hint="please report this log.")


def _objective(design: sparse.csr_array, n: Floats, hits: Floats, beta: Floats, penalty: Floats) -> float:
    """Penalised log-likelihood."""
    eta = design @ beta
    return float((hits * eta - n * np.logaddexp(0.0, eta)).sum() - 0.5 * (penalty * beta**2).sum())


def one_hot(columns: list[Ints]) -> sparse.csr_array:
    """Indicators of every value but the first of each column, side by side."""
    from scipy import sparse

    blocks: list[sparse.csr_array] = []
    for column in columns:
        values, place = np.unique(column, return_inverse=True)
        if len(values) < 2:
            continue
        some = place > 0
        rows = np.flatnonzero(some)
        block = (np.ones(len(rows)), (rows, place[some] - 1))
        blocks.append(sparse.csr_array(block, shape=(len(column), len(values) - 1)))
    if not blocks:
        return sparse.csr_array((len(columns[0]), 0))
    return sparse.csr_array(sparse.hstack(blocks, format="csr"))


def predict_drops(counts: ScoreCounts) -> Predictions:
    """Out-of-fold probabilities of being dropped right after the visit.

    Every fold of customers is predicted by a model that was fitted on the others.
    """
    features = [counts.features[:, i] for i in range(counts.features.shape[1])]
    full_x, base_x = one_hot([*features, counts.code]), one_hot(features[:1])
    full, base = np.zeros(len(counts.n)), np.zeros(len(counts.n))
    n, lost = counts.n.astype(float), counts.lost.astype(float)
    for fold in np.unique(counts.fold).tolist():
        held = counts.fold == fold
        for x, out in ((full_x, full), (base_x, base)):
            beta = fit_logistic(x[~held], n[~held], lost[~held])
            out[held] = special.expit(beta[0] + x[held] @ beta[1:])
    order = np.lexsort((counts.key, counts.code, counts.fold, full.round(12)))
    middle = np.cumsum(n[order]) - n[order] / 2
    bins = np.zeros(len(n), np.int64)
    bins[order] = np.minimum((N_BINS * middle / n.sum()).astype(np.int64), N_BINS - 1)
    return Predictions(full, base, bins)


def calibration_slope(logit: Floats, n: Floats, hits: Floats) -> float:
    """Slope of the outcome on the logit of its prediction (Cox 1958)."""
    from scipy import sparse

    return float(fit_logistic(sparse.csr_array(logit[:, None]), n, hits, ridge=0.0)[1])


def area_under_curve(score: Floats, n: Floats, hits: Floats) -> Floats:
    """Chance that a success has the larger score, ties counting half, for each row of weights.

    Parameters
    ----------
    score
        Shape (m,).
    n, hits
        Trials and successes, shape (..., m).

    Examples
    --------
    >>> float(area_under_curve(np.array([0.1, 0.9]), np.array([10.0, 10.0]), np.array([2.0, 8.0])))
    0.8
    """
    values, place = np.unique(score, return_inverse=True)
    fold = np.zeros((len(score), len(values)))
    fold[np.arange(len(score)), place] = 1.0
    won, lost = hits @ fold, (n - hits) @ fold
    below = np.cumsum(lost, axis=-1) - lost / 2
    return np.asarray((won * below).sum(axis=-1) / (won.sum(axis=-1) * lost.sum(axis=-1)))


def estimate_score(
    activities: tuple[str, ...],
    counts: ScoreCounts,
    predictions: Predictions,
    by_bin: ScoredCounts,
    by_code: ScoredCounts,
    *,
    seed: int = 0,
    n_draws: int = N_DRAWS,
    level: float = LEVEL,
) -> FrictionScore:
    """Score of each activity and calibration, with intervals over customers.

    Parameters
    ----------
    activities
        Names by code.
    by_bin, by_code
        Predictions and drops by unit and bin, and by unit and activity.
    """
    codes = np.unique(by_code.group[by_code.group >= 0])
    decile = by_bin.group * N_DECILES // N_BINS
    shape = (by_bin.n_units, N_DECILES)
    trials = unit_matrix(by_bin.unit, decile, by_bin.n, shape)
    observed = share_of_units(
        unit_matrix(by_bin.unit, decile, by_bin.lost, shape), trials, buckets=by_bin.buckets
    )
    in_decile = np.bincount(decile, weights=by_bin.n, minlength=N_DECILES)
    with np.errstate(invalid="ignore"):
        predicted = np.bincount(decile, weights=by_bin.full, minlength=N_DECILES) / in_decile
    slope, auc = _discrimination(counts, predictions, by_bin, seed, n_draws, level)
    return FrictionScore(
        activities=tuple(activities[c] for c in codes),
        excess=_excess(by_code, codes, level),
        predicted=predicted,
        observed=observed,
        slope=slope,
        auc=auc,
        n_visits=int(counts.n.sum()),
        n_drops=int(counts.lost.sum()),
        n_folds=len(np.unique(counts.fold)),
    )


def _excess(by_code: ScoredCounts, codes: Ints, level: float) -> Estimates:
    """Mean predicted less mean baseline drop-out; its variance is that of the drops over units.

    What customers do is what varies: a model fitted again would follow their drops.
    """
    some = by_code.group >= 0
    place = np.searchsorted(codes, by_code.group[some])
    n = by_code.n[some].astype(float)
    k = len(codes)
    total = np.bincount(place, weights=n, minlength=k)
    excess = np.bincount(place, weights=(by_code.full - by_code.base)[some], minlength=k) / total
    seen = np.bincount(place, weights=by_code.lost[some] - by_code.base[some], minlength=k) / total
    residual = by_code.lost[some] - by_code.base[some] - seen[place] * n
    units = np.bincount(place, minlength=k)
    variance = np.bincount(place, weights=residual**2, minlength=k) * units / np.maximum(units - 1, 1)
    with np.errstate(invalid="ignore"):
        quantile = np.where(units > 1, special.stdtrit(np.maximum(units - 1, 1), 0.5 + level / 2), np.inf)
        half = np.where(units > 1, quantile * np.sqrt(variance) / total, 1.0)
    # Where nothing or everything was dropped, it is Wilson's bound that says how much that tells.
    share = np.bincount(place, weights=by_code.lost[some], minlength=k) / total
    low, high = wilson(share * units, units, level=level)
    same = (share == 0) | (share == 1)
    low = excess - np.where(same, np.maximum(half, share - low), half)
    high = excess + np.where(same, np.maximum(half, high - share), half)
    return Estimates(excess, np.maximum(low, -1), np.minimum(high, 1), total.astype(np.int64))


def _discrimination(
    counts: ScoreCounts,
    predictions: Predictions,
    by_bin: ScoredCounts,
    seed: int,
    n_draws: int,
    level: float,
) -> tuple[Estimates, Estimates]:
    """Calibration slope and area under the curve; draws of customers move both by way of the bins."""
    n, lost = counts.n.astype(float), counts.lost.astype(float)
    logit = special.logit(np.clip(predictions.full, 1e-6, 1 - 1e-6))
    slope = calibration_slope(logit, n, lost)
    order = np.unique(predictions.full.round(12), return_inverse=True)[1]
    score_n, score_lost = (np.bincount(order, weights=v).astype(float) for v in (n, lost))
    auc = _sorted_auc(score_n, score_lost)
    in_bin = np.maximum(np.bincount(by_bin.group, weights=by_bin.n, minlength=N_BINS), 1)
    mean = np.bincount(by_bin.group, weights=by_bin.full, minlength=N_BINS) / in_bin
    used = np.flatnonzero(np.bincount(by_bin.group, weights=by_bin.n, minlength=N_BINS))
    mean_logit = special.logit(np.clip(mean[used], 1e-6, 1 - 1e-6))
    shape = (by_bin.n_units, N_BINS)
    trials, drops = (unit_matrix(by_bin.unit, by_bin.group, v, shape) for v in (by_bin.n, by_bin.lost))
    slopes, areas = [], []
    for weights in bootstrap_weights(by_bin.n_units, n_draws, seed):
        drawn_n, drawn_lost = np.asarray(weights @ trials)[:, used], np.asarray(weights @ drops)[:, used]
        slopes.append(_slopes(mean_logit, drawn_n, drawn_lost))
        with np.errstate(invalid="ignore"):
            areas.append(area_under_curve(np.arange(len(used), dtype=float), drawn_n, drawn_lost))
    all_n, all_lost = (np.asarray(m.sum(axis=0), dtype=float).ravel()[used] for m in (trials, drops))
    own_slope = float(_slopes(mean_logit, all_n[None], all_lost[None])[0])
    own_area = float(area_under_curve(np.arange(len(used), dtype=float), all_n, all_lost))
    total = int(n.sum())
    slope_draws = (np.concatenate(slopes) + slope - own_slope)[:, None]
    area_draws = (np.concatenate(areas) + auc - own_area)[:, None]
    found = [
        percentile_interval(np.array([value]), draws, np.array([total]), level=level)
        for value, draws in ((slope, slope_draws), (auc, area_draws))
    ]
    return tuple(  # type: ignore[return-value]
        Estimates(e.estimate[0], e.lower[0], e.upper[0], e.n[0]) for e in found
    )


def _sorted_auc(n: Floats, hits: Floats) -> float:
    """Area under the curve of groups in the order of rising score."""
    stays = n - hits
    below = np.cumsum(stays) - stays / 2
    return float((hits * below).sum() / (hits.sum() * stays.sum()))


def _slopes(logit: Floats, n: Floats, hits: Floats) -> Floats:
    """Calibration slope of each row of weights: Newton's method for two coefficients at once; nan if undefined."""
    a, b = np.zeros(len(n)), np.ones(len(n))
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(12):
            p = special.expit(a[:, None] + b[:, None] * logit)
            w, r = n * p * (1 - p), hits - n * p
            s0, s1, s2 = w.sum(axis=1), w @ logit, w @ logit**2
            g0, g1 = r.sum(axis=1), r @ logit
            det = s0 * s2 - s1**2
            a = a + np.clip((s2 * g0 - s1 * g1) / det, -2, 2)
            b = b + np.clip((s0 * g1 - s1 * g0) / det, -2, 2)
    return np.where(np.isfinite(b), b, np.nan)
