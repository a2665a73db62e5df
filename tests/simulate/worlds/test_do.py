"""Whatever is done to a world, its chains stay chains, and doing nothing changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.fixes.fix import Fix
from journeymine.simulate.worlds import SCENARIOS, SHAPES, World, world
from journeymine.simulate.worlds.calendar import phases_in
from journeymine.simulate.worlds.do import ORDER, do

EXACT = 1e-12
SHARED = ("drop_off", "wait", "loop", "channel_switch", "reroute")


@st.composite
def done(draw: st.DrawFn) -> tuple[World, list[Fix]]:
    """A world and some of its fixes, their shares changed where they have one."""
    here = world(draw(st.sampled_from(SHAPES)), draw(st.sampled_from(SCENARIOS)))
    fixes = draw(st.lists(st.sampled_from(here.fixes), min_size=1, max_size=4, unique_by=lambda fix: fix.id))
    share = draw(st.floats(0, 1))
    return here, [replace(fix, share=share) if fix.share is not None else fix for fix in fixes]


@settings(max_examples=60, deadline=None)
@given(done())
def test_chains_stay_chains(case: tuple[World, list[Fix]]) -> None:
    here, fixes = case
    chains = here.chains
    for fix in sorted(fixes, key=lambda fix: ORDER.index(fix.kind)):
        chains = do(chains, fix, here.population, phases_in(here.plan, fix))
    np.testing.assert_allclose(chains.moves.sum(axis=2), 1, atol=EXACT)
    np.testing.assert_allclose(chains.start.sum(axis=1), 1, atol=EXACT)
    assert chains.moves.min() > -EXACT
    assert chains.start.min() > -EXACT
    assert 0 < chains.outcome() < 1
    assert here.base + here.joint_effect(fixes) == pytest.approx(chains.outcome(), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(done(), st.floats(0, 1), st.floats(0, 1))
def test_nothing_done_changes_nothing_and_more_helps_more(
    case: tuple[World, list[Fix]], first: float, second: float
) -> None:
    here, fixes = case
    fix = fixes[0]
    if fix.kind not in SHARED or fix.share is None:
        return
    for outcome in ("conversion", "revenue", "time"):
        assert here.effect(replace(fix, share=0.0), outcome) == 0
    less, more = sorted((first, second))
    if fix.kind != "loop" or fix.target is not None:  # a first-order loop is worth nothing, up to rounding
        assert here.effect(replace(fix, share=less)) <= here.effect(replace(fix, share=more)) + EXACT


@pytest.mark.parametrize("shape", SHAPES)
def test_a_fix_of_one_segment_is_a_part_of_the_fix(shape: str) -> None:
    here = world(shape, "observed_confounder")
    whole = next(fix for fix in here.fixes if fix.kind == "drop_off" and fix.segment is None)
    parts = [
        Fix(kind="drop_off", activity=whole.activity, share=whole.share, segment=("platform", value))
        for value in ("mobile", "desktop")
    ]
    assert sum(here.effect(part) for part in parts) == pytest.approx(here.effect(whole), abs=EXACT * 10)
    assert here.effect(parts[0]) > 0


def test_a_switch_is_spared_where_the_channel_changes() -> None:
    """Everybody who comes to the shop's call centre comes from the web: there the switch is the whole drop-out."""
    here = world("shop")
    name = "Call centre contact"
    switch = Fix(kind="channel_switch", activity=name, share=0.4)
    assert here.effect(switch) == pytest.approx(here.effect(Fix(kind="drop_off", activity=name, share=0.4)))
    # Nobody changes channel on the way to the product list.
    assert here.effect(Fix(kind="channel_switch", activity="Product list", share=0.4)) == 0


def test_an_incident_is_the_share_of_its_time() -> None:
    here = world("shop", "drift")
    incident = next(fix for fix in here.fixes if fix.id == here.about[0])
    axes = tuple(range(1, len(here.population.grid)))
    share = here.population.along(here.chains.share).sum(axis=axes)
    k = here.chains.k
    solved = np.linalg.solve(np.eye(k) - here.chains.moves[:, :, :k], here.chains.moves[:, :, k : k + 1])[
        ..., 0
    ]
    by_phase = here.population.along((here.chains.start * solved).sum(axis=1) * here.chains.share)
    by_phase = by_phase.sum(axis=axes) / share
    # Phases 0 and 2 have the mix of the incident, and a sound step.
    assert by_phase[0] == pytest.approx(by_phase[2], abs=EXACT)
    gain = share[1] * (by_phase[0] - by_phase[1])
    assert here.effect(incident) == pytest.approx(gain, abs=EXACT * 10)
