"""Let every journey of the shop run its course, all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.simulate import states as st
from journeymine.simulate.starts import first_state_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.simulate.kernel import Kernel
    from journeymine.simulate.settings import ShopSettings
    from journeymine.simulate.starts import Starts

DAY_S = 86_400
OPEN_S, CLOSE_S = 7 * 3600, 20 * 3600
"""The first step of a day lies between these times, so that no chain of same-day steps meets midnight."""
MAX_STEP_S = 900
BELOW_ONE = 1.0 - 2.0**-30


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """All steps of all journeys, without the cut at the end of the log, step by step.

    Attributes
    ----------
    journey, state, second
        One entry a step: journey number, state code, seconds since the log's first midnight.
    reached
        One entry a journey: whether it reaches the goal.
    """

    journey: NDArray[np.int64]
    state: NDArray[np.int64]
    second: NDArray[np.int64]
    reached: NDArray[np.bool_]


class Lookup:
    """Many discrete distributions in one sorted array: row r holds r + its cumulative shares."""

    def __init__(self, shares: NDArray[np.float64]) -> None:
        rows, columns = np.nonzero(shares > 0)
        cumulative = np.cumsum(shares, axis=1)
        cumulative /= np.maximum(cumulative[:, -1:], np.finfo(float).tiny)
        self._keys = rows + cumulative[rows, columns]
        last = np.r_[rows[1:] != rows[:-1], True]
        self._keys[last] = rows[last] + 1.0
        self._columns = columns

    def draw(self, row: NDArray[np.int64], u: NDArray[np.float64]) -> NDArray[np.int64]:
        """Column drawn from the distribution of each row."""
        key = row + np.minimum(u, BELOW_ONE)
        return self._columns[np.searchsorted(self._keys, key, side="right")]


def exit_lookup(kernel: Kernel) -> Lookup:
    """Where each state leads, by (phase, group, state); column `n_states` is the end of the journey."""
    stays = (1.0 - kernel.drop)[..., None] * kernel.moves
    leaves = 1.0 - stays.sum(axis=-1, keepdims=True)
    # Rows of states that always go on may leave 1e-17 by rounding: that is no exit.
    leaves[leaves < 1e-12] = 0.0
    shares = np.concatenate([stays, leaves], axis=-1)
    return Lookup(shares.reshape(-1, shares.shape[-1]))


def walk(kernel: Kernel, starts: Starts, settings: ShopSettings, rng: np.random.Generator) -> Walk:
    """Run all journeys to their ends."""
    exits = exit_lookup(kernel)
    n_states = len(st.STATES)
    n_groups = kernel.moves.shape[0]
    lags = Lookup(kernel.lags.reshape(n_states * n_states, -1))
    u = rng.random((2, len(starts.day)))
    state = Lookup(first_state_shares()).draw(starts.source, u[0])
    day, time = starts.day, _day_start(u[1])
    journey = np.arange(len(day))
    group = starts.group
    steps: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]] = []
    begin, end = settings.incident
    while len(journey):
        steps.append((journey, state, day * DAY_S + time))
        u = rng.random((3, len(journey)))
        phase = ((day >= begin) & (day < end)).astype(np.int64)
        target = exits.draw((phase * n_groups + group) * n_states + state, u[0])
        on = np.flatnonzero(target < n_states)
        u = u[:, on]
        lag = lags.draw(state[on] * n_states + target[on], u[1])
        time = np.where(lag == 0, _soon_after(time[on], u[2]), _day_start(u[2]))
        journey, group, state, day = journey[on], group[on], target[on], day[on] + lag
    columns = [np.concatenate(parts) for parts in zip(*steps, strict=True)] if steps else [journey] * 3
    reached = np.zeros(len(starts.day), dtype=np.bool_)
    reached[columns[0][columns[1] == st.ORDER]] = True
    return Walk(columns[0], columns[1], columns[2], reached)


def _day_start(u: NDArray[np.float64]) -> NDArray[np.int64]:
    return OPEN_S + (u * (CLOSE_S - OPEN_S)).astype(np.int64)


def _soon_after(time: NDArray[np.int64], u: NDArray[np.float64]) -> NDArray[np.int64]:
    # At most an eighth of what is left of the day: a later second, never a later day.
    longest = np.minimum(MAX_STEP_S, (DAY_S - 1 - time) // 8)
    return time + 1 + ((0.01 + 0.99 * u * u) * longest).astype(np.int64)
