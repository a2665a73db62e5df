"""Candidates: planted differences are found, noise is not, and the scopes hold what they say."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from journeymine.fixes.candidates import (
    MAX_VALUES,
    MIN_CUSTOMERS_OF_VALUE,
    OTHER,
    assumed_candidates,
    cell_values,
    find_candidates,
)
from journeymine.fixes.candidates.rows import Row

A = [[0.20, 0.50, 0.00, 0.05, 0.25], [0.10, 0.00, 0.60, 0.00, 0.30], [0.00, 0.15, 0.10, 0.55, 0.20]]
B = [[0.20, 0.50, 0.00, 0.05, 0.25], [0.07, 0.00, 0.38, 0.00, 0.55], [0.00, 0.15, 0.10, 0.55, 0.20]]
DAY_US = 86_400_000_000

Make = Callable[..., Any]


def found_of(found: Any) -> list[Any]:
    return [c for c in found.candidates if c.kind != "assumed"]


def test_a_planted_segment_is_found(fix_world: Make) -> None:
    names = [("web", "fr"), ("app", "fr"), ("web", "de"), ("app", "de")]
    world = fix_world([A, B, A, B], 2400, cell_names=names, n_slices=1, seed=1)
    found = find_candidates(world.chain, world.drops)
    (fix,) = found_of(found)
    assert (fix.state, fix.kind, fix.column, fix.value) == (1, "segment", 0, "app")
    assert (fix.fix.id, fix.block) == ("drop_off:S1:column 1=app", "found")
    named = find_candidates(world.chain, world.drops, ("platform", "country"))
    assert found_of(named)[0].fix.id == "drop_off:S1:platform=app"
    # One test a state and column; periods too, unless there is a single one.
    assert {(row.state, row.column) for row in found.tests if row.column is not None} == {
        (state, column) for state in range(3) for column in range(2)
    }
    assert found.n_kept == 1
    here = world.drops.of_state(1)
    app = np.isin(here.cell, [1, 3])
    assert fix.scope.n.sum() == here.n[app].sum()
    assert fix.reference.n.sum() == here.n[~app].sum()
    assert fix.everywhere.drops.sum() == here.drops.sum()


def test_a_planted_incident_is_found(fix_world: Make) -> None:
    def broken(cell: int, at: int, matrix: np.ndarray) -> np.ndarray:
        return np.array(B) if 12 <= at < 17 else matrix

    world = fix_world([A], 4000, n_slices=30, change=broken, seed=3)
    found = find_candidates(world.chain, world.drops)
    fixes = found_of(found)
    assert [(fix.state, fix.kind, fix.fix.kind) for fix in fixes] == [(1, "period", "incident")]
    assert fixes[0].fix.period_us == fixes[0].period_us
    assert fixes[0].fix.id.startswith("incident:S1:1970-01-1")
    assert fixes[0].column is None
    first, last = (edge / DAY_US for edge in fixes[0].period_us)
    assert abs(first - 12) <= 1
    assert abs(last - 17) <= 1
    assert not fixes[0].ongoing


def test_an_incident_that_goes_on(fix_world: Make) -> None:
    def broken(cell: int, at: int, matrix: np.ndarray) -> np.ndarray:
        return np.array(B) if at >= 22 else matrix

    world = fix_world([A], 4000, n_slices=30, change=broken, seed=0)
    (fix,) = found_of(find_candidates(world.chain, world.drops))
    assert fix.ongoing
    assert fix.period_us[1] == 30 * DAY_US


def test_noise_is_not_found(fix_world: Make) -> None:
    """Thirty worlds in which neither segments nor time matter, eight tests each, at a false discovery rate of 5 %."""
    worlds = [fix_world([A, A, A], 500, n_slices=15, cases_per_unit=2, seed=100 + seed) for seed in range(30)]
    found = [find_candidates(world.chain, world.drops) for world in worlds]
    assert all(len(f.tests) >= 3 for f in found)
    assert sum(f.n_kept > 0 for f in found) <= 4  # 1.5 expected; five or more in 2 % of such batches


def test_assumptions_are_made_of_every_activity_that_loses_some(fix_world: Make) -> None:
    matrix = [[0.0, 0.9, 0.0, 0.1, 0.0], [0.0, 0.0, 0.5, 0.3, 0.2], [0.0, 0.0, 0.0, 0.0, 1.0]]
    world = fix_world([matrix], 300)
    fixes = assumed_candidates(world.chain, world.drops)
    # Nobody drops out after the first, everybody after the last: there is no fifth to save, or nobody to follow.
    assert [fix.state for fix in fixes] == [1]
    assert fixes[0].reference is None
    assert (fixes[0].fix.id, fixes[0].block) == ("drop_off:S1", "assumed")
    assert fixes[0].scope.drops.sum() == world.drops.of_state(1).drops.sum()


def test_rare_values_are_joined(fix_world: Make) -> None:
    world = fix_world([A], 50)
    n_values = MAX_VALUES + 10
    names = tuple((f"v{i:02}", "same") for i in range(n_values))
    customers = np.full(n_values, MIN_CUSTOMERS_OF_VALUE + 5)
    customers[3] = MIN_CUSTOMERS_OF_VALUE - 1
    chain = dataclasses.replace(world.chain, cells=names, cell_customers=customers)
    values = cell_values(chain)
    assert len(values.names[0]) == MAX_VALUES + 1
    assert values.names[0][-1] == OTHER
    assert "v03" not in values.names[0]
    assert values.names[1] == ("same",)
    # Ties between values go by name, and every cell has the number of its value.
    assert values.names[0][:-1] == tuple(f"v{i:02}" for i in range(MAX_VALUES + 1) if i != 3)
    for cell, number in enumerate(values.value[:, 0].tolist()):
        assert values.names[0][number] == (names[cell][0] if names[cell][0] in values.names[0] else OTHER)


def test_strata_are_the_crossing_of_the_other_columns(fix_world: Make) -> None:
    world = fix_world([A], 50)
    names = tuple((a, b, c) for a in "xy" for b in "pq" for c in "12")
    chain = dataclasses.replace(world.chain, cells=names, cell_customers=np.full(8, 100))
    values = cell_values(chain)
    assert len(set(values.stratum().tolist())) == 8
    without = values.stratum(1)
    groups = {(name[0], name[2]): set() for name in names}  # type: ignore[var-annotated]
    for name, stratum in zip(names, without.tolist(), strict=True):
        groups[name[0], name[2]].add(stratum)
    assert all(len(strata) == 1 for strata in groups.values())
    assert len(set(without.tolist())) == 4
    single = cell_values(dataclasses.replace(chain, cells=((),), cell_customers=np.array([9])))
    assert single.stratum().tolist() == [0]
    assert single.value.shape == (1, 0)


def test_the_joined_values_are_never_a_fix(fix_world: Make) -> None:
    """Values of few customers together drop out more: they serve in tests, but nobody can act on "(other)"."""
    names = [("big",), *((f"small {i}",) for i in range(6))]
    shares = [0.7, *[0.05] * 6]
    world = fix_world([A, *[B] * 6], 900, cell_names=names, cell_shares=shares, seed=2)
    assert world.chain.cell_customers[1:].max() < MIN_CUSTOMERS_OF_VALUE + 15
    rare = dataclasses.replace(world.chain, cell_customers=np.array([600, *[40] * 6]))
    found = find_candidates(rare, world.drops)
    assert any(row.kept and row.state == 1 and row.column == 0 for row in found.tests)
    assert all(fix.value != OTHER for fix in found.candidates)
    assert found_of(found) == []


def test_the_mix_of_another_column_is_not_taken_for_a_difference(fix_world: Make) -> None:
    """Country only differs because more of its visitors use the app, which is worse."""
    names = [("web", "fr"), ("app", "fr"), ("web", "de"), ("app", "de")]
    world = fix_world([A, B, A, B], 3000, cell_names=names, cell_shares=[0.42, 0.08, 0.08, 0.42], seed=7)
    found = find_candidates(world.chain, world.drops)
    assert {(fix.column, fix.value) for fix in found_of(found)} == {(0, "app")}


@pytest.mark.parametrize("shift", [0, 5])
def test_q_values_are_of_one_family(fix_world: Make, shift: int) -> None:
    from journeymine.uncertainty import benjamini_hochberg

    world = fix_world([A, B], 900, n_slices=10, seed=shift)
    found = find_candidates(world.chain, world.drops)
    p = np.array([row.test.p_value for row in found.tests])
    np.testing.assert_allclose([row.q_value for row in found.tests], benjamini_hochberg(p))
    assert all(row.kept == (row.q_value <= 0.05) for row in found.tests)


@pytest.mark.parametrize(("first", "last"), [(4, 24), (0, 19)])
def test_what_is_broken_most_of_the_time_is_no_incident(fix_world: Make, first: int, last: int) -> None:
    """Twenty days of thirty: it differs over time, but which of both is usual?"""

    def broken(cell: int, at: int, matrix: np.ndarray) -> np.ndarray:
        return np.array(B) if first <= at < last else matrix

    world = fix_world([A], 4000, n_slices=30, change=broken, seed=3)
    found = find_candidates(world.chain, world.drops)
    assert any(row.kept and row.about == "period" for row in found.tests)
    assert found_of(found) == []


def test_an_incident_before_a_change_is_found(fix_world: Make) -> None:
    """Worse from day 13 on, and much worse from day 4 to 7: that stands above what is usual since, too."""
    worse = [row.copy() for row in A]
    worse[1] = [0.02, 0.00, 0.13, 0.00, 0.85]

    def broken(cell: int, at: int, matrix: np.ndarray) -> np.ndarray:
        return np.array(worse) if 4 <= at < 7 else np.array(B) if at >= 13 else matrix

    world = fix_world([A], 6000, n_slices=30, change=broken, seed=3)
    (fix,) = found_of(find_candidates(world.chain, world.drops))
    first, last = (edge / DAY_US for edge in fix.period_us)
    assert abs(first - 4) <= 1
    assert abs(last - 7) <= 1
    here = world.drops.of_state(1)
    inside = (here.slice >= first) & (here.slice < last)
    assert fix.reference.n.sum() == here.n[~inside].sum()


def test_a_short_period_below_what_is_usual_since_is_no_incident(fix_world: Make) -> None:
    """Days 0 to 5 good, 5 to 8 a little worse, much worse from day 10 on: those three days were no incident."""
    worse = [row.copy() for row in A]
    worse[1] = [0.02, 0.00, 0.18, 0.00, 0.80]

    def broken(cell: int, at: int, matrix: np.ndarray) -> np.ndarray:
        return np.array(worse) if at >= 10 else np.array(B) if 5 <= at < 8 else matrix

    world = fix_world([A], 6000, n_slices=30, change=broken, seed=3)
    row = Row(1, "S1", world.drops.of_state(1), cell_values(world.chain), ())
    assert len(row.windows) > 1
    assert row.incidents == []


def test_a_value_that_is_worse_most_of_the_time_is_a_segment(fix_world: Make) -> None:
    """No incident tells of it, so the whole time does."""

    def broken(cell: int, at: int, matrix: np.ndarray) -> np.ndarray:
        return np.array(B) if cell == 1 and at >= 6 else matrix

    world = fix_world([A, A], 4000, cell_names=[("web",), ("app",)], n_slices=30, change=broken, seed=4)
    assert {(c.kind, c.value) for c in found_of(find_candidates(world.chain, world.drops))} == {
        ("segment", "app")
    }
