"""How long journeys stay at a step: time until they go on, with leaving as the competing end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.uncertainty import LEVEL, Estimates, quantile_of_normal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class MoveOn:
    """Time until journeys go on from one step.

    Attributes
    ----------
    waiting
        Share of visits that have not gone on after `after_s`; dropped journeys never go on.
    waiting_movers
        The same among the visits that do go on within `idle`.
    median_s
        Median time until journeys go on, in seconds; nan if less than half of them do within `idle`.
    """

    waiting: Estimates
    waiting_movers: Estimates
    median_s: Estimates


def move_on(
    unit: Ints,
    bin_: Ints,
    moved: Ints,
    censored: Ints,
    edges_s: Floats,
    after: int,
    *,
    level: float = LEVEL,
) -> MoveOn | None:
    """Cumulative incidence of going on from a step (Aalen and Johansen 1978), from binned times.

    A dropped journey is known to be dropped only once it was silent for `idle`, so until then it is under
    observation and has not gone on: the curve is one minus Kaplan and Meier's (1958), read up to `idle`. Open
    journeys are censored where observation stopped. The variance is that of the curve's martingale residuals
    summed over units (Ying and Wei 1994).

    Parameters
    ----------
    bin_
        Bin of each row; `len(edges_s)` for visits that stayed all of `idle`.
    moved, censored
        Visits of each row that went on, and that are known no further.
    after
        Bin whose upper edge is the time at which the share waiting is read.

    Examples
    --------
    Of four visits two go on in the first bin, one stays, one is censored in the second:

    >>> row = np.arange(3)
    >>> found = move_on(row, np.array([0, 1, 2]), np.array([2, 0, 0]), np.array([0, 1, 1]), np.array([1., 2.]), 0)
    >>> float(found.waiting.estimate), float(found.median_s.estimate)
    (0.5, 1.0)
    """
    m = len(edges_s)
    units, place = np.unique(unit, return_inverse=True)
    went, left = np.zeros((len(units), m + 1)), np.zeros((len(units), m + 1))
    np.add.at(went, (place, bin_), moved)
    np.add.at(left, (place, bin_), moved + censored)
    at_risk = left[:, ::-1].cumsum(axis=1)[:, ::-1]
    total, events = at_risk.sum(axis=0), went.sum(axis=0)
    if not total[0]:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.where(total > 0, events / total, 0.0)
        scale = np.where(total > events, 1.0 / (total - events), 0.0)
    stay: Floats = np.cumprod(1.0 - hazard)[:m].astype(float)
    # Influence of each unit on log(stay), hence on stay.
    pull = -stay * np.cumsum((went - hazard * at_risk) * scale, axis=1)[:, :m]
    n = int(total[0])
    share = _estimate(float(stay[after]), pull[:, after], n, level)
    go, moves_at = 1.0 - stay[-1], went.sum(axis=1) > 0
    if go > 0:
        among = (stay[after] - stay[-1]) / go
        pull_among = (pull[:, after] - pull[:, -1] + among * pull[:, -1]) / go
    movers = (
        _estimate(float(among), pull_among[moves_at], int(events.sum()), level)
        if go > 0
        else Estimates(np.asarray(np.nan), np.asarray(np.nan), np.asarray(np.nan), np.asarray(0))
    )
    return MoveOn(share, movers, _median(stay, pull, edges_s, n, level))


def _estimate(share: float, pull: Floats, n: int, level: float) -> Estimates:
    """Share with a normal interval on the logit scale, which stays inside 0 and 1."""
    n_units = len(pull)
    se = float(np.sqrt((pull**2).sum() * n_units / max(n_units - 1, 1)))
    if not 0 < share < 1 or n_units < 2:
        from journeymine.uncertainty import wilson

        low, high = wilson(share * n_units, n_units, level=level)
        return Estimates(np.asarray(share), low, high, np.asarray(n))
    logit, half = np.log(share / (1 - share)), quantile_of_normal(level) * se / (share * (1 - share))
    low, high = (1 / (1 + np.exp(-np.clip(logit + sign * half, -50, 50))) for sign in (-1, 1))
    return Estimates(np.asarray(share), np.asarray(low), np.asarray(high), np.asarray(n))


def _median(stay: Floats, pull: Floats, edges_s: Floats, n: int, level: float) -> Estimates:
    """Time at which half have gone on; its bounds are where the curve's band crosses one half."""
    n_units = pull.shape[0]
    se = np.sqrt((pull**2).sum(axis=0) * n_units / max(n_units - 1, 1))
    half = quantile_of_normal(level) * se
    times = [_crossing(curve, edges_s) for curve in (stay, stay - half, stay + half)]
    low, high = times[1], times[2]
    if np.isnan(times[0]):
        return Estimates(np.asarray(np.nan), np.asarray(np.nan), np.asarray(np.nan), np.asarray(n))
    # The upper bound may lie beyond `idle`: then all that is known is `idle`.
    high = float(edges_s[-1]) if np.isnan(high) else high
    return Estimates(
        np.asarray(times[0]),
        np.asarray(min(low, times[0])),
        np.asarray(max(high, times[0])),
        np.asarray(n),
    )


def _crossing(curve: Floats, edges_s: Floats) -> float:
    below = np.flatnonzero(curve <= 0.5)
    if not len(below):
        return float("nan")
    i = int(below[0])
    before, start = (1.0, 0.0) if i == 0 else (float(curve[i - 1]), float(edges_s[i - 1]))
    drop = before - float(curve[i])
    share = 1.0 if drop <= 0 else min(max((before - 0.5) / drop, 0.0), 1.0)
    return start + share * (float(edges_s[i]) - start)
