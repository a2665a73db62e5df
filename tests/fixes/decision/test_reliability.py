"""Reliability of stated probabilities: the line is right for statements with known truth."""

from __future__ import annotations

import numpy as np
import pytest

from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.fixes.decision.reliability import reliability


def test_the_line_is_that_of_numpy() -> None:
    rng = np.random.default_rng(0)
    p, y = rng.uniform(size=300), rng.integers(0, 2, 300).astype(float)
    slope, intercept = np.polyfit(p, y, 1)
    found = reliability(p, y)
    assert found.slope.estimate == pytest.approx(slope)
    assert found.intercept.estimate == pytest.approx(intercept)
    assert found.brier == pytest.approx(((p - y) ** 2).mean())


@pytest.mark.parametrize("factor", [0.5, 1.0])
def test_overconfidence_is_the_slope(factor: float) -> None:
    """What happens moves by half of what was said: slope 0.5."""
    rng = np.random.default_rng(1)
    p = rng.uniform(size=10_000)
    y = (rng.uniform(size=10_000) < 0.5 + factor * (p - 0.5)).astype(float)
    found = reliability(p, y)
    # Four standard errors of 40,000 statements.
    assert found.slope.estimate == pytest.approx(factor, abs=0.07)
    assert found.slope.lower < factor < found.slope.upper
    np.testing.assert_allclose(found.happened.estimate, 0.5 + factor * (found.said - 0.5), atol=0.06)
    assert found.happened.n.sum() == 10_000


def test_intervals_are_over_worlds() -> None:
    """The same statements ten times over in the same world are no more than once."""
    rng = np.random.default_rng(2)
    p = rng.uniform(size=200)
    y = (rng.uniform(size=200) < p).astype(float)
    once = reliability(p, y, np.arange(200))
    tenfold = reliability(np.tile(p, 10), np.tile(y, 10), np.tile(np.arange(200), 10))
    assert tenfold.slope.estimate == pytest.approx(float(once.slope.estimate))
    assert tenfold.slope.lower == pytest.approx(float(once.slope.lower))
    assert tenfold.slope.n.item() == 200


def test_intervals_cover() -> None:
    rng, runs, held = np.random.default_rng(3), 120, 0
    for _ in range(runs):
        p = rng.dirichlet(np.ones(4), size=60)
        y = np.array([rng.multinomial(1, row) for row in p], dtype=float)
        found = reliability(p.ravel(), y.ravel(), np.repeat(np.arange(60), 4))
        held += bool(found.slope.lower <= 1 <= found.slope.upper)
    # Percentile intervals of 60 worlds: a little narrow; three standard errors.
    assert 0.87 <= held / runs <= 0.99


def test_what_cannot_be_scored() -> None:
    with pytest.raises(NotEnoughDataError, match="same probability"):
        reliability(np.full(5, 0.2), np.array([1.0, 0, 0, 0, 0]))
    with pytest.raises(OptionError, match="between 0 and 1"):
        reliability(np.array([0.2, 1.2]), np.array([1.0, 0.0]))
    with pytest.raises(OptionError, match="shape"):
        reliability(np.array([0.2, 0.8]), np.array([1.0]))
