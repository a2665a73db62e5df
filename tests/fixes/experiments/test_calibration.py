"""The line of true over predicted effects: by hand, by integration, and recovered from simulated tests."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate

from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.fixes.experiments.calibration import calibrate
from journeymine.fixes.experiments.past import PastTest

# The grid has 121 slopes and 31 spreads; the integration below has thousands of points.
GRID = 2e-3


def past_of(
    n: int, seed: int, slope: float = 0.75, spread: float = 0.2, offset: float = 0.0
) -> list[PastTest]:
    """Past tests of a world with a known line; the prediction has an error of its own."""
    rng = np.random.default_rng([seed, 9])
    hidden = rng.uniform(0.004, 0.03, n)
    true = offset + (slope + spread * rng.normal(size=n)) * hidden
    predicted = hidden + 0.0008 * rng.normal(size=n)
    measured = true + 0.0015 * rng.normal(size=n)
    return [
        PastTest.of(f"fix {i}", float(predicted[i]), 0.0008, float(measured[i]), 0.0015) for i in range(n)
    ]


def test_without_tests_it_is_the_assumption() -> None:
    line = calibrate([], unit=0.02)
    # Normal with mean 0.6 and standard deviation 0.2; E[t^2] of the half-normal prior is its scale squared.
    assert (line.moments.slope, line.moments.slope_var) == pytest.approx((0.6, 0.04), rel=1e-3)
    assert line.moments.spread2 == pytest.approx(0.15**2, rel=1e-3)
    assert (line.moments.offset, line.moments.offset_var) == (0.0, 0.0)
    assert line.assumed
    assert "assumption" in str(line)
    with pytest.raises(NotEnoughDataError, match="no past test"):
        calibrate([])
    with pytest.raises(NotEnoughDataError, match="no effect"):
        calibrate([PastTest.of("a", 0.0, 0.001, 0.01, 0.001)])


@pytest.mark.parametrize("measured", [-0.005, 0.0, 0.008, 0.03])
def test_one_test_moves_the_line_as_integration_says(measured: float) -> None:
    m, s, se = 0.02, 0.004, 0.002
    line = calibrate([PastTest.of("a", m, s, measured, se)])

    def density(t: float, b: float) -> float:
        size = math.sqrt((b * s) ** 2 + t**2 * (m**2 + s**2) + se**2)
        squares = ((measured - b * m) / size) ** 2 + ((b - 0.6) / 0.2) ** 2 + (t / 0.15) ** 2
        return math.exp(-0.5 * squares) / size

    def mean_of(value) -> float:  # type: ignore[no-untyped-def]
        whole = integrate.dblquad(lambda t, b: value(t, b) * density(t, b), -0.4, 1.6, 0, 0.6, epsrel=1e-6)[0]
        return whole / integrate.dblquad(density, -0.4, 1.6, 0, 0.6, epsrel=1e-6)[0]

    mean = mean_of(lambda _, b: b)
    square, spread2 = mean_of(lambda _, b: b * b), mean_of(lambda t, _: t * t)
    assert line.moments.slope == pytest.approx(mean, abs=GRID)
    if measured == -0.005:
        # The number that test_posterior computes with.
        assert mean == pytest.approx(0.3204, abs=1e-4)
    assert line.moments.slope_var == pytest.approx(square - mean**2, abs=GRID)
    assert line.moments.spread2 == pytest.approx(spread2, abs=GRID)


def test_an_exact_prediction_by_hand() -> None:
    """Four tests of predictions without error: normal prior times normal likelihood, apart from the spread.

    y / m = 0.9 with the standard error 0.1 each, against 0.6 with 0.2: (0.6 / 0.04 + 4 * 0.9 / 0.01) / (1 / 0.04 +
    4 / 0.01) = 375 / 425 = 0.882. The spread that cannot be excluded takes a little away.
    """
    past = [PastTest.of(f"{i}", 0.02, 0.0, 0.018, 0.002) for i in range(4)]
    line = calibrate(past)
    assert 0.85 < line.moments.slope < 0.882


def test_many_tests_find_the_line() -> None:
    found = calibrate(past_of(60, 1))
    assert not found.assumed
    # Four standard errors of a slope with the spread 0.2 over 60 tests, and what the prior pulls.
    assert float(found.slope.estimate) == pytest.approx(0.75, abs=0.12)
    assert float(found.spread.estimate) == pytest.approx(0.2, abs=0.06)
    assert found.intercept.lower <= 0 <= found.intercept.upper
    assert found.slope.lower < 0.75 < found.slope.upper
    assert "by 60 past tests" in str(found)


def test_intervals_cover_the_truth() -> None:
    """Worlds drawn from the prior: then the posterior covers as often as it says."""
    rng = np.random.default_rng(12)
    hit = []
    for seed in range(60):
        slope, spread = 0.6 + 0.2 * rng.normal(), abs(0.15 * rng.normal())
        found = calibrate(past_of(12, seed, slope, spread))
        hit.append(
            [
                found.slope.lower <= slope <= found.slope.upper,
                found.spread.lower <= spread <= found.spread.upper,
            ]
        )
    slope_share, spread_share = np.mean(hit, axis=0)
    # Three standard errors of 0.95 over 60 worlds are 0.084.
    assert slope_share >= 0.95 - 0.084
    assert spread_share >= 0.95 - 0.084


def test_an_offset_is_found() -> None:
    found = calibrate(past_of(80, 3, slope=0.7, spread=0.05, offset=-0.0015))
    assert found.intercept.upper < 0
    assert float(found.intercept.estimate) == pytest.approx(-0.0015, abs=0.001)


def test_kinds_have_slopes_that_lean_on_the_others() -> None:
    past = past_of(20, 4, slope=0.9, spread=0.05) + [
        PastTest.of(f"loop {i}", 0.02, 0.001, 0.006, 0.001, kind="loop") for i in range(3)
    ]
    all_, drop, loop, new = (
        float(calibrate(past, kind).slope.estimate) for kind in (None, "drop_off", "loop", "wait")
    )
    assert loop < all_ < drop + 1e-9
    # Loops brought 0.3 of what was predicted, others 0.9; a kind never tested has the slope of the others, less surely.
    assert 0.25 < loop < 0.6
    known, unknown = (calibrate(past, kind).moments.slope_var for kind in ("drop_off", "wait"))
    assert unknown > known
    assert new == pytest.approx(all_, abs=0.1)


def test_fat_tails_leave_surprises_to_single_fixes() -> None:
    """One idea that was worth four times its prediction moves the line less where that is allowed to happen."""
    past = [*past_of(12, 5, slope=0.6, spread=0.05), PastTest.of("luck", 0.01, 0.0008, 0.04, 0.0015)]
    normal, fat = (float(calibrate(past, tails=tails).slope.estimate) for tails in (None, 3.0))
    assert abs(fat - 0.6) < abs(normal - 0.6)
    with pytest.raises(OptionError, match="tails"):
        calibrate(past, tails=2.0)


def test_an_absolute_spread_is_the_same_for_all() -> None:
    line = calibrate([PastTest.of("a", 0.02, 0.002, 0.012, 0.002)], spread="absolute")
    assert line.moments.spread_var(0.001, 0.0) == line.moments.spread_var(0.05, 0.01)
    relative = calibrate([PastTest.of("a", 0.02, 0.002, 0.012, 0.002)])
    assert relative.moments.spread_var(0.001, 0.0) < line.moments.spread_var(0.001, 0.0)
    with pytest.raises(OptionError, match="spread"):
        calibrate([], unit=1.0, spread="wide")  # type: ignore[arg-type]


def test_the_order_of_the_tests_and_their_unit_do_not_matter() -> None:
    past = past_of(9, 6)
    scaled = [
        PastTest.of(t.fix_id, 100 * t.predicted, 100 * t.predicted_sd, 100 * t.measured, 100 * t.measured_sd)
        for t in past
    ]
    one, other, points = calibrate(past), calibrate(past[::-1]), calibrate(scaled)
    assert one.moments.slope == pytest.approx(other.moments.slope, abs=1e-12)
    assert one.moments.slope == pytest.approx(points.moments.slope, abs=1e-9)
    assert 100 * one.moments.offset == pytest.approx(points.moments.offset, abs=1e-9)
