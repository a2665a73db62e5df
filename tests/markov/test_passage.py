"""First passages and committors: against stepping through time, a plain solve, simulation, and each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from journeymine.markov.absorbing import absorb
from journeymine.markov.passage import committor, first_passages, passage_to

EXAMPLE = np.array(
    [[0.20, 0.50, 0.00, 0.05, 0.25], [0.10, 0.00, 0.60, 0.00, 0.30], [0.00, 0.15, 0.10, 0.55, 0.20]]
)
EXACT = 1e-8
"""Rounding and the leak of 1e-12 a move, in quotients of small probabilities."""
RARE = 1e-6
"""Means given an event rarer than this are quotients of rounding."""
STEPS = 2000
"""Moves of the oracle: chains here leave with at least 5 % a move, so that 0.95^2000 = 3e-45 are left."""


@st.composite
def chains(draw: st.DrawFn, most: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """A chain with zeros here and there that ends with at least 5 % a move, and mean waits."""
    k = draw(st.integers(1, most))
    weights = draw(arrays(float, (k, k + 2), elements=st.sampled_from([0.0, 0.1, 0.5, 1.0, 3.0])))
    weights[:, k:] += draw(arrays(float, (k, 2), elements=st.floats(0.05, 1.0)))
    full = weights / weights.sum(axis=1, keepdims=True)
    full[:, :k] *= 0.95
    full[:, k + 1] += 1 - full.sum(axis=1)
    wait = draw(arrays(float, (k, k + 2), elements=st.floats(0.0, 100.0)))
    return full, wait


def step_by_step(full: np.ndarray, wait: np.ndarray, targets: set[int]) -> tuple[np.ndarray, ...]:
    """Probability, mean moves and mean time of the first passage, by walking through time from every state."""
    k = len(full)
    reach, moves, seconds = np.zeros(k), np.zeros(k), np.zeros(k)
    inside = np.isin(np.arange(k + 2), list(targets))
    there = np.eye(k)
    spent = np.zeros((k, k))
    for step in range(1, STEPS):
        there[:, inside[:k]] = 0.0
        spent[:, inside[:k]] = 0.0
        arriving = there @ full
        time = spent @ full + there @ (full * wait)
        reach += arriving[:, inside].sum(axis=1)
        moves += step * arriving[:, inside].sum(axis=1)
        seconds += time[:, inside].sum(axis=1)
        there, spent = arriving[:, :k].copy(), time[:, :k].copy()
    for state in targets:
        if state < k:
            reach[state], moves[state], seconds[state] = 1.0, 0.0, 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        return reach, np.where(reach > 0, moves / reach, np.nan), np.where(reach > 0, seconds / reach, np.nan)


@given(chains(), st.data())
@settings(max_examples=25, deadline=None)
def test_passage_equals_stepping_through_time(
    chain: tuple[np.ndarray, np.ndarray], data: st.DataObject
) -> None:
    full, wait = chain
    targets = data.draw(st.sets(st.integers(0, len(full) + 1), min_size=1))
    reach, moves, seconds = step_by_step(full, wait, targets)
    found = passage_to(full, sorted(targets), wait)
    np.testing.assert_allclose(found.reach, reach, atol=EXACT)
    often = reach > RARE
    np.testing.assert_allclose(found.moves[often], moves[often], rtol=EXACT, atol=EXACT)
    assert found.seconds is not None
    np.testing.assert_allclose(found.seconds[often], seconds[often], rtol=EXACT, atol=EXACT)


@given(chains())
@settings(max_examples=60, deadline=None)
def test_all_first_passages_equal_each_alone(chain: tuple[np.ndarray, np.ndarray]) -> None:
    """One inverse gives the passages to every column; a chain without that column gives them one by one."""
    full, wait = chain
    k = len(full)
    together = first_passages(absorb(full[:, :k], full[:, k], np.full(k, 1 / k)), full, wait)
    assert together.seconds is not None
    for target in range(k + 2):
        alone = passage_to(full, [target], wait)
        assert alone.seconds is not None
        np.testing.assert_allclose(together.reach[:, target], alone.reach, atol=EXACT)
        often = alone.reach > RARE
        for one, other in ((together.moves, alone.moves), (together.seconds, alone.seconds)):
            np.testing.assert_allclose(one[often, target], other[often], rtol=1e-6, atol=1e-6)


@given(chains(), st.data())
@settings(max_examples=60, deadline=None)
def test_committor_solves_its_equations(chain: tuple[np.ndarray, np.ndarray], data: st.DataObject) -> None:
    """q = P q between the sets, 0 in A, 1 in B; both directions leave only those who reach neither."""
    full, _ = chain
    k = len(full)
    order = data.draw(st.permutations(range(k + 2)))
    cut = data.draw(st.integers(1, k + 1))
    end = data.draw(st.integers(cut + 1, k + 2)) if cut < k + 2 else cut
    a, b = order[:cut], order[cut:end]
    q = committor(full, a, b)
    value = np.zeros(k + 2)
    value[:k] = q
    value[[j for j in b if j >= k]] = 1.0
    for i in range(k):
        if i in a:
            assert q[i] == 0.0
        elif i in b:
            assert q[i] == 1.0
        else:
            assert q[i] == pytest.approx(full[i] @ value, abs=EXACT)
    either = passage_to(full, [*a, *b]).reach
    np.testing.assert_allclose(q + committor(full, b, a), either, atol=EXACT)


def test_committor_of_goal_against_drop_is_conversion() -> None:
    solved = absorb(EXAMPLE[:, :3], EXAMPLE[:, 3], np.array([1.0, 0, 0]))
    np.testing.assert_allclose(committor(EXAMPLE, a=[4], b=[3]), solved.hit, atol=EXACT)


def test_stacks_are_solved_one_by_one() -> None:
    rng = np.random.default_rng(3)
    stack, wait = rng.dirichlet(np.ones(6), size=(3, 4)), rng.random((3, 4, 6))
    together, q = passage_to(stack, [1, 5], wait), committor(stack, [0], [4])
    every = first_passages(absorb(stack[..., :4], stack[..., 4], np.full((3, 4), 0.25)), stack, wait)
    for b in range(3):
        alone = passage_to(stack[b], [1, 5], wait[b])
        np.testing.assert_allclose(together.moves[b], alone.moves, rtol=EXACT)
        assert together.seconds is not None
        assert alone.seconds is not None
        np.testing.assert_allclose(together.seconds[b], alone.seconds, rtol=EXACT)
        np.testing.assert_allclose(q[b], committor(stack[b], [0], [4]), rtol=EXACT)
        np.testing.assert_allclose(every.reach[b, :, 5], passage_to(stack[b], [5]).reach, rtol=1e-6)


def test_a_target_out_of_reach() -> None:
    """B leads nowhere but out: A is never reached from it, and the time to it is not a number."""
    full = np.array([[0.0, 0.5, 0.25, 0.25], [0.0, 0.0, 0.0, 1.0]])
    found = first_passages(absorb(full[:, :2], full[:, 2], np.array([1.0, 0.0])), full, np.ones((2, 4)))
    assert found.reach[1, 0] == 0.0
    assert np.isnan(found.moves[1, 0])
    assert found.seconds is not None
    assert np.isnan(found.seconds[1, 2])
    alone = passage_to(full, [0], np.ones((2, 4)))
    assert alone.reach.tolist() == [1.0, 0.0]
    assert alone.moves[0] == 0.0
    assert np.isnan(alone.moves[1])
    # Everything is a target: nobody moves.
    assert passage_to(full, [0, 1]).moves.tolist() == [0.0, 0.0]
