"""Counts of a million simulated journeys through 40 states, by 200 buckets of customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

N_STATES, N_BUCKETS, N_JOURNEYS = 40, 200, 1_000_000
STARTS = 5
"""States that journeys start in."""


def transition_matrix(rng: np.random.Generator) -> np.ndarray:
    """Rows of 40 states, the goal and dropping out: mostly to a dozen states, one move in six ends the journey."""
    weights = rng.gamma(0.3, size=(N_STATES, N_STATES + 2))
    weights[:, N_STATES:] = 0.0
    full = weights / weights.sum(axis=1, keepdims=True) * (5 / 6)
    goal = rng.beta(2, 3, N_STATES) / 6
    full[:, N_STATES], full[:, N_STATES + 1] = goal, 1 / 6 - goal
    return full


def simulate(n_journeys: int, seed: int = 1) -> dict[str, np.ndarray]:
    """Moves by bucket, source and target (shape (m, 3)) with their number and waits; starts by bucket and state."""
    rng = np.random.default_rng(seed)
    cumulative = transition_matrix(rng).cumsum(axis=1)
    mean_wait = rng.gamma(2.0, 3.6e9, size=(N_STATES, N_STATES + 2))
    size = N_BUCKETS * N_STATES * (N_STATES + 2)
    n, wait = np.zeros(size, np.int64), np.zeros(size)
    bucket = rng.integers(0, N_BUCKETS, n_journeys)
    state = rng.integers(0, STARTS, n_journeys)
    starts = np.bincount(bucket * N_STATES + state, minlength=N_BUCKETS * N_STATES)
    while len(state):
        draws = rng.random(len(state))
        target = np.empty(len(state), np.int64)
        for source in range(N_STATES):
            here = state == source
            target[here] = np.searchsorted(cumulative[source], draws[here], side="right")
        target = np.minimum(target, N_STATES + 1)
        place = (bucket * N_STATES + state) * (N_STATES + 2) + target
        n += np.bincount(place, minlength=size)
        taken = np.floor(rng.exponential(mean_wait[state, target]))
        wait += np.bincount(place, weights=np.where(target <= N_STATES, taken, 0.0), minlength=size)
        on = target < N_STATES
        bucket, state = bucket[on], target[on]
    seen = np.flatnonzero(n)
    unit, source, target = np.unravel_index(seen, (N_BUCKETS, N_STATES, N_STATES + 2))
    begun = np.flatnonzero(starts)
    return {
        "unit": unit,
        "source": source,
        "target": target,
        "n": n[seen],
        "wait_us": wait[seen],
        "start_unit": begun // N_STATES,
        "start_state": begun % N_STATES,
        "start_n": starts[begun],
    }


def simulate_paths(n_journeys: int, seed: int = 1) -> dict[str, np.ndarray]:
    """States of journeys one after the other, where each begins, and whether it reaches the goal."""
    rng = np.random.default_rng(seed)
    cumulative = transition_matrix(rng).cumsum(axis=1)
    journey, state = np.arange(n_journeys), rng.integers(0, STARTS, n_journeys)
    converted = np.zeros(n_journeys, bool)
    visits = []
    while len(state):
        visits.append((journey, state))
        target = (cumulative[state] <= rng.random((len(state), 1))).sum(axis=1)
        converted[journey[target == N_STATES]] = True
        on = target < N_STATES
        journey, state = journey[on], target[on]
    owner, code = (np.concatenate(parts) for parts in zip(*visits, strict=True))
    order = np.argsort(owner, kind="stable")
    begin = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=n_journeys))])
    return {"code": code[order], "begin": begin, "converted": converted}


def paths_file(folder: Path, n_journeys: int) -> Path:
    """Journeys on disk, for a peer that wants them whole; simulated once."""
    path = folder / f"markov-paths-{n_journeys}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(path, **simulate_paths(n_journeys))
    return path


def counts_file(folder: Path, n_journeys: int = N_JOURNEYS) -> Path:
    """The counts on disk, simulated once."""
    path = folder / f"markov-{n_journeys}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(path, **simulate(n_journeys))
    return path
