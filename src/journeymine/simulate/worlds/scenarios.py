"""The sixteen scenarios: what each does to a shape. The first line of a scenario's docstring is its description."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from journeymine.simulate.worlds.plan import Habits, Phase, Plan
from journeymine.simulate.worlds.shape import GOAL, Idea, Shape, Step, Wait

if TYPE_CHECKING:
    from collections.abc import Callable

LATER: Final = (0.15, 0.45, 0.70, 0.85)
"""Drop-out after a failed attempt, by attempt, where loops have memory."""
OPEN_DAYS: Final = {"shop": 28, "subscription": 27, "service": 21}
"""Days of starts after which about two journeys in five are open."""
DRIFT: Final = (Phase(0, 54), Phase(56, 82), Phase(84, 126), Phase(126, 154), Phase(154, 182))
"""Before, incident, sound, campaign, after. Two days without starts keep journeys on one side of the incident."""
RARE: Final = 0.016
"""Weight of the rare state among the exits of the hub: about one journey in a hundred meets it."""
CHECK: Final = {"shop": 0.8, "subscription": 0.79, "service": 0.8}
TIES: Final = {
    "shop": (
        Idea("wait", "quote", 0.2603),
        Idea("loop", "payment", 0.6385, target="declined"),
        Idea("drop_off", "list", 0.2234),
        Idea("drop_off", "address", 0.3771),
    ),
    "subscription": (
        Idea("wait", "review", 0.2671),
        Idea("loop", "upload", 0.5411, target="rejected"),
        Idea("drop_off", "landing", 0.2075),
    ),
    "service": (
        Idea("wait", "visit", 0.1823),
        Idea("loop", "repair", 0.3948, target="failed"),
        Idea("drop_off", "form", 0.5058),
        Idea("drop_off", "call", 0.3243),
    ),
}
"""Fixes whose effects are 1, 0.99, 0.98 and 0.97 of the best: shares solved to four digits."""


def _more(shape: Shape, *ideas: Idea, **settings: Any) -> Plan:
    """A plan with further ideas, which the scenario is about."""
    n = len(shape.ideas)
    shape = replace(shape, ideas=(*shape.ideas, *ideas))
    return Plan(shape, about=tuple(range(n, n + len(ideas))), **settings)


def _about(shape: Shape, kind: str | None = None, step: str | None = None) -> tuple[int, ...]:
    """The first idea of a kind, or of a step."""
    return (next(i for i, idea in enumerate(shape.ideas) if kind == idea.kind or step == idea.step),)


def markov(shape: Shape) -> Plan:
    """The chain of attempts describes the journeys."""
    return _more(shape)


def observed_confounder(shape: Shape) -> Plan:
    """A segment of the log shifts drop-out and who asks for help."""
    step = shape.places.uneven
    ideas = tuple(idea for idea in shape.ideas if (idea.kind, idea.step) != ("drop_off", step))
    idea = Idea("drop_off", step, segment=("platform", "mobile"))
    return _more(replace(shape, ideas=ideas), idea, habits=Habits(segment=1.2, help_segment=1.2))


def loop_memory(shape: Shape) -> Plan:
    """Drop-out grows with each failed attempt."""
    shape = replace(shape, later={shape.loop[1]: LATER})
    return _more(shape, Idea("loop", shape.loop[1]))


def latent_intent(shape: Shape) -> Plan:
    """Customers differ in an intent that no log shows."""
    return _more(shape, habits=Habits(intent=1.0), observed=False)


def intent_exposure(shape: Shape) -> Plan:
    """A hidden intent decides who drops out and who asks for help, so that friction looks helpful."""
    habits = Habits(intent=1.0, segment=0.6, help_intent=0.9, help_segment=0.6)
    shape = replace(shape, later={shape.loop[1]: LATER})
    return Plan(shape, habits=habits, observed=False, about=_about(shape, step=shape.places.help))


def heavy_waits(shape: Shape) -> Plan:
    """Waits have a heavy tail, cut at thirteen days."""
    wait = shape.wait
    shape = shape.having(shape.waiting, wait=Wait(wait.log_median - 0.3, 1.5, wait.impatience))
    return Plan(shape, about=_about(shape, kind="wait"))


def open_journeys(shape: Shape) -> Plan:
    """The log ends with its last start after three or four weeks: about two journeys in five are open."""
    return _more(shape, phases=(Phase(0, OPEN_DAYS[shape.name]),), cut_back=True)


def left_truncated(shape: Shape) -> Plan:
    """The log begins two weeks after the first start: of the journeys under way it shows the later part."""
    return _more(shape, phases=(Phase(0, 98),), gap_days=(0.02, 4.0), cut_front=14)


def drift(shape: Shape) -> Plan:
    """A step breaks for four weeks; later a campaign changes who comes, where no fix helps."""
    hub, first = shape.places.hub, shape.places.first
    before, incident, sound, campaign, after = DRIFT
    phases = (
        before,
        incident._replace(drop={hub: shape.steps[hub].drop + 0.45}),
        sound,
        campaign._replace(sources={"search": 0.25, "ads": 0.75}),
        after._replace(sources={"search": 0.45, "ads": 0.55}),
    )
    ideas = (Idea("incident", hub, phase=1), Idea("incident", first, phase=3))
    return _more(shape, *ideas, habits=Habits(source_first={"search": -0.3, "ads": 0.5}), phases=phases)


def null(shape: Shape) -> Plan:
    """No fix changes anything: nothing that it is about makes a difference."""
    places, (again, failed) = shape.places, shape.loop
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
    shape = shape.having(places.inert, drop=0.0)
    shape = shape.having(places.late, drop=shape.steps[places.late].drop + 0.15)
    shape = shape.having(shape.waiting, wait=shape.wait._replace(impatience=0.0))
    return _more(replace(shape, loop=(), ideas=()), *ideas, phases=DRIFT)


def near_ties(shape: Shape) -> Plan:
    """The best fixes are within three per cent of each other."""
    tied = TIES[shape.name]
    taken = {(idea.kind, idea.step) for idea in tied}
    small = tuple(idea for idea in shape.ideas if idea.kind in ("drop_off", "channel_switch"))
    small = tuple(idea for idea in small if (idea.kind, idea.step) not in taken)
    return _more(replace(shape, ideas=small), *tied)


def rare_state(shape: Shape) -> Plan:
    """A state that one journey in a hundred meets loses nearly all of them."""
    ideas = tuple(
        idea._replace(share=idea.share / 2) if idea.kind in ("drop_off", "reroute") and idea.share else idea
        for idea in shape.ideas
    )
    shape = replace(shape, ideas=ideas)
    shape = shape.branching("blocked", Step("Account blocked", shape.goal[1], 0.93, {GOAL: 1.0}), RARE)
    return _more(shape, Idea("drop_off", "blocked", 0.9))


def interacting(shape: Shape) -> Plan:
    """One fix helps little unless the next step is fixed as well."""
    check = Step("Credit check", "back office", 0.85, {GOAL: 1.0})
    shape = replace(shape, steps={**shape.steps, "check": check})
    channel = shape.steps[shape.places.hub].channel
    shape = shape.branching("credit", Step("Credit request", channel, 0.75, {"check": 1.0}), 0.25)
    return _more(shape, Idea("drop_off", "credit", 0.8), Idea("drop_off", "check", CHECK[shape.name]))


def dirty(shape: Shape) -> Plan:
    """Duplicates, bots, skewed clocks and rows without a time."""
    return _more(shape, dirty=True)


def positivity(shape: Shape) -> Plan:
    """Customers of one platform never reach the contact that a fix is about."""
    habits = Habits(never_helped=("mobile",))
    return Plan(shape, habits=habits, about=_about(shape, step=shape.places.help))


def misspecified(shape: Shape) -> Plan:
    """Two steps with different rows are logged under one name."""
    merged = set(shape.places.merged)
    for key in merged:
        shape = shape.having(key, activity="Page viewed")
    ideas = tuple(idea for idea in shape.ideas if not {idea.step, idea.target, idea.to} & merged)
    return _more(replace(shape, ideas=ideas), Idea("drop_off", shape.places.merged[0], 0.2))


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


def make_plan(shape: Shape, scenario: str) -> Plan:
    """The plan of a scenario for a shape."""
    maker = MAKERS[scenario]
    text = str(maker.__doc__).strip().rstrip(".")
    return replace(maker(shape), scenario=scenario, description=text[0].lower() + text[1:])
