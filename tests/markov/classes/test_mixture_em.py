"""EM steps: against plain loops over journeys, a log-linear model of another library, and direct maximisation."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, sparse
from tests.markov.classes.mixture_worlds import CALM, HASTY, counts_of, walks

from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.sequences import OPEN
from journeymine.markov.classes.mixture_em import PRIOR, Members, MixtureModel
from journeymine.markov.classes.mixture_members import member_table

EXACT = 1e-10
"""Rounding of sums of some hundred terms."""
SETTLED = 2e-3
"""The log-likelihood at which EM stops is this close to the maximum of a general optimiser."""


def moves_of(path: list[int], last: int, k: int) -> list[tuple[int, int]]:
    """Edges of one journey by hand: the start is row k."""
    edges = [(k, path[0] if path else k), *pairwise(path)]
    if path and last != OPEN:
        edges.append((path[-1], {GOAL: k, DROP: k + 1}.get(last, last)))
    return edges


def plain_step(
    journeys: list[tuple[list[int], int]],
    shares: list[float],
    chains: list[dict[tuple[int, int], float]],
    k: int,
) -> tuple[float, list[float], list[dict[tuple[int, int], float]]]:
    """Log-likelihood, then one EM step, in loops over journeys."""
    log_likelihood, members = 0.0, [0.0] * len(shares)
    edges = sorted({edge for path, last in journeys for edge in moves_of(path, last, k)})
    made = [dict.fromkeys(edges, PRIOR) for _ in shares]
    for path, last in journeys:
        joint = []
        for share, chain in zip(shares, chains, strict=True):
            value = share
            for edge in moves_of(path, last, k):
                value *= chain[edge]
            joint.append(value)
        log_likelihood += np.log(sum(joint))
        for c, value in enumerate(joint):
            members[c] += value / sum(joint)
            for edge in moves_of(path, last, k):
                made[c][edge] += value / sum(joint)
    new = []
    for counts in made:
        row = {i: sum(n for (a, _), n in counts.items() if a == i) for i, _ in edges}
        new.append({edge: n / row[edge[0]] for edge, n in counts.items()})
    total = sum(members) + PRIOR * len(members)
    return log_likelihood, [(m + PRIOR) / total for m in members], new


def some_journeys(n: int, seed: int) -> list[tuple[list[int], int]]:
    journeys = walks([CALM, HASTY], np.random.default_rng(seed).integers(0, 2, n), seed)
    # Ends that were not seen, a move to a visit that was not watched, and a journey that starts with the goal.
    cut = [(path[:1], OPEN) if i % 7 == 0 else (path, last) for i, (path, last) in enumerate(journeys)]
    return [*cut, ([0, 1], 2), ([], GOAL)]


def as_arrays(edges: np.ndarray, chains: list[dict[tuple[int, int], float]]) -> np.ndarray:
    return np.log([[chain[i, j] for chain in chains] for i, j in edges.tolist()])[None]


def test_steps_equal_plain_loops_over_journeys() -> None:
    journeys = some_journeys(60, 3)
    table = member_table(counts_of(journeys))
    model = MixtureModel(table.members)
    rng = np.random.default_rng(1)
    edges = [tuple(edge) for edge in table.edges.tolist()]
    shares, chains = [0.6, 0.4], []
    for _ in shares:
        raw = {edge: float(rng.random()) for edge in edges}
        row = {i: sum(v for (a, _), v in raw.items() if a == i) for i, _ in edges}
        chains.append({edge: v / row[edge[0]] for edge, v in raw.items()})
    log_moves, log_shares = as_arrays(table.edges, chains), np.log(shares)[None]
    for _ in range(4):
        value, shares, chains = plain_step(journeys, shares, chains, 3)
        membership, each = model.expect(log_moves, log_shares)
        assert float(each @ table.members.n) == pytest.approx(value, abs=EXACT * 100)
        log_moves, log_shares = model.maximise(membership, table.members.n)
        np.testing.assert_allclose(np.exp(log_shares[0]), shares, atol=EXACT)
        np.testing.assert_allclose(log_moves, as_arrays(table.edges, chains), atol=EXACT)


def test_one_class_is_the_chain_of_all_journeys() -> None:
    journeys = some_journeys(200, 5)
    table = member_table(counts_of(journeys))
    model = MixtureModel(table.members)
    fit = model.climb(*model.maximise(np.ones((len(table.members.n), 1)), table.members.n))
    counted = dict.fromkeys(map(tuple, table.edges.tolist()), PRIOR)
    for path, last in journeys:
        for edge in moves_of(path, last, 3):
            counted[edge] += 1
    row = {i: sum(n for (a, _), n in counted.items() if a == i) for i, _ in counted}
    expected = [counted[edge] / row[edge[0]] for edge in map(tuple, table.edges.tolist())]
    np.testing.assert_allclose(np.exp(fit.log_moves[0, :, 0]), expected, atol=EXACT)
    assert fit.converged
    assert fit.n_parameters == len(table.edges) - len(np.unique(table.edges[:, 0]))


@given(seed=st.integers(0, 10_000), k=st.integers(2, 3))
@settings(max_examples=15, deadline=None)
def test_no_step_lowers_what_is_maximised(seed: int, k: int) -> None:
    table = member_table(counts_of(some_journeys(40, seed)))
    model = MixtureModel(table.members)
    start = np.random.default_rng(seed).dirichlet(np.ones(k), len(table.members.n))
    at = model.maximise(start, table.members.n)
    values: list[float] = []
    for _ in range(15):
        membership, each = model.expect(*at)
        values.append(float(each @ table.members.n) + model.penalty(*at))
        at = model.maximise(membership, table.members.n)
    assert min(np.diff(values)) >= -1e-9
    accelerated = model.climb(*model.maximise(start, table.members.n))
    assert (
        accelerated.log_likelihood + model.penalty(accelerated.log_moves, accelerated.log_shares)
        # The leaps may lead to another summit than plain steps do, never below where they began.
        >= values[0] - SETTLED
    )
    np.testing.assert_allclose(accelerated.membership.sum(axis=1), 1.0)
    totals = model.totals(np.exp(accelerated.log_moves))
    np.testing.assert_allclose(totals, 1.0)


def test_the_maximum_is_that_of_a_general_optimiser() -> None:
    """Two kinds of coins, ten throws each: five parameters less two, by BFGS on the same penalised likelihood."""
    rng = np.random.default_rng(4)
    heads = rng.binomial(10, np.where(rng.random(300) < 0.4, 0.8, 0.3))
    kinds, n = np.unique(heads, return_counts=True)
    members = Members(
        sparse.csr_array(np.stack([kinds, 10 - kinds], axis=1).astype(float)),
        n.astype(float),
        np.zeros(len(kinds), int),
        np.zeros(2, int),
    )

    def loss(x: np.ndarray) -> float:
        share, p = 1 / (1 + np.exp(-x[0])), 1 / (1 + np.exp(-x[1:]))
        each = share * p[0] ** kinds * (1 - p[0]) ** (10 - kinds)
        each = each + (1 - share) * p[1] ** kinds * (1 - p[1]) ** (10 - kinds)
        prior = PRIOR * (np.log(p).sum() + np.log(1 - p).sum() + np.log(share) + np.log(1 - share))
        return -float(n @ np.log(each) + prior)

    best = optimize.minimize(loss, np.array([0.0, 1.0, -1.0]), method="BFGS")
    model = MixtureModel(members)
    fit = model.climb(np.log([[[0.7, 0.4], [0.3, 0.6]]]), np.log([[0.5, 0.5]]))
    assert fit.log_likelihood + model.penalty(fit.log_moves, fit.log_shares) == pytest.approx(
        -best.fun, abs=SETTLED
    )
    np.testing.assert_allclose(np.exp(fit.log_moves[0, 0]), 1 / (1 + np.exp(-best.x[1:])), atol=5e-3)


def test_cells_together_are_a_log_linear_model() -> None:
    """With memberships known, the moves of cells and classes are those of a Poisson regression without interaction."""
    import statsmodels.api as sm

    rng = np.random.default_rng(0)
    cells, edges, classes = 3, 4, 2
    row_of = np.array([0, 0, 0, 0])
    moves = np.zeros((cells * classes, cells * edges))
    for c in range(cells):
        for j in range(classes):
            moves[c * classes + j, c * edges : (c + 1) * edges] = rng.integers(5, 60, edges)
    members = Members(
        sparse.csr_array(moves), np.ones(cells * classes), np.repeat(np.arange(cells), classes), row_of
    )
    model = MixtureModel(members)
    known = np.tile(np.eye(classes), (cells, 1))
    at = model.maximise(known, members.n)
    for _ in range(200):
        at = model.maximise(known, members.n, at[0])
    made = model.made(known, members.n) + PRIOR
    cell, edge, kind = (x.ravel() for x in np.indices(made.shape))
    dummies = [(cell == c)[:, None] * np.eye(edges)[edge] for c in range(cells)] + [
        (kind == j)[:, None] * np.eye(edges)[edge] for j in range(1, classes)
    ]
    blocks = [((cell == c) & (kind == 1)).astype(float)[:, None] for c in range(1, cells)]
    fit = sm.GLM(made.ravel(), np.hstack([*dummies, *blocks]), family=sm.families.Poisson()).fit(tol=1e-12)
    fitted = fit.fittedvalues.reshape(made.shape)
    np.testing.assert_allclose(np.exp(at[0]), fitted / fitted.sum(axis=1, keepdims=True), rtol=1e-6)


def test_parameters_of_cells_fitted_together() -> None:
    """Two cells of rows with 2 free probabilities each, and a class that adds 2 and a share in each cell."""
    journeys = [([0], GOAL), ([0], DROP), ([0, 0], DROP)] * 2
    table = member_table(
        counts_of(journeys, k=1, cell=[0, 0, 0, 1, 1, 1], n_cells=2), cell_of=np.array([0, 1])
    )
    model = MixtureModel(table.members)
    assert model.n_parameters(1) == 2 * 2
    assert model.n_parameters(2) == 2 * 2 + 2 + 2
