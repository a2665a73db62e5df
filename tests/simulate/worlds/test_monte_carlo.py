"""Truth against a simulation of what each kind of fix means, in rules for customers: no matrix is changed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from journeymine.fixes.fix import Fix
from journeymine.simulate.worlds import SHAPES, World, world
from journeymine.simulate.worlds.shape import states_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

N = 100_000
TOLERANCE = 4 * np.sqrt(0.25 / N)
"""Four standard errors of a share: one false alarm in 16,000 comparisons."""
STRONG = {  # shares so large that an effect stands far above the tolerance; kinds not named keep that of the world
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
    for scenario, place in (("observed_confounder", 0), ("drift", 0), ("loop_memory", 0)):
        special = world(shape, scenario)
        found[scenario] = (scenario, next(f for f in special.fixes if f.id == special.about[place]))
    return list(found.values())


def shifted(share: float, shift: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-(np.log(share / (1 - share)) + shift))) if share else np.zeros(len(shift))


def converted(here: World, fix: Fix | None, rng: np.random.Generator) -> float:
    """Share of N customers who reach the goal when the fix is a rule that they meet on their way."""
    plan, states = here.plan, states_of(here.plan.shape)
    k, shape, habits = len(states), plan.shape, plan.habits
    length = np.array([p.stop - p.first for p in plan.phases], float)
    phase = rng.choice(len(length), N, p=length / length.sum())
    platform = rng.integers(0, 2, N)
    ads = np.array([(p.sources or shape.segments["source"])["ads"] for p in plan.phases])[phase]
    source = np.where(rng.random(N) < ads, "ads", "search")
    first = list(shape.first)
    start = [next(i for i, s in enumerate(states) if s.key == key) for key in first]
    at = np.array(start)[rng.choice(len(first), N, p=np.array(list(shape.first.values())))]
    before = np.full(N, "", dtype=object)
    who = np.arange(N)
    n_converted = 0
    while len(who):
        to = np.full(len(who), k + 1)
        for s, state in enumerate(states):
            here_now = np.flatnonzero(at == s)
            if not len(here_now):
                continue
            me = who[here_now]
            touched = fix is not None and fix.activity == state.step.activity
            kind = fix.kind if touched and fix is not None else None
            share = fix.fraction if fix is not None else 0.0
            side = np.where(platform[me] == 1, 0.5, -0.5)
            if kind == "drop_off" and fix.segment == ("platform", "mobile") and fix.to_reference:
                side = np.full(len(me), 0.5)
            base = np.array([p.drop.get(state.key, state.step.drop) for p in plan.phases])
            if kind == "incident":
                base[1] = state.step.drop
            extra = -habits.segment * side
            if state.key == shape.places.first:
                extra = extra + np.array([habits.source_first.get(v, 0.0) for v in source[me]])
            drop = np.array([shifted(b, extra) for b in base])[phase[me], np.arange(len(me))]
            if kind == "loop" and fix.to_reference:
                drop = shifted(shape.later[state.key][0], extra)
            leaves = rng.random(len(me)) < drop
            if state.step.wait is not None:
                wait = state.step.wait
                days = np.minimum(np.exp(wait.log_median + wait.sd * rng.standard_normal(len(me))), plan.cap_days)
                days = days * (1 - share if kind == "wait" else 1)
                leaves |= rng.exponential(1 / (wait.impatience * np.exp(extra / 2))) < days
            if kind == "drop_off" and not fix.to_reference:
                leaves &= rng.random(len(me)) >= share
            if kind == "channel_switch":
                came_over = (before[me] != "") & (before[me] != state.step.channel)
                leaves &= ~(came_over & (rng.random(len(me)) < share))
            if kind == "remove_step":
                leaves[:] = False
            targets = np.array([t for t in state.exits if not (kind == "remove_step" and t == s)])
            weight = np.tile([state.exits[t] for t in targets], (len(me), 1)).astype(float)
            for j, target in enumerate(targets):
                if target < k and states[target].key == shape.places.help:
                    weight[:, j] *= np.exp(habits.help_segment * np.where(platform[me] == 1, 0.5, -0.5))
            weight /= weight.sum(axis=1, keepdims=True)
            going = targets[(weight.cumsum(axis=1) < rng.random(len(me))[:, None]).sum(axis=1)]
            if kind == "loop" and not fix.to_reference:
                back = np.array([states[t].step.activity == (fix.target or fix.activity) for t in targets if t < k])
                back = np.array([t < k and states[t].step.activity == (fix.target or fix.activity) for t in targets])
                spared = ~leaves & np.isin(going, targets[back]) & (rng.random(len(me)) < share)
                rest = np.concatenate([weight * (1 - drop)[:, None] * ~back, drop[:, None]], axis=1)
                rest /= rest.sum(axis=1, keepdims=True)
                again = (rest.cumsum(axis=1) < rng.random(len(me))[:, None]).sum(axis=1)
                going = np.where(spared, np.r_[targets, k + 1][again], going)
            if kind == "reroute":
                wanted = next(i for i, other in enumerate(states) if other.step.activity == fix.to)
                sent = np.array([t < k and states[t].step.activity == fix.target for t in targets])
                moved = np.isin(going, targets[sent]) & (rng.random(len(me)) < share)
                going = np.where(moved, wanted, going)
            to[here_now] = np.where(leaves, k + 1, going)
            if kind != "remove_step":
                before[me] = state.step.channel
        n_converted += int((to == k).sum())
        on = to < k
        who, at = who[on], to[on]
    return n_converted / N


@pytest.mark.parametrize("shape", SHAPES)
def test_every_kind_of_fix_does_what_it_says(shape: str) -> None:
    rng = np.random.default_rng(7)
    for scenario, fix in one_of_each(shape):
        here = world(shape, scenario)
        truth = here.base + here.effect(fix)
        assert converted(here, fix, rng) == pytest.approx(truth, abs=TOLERANCE), (scenario, fix.id)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scenario", ["markov", "observed_confounder", "loop_memory", "drift"])
def test_without_a_fix_the_base_comes_out(shape: str, scenario: str) -> None:
    here = world(shape, scenario)
    assert converted(here, None, np.random.default_rng(3)) == pytest.approx(here.base, abs=TOLERANCE)


def test_the_checked_effects_stand_above_the_tolerance() -> None:
    """A check that a wrong truth would pass is none."""
    large = [world(shape, sc).effect(fix) for shape in SHAPES for sc, fix in one_of_each(shape)]
    assert np.mean(np.array(large) > 2 * TOLERANCE) > 0.75
