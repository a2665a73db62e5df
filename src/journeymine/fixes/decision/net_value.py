"""Net value: what a fix brings in less what it costs, draw by draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.errors import OptionError, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CONVERSION, PER_JOURNEY, MONEY = "conversion", "money a journey", "money"


@dataclass(frozen=True, slots=True, eq=False)
class NetValue:
    """Net values of the fixes.

    Attributes
    ----------
    unit
        "conversion" (the effect itself: nothing is known about value and cost), "money a journey" (a log without a
        calendar) or "money" (over the months that were asked for).
    estimate
        Shape (n_fixes,).
    draws
        Replicates on the draws of the effects, shape (n_draws, n_fixes).
    scale
        What an effect of 1 is worth, and in each draw, shape (n_draws,).
    cost
        In the same unit, shape (n_fixes,).
    """

    unit: str
    estimate: Floats
    draws: Floats
    scale: float
    scale_draws: Floats
    cost: Floats

    def of(self, draws: Floats) -> Floats:
        """Net values of other draws of the effects, made from the same replicates."""
        return draws * self.scale_draws[:, None] - self.cost


def net_value(
    effect: Floats,
    draws: Floats,
    *,
    cost: Floats,
    value: float | None = None,
    value_draws: Floats | None = None,
    volume: float | None = None,
    months: float = 12.0,
) -> NetValue:
    """NB_k = value x volume x months x effect_k - cost_k (design note 5.2).

    Parameters
    ----------
    effect, draws
        Effects on a journey, shapes (n_fixes,) and (n_draws, n_fixes).
    cost
        What each fix costs, once, shape (n_fixes,).
    value, value_draws
        Worth of a unit of effect (of a conversion), and its replicates, shape (n_draws,). For effects that are money
        already: 1.
    volume
        Journeys a month.
    months
        How long a fix is counted on to work.

    Raises
    ------
    OptionError
        There is a cost, and nothing to compare it with.

    Examples
    --------
    >>> effect = np.array([0.02, 0.01])
    >>> found = net_value(effect, effect[None], cost=np.array([900.0, 0.0]), value=50.0, volume=1000.0, months=1)
    >>> found.unit, found.estimate.tolist()
    ('money', [100.0, 500.0])
    """
    _check(cost, value, volume, months)
    n_draws = len(draws)
    if value is None:
        return NetValue(CONVERSION, effect.copy(), draws.copy(), 1.0, np.ones(n_draws), np.zeros(len(effect)))
    per_effect = 1.0 if volume is None else volume * months
    worth = np.full(n_draws, value) if value_draws is None else np.asarray(value_draws, dtype=float)
    if worth.shape != (n_draws,):
        raise OptionError(
            f"value_draws has the shape {worth.shape}, expected one value for each of {n_draws} draws."
        )
    scale = float(value) * per_effect
    scale_draws = worth * per_effect
    unit = PER_JOURNEY if volume is None else MONEY
    return NetValue(
        unit, effect * scale - cost, draws * scale_draws[:, None] - cost, scale, scale_draws, cost.copy()
    )


def _check(cost: Floats, value: float | None, volume: float | None, months: float) -> None:
    if not np.isfinite(cost).all():
        raise OptionError("a cost is not a number.", hint="pass cost=0 where nothing is known.")
    costs = cost[cost != 0]
    if len(costs) and value is None:
        raise OptionError(
            f"a fix costs {costs[0]:g}, but it is not known what a conversion (or a day saved) is worth.",
            hint="give value=… or, for conversions, a value column; or leave the costs out.",
        )
    if len(costs) and volume is None:
        raise OptionError(
            f"a fix costs {costs[0]:g}, but it is not known how many journeys a month it would serve.",
            hint="read a log with dates, or leave the costs out.",
        )
    for name, number in (("value", value), ("volume", volume), ("months", months)):
        if number is not None and not (np.isfinite(number) and number > 0):
            raise OptionError(f"{name} is {shown(number)}, expected a number above 0.")
