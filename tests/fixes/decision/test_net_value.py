"""Net value, draw by draw, and the questions that cannot be answered."""

from __future__ import annotations

import numpy as np
import pytest

from journeymine.errors import OptionError
from journeymine.fixes.decision.net_value import net_value

EFFECT = np.array([0.02, 0.01, 0.0])
DRAWS = EFFECT + np.random.default_rng(0).normal(0, 0.003, (50, 3))
NO_COST = np.zeros(3)


def test_the_effect_itself_where_nothing_is_known() -> None:
    found = net_value(EFFECT, DRAWS, cost=NO_COST, volume=1000.0)
    assert found.unit == "conversion"
    np.testing.assert_array_equal(found.estimate, EFFECT)
    np.testing.assert_array_equal(found.draws, DRAWS)
    np.testing.assert_array_equal(found.of(DRAWS), DRAWS)


def test_money_less_cost() -> None:
    """By hand: 0.02 x 40 euros x 500 journeys x 12 months - 3,000 = 1,800."""
    cost = np.array([3000.0, 0.0, 10.0])
    found = net_value(EFFECT, DRAWS, cost=cost, value=40.0, volume=500.0)
    assert found.unit == "money"
    np.testing.assert_allclose(found.estimate, [1800.0, 2400.0, -10.0])
    np.testing.assert_allclose(found.draws, DRAWS * 240_000 - cost)
    np.testing.assert_allclose(found.of(DRAWS), found.draws)


def test_a_value_that_varies_goes_with_its_draw() -> None:
    value = np.random.default_rng(1).uniform(30, 50, 50)
    found = net_value(EFFECT, DRAWS, cost=NO_COST, value=40.0, value_draws=value, volume=10.0, months=2)
    np.testing.assert_allclose(found.draws[7], DRAWS[7] * value[7] * 20)


def test_without_a_calendar_it_is_money_a_journey() -> None:
    found = net_value(EFFECT, DRAWS, cost=NO_COST, value=40.0)
    assert found.unit == "money a journey"
    np.testing.assert_allclose(found.estimate, EFFECT * 40)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"cost": np.array([5.0, 0, 0])}, "what a conversion"),
        ({"cost": np.array([5.0, 0, 0]), "value": 3.0}, "journeys a month"),
        ({"cost": np.array([np.nan, 0, 0]), "value": 3.0}, "cost is not a number"),
        ({"cost": NO_COST, "value": 0.0}, "value is 0.0"),
        ({"cost": NO_COST, "value": 1.0, "volume": 5.0, "months": -1.0}, "months is -1.0"),
        ({"cost": NO_COST, "value": 1.0, "value_draws": np.ones(3)}, "value_draws"),
    ],
)
def test_what_cannot_be_compared_is_refused(options: dict[str, object], match: str) -> None:
    with pytest.raises(OptionError, match=match):
        net_value(EFFECT, DRAWS, **options)  # type: ignore[arg-type]


def test_the_hint_says_what_to_give() -> None:
    with pytest.raises(OptionError, match="give value="):
        net_value(EFFECT, DRAWS, cost=np.ones(3))
