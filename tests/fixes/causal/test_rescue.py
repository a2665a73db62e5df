"""Break-even rescue factors: against the exact formula of the worked example, and the inverse of any rising curve."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymine.fixes.causal.rescue import RescuePoint, break_even, rescue_table

BISECTION = 1e-9
"""Halving forty times leaves 1e-12 of rho, times the slope."""
PRINTED = 5e-7
"""Six digits, as the worked example of the design note prints them."""

CHAIN = np.array([[0.20, 0.50, 0.00], [0.10, 0.00, 0.60], [0.00, 0.15, 0.10]])
GOAL = np.array([0.05, 0.0, 0.55])


def remove_form(rho: float) -> float:
    """Effect of removing Form in the worked example, solved again (design 3.2, operator 2)."""
    chain, goal = CHAIN.copy(), GOAL.copy()
    onward = np.array([0.10, 0.0, 0.60]) / 0.7
    keep = 0.7 + rho * 0.3
    for i in (0, 2):
        into = chain[i, 1]
        chain[i, 1] = 0.0
        chain[i] += into * keep * onward
    after = np.linalg.solve(np.eye(3) - chain, goal)[0]
    return float(after - np.linalg.solve(np.eye(3) - CHAIN, GOAL)[0])


def test_worked_example() -> None:
    table = rescue_table(remove_form, (0.0, 0.5, 0.8, 1.0))
    assert [p.effect + 0.340796 for p in table] == pytest.approx(
        [0.340796, 0.415091, 0.462845, 0.496124], abs=2 * PRINTED
    )


def test_break_even_of_the_worked_example_solves_the_formula() -> None:
    """Removing Form and rescuing half of its drop-outs is halving its drop-out: +0.074295 both ways."""
    rho = break_even(remove_form, 0.074295)
    assert remove_form(rho) == pytest.approx(0.074295, abs=BISECTION)
    assert rho == pytest.approx(0.5, abs=10 * PRINTED)


def test_out_of_reach_and_worth_it_anyway() -> None:
    assert math.isnan(break_even(lambda rho: 0.05 * rho, 0.051))
    assert break_even(lambda rho: 0.05 * rho, 0.05) == pytest.approx(1.0)
    assert break_even(lambda rho: 0.05 * rho, -0.01) == 0.0
    assert math.isnan(break_even(lambda _: math.nan, 0.0))


def test_table_at_the_usual_factors() -> None:
    assert rescue_table(lambda rho: rho) == (
        RescuePoint(0.5, 0.5),
        RescuePoint(0.8, 0.8),
        RescuePoint(1.0, 1.0),
    )


@given(size=st.floats(0.001, 1), power=st.floats(1, 3), part=st.floats(0.001, 0.999))
def test_inverse_of_any_rising_curve(size: float, power: float, part: float) -> None:
    rho = break_even(lambda r: size * r**power, size * part)
    assert rho**power == pytest.approx(part, rel=1e-6)
