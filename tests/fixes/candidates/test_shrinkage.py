"""Shrinkage: closed forms, and the winner's curse in worlds whose truth is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.counts.chain import DROP, GOAL, ChainCounts, DropCounts
from journeymine.fixes.candidates import find_candidates
from journeymine.fixes.candidates.excess import Excess, excess_of_candidate
from journeymine.fixes.candidates.shrinkage import Shrinkage, fit_shrinkage


def excesses(true: np.ndarray, error: float | np.ndarray, seed: int) -> list[Excess]:
    rng = np.random.default_rng(seed)
    errors = np.broadcast_to(error, true.shape)
    return [Excess(float(t + s * rng.standard_normal()), float(s)) for t, s in zip(true, errors, strict=True)]


def test_one_normal_is_the_closed_form() -> None:
    """With equal errors the variance of true excesses is that of all less that of the errors (James and Stein)."""
    true = np.random.default_rng(0).normal(0, 0.05, 400)
    found = excesses(true, 0.03, 1)
    prior = fit_shrinkage(found)
    spread = np.mean([e.value**2 for e in found]) - 0.03**2
    assert prior.scale.tolist() == [pytest.approx(np.sqrt(spread), rel=1e-4)]
    assert prior.factor(found[0]) == pytest.approx(spread / (spread + 0.03**2), rel=1e-3)


def test_a_few_large_faults_among_nothing_stay_as_they_are() -> None:
    """One normal for all would take a quarter of them away."""
    true = np.zeros(100)
    true[:3] = 0.22, 0.36, 0.20
    found = excesses(true, 0.025, 2)
    prior = fit_shrinkage(found)
    assert len(prior.scale) > 1
    assert all(prior.factor(excess) > 0.95 for excess in found[:3])
    assert prior.factor(Excess(0.03, 0.025)) < 0.3


def test_noise_is_not_believed() -> None:
    factors = []
    for seed in range(20):
        found = excesses(np.zeros(60), 0.02, seed)
        prior = fit_shrinkage(found)
        factors.append(prior.factor(max(found, key=lambda excess: excess.value)))
    assert np.mean(factors) < 0.15
    assert fit_shrinkage([]).factor(Excess(0.5, 0.1)) == 0.0


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.floats(0.1, 50))
def test_the_unit_does_not_matter(seed: int, unit: float) -> None:
    found = excesses(np.random.default_rng(seed).normal(0, 0.04, 15), 0.03, seed)
    scaled = [Excess(e.value * unit, e.error * unit) for e in found]
    one, other = fit_shrinkage(found), fit_shrinkage(scaled)
    assert other.factor(scaled[0]) == pytest.approx(one.factor(found[0]), abs=2e-3)  # where the search stops


@given(st.floats(-1, 1), st.floats(0.001, 0.5), st.floats(0.001, 0.5))
def test_surer_excesses_are_believed_more(value: float, low: float, high: float) -> None:
    prior = Shrinkage(np.array([0.1]), np.array([1.0]), 10)
    low, high = sorted((low, high))
    assert 0 <= prior.factor(Excess(value, high)) <= prior.factor(Excess(value, low)) <= 1


def world(
    seed: int, n_states: int, n_values: int, n: int, spread: float
) -> tuple[ChainCounts, DropCounts, np.ndarray]:
    """Every customer visits every activity once; the values of a segment differ by normal amounts."""
    rng = np.random.default_rng(seed)
    share = np.clip(0.2 + rng.normal(0, spread, (n_states, n_values)), 0.02, 0.9)
    cell, unit = rng.integers(0, n_values, n), np.arange(n)
    units, cells, states = np.tile(unit, n_states), np.tile(cell, n_states), np.repeat(np.arange(n_states), n)
    drops = (rng.random(n * n_states) < share[states, cells]).astype(np.int64)
    ones, zeros = np.ones(n * n_states, np.int64), np.zeros(n * n_states, np.int64)
    chain = ChainCounts(
        states=tuple(f"S{i}" for i in range(n_states)),
        activity=np.arange(n_states),
        unit=units,
        cell=cells,
        source=states,
        target=np.where(drops == 1, DROP, GOAL),
        n=ones,
        wait_us=zeros.astype(float),
        start_unit=unit,
        start_cell=cell,
        start_state=np.zeros(n, np.int64),
        start_n=np.ones(n, np.int64),
        cells=tuple((f"v{i}",) for i in range(n_values)),
        cell_customers=np.bincount(cell, minlength=n_values),
        n_units=n,
    )
    return chain, DropCounts(units, cells, states, zeros, ones, ones, drops, n, None, None, 1), share


def test_found_excesses_are_unbiased_once_shrunk() -> None:
    """Worlds of twelve activities and four values that differ weakly: raw, what is found is half too large."""
    raw, shrunk, true = [], [], []
    for seed in range(25):
        chain, drops, share = world(seed, 12, 4, 2000, 0.025)
        for candidate in find_candidates(chain, drops, ("segment",)).candidates:
            if candidate.block != "found":
                continue
            excess = excess_of_candidate(candidate)
            assert excess is not None
            assert candidate.value is not None
            assert candidate.reference is not None
            assert candidate.shrinkage is not None
            visits = np.bincount(candidate.reference.cell, weights=candidate.reference.n, minlength=4)
            own = share[candidate.state, int(candidate.value[1:])]
            true.append(own - (visits * share[candidate.state]).sum() / visits.sum())
            raw.append(excess.value)
            shrunk.append(excess.value * candidate.shrinkage)
    assert len(true) > 80
    assert np.mean(raw) / np.mean(true) > 1.25
    # Some 120 excesses with errors of 0.02 around a mean of 0.05 know the ratio within 4 %.
    assert np.mean(shrunk) / np.mean(true) == pytest.approx(1.0, abs=0.1)


def test_a_broken_period_is_believed_as_a_whole() -> None:
    """Eight days of sixty at 36 instead of 20 %: each day says little, all together say a lot."""
    for seed in range(3):
        chain, drops, _ = world(seed, 4, 2, 4000, 0.0)
        rng = np.random.default_rng(100 + seed)
        day = np.tile(rng.integers(0, 60, 4000), 4)
        broken = (drops.state == 0) & (day >= 20) & (day < 28)
        lost = (rng.random(len(day)) < np.where(broken, 0.36, 0.2)).astype(np.int64)
        timed = dataclasses.replace(
            drops, slice=day, drops=lost, slice_us=86_400_000_000, origin_us=0, n_slices=60
        )
        found = [
            c for c in find_candidates(chain, timed).candidates if c.period_us is not None and c.state == 0
        ]
        assert len(found) == 1
        assert found[0].shrinkage is not None
        assert found[0].shrinkage > 0.85
