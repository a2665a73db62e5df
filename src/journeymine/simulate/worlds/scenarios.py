"""The sixteen scenarios: what each does to a shape, in one function each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from journeymine.simulate.worlds.plan import Habits, Phase, Plan
from journeymine.simulate.worlds.shape import GOAL, Idea, Step, Wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from journeymine.simulate.worlds.shape import Shape


def _plan(shape: Shape, scenario: str, description: str, *more: Idea, **settings: object) -> Plan:
    """A plan with further ideas, which the scenario is about."""
    n = len(shape.ideas)
    about = tuple(range(n, n + len(more)))
    shape = replace(shape, ideas=(*shape.ideas, *more))
    return Plan(shape, scenario, description, **({"about": about} | settings))  # type: ignore[arg-type]


def markov(shape: Shape) -> Plan:
    return _plan(shape, "markov", "the chain of attempts describes the journeys")


def observed_confounder(shape: Shape) -> Plan:
    idea = Idea("drop_off", shape.places.hub, segment=("platform", "mobile"))
    text = "a segment of the log shifts drop-out and who asks for help"
    return _plan(
        shape, "observed_confounder", text, idea, habits=Habits(segment=1.2, help_segment=1.2)
    )


LATER: Final = (0.15, 0.45, 0.70, 0.85)
"""Drop-out after a failed attempt, by attempt, where loops have memory."""


def loop_memory(shape: Shape) -> Plan:
    shape = replace(shape, later={shape.loop[1]: LATER})
    return _plan(
        shape, "loop_memory", "drop-out grows with each failed attempt", Idea("loop", shape.loop[1])
    )


def latent_intent(shape: Shape) -> Plan:
    text = "customers differ in an intent that no log shows"
    return _plan(shape, "latent_intent", text, habits=Habits(intent=1.0), observed=False)


def intent_exposure(shape: Shape) -> Plan:
    habits = Habits(intent=1.0, segment=0.6, help_intent=0.9, help_segment=0.6)
    shape = replace(shape, later={shape.loop[1]: LATER})
    text = "the hidden intent also decides who asks for help, so that friction looks helpful"
    return _plan(shape, "intent_exposure", text, habits=habits, observed=False)


def heavy_waits(shape: Shape) -> Plan:
    wait = shape.steps[shape.waiting].wait or Wait(0.0, 1.0, 0.1)
    heavy = Wait(wait.log_median - 0.4, 1.5, wait.impatience)
    about = next(i for i, idea in enumerate(shape.ideas) if idea.kind == "wait")
    shape = shape.having(shape.waiting, wait=heavy)
    return _plan(shape, "heavy_waits", "waits have a heavy tail, cut at 13 days", about=(about,))


def open_journeys(shape: Shape) -> Plan:
    text = "the log ends with its last start after three or four weeks: about two journeys in five are open"
    return _plan(shape, "open_journeys", text, phases=(Phase(0, OPEN_DAYS[shape.name]),), cut_back=True)


OPEN_DAYS: Final = {"shop": 28, "subscription": 27, "service": 21}


def left_truncated(shape: Shape) -> Plan:
    text = "the log begins two weeks after the first start, and steps are days apart: some show their later part only"
    return _plan(
        shape, "left_truncated", text, phases=(Phase(0, 98),), gap_days=(0.02, 4.0), cut_front=14
    )


DRIFT: Final = (Phase(0, 54), Phase(56, 82), Phase(84, 126), Phase(126, 154), Phase(154, 182))


def drift(shape: Shape) -> Plan:
    hub, first = shape.places.hub, shape.places.first
    broken = min(0.95, shape.steps[hub].drop + 0.45)
    ads = {"search": 0.25, "ads": 0.75}
    before, incident, sound, campaign, after = DRIFT
    phases = (
        before,
        incident._replace(drop={hub: broken}),
        sound,
        campaign._replace(sources=ads),
        after._replace(sources={"search": 0.45, "ads": 0.55}),
    )
    ideas = (Idea("incident", hub, phase=1), Idea("incident", first, phase=3))
    text = "a step breaks for four weeks; a campaign and a new mix of sources change who comes (no fix helps there)"
    return _plan(
        shape, "drift", text, *ideas, habits=Habits(source_first={"search": -0.3, "ads": 0.5}), phases=phases
    )


def null(shape: Shape) -> Plan:
    """Nothing that the ideas are about makes a difference."""
    places, (again, failed) = shape.places, shape.loop
    wait = shape.steps[shape.waiting].wait
    shape = shape.having(places.inert, drop=0.0)
    shape = shape.having(places.late, drop=shape.steps[places.late].drop + 0.15)
    shape = shape.having(shape.waiting, wait=wait and wait._replace(impatience=0.0))
    # Without attempts, going round a loop once more changes nothing.
    shape = replace(shape, loop=())
    ideas = (
        Idea("remove_step", places.inert),
        Idea("wait", shape.waiting, 0.5),
        Idea("loop", places.first, 0.5),
        Idea("loop", failed),
        Idea("drop_off", places.hub, segment=("platform", "mobile")),
        Idea("drop_off", again, segment=("source", "ads")),
        Idea("drop_off", places.first, segment=("platform", "desktop")),
        Idea("incident", places.hub, phase=1),
        Idea("incident", failed, phase=2),
        Idea("channel_switch", places.switched),
    )
    shape = replace(shape, ideas=())
    return _plan(shape, "null", "no fix changes anything", *ideas, phases=DRIFT)


def near_ties(shape: Shape) -> Plan:
    small = tuple(idea for idea in shape.ideas if idea.kind in ("drop_off", "channel_switch"))
    tied = TIES[shape.name]
    small = tuple(idea for idea in small if (idea.kind, idea.step) not in {(t.kind, t.step) for t in tied})
    text = "the best fixes are within 3 % of each other"
    return _plan(replace(shape, ideas=small), "near_ties", text, *tied)


TIES: Final = {
    "shop": (
        Idea("wait", "quote", 0.27),
        Idea("loop", "payment", 0.65, target="declined"),
        Idea("drop_off", "list", 0.22),
        Idea("drop_off", "address", 0.4),
    ),
    "subscription": (
        Idea("wait", "review", 0.24),
        Idea("loop", "upload", 0.5, target="rejected"),
        Idea("drop_off", "landing", 0.2),
    ),
    "service": (
        Idea("wait", "visit", 0.18),
        Idea("loop", "repair", 0.42, target="failed"),
        Idea("drop_off", "form", 0.5),
        Idea("drop_off", "call", 0.34),
    ),
}
"""Fixes whose effects are 1, 0.99, 0.98 and 0.97 of the best: shares solved to four digits."""


def rare_state(shape: Shape) -> Plan:
    rare = Step("Account blocked", shape.goal[1], 0.93, {GOAL: 1.0})
    steps = {**shape.steps, "blocked": rare}
    shape = replace(shape, steps=steps)
    hub = shape.steps[shape.places.hub]
    shape = shape.having(shape.places.hub, exits={**hub.exits, "blocked": RARE * sum(hub.exits.values())})
    ideas = tuple(
        idea._replace(share=idea.share / 2) if idea.kind in ("drop_off", "reroute") and idea.share else idea
        for idea in shape.ideas
    )
    return _plan(
        replace(shape, ideas=ideas),
        "rare_state",
        "a state that one journey in a hundred meets loses nearly all of them",
        Idea("drop_off", "blocked", 0.9),
    )


RARE: Final = 0.016


def interacting(shape: Shape) -> Plan:
    hub = shape.steps[shape.places.hub]
    credit = Step("Credit request", hub.channel, 0.75, {"check": 1.0})
    check = Step("Credit check", "back office", 0.85, {GOAL: 1.0})
    shape = replace(shape, steps={**shape.steps, "credit": credit, "check": check})
    shape = shape.having(shape.places.hub, exits={**hub.exits, "credit": 0.25 * sum(hub.exits.values())})
    text = "one fix helps little unless the next step is fixed as well"
    return _plan(
        shape, "interacting", text, Idea("drop_off", "credit", 0.8), Idea("drop_off", "check", 0.8)
    )


def dirty(shape: Shape) -> Plan:
    return _plan(shape, "dirty", "duplicates, bots, skewed clocks and rows without a time", dirty=True)


def positivity(shape: Shape) -> Plan:
    about = next(i for i, idea in enumerate(shape.ideas) if idea.step == shape.places.help)
    text = "customers of one platform never reach the contact that a fix is about"
    return _plan(
        shape, "positivity", text, habits=Habits(never_helped=("mobile",)), about=(about,)
    )


def misspecified(shape: Shape) -> Plan:
    first, second = shape.places.merged
    for key in (first, second):
        shape = shape.having(key, activity="Page viewed")
    ideas = tuple(idea for idea in shape.ideas if not {idea.step, idea.target, idea.to} & {first, second})
    text = "two steps with different rows are logged under one name"
    return _plan(replace(shape, ideas=ideas), "misspecified", text, Idea("drop_off", first, 0.2))


MAKERS: Final[dict[str, Callable[[Shape], Plan]]] = {
    maker.__name__: maker
    for maker in (
        markov,
        observed_confounder,
        loop_memory,
        latent_intent,
        intent_exposure,
        heavy_waits,
        open_journeys,
        left_truncated,
        drift,
        null,
        near_ties,
        rare_state,
        interacting,
        dirty,
        positivity,
        misspecified,
    )
}
SCENARIO_NAMES: Final = tuple(MAKERS)
