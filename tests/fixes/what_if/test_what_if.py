"""Effects of fixes: against changing the chain of each cell and solving it again, in plain loops."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from journeymine.counts.chain import DROP, GOAL, ChainCounts
from journeymine.fixes.candidates import Candidate, ScopedDrops
from journeymine.fixes.fix import Fix
from journeymine.fixes.what_if.cell_model import MIN_CELL_CUSTOMERS
from journeymine.fixes.what_if.cells import MAX_CELLS, merged_cells
from journeymine.fixes.what_if.scope import REFERENCE_PRIOR

EXACT = 1e-9
"""Rounding, and the leak of 1e-12 a move."""
A = [[0.20, 0.50, 0.00, 0.05, 0.25], [0.10, 0.00, 0.60, 0.00, 0.30], [0.00, 0.15, 0.10, 0.55, 0.20]]
B = [[0.10, 0.50, 0.05, 0.05, 0.30], [0.05, 0.05, 0.40, 0.00, 0.50], [0.00, 0.10, 0.10, 0.60, 0.20]]
C = [[0.30, 0.40, 0.10, 0.00, 0.20], [0.10, 0.10, 0.50, 0.10, 0.20], [0.05, 0.05, 0.10, 0.50, 0.30]]

Make = Callable[..., Any]


def solve_again(counts: ChainCounts, candidate: Candidate) -> tuple[float, float, float]:
    """(effect, drop-out in scope, reference) by plain loops: build each cell's chain, change its row, solve."""
    k, cells = counts.n_states, range(len(counts.cells))
    moves = np.zeros((len(cells), k, k + 2))
    column = {GOAL: k, DROP: k + 1}
    for c, i, j, n in zip(counts.cell, counts.source, counts.target, counts.n, strict=True):
        moves[c, i, column.get(int(j), int(j))] += n
    starts = np.zeros((len(cells), k + 1))
    for c, s, n in zip(counts.start_cell, counts.start_state, counts.start_n, strict=True):
        starts[c, k if s == GOAL else s] += n
    scope, every, reference = candidate.scope, candidate.everywhere, candidate.reference
    drop = scope.drops.sum() / scope.n.sum()
    if reference is None:
        target = 0.8 * drop
    else:
        pooled = reference.drops.sum() / reference.n.sum()
        target = 0.0
        for s in np.unique(scope.stratum):
            n, lost = reference.n[reference.stratum == s].sum(), reference.drops[reference.stratum == s].sum()
            rate = (lost + REFERENCE_PRIOR * pooled) / (n + REFERENCE_PRIOR)
            target += rate * scope.n[scope.stratum == s].sum() / scope.n.sum()
    pooled_rows = moves.sum(axis=0) / np.maximum(moves.sum(axis=(0, 2))[:, None], 1)
    effect = 0.0
    for c in cells:
        lean = min(1.0, counts.cell_customers[c] / MIN_CELL_CUSTOMERS)
        chain = pooled_rows.copy()
        for i in range(k):
            if moves[c, i].sum():
                chain[i] = lean * moves[c, i] / moves[c, i].sum() + (1 - lean) * pooled_rows[i]
        here, all_here = scope.cell == c, every.cell == c
        saved = 0.0
        if scope.n_all[here].sum() and scope.n[here].sum() and every.drops[all_here].sum():
            share = scope.n_all[here].sum() / every.n_all[all_here].sum()
            likelier = (scope.drops[here].sum() / scope.n[here].sum()) / (
                every.drops[all_here].sum() / every.n[all_here].sum()
            )
            saved = share * likelier * (1 - target / drop)
        fixed, i = chain.copy(), candidate.state
        others = 1 - chain[i, k + 1]
        fixed[i] = chain[i] * (1 - (1 - saved) * chain[i, k + 1]) / others
        fixed[i, k + 1] = (1 - saved) * chain[i, k + 1]
        begun = starts[c].sum()
        a = starts[c, :k] / max(begun, 1)
        before, after = (a @ np.linalg.solve(np.eye(k) - m[:, :k], m[:, k]) for m in (chain, fixed))
        effect += begun / starts.sum() * (after - before)
    return float(effect), float(drop), float(target)


@pytest.mark.parametrize("late", [0.0, 0.3])
def test_effects_equal_solving_again(fix_world: Make, late: float, estimate_effects: Make) -> None:
    """Large cells, a cell below 200 customers, and all kinds of scope at once."""
    world = fix_world(
        [A, B, C],
        1500,
        cell_shares=[0.5, 0.42, 0.08],
        n_slices=6,
        late=late,
        seed=2,
        start=[0.7, 0.2, 0.0, 0.1],
    )
    assert world.chain.cell_customers.min() < MIN_CELL_CUSTOMERS < world.chain.cell_customers[1]
    candidates = [
        *(world.assumed(i) for i in range(3)),
        world.against(1, lambda d: d.cell == 1, lambda d: d.cell != 1),
        world.against(1, lambda d: d.cell == 2, lambda d: d.cell == 0),
        world.against(2, lambda d: d.slice >= 4, lambda d: d.slice < 4),
        world.against(0, lambda d: (d.slice == 1) & (d.cell == 0), lambda d: d.slice != 1),
        world.against(1, lambda d: d.cell == 0, lambda d: d.cell == 1),
    ]
    found = estimate_effects(world.chain, candidates, n_draws=3)
    for i, candidate in enumerate(candidates):
        effect, drop, reference = solve_again(world.chain, candidate)
        assert found.effect[i] == pytest.approx(effect, abs=EXACT)
        assert found.drop[i] == pytest.approx(drop, abs=EXACT)
        assert found.reference[i] == pytest.approx(reference, abs=EXACT)
    assert (found.effect[:3] > 0).all()
    assert found.effect[3] > 0 > found.effect[7]
    assert found.reference_n[3] == candidates[3].reference.n.sum()


def test_a_scope_of_whole_cells_is_the_segment_alone(fix_world: Make, estimate_effects: Make) -> None:
    """Only the customers of the segment change: their share times the what-if on their own chain."""
    world = fix_world([A, B], 2400, n_slices=3, seed=5)
    candidate = world.against(1, lambda d: d.cell == 1, lambda d: d.cell == 0)
    found = estimate_effects(world.chain, [candidate], n_draws=2)
    here = world.chain.cell == 1
    moves = np.zeros((3, 5))
    target = world.chain.column(world.chain.target)
    np.add.at(moves, (world.chain.source[here], target[here]), world.chain.n[here])
    chain = moves / moves.sum(axis=1, keepdims=True)
    fixed = chain.copy()
    fixed[1] *= (1 - found.reference[0]) / (1 - chain[1, 4])
    fixed[1, 4] = found.reference[0]
    before, after = (np.linalg.solve(np.eye(3) - m[:, :3], m[:, 3])[0] for m in (chain, fixed))
    share = world.chain.start_n[world.chain.start_cell == 1].sum() / world.chain.n_starts
    assert found.effect[0] == pytest.approx(share * (after - before), abs=EXACT)


def test_identical_segments_equal_pooling(fix_world: Make, estimate_effects: Make) -> None:
    """Two cells with the same counts, or one cell with all of them: the same effects and the same draws."""
    one = fix_world([A], 900, seed=3)
    doubled = {
        name: np.concatenate([getattr(one.chain, name)] * 2)
        for name in ("unit", "source", "target", "n", "wait_us", "start_unit", "start_state", "start_n")
    }

    def twice(cell: np.ndarray, split: bool) -> np.ndarray:
        return np.concatenate([cell, cell + split])

    worlds = []
    for split in (True, False):
        chain = dataclasses.replace(
            one.chain,
            **doubled,
            cell=twice(one.chain.cell, split),
            start_cell=twice(one.chain.start_cell, split),
            cells=(("a",), ("b",))[: 1 + split],
            cell_customers=np.full(1 + split, 900),
        )
        candidates = []
        for i in range(3):
            scope = one.scoped(i)
            parts = {f.name: np.concatenate([getattr(scope, f.name)] * 2) for f in dataclasses.fields(scope)}
            parts["cell"] = twice(scope.cell, split)
            parts["stratum"] = parts["cell"]
            same = ScopedDrops(**parts)
            fix = Fix(kind="drop_off", activity=chain.states[i])
            candidates.append(Candidate(i, "assumed", same, same, fix=fix, block="assumed"))
        worlds.append(estimate_effects(chain, candidates, n_draws=40, seed=1))
    np.testing.assert_allclose(worlds[0].effect, worlds[1].effect, atol=EXACT)
    np.testing.assert_allclose(worlds[0].effect_draws, worlds[1].effect_draws, atol=EXACT)


def test_a_fix_nobody_meets(fix_world: Make, estimate_effects: Make) -> None:
    """Its effect is 0, and it changes no other effect."""
    world = fix_world([A, B], 800, n_slices=3, seed=1)
    others = [world.assumed(i) for i in range(3)]
    nobody = world.against(1, lambda d: d.slice == 99, lambda d: d.cell == 0)
    alone = estimate_effects(world.chain, others, n_draws=30)
    together = estimate_effects(world.chain, [nobody, *others], n_draws=30)
    assert together.effect[0] == 0.0
    np.testing.assert_array_equal(together.effect_draws[:, 0], 0.0)
    np.testing.assert_array_equal(together.effect[1:], alone.effect)
    np.testing.assert_array_equal(together.effect_draws[:, 1:], alone.effect_draws)
    assert together.reference_n.tolist()[1:] == alone.reference_n.tolist()


def test_an_assumed_fix_saves_a_fifth(fix_world: Make, estimate_effects: Make) -> None:
    world = fix_world([A], 500)
    found = estimate_effects(world.chain, [world.assumed(i) for i in range(3)], n_draws=2)
    np.testing.assert_allclose(found.reference, 0.8 * found.drop)


def test_no_difference_to_the_reference_is_no_effect(fix_world: Make, estimate_effects: Make) -> None:
    world = fix_world([A], 600)
    everything = world.against(1, lambda d: d.cell >= 0, lambda d: d.cell >= 0)
    found = estimate_effects(world.chain, [everything], n_draws=20)
    assert found.effect[0] == pytest.approx(0.0, abs=EXACT)
    np.testing.assert_allclose(found.effect_draws, 0.0, atol=EXACT)


def test_draws_belong_to_the_seed(fix_world: Make, estimate_effects: Make) -> None:
    world = fix_world([A, B], 500)
    fixes = [world.assumed(1), world.against(1, lambda d: d.cell == 1, lambda d: d.cell == 0)]
    one, same, other = (estimate_effects(world.chain, fixes, n_draws=50, seed=s) for s in (4, 4, 5))
    np.testing.assert_array_equal(one.effect_draws, same.effect_draws)
    assert (one.effect_draws != other.effect_draws).any()
    np.testing.assert_array_equal(one.effect, other.effect)
    assert one.effect_draws.shape == one.drop_draws.shape == (50, 2)


def test_draws_surround_the_estimate(fix_world: Make, estimate_effects: Make) -> None:
    world = fix_world([A, B], 2000, seed=9)
    found = estimate_effects(world.chain, [world.assumed(i) for i in range(3)], n_draws=400)
    bias = (found.effect_draws.mean(axis=0) - found.effect) / found.effect_draws.std(axis=0)
    assert np.abs(bias).max() < 0.3


def test_the_true_effect_is_recovered(fix_world: Make, estimate_effects: Make) -> None:
    """Bring cell 1's drop-out after S1 (0.50) to that of cell 0 (0.30): exact truth from the matrices."""
    from journeymine.uncertainty import percentile_interval

    b, fixed = np.array(B), np.array(B)
    fixed[1] *= (1 - 0.30) / (1 - 0.50)
    fixed[1, 4] = 0.30
    before, after = (np.linalg.solve(np.eye(3) - m[:, :3], m[:, 3])[0] for m in (b, fixed))
    truth = 0.5 * (after - before)
    held = 0
    for seed in range(12):
        world = fix_world([A, B], 1500, seed=seed)
        candidate = world.against(1, lambda d: d.cell == 1, lambda d: d.cell == 0)
        found = estimate_effects(world.chain, [candidate], n_draws=200, seed=seed)
        interval = percentile_interval(found.effect, found.effect_draws, 1500)
        held += bool(interval.lower[0] <= truth <= interval.upper[0])
        assert found.effect[0] == pytest.approx(truth, abs=0.03)
    assert held >= 9


@pytest.mark.parametrize("merge", ["buckets", "one unit"])
def test_merging_units_leaves_the_estimates(fix_world: Make, merge: str, estimate_effects: Make) -> None:
    world = fix_world([A, B], 900, n_slices=3, cases_per_unit=2, seed=4)
    n = 200 if merge == "buckets" else 1

    def merged(scope: ScopedDrops | None) -> ScopedDrops | None:
        return None if scope is None else dataclasses.replace(scope, unit=scope.unit % n)

    fixes = [world.assumed(0), world.against(1, lambda d: d.slice == 1, lambda d: d.slice != 1)]
    chain = dataclasses.replace(
        world.chain, unit=world.chain.unit % n, start_unit=world.chain.start_unit % n, n_units=n
    )
    in_buckets = [
        dataclasses.replace(
            c, scope=merged(c.scope), everywhere=merged(c.everywhere), reference=merged(c.reference)
        )
        for c in fixes
    ]
    a = estimate_effects(world.chain, fixes, n_draws=2)
    b = estimate_effects(chain, in_buckets, n_draws=2)
    np.testing.assert_allclose(a.effect, b.effect, atol=1e-12)
    np.testing.assert_allclose(a.reference, b.reference, atol=1e-12)


def test_no_candidates(fix_world: Make, estimate_effects: Make) -> None:
    found = estimate_effects(fix_world([A], 50).chain, [], n_draws=5)
    assert found.effect.shape == (0,)
    assert found.effect_draws.shape == (5, 0)


def test_few_journeys_give_finite_draws(fix_world: Make, estimate_effects: Make) -> None:
    """Six journeys: in some draws the scope is empty or nobody drops. An effect is then 0 there, never nan."""
    world = fix_world([A, B], 6, seed=8)
    fixes = [world.assumed(i) for i in range(3) if world.drops.of_state(i).drops.sum() > 0]
    found = estimate_effects(world.chain, fixes, n_draws=300)
    assert np.isfinite(found.effect).all()
    assert np.isfinite(found.effect_draws).all()


def test_many_cells_are_merged() -> None:
    customers = np.arange(100)[::-1].copy()
    cell_of, merged = merged_cells(customers)
    assert len(merged) == MAX_CELLS
    assert merged.sum() == customers.sum()
    assert cell_of[:59].tolist() == list(range(59))
    assert set(cell_of[59:].tolist()) == {59}
    few, same = merged_cells(np.array([5, 7]))
    assert few.tolist() == [0, 1]
    assert same.tolist() == [5, 7]


def test_no_more_is_saved_than_was_lost(fix_world: Make, estimate_effects: Make) -> None:
    """An incident that is hardly watched yet: its visits weigh by all of them, yet no drop-out falls below 0."""
    world = fix_world([A], 1500, n_slices=10, seed=6)
    drops = world.drops
    recent, form = drops.slice >= 4, drops.state == 1
    # Of the recent visits one in twenty was watched, and it was lost.
    seen = (np.arange(len(drops.n)) % 20 == 0).astype(np.int64)
    n = np.where(recent & form, seen, drops.n)
    lost = np.where(recent & form, seen, np.where(form & (drops.unit % 2 == 0), 0, drops.drops))
    world = dataclasses.replace(world, drops=dataclasses.replace(drops, n=n, drops=lost))
    found = estimate_effects(
        world.chain,
        [world.against(1, lambda d: d.slice >= 4, lambda d: d.slice < 4)],
        n_draws=50,
    )
    moves = np.zeros((3, 5))
    np.add.at(moves, (world.chain.source, world.chain.column(world.chain.target)), world.chain.n)
    chain = moves / moves.sum(axis=1, keepdims=True)
    best = chain.copy()
    best[1] /= 1 - chain[1, 4]
    best[1, 4] = 0.0
    before, after = (np.linalg.solve(np.eye(3) - m[:, :3], m[:, 3])[0] for m in (chain, best))
    assert found.effect[0] <= after - before + EXACT
    assert found.effect_draws.max() < 1.0
