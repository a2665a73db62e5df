"""A result and a new order in plain sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine._format import amount, number, share, signed
from journeymine.fixes.experiments.results import BASELINE, BASELINE_LEVEL, FEW, MIN_ARM, SAMPLE_RATIO
from journeymine.uncertainty import wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.fixes.experiments.past import PastTest
    from journeymine.fixes.experiments.plan import ExperimentPlan
    from journeymine.fixes.experiments.reranking import Moved
    from journeymine.fixes.experiments.results import ExperimentResult
    from journeymine.uncertainty import Estimates

MAX_LINES = 10
VERDICTS = {
    "gain": "The fix works: treatment is better than control.",
    "loss": "The fix does harm: treatment is worse than control.",
    "open": "It cannot be told apart from no difference.",
}
METHODS = {
    "newcombe": "one look",
    "cuped": "adjusted for what was known before (CUPED)",
    "repeated": "holds at every planned look",
    "confidence_sequence": "holds at every moment",
}


def result_sentences(result: ExperimentResult, plan: ExperimentPlan) -> list[str]:
    """What the test says, in a few sentences."""
    n, rate = result.shares.n, result.shares.estimate
    lines = [
        f"{plan.title}: {number(float(n[1]), 'en')} customers treated, {number(float(n[0]), 'en')} in control.",
        f"Converted: {share(float(rate[1]), 'en')} of the treated, {share(float(rate[0]), 'en')} in control.",
    ]
    if not result.trusted:
        return [*lines, *(words(result, plan) for flag, words in _REASONS.items() if flag in result.flags)]
    lines.append(f"Difference: {_points(result.difference)}, {METHODS[result.method]}.")
    if result.variance_cut is not None:
        lines.append(f"What was known before took away {share(result.variance_cut, 'en')} of the variance.")
    lines.append(_verdict(result))
    if result.effect is not None:
        lines.append(f"Over all starts that is {_points(result.effect)}; {_predicted(plan)}")
    if "early" in result.flags:
        lines.append(
            f"The plan has {number(plan.n_control + plan.n_treatment, 'en')} customers and one look at the end: "
            "deciding now makes false alarms likelier."
        )
    return lines


def order_lines(moved: Sequence[Moved], past: Sequence[PastTest]) -> list[str]:
    """The new order of the fixes: place and effect before and after."""
    n = len([test for test in past if test.usable])
    tests = f"{n} past test{'s' if n != 1 else ''}"
    shown = [one for one in moved if one.rank_after <= MAX_LINES or one.tested]
    lines = [f"Fixes after {tests} (rank before → after; effect before → after):"]
    for one in shown:
        mark = " [tested]" if one.tested else ""
        before, after = signed(float(one.before.estimate) * 100, "en"), _points(one.after)
        lines.append(
            f"  {one.rank_before:>3} → {one.rank_after:<3} {before} → {after}  {one.title[:70]}{mark}"
        )
    more = len(moved) - len(shown)
    return [*lines, f"  … and {more} more"] if more else lines


def _verdict(result: ExperimentResult) -> str:
    text = VERDICTS[result.verdict]
    if result.decided not in (None, "now"):
        return f"{text} The boundary was crossed in week {result.decided}."
    return text


def _broken(result: ExperimentResult, plan: ExperimentPlan) -> str:
    found = float(result.shares.n[0] / result.shares.n.sum())
    p = "below 0.0001" if result.sample_ratio_p < 1e-4 else f"of {result.sample_ratio_p:.4f}"
    return (
        f"Not used: {share(found, 'en', 2)} of the customers are in control where the plan has "
        f"{share(plan.audience.holdout, 'en', 2)} (sample ratio, p {p}). Customers were lost or counted differently in "
        "one arm; find out where before reading any difference."
    )


def _far(result: ExperimentResult, plan: ExperimentPlan) -> str:
    rate, n = result.shares.estimate[0], result.shares.n[0]
    low, high = (share(float(bound), "en") for bound in wilson(rate * n, n, level=BASELINE_LEVEL))
    return (
        f"Not used: {share(float(rate), 'en')} of control converted (99.9% interval {low} to {high}) where the plan "
        f"has {share(plan.baseline, 'en')}, more than a factor of two apart: customers or conversions were counted "
        f"otherwise than planned ({plan.metric}). Count them as planned, or plan anew with the baseline of today "
        "(--baseline)."
    )


def _few(result: ExperimentResult, plan: ExperimentPlan) -> str:
    n, planned = number(float(result.shares.n.min()), "en"), number(plan.n_per_arm, "en")
    return f"Not used: the smaller arm has {n} customers, expected {MIN_ARM} at the least; planned are {planned}."


_REASONS = {SAMPLE_RATIO: _broken, BASELINE: _far, FEW: _few}


def _predicted(plan: ExperimentPlan) -> str:
    if plan.predicted is None:
        return "nothing was predicted."
    return f"predicted was {signed(plan.predicted[0] * 100, 'en')} ± {amount(1.96 * plan.predicted[1] * 100, 'en')}."


def _points(value: Estimates) -> str:
    middle, low, high = (
        signed(float(np.asarray(part)) * 100, "en") for part in (value.estimate, value.lower, value.upper)
    )
    return f"{middle} points ({low} to {high})"
