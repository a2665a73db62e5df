"""Positivity: against a rule spelled out in loops, and worlds where a segment never comes to a state."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from journeymine.counts.chain import GOAL, ChainCounts, DropCounts
from journeymine.fixes.causal.overlap import overlap_of

CELLS = (("mobile", "ads"), ("mobile", "search"), ("desktop", "ads"), ("desktop", "search"))


def counts_of(
    starts: list[int], visits: list[int], *, cells: tuple[tuple[str, ...], ...] = CELLS, each: int = 1
) -> tuple[ChainCounts, DropCounts]:
    """Customers who start once each; the first of each cell visit state 0, `each` times."""
    first = np.concatenate([[0], np.cumsum(starts)])[:-1]
    cell = np.repeat(np.arange(len(starts)), starts)
    unit = np.arange(len(cell))
    one, zero = np.ones_like(unit), np.zeros_like(unit)
    counts = ChainCounts(
        ("s",),
        np.array([0]),
        unit,
        cell,
        zero,
        zero + GOAL,
        one,
        zero.astype(float),
        unit,
        cell,
        zero,
        one,
        cells,
        np.array(starts),
        len(unit),
    )
    who = np.concatenate([first[c] + np.arange(v // each) for c, v in enumerate(visits)]).astype(np.int64)
    n = np.full(len(who), each)
    none = np.zeros_like(who)
    drops = DropCounts(who, cell[who], none, none, n, n, none, len(unit), None, None, 1)
    return counts, drops


def test_segment_that_never_comes() -> None:
    counts, drops = counts_of([400, 300, 500, 300], [0, 0, 150, 90])
    found = overlap_of(counts, drops, 0)
    assert found.cells_without == ("mobile, ads", "mobile, search")
    assert found.values_without == ((0, "mobile"),)
    assert found.share == pytest.approx(800 / 1500)


def test_value_is_judged_where_its_cells_are_too_small() -> None:
    cells = tuple(("mobile" if i < 8 else "desktop", str(i)) for i in range(12))
    counts, drops = counts_of([30] * 8 + [300] * 4, [0] * 8 + [150] * 4, cells=cells)
    found = overlap_of(counts, drops, 0)
    assert found.values_without == ((0, "mobile"),)
    assert found.without.tolist() == [True] * 8 + [False] * 4


def test_fewer_visits_are_no_reason() -> None:
    """A fifth of the visits of the others is few, and enough to learn from."""
    counts, drops = counts_of([1000, 1000, 1000, 1000], [60, 300, 300, 300])
    assert overlap_of(counts, drops, 0).share == 1.0


def test_none_by_chance_is_no_reason() -> None:
    """A rare state that a small cell misses: three visits were to be expected."""
    counts, drops = counts_of([60, 1000, 1000, 1000], [0, 50, 50, 50])
    assert overlap_of(counts, drops, 0).share == 1.0


def test_few_customers_are_not_judged() -> None:
    counts, drops = counts_of([49, 1000, 1000, 1000], [0, 990, 990, 990])
    assert not overlap_of(counts, drops, 0).without[0]


@pytest.mark.parametrize("visits", [0, 1, 4, 8, 12, 20, 40])
def test_limit_is_that_of_garwood(visits: int) -> None:
    """Poisson: the mean at which so few visits come in one log of a hundred."""
    counts, drops = counts_of([1000, 1000], [visits, 800], cells=(("a",), ("b",)))
    mean = 0.1 * 0.8 * 1000
    expected = stats.poisson.cdf(visits, mean) < 0.01
    assert overlap_of(counts, drops, 0).without[0] == expected


def test_visits_of_one_customer_are_not_many() -> None:
    """Eight visits by eight customers are surely too few; eight of one could be chance."""
    apart = overlap_of(*counts_of([500, 500], [8, 400], cells=(("a",), ("b",))), 0)
    together = overlap_of(*counts_of([500, 500], [8, 400], cells=(("a",), ("b",)), each=8), 0)
    assert apart.cells_without == ("a",)
    assert together.cells_without == ()
    rare, drops_rare = counts_of([1500, 500], [0, 200], cells=(("a",), ("b",)), each=1)
    lumps, drops_lumps = counts_of([1500, 500], [0, 200], cells=(("a",), ("b",)), each=100)
    assert overlap_of(rare, drops_rare, 0).without[0]
    assert not overlap_of(lumps, drops_lumps, 0).without[0]


def test_false_alarms_are_rare() -> None:
    """Cells that come at a third of the rate of the others, seldom: no cell is ever called empty."""
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(300):
        visits = rng.poisson([10, 30, 30, 30]).tolist()
        alarms += int(overlap_of(*counts_of([300] * 4, visits), 0).without.any())
    assert alarms == 0
