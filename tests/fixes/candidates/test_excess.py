"""Excesses: against the Mantel-Haenszel difference, the bootstrap, and truth by simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymine.fixes.candidates.excess import excess_of, group_excesses
from journeymine.paths.risk_difference import risk_difference
from journeymine.paths.row_tests import GroupedDrops

NEAR = 0.08
"""A standard error of a few hundred customers, by another formula or by the bootstrap."""


def data(seed: int, n_units: int = 600, visits: int = 3, effect: float = 0.1) -> dict[str, Any]:
    """Customers with habits of their own, several visits each, in strata that differ."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(n_units), visits)
    stratum = rng.integers(0, 4, n_units)[unit]
    inside = rng.random(n_units * visits) < np.array([0.2, 0.4, 0.5, 0.7])[stratum]
    habit = rng.normal(0, 0.08, n_units)[unit]
    share = np.clip(0.2 + 0.1 * stratum + effect * inside + habit, 0.01, 0.99)
    drops = (rng.random(len(share)) < share).astype(float)
    return {"unit": unit, "stratum": stratum, "inside": inside, "n": np.ones(len(unit)), "drops": drops}


def test_against_the_mantel_haenszel_difference() -> None:
    one = data(1)
    found = excess_of(**one)
    grouped = GroupedDrops(
        one["unit"], one["stratum"], one["inside"].astype(int), one["n"], one["drops"], 600
    )
    other = risk_difference(grouped)
    assert found is not None
    assert other is not None
    assert found.value == pytest.approx(float(other.estimate), abs=1e-12)
    assert found.error == pytest.approx(float(other.upper - other.lower) / 2 / 1.964, rel=NEAR)


def test_against_the_bootstrap_of_customers() -> None:
    one, rng = data(2), np.random.default_rng(0)
    found = excess_of(**one)
    assert found is not None
    draws = []
    for _ in range(400):
        times = np.bincount(rng.integers(0, 600, 600), minlength=600)[one["unit"]]
        drawn = excess_of(**{**one, "n": one["n"] * times, "drops": one["drops"] * times})
        draws.append(drawn.value)  # type: ignore[union-attr]
    assert found.error == pytest.approx(np.std(draws), rel=0.15)  # 400 draws know it within 3.5 %


def test_errors_are_right_in_many_small_strata() -> None:
    """Pairs of one visit each: residuals from their own mean would be 0."""
    rng, values, errors = np.random.default_rng(3), [], []
    for _ in range(300):
        n = 200
        drops = (rng.random(n) < 0.3).astype(float)
        found = excess_of(
            np.arange(n), np.repeat(np.arange(n // 2), 2), np.arange(n) % 2 == 0, np.ones(n), drops
        )
        assert found is not None
        values.append(found.value)
        errors.append(found.error)
    assert np.mean(values) == pytest.approx(0.0, abs=0.012)
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(values), rel=0.15)


def test_nothing_to_compare() -> None:
    ones = np.ones(4)
    assert (
        excess_of(np.arange(4), np.array([0, 0, 1, 1]), np.array([True, True, False, False]), ones, ones)
        is None
    )
    assert excess_of(np.arange(4), np.zeros(4, int), np.ones(4, bool), ones, ones) is None
    # All drop out everywhere: nothing varies, so nothing is known of the error.
    assert excess_of(np.arange(4), np.zeros(4, int), np.arange(4) < 2, ones, ones) is None


@given(st.integers(0, 10_000))
def test_the_other_side_has_the_opposite_excess(seed: int) -> None:
    one = data(seed, n_units=40)
    there = excess_of(**one)
    back = excess_of(**{**one, "inside": ~one["inside"]})
    assert (there is None) == (back is None)
    if there is not None and back is not None:
        assert there.value == pytest.approx(-back.value, abs=1e-12)
        assert there.error == pytest.approx(back.error, rel=1e-9)


def test_groups_count_as_one_fact_less() -> None:
    one = data(4)
    group = np.random.default_rng(9).integers(0, 3, 1800)
    grouped = GroupedDrops(one["unit"], one["stratum"], group, one["n"], one["drops"], 600)
    found = group_excesses(grouped, np.array([True, True, True]))
    assert sum(excess.weight for excess in found) == pytest.approx(2.0)
    two = group_excesses(grouped, np.array([True, False, True]))
    assert two[0].value == pytest.approx(-two[1].value)
