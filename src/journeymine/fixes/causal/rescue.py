"""How many of those who are rescued must behave like the others for a fix to be worth it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RHOS = (0.5, 0.8, 1.0)
"""Rescue factors that a report shows."""
STEPS = 40
"""Halvings of the interval: 1e-12 of the rescue factor."""


@dataclass(frozen=True, slots=True)
class RescuePoint:
    """Effect of a fix if a share `rho` of those who are rescued behaves like those who passed the friction."""

    rho: float
    effect: float


def break_even(effect_at: Callable[[float], float], threshold: float = 0.0) -> float:
    """Smallest rescue factor at which a fix reaches a value; nan where even 1 is not enough.

    People who are rescued are on average less determined than those who stayed, so an effect at rho = 1 is the most
    that can be had. The effect rises with rho, so halving finds the place.

    Parameters
    ----------
    effect_at
        Effect, or net value, at a rescue factor from 0 to 1; does not fall with rho.
    threshold
        Value to be reached, in the same unit: 0 or the cost ("worth nothing"), the next best fix ("loses its place").

    Examples
    --------
    >>> round(break_even(lambda rho: 0.05 * rho, 0.02), 6)
    0.4
    >>> break_even(lambda rho: 0.05 * rho, 0.06)
    nan
    >>> break_even(lambda rho: 0.05 * rho)
    0.0
    """
    if not effect_at(1.0) >= threshold:
        return math.nan
    if effect_at(0.0) >= threshold:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        if effect_at(middle) >= threshold:
            high = middle
        else:
            low = middle
    return high


def rescue_table(
    effect_at: Callable[[float], float], rhos: Sequence[float] = RHOS
) -> tuple[RescuePoint, ...]:
    """Effect at some rescue factors.

    Examples
    --------
    >>> rescue_table(lambda rho: 0.05 * rho, (0.5, 1.0))
    (RescuePoint(rho=0.5, effect=0.025), RescuePoint(rho=1.0, effect=0.05))
    """
    return tuple(RescuePoint(float(rho), float(effect_at(float(rho)))) for rho in rhos)
