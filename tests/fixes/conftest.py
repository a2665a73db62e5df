"""Worlds for the tests of fixes: journeys walked in plain Python, counted in plain Python."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from journeymine.counts.chain import DROP, GOAL, ChainCounts, DropCounts
from journeymine.fixes.candidates import Candidate, ScopedDrops
from journeymine.fixes.fix import Fix
from journeymine.fixes.what_if.what_if import Effects, WhatIf

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DAY_US = 86_400_000_000


@dataclass(frozen=True)
class FixWorld:
    """Counts of a simulated log. `drops` has one entry for each unit, cell, state and slice."""

    chain: ChainCounts
    drops: DropCounts

    def scoped(self, state: int, keep: Callable[[DropCounts], np.ndarray] | None = None) -> ScopedDrops:
        """Visits of a state that `keep` says belong to a scope, compared in strata of cells."""
        here = self.drops.of_state(state)
        chosen = np.ones(len(here.n), bool) if keep is None else keep(here)
        return ScopedDrops(
            here.unit[chosen],
            here.cell[chosen],
            here.cell[chosen],
            here.n_all[chosen].astype(float),
            here.n[chosen].astype(float),
            here.drops[chosen].astype(float),
        )

    def assumed(self, state: int) -> Candidate:
        fix = Fix(kind="drop_off", activity=self.chain.states[state])
        return Candidate(state, "assumed", self.scoped(state), self.scoped(state), fix=fix, block="assumed")

    def against(
        self,
        state: int,
        scope: Callable[[DropCounts], np.ndarray],
        reference: Callable[[DropCounts], np.ndarray],
    ) -> Candidate:
        """A fix of one scope compared with another."""
        return Candidate(
            state,
            "segment",
            self.scoped(state),
            self.scoped(state, scope),
            self.scoped(state, reference),
            fix=Fix(kind="drop_off", activity=self.chain.states[state]),
            block="found",
        )


def estimate_effects(
    counts: ChainCounts,
    candidates: Sequence[Candidate],
    *,
    n_draws: int = 1000,
    seed: int = 0,
    **settings: Any,
) -> Effects:
    """Effects on a chain whose states carry no attempts."""
    return WhatIf(counts, counts, candidates, **settings).estimate(n_draws=n_draws, seed=seed)


def walk(matrix: np.ndarray, start: np.ndarray, rng: np.random.Generator) -> list[int]:
    """States of one journey, then k for the goal or k + 1 for dropping out."""
    k = len(matrix)
    path = [int(rng.choice(k + 1, p=start))]
    while path[-1] < k:
        path.append(int(rng.choice(k + 2, p=matrix[path[-1]])))
    return path


def make_world(
    matrices: Sequence[Sequence[Sequence[float]]],
    n: int,
    *,
    start: Sequence[float] | None = None,
    cell_names: Sequence[tuple[str, ...]] | None = None,
    cell_shares: Sequence[float] | None = None,
    cases_per_unit: int = 1,
    n_slices: int = 1,
    late: float = 0.0,
    change: Callable[[int, int, np.ndarray], np.ndarray] | None = None,
    seed: int = 0,
) -> FixWorld:
    """Walk `n` journeys; cell c moves by `matrices[c]`; a share `late` of the visits was not watched.

    `change(cell, slice, matrix)` may return another matrix for journeys that begin in a slice of time.
    """
    rng = np.random.default_rng(seed)
    cells = [np.array(matrix, dtype=float) for matrix in matrices]
    k, n_cells = len(cells[0]), len(cells)
    begin = np.array(start if start is not None else [1.0, *[0.0] * (k - 1), 0.0], dtype=float)
    begin = begin if len(begin) == k + 1 else np.append(begin, 0.0)
    moves: Counter[tuple[int, int, int, int]] = Counter()
    starts: Counter[tuple[int, int, int]] = Counter()
    visits: dict[tuple[int, int, int, int], np.ndarray] = {}
    n_units = -(-n // cases_per_unit)
    of_unit = rng.choice(n_cells, n_units, p=cell_shares)
    for case in range(n):
        unit = case // cases_per_unit
        cell, at = int(of_unit[unit]), int(rng.integers(n_slices))
        matrix = cells[cell] if change is None else change(cell, at, cells[cell])
        path = walk(matrix, begin, rng)
        codes = [GOAL if s == k else DROP if s == k + 1 else s for s in path]
        starts[unit, cell, codes[0]] += 1
        for a, b in pairwise(codes):
            seen = rng.random() >= late
            entry = visits.setdefault((unit, cell, a, at), np.zeros(3, np.int64))
            entry += (1, seen, seen and b == DROP)
            if seen:
                moves[unit, cell, a, b] += 1
    m_unit, m_cell, source, target = (
        np.array(column, np.int64) for column in zip(*sorted(moves), strict=True)
    )
    s_unit, s_cell, s_state = (np.array(column, np.int64) for column in zip(*sorted(starts), strict=True))
    v = [np.array(column, np.int64) for column in zip(*sorted(visits), strict=True)]
    counted = np.array([visits[key] for key in sorted(visits)])
    chain = ChainCounts(
        states=tuple(f"S{i}" for i in range(k)),
        activity=np.arange(k),
        unit=m_unit,
        cell=m_cell,
        source=source,
        target=target,
        n=np.array([moves[key] for key in sorted(moves)]),
        wait_us=np.zeros(len(m_unit)),
        start_unit=s_unit,
        start_cell=s_cell,
        start_state=s_state,
        start_n=np.array([starts[key] for key in sorted(starts)]),
        cells=tuple(cell_names) if cell_names else tuple((f"v{c}",) for c in range(n_cells)),
        cell_customers=np.bincount(of_unit, minlength=n_cells),
        n_units=n_units,
    )
    drops = DropCounts(
        v[0], v[1], v[2], v[3], counted[:, 0], counted[:, 1], counted[:, 2], n_units, DAY_US, 0, n_slices
    )
    return FixWorld(chain, drops)


@pytest.fixture(scope="session")
def fix_world() -> Callable[..., FixWorld]:
    """The factory `make_world`."""
    return make_world


@pytest.fixture(scope="session", name="estimate_effects")
def estimate_effects_fixture() -> Callable[..., Effects]:
    """The function `estimate_effects`."""
    return estimate_effects
