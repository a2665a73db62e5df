"""Sets of fixes and outcomes other than conversion: against changing the chain and solving it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from journeymine.fixes.candidates import Candidate
from journeymine.fixes.fix import Fix
from journeymine.fixes.what_if.interactions import interacting
from journeymine.fixes.what_if.outcome import POOLED_VISITS, Revenue, Time
from journeymine.fixes.what_if.what_if import WhatIf

if TYPE_CHECKING:
    from journeymine.fixes.what_if.cell_model import CellModel

EXACT = 1e-9
"""Rounding, and the leak of 1e-12 a move."""
CHAIN = [[0.20, 0.50, 0.00, 0.05, 0.25], [0.10, 0.00, 0.60, 0.00, 0.30], [0.00, 0.15, 0.10, 0.55, 0.20]]
SERIES = [[0.0, 0.1, 0.0, 0.0, 0.9], [0.0, 0.0, 0.1, 0.0, 0.9], [0.0, 0.0, 0.0, 1.0, 0.0]]
"""Two steps that nine in ten leave: to repair one of them alone helps hardly anybody."""

Make = Callable[..., Any]


def candidate(world: Any, state: int, **fix: Any) -> Candidate:
    every = world.scoped(state)
    kind = fix.pop("kind", "drop_off")
    own = Fix(kind=kind, activity=world.chain.states[state], **fix)
    return Candidate(state, "assumed", every, every, fix=own, block="user")


def rows(world: Any) -> np.ndarray:
    """Shares of the moves of a log of one cell."""
    moves = np.zeros((3, 5))
    np.add.at(moves, (world.chain.source, world.chain.column(world.chain.target)), world.chain.n)
    shares: np.ndarray = moves / moves.sum(axis=1, keepdims=True)
    return shares


def saved(moves: np.ndarray, state: int, share: float) -> np.ndarray:
    new = moves.copy()
    new[state] *= (1 - (1 - share) * moves[state, 4]) / (1 - moves[state, 4])
    new[state, 4] = (1 - share) * moves[state, 4]
    return new


def conversion(moves: np.ndarray) -> float:
    return float(np.linalg.solve(np.eye(3) - moves[:, :3], moves[:, 3])[0])


def test_fixes_together_by_solving_again(fix_world: Make) -> None:
    world = fix_world([CHAIN], 700, seed=1)
    fixes = [
        candidate(world, 1, share=0.5),
        candidate(world, 2, share=0.3),
        candidate(world, 1, share=0.2, id="again"),
    ]
    what_if = WhatIf(world.chain, world.chain, fixes)
    now = rows(world)
    both = saved(saved(now, 1, 0.5), 2, 0.3)
    assert what_if.joint([0, 1])[0] == pytest.approx(conversion(both) - conversion(now), abs=EXACT)
    twice = saved(saved(now, 1, 0.5), 1, 0.2)
    assert what_if.joint([0, 2])[0] == pytest.approx(conversion(twice) - conversion(now), abs=EXACT)
    point, draws = what_if.together([0, 1], n_draws=40, seed=3)
    assert point == pytest.approx(what_if.joint([0, 1])[0])
    assert draws.shape == (40,)
    alone = what_if.estimate(n_draws=40, seed=3)
    # Together they bring more than the larger one, draw by draw: the draws are the same.
    assert (draws > alone.effect_draws[:, :2].max(axis=1)).all()
    assert what_if.joint([1])[0] == pytest.approx(alone.effect[1], abs=EXACT)


def test_one_after_the_other_what_adds_most(fix_world: Make) -> None:
    world = fix_world([CHAIN], 700, seed=2)
    fixes = [candidate(world, i, share=s) for i, s in ((0, 0.05), (1, 0.5), (2, 0.3))]
    what_if = WhatIf(world.chain, world.chain, fixes)
    effect = what_if.estimate(n_draws=2).effect
    assert effect.argmax() == 1
    assert what_if.greedy([0, 1, 2], [0, 0, 0], budget=None, most=2)[0] == 1
    assert sorted(what_if.greedy([0, 1, 2], [0, 0, 0], budget=None, most=5)) == [0, 1, 2]
    # The best one is too dear; with a budget the gain for a unit of cost decides.
    assert what_if.greedy([0, 1, 2], [1, 9, 2], budget=3, most=5, scale=1e6) == [2, 0]
    assert what_if.greedy([0, 1, 2], [5, 5, 5], budget=1, most=5, scale=1e6) == []
    # Nothing is done that costs more than it brings, or that an experiment has shown to bring nothing.
    assert what_if.greedy([0, 1, 2], [0, 2e6, 0], budget=None, most=5, scale=1e6) == [2, 0]
    assert 1 not in what_if.greedy([0, 1, 2], [0, 0, 0], budget=None, most=5, believed=[1, 0, 1])


def test_fixes_in_a_row_interact_and_others_do_not(fix_world: Make) -> None:
    world = fix_world([SERIES], 4000, seed=3)
    fixes = [candidate(world, 0, share=0.9), candidate(world, 1, share=0.9)]
    what_if = WhatIf(world.chain, world.chain, fixes)
    assert interacting(what_if, what_if.estimate(n_draws=2).effect) in ([(0, 1)], [(1, 0)])
    plain = fix_world([CHAIN], 700, seed=3)
    small = [candidate(plain, 1, share=0.1), candidate(plain, 2, share=0.1)]
    quiet = WhatIf(plain.chain, plain.chain, small)
    assert interacting(quiet, quiet.estimate(n_draws=2).effect) == []


def test_revenue_is_conversion_times_value_in_each_cell(fix_world: Make) -> None:
    world = fix_world([CHAIN, CHAIN], 900, seed=4)
    fixes = [candidate(world, i, share=0.2) for i in range(3)]
    units = np.arange(200)
    cells = units % 2
    money = np.where(cells == 0, 10.0, 40.0)

    def outcome(model: CellModel) -> Revenue:
        return Revenue(model, units, cells, money, np.ones(200, int))

    found = WhatIf(world.chain, world.chain, fixes, outcome=outcome).estimate(n_draws=5)
    model = WhatIf(world.chain, world.chain, fixes)
    value = [(100 * v + POOLED_VISITS * 25.0) / (100 + POOLED_VISITS) for v in (10.0, 40.0)]
    solved, share, _ = model.now
    expected = [
        sum(
            share[0, c]
            * value[c]
            * (conversion(saved(solved.moves[0, c], i, 0.2)) - conversion(solved.moves[0, c]))
            for c in range(2)
        )
        for i in range(3)
    ]
    np.testing.assert_allclose(found.effect, expected, atol=1e-7)
    assert found.base == pytest.approx(
        sum(share[0, c] * value[c] * conversion(solved.moves[0, c]) for c in range(2))
    )


def test_time_saved_by_solving_again(fix_world: Make) -> None:
    """A removed step saves its own wait; who is kept waits longer than who has left."""
    world = fix_world([CHAIN], 900, seed=5)
    days = np.array([1.0, 3.0, 0.5])
    goes_on = world.chain.target != -1
    object.__setattr__(
        world.chain, "wait_us", np.where(goes_on, days[world.chain.source] * world.chain.n * 86_400e6, 0.0)
    )
    fixes = [candidate(world, 1, share=0.5), candidate(world, 1, kind="remove_step")]
    found = WhatIf(world.chain, world.chain, fixes, outcome=lambda model: Time(model, world.chain)).estimate(
        n_draws=2
    )
    now = rows(world)

    def time(moves: np.ndarray) -> float:
        return float(np.linalg.solve(np.eye(3) - moves[:, :3], (1 - moves[:, 4]) * days)[0])

    assert found.base == pytest.approx(time(now))
    assert found.effect[0] == pytest.approx(time(now) - time(saved(now, 1, 0.5)), abs=1e-7)
    assert found.effect[0] < 0
    f = now[1] / (1 - now[1, 4])
    f[4] = 0.0
    removed = now + np.outer(now[:, 1], f)
    removed[:, 1] = 0.0
    # Those who skip the step move on at once: the wait of the move into it stays.
    assert found.effect[1] == pytest.approx(time(now) - time(removed), abs=1e-7)
    assert found.effect[1] > 0
