"""Closed forms of absorbing chains: the worked example to six digits, and every formula against solving again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from journeymine.fixes.what_if import operators
from journeymine.fixes.what_if.row_change import RowChange, SolvedChain, effect_of
from journeymine.markov.absorbing import (
    Absorbed,
    absorb,
    column_values,
    derivative,
    events_to_goal,
    given_goal,
    h_transform,
    remaining_steps,
    remaining_time,
    seconds_to_goal,
    steps_to_goal,
    time_to_goal,
)

VISIT, FORM, PAY, CONV, DROP = range(5)
EXAMPLE = np.array(
    [[0.20, 0.50, 0.00, 0.05, 0.25], [0.10, 0.00, 0.60, 0.00, 0.30], [0.00, 0.15, 0.10, 0.55, 0.20]]
)
START = np.array([1.0, 0.0, 0.0])
SIX_DIGITS = 5.1e-7
"""The example is printed to six digits; half a unit of the last one."""
EXACT = 1e-9
"""Two routes to one number differ by rounding and by the leak of 1e-12 a move; chains here take < 100 moves."""


def rows_change(solved: Absorbed, rows: list[int], changes: np.ndarray, value: np.ndarray) -> np.ndarray:
    """The exact what-if of changed rows, on a chain that was solved here."""
    nothing = np.zeros(0)
    chain = SolvedChain(nothing, solved.fundamental, solved.visits, nothing, value)
    return effect_of(chain, RowChange(np.array(rows), changes))


def row_change(solved: Absorbed, row: int, change: np.ndarray, value: np.ndarray) -> np.ndarray:
    return rows_change(solved, [row], change[None], value)


def shrink_exit(row: np.ndarray, column: int, factor: float) -> np.ndarray:
    """A row with one exit multiplied by a factor, the others taking what is freed."""
    one = np.array([0])
    shrunk = operators.shrink(row[None], one, np.array([column]), np.array([1 - factor]))
    return np.asarray(row + shrunk.change[0])


def solve(full: np.ndarray, start: np.ndarray) -> Absorbed:
    k = len(full)
    return absorb(full[:, :k], full[:, k], start)


def conversion_of(full: np.ndarray, start: np.ndarray) -> float:
    """Conversion by a plain solve, without the code under test."""
    k = len(full)
    return float(start @ np.linalg.solve(np.eye(k) - full[:, :k], full[:, k]))


@st.composite
def chains(draw: st.DrawFn, most: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """A chain with zeros here and there, from which every state leaves with at least 5 % a move; and a start."""
    k = draw(st.integers(1, most))
    weights = draw(arrays(float, (k, k + 2), elements=st.sampled_from([0.0, 0.1, 0.5, 1.0, 3.0])))
    weights[:, k:] += draw(arrays(float, (k, 2), elements=st.floats(0.05, 1.0)))
    full = weights / weights.sum(axis=1, keepdims=True)
    full[:, :k] *= 0.95
    full[:, k + 1] += 1 - full.sum(axis=1)
    start = draw(arrays(float, k, elements=st.floats(0.01, 1.0)))
    return full, start / start.sum()


# ------------------------------------------------------------------------------------- the worked example


def test_worked_example_conversion_and_visits() -> None:
    solved = solve(EXAMPLE, START)
    assert float(solved.conversion) == pytest.approx(0.340796, abs=SIX_DIGITS)
    np.testing.assert_allclose(solved.hit, [0.340796, 0.445274, 0.685323], atol=SIX_DIGITS)
    np.testing.assert_allclose(solved.visits, [1.343284, 0.746269, 0.497512], atol=SIX_DIGITS)


@pytest.mark.parametrize(
    ("row", "column", "slope", "exact", "linear"),
    [
        (FORM, DROP, -0.474705, +0.074295, +0.071206),
        (VISIT, FORM, +0.280686, -0.077711, -0.070172),
        (PAY, PAY, 0.0, 0.0, 0.0),
        (PAY, FORM, -0.140503, +0.010048, +0.010538),
        (PAY, DROP, -0.426196, +0.043959, +0.042620),
    ],
)
def test_worked_example_halved_exits(
    row: int, column: int, slope: float, exact: float, linear: float
) -> None:
    solved = solve(EXAMPLE, START)
    slopes = derivative(solved, EXAMPLE)
    assert slopes[row, column] == pytest.approx(slope, abs=SIX_DIGITS)
    change = shrink_exit(EXAMPLE[row], column, 0.5) - EXAMPLE[row]
    assert float(row_change(solved, row, change, column_values(solved))) == pytest.approx(
        exact, abs=SIX_DIGITS
    )
    assert -0.5 * EXAMPLE[row, column] * slopes[row, column] == pytest.approx(linear, abs=SIX_DIGITS)


def test_worked_example_two_fixes_together() -> None:
    solved = solve(EXAMPLE, START)
    changes = np.array([shrink_exit(EXAMPLE[i], DROP, 0.5) - EXAMPLE[i] for i in (FORM, PAY)])
    together = float(rows_change(solved, [FORM, PAY], changes, column_values(solved)))
    assert together == pytest.approx(0.131862, abs=SIX_DIGITS)
    alone = sum(
        float(row_change(solved, i, d, column_values(solved)))
        for i, d in zip((FORM, PAY), changes, strict=True)
    )
    assert alone == pytest.approx(0.118254, abs=SIX_DIGITS)


@pytest.mark.parametrize(
    ("rescued", "expected"), [(0.0, 0.340796), (0.5, 0.415091), (0.8, 0.462845), (1.0, 0.496124)]
)
def test_worked_example_activity_removed(rescued: float, expected: float) -> None:
    """Entries into Form follow its other exits; of its drop-outs `rescued` go on, the rest still drop."""
    drop = EXAMPLE[FORM, DROP]
    onward = EXAMPLE[FORM] / (1 - drop)
    onward[DROP] = 0.0
    passed = (1 - drop + rescued * drop) * onward
    passed[DROP] = (1 - rescued) * drop
    solved = solve(EXAMPLE, START)
    changes = np.array([EXAMPLE[i, FORM] * passed for i in (VISIT, PAY)])
    changes[:, FORM] -= EXAMPLE[[VISIT, PAY], FORM]
    gain = float(rows_change(solved, [VISIT, PAY], changes, column_values(solved)))
    assert float(solved.conversion) + gain == pytest.approx(expected, abs=SIX_DIGITS)


def test_worked_example_activity_sent_to_null() -> None:
    solved = solve(EXAMPLE, START)
    lost = np.zeros(5)
    lost[DROP] = 1.0
    left = float(solved.conversion + row_change(solved, FORM, lost - EXAMPLE[FORM], column_values(solved)))
    assert left == pytest.approx(0.0625, abs=SIX_DIGITS)
    assert 1 - left / float(solved.conversion) == pytest.approx(0.8166, abs=5e-5)


def test_worked_example_steps() -> None:
    solved = solve(EXAMPLE, START)
    assert float(events_to_goal(solved, START)) == pytest.approx(3.319, abs=5e-4)
    assert float(solved.visits.sum()) == pytest.approx(2.587, abs=5e-4)


def test_worked_example_time_counts_each_move_once() -> None:
    """With one second a move, the time to the goal is the number of events before it."""
    solved = solve(EXAMPLE, START)
    seconds = float(time_to_goal(solved, START, EXAMPLE, np.ones((3, 5))))
    assert seconds == pytest.approx(float(events_to_goal(solved, START)), rel=EXACT)


# ------------------------------------------------------------------------------------------- against oracles


@given(chains())
@settings(max_examples=60, deadline=None)
def test_absorption_equals_power_iteration(chain: tuple[np.ndarray, np.ndarray]) -> None:
    full, start = chain
    k = len(full)
    whole = np.eye(k + 2)
    whole[:k] = full
    state, visits = np.concatenate([start, [0.0, 0.0]]), np.zeros(k)
    for _ in range(1000):
        visits += state[:k]
        state = state @ whole
    solved = solve(full, start)
    assert float(solved.conversion) == pytest.approx(state[k], abs=EXACT)
    np.testing.assert_allclose(solved.visits, visits, atol=EXACT * 100)
    assert float(solved.conversion) == pytest.approx(conversion_of(full, start), abs=EXACT)
    np.testing.assert_allclose(solved.visits @ full[:, k:], state[k:], atol=EXACT)


@given(chains())
@settings(max_examples=60, deadline=None)
def test_derivative_equals_finite_differences(chain: tuple[np.ndarray, np.ndarray]) -> None:
    full, start = chain
    slopes = derivative(solve(full, start), full)
    step = 1e-6
    for i in range(len(full)):
        for j in range(full.shape[1]):
            if not 2 * step < full[i, j] < 1 - 2 * step:
                continue
            ends = []
            for sign in (1, -1):
                moved = full.copy()
                moved[i] = shrink_exit(full[i], j, 1 + sign * step / full[i, j])
                ends.append(conversion_of(moved, start))
            assert slopes[i, j] == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-5, rel=1e-5)


@given(chains(), st.data())
@settings(max_examples=80, deadline=None)
def test_row_change_equals_solving_again(chain: tuple[np.ndarray, np.ndarray], data: st.DataObject) -> None:
    full, start = chain
    row = data.draw(st.integers(0, len(full) - 1))
    new = data.draw(arrays(float, full.shape[1], elements=st.floats(0.0, 1.0)))
    new[-1] += 0.05
    new /= new.sum()
    moved = full.copy()
    moved[row] = new
    solved = solve(full, start)
    gain = float(row_change(solved, row, new - full[row], column_values(solved)))
    assert gain == pytest.approx(conversion_of(moved, start) - conversion_of(full, start), abs=EXACT)


@given(chains(), st.data())
@settings(max_examples=80, deadline=None)
def test_rows_change_equals_solving_again(chain: tuple[np.ndarray, np.ndarray], data: st.DataObject) -> None:
    full, start = chain
    rows = data.draw(st.lists(st.integers(0, len(full) - 1), min_size=1, unique=True))
    moved = full.copy()
    for row in rows:
        new = data.draw(arrays(float, full.shape[1], elements=st.floats(0.0, 1.0)))
        new[-1] += 0.05
        moved[row] = new / new.sum()
    solved = solve(full, start)
    gain = float(rows_change(solved, rows, moved[rows] - full[rows], column_values(solved)))
    assert gain == pytest.approx(conversion_of(moved, start) - conversion_of(full, start), abs=EXACT)


@given(chains(), st.data())
@settings(max_examples=80, deadline=None)
def test_drop_saved_equals_solving_again(chain: tuple[np.ndarray, np.ndarray], data: st.DataObject) -> None:
    full, start = chain
    k = len(full)
    row = data.draw(st.integers(0, k - 1))
    saved = data.draw(st.floats(-0.5, 1.0))
    drop = full[row, k + 1]
    # A drop-out share cannot exceed 1; and something must leave a state even when all its drop-outs are saved.
    assume(drop * (1 - saved) <= 1)
    moved = full.copy()
    moved[row] = shrink_exit(full[row], k + 1, 1 - saved)
    assume(moved[row, :k].sum() < 0.99)
    solved = solve(full, start)
    change = operators.drop_saved(full, np.array([row]), np.array([saved])).change
    gain = rows_change(solved, [row], change, column_values(solved))
    assert float(gain) == pytest.approx(conversion_of(moved, start) - conversion_of(full, start), abs=EXACT)


@given(chains(), st.data())
@settings(max_examples=60, deadline=None)
def test_removing_a_self_loop_changes_nothing(
    chain: tuple[np.ndarray, np.ndarray], data: st.DataObject
) -> None:
    """Of first-order chains: the loop is worth something only where drop-out grows with the attempt."""
    full, start = chain
    row = data.draw(st.integers(0, len(full) - 1))
    solved = solve(full, start)
    change = shrink_exit(full[row], row, 0.0) - full[row]
    assert float(row_change(solved, row, change, column_values(solved))) == pytest.approx(0.0, abs=EXACT)
    assert derivative(solved, full)[row, row] == 0.0


@given(chains(), st.data())
@settings(max_examples=40, deadline=None)
def test_bypassing_a_state_changes_nothing(chain: tuple[np.ndarray, np.ndarray], data: st.DataObject) -> None:
    """Eliminating a state while keeping its drop-out share leaves conversion as it was."""
    full, start = chain
    assume(len(full) > 1)
    row = data.draw(st.integers(0, len(full) - 1))
    start = np.where(np.arange(len(full)) == row, 0.0, start)
    start = start / start.sum()
    passed = shrink_exit(full[row], row, 0.0)
    moved = full + full[:, [row]] * passed
    moved[:, row] = 0.0
    moved[row] = full[row]
    assert conversion_of(moved, start) == pytest.approx(conversion_of(full, start), abs=EXACT)


@given(chains())
@settings(max_examples=60, deadline=None)
def test_journeys_that_will_convert_are_a_chain(chain: tuple[np.ndarray, np.ndarray]) -> None:
    """The h-transform's rows sum to 1, and its own visits, steps and times are those given the goal."""
    full, start = chain
    k = len(full)
    wait = np.arange(full.size, dtype=float).reshape(full.shape) / 7
    solved = solve(full, start)
    given = h_transform(solved, full)
    np.testing.assert_allclose(given.sum(axis=1), 1.0, atol=EXACT)
    assert np.all(given[:, k + 1] == 0.0)
    begin = start * solved.hit / (start @ solved.hit)
    alone = np.linalg.inv(np.eye(k) - given[:, :k])
    np.testing.assert_allclose(alone.sum(axis=1), steps_to_goal(solved), rtol=1e-7)
    spent = (given * wait).sum(axis=1)
    np.testing.assert_allclose(alone @ spent, seconds_to_goal(solved, full, wait), rtol=1e-7)
    assert begin @ alone.sum(axis=1) == pytest.approx(float(events_to_goal(solved, start)), rel=1e-7)
    assert begin @ alone @ spent == pytest.approx(float(time_to_goal(solved, start, full, wait)), rel=1e-7)


@given(chains())
@settings(max_examples=40, deadline=None)
def test_what_remains_solves_its_equations(chain: tuple[np.ndarray, np.ndarray]) -> None:
    """One move and what remains after it; leaving takes no time."""
    full, start = chain
    k = len(full)
    wait = np.arange(full.size, dtype=float).reshape(full.shape) / 7
    solved = solve(full, start)
    steps, time = remaining_steps(solved), remaining_time(solved, full, wait)
    np.testing.assert_allclose(steps, 1 + full[:, :k] @ steps, rtol=1e-7)
    spent = (full[:, : k + 1] * wait[:, : k + 1]).sum(axis=1)
    np.testing.assert_allclose(time, spent + full[:, :k] @ time, rtol=1e-7, atol=EXACT)


def test_journeys_that_start_with_the_goal_take_nothing() -> None:
    """Half the journeys start with the goal: the mean over all that reach it counts them with 0."""
    start = START * 0.5
    solved = absorb(EXAMPLE[:, :3], EXAMPLE[:, 3], start, 0.5)
    mean = float(given_goal(events_to_goal(solved, start), solved, start, 0.5))
    moved = 0.5 * 0.340796
    assert mean == pytest.approx(3.319 * moved / (moved + 0.5), abs=5e-4)
    nobody = absorb(np.zeros((1, 1)), np.zeros(1), np.ones(1))
    assert np.isnan(given_goal(events_to_goal(nobody, np.ones(1)), nobody, np.ones(1), 0.0))
    assert np.isnan(steps_to_goal(nobody)).all()
    assert np.isnan(h_transform(nobody, np.array([[0.0, 0.0, 1.0]]))).all()


def test_times_equal_a_direct_simulation() -> None:
    """Mean time and mean number of events of simulated journeys that reach the goal."""
    rng = np.random.default_rng(5)
    wait = np.arange(15, dtype=float).reshape(3, 5) + 1
    reached: list[tuple[int, float]] = []
    cumulative = EXAMPLE.cumsum(axis=1)
    for _ in range(20_000):
        state, events, spent = 0, 0, 0.0
        while state < CONV:
            new = int(np.searchsorted(cumulative[state], rng.random(), side="right"))
            events, spent, state = events + 1, spent + wait[state, new], new
        if state == CONV:
            reached.append((events, spent))
    values = np.array(reached)
    error = values.std(axis=0) / np.sqrt(len(values))
    solved = solve(EXAMPLE, START)
    expected = [float(events_to_goal(solved, START)), float(time_to_goal(solved, START, EXAMPLE, wait))]
    assert np.all(np.abs(values.mean(axis=0) - expected) < 4 * error)


# ---------------------------------------------------------------------------------------------- corner cases


def test_stacks_are_solved_one_by_one() -> None:
    rng = np.random.default_rng(0)
    stack = rng.dirichlet(np.ones(5), size=(4, 2, 3))
    solved = absorb(stack[..., :3], stack[..., 3], np.broadcast_to(START, (4, 2, 3)))
    slopes = derivative(solved, stack)
    for index in np.ndindex(4, 2):
        alone = solve(stack[index], START)
        np.testing.assert_allclose(solved.hit[index], alone.hit, rtol=EXACT)
        np.testing.assert_allclose(solved.visits[index], alone.visits, rtol=EXACT)
        np.testing.assert_allclose(slopes[index], derivative(alone, stack[index]), rtol=1e-6, atol=EXACT)


def test_journeys_that_start_with_the_goal_count() -> None:
    solved = absorb(EXAMPLE[:, :3], EXAMPLE[:, 3], START * 0.5, 0.5)
    assert float(solved.conversion) == pytest.approx(0.5 + 0.5 * 0.340796, abs=SIX_DIGITS)


def test_a_closed_loop_without_exit_is_solved() -> None:
    """Two states that only lead to each other: conversion 0 there, elsewhere as if they were dropping out."""
    full = np.array([[0.0, 0.5, 0.0, 0.5, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0]])
    solved = solve(full, START)
    assert np.isfinite(solved.visits).all()
    np.testing.assert_allclose(solved.hit, [0.5, 0.0, 0.0], atol=EXACT)
    assert float(solved.conversion) == pytest.approx(0.5, abs=EXACT)


def test_no_states_at_all() -> None:
    """Every journey starts with the goal."""
    solved = absorb(np.zeros((0, 0)), np.zeros(0), np.zeros(0), 1.0)
    assert float(solved.conversion) == 1.0


def test_single_exit_has_no_derivative() -> None:
    slopes = derivative(solve(np.array([[0.0, 1.0, 0.0]]), np.ones(1)), np.array([[0.0, 1.0, 0.0]]))
    assert np.isnan(slopes[0, 1])
    assert np.isfinite(slopes[0, [0, 2]]).all()


def test_shrink_exit_keeps_proportions() -> None:
    new = shrink_exit(np.array([0.2, 0.3, 0.5]), 2, 0.4)
    np.testing.assert_allclose(new, [0.32, 0.48, 0.2])
    # A state whose only exit is shrunk has nowhere to go, and stays.
    np.testing.assert_array_equal(shrink_exit(np.array([0.0, 1.0]), 1, 0.5), [0.0, 1.0])


def test_drop_saved_where_nobody_or_everybody_drops() -> None:
    full = np.array([[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    change = operators.drop_saved(full, np.array([0, 1]), np.full(2, 0.2)).change
    np.testing.assert_array_equal(change, 0.0)


def test_goal_out_of_reach_has_no_time() -> None:
    full = np.array([[0.5, 0.0, 0.5]])
    solved = solve(full, np.ones(1))
    assert np.isnan(events_to_goal(solved, np.ones(1)))
    assert np.isnan(time_to_goal(solved, np.ones(1), full, np.ones((1, 3))))
