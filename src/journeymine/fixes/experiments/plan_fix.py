"""The plan of a fix of the ranking: what it needs is read off the fix."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from journeymine.errors import NotEnoughDataError, OptionError, listed, shown, suggestion
from journeymine.fixes.experiments.audience import audience_rules
from journeymine.fixes.experiments.planning import plan_test, sd_of_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.fixes.experiments.plan import ExperimentPlan, Method
    from journeymine.fixes.experiments.plannable import PlanFacts, PlannedFix, PlannedRanking
    from journeymine.uncertainty import Estimates

WEEKS_PER_MONTH = 30.4375 / 7
TITLES = {
    "drop_off": "Lose fewer customers at",
    "remove_step": "Do without",
    "loop": "Break the loop at",
    "wait": "Shorten the wait after",
    "channel_switch": "Repair the change of channel at",
    "reroute": "Send customers elsewhere after",
    "incident": "Repair",
}


def plan_of_fix(
    fix: int | str | PlannedFix,
    ranking: PlannedRanking,
    *,
    effect: float | None = None,
    baseline: float | None = None,
    power: float = 0.8,
    method: Method = "fixed",
    alpha: float = 0.05,
    holdout: float = 0.5,
    r_squared: float = 0.0,
    experiment: str | None = None,
) -> ExperimentPlan:
    """Plan the test of a fix: its rank, its id, or the fix itself.

    Parameters
    ----------
    effect
        Change of the share of all starts that convert, in the unit of the ranking, which the test is to find; by
        default the predicted effect. Among those who meet the fix it is larger: divided by the reach.
    baseline
        Share of those who meet the fix that convert today, where it is not known or known better.
    power, method, alpha, holdout, r_squared, experiment
        As in `plan_test`.

    Raises
    ------
    OptionError
        No such fix; it has no gain to find; its period is over; the fixes were not ranked by conversion.
    NotEnoughDataError
        Nobody meets it, or it is not known how many of those convert.
    """
    one = find_fix(fix, ranking.fixes)
    _check(one, ranking.facts, effect, baseline)
    wanted = float(one.effect.estimate) if effect is None else effect
    reach = float(one.reach.estimate)
    segment = None if one.segment is None else (one.segment.column, one.segment.value)
    facts = ranking.facts
    return plan_test(
        fix_id=one.id,
        title=one.label or title_of(one),
        kind=one.kind,
        outcome=facts.outcome,
        metric=facts.metric,
        baseline=facts.baseline[one.id] if baseline is None else baseline,
        effect_on_triggered=wanted / reach,
        n_triggered_per_week=_per_week(one, facts),
        effect=one.effect,
        effect_sd=_sd(one),
        predicted=_predicted(one),
        reach=reach,
        rules=audience_rules(one.kind, one.activity, attempt=one.attempt, segment=segment),
        follow_up_days=facts.follow_up_days,
        follow_up=facts.follow_up,
        guardrails=_guardrails(one),
        power=power,
        method=method,
        alpha=alpha,
        holdout=holdout,
        r_squared=r_squared,
        experiment=experiment,
    )


def find_fix(fix: int | str | PlannedFix, fixes: Sequence[PlannedFix]) -> PlannedFix:
    """The fix of a rank, an id, or of itself.

    Raises
    ------
    OptionError
        There is none; the closest id is suggested.
    """
    if isinstance(fix, int) and not isinstance(fix, bool):
        found = [one for one in fixes if one.rank == fix]
        if not found:
            raise OptionError(
                f"there is no fix of rank {fix}.",
                found=f"ranks 1 to {len(fixes)}" if fixes else "no fixes at all",
                hint="pass a rank or an id from .to_frame().",
            )
        return found[0]
    wanted = fix if isinstance(fix, str) else getattr(fix, "id", None)
    if not isinstance(wanted, str):
        raise OptionError(f"fix is {shown(fix)}, expected a rank, an id or a fix.", hint="pass fix=1.")
    ids = [one.id for one in fixes]
    if wanted not in ids:
        raise OptionError(
            f"fix {shown(wanted)} is not in the ranking.",
            found=listed(ids),
            hint=suggestion(wanted, ids, "pass a rank or one of the ids above."),
        )
    return fixes[ids.index(wanted)]


def title_of(fix: PlannedFix) -> str:
    """The fix in a few words, where the user gave none."""
    where = f" ({fix.segment.column} = {fix.segment.value})" if fix.segment is not None else ""
    return f"{TITLES.get(fix.kind, fix.kind)} “{fix.activity}”{where}"


def _check(fix: PlannedFix, facts: PlanFacts, effect: float | None, baseline: float | None) -> None:
    if facts.outcome != "conversion":
        raise OptionError(
            f"the fixes were ranked by {shown(facts.outcome)}; a plan needs the share that converts.",
            hint='rank them with outcome="conversion".',
        )
    if fix.period is not None and not fix.period.ongoing:
        raise OptionError(
            f"the period of {shown(fix.id)} is over: there is nobody left to test it on.",
            hint="compare before and after the repair instead.",
        )
    if effect is None and not fix.effect.estimate > 0:
        raise OptionError(
            f"the predicted effect of {shown(fix.id)} is {float(fix.effect.estimate):.4g}: no gain to test for.",
            hint="pass effect=... with the gain that would be worth it, or take a fix with a gain.",
        )
    if not fix.reach.estimate > 0:
        raise NotEnoughDataError(f"no journey meets {shown(fix.id)}.", hint="test a fix that somebody meets.")
    if baseline is None and not 0 < facts.baseline.get(fix.id, -1.0) < 1:
        raise NotEnoughDataError(
            f"it is not known how many of those who meet {shown(fix.id)} convert.",
            hint="say so: baseline=0.4, or --baseline 0.4 on the command line.",
        )


def _predicted(fix: PlannedFix) -> tuple[float, float] | None:
    """The effect before past tests were taken into account; only rankings that did so keep it apart."""
    own: Estimates | None = getattr(fix, "predicted", None)
    return None if own is None else (float(own.estimate), sd_of_interval(own))


def _sd(fix: PlannedFix) -> float | None:
    """Standard deviation of the effect's draws, where the ranking has it: intervals may be bounded to zero."""
    sd: float | None = getattr(fix, "sd", None)
    return None if sd is None or not math.isfinite(sd) else sd


def _per_week(fix: PlannedFix, facts: PlanFacts) -> float | None:
    """Customers who meet the fix in a week: gains a month over the gain of a start are the starts a month."""
    if fix.per_month is None or not fix.effect.estimate:
        return None
    starts = float(fix.per_month.estimate) / float(fix.effect.estimate)
    return starts * float(fix.reach.estimate) * facts.customers_per_journey / WEEKS_PER_MONTH


def _guardrails(fix: PlannedFix) -> tuple[str, ...]:
    return (
        f"drop-out at “{fix.activity}” does not rise",
        "conversion of all who start does not fall",
        "returns, complaints and calls do not rise",
    )
