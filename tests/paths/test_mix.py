"""Who came and what they did: Kitagawa by hand where every outcome is known, exact sums, honest support."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.counts.compare import DROPPED, Groups, MoveCounts
from journeymine.paths.mix import Mix, split_difference

GOAL = 4
Journey = tuple[int, int, int, tuple[int, ...]]
"""Customer, group, cell, activities; conversion is ending in GOAL."""


def counts_of(journeys: list[Journey], n_units: int) -> tuple[MoveCounts, Groups]:
    """Counts of journeys whose outcomes are all known."""
    moves: Counter[tuple[int, ...]] = Counter()
    starts: Counter[tuple[int, ...]] = Counter()
    for unit, group, cell, path in journeys:
        starts[unit, group, cell, path[0]] += 1
        for here, there in zip(path, (*path[1:], DROPPED), strict=True):
            if here != GOAL:
                moves[unit, group, cell, path[0], here, there] += 1
    m = np.array(sorted(moves, key=lambda key: (key[4], key)))
    s = np.array(sorted(starts))
    counts = MoveCounts(
        activities=("A", "B", "C", "D", "Goal"), unit=m[:, 0], cell=m[:, 2], begin=m[:, 3], slot=m[:, 1],
        late=np.zeros(len(m), int), source=m[:, 4], target=m[:, 5], n=np.array([moves[tuple(x)] for x in m.tolist()]),
        start_unit=s[:, 0], start_cell=s[:, 2], start_begin=s[:, 3], start_slot=s[:, 1],
        start_at_goal=(s[:, 3] == GOAL).astype(int), start_n=np.array([starts[tuple(x)] for x in s.tolist()]),
        segments=(), cells=(), goal=(GOAL,), n_units=n_units,
    )  # fmt: skip
    return counts, Groups(m[:, 1], s[:, 1], m[:, 2], s[:, 2])


def drawn(
    seed: int, n: int, *, drop_a: float = 0.2, cells: tuple[float, float] = (0.3, 0.6), n_units: int = 0
) -> list[Journey]:
    """Journeys of two groups; the second cell drops out more, and group A comes from it more or less often."""
    rng = np.random.default_rng(seed)
    out = []
    for i in range(n):
        group = i % 2
        cell = int(rng.random() < cells[group])
        path = [int(rng.integers(0, 2))]
        while path[-1] != GOAL and len(path) < 30:
            drop = (drop_a if group == 0 and path[-1] == 1 else 0.2) + 0.3 * cell
            if rng.random() < drop:
                break
            path.append(int(rng.choice([0, 1, 2, 3, GOAL])))
        out.append((int(rng.integers(0, n_units)) if n_units else i, group, cell, tuple(path)))
    return out


def split(journeys: list[Journey], n_units: int = 0, **options: int) -> Mix:
    found = split_difference(*counts_of(journeys, n_units or len(journeys)), **options)
    assert found is not None
    return found


def kitagawa(journeys: list[Journey]) -> tuple[float, float]:
    """Composition and behaviour by a plain loop, over cells and first activities."""
    cell: dict[tuple[int, int], list[list[int]]] = defaultdict(lambda: [[], []])
    for _, group, c, path in journeys:
        cell[c, path[0]][group].append(int(path[-1] == GOAL))
    n = [sum(len(both[g]) for both in cell.values()) for g in (0, 1)]
    composition = behaviour = 0.0
    for both in cell.values():
        share = [len(both[g]) / n[g] for g in (0, 1)]
        rate = [sum(both[g]) / len(both[g]) for g in (0, 1)]
        composition += (share[0] - share[1]) * (rate[0] + rate[1]) / 2
        behaviour += (share[0] + share[1]) / 2 * (rate[0] - rate[1])
    return composition, behaviour


def test_known_outcomes_give_kitagawas_decomposition() -> None:
    journeys = drawn(1, 2000, drop_a=0.4)
    found = split(journeys, n_draws=20)
    composition, behaviour = kitagawa(journeys)
    assert found.composition.estimate == pytest.approx(composition, abs=1e-6)
    assert found.behaviour.estimate == pytest.approx(behaviour, abs=1e-6)
    assert found.compared == pytest.approx(1)
    won = [[path[-1] == GOAL for _, g, _, path in journeys if g == group] for group in (0, 1)]
    assert found.conversion_a.estimate == pytest.approx(np.mean(won[0]), abs=1e-6)
    assert found.conversion_b.estimate == pytest.approx(np.mean(won[1]), abs=1e-6)


def test_the_parts_add_up() -> None:
    found = split(drawn(2, 1500, drop_a=0.45), n_draws=20)
    total = found.conversion_a.estimate - found.conversion_b.estimate
    assert found.difference.estimate == pytest.approx(total, abs=1e-12)
    assert found.composition.estimate + found.behaviour.estimate == pytest.approx(total, abs=1e-12)
    assert found.contribution.estimate.sum() == pytest.approx(found.behaviour.estimate, abs=1e-9)
    worst = found.activities[int(np.argmin(found.contribution.estimate))]
    assert worst == "B"
    assert found.to_frame()["activity"].iloc[0] == "B"


def test_a_shift_in_who_comes_is_composition() -> None:
    found = split(drawn(3, 4000, cells=(0.8, 0.2)))
    assert found.composition.upper < -0.05
    assert found.behaviour.lower < 0 < found.behaviour.upper


def test_a_change_of_what_they_do_is_behaviour() -> None:
    found = split(drawn(4, 4000, drop_a=0.5, cells=(0.4, 0.4)))
    assert found.behaviour.upper < -0.03
    assert found.composition.lower < 0 < found.composition.upper


def test_groups_exchanged() -> None:
    journeys = drawn(5, 800, drop_a=0.4)
    one = split(journeys, n_draws=30)
    other = split([(u, 1 - g, c, path) for u, g, c, path in journeys], n_draws=30)
    for name in ("difference", "composition", "behaviour"):
        x, y = getattr(one, name), getattr(other, name)
        assert y.estimate == pytest.approx(-x.estimate, abs=1e-9)
        assert (y.lower, y.upper) == pytest.approx((-x.upper, -x.lower), abs=1e-9)
    assert other.contribution.estimate == pytest.approx(-one.contribution.estimate, abs=1e-9)


def test_kinds_of_journeys_of_one_group_are_composition() -> None:
    journeys = [(u, g, c + 2 * g, path) for u, g, c, path in drawn(6, 600)]
    found = split(journeys, n_draws=20)
    assert found.compared == 0
    assert found.behaviour.at() is None
    assert found.difference.at() is not None
    assert "compared: 0.0%" in repr(found)


def test_journeys_that_begin_at_the_goal_count() -> None:
    journeys = drawn(7, 400)
    journeys += [(len(journeys) + i, i % 2, 0, (GOAL,)) for i in range(100)]
    found = split(journeys, n_draws=20)
    composition, behaviour = kitagawa(journeys)
    assert found.difference.estimate == pytest.approx(composition + behaviour, abs=1e-6)


def test_customers_with_many_journeys_make_intervals_wide() -> None:
    journeys = drawn(8, 300)
    alike = [(u, g, c, path) for u, g, c, path in journeys for _ in range(5)]
    one_each = [(i, g, c, path) for i, (_, g, c, path) in enumerate(alike)]
    wide, alone = split(alike, n_units=300), split(one_each)
    assert wide.difference.estimate == pytest.approx(alone.difference.estimate, abs=1e-12)
    ratio = (wide.difference.upper - wide.difference.lower) / (
        alone.difference.upper - alone.difference.lower
    )
    assert 1.8 < ratio < 2.7  # the root of 5


def test_intervals_hold_the_truth() -> None:
    truth = split(drawn(99, 20_000, drop_a=0.35), n_draws=2)
    held = []
    for seed in range(50):
        found = split(drawn(1000 + seed, 500, drop_a=0.35), n_draws=60)
        for name in ("difference", "composition", "behaviour"):
            part = getattr(found, name)
            held.append(part.lower <= getattr(truth, name).estimate <= part.upper)
    assert np.mean(held) > 0.88


def test_without_a_goal_or_without_journeys_there_is_nothing_to_split() -> None:
    counts, groups = counts_of(drawn(9, 100), 100)
    one_group = Groups(
        np.zeros_like(groups.move), np.zeros_like(groups.start), groups.move_stratum, groups.start_stratum
    )
    assert split_difference(counts, one_group) is None


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 60))
def test_small_logs_never_break_it(seed: int, n: int) -> None:
    found = split_difference(*counts_of(drawn(seed, n, n_units=3), 3), n_draws=10)
    if found is None:
        return
    total = found.conversion_a.estimate - found.conversion_b.estimate
    assert found.difference.estimate == pytest.approx(total)
    assert -1 <= found.difference.lower <= found.difference.upper <= 1
    assert len(repr(found).splitlines()) <= 12
