"""`decide`: the parts agree with each other, and the order is what it says it is."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.errors import OptionError
from journeymine.fixes.decision.decisions import Decisions, decide
from journeymine.fixes.decision.information import error_of_test

IDS = ("a", "b", "c", "d")
EFFECT = np.array([0.020, 0.019, 0.004, 0.0001])
REACH = np.array([0.5, 0.2, 0.9, 0.0])


def draws(size: float = 0.001, n: int = 1000, seed: int = 0) -> np.ndarray:
    return EFFECT + size * np.random.default_rng(seed).normal(size=(n, 4))


def decided(**options: object) -> Decisions:
    options = {"draws": draws(), "n": 4000, "reach": REACH, **options}
    return decide(IDS, EFFECT, **options)  # type: ignore[arg-type]


def test_without_value_and_cost_the_net_value_is_the_effect() -> None:
    found = decided()
    assert found.unit == "conversion"
    for bound in ("estimate", "lower", "upper", "n"):
        np.testing.assert_array_equal(getattr(found.net, bound), getattr(found.effect, bound))
    assert found.above_zero.tolist() == [True, True, True, False]
    assert found.effect.lower[3] <= 0 <= found.effect.upper[3]
    assert found.p_nothing == 0.0
    assert found.p_best.sum() == pytest.approx(1.0)
    assert np.isnan(found.evsi).all()
    assert found.rice == (None,) * 4


def test_ties_are_called_ties() -> None:
    found = decided()
    assert found.tied_with == (("b",), ("a",), (), ())
    assert found.rank_lower.tolist() == [1, 1, 3, 4]
    assert found.rank_upper.tolist() == [2, 2, 3, 4]
    assert 0.5 < found.p_best[0] < 0.8


def test_the_order_is_by_the_lower_bound_then_the_estimate_then_the_id() -> None:
    """A noisy large effect comes after a sure smaller one; those that reach 0 alike go by their estimate."""
    effect = np.array([0.03, 0.02, 0.0, 0.0])
    noise = np.random.default_rng(0).normal(size=(1000, 1)) * np.array([0.012, 0.001, 0.0, 0.0])
    found = decide(("noisy", "sure", "y", "x"), effect, effect + noise, n=10, reach=np.ones(4))
    assert [found.ids[i] for i in found.order] == ["sure", "noisy", "x", "y"]
    assert found.rank.tolist() == [2, 1, 4, 3]


def test_costs_turn_the_order() -> None:
    """By hand: 0.02 x 50 x 1,000 x 12 = 12,000 less 11,000; 0.019 brings 11,400 for nothing."""
    found = decided(cost=np.array([11_000.0, 0, 0, 100.0]), value=50.0, volume=1000.0)
    assert found.unit == "money"
    np.testing.assert_allclose(found.net.estimate, [1000.0, 11_400.0, 2400.0, -40.0])
    assert [found.ids[i] for i in found.order] == ["b", "c", "a", "d"]
    assert found.p_best[1] > 0.99
    # Not above zero: the effect may be none, and the cost is lost.
    assert found.net.lower[3] <= -100.0
    assert found.p_positive[3] == pytest.approx((draws()[:, 3] * 600_000 > 100).mean())
    assert found.regret[0] == pytest.approx(10_400, rel=0.05)


def test_doing_nothing_is_best_where_everything_costs_too_much() -> None:
    found = decided(cost=np.full(4, 1e6), value=50.0, volume=1000.0)
    assert found.p_nothing == 1.0
    assert found.evpi == 0.0
    assert (found.p_positive == 0).all()


def test_rice_is_measured() -> None:
    found = decided(effort=np.array([2.0, np.nan, 4.0, 1.0]), volume=3000.0)
    first = found.rice[0]
    assert first is not None
    assert (first.reach, first.effort) == (1500.0, 2.0)
    assert first.impact == pytest.approx(0.04)
    assert first.score == pytest.approx(1500 * 0.04 * found.p_positive[0] / 2)
    assert found.rice[1] is None, "no effort was given"
    assert found.rice[3] is None, "nobody meets it"


def test_the_worth_of_a_test() -> None:
    """It lies between nothing and certainty; a test without error is worth as much as certainty."""
    se = error_of_test(np.full(4, 0.4), REACH, np.full(4, 5000.0))
    found = decided(test_se=np.where(REACH > 0, se, np.nan))
    assert np.isnan(found.evsi[3])
    assert (found.evsi[:3] >= 0).all()
    perfect = decided(test_se=np.zeros(4))
    np.testing.assert_allclose(perfect.evsi, perfect.worth_of_certainty, atol=1e-12)
    assert (found.evsi[:2] < perfect.evsi[:2]).all()
    assert perfect.evsi[1] > perfect.evsi[2], "test the one that could still lead"


def test_regret_and_evpi_agree() -> None:
    found = decided(draws=draws(0.01))
    assert found.evpi == pytest.approx(found.regret.min(), rel=0.05)
    assert (found.worth_of_certainty <= found.evpi + 1e-12).all()


def test_bands_hold_the_list() -> None:
    found = decided()
    assert (found.band[0] < found.effect.lower)[:3].all()
    assert (found.band[1] > found.effect.upper)[:3].all()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"reach": np.ones(3)}, "reach has the shape"),
        ({"draws": draws()[:, :3]}, "draws has the shape"),
        ({"draws": draws()[:1]}, "at least 2 draws"),
        ({"draws": draws() * np.nan}, "not a number"),
        ({"cost": np.ones(4)}, "what a conversion"),
    ],
)
def test_what_cannot_be_decided(change: dict[str, object], match: str) -> None:
    with pytest.raises(OptionError, match=match):
        decided(**change)


def test_two_fixes_of_one_id() -> None:
    with pytest.raises(OptionError, match="two fixes have the id 'a'"):
        decide(("a", "a"), EFFECT[:2], draws()[:, :2], n=1, reach=np.ones(2))


def test_no_fixes_at_all() -> None:
    found = decide((), np.zeros(0), np.zeros((10, 0)), n=5, reach=np.zeros(0))
    assert (len(found.order), found.evpi, found.tied_with) == (0, 0.0, ())


@given(st.lists(st.floats(-0.05, 0.05), min_size=1, max_size=6), st.integers(0, 50))
@settings(max_examples=40, deadline=None)
def test_a_fix_that_nobody_meets_changes_no_other(effects: list[float], seed: int) -> None:
    effect, ids = np.array(effects), [f"f{i}" for i in range(len(effects))]
    noise = effect + 0.01 * np.random.default_rng(seed).normal(size=(100, len(effects)))
    alone = decide(ids, effect, noise, n=9, reach=np.ones(len(ids)))
    more = decide(
        [*ids, "z"],
        np.append(effect, 0.0),
        np.column_stack([noise, np.zeros(100)]),
        n=9,
        reach=np.ones(len(ids) + 1),
    )
    np.testing.assert_array_equal(alone.effect.estimate, more.effect.estimate[:-1])
    np.testing.assert_allclose(alone.band[0], more.band[0][:-1], rtol=1e-12)
    np.testing.assert_array_equal(alone.p_positive, more.p_positive[:-1])
    # One more fix in the family: what was not kept before is not kept now.
    assert not (more.above_zero[:-1] & ~alone.above_zero).any()


def test_every_number_is_plain_and_the_same_each_time() -> None:
    one, two = decided(), decided()
    for field in fields(Decisions):
        a, b = getattr(one, field.name), getattr(two, field.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b)


def test_an_error_that_all_share_does_not_change_the_order() -> None:
    """Past tests may have been right or not: the bounds of large fixes move most, their order not at all."""
    rng = np.random.default_rng(0)
    slope = rng.normal(0.5, 0.3, (2000, 1))
    effect = np.array([0.01, 0.03, 0.001])
    draws = slope * effect / 0.5 + rng.normal(0, 1e-5, (2000, 3))
    alone = decide(["a", "b", "c"], effect, draws, n=100, reach=np.ones(3))
    shared = decide(["a", "b", "c"], effect, draws, n=100, reach=np.ones(3), common_error=True)
    assert [alone.ids[i] for i in alone.order] == ["c", "a", "b"]
    assert [shared.ids[i] for i in shared.order] == ["b", "a", "c"]
