"""Worlds of classes for the tests of mixtures: journeys walked in plain Python."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.sequences import SequenceCounts

if TYPE_CHECKING:
    from collections.abc import Sequence

CALM = [[0.10, 0.65, 0.10, 0.00, 0.15], [0.10, 0.10, 0.60, 0.05, 0.15], [0.05, 0.10, 0.10, 0.65, 0.10]]
HASTY = [[0.50, 0.10, 0.05, 0.00, 0.35], [0.50, 0.10, 0.05, 0.00, 0.35], [0.30, 0.10, 0.10, 0.10, 0.40]]
LOST = [[0.05, 0.05, 0.70, 0.00, 0.20], [0.10, 0.10, 0.60, 0.00, 0.20], [0.05, 0.70, 0.05, 0.00, 0.20]]
START = [0.8, 0.1, 0.1]


def _drawn(shares: Sequence[float], rng: np.random.Generator) -> int:
    left = rng.random()
    for place, share in enumerate(shares):
        left -= share
        if left < 0:
            return place
    return len(shares) - 1


def one_walk(matrix: Sequence[Sequence[float]], rng: np.random.Generator) -> tuple[list[int], int]:
    """States of one journey and how it ends."""
    k = len(matrix)
    path = [_drawn(START, rng)]
    while True:
        target = _drawn(matrix[path[-1]], rng)
        if target >= k:
            return path, GOAL if target == k else DROP
        path.append(target)


def walks(
    matrices: Sequence[Sequence[Sequence[float]]], kinds: np.ndarray, seed: int = 0
) -> list[tuple[list[int], int]]:
    """One journey for each kind."""
    rng = np.random.default_rng(seed)
    return [one_walk(matrices[kind], rng) for kind in kinds.tolist()]


def counts_of(
    paths: Sequence[tuple[Sequence[int], int]],
    *,
    k: int = 3,
    unit: Sequence[int] | np.ndarray | None = None,
    cell: Sequence[int] | np.ndarray | None = None,
    n: Sequence[int] | np.ndarray | None = None,
    n_cells: int = 1,
    buckets: bool = False,
) -> SequenceCounts:
    """Journeys as sequences, in the order given."""
    m = len(paths)
    units = np.arange(m) if unit is None else np.asarray(unit)
    return SequenceCounts(
        states=tuple("ABCDEFGH"[:k]),
        code=np.array([state for path, _ in paths for state in path], dtype=np.int64),
        begin=np.concatenate([[0], np.cumsum([len(path) for path, _ in paths])]).astype(np.int64),
        last=np.array([last for _, last in paths], dtype=np.int64),
        unit=units.astype(np.int64),
        cell=np.zeros(m, np.int64) if cell is None else np.asarray(cell, dtype=np.int64),
        n=np.ones(m, np.int64) if n is None else np.asarray(n, dtype=np.int64),
        cells=tuple((f"v{c}",) for c in range(n_cells)),
        n_units=int(units.max(initial=0)) + 1,
        buckets=buckets,
    )


@cache
def three_classes(n: int, seed: int = 0) -> tuple[SequenceCounts, np.ndarray]:
    """Journeys of three kinds of customers, and the kind of each."""
    kinds = np.random.default_rng([seed, 1]).choice(3, n, p=[0.5, 0.3, 0.2])
    return counts_of(walks([CALM, HASTY, LOST], kinds, seed)), kinds
