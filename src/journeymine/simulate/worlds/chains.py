"""The absorbing chains of all types of customers, and what they are worth: plain linear algebra."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from journeymine.simulate.worlds.shape import State, Wait, states_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.simulate.worlds.plan import Plan
    from journeymine.simulate.worlds.population import Population

    Floats = NDArray[np.float64]

QUANTILES = 200
"""Points of equal weight that a wait has: simulated waits are drawn from the same points, so truth is exact."""


@dataclass(frozen=True, slots=True, eq=False)
class Chains:
    """One absorbing chain for each type of customers.

    Attributes
    ----------
    moves
        Shares of moves, shape (n_types, k, k + 2); the last columns are the goal and dropping out.
    start
        Where journeys start, shape (n_types, k).
    days
        Mean days until the next step of those who go on, shape (n_types, k).
    impatience
        Rate a day of leaving while waiting, shape (n_types, k); 0 where there is no wait.
    waits
        State -> days waited, points of equal weight by type, shape (n_types, QUANTILES).
    share, value
        Share of the journeys, and mean money of a conversion, shape (n_types,).
    activity, channel, attempt
        What the log shows of each state, and the attempt (0 outside loops).
    """

    moves: Floats
    start: Floats
    days: Floats
    impatience: Floats
    waits: dict[int, Floats]
    share: Floats
    value: Floats
    activity: tuple[str, ...]
    channel: tuple[str, ...]
    attempt: tuple[int, ...]

    @property
    def k(self) -> int:
        """Number of states."""
        return self.moves.shape[1]

    def states(self, activity: str) -> list[int]:
        """States of an activity, in the order of the attempts."""
        return [i for i, name in enumerate(self.activity) if name == activity]

    def _from_start(self, gains: Floats) -> Floats:
        """Expected sum of what each visit brings, by type; `gains` has shape (n_types, k)."""
        k = self.k
        future = np.linalg.solve(np.eye(k) - self.moves[:, :, :k], gains[..., None])[..., 0]
        return np.asarray((self.start * future).sum(axis=1))

    def outcome(self, name: str = "conversion") -> float:
        """Mean per start: "conversion", "revenue" or "time" (days from the first step to the last)."""
        if name == "time":
            return float(self.share @ self._from_start(self.days * (1 - self.moves[:, :, -1])))
        converted = self._from_start(self.moves[:, :, self.k])
        return float(self.share @ (converted * (self.value if name == "revenue" else 1.0)))


def wait_points(wait: Wait, cap: float) -> Floats:
    """Days of a wait as points of equal weight."""
    z = special.ndtri((np.arange(QUANTILES) + 0.5) / QUANTILES)
    return np.minimum(np.exp(wait.log_median + wait.sd * z), cap)


def passed(points: Floats, impatience: Floats) -> tuple[Floats, Floats]:
    """Share whose patience outlasts the wait, and the mean wait of those, by type."""
    stays = np.exp(-impatience[:, None] * points)
    return stays.mean(axis=1), (stays * points).mean(axis=1) / stays.mean(axis=1)


def shifted(share: float | Floats, shift: Floats) -> Floats:
    """A share moved on the log-odds scale."""
    odds = share * np.exp(shift)
    return np.asarray(odds / (1 - share + odds))


def make_chains(plan: Plan, population: Population) -> Chains:
    """The chains of a plan: drop-out shifted by intent and segment, waits against patience."""
    shape, habits = plan.shape, plan.habits
    states = states_of(shape)
    k, n = len(states), len(population.share)
    x = population.value("platform") - 0.5
    shift = -habits.intent * population.intent - habits.segment * x
    moves, days, impatience = np.zeros((n, k, k + 2)), np.zeros((n, k)), np.zeros((n, k))
    waits: dict[int, Floats] = {}
    low, high = plan.gap_days
    for i, state in enumerate(states):
        stay = 1 - _drop(plan, population, state, shift)
        days[:, i] = (high - low) / np.log(high / low)
        if state.step.wait is not None:
            waits[i] = np.tile(wait_points(state.step.wait, plan.cap_days), (n, 1))
            impatience[:, i] = state.step.wait.impatience * np.exp(shift / 2)
            share, days[:, i] = passed(waits[i], impatience[:, i])
            stay = stay * share
        weights = _weights(plan, population, state, states, x)
        moves[:, i, : k + 1] = stay[:, None] * weights / weights.sum(axis=1, keepdims=True)
        moves[:, i, k + 1] = 1 - stay
    start = np.array([shape.first.get(s.key, 0.0) if s.attempt <= 1 else 0.0 for s in states])
    value = np.array(shape.values)[population.value("platform")]
    return Chains(
        moves,
        np.tile(start / start.sum(), (n, 1)),
        days,
        impatience,
        waits,
        population.share,
        value,
        tuple(s.step.activity for s in states),
        tuple(s.step.channel for s in states),
        tuple(s.attempt for s in states),
    )


def _drop(plan: Plan, population: Population, state: State, shift: Floats) -> Floats:
    """Drop-out after a state, by type."""
    base = np.array([phase.drop.get(state.key, state.step.drop) for phase in plan.phases])[population.phase]
    if state.key == plan.shape.places.first and "source" in population.columns:
        added = [plan.habits.source_first.get(v, 0.0) for v in plan.shape.segments["source"]]
        shift = shift + np.array(added)[population.value("source")]
    return shifted(base, shift)


def _weights(
    plan: Plan, population: Population, state: State, states: tuple[State, ...], x: Floats
) -> Floats:
    """Weights of the exits by type, shape (n_types, k + 1)."""
    habits = plan.habits
    weights = np.zeros((len(x), len(states) + 1))
    for target, weight in state.exits.items():
        asked = np.ones(len(x))
        if target < len(states) and states[target].key == plan.shape.places.help:
            asked = np.exp(habits.help_intent * population.intent + habits.help_segment * x)
            names = plan.shape.segments["platform"]
            never = np.array([value in habits.never_helped for value in names])
            asked = np.where(never[population.value("platform")], 0.0, asked)
        weights[:, target] += weight * asked
    return weights
