"""E-values: how strong hidden confounding would have to be to explain an effect away."""

from __future__ import annotations

import math

from journeymine.errors import OptionError, shown


def e_value(base: float, effect: float, lower: float, upper: float) -> tuple[float, float]:
    """E-value of an effect, and of the limit of its interval that is nearest to no effect.

    A hidden trait of customers would have to go together with both the friction and the outcome, each by a risk ratio
    of at least this size beyond what was adjusted for, to explain the effect away (VanderWeele and Ding 2017): with
    RR the ratio of the outcome with and without the fix, RR + sqrt(RR (RR - 1)); for RR below 1 that of 1 / RR.

    Parameters
    ----------
    base
        The outcome now, such as the share of journeys that convert; at least 0.
    effect, lower, upper
        Change of the outcome by the fix, with its interval, in the same unit.

    Returns
    -------
    estimate, bound
        1 where nothing has to be explained: no effect, or a limit on the other side of 0. Infinite where the ratio
        is 0 or infinite: no confounding of a finite strength explains it. nan where the effect is.

    Raises
    ------
    OptionError
        The base is negative, or the limits do not enclose the effect.

    Examples
    --------
    >>> [round(value, 3) for value in e_value(0.20, 0.10, 0.04, 0.16)]
    [2.366, 1.69]
    >>> e_value(0.20, 0.01, -0.01, 0.03)[1]
    1.0
    """
    if base < 0:
        raise OptionError(
            f"base is {shown(base)}, expected the outcome now, at least 0.", hint="pass a share or an amount."
        )
    if lower > effect or effect > upper:
        raise OptionError(f"limits are {shown((lower, upper))}, expected limits around {shown(effect)}.")
    nearest = lower if lower > 0 else upper if upper < 0 else 0.0
    if math.isnan(lower) or math.isnan(upper):
        nearest = math.nan
    return _of_change(base, effect), _of_change(base, nearest)


def _of_change(base: float, change: float) -> float:
    if math.isnan(base) or math.isnan(change):
        return math.nan
    if change == 0:
        return 1.0
    after = max(base + change, 0.0)
    low, high = sorted((base, after))
    if low == 0:
        return math.inf
    ratio = high / low
    return ratio + math.sqrt(ratio * (ratio - 1))
