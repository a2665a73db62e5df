"""PyDTMC, once for each reweighting: absorption, visits, steps, passage to a state, committor; it has no intervals."""

from __future__ import annotations

import numpy as np
import pydtmc
from _work import N_BUCKETS, N_STATES, counts, dense, n_draws, report

MOVES, STARTS = dense(counts())
N_DRAWS = n_draws()
K = N_STATES
NAMES = [f"state {i:02d}" for i in range(K)] + ["goal", "dropped"]


def solve(weights: np.ndarray) -> float:
    moves = np.tensordot(weights, MOVES, axes=1)
    full = moves / moves.sum(axis=1, keepdims=True)
    chain = pydtmc.MarkovChain(np.vstack([full, np.eye(K + 2)[K:]]), NAMES)
    absorbed = chain.absorption_probabilities()
    assert chain.occupation_matrix is not None
    chain.mean_number_visits()
    chain.absorption_times("mean")
    chain.hitting_probabilities(["state 07"])
    chain.committor_probabilities("forward", ["state 03", "dropped"], ["goal"])
    start = weights @ STARTS
    return float(start @ absorbed[0] / start.sum())


def work() -> tuple[int, float]:
    rng = np.random.default_rng(0)
    found = solve(np.ones(N_BUCKETS))
    for _ in range(N_DRAWS):
        solve(np.bincount(rng.integers(0, N_BUCKETS, N_BUCKETS), minlength=N_BUCKETS).astype(float))
    return N_DRAWS, found


report(work)
