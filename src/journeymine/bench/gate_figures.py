"""Figures of the gates, and bounds that allow for chance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from journeymine.bench.estimates import Figure, mean_over_logs
from journeymine.bench.reliability import reliability_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from journeymine.bench.summary import Summary

    Measure = Callable[[Summary], tuple[Figure | None, str]]
    Bounds = Callable[[int], tuple[float, float]]

CHANCE: Final = 0.025


def mean_abs(summary: Summary) -> tuple[Figure | None, str]:
    """Mean |log(predicted / true)| over (log, fix) pairs."""
    return summary.mean_abs_log_ratio, ""


def tau(summary: Summary) -> tuple[Figure | None, str]:
    """Kendall's tau."""
    return summary.of_logs(lambda score: score.tau), ""


def top_regret(summary: Summary) -> tuple[Figure | None, str]:
    """Share of the attainable effect lost by the first fix."""
    return summary.of_logs(lambda score: score.regret_1), ""


def coverage(summary: Summary) -> tuple[Figure | None, str]:
    """Share of intervals that hold the truth."""
    return summary.coverage, ""


def worst_bias(summary: Summary) -> tuple[Figure | None, str]:
    """The ratio of the fix that is furthest off, and which one it is."""
    bias = summary.bias_of_fixes()
    if not bias:
        return None, ""
    worst = max(bias, key=lambda key: (_off(bias[key].estimate), key))
    return bias[worst], " · ".join(worst)


def _off(ratio: float) -> float:
    return abs(math.log(ratio)) if ratio > 0 else math.inf


def one_class(summary: Summary) -> tuple[Figure | None, str]:
    """Share of logs in which no classes were found."""
    return summary.share_of_logs(lambda score: None if score.n_classes is None else score.n_classes == 1), ""


def called(summary: Summary) -> tuple[Figure | None, str]:
    """Share of runs that call a fix above zero which does nothing."""
    return summary.share_of_logs(lambda score: score.calls_above_zero), ""


def slope(summary: Summary) -> tuple[Figure | None, str]:
    """Slope of the reliability of P(best), and how many worlds, each with one winner, are pooled in it."""
    found = reliability_of(summary.scores)
    n = len({(score.log.shape, score.log.scenario) for score in summary.scores})
    told = (
        f"pooled over {n} {'world' if n == 1 else 'worlds'}, each with the same best fix in all its logs: "
        "the slope shows the gaps between their fixes too, not the method alone"
    )
    return (found.slope, told) if found else (None, "")


def flagged(name: str) -> Measure:
    """Share of runs in which any fix carries a flag."""
    return lambda summary: (summary.flagged(name), f"flag {name}")


def sets(summary: Summary) -> tuple[Figure | None, str]:
    """The same for sets of fixes evaluated jointly."""
    pairs = [(abs(ratio), score.log) for score in summary.scores for ratio in score.set_log_ratios]
    return mean_over_logs([value for value, _ in pairs], [log for _, log in pairs]), "sets of fixes"


def within(lower: float, upper: float) -> Bounds:
    """Bounds that do not depend on the number of logs."""
    return lambda _: (lower, upper)


def at_most_by_chance(share: float) -> Bounds:
    """At most as many as a ranker with this error rate has in 97.5 % of benchmarks: 29 of 400 at 5 %.

    Examples
    --------
    >>> round(at_most_by_chance(0.05)(400)[1] * 400)
    29
    """
    return lambda n: (0.0, _quantile(1.0 - CHANCE, n, share))


def at_least_by_chance(share: float) -> Bounds:
    """At least as many as a ranker that is right this often has in 97.5 % of benchmarks: 371 of 400 at 95 %.

    Examples
    --------
    >>> round(at_least_by_chance(0.95)(400)[0] * 400)
    371
    """
    return lambda n: (_quantile(CHANCE, n, share), 1.0)


def _quantile(level: float, n: int, share: float) -> float:
    from scipy.stats import binom

    return float(binom.ppf(level, n, share)) / n if n else math.nan
