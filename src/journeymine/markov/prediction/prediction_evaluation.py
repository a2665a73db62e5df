"""How good predictions were: learnt until a time, judged by what came later, beside simple baselines.

Everything is judged on visits after the cut, each with what was known when it happened. Intervals are over customers:
their histories are resampled together, with the predictions held as they were made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.histories import CONVERTED
from journeymine.errors import NotEnoughDataError
from journeymine.markov.prediction.baselines import BASELINES, Rule, baseline, next_column
from journeymine.markov.prediction.calibration import calibrate, measures, softened
from journeymine.markov.prediction.prediction_quality import NEXT_MEASURES, PredictionQuality
from journeymine.uncertainty import (
    N_DRAWS,
    Estimates,
    bootstrap_weights,
    percentile_interval,
    share_of_units,
    unit_column,
    unit_matrix,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.histories import HistoryCounts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

TOP = 3
TOO_UNDECIDED = 0.2
MIN_HISTORIES = 20


def judge(
    chain: Rule,
    recalibrated: Rule,
    train: HistoryCounts,
    test: HistoryCounts,
    state_of_code: Ints,
    k: int,
    *,
    cut_us: int,
    customers: tuple[int, int],
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> PredictionQuality:
    """Judge the predictions of a chain, and the baselines beside it.

    Parameters
    ----------
    chain, recalibrated
        Predictions for the kinds of histories of `test`, and the same recalibrated on what was known at the cut.
    train, test
        Histories before and after the cut.
    state_of_code
        State of each activity, negative without one.
    k
        Number of states.
    customers
        Customers seen after the cut who were known before, and all of them.

    Raises
    ------
    NotEnoughDataError
        There is too little to judge, or the log ends too soon after the cut to know how journeys end.
    """
    rules = [
        chain,
        recalibrated,
        *(baseline(name, train, test, state_of_code, k) for name in BASELINES),
    ]
    _check(test)
    ends = _Ends(test)
    steps = _Steps(test, rules, state_of_code, k)
    point = _both(ends, steps, rules, np.ones((1, test.n_units)))
    many = [_both(ends, steps, rules, w) for w in bootstrap_weights(test.n_units, n_draws, seed)]
    drawn = [np.concatenate(parts) for parts in zip(*many, strict=True)]
    n_judged, n_steps = int(ends.n_by_kind.sum()), int(test.next_n.sum())
    unseen = state_of_code[test.context[:, 0]] < 0
    weight = ends.total_by_kind
    return PredictionQuality(
        cut_us=cut_us,
        horizon_us=test.horizon_us,
        models=tuple(rule.name for rule in rules),
        ends=percentile_interval(point[0][0], drawn[0], n_judged),
        steps=percentile_interval(point[1][0], drawn[1], n_steps),
        groups=calibrate(ends.won, ends.total, chain.conversion, ends.n_by_kind, buckets=test.buckets),
        predicted=float((weight * chain.conversion).sum() / weight.sum()),
        observed=_observed(ends, test),
        n_train=int(train.end_n.sum()),
        n_judged=n_judged,
        n_steps=n_steps,
        n_customers=customers[1],
        n_known=customers[0],
        undecided=test.undecided,
        n_unseen=int(test.end_n[unseen[test.end_kind]].sum()),
    )


def _check(test: HistoryCounts) -> None:
    n = int(test.end_n.sum())
    won = int(test.end_n[test.end_outcome == CONVERTED].sum())
    if n < MIN_HISTORIES or won == 0 or won == n:
        problem = f"{n:,} visits after the cut can be judged, {won:,} of them converted: too little to tell."
        raise NotEnoughDataError(problem, hint="cut earlier, or pass a shorter horizon.")
    if test.undecided > TOO_UNDECIDED:
        problem = (
            f"{test.undecided:.0%} of the journeys take longer to end than the log lasts after the cut, so it cannot "
            "be judged how they end."
        )
        raise NotEnoughDataError(problem, hint='judge what happens sooner with horizon="7d", or cut earlier.')


class _Ends:
    """What was judged and what converted, by unit and kind of history."""

    def __init__(self, test: HistoryCounts) -> None:
        weight = test.end_n * test.end_weight
        shape = (test.n_units, test.n_kinds)
        self.total = unit_matrix(test.end_unit, test.end_kind, weight, shape)
        won = weight * (test.end_outcome == CONVERTED)
        self.won = unit_matrix(test.end_unit, test.end_kind, won, shape)
        self.total_by_kind = np.asarray(self.total.sum(axis=0), dtype=float).ravel()
        decided = test.end_n * (weight > 0)
        self.n_by_kind = np.bincount(test.end_kind, weights=decided, minlength=test.n_kinds).astype(np.int64)

    def scores(self, rules: list[Rule], weights: Floats) -> Floats:
        """END_MEASURES of each rule and draw, shape (n_draws, rules, 6)."""
        won, total = weights @ self.won, weights @ self.total
        found = np.stack(
            [measures(won, total, rule.conversion, _soft(rule)) for rule in rules],
            axis=1,
        )
        base = found[:, [rule.name for rule in rules].index("frequency"), 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            skill = 1 - found[:, :, 0] / base[:, None]
        return np.concatenate([found, skill[:, :, None]], axis=2)


def _soft(rule: Rule) -> Floats:
    return softened(rule.conversion, rule.conversion_n, 2)


class _Steps:
    """Hits, hits among the first three, and log loss of each rule, by unit."""

    def __init__(self, test: HistoryCounts, rules: list[Rule], state_of_code: Ints, k: int) -> None:
        kind, n = test.next_kind, test.next_n.astype(float)
        column = next_column(test.next_target, state_of_code, k)
        units = test.n_units
        self.n = np.bincount(test.next_unit, weights=n, minlength=units)
        parts = []
        for rule in rules:
            # Equal shares: the first column; it is the order of the names.
            order = np.argsort(-rule.onward, axis=1, kind="stable")[:, :TOP]
            place = (order[kind] == column[:, None]) if len(kind) else np.zeros((0, TOP), dtype=bool)
            soft = softened(rule.onward, rule.onward_n[:, None], k + 3)
            loss = -np.log(soft[kind, column])
            parts += [
                np.bincount(test.next_unit, weights=n * value, minlength=units)
                for value in (place[:, 0], place.any(axis=1), loss)
            ]
        self.sums = np.stack(parts, axis=1)

    def scores(self, weights: Floats) -> Floats:
        """NEXT_MEASURES of each rule and draw, shape (n_draws, rules, 3)."""
        total = weights @ self.n
        with np.errstate(divide="ignore", invalid="ignore"):
            found = (weights @ self.sums) / total[:, None]
        return np.asarray(found.reshape(len(weights), -1, len(NEXT_MEASURES)))


def _both(ends: _Ends, steps: _Steps, rules: list[Rule], weights: Floats) -> tuple[Floats, Floats]:
    return ends.scores(rules, weights), steps.scores(weights)


def _observed(ends: _Ends, test: HistoryCounts) -> Estimates:
    won = np.asarray(ends.won.sum(axis=1)).ravel()
    total = np.asarray(ends.total.sum(axis=1)).ravel()
    share = share_of_units(unit_column(won), unit_column(total), buckets=test.buckets)
    estimate, lower, upper = (part[0] for part in (share.estimate, share.lower, share.upper))
    return Estimates(estimate, lower, upper, ends.n_by_kind.sum())
