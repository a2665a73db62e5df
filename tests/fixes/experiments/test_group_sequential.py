"""Boundaries: against the tables of Jennison and Turnbull (2000) and of Lan and DeMets, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from journeymine.errors import OptionError
from journeymine.fixes.experiments.group_sequential import (
    classic_boundaries,
    crossing,
    spending_boundaries,
)

# Tables have three decimals.
TABLE = 1.01e-3
FIVE = (0.2, 0.4, 0.6, 0.8, 1.0)


@pytest.mark.parametrize(("n", "constant"), [(2, 2.178), (3, 2.289), (4, 2.361), (5, 2.413), (10, 2.555)])
def test_pocock_constants(n: int, constant: float) -> None:
    assert classic_boundaries(n, shape="pocock").z == pytest.approx([constant] * n, abs=TABLE)


@pytest.mark.parametrize(("n", "constant"), [(2, 1.977), (3, 2.004), (4, 2.024), (5, 2.040), (10, 2.087)])
def test_obrien_fleming_constants(n: int, constant: float) -> None:
    assert classic_boundaries(n).z[-1] == pytest.approx(constant, abs=TABLE)


def test_obrien_fleming_with_five_looks() -> None:
    assert [round(z, 2) for z in classic_boundaries(5).z] == [4.56, 3.23, 2.63, 2.28, 2.04]


@pytest.mark.parametrize(
    ("shape", "power", "factor"),
    [
        ("obrien_fleming", 0.8, 1.028),
        ("obrien_fleming", 0.9, 1.026),
        ("pocock", 0.8, 1.229),
        ("pocock", 0.9, 1.207),
    ],
)
def test_inflation_with_five_looks(shape, power: float, factor: float) -> None:  # type: ignore[no-untyped-def]
    assert classic_boundaries(5, shape=shape).inflation(power) == pytest.approx(factor, abs=TABLE)


def test_spending_like_obrien_fleming() -> None:
    """The values that `ldbounds` in R gives for five equal looks."""
    assert spending_boundaries(FIVE).z == pytest.approx((4.8769, 3.3569, 2.6803, 2.2898, 2.0310), abs=TABLE)


def test_spending_like_pocock() -> None:
    found = spending_boundaries(FIVE, shape="pocock")
    assert found.z == pytest.approx((2.4380, 2.4268, 2.4101, 2.3966, 2.3859), abs=TABLE)


@pytest.mark.parametrize("fractions", [(1.0,), (0.1, 0.35, 0.9, 1.0), tuple((i + 1) / 30 for i in range(30))])
def test_error_is_spent_in_full_wherever_the_looks_are(fractions: tuple[float, ...]) -> None:
    found = spending_boundaries(fractions)
    assert crossing(fractions, found.z, 0.0).sum() == pytest.approx(0.05, abs=1e-8)
    assert found.spent[-1] == pytest.approx(0.05, abs=1e-12)


def test_one_look_is_the_plain_test() -> None:
    only = spending_boundaries((1.0,))
    assert only.z == pytest.approx((1.959964,), abs=1e-6)
    assert only.inflation() == pytest.approx(1.0, abs=1e-9)


def test_simulated_walks_cross_as_often_as_computed() -> None:
    looks, drift = (0.3, 0.5, 0.85, 1.0), 2.2
    bounds = spending_boundaries(looks)
    steps = np.diff((0.0, *looks))
    rng = np.random.default_rng(3)
    walk = np.cumsum(rng.normal(drift * steps, np.sqrt(steps), (40_000, 4)), axis=1)
    z = walk / np.sqrt(looks)
    crossed = np.abs(z) > bounds.z
    first = np.where(crossed.any(axis=1), crossed.argmax(axis=1), 4)
    share = np.bincount(first, minlength=5)[:4] / len(walk)
    # Four standard errors of a share of a half over 40,000 walks.
    assert crossing(looks, bounds.z, drift).sum(axis=0) == pytest.approx(share, abs=0.01)
    stop = np.array([*looks, 1.0])[first].mean()
    assert bounds.expected(drift) == pytest.approx(stop, abs=0.01)
    assert bounds.power(drift) == pytest.approx((crossed & (z > 0)).any(axis=1).mean(), abs=0.01)


def test_looks_that_are_not_rising_are_refused() -> None:
    for fractions in ((), (0.5, 0.5), (0.0, 1.0), (0.6, 0.3), (float("nan"),), tuple(range(1, 80))):
        with pytest.raises(OptionError, match="rising"):
            spending_boundaries(fractions)
    with pytest.raises(OptionError, match="shape"):
        spending_boundaries(FIVE, shape="haybittle")  # type: ignore[arg-type]
