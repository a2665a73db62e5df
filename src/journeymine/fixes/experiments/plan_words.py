"""A plan in words: a few lines, a table, the rule of stopping, the next step."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from journeymine._format import number, share, signed

if TYPE_CHECKING:
    from journeymine.fixes.experiments.plan import ExperimentPlan

MAX_TITLE = 70
LONG_WEEKS = 26


def next_step(plan: ExperimentPlan) -> str:
    """What to do, in one sentence; says so where the test would take too long."""
    arms = _arms(plan)
    time = f" in about {_weeks(plan.weeks)}" if plan.weeks is not None else ""
    start = f"Test it on {arms} {plan.audience.words}{time}; metric: {plan.metric}"
    if plan.weeks is not None and plan.weeks > LONG_WEEKS:
        return f"{start}. That is long: test a bolder version, or several of these fixes together."
    return f"{start}."


def stopping_rule(plan: ExperimentPlan) -> str:
    """When the test ends."""
    end = "all customers have come in and the last was watched long enough"
    if plan.method == "fixed":
        return f"Look once, when {end}; a look before that makes false alarms likelier."
    if plan.method == "sequential":
        looks = ", ".join(f"{share(t, 'en')}: {z:.2f}" for t, z in zip(plan.looks, plan.bounds, strict=True))
        return f"Stop where |z| is beyond the boundary (customers so far: |z|; {looks}), at the latest when {end}."
    return "Look as often as you like; stop when the interval excludes zero or the time is up."


def plan_text(plan: ExperimentPlan) -> str:
    """At most twelve lines."""
    return "\n".join([f"ExperimentPlan {plan.audience.experiment}: {_short(plan.title)}", *_lines(plan)])


def plan_html(plan: ExperimentPlan) -> str:
    """A small table for notebooks."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(key)}</th><td style='text-align:left'>{escape(text)}</td></tr>"
        for key, text in _facts(plan)
    )
    return f"<table><caption>{escape(_short(plan.title))}</caption>{rows}</table>"


def _lines(plan: ExperimentPlan) -> list[str]:
    facts = [f"  {key + ':':<11}{text}" for key, text in _facts(plan)]
    return [*facts, "Next: .to_json(), journeymine experiment read RESULTS"]


def _facts(plan: ExperimentPlan) -> list[tuple[str, str]]:
    per_week = f", {number(plan.n_per_week, 'en')} of them a week" if plan.n_per_week else ""
    time = _weeks(plan.weeks) if plan.weeks is not None else "not known in a log without a calendar"
    in_the_end = " in the end" if plan.follow_up == "horizon" else ""
    facts = [
        ("who", plan.audience.words + per_week),
        ("metric", f"{plan.metric}; {share(plan.baseline, 'en')} convert today{in_the_end}"),
        ("finds", f"a change of {_points(plan.effect)} among them, with power {plan.power:.0%}"),
        ("size", f"{_arms(plan)} customers; {time}{_watch(plan)}"),
        ("stopping", stopping_rule(plan)),
    ]
    if plan.expected is not None:
        low, high = _points(plan.expected["lower"]), _points(plan.expected["upper"])
        facts.append(("predicted", f"{_points(plan.expected['estimate'])} ({low} to {high}) over all starts"))
    if plan.assurance is not None:
        facts.append(("chance", f"{share(plan.assurance, 'en')} to find a gain, if the prediction is right"))
    if (careful := plan.careful) is not None:
        facts.append(("careful", _careful(careful, plan.power)))
    if plan.guardrails:
        facts.append(("watch", "; ".join(plan.guardrails)))
    return facts


def _careful(careful: dict[str, Any], power: float) -> str:
    chance, n = share(careful["chance"], "en"), number(careful["n_per_arm"], "en")
    return (
        f"if {careful['share']:.0%} of the prediction comes true, as is assumed before there are tests, the chance is "
        f"{chance}; {n} an arm would make it {power:.0%}"
    )


def _arms(plan: ExperimentPlan) -> str:
    if plan.n_control == plan.n_treatment:
        return f"2 × {number(plan.n_control, 'en')}"
    return f"{number(plan.n_treatment, 'en')} treated and {number(plan.n_control, 'en')} held out"


def _watch(plan: ExperimentPlan) -> str:
    if not plan.follow_up_days:
        return ""
    days = f"{number(plan.follow_up_days, 'en')} day{'s' if plan.follow_up_days != 1 else ''}"
    if plan.follow_up == "horizon":
        return f", then {days} of waiting"
    return f", then until each has converted or was silent for {days}"


def _weeks(weeks: int) -> str:
    return "1 week" if weeks == 1 else f"{number(weeks, 'en')} weeks"


def _points(value: float) -> str:
    return f"{signed(value * 100, 'en')} points"


def _short(title: str) -> str:
    return title if len(title) <= MAX_TITLE else f"{title[: MAX_TITLE - 1]}…"
