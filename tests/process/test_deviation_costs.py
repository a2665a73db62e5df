from __future__ import annotations

import numpy as np
import pytest

from journeymine.counts.conformance import ProfileCounts
from journeymine.process.deviation_costs import (
    classes,
    estimate_differences,
    fitness,
    found_deviations,
    shares,
    sides_of,
)
from journeymine.process.deviations import ComparedPaths, Deviation


def compared(**changes):
    """Two profiles: with the deviation, and without."""
    flags = np.array([False, True])
    fields = {
        "cost": np.array([1, 0]),
        "worst": np.array([8, 8]),
        "complete": flags,
        "listed": (Deviation("skipped", "b"),),
        "n_listed": np.array([1]),
        "n_found": 1,
        "profile": np.array([0, 1]),
        "kept": flags,
        "whole_run": flags,
        "has": ~flags[:, None],
        "departs": ~flags[:, None],
        "keeps": flags[:, None],
    }
    return ComparedPaths(**{**fields, **changes})


def counts(rows, n_units, **changes):
    """From rows (unit, cell, state, profile, n, n_timed, time_s)."""
    columns = [np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)]
    return ProfileCounts(*columns, n_units=n_units, **changes)


def world(rng, n_customers=300, gap=-0.15):
    """Customers of two cells that differ in conversion and in how often they deviate: crude rates are confounded."""
    rows = []
    for unit in range(n_customers):
        cell = int(rng.random() < 0.5)
        taste = rng.normal(0, 0.05)
        for _ in range(rng.integers(1, 4)):
            with_it = rng.random() < (0.6, 0.2)[cell]
            rate = (0.3, 0.7)[cell] + gap * with_it + taste
            won = rng.random() < rate
            time = int(rng.exponential(1000) + 500 * with_it) if won else 0
            rows.append((unit, cell, 0 if won else 1, 0 if with_it else 1, 1, int(won), time))
    return counts(rows, n_customers)


def test_shares_classes_and_fitness():
    table = counts([(0, 0, 0, 0, 3, 3, 30), (1, 0, 1, 1, 5, 0, 0), (2, 0, 2, 1, 2, 0, 0)], 3)
    share = shares(table, np.array([[True, False], [False, True]]))
    assert share.estimate.tolist() == [0.3, 0.7]
    assert share.n.tolist() == [10, 10]
    partly = compared(whole_run=np.array([False, False]))
    assert classes(table, partly) == (0, 5, 2, 3)
    assert classes(table, compared()) == (7, 0, 0, 3)
    assert fitness(compared(), np.array([1, 3])) == pytest.approx(1 - 1 / 32)


def test_differences_are_those_of_a_plain_standardisation():
    table = world(np.random.default_rng(4), 2000)
    found = found_deviations(table, compared(), np.array([0, 1]), has_goal=True, n_draws=50)[0]
    gaps, times = 0.0, 0.0
    with_it = table.profile == 0
    for cell in (0, 1):
        own, others = (table.cell == cell) & with_it, (table.cell == cell) & ~with_it
        gaps += own.sum() * ((table.state[own] == 0).mean() - (table.state[others] == 0).mean())
        won, lost = own & (table.state == 0), others & (table.state == 0)
        times += won.sum() * (table.time_s[won].mean() - table.time_s[lost].mean())
    assert float(found.conversion.estimate) == pytest.approx(gaps / with_it.sum(), abs=0.005)
    assert float(found.time_s.estimate) == pytest.approx(
        times / (with_it & (table.state == 0)).sum(), rel=0.02
    )
    # The crude difference is far off: cells that deviate more convert less.
    crude = (table.state[with_it] == 0).mean() - (table.state[~with_it] == 0).mean()
    assert crude < float(found.conversion.lower) < -0.15 < float(found.conversion.upper) < 0
    assert (found.n_with, found.n_without) == (int(with_it.sum()), int((~with_it).sum()))


@pytest.mark.simulation
def test_intervals_cover():
    rng = np.random.default_rng(11)
    hits = np.zeros(2)
    n = 200
    for seed in range(n):
        table = world(rng)
        found = found_deviations(table, compared(), np.array([0, 1]), has_goal=True, n_draws=200, seed=seed)[
            0
        ]
        hits += [
            found.conversion.lower <= -0.15 <= found.conversion.upper,
            found.time_s.lower <= 500 <= found.time_s.upper,
        ]
    assert (hits / n >= 0.90).all(), hits / n


def test_a_side_that_never_converts_is_not_sure():
    rows = [(u, 0, 1, 0, 1, 0, 0) for u in range(40)] + [
        (u, 0, int(u % 2), 1, 1, 0, 0) for u in range(40, 400)
    ]
    table = counts(rows, 400)
    known, won = table.n, np.where(table.state == 0, table.n, 0)
    sides = sides_of(table, compared(), np.array([0]), known, won)
    found = estimate_differences(sides, are_shares=True, n_draws=200)[0]
    assert float(found.estimate) == pytest.approx(-0.5, abs=0.01)
    # Nought of 40 is worth up to 9 %.
    assert float(found.upper) > -0.44
    assert float(found.lower) > -0.56


def test_few_journeys_and_no_goal_give_no_cost():
    rows = [(u, 0, u % 2, 0, 1, 1, 10 + u) for u in range(29)] + [
        (u, 0, u % 2, 1, 1, 1, 10) for u in range(29, 90)
    ]
    found = found_deviations(counts(rows, 90), compared(), np.array([0]), has_goal=True, n_draws=20)[0]
    assert (found.conversion, found.time_s) == (None, None)
    rows = [(u, 0, -1, u % 2, 1, 1, 10 + u) for u in range(90)]
    found = found_deviations(counts(rows, 90), compared(), np.array([0]), has_goal=False, n_draws=20)[0]
    assert found.conversion is None
    assert found.time_s is not None
    assert (found.n_with, found.n_without) == (45, 45)
