"""Long waits against short ones: known harm is found, chance and the mix of customers are not."""

from __future__ import annotations

import numpy as np
import pytest

from journeymine.counts.waits import TrialCounts
from journeymine.fixes.causal.trials import carry_over


def trials(
    unit: np.ndarray, cell: np.ndarray, attempt: np.ndarray, long: np.ndarray, won: np.ndarray
) -> TrialCounts:
    zero = np.zeros(len(unit), np.int64)
    return TrialCounts(
        unit, cell, zero, attempt, zero, long, zero + 1, won.astype(np.int64), int(unit.max()) + 1
    )


def simulated(n: int, harm: float, seed: int, *, per_customer: int = 1) -> TrialCounts:
    """Cells differ in conversion and in how often waits are long; customers in how often they convert."""
    rng = np.random.default_rng(seed)
    cell, attempt = rng.integers(0, 2, n), rng.integers(1, 4, n)
    own = np.repeat(rng.normal(0, 0.15, -(-n // per_customer)), per_customer)[:n] if per_customer > 1 else 0.0
    long = rng.random(n) < 0.3 + 0.4 * cell
    won = rng.random(n) < np.clip(0.3 + 0.3 * cell - harm * long + own, 0, 1)
    return trials(np.arange(n) // per_customer, cell, attempt, long, won)


def test_by_hand() -> None:
    """Two strata, weighted as by Mantel and Haenszel."""
    n = {(0, True): (40, 10), (0, False): (60, 30), (1, True): (90, 63), (1, False): (30, 24)}
    cell, long, won = (
        np.concatenate(
            [
                np.full(size, f(key, hits)) if i < 2 else np.arange(size) < hits
                for key, (size, hits) in n.items()
            ]
        )
        for i, f in enumerate((lambda k, _: k[0], lambda k, _: k[1], lambda *_: 0))
    )
    found = carry_over(trials(np.arange(220), cell, cell * 0 + 1, long, won), 0)
    assert found is not None
    weight = np.array([40 * 60 / 100, 90 * 30 / 120])
    gap = np.array([10 / 40 - 30 / 60, 63 / 90 - 24 / 30])
    assert float(found.difference.estimate) == pytest.approx((weight * gap).sum() / weight.sum(), rel=1e-12)
    assert int(found.difference.n) == 130


def test_harm_is_found_and_the_mix_is_not() -> None:
    """Where waits are longer more convert: without strata the harm of 0.1 would look like a gain."""
    harmed = simulated(6_000, 0.1, 0)
    crude = [harmed.n_converted[harmed.long == side].mean() for side in (True, False)]
    assert crude[0] > crude[1]
    found = carry_over(harmed, 0)
    assert found is not None
    assert found.flagged
    assert found.difference.lower < -0.1 < found.difference.upper


def test_the_flag_is_as_rare_as_it_says() -> None:
    """400 logs without harm, four trials a customer who is alike in all: 1 % flagged, at most 11 with p = 0.997."""
    found = [carry_over(simulated(400, 0.0, seed, per_customer=4), 0) for seed in range(400)]
    assert sum(result is not None and result.flagged for result in found) <= 11
    covered = [r is not None and r.difference.lower <= 0 <= r.difference.upper for r in found]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.035)


def test_other_activities_and_one_sided_strata_say_nothing() -> None:
    data = simulated(200, 0.1, 1)
    assert carry_over(data, 7) is None
    ones = np.ones(50, np.int64)
    one_sided = trials(np.arange(50), ones * 0, ones, ones > 0, np.arange(50) % 2 == 0)
    assert carry_over(one_sided, 0) is None
