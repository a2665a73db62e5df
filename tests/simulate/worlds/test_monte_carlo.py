"""Truth against a simulation of what each kind of fix means, in rules for customers: no matrix is changed here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from journeymine.fixes.fix import Fix
from journeymine.simulate.worlds import SHAPES, World, world
from journeymine.simulate.worlds.states import states_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.simulate.worlds.states import State

N = 60_000
TOLERANCE = 4 * np.sqrt(0.25 / N)
"""Four standard errors of a share: one false alarm in 16,000 comparisons."""
STRONG = {  # shares so large that effects stand above the tolerance; kinds not named keep that of the world
    "drop_off": 0.9,
    "wait": 0.9,
    "loop": 0.9,
    "reroute": 0.9,
    "channel_switch": 1.0,
}


def one_of_each(shape: str) -> list[tuple[str, Fix]]:
    """Scenario and fix: one of every kind that a shape has, with a strong share, and those of special scenarios."""
    found = {}
    for fix in world(shape, "markov").fixes:
        given = fix.to_dict() | {"share": STRONG.get(fix.kind)}
        found.setdefault(fix.kind, ("markov", Fix.from_dict({k: v for k, v in given.items() if k != "id"})))
    for scenario in ("observed_confounder", "drift", "loop_memory"):
        special = world(shape, scenario)
        found[scenario] = (scenario, next(f for f in special.fixes if f.id == special.about[0]))
    return list(found.values())


def shifted(share: float, shift: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-(np.log(share / (1 - share)) + shift))) if share else np.zeros(len(shift))


def drawn(weights: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """A column of each row, by its weights."""
    total = weights.sum(axis=1, keepdims=True)
    return (weights.cumsum(axis=1) < rng.random((len(weights), 1)) * total).sum(axis=1)


class Customers:
    """Customers on their way; where a fix is given they meet it as a rule."""

    def __init__(self, here: World, fix: Fix | None, rng: np.random.Generator) -> None:
        self.plan, self.fix, self.rng = here.plan, fix, rng
        self.states = states_of(here.plan.shape)
        plan, shape = here.plan, here.plan.shape
        length = np.array([p.stop - p.first for p in plan.phases], float)
        self.phase = rng.choice(len(length), N, p=length / length.sum())
        self.platform = rng.integers(0, 2, N)
        ads = np.array([(p.sources or shape.segments["source"])["ads"] for p in plan.phases])[self.phase]
        self.source = np.where(rng.random(N) < ads, "ads", "search")
        first = [next(i for i, s in enumerate(self.states) if s.key == key) for key in shape.first]
        self.at = np.array(first)[rng.choice(len(first), N, p=np.array(list(shape.first.values())))]
        self.channel = np.full(N, "", dtype=object)

    def share_converted(self) -> float:
        """Let all of them run to their ends."""
        k = len(self.states)
        while (self.at < k).any():
            to = self.at.copy()
            for s in range(k):
                me = np.flatnonzero(self.at == s)
                if len(me):
                    to[me] = self.step(s, me)
            self.at = to
        return float((self.at == k).mean())

    def step(self, s: int, me: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where customers in a state go; k is the goal, k + 1 dropping out."""
        state, fix, rng = self.states[s], self.fix, self.rng
        rule: Any = fix if fix is not None and fix.activity == state.step.activity else None
        if rule is not None and rule.kind == "remove_step":
            targets = np.array([t for t in state.exits if t != s])
            return targets[drawn(self.weights(state, targets, me), rng)]
        drop = self.drop(state, rule, me)
        leaves = rng.random(len(me)) < drop
        if state.step.wait is not None:
            leaves |= self.runs_out_of_patience(state, rule, me)
        if rule is not None and not rule.to_reference and rule.kind in ("drop_off", "channel_switch"):
            came_over = (self.channel[me] != "") & (self.channel[me] != state.step.channel)
            met = came_over if rule.kind == "channel_switch" else np.ones(len(me), bool)
            leaves &= ~(met & (rng.random(len(me)) < rule.fraction))
        targets = np.array(list(state.exits))
        weights = self.weights(state, targets, me)
        going = targets[drawn(weights, rng)]
        if rule is not None and not rule.to_reference and rule.kind in ("loop", "reroute"):
            going = self.sent_elsewhere(rule, targets, weights, drop, going, leaves)
        self.channel[me] = state.step.channel
        return np.where(leaves, len(self.states) + 1, going)

    def drop(self, state: State, rule: Any, me: NDArray[np.int64]) -> NDArray[np.float64]:
        """Drop-out of each customer; a rule that brings it to a reference is applied."""
        plan, habits = self.plan, self.plan.habits
        side = np.where(self.platform[me] == 1, 0.5, -0.5)
        base = np.array([phase.drop.get(state.key, state.step.drop) for phase in plan.phases])
        if rule is not None and rule.to_reference:
            if rule.kind == "drop_off":
                side = np.full(len(me), 0.5)
            elif rule.kind == "incident":
                base[1] = state.step.drop
            elif rule.kind == "loop":
                base[:] = plan.shape.later[state.key][0]
        extra = -habits.segment * side
        if state.key == plan.shape.places.first:
            extra = extra + np.array([habits.source_first.get(v, 0.0) for v in self.source[me]])
        return np.array([shifted(b, extra) for b in base])[self.phase[me], np.arange(len(me))]

    def runs_out_of_patience(self, state: State, rule: Any, me: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether an exponential patience ends before a log-normal wait."""
        wait = state.step.wait
        assert wait is not None
        side = np.where(self.platform[me] == 1, 0.5, -0.5)
        rate = wait.impatience * np.exp(-self.plan.habits.segment * side / 2)
        days = np.exp(wait.log_median + wait.sd * self.rng.standard_normal(len(me)))
        days = np.minimum(days, self.plan.cap_days) * (
            1 - rule.fraction if rule and rule.kind == "wait" else 1
        )
        return self.rng.exponential(1 / rate) < days

    def weights(self, state: State, targets: NDArray[np.int64], me: NDArray[np.int64]) -> NDArray[np.float64]:
        """Weights of the exits of each customer."""
        weights = np.tile([state.exits[t] for t in targets], (len(me), 1)).astype(float)
        side = np.where(self.platform[me] == 1, 0.5, -0.5)
        for column, target in enumerate(targets):
            if target < len(self.states) and self.states[target].key == self.plan.shape.places.help:
                weights[:, column] *= np.exp(self.plan.habits.help_segment * side)
        return weights

    def sent_elsewhere(
        self,
        rule: Fix,
        targets: NDArray[np.int64],
        weights: NDArray[np.float64],
        drop: NDArray[np.float64],
        going: NDArray[np.int64],
        leaves: NDArray[np.bool_],
    ) -> NDArray[np.int64]:
        """A loop: a share of those who would go back choose again, dropping out included. A re-route: they are sent."""
        k, name = len(self.states), rule.target or rule.activity
        back = np.array([t < k and self.states[t].step.activity == name for t in targets])
        spared = ~leaves & np.isin(going, targets[back]) & (self.rng.random(len(going)) < rule.fraction)
        if rule.kind == "reroute":
            to = next(i for i, other in enumerate(self.states) if other.step.activity == rule.to)
            return np.where(spared, to, going)
        onward = weights / weights.sum(axis=1, keepdims=True) * (1 - drop)[:, None]
        rest = np.concatenate([onward * ~back, drop[:, None]], axis=1)
        return np.where(spared, np.r_[targets, k + 1][drawn(rest, self.rng)], going)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_kind_of_fix_does_what_it_says(shape: str) -> None:
    rng = np.random.default_rng(7)
    for scenario, fix in one_of_each(shape):
        here = world(shape, scenario)
        truth = here.base + here.effect(fix)
        found = Customers(here, fix, rng).share_converted()
        assert found == pytest.approx(truth, abs=TOLERANCE), (scenario, fix.id)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scenario", ["markov", "observed_confounder", "loop_memory", "drift"])
def test_without_a_fix_the_base_comes_out(shape: str, scenario: str) -> None:
    here = world(shape, scenario)
    found = Customers(here, None, np.random.default_rng(3)).share_converted()
    assert found == pytest.approx(here.base, abs=TOLERANCE)


def test_the_checked_effects_stand_above_the_tolerance() -> None:
    """A check that a wrong truth would pass is none."""
    effects = [world(shape, scenario).effect(fix) for shape in SHAPES for scenario, fix in one_of_each(shape)]
    assert np.mean(np.array(effects) > 2 * TOLERANCE) > 0.7
    assert min(effects) > TOLERANCE
