"""Planning a test: how many customers, for how long, and when to look."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from journeymine._checks import check_choice
from journeymine.errors import OptionError, shown
from journeymine.fixes.experiments import always_valid
from journeymine.fixes.experiments.audience import Audience, experiment_name
from journeymine.fixes.experiments.group_sequential import spending_boundaries
from journeymine.fixes.experiments.plan import ExperimentPlan, Method
from journeymine.fixes.experiments.sizes import sizes_of_arms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journeymine.fixes.experiments.plannable import FollowUp
    from journeymine.uncertainty import Estimates

N_LOOKS = 5
Z = 1.959963984540054


def plan_test(
    *,
    fix_id: str,
    title: str,
    metric: str,
    baseline: float,
    effect_on_triggered: float,
    n_triggered_per_week: float | None,
    power: float = 0.8,
    alpha: float = 0.05,
    method: Method = "fixed",
    r_squared: float = 0.0,
    holdout: float = 0.5,
    effect: Estimates | None = None,
    effect_sd: float | None = None,
    predicted: tuple[float, float] | None = None,
    reach: float | None = None,
    looks: int = N_LOOKS,
    rules: tuple[Mapping[str, Any], ...] | None = None,
    experiment: str | None = None,
    kind: str = "drop_off",
    outcome: str = "conversion",
    follow_up_days: float | None = None,
    follow_up: FollowUp = "silence",
    guardrails: tuple[str, ...] = (),
) -> ExperimentPlan:
    """Plan the test of a fix on those who meet it.

    Only they can be moved by the fix: among them its effect is that over all starts divided by their share, and the
    test needs far fewer customers than one on everybody.

    Parameters
    ----------
    fix_id, title, kind, outcome
        The fix.
    metric
        What is measured, in words.
    baseline
        Share of those who meet the fix that convert today.
    effect_on_triggered
        Change of that share to be found; a gain.
    n_triggered_per_week
        Customers who meet the fix each week; None if it is not known.
    power, alpha
        Of the two-sided test.
    method
        "fixed": one look at the end. "sequential": `looks` looks with O'Brien-Fleming boundaries, which end the test
        early where the effect is large. "always_valid": look at any time, with no last one; takes the most customers.
    r_squared
        Squared correlation of the metric before and in the test (CUPED).
    holdout
        Share of the customers in control.
    effect, reach
        Predicted effect over all starts, and the share of starts that meet the fix: for the chance of success, and to
        read the result back.
    effect_sd
        Standard deviation of the predicted effect. By default that of its interval, which is wider where the error
        control of a list has moved a bound to zero.
    rules
        Who takes part (`audience_rules`); by default everybody who meets the fix, which is named by its id.
    predicted
        Effect over all starts and its standard deviation before past tests were taken into account: what the result
        is compared with. By default that of `effect`.
    experiment
        Name that the customers are dealt by; give another to repeat a test.
    follow_up_days, follow_up
        How long each customer is watched: until they convert or have been silent for so many days ("silence"), or so
        many days from the start ("horizon").
    guardrails
        What must not become worse.

    Raises
    ------
    OptionError
        A value cannot be used; no gain to find.

    Examples
    --------
    >>> plan = plan_test(
    ...     fix_id="drop_off:Payment", title="Lose fewer customers at Payment", metric="order within 21 days",
    ...     baseline=0.55, effect_on_triggered=0.05, n_triggered_per_week=800,
    ... )
    >>> plan.n_per_arm, plan.weeks
    (1531, 4)
    """
    check_choice("method", method, Method)
    if not effect_on_triggered > 0:
        raise OptionError(
            f"the effect to find is {shown(effect_on_triggered)}, expected a gain above 0.",
            hint="pass the gain that would be worth it, such as 0.01 for one point.",
        )
    _check_rate(n_triggered_per_week, reach)
    known = _mean_and_sd(effect, effect_sd)
    bounds = _boundaries(looks, alpha) if method == "sequential" else None
    inflation = 1.0 if bounds is None else bounds.inflation(power)
    if method == "always_valid":
        inflation = always_valid.inflation(power, alpha)
    n_control, n_treatment = sizes_of_arms(
        baseline,
        effect_on_triggered,
        power=power,
        alpha=alpha,
        holdout=holdout,
        r_squared=r_squared,
        inflation=inflation,
    )
    plan = ExperimentPlan(
        fix_id=fix_id,
        title=title,
        kind=kind,
        outcome=outcome,
        audience=Audience(
            experiment or experiment_name(fix_id), rules or ({"fix": fix_id, "op": "met"},), holdout
        ),
        metric=metric,
        baseline=float(baseline),
        effect=float(effect_on_triggered),
        reach=reach,
        expected=None if effect is None else effect.at(),
        predicted=predicted or known,
        power=power,
        alpha=alpha,
        method=method,
        n_control=n_control,
        n_treatment=n_treatment,
        n_per_week=n_triggered_per_week,
        follow_up_days=follow_up_days,
        follow_up=follow_up,
        r_squared=r_squared,
        inflation=inflation,
        looks=() if bounds is None else bounds.fractions,
        bounds=() if bounds is None else bounds.z,
        guardrails=guardrails,
    )
    if method == "always_valid":
        plan = replace(plan, tau2=always_valid.tightest(plan.variance, alpha=alpha))
    return replace(plan, assurance=_assurance(plan, known))


def sd_of_interval(effect: Estimates) -> float:
    """Standard deviation of a normal distribution with this 95 % interval."""
    return (float(effect.upper) - float(effect.lower)) / (2 * Z)


def _boundaries(looks: int, alpha: float) -> Any:
    if isinstance(looks, bool) or not isinstance(looks, int) or looks < 2:
        raise OptionError(f"looks is {shown(looks)}, expected a whole number from 2.", hint="pass looks=5.")
    return spending_boundaries([(k + 1) / looks for k in range(looks)], alpha=alpha)


def _check_rate(n_per_week: float | None, reach: float | None) -> None:
    if n_per_week is not None and not (n_per_week > 0 and math.isfinite(n_per_week)):
        raise OptionError(f"n_triggered_per_week is {shown(n_per_week)}, expected a number above 0.")
    if reach is not None and not 0 < reach <= 1:
        raise OptionError(f"reach is {shown(reach)}, expected a share above 0.")


def _mean_and_sd(effect: Estimates | None, sd: float | None) -> tuple[float, float] | None:
    if effect is None or effect.at() is None:
        return None
    return float(effect.estimate), sd_of_interval(effect) if sd is None else sd


def _assurance(plan: ExperimentPlan, known: tuple[float, float] | None) -> float | None:
    if known is None or plan.reach is None:
        return None
    mean, sd = known
    return plan.mean_chance(mean / plan.reach, sd / plan.reach)
