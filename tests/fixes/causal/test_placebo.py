"""The placebo: against the test of rows it stands for, its rate in null logs, and a log where it must speak up."""

from __future__ import annotations

import numpy as np
import pytest

from journeymine.counts.chain import DropCounts
from journeymine.errors import OptionError
from journeymine.fixes.causal.placebo import _tests_of, placebo_scopes, placebo_tests, random_halves
from journeymine.paths.row_tests import GroupedDrops, row_test

ROUNDING = 1e-9
RUNS = 200


def null_drops(
    seed: int, *, n_units: int = 400, n_states: int = 6, n_cells: int = 3, alike: float = 0.0
) -> DropCounts:
    """Customers differ by cell, and by a trait of their own where `alike` is above 0."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(n_units), n_states)
    state = np.tile(np.arange(n_states), n_units)
    cell = rng.integers(n_cells, size=n_units)[unit]
    n = rng.poisson(1.5, len(unit))
    rate = np.clip(0.2 + 0.1 * cell + 0.02 * state + alike * rng.choice([-1, 1], n_units)[unit], 0.01, 0.99)
    drops = rng.binomial(n, rate)
    zero = np.zeros_like(n)
    return DropCounts(unit, cell, state, zero, n, n, drops, n_units, None, None, 1)


def test_equals_the_test_of_rows() -> None:
    drops = null_drops(1, alike=0.2)
    halves = random_halves(drops.n_units, 5, 3)
    for state in range(6):
        here = drops.of_state(state)
        tests = _tests_of(here, halves)
        for r in range(5):
            group = halves[here.unit, r].astype(int)
            data = GroupedDrops(
                here.unit, here.cell, group, here.n.astype(float), here.drops.astype(float), drops.n_units
            )
            expected = row_test(data, 2)
            assert expected is not None
            assert tests.p_value[r] == pytest.approx(expected.p_value, abs=ROUNDING)


def test_difference_is_that_of_mantel_and_haenszel() -> None:
    """By hand, in plain loops: sum of (a m - b n) / N over sum of n m / N, cell by cell."""
    drops = null_drops(2)
    halves = random_halves(drops.n_units, 1, 0)
    here = drops.of_state(0)
    above = below = 0.0
    for c in range(3):
        one, two = ((here.cell == c) & (halves[here.unit, 0] == h) for h in (1, 0))
        n, m = here.n[one].sum(), here.n[two].sum()
        above += (here.drops[one].sum() * m - here.drops[two].sum() * n) / (n + m)
        below += n * m / (n + m)
    assert _tests_of(here, halves).gap[0] == pytest.approx(above / below, abs=ROUNDING)


@pytest.mark.parametrize("alike", [0.0, 0.15])
def test_rates_in_null_logs(alike: float) -> None:
    """One split a log: at most one log in twenty has a finding; intervals of the largest hold 0 in 95 % of them."""
    any_kept, holds, p_small = 0, 0, 0
    for seed in range(RUNS):
        result = placebo_tests(null_drops(seed, alike=alike), 6, seed=seed, repeats=1)
        any_kept += result.n_kept > 0
        holds += float(result.largest.lower) <= 0 <= float(result.largest.upper)
        p_small += result.quiet
        assert result.n_tested == 6
    assert any_kept / RUNS <= 0.09  # 0.05 and 2.5 standard errors
    assert 0.90 <= holds / RUNS <= 0.99
    assert p_small == RUNS  # one split cannot be unlikely enough


def test_quiet_in_nearly_all_null_logs() -> None:
    quiet = [placebo_tests(null_drops(seed, alike=0.1), 6, seed=seed).quiet for seed in range(60)]
    assert sum(quiet) >= 57


def test_would_speak_up_if_visits_were_taken_for_independent() -> None:
    """The same visits under two names: each as a customer of its own, and by the customer it belongs to."""
    rng = np.random.default_rng(0)
    visit, zero = np.arange(4000), np.zeros(4000, int)
    customer = visit // 20
    drop = rng.binomial(1, rng.choice([0.1, 0.9], 200)[customer])
    halves = random_halves(200, 100, 1)
    by_visit = DropCounts(visit, zero, zero, zero, zero + 1, zero + 1, drop, 4000, None, None, 1)
    by_customer = DropCounts(customer, zero, zero, zero, zero + 1, zero + 1, drop, 200, None, None, 1)
    assert (_tests_of(by_visit, halves[customer]).p_value < 0.05).mean() > 0.4
    assert (_tests_of(by_customer, halves).p_value < 0.05).mean() < 0.12


def test_same_for_any_order_of_rows() -> None:
    drops = null_drops(3)
    order = np.random.default_rng(0).permutation(len(drops.unit))
    shuffled = DropCounts(
        *(getattr(drops, name)[order] for name in ("unit", "cell", "state", "slice", "n_all", "n", "drops")),
        drops.n_units,
        None,
        None,
        1,
    )
    a, b = placebo_tests(drops, 6), placebo_tests(shuffled, 6)
    assert (a.n_tested, a.n_kept, a.state) == (b.n_tested, b.n_kept, b.state)
    assert float(a.largest.estimate) == pytest.approx(float(b.largest.estimate), abs=ROUNDING)


def test_nothing_to_test() -> None:
    unit, zero = np.arange(50), np.zeros(50, int)
    drops = DropCounts(unit, zero, zero, zero, zero + 1, zero + 1, zero, 50, None, None, 1)
    result = placebo_tests(drops, 1)
    assert (result.n_tested, result.n_kept, result.state, result.quiet) == (0, 0, -1, True)
    assert np.isnan(result.largest.estimate)
    with pytest.raises(OptionError, match="repeats is 0"):
        placebo_tests(drops, 1, repeats=0)


def test_scopes_are_the_two_halves() -> None:
    drops = null_drops(4)
    scope, reference = placebo_scopes(drops, 2, seed=1)
    here = drops.of_state(2)
    assert scope.n.sum() + reference.n.sum() == here.n.sum()
    assert scope.drops.sum() + reference.drops.sum() == here.drops.sum()
    assert not set(scope.unit.tolist()) & set(reference.unit.tolist())
    assert abs(len(set(scope.unit.tolist())) - len(set(reference.unit.tolist()))) <= 1
