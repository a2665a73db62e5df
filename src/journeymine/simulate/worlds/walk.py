"""Let every journey of a world run its course, all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.simulate.worlds.chains import Chains
    from journeymine.simulate.worlds.plan import Plan

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MAX_STEPS = 2000
"""No journey of any table comes near this; a walk that does is a table that never ends."""


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """All events of all journeys, one entry an event.

    Attributes
    ----------
    journey
        Number of the journey.
    state
        State of the chain; k is the goal, k + 1 leaving while waiting where it is seen.
    day
        Days since the start of the log.
    """

    journey: Ints
    state: Ints
    day: Floats


def walk(plan: Plan, chains: Chains, kind: Ints, first_day: Floats, rng: np.random.Generator) -> Steps:
    """Run all journeys to their ends.

    Parameters
    ----------
    kind
        Type of each journey's customer.
    first_day
        When each journey starts, in days.
    """
    k, seen = chains.k, plan.shape.left is not None
    cumulative = np.cumsum(chains.moves, axis=2)
    journey, day = np.arange(len(kind)), first_day
    state = (
        (np.cumsum(chains.start, axis=1)[kind] < rng.random(len(kind))[:, None]).sum(axis=1).clip(0, k - 1)
    )
    events = [(journey, state, day)]
    for _ in range(MAX_STEPS):
        if not len(journey):
            break
        to = (cumulative[kind, state] < rng.random(len(kind))[:, None]).sum(axis=1).clip(0, k + 1)
        gap = _gaps(plan, rng, len(kind))
        shown = to <= k
        for waiting, points in chains.waits.items():
            here = np.flatnonzero(state == waiting)
            to[here], gap[here], left = _wait(chains, waiting, points, kind[here], rng)
            shown[here] = (to[here] <= k) | (left & seen)
        journey, kind, state, day = journey[shown], kind[shown], to[shown], (day + gap)[shown]
        events.append((journey, state, day))
        on = state < k
        journey, kind, state, day = journey[on], kind[on], state[on], day[on]
    else:
        raise AssertionError("a journey never ends")
    of = [np.concatenate(part) for part in zip(*events, strict=True)]
    order = np.lexsort((of[2], of[0]))
    return Steps(of[0][order], of[1][order], of[2][order])


def _gaps(plan: Plan, rng: np.random.Generator, n: int) -> Floats:
    low, high = np.log(plan.gap_days)
    return np.asarray(np.exp(low + (high - low) * rng.random(n)))


def _wait(
    chains: Chains, state: int, points: Floats, kind: Ints, rng: np.random.Generator
) -> tuple[Ints, Floats, NDArray[np.bool_]]:
    """Where those who wait go, when, and who left because of the wait."""
    rate = chains.impatience[kind, state]
    wait = points[kind, rng.integers(0, points.shape[1], len(kind))]
    with np.errstate(divide="ignore"):
        patience = rng.exponential(size=len(kind)) / rate
    left = patience < wait
    outlasts = np.exp(-chains.impatience[:, state, None] * points).mean(axis=1)
    rows = chains.moves[:, state].copy()
    rows[:, :-1] /= outlasts[:, None]
    rows[:, -1] = 1 - rows[:, :-1].sum(axis=1)
    to = (np.cumsum(rows, axis=1)[kind] < rng.random(len(kind))[:, None]).sum(axis=1)
    to = to.clip(0, chains.k + 1)
    left &= to <= chains.k  # whoever drops out whatever the wait says nothing
    return np.where(left, chains.k + 1, to), np.minimum(wait, patience), left
