"""E-values: the numbers of the paper, and what must hold for all of them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymine.errors import OptionError
from journeymine.fixes.causal.e_value import e_value

PRINTED = 0.0006
"""Three decimals, as the design note prints them."""


@pytest.mark.parametrize(("ratio", "expected"), [(1.5, 2.366), (2.0, 3.414), (3.0, 5.449)])
def test_numbers_of_vanderweele_and_ding(ratio: float, expected: float) -> None:
    found, _ = e_value(0.2, 0.2 * (ratio - 1), 0.0, 1.0)
    assert found == pytest.approx(expected, abs=PRINTED)


def test_smoking_and_lung_cancer() -> None:
    """Hammond and Horn: RR 10.73 (8.02 to 14.36) has E-values of 20.9 and 15.5 (VanderWeele and Ding 2017)."""
    found = e_value(0.01, 0.0973, 0.0702, 0.1336)
    assert found[0] == pytest.approx(20.9, abs=0.06)
    assert found[1] == pytest.approx(15.5, abs=0.06)


def test_protective_ratio_is_turned_round() -> None:
    assert e_value(0.4, -0.2, -0.3, -0.1)[0] == pytest.approx(e_value(0.2, 0.2, 0.1, 0.3)[0])


def test_limit_on_the_other_side_gives_one() -> None:
    assert e_value(0.2, 0.05, -0.01, 0.11)[1] == 1.0
    assert e_value(0.2, -0.05, -0.11, 0.01)[1] == 1.0


def test_limit_nearest_to_no_effect_is_taken() -> None:
    assert e_value(0.2, 0.2, 0.1, 0.3)[1] == pytest.approx(2.366, abs=PRINTED)
    assert e_value(0.3, -0.15, -0.2, -0.1)[1] == pytest.approx(2.366, abs=PRINTED)


def test_ends_of_the_scale() -> None:
    assert e_value(0.0, 0.1, 0.05, 0.2) == (math.inf, math.inf)
    assert e_value(0.1, -0.1, -0.2, -0.05)[0] == math.inf
    assert e_value(0.0, 0.0, 0.0, 0.0) == (1.0, 1.0)
    assert all(math.isnan(value) for value in e_value(0.2, math.nan, math.nan, math.nan))


def test_what_cannot_be_used() -> None:
    with pytest.raises(OptionError, match=r"base is -0\.1"):
        e_value(-0.1, 0.1, 0.0, 0.2)
    with pytest.raises(OptionError, match="limits are"):
        e_value(0.1, 0.1, 0.2, 0.3)


@given(
    base=st.floats(0.01, 0.9),
    effect=st.floats(-0.5, 0.5),
    below=st.floats(0, 0.5),
    above=st.floats(0, 0.5),
)
def test_bound_is_never_above_the_estimate(base: float, effect: float, below: float, above: float) -> None:
    estimate, bound = e_value(base, effect, effect - below, effect + above)
    assert 1.0 <= bound <= estimate


@given(base=st.floats(0.01, 0.9), small=st.floats(0, 0.5), more=st.floats(0.001, 0.5))
def test_larger_effects_need_stronger_confounding(base: float, small: float, more: float) -> None:
    assert e_value(base, small + more, 0, 2)[0] > e_value(base, small, 0, 2)[0]
