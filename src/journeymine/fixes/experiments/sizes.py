"""How many customers a test needs, and what a given number can show."""

from __future__ import annotations

import math

from scipy import optimize, special

from journeymine._checks import check_level
from journeymine.errors import OptionError, shown

MIN_EFFECT = 1e-9


def normal_sum(power: float, alpha: float) -> float:
    """Quantile of the test plus quantile of the power: 2.80 for a power of 0.8 at 5 % two-sided.

    Examples
    --------
    >>> round(normal_sum(0.8, 0.05), 4)
    2.8016
    """
    if not alpha < check_level(power, name="power"):
        raise OptionError(f"power is {shown(power)}, expected more than alpha.", hint="pass power=0.8.")
    return float(special.ndtri(1 - check_level(alpha, name="alpha") / 2) + special.ndtri(power))


def sizes_of_arms(
    baseline: float,
    effect: float,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    holdout: float = 0.5,
    r_squared: float = 0.0,
    inflation: float = 1.0,
) -> tuple[int, int]:
    """Customers in control and in treatment that show a difference of two shares.

    With equal arms n per arm = (z_alpha/2 + z_beta)^2 [p1 (1 - p1) + p2 (1 - p2)] / effect^2, the two-sided z test
    with unpooled variance (Fleiss, Levin and Paik 2003, section 4.3).

    Parameters
    ----------
    baseline, effect
        Share converted in control, and the change that the treatment brings.
    holdout
        Share of the customers in control.
    r_squared
        Part of the variance that is known before the test (CUPED: Deng, Xu, Kohavi and Walker 2013).
    inflation
        Factor of a sequential design.

    Raises
    ------
    OptionError
        A share outside (0, 1), no effect.

    Examples
    --------
    >>> sizes_of_arms(0.10, 0.02)
    (3839, 3839)
    >>> sizes_of_arms(0.10, 0.02, r_squared=0.3)
    (2687, 2687)
    """
    check_shares(baseline, effect)
    check_level(holdout, name="holdout")
    factor = normal_sum(power, alpha) ** 2 * inflation * left_over(r_squared) / effect**2
    total = factor * _variance(baseline, baseline + effect, holdout)
    # Rounding must not add a customer to a whole number.
    return math.ceil(total * holdout - 1e-9), math.ceil(total * (1 - holdout) - 1e-9)


def detectable(
    baseline: float,
    n_control: float,
    n_treatment: float,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    r_squared: float = 0.0,
    inflation: float = 1.0,
) -> float | None:
    """Smallest gain that so many customers show with the given power; None if they show none at all.

    Examples
    --------
    >>> round(detectable(0.10, 3839, 3839), 5)
    0.02
    """
    check_shares(baseline, 0.0)
    n, holdout = n_control + n_treatment, n_control / (n_control + n_treatment)
    factor = normal_sum(power, alpha) ** 2 * inflation * left_over(r_squared)

    def missing(effect: float) -> float:
        return factor * _variance(baseline, baseline + effect, holdout) - n * effect**2

    largest = 1 - baseline - MIN_EFFECT
    if missing(largest) > 0:
        return None
    return float(optimize.brentq(missing, MIN_EFFECT, largest))


def power_of(
    baseline: float,
    effect: float,
    n_control: float,
    n_treatment: float,
    *,
    alpha: float = 0.05,
    r_squared: float = 0.0,
    inflation: float = 1.0,
) -> float:
    """Probability that the test finds a gain, if there is one of this size.

    Examples
    --------
    >>> round(power_of(0.10, 0.02, 3839, 3839), 3)
    0.8
    """
    control, treated = min(max(baseline, 0.0), 1.0), min(max(baseline + effect, 0.0), 1.0)
    variance = control * (1 - control) / n_control + treated * (1 - treated) / n_treatment
    variance *= left_over(r_squared) * inflation
    quantile = float(special.ndtri(1 - alpha / 2))
    if variance == 0:
        return float(effect > 0)
    return float(special.ndtr(effect / math.sqrt(variance) - quantile))


def events_of_hazards(hazard_ratio: float, *, power: float = 0.8, alpha: float = 0.05) -> int:
    """Conversions that a test of the time to convert needs, in both arms together (equal arms; Schoenfeld 1981).

    d = 4 (z_alpha/2 + z_beta)^2 / log(hazard ratio)^2.

    Examples
    --------
    >>> events_of_hazards(1.25)
    631
    """
    if not hazard_ratio > 0 or hazard_ratio == 1 or not math.isfinite(hazard_ratio):
        raise OptionError(
            f"hazard_ratio is {shown(hazard_ratio)}, expected a number above 0 that is not 1.",
            hint="1.25: customers convert at a rate that is a quarter higher at every moment.",
        )
    return math.ceil(4 * normal_sum(power, alpha) ** 2 / math.log(hazard_ratio) ** 2)


def check_shares(baseline: float, effect: float) -> None:
    """Refuse shares that no test can have: outside 0 to 1 before the change, or after it."""
    if not 0 < baseline < 1:
        raise OptionError(
            f"baseline is {shown(baseline)}, expected a share between 0 and 1.",
            hint="pass the share of those who meet the fix that convert today.",
        )
    if not 0 <= baseline + effect <= 1 or effect != effect:
        raise OptionError(
            f"an effect of {shown(effect)} on a baseline of {shown(baseline)} leaves the range from 0 to 1.",
            hint="give both as shares: 2 points are 0.02.",
        )


def left_over(r_squared: float) -> float:
    """Part of the variance that is not known before the test."""
    if not 0 <= r_squared < 1:
        raise OptionError(
            f"r_squared is {shown(r_squared)}, expected 0 or more and less than 1.",
            hint="pass the squared correlation of conversion before and in the test.",
        )
    return 1 - r_squared


def _variance(control: float, treated: float, holdout: float) -> float:
    """Variance of the difference times the customers in both arms."""
    return control * (1 - control) / holdout + treated * (1 - treated) / (1 - holdout)
