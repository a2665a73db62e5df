"""The rows of a world's chains: drop-out shifted by intent and segment, waits against patience."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import special

from journeymine.simulate.worlds.chains import Chains
from journeymine.simulate.worlds.states import State, states_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.simulate.worlds.plan import Plan
    from journeymine.simulate.worlds.population import Population
    from journeymine.simulate.worlds.shape import Wait

    Floats = NDArray[np.float64]

POINTS: Final = 200
"""Points of equal weight that a wait has: simulated waits are drawn from the same points, so truth is exact."""


def wait_points(wait: Wait, cap: float) -> Floats:
    """Days of a wait as points of equal weight."""
    z = special.ndtri((np.arange(POINTS) + 0.5) / POINTS)
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
    states = states_of(plan.shape)
    k, n = len(states), len(population.share)
    shift = _shift(plan, population)
    moves, impatience = np.zeros((n, k, k + 2)), np.zeros((n, k))
    low, high = plan.gap_days
    days = np.full((n, k), (high - low) / np.log(high / low))
    waits: dict[int, Floats] = {}
    for i, state in enumerate(states):
        stay = 1 - _drop(plan, population, state, shift)
        if state.step.wait is not None:
            waits[i] = np.tile(wait_points(state.step.wait, plan.cap_days), (n, 1))
            impatience[:, i] = state.step.wait.impatience * np.exp(shift / 2)
            share, days[:, i] = passed(waits[i], impatience[:, i])
            stay = stay * share
        moves[:, i, : k + 1] = stay[:, None] * _onward(plan, population, state, states)
        moves[:, i, k + 1] = 1 - stay
    first = np.array([plan.shape.first.get(s.key, 0.0) if s.attempt <= 1 else 0.0 for s in states])
    return Chains(
        moves=moves,
        start=np.tile(first / first.sum(), (n, 1)),
        days=days,
        impatience=impatience,
        waits=waits,
        share=population.share,
        value=np.array(plan.shape.values)[population.value("platform")],
        activity=tuple(s.step.activity for s in states),
        channel=tuple(s.step.channel for s in states),
        attempt=tuple(s.attempt for s in states),
    )


def _side(population: Population) -> Floats:
    """The platform as -0.5 and 0.5."""
    return np.asarray(population.value("platform") - 0.5, dtype=np.float64)


def _shift(plan: Plan, population: Population) -> Floats:
    """What is added on the log-odds of dropping out everywhere, by type."""
    habits = plan.habits
    return np.asarray(-habits.intent * population.intent - habits.segment * _side(population))


def _drop(plan: Plan, population: Population, state: State, shift: Floats) -> Floats:
    """Drop-out after a state, by type."""
    base = np.array([phase.drop.get(state.key, state.step.drop) for phase in plan.phases])[population.phase]
    if state.key == plan.shape.places.first and "source" in population.columns:
        added = [plan.habits.source_first.get(v, 0.0) for v in plan.shape.segments["source"]]
        shift = shift + np.array(added)[population.value("source")]
    return shifted(base, shift)


def _onward(plan: Plan, population: Population, state: State, states: tuple[State, ...]) -> Floats:
    """Where those who go on go, by type, shape (n_types, k + 1); rows sum to 1."""
    weights = np.zeros((len(population.share), len(states) + 1))
    for target, weight in state.exits.items():
        asked = target < len(states) and states[target].key == plan.shape.places.help
        weights[:, target] += weight * (_asking(plan, population) if asked else 1.0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _asking(plan: Plan, population: Population) -> Floats:
    """Factor of the weight of the contact that customers choose, by type."""
    habits = plan.habits
    factor = np.exp(habits.help_intent * population.intent + habits.help_segment * _side(population))
    never = np.array([value in habits.never_helped for value in plan.shape.segments["platform"]])
    return np.where(never[population.value("platform")], 0.0, factor)
