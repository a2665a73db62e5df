"""Round horizons at which the conversions of a log are told: about a third of the mean time to the goal, and up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from journeymine.markov.chain import MarkovChain
    from journeymine.markov.timing.time_to_goal import TimeToGoal

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
ROUND_S = (
    MINUTE_S, 10 * MINUTE_S, HOUR_S, 6 * HOUR_S, DAY_S, 7 * DAY_S, 30 * DAY_S, 90 * DAY_S, 365 * DAY_S,
)  # fmt: skip
MOST = 3
ALL = 0.99
"""From this share of all conversions on, a longer horizon says nothing new."""


def round_horizons(mean_s: float, span_s: float) -> tuple[int, ...]:
    """At most three round times in seconds: the first from a third of the mean time on, none longer than the log.

    Examples
    --------
    >>> [seconds / DAY_S for seconds in round_horizons(2.2 * DAY_S, 200 * DAY_S)]
    [1.0, 7.0, 30.0]
    >>> round_horizons(2.2 * DAY_S, 3 * DAY_S), round_horizons(float("nan"), DAY_S)
    ((86400,), ())
    """
    if not np.isfinite(mean_s) or mean_s <= 0:
        return ()
    return tuple(seconds for seconds in ROUND_S if mean_s / 3 <= seconds <= span_s)[:MOST]


def times_to_goal(chain: MarkovChain) -> tuple[TimeToGoal, ...]:
    """P(goal within each round horizon that fits the log, shortest first; empty without a goal or times."""
    if not chain.has_goal or not chain.timed or not chain.memory.plain or chain.source is None:
        return ()
    waits = chain.source.waits
    if waits is None or not chain.counts.n_starts:
        return ()
    found: list[TimeToGoal] = []
    for seconds in round_horizons(float(chain.seconds.estimate), waits.span_us / 1e6):
        found.append(chain.time_to_goal(f"{seconds}s"))
        if found[-1].estimate >= ALL * float(found[-1].converted.estimate):
            break
    return tuple(found)
