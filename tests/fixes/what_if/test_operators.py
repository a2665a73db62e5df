"""Operators on rows: the worked example, plain-Python oracles, and invariances."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.fixes.what_if import operators
from journeymine.fixes.what_if.row_change import RowChange, SolvedChain, effect_of, solve

EXACT = 1e-12
"""Two linear solves of well-conditioned chains of a few states."""
SIX_DIGITS = 5e-7
"""The worked example is printed with six digits."""

EXAMPLE = np.array([[0.2, 0.5, 0, 0.05, 0.25], [0.1, 0, 0.6, 0, 0.3], [0, 0.15, 0.1, 0.55, 0.2]])
VISIT, FORM, PAY = (np.array([i]) for i in range(3))
START = np.array([1.0, 0, 0, 0])
COLUMNS = np.array([1.0, 0, 0, 0, 0])


def example() -> SolvedChain:
    return solve(EXAMPLE, START)


def conversion(moves: np.ndarray, start: np.ndarray) -> float:
    """Conversion of one chain, solved afresh; `start` over states, goal and out."""
    k = len(moves)
    hit = np.linalg.solve(np.eye(k) - moves[:, :k], moves[:, k])
    return float(start[:k] @ hit + start[k])


def solved_again(moves: np.ndarray, start: np.ndarray, change: RowChange) -> float:
    """Effect of a change by changing the rows and solving the chain again."""
    new, begin = moves.copy(), start.copy()
    new[change.rows] += change.change
    if change.start is not None:
        begin = begin + change.start
    return conversion(new, begin) - conversion(moves, start)


def test_the_worked_example() -> None:
    assert float(example().total) == pytest.approx(0.340796, abs=SIX_DIGITS)
    halved = np.array([0.5])
    assert effect_of(example(), operators.drop_saved(EXAMPLE, FORM, halved)) == pytest.approx(
        0.074295, abs=SIX_DIGITS
    )
    assert effect_of(example(), operators.drop_saved(EXAMPLE, PAY, halved)) == pytest.approx(
        0.043959, abs=SIX_DIGITS
    )
    assert effect_of(example(), operators.shrink(EXAMPLE, VISIT, FORM, halved)) == pytest.approx(
        -0.077711, abs=SIX_DIGITS
    )
    assert effect_of(example(), operators.shrink(EXAMPLE, PAY, FORM, halved)) == pytest.approx(
        0.010048, abs=SIX_DIGITS
    )


@pytest.mark.parametrize(
    ("rho", "expected"), [(0.0, 0.340796), (0.5, 0.415091), (0.8, 0.462845), (1.0, 0.496124)]
)
def test_removing_the_form_rescues_its_drop_outs(rho: float, expected: float) -> None:
    change = operators.remove_step(EXAMPLE, COLUMNS, FORM, np.array([0, 2]), 1.0, rho)
    assert float(example().total + effect_of(example(), change)) == pytest.approx(expected, abs=SIX_DIGITS)


def test_stopping_a_loop_of_first_order_changes_nothing_and_with_attempts_it_does() -> None:
    plain = operators.stop_loop(EXAMPLE, PAY, PAY, 1.0)
    assert float(effect_of(example(), plain)) == pytest.approx(0.0, abs=EXACT)
    # Pay #1 and Pay #2: the second attempt loses more.
    rows = np.array([[0, 0.3, 0.6, 0.1], [0, 0.3, 0.2, 0.5]])
    solved = solve(rows, np.array([1.0, 0, 0]))
    states = np.array([0, 1])
    remembered = operators.stop_loop(rows, states, states, 1.0)
    by_hand = 0.6 / 0.7 - (0.6 + 0.3 * 0.2 / 0.7)
    assert float(effect_of(solved, remembered)) == pytest.approx(by_hand, abs=EXACT)


def test_later_attempts_go_as_the_first_by_hand() -> None:
    # Pay #1 -> Error #1 -> Pay #2 -> Error #2 -> Pay #2; states P1, P2, E1, E2.
    rows = np.array(
        [
            [0, 0, 0.2, 0, 0.7, 0.1],
            [0, 0, 0, 0.5, 0.3, 0.2],
            [0, 0.8, 0, 0, 0, 0.2],
            [0, 0.4, 0, 0, 0, 0.6],
        ]
    )
    base, attempt = np.array([0, 0, 1, 1]), np.array([1, 2, 1, 2])
    change = operators.as_first_attempt(rows, base, attempt, np.array([0, 1]), 1.0)
    new = rows.copy()
    new[change.rows] += change.change
    assert new[1].tolist() == pytest.approx([0, 0, 0, 0.2, 0.7, 0.1])
    assert new[3].tolist() == pytest.approx([0, 0.8, 0, 0, 0, 0.2])
    half = operators.as_first_attempt(rows, base, attempt, np.array([0, 1]), 0.5)
    assert half.change == pytest.approx(change.change / 2)


def test_a_removed_first_step_moves_the_starts() -> None:
    start = np.array([0.0, 1.0, 0, 0, 0])
    change = operators.remove_step(EXAMPLE, start, FORM, np.array([0, 2]), 1.0, 1.0)
    solved = solve(EXAMPLE, start[:-1])
    assert float(effect_of(solved, change)) == pytest.approx(solved_again(EXAMPLE, start, change), abs=EXACT)
    # From Form: 1/7 to Visit, 6/7 to Pay.
    assert change.start is not None
    assert change.start.tolist() == pytest.approx([1 / 7, -1, 6 / 7, 0, 0])


def test_a_step_that_leads_nowhere_is_left_alone() -> None:
    rows = np.array([[0, 0.5, 0.2, 0.3], [0, 0, 0, 1.0]])
    change = operators.remove_step(rows, np.array([1.0, 0, 0, 0]), np.array([1]), np.array([0]), 1.0, 1.0)
    assert not change.change.any()
    assert not operators.drop_saved(rows, np.array([1]), np.array([0.5])).change.any()


def test_a_reroute_sends_the_share_to_the_other_exit() -> None:
    change = operators.reroute(EXAMPLE, VISIT, FORM, PAY, np.array([0.4]), np.ones(3, int))
    assert change.change[0].tolist() == pytest.approx([0, -0.2, 0.2, 0, 0])
    assert float(effect_of(example(), change)) == pytest.approx(
        solved_again(EXAMPLE, COLUMNS, change), abs=EXACT
    )


def test_passing_more_is_capped_at_everybody() -> None:
    change = operators.passes_more(EXAMPLE, FORM, np.array([2.0]))
    assert (EXAMPLE[1] + change.change[0]).tolist() == pytest.approx([1 / 7, 0, 6 / 7, 0, 0])


@st.composite
def chains(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """A random chain of 2 to 6 states with an exit from each, and where journeys start."""
    k = draw(st.integers(2, 6))
    weights = np.array(
        draw(st.lists(st.lists(st.integers(0, 9), min_size=k + 2, max_size=k + 2), min_size=k, max_size=k)),
        float,
    )
    weights[:, k:] += 0.5
    start = np.array(draw(st.lists(st.integers(0, 5), min_size=k, max_size=k)), float)
    start[0] += 1
    return weights / weights.sum(axis=1, keepdims=True), np.append(start / start.sum(), [0.0, 0.0])


@settings(deadline=None, max_examples=60)
@given(chains(), st.floats(0, 1), st.floats(0, 1), st.data())
def test_low_rank_equals_solving_again(
    chain: tuple[np.ndarray, np.ndarray], share: float, rho: float, data: st.DataObject
) -> None:
    moves, start = chain
    k = len(moves)
    step = data.draw(st.integers(0, k - 1))
    rows = np.array(sorted(data.draw(st.sets(st.integers(0, k - 1), min_size=1))))
    solved = solve(moves, start[:-1])
    every = np.full(len(rows), share)
    for change in (
        operators.drop_saved(moves, rows, every),
        operators.shrink(moves, rows, np.array([step]), every),
        operators.remove_step(moves, start, np.array([step]), np.arange(k), share, rho),
        operators.reroute(moves, rows, np.array([step]), np.array([(step + 1) % k]), every, np.ones(k, int)),
        operators.passes_more(moves, rows, 1 + every),
    ):
        assert np.abs(change.change.sum(axis=-1)).max() < EXACT
        assert (moves[change.rows] + change.change).min() > -EXACT
        assert float(effect_of(solved, change)) == pytest.approx(
            solved_again(moves, start, change), abs=1e-10
        )


@settings(deadline=None, max_examples=60)
@given(chains(), st.data())
def test_bypass_changes_nothing_and_rescue_is_monotone(
    chain: tuple[np.ndarray, np.ndarray], data: st.DataObject
) -> None:
    moves, start = chain
    k = len(moves)
    step = np.array([data.draw(st.integers(0, k - 1))])
    # A step that is the only start, and leads nowhere but out, cannot be told from leaving.
    solved = solve(moves, start[:-1])
    effects = [
        float(effect_of(solved, operators.remove_step(moves, start, step, np.arange(k), 1.0, rho)))
        for rho in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    assert effects[0] == pytest.approx(0.0, abs=1e-10)
    assert all(b >= a - 1e-10 for a, b in itertools.pairwise(effects))


@settings(deadline=None, max_examples=40)
@given(chains(), st.data())
def test_small_changes_are_derivatives(chain: tuple[np.ndarray, np.ndarray], data: st.DataObject) -> None:
    moves, start = chain
    k = len(moves)
    row, column = data.draw(st.integers(0, k - 1)), data.draw(st.integers(0, k + 1))
    solved = solve(moves, start[:-1])
    step = 1e-6
    change = operators.shrink(moves, np.array([row]), np.array([column]), np.array([step]))
    hit = solved.value
    slope = solved.visits[row] * (hit[column] - hit[row]) / (1 - moves[row, column])
    assert float(effect_of(solved, change)) / step == pytest.approx(
        -moves[row, column] * slope, abs=1e-4 * (1 + abs(slope))
    )
