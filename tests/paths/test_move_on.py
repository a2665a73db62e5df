"""Time until journeys go on, against lifelines and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest

from journeymine.paths.move_on import MoveOn, move_on

EDGES = np.linspace(0.1, 20, 200)
AFTER = 49  # five seconds


def found(time: np.ndarray, moved: np.ndarray, unit: np.ndarray | None = None) -> MoveOn:
    """`time` beyond the last edge: the visit stayed."""
    bins = np.minimum(np.searchsorted(EDGES, time), len(EDGES))
    went = (moved & (bins < len(EDGES))).astype(int)
    result = move_on(np.arange(len(time)) if unit is None else unit, bins, went, 1 - went, EDGES, AFTER)
    assert result is not None
    return result


def sample(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """A third is dropped and never goes on; the others after an exponential time; observation stops at random."""
    time = np.where(rng.random(n) < 1 / 3, np.inf, rng.exponential(4, n))
    stop = rng.uniform(3, 60, n)
    moved = time <= np.minimum(stop, EDGES[-1])
    return np.where(moved, time, np.minimum(stop, 1e9)), moved


def test_it_is_kaplan_and_meiers_curve() -> None:
    from lifelines import KaplanMeierFitter

    time, moved = sample(np.random.default_rng(1), 800)
    curve = KaplanMeierFitter().fit(np.minimum(time, EDGES[-1]), moved)
    result = found(time, moved)
    assert float(result.waiting.estimate) == pytest.approx(curve.predict(EDGES[AFTER]), abs=0.003)
    assert float(result.median_s.estimate) == pytest.approx(curve.median_survival_time_, abs=0.15)
    band = curve.confidence_interval_
    row = band[band.index <= EDGES[AFTER]].iloc[-1]
    assert float(result.waiting.lower) == pytest.approx(row.iloc[0], abs=0.01)
    assert float(result.waiting.upper) == pytest.approx(row.iloc[1], abs=0.01)


@pytest.mark.simulation
def test_truth_is_covered_although_observation_stops_early() -> None:
    rng, runs = np.random.default_rng(2), 300
    truth = 1 / 3 + 2 / 3 * np.exp(-EDGES[AFTER] / 4)
    median = -4 * np.log(1 - 0.75)
    hits = np.zeros(2)
    for _ in range(runs):
        result = found(*sample(rng, 300))
        hits += (
            result.waiting.lower <= truth <= result.waiting.upper,
            result.median_s.lower <= median <= result.median_s.upper,
        )
    assert (hits / runs > 0.92).all()
    assert (hits / runs < 0.985).all()


def test_the_median_is_unknown_if_less_than_half_go_on() -> None:
    time = np.r_[np.ones(4), np.full(6, 99.0)]
    result = found(time, time < 50)
    assert np.isnan(result.median_s.estimate)
    assert float(result.waiting.estimate) == pytest.approx(0.6)
    assert float(result.waiting_movers.estimate) == 0.0


def test_visits_of_one_unit_go_together() -> None:
    time = np.repeat([1.0, 10.0] * 10, 10)
    alone, together = found(time, time < 50), found(time, time < 50, np.repeat(np.arange(20), 10))
    assert float(alone.waiting.estimate) == float(together.waiting.estimate) == pytest.approx(0.5)
    width = [float(r.waiting.upper - r.waiting.lower) for r in (alone, together)]
    assert width[1] > 2.5 * width[0]


def test_nobody_at_the_step() -> None:
    nothing = np.zeros(0, int)
    assert move_on(nothing, nothing, nothing, nothing, EDGES, AFTER) is None
