"""NumPy as one would write it: reweight the buckets, solve again, a thousand times, and take quantiles.

The same quantities as journeymine's, without its intervals of shares (percentiles of draws for everything).
"""

from __future__ import annotations

import numpy as np
from _work import N_BUCKETS, N_STATES, counts, dense, n_draws, report

STORED = counts()
MOVES, STARTS = dense(STORED)
WAITS = np.zeros_like(MOVES)
WAITS[STORED["unit"], STORED["source"], STORED["target"]] = STORED["wait_us"] / 1e6
N_DRAWS = n_draws()
K = N_STATES
VALUE = 50.0


def solve(weights: np.ndarray) -> tuple[np.ndarray, ...]:
    moves = np.tensordot(weights, MOVES, axes=1)
    waits = np.tensordot(weights, WAITS, axes=1) / np.maximum(moves, 1)
    full = moves / np.maximum(moves.sum(axis=1, keepdims=True), 1)
    start = weights @ STARTS
    start = start / start.sum()
    visits = np.linalg.inv(np.eye(K) - full[:, :K])
    hit = visits @ full[:, K]
    value = np.concatenate([hit, [1.0, 0.0]])
    per_journey = start @ visits
    converted = start @ hit
    spent = (full * waits).sum(axis=1)
    steps, seconds = visits.sum(axis=1), visits @ spent
    to_goal = (visits @ hit) / hit
    time_to_goal = (visits @ (full * waits * value).sum(axis=1)) / hit
    slope = per_journey[:, None] * (value - hit[:, None]) / (1 - full)
    return (
        full, hit, 1 - hit, per_journey, per_journey * hit / converted, steps, seconds, VALUE * hit, to_goal,
        time_to_goal, slope, slope * full / converted, full * value / hit[:, None], value - hit[:, None],
        start @ steps, start @ seconds, start @ (hit * to_goal) / converted,
        start @ (hit * time_to_goal) / converted, *passage(full, waits, 7), committor(full, 3), converted,
    )  # fmt: skip


def passage(full: np.ndarray, waits: np.ndarray, target: int) -> tuple[np.ndarray, ...]:
    others = np.delete(np.arange(K), target)
    visits = np.linalg.inv(np.eye(K - 1) - full[np.ix_(others, others)])
    reach = visits @ full[others, target]
    value = np.zeros(K + 2)
    value[others], value[target] = reach, 1.0
    spent = (full * waits * value).sum(axis=1)[others]
    return reach, (visits @ reach) / reach, (visits @ spent) / reach


def committor(full: np.ndarray, avoided: int) -> np.ndarray:
    others = np.delete(np.arange(K), avoided)
    return np.linalg.solve(np.eye(K - 1) - full[np.ix_(others, others)], full[others, K])


def work() -> tuple[int, float]:
    rng = np.random.default_rng(0)
    point = solve(np.ones(N_BUCKETS))
    drawn = [
        solve(np.bincount(rng.integers(0, N_BUCKETS, N_BUCKETS), minlength=N_BUCKETS).astype(float))
        for _ in range(N_DRAWS)
    ]
    for quantity in zip(*drawn, strict=True):
        np.quantile(np.array(quantity), [0.025, 0.975], axis=0)
    return N_DRAWS, float(point[-1])


report(work)
