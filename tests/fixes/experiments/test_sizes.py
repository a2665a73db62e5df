"""Sizes of tests: against statsmodels, by simulation, and where they are refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import normal_power_het

from journeymine.errors import OptionError
from journeymine.fixes.experiments.sizes import (
    detectable,
    events_of_hazards,
    normal_sum,
    power_of,
    sizes_of_arms,
)

# One customer more or less changes the power of a test of this size by less than this.
ONE_CUSTOMER = 2e-3
# Three standard errors of a share of 0.8 over 4,000 simulated tests.
SIMULATION = 0.02


@pytest.mark.parametrize(("baseline", "effect"), [(0.1, 0.02), (0.55, 0.05), (0.02, 0.004), (0.8, 0.03)])
@pytest.mark.parametrize("power", [0.8, 0.9])
def test_size_gives_the_power_that_statsmodels_finds(baseline: float, effect: float, power: float) -> None:
    n, same = sizes_of_arms(baseline, effect, power=power)
    p2 = baseline + effect
    size = math.sqrt(baseline * (1 - baseline) + p2 * (1 - p2))
    found = normal_power_het(effect, n, 0.05, std_null=size, std_alternative=size, alternative="two-sided")
    assert n == same
    assert found == pytest.approx(power, abs=ONE_CUSTOMER)
    assert power_of(baseline, effect, n, n) == pytest.approx(power, abs=ONE_CUSTOMER)


def test_simulated_tests_find_the_effect_as_often_as_planned() -> None:
    control, treated = sizes_of_arms(0.2, 0.04, holdout=0.3)
    rng = np.random.default_rng(5)
    a, b = rng.binomial(control, 0.2, 4000) / control, rng.binomial(treated, 0.24, 4000) / treated
    z = (b - a) / np.sqrt(a * (1 - a) / control + b * (1 - b) / treated)
    assert (z > stats.norm.ppf(0.975)).mean() == pytest.approx(0.8, abs=SIMULATION)
    assert control / (control + treated) == pytest.approx(0.3, abs=1e-3)


def test_textbook_size() -> None:
    """10 % against 12 %: (1.96 + 0.8416)^2 (0.09 + 0.1056) / 0.02^2 = 7.849 * 489 = 3838.1."""
    assert sizes_of_arms(0.10, 0.02) == (3839, 3839)
    assert normal_sum(0.8, 0.05) == pytest.approx(1.959964 + 0.841621, abs=1e-6)


def test_cuped_multiplies_by_what_is_left_over() -> None:
    plain, adjusted = sizes_of_arms(0.3, 0.01)[0], sizes_of_arms(0.3, 0.01, r_squared=0.4)[0]
    assert adjusted == pytest.approx(0.6 * plain, abs=1)


@given(
    baseline=st.floats(0.01, 0.9),
    effect=st.floats(0.002, 0.09),
    power=st.floats(0.5, 0.95),
    r_squared=st.floats(0, 0.8),
)
def test_what_can_be_detected_is_the_inverse_of_the_size(
    baseline: float, effect: float, power: float, r_squared: float
) -> None:
    n, _ = sizes_of_arms(baseline, effect, power=power, r_squared=r_squared)
    found = detectable(baseline, n, n, power=power, r_squared=r_squared)
    assert found is not None
    # Rounding up to whole customers can only make smaller effects detectable.
    assert found <= effect * (1 + 1e-9)
    assert detectable(baseline, max(n - 1, 1), max(n - 1, 1), power=power, r_squared=r_squared) is None or (
        detectable(baseline, max(n - 1, 1), max(n - 1, 1), power=power, r_squared=r_squared) >= found
    )


def test_too_few_customers_detect_nothing() -> None:
    assert detectable(0.5, 3, 3) is None


def test_events_follow_schoenfeld() -> None:
    """Hazard ratio 1.5: 4 * 7.8489 / 0.4055^2 = 190.97."""
    assert events_of_hazards(1.5) == 191
    assert events_of_hazards(1 / 1.5) == 191


@pytest.mark.parametrize(
    "call",
    [
        lambda: sizes_of_arms(0.0, 0.1),
        lambda: sizes_of_arms(0.95, 0.1),
        lambda: sizes_of_arms(0.5, 0.1, power=1.2),
        lambda: sizes_of_arms(0.5, 0.1, power=0.04),
        lambda: sizes_of_arms(0.5, 0.1, r_squared=1.0),
        lambda: sizes_of_arms(0.5, 0.1, holdout=0.0),
        lambda: sizes_of_arms(0.5, float("nan")),
        lambda: events_of_hazards(1.0),
        lambda: events_of_hazards(-2.0),
    ],
)
def test_values_that_cannot_be_used_are_refused(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(OptionError, match=r"expected|range"):
        call()
