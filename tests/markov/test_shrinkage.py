"""Rows shrunk towards everybody's: closed forms at the ends, the likelihood against scipy, and what customers do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from journeymine.markov.shrinkage import GroupedRows, draw_rows, shrink_rows, within_design_effects

EXACT = 1e-9
MONTE_CARLO = 0.01
"""Five standard errors of a mean of 4,000 draws of a share with a standard deviation of 0.1."""


def independent(table: list[list[int]], source: list[int] | None = None) -> GroupedRows:
    """Every move by a customer of its own."""
    n = np.array(table)
    group, edge = (np.repeat(x.ravel(), n.ravel()) for x in np.indices(n.shape))
    rows = np.zeros(n.shape[1], int) if source is None else np.array(source)
    return GroupedRows(
        np.arange(len(group)), group, edge, np.ones(len(group)), rows, len(n), int(rows.max()) + 1
    )


def test_groups_alike_are_one() -> None:
    found = shrink_rows(independent([[500, 300, 200]] * 6 + [[5, 3, 2]]))
    np.testing.assert_allclose(found.shrunk, found.raw, atol=EXACT)
    assert found.weight[0, 0] > 0.8
    assert found.weight[6, 0] > 0.95


def test_groups_far_apart_keep_their_own_rows() -> None:
    found = shrink_rows(independent([[990, 10], [10, 990], [500, 500], [900, 100]]))
    assert found.weight.max() < 0.02
    np.testing.assert_allclose(found.shrunk, found.raw, atol=0.01)


def test_small_groups_lean_most_and_empty_ones_wholly() -> None:
    found = shrink_rows(independent([[300, 700], [600, 400], [450, 550], [4, 1], [0, 0]]))
    weights = found.weight[:, 0]
    assert weights[4] == 1.0
    assert weights[4] > weights[3] > weights[0]
    np.testing.assert_allclose(found.shrunk[4], found.posterior[:, 0] @ found.centre)
    assert np.isnan(found.raw[4]).all()
    assert 0.45 < found.shrunk[3, 0] < 0.8


def test_posterior_of_concentration_is_the_likelihood() -> None:
    """scipy's Dirichlet-multinomial, group by group."""
    table = [[30, 20, 10], [5, 9, 14], [11, 2, 3]]
    found = shrink_rows(independent(table))
    effect = within_design_effects(independent(table))
    effective = np.array(table) / effect[0]
    # scipy wants whole numbers: undo the division by checking a table whose design effect is 1.
    np.testing.assert_allclose(found.effective, effective)
    logs = []
    for a, centre in zip(found.grid[:, 0], found.centre, strict=True):
        alpha = a * centre
        logs.append(sum(_log_likelihood(alpha, n) for n in effective))
    expected = np.exp(np.array(logs) - max(logs))
    np.testing.assert_allclose(found.posterior[:, 0], expected / expected.sum(), rtol=1e-6)
    weight = found.grid[:, 0] / (found.grid[:, 0] + effective[1].sum())
    assert found.weight[1, 0] == pytest.approx(float(weight @ found.posterior[:, 0]))
    whole = np.array([7, 1, 2])
    ours = _log_likelihood(alpha, whole) + _coefficient(whole)
    assert ours == pytest.approx(float(stats.dirichlet_multinomial.logpmf(whole, alpha, 10)))


def _log_likelihood(alpha: np.ndarray, n: np.ndarray) -> float:
    from math import lgamma

    inside = sum(lgamma(a + x) - lgamma(a) for a, x in zip(alpha, n, strict=True))
    return inside - lgamma(alpha.sum() + n.sum()) + lgamma(alpha.sum())


def _coefficient(n: np.ndarray) -> float:
    from math import lgamma

    return lgamma(n.sum() + 1) - sum(lgamma(x + 1) for x in n)


def test_structural_zeros_and_rows_apart() -> None:
    """Two rows side by side are as each alone; an edge that nobody takes stays 0, in draws too."""
    table = [[30, 10, 0, 5, 15], [20, 25, 0, 8, 2], [1, 0, 0, 3, 3]]
    both = shrink_rows(independent(table, [0, 0, 0, 1, 1]))
    left = shrink_rows(independent([row[:3] for row in table]))
    np.testing.assert_allclose(both.shrunk[:, :3], left.shrunk, rtol=EXACT)
    assert np.all(both.shrunk[:, 2] == 0.0)
    rows = independent(table, [0, 0, 0, 1, 1])
    drawn = draw_rows(rows, both, 50, np.random.default_rng(0))
    assert np.all(drawn[:, :, 2] == 0.0)
    np.testing.assert_allclose(drawn[..., :3].sum(axis=2), 1.0)
    np.testing.assert_allclose(drawn[..., 3:].sum(axis=2), 1.0)


def test_mean_of_the_draws_is_the_estimate() -> None:
    rows = independent([[300, 100], [200, 250], [6, 1]])
    found = shrink_rows(rows)
    drawn = draw_rows(rows, found, 4000, np.random.default_rng(1))
    np.testing.assert_allclose(drawn.mean(axis=0), found.shrunk, atol=MONTE_CARLO)


def test_repeating_customers_count_less() -> None:
    """Four copies of each move by one customer: the same rows and weights as one copy."""
    once = independent([[30, 10], [20, 25], [6, 1], [40, 44]])
    again = GroupedRows(
        np.repeat(once.unit, 4),
        np.repeat(once.group, 4),
        np.repeat(once.edge, 4),
        np.repeat(once.n, 4),
        once.source,
        4,
        1,
    )
    assert within_design_effects(again)[0] == pytest.approx(4 * within_design_effects(once)[0], rel=0.05)
    one, four = shrink_rows(once), shrink_rows(again)
    np.testing.assert_allclose(four.shrunk, one.shrunk, atol=0.01)
    np.testing.assert_allclose(four.weight, one.weight, atol=0.02)


def test_differences_between_groups_are_no_design_effect() -> None:
    """Each group does one thing only: pooled it looks like loyal customers, inside groups it is independence."""
    assert within_design_effects(independent([[200, 0], [0, 200]]))[0] == 1.0


@given(
    st.lists(st.lists(st.integers(0, 30), min_size=3, max_size=3), min_size=1, max_size=5).filter(
        lambda t: any(any(r) for r in t)
    )
)
@settings(max_examples=20, deadline=None)
def test_shrunk_rows_lie_between_their_own_and_the_centre(table: list[list[int]]) -> None:
    found = shrink_rows(independent(table))
    np.testing.assert_allclose(found.shrunk.sum(axis=1), 1.0)
    seen = np.array(table).sum(axis=1) > 0
    low = np.minimum(found.raw, found.centre.min(axis=0))[seen] - EXACT
    high = np.maximum(found.raw, found.centre.max(axis=0))[seen] + EXACT
    assert np.all((low <= found.shrunk[seen]) & (found.shrunk[seen] <= high))
    assert np.all((found.weight > 0) & (found.weight <= 1))


def test_the_centre_of_alike_groups_is_everybodys_row_and_of_different_ones_their_mean() -> None:
    """Kleinman's weights: n for groups alike, equal ones for groups far apart."""
    found = shrink_rows(independent([[900, 100], [20, 80], [50, 50]]))
    np.testing.assert_allclose(found.centre[0, 0], np.mean([0.9, 0.2, 0.5]), atol=0.03)
    np.testing.assert_allclose(found.centre[-1, 0], 970 / 1200, atol=0.03)
