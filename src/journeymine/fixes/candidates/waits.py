"""Waits that everybody has to sit out, and during which people leave: candidates for being shortened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.waits import LEFT, PASSED, SILENT
from journeymine.fixes.fix import Fix
from journeymine.fixes.what_if.waits import WaitModel
from journeymine.uncertainty import Estimates, bootstrap_weights, percentile_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.counts.waits import ActivityWaits, WaitCounts

    Floats = NDArray[np.float64]

HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
SHORTEST = 0.05
LEAST_OF_MEDIAN = 0.2
"""Everybody waits if the shortest waits (5 % quantile) are at least a fifth of the median."""
LEAST_MEDIAN_US = HOUR_US
TIMES_USUAL = 10.0
"""A wait is long if its median is ten times the median of all moves of the log."""
MIN_PASSED = 50
N_DRAWS = 400


@dataclass(frozen=True, slots=True, eq=False)
class WaitFound:
    """An activity after which everybody waits, and the evidence that people leave while they do.

    Attributes
    ----------
    fix
        The wait made half as long.
    activity
        Code of the activity.
    shortest_us, median_us
        5 % quantile and median of the waits of those who went on, in microseconds.
    n_passed, n_left, n_silent
        Watched visits that went on, were seen to leave, and fell silent.
    leaving_per_day
        Share of those waiting who leave in a day, with its interval over customers. Where leaving is silent it rests
        on exponential patience (`what_if/patience.py`).
    """

    fix: Fix
    activity: int
    shortest_us: float
    median_us: float
    n_passed: int
    n_left: int
    n_silent: int
    leaving_per_day: Estimates


def long_waits(waits: WaitCounts) -> list[int]:
    """Codes of the activities after which everybody waits long and somebody leaves, sorted.

    Everybody: the 5 % quantile of the waits of those who went on is at least a fifth of the median; where people
    choose when they come back, some come at once. Long: the median is at least an hour and ten times that of all
    moves. At least 50 went on.

    Parameters
    ----------
    waits
        Of all activities; counted together (`count_waits(pooled=True)`) is enough.
    """
    passed = waits.kind == PASSED
    if not passed.any():
        return []
    usual = quantile(waits.mean_us[waits.bin[passed]], waits.n[passed].astype(float), 0.5)
    return [code for code in waits.activities.tolist() if _is_long(waits.of(code), usual)]


def _is_long(waits: ActivityWaits, usual_us: float) -> bool:
    if waits.total(PASSED) < MIN_PASSED or not waits.total(LEFT) + waits.total(SILENT):
        return False
    shortest, median = (quantile(waits.mean_us, waits.passed, at) for at in (SHORTEST, 0.5))
    return median >= max(LEAST_MEDIAN_US, TIMES_USUAL * usual_us) and shortest >= LEAST_OF_MEDIAN * median


def enforced_waits(
    waits: WaitCounts,
    activities: Sequence[str],
    *,
    among: Sequence[int] | None = None,
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> list[WaitFound]:
    """Activities after which everybody waits long and people leave while they wait, in the order of their codes.

    Parameters
    ----------
    waits
        By unit; of all activities, or of those in `among`.
    activities
        Names of all activities of the log, by code.
    among
        Codes that `long_waits` found in all activities; by default it is asked about `waits`.
    n_draws, seed
        Bootstrap replicates of the leaving per day.

    Returns
    -------
    Those whose leaving per day is above zero beyond the noise.
    """
    codes = long_waits(waits) if among is None else sorted(among)
    found = [_found(waits.of(code), code, activities[code], n_draws, seed) for code in codes]
    return [wait for wait in found if wait.leaving_per_day.lower > 0]


def _found(waits: ActivityWaits, code: int, name: str, n_draws: int, seed: int) -> WaitFound:
    model = WaitModel(waits, np.zeros(int(waits.cell.max(initial=0)) + 1, np.int64), 1)
    draws = [model.leaving(weights) for weights in bootstrap_weights(waits.n_units, n_draws, seed)]
    point = model.leaving(np.ones((1, waits.n_units)))[0]
    rate = percentile_interval(point, np.concatenate(draws), int(waits.total(PASSED) + waits.total(LEFT)))
    low, middle, high = (-np.expm1(-DAY_US * bound) for bound in (rate.lower, rate.estimate, rate.upper))
    return WaitFound(
        fix=Fix(kind="wait", activity=name),
        activity=code,
        shortest_us=quantile(waits.mean_us, waits.passed, SHORTEST),
        median_us=quantile(waits.mean_us, waits.passed, 0.5),
        n_passed=int(waits.total(PASSED)),
        n_left=int(waits.total(LEFT)),
        n_silent=int(waits.total(SILENT)),
        leaving_per_day=Estimates(middle, low, high, rate.n),
    )


def quantile(times: Floats, n: Floats, share: float) -> float:
    """Smallest time that covers a share of the weight.

    Examples
    --------
    >>> quantile(np.array([1.0, 2.0, 9.0]), np.array([1.0, 1.0, 2.0]), 0.5)
    2.0
    """
    order = np.argsort(times, kind="stable")
    covered = np.cumsum(n[order])
    return float(times[order][np.searchsorted(covered, share * covered[-1] * (1 - 1e-12))])
