"""Rows read as a whole: Goodman's formula, what customers do to it, and coverage of all edges at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from journeymine.markov.lists import count_lists
from journeymine.markov.rows import design_effects, edge_matrices, simultaneous_rows
from journeymine.uncertainty import share_of_units, unit_matrix

EXACT = 1e-9
FINITE = 0.02
"""The variance over m customers has m / (m - 1) and Student's t for z: m = 500 here."""
LOGS = 400
AT_LEAST = 0.93
"""Coverage of 0.95 in 400 logs has a standard error of 0.011; Goodman's intervals are meant to be conservative."""


def matrices(unit: np.ndarray, target: np.ndarray, n_units: int, n_targets: int) -> tuple:
    moves = unit_matrix(unit, target, np.ones(len(unit)), (n_units, n_targets))
    return moves, unit_matrix(unit, np.zeros(len(unit), int), np.ones(len(unit)), (n_units, 1))


def goodman(n: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Goodman (1965), eq. 2.2, written out."""
    chi = stats.chi2.ppf(1 - (1 - level) / len(n), 1)
    total = n.sum()
    half = np.sqrt(chi * (chi + 4 * n * (total - n) / total))
    return (chi + 2 * n - half) / (2 * (total + chi)), (chi + 2 * n + half) / (2 * (total + chi))


def test_independent_rows_equal_goodman() -> None:
    n = np.array([250, 150, 70, 30])
    target = np.repeat(np.arange(4), n)
    row = simultaneous_rows(*matrices(np.arange(500), target, 500, 4), np.zeros(4, int))
    low, high = goodman(n)
    np.testing.assert_allclose(row.lower, low, rtol=FINITE)
    np.testing.assert_allclose(row.upper, high, rtol=FINITE)
    assert row.n.tolist() == [500] * 4


def test_wider_than_single_edges_and_more_so_with_repeating_customers() -> None:
    rng = np.random.default_rng(1)
    unit = rng.integers(0, 100, 1000)
    source = np.zeros(3, int)
    mixed = matrices(unit, rng.integers(0, 3, 1000), 100, 3)
    loyal = matrices(unit, unit % 3, 100, 3)
    for moves, departures in (mixed, loyal):
        single = share_of_units(moves, departures, source)
        row = simultaneous_rows(moves, departures, source)
        assert np.all(row.lower < single.lower)
        assert np.all(row.upper > single.upper)
    widths = [np.mean(r.upper - r.lower) for r in (simultaneous_rows(*m, source) for m in (mixed, loyal))]
    assert widths[1] > 2 * widths[0]


def test_two_exits_are_one_number() -> None:
    moves, departures = matrices(np.arange(50), np.arange(50) % 2, 50, 2)
    row, single = (f(moves, departures, np.zeros(2, int)) for f in (simultaneous_rows, share_of_units))
    np.testing.assert_allclose(row.lower, single.lower, rtol=EXACT)
    np.testing.assert_allclose(row.lower, 1 - row.upper[::-1], rtol=EXACT)


def test_rows_of_different_lengths_keep_their_levels() -> None:
    """Each row is as if it were alone; a single exit has probability 1 and a lower bound below it."""
    counts, _ = count_lists(
        [["a", "b", "G"], ["a", "c", "G"], ["a", "G"], ["b", "G"], ["a", "b"]],
        goal="G",
        weights=[30, 20, 10, 10, 15],
    )
    edges = np.stack(np.divmod(counts.edges(), counts.n_states + 2), axis=1)
    moves, departures = edge_matrices(counts, edges)
    assert moves.sum() == departures.sum() == counts.n_visits
    row = simultaneous_rows(moves, departures, edges[:, 0])
    for state in range(counts.n_states):
        here = np.flatnonzero(edges[:, 0] == state)
        alone = simultaneous_rows(moves[:, here], departures, edges[here, 0])
        np.testing.assert_allclose(row.lower[here], alone.lower, rtol=EXACT)
    only = np.flatnonzero(edges[:, 0] == counts.states.index("c"))
    assert len(only) == 1
    assert row.estimate[only[0]] == row.upper[only[0]] == 1.0
    assert row.lower[only[0]] < 0.95


def test_design_effect_of_copies() -> None:
    """Every move made five times by the same customer is worth a fifth."""
    rng = np.random.default_rng(2)
    target = rng.integers(0, 4, 400)
    once = design_effects(*matrices(np.arange(400), target, 400, 4), np.zeros(4, int))
    copied = design_effects(
        *matrices(np.repeat(np.arange(400), 5), np.repeat(target, 5), 400, 4), np.zeros(4, int)
    )
    assert once[0] == pytest.approx(1.0, abs=0.01)
    assert copied[0] == pytest.approx(5 * once[0], rel=EXACT)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=60), st.randoms())
@settings(max_examples=60, deadline=None)
def test_design_effects_are_at_least_one_whatever_the_order(rows: list[tuple[int, int]], rng: object) -> None:
    unit, target = (np.array(x) for x in zip(*rows, strict=True))
    found = design_effects(*matrices(unit, target, 6, 4), np.zeros(4, int))
    assert found[0] >= 1.0
    assert np.isfinite(found).all()
    order = list(range(len(rows)))
    rng.shuffle(order)  # type: ignore[attr-defined]
    again = design_effects(*matrices(unit[order], target[order], 6, 4), np.zeros(4, int))
    assert again[0] == found[0]


def test_all_edges_of_a_row_at_once() -> None:
    """150 customers who come back, each with habits of their own: the whole row lies in its intervals."""
    rng = np.random.default_rng(3)
    share = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
    held = []
    for _ in range(LOGS):
        times = rng.geometric(0.25, 150)
        habits = rng.dirichlet(8 * share, 150)
        unit = np.repeat(np.arange(150), times)
        target = (rng.random(len(unit))[:, None] > habits[unit].cumsum(axis=1)).sum(axis=1).clip(0, 4)
        row = simultaneous_rows(*matrices(unit, target, 150, 5), np.zeros(5, int))
        held.append(bool(np.all((row.lower <= share) & (share <= row.upper))))
    assert np.mean(held) >= AT_LEAST
