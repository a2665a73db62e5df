"""A linear axis with round ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

SMALLEST: Final = 1e-6  # below this a span is nothing that could be read off an axis
_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Axis:
    """Values `low` to `high` on `start` to `end` px.

    Examples
    --------
    >>> axis = Axis(0.0, 1.0, 100.0, 200.0, ticks=(0.0, 0.5, 1.0), digits=1)
    >>> axis.place(0.25)
    125.0
    """

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    digits: int

    def place(self, value: float) -> float:
        """Return the position of a value in px; what lies outside stands at the edge."""
        inside = min(max(value, self.low), self.high)
        return self.start + (inside - self.low) / (self.high - self.low) * (self.end - self.start)


def axis_with_zero(values: Iterable[float], start: float, end: float, *, n_ticks: int = 5) -> Axis:
    """Fit an axis to values so that it contains 0 and ends on round ticks.

    Parameters
    ----------
    values
        What must fit; infinite and missing values are left out.
    start, end
        Where the axis lies, in px.
    n_ticks
        About how many steps.

    Examples
    --------
    >>> axis_with_zero([0.3, 0.9], 0, 100).ticks
    (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    >>> axis_with_zero([-0.3, 1.9], 0, 100).ticks
    (-0.5, 0.0, 0.5, 1.0, 1.5, 2.0)
    """
    finite = [value for value in values if math.isfinite(value)]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    if high - low < SMALLEST:
        low, high = -1.0, 1.0
    step = round_step((high - low) / n_ticks)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    digits += round(step * 10**digits, 6) != round(step * 10**digits)
    ticks = tuple(round(i * step, 12) for i in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], start, end, ticks, digits)


def round_step(step: float) -> float:
    """Round a step up to 1, 2, 2.5 or 5 times a power of ten.

    Examples
    --------
    >>> round_step(0.31), round_step(21), round_step(0.07)
    (0.5, 25.0, 0.1)
    """
    power = 10.0 ** math.floor(math.log10(step) + 1e-9)
    return next(s * power for s in _STEPS if s * power >= step * (1 - 1e-9))
