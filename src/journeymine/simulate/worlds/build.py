"""`world`: the world of a shape and a scenario."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from journeymine.errors import OptionError, shown, suggestion
from journeymine.simulate.worlds.calendar import dates
from journeymine.simulate.worlds.known import DECIMALS, World
from journeymine.simulate.worlds.plan import IDLE_DAYS
from journeymine.simulate.worlds.population import make_population
from journeymine.simulate.worlds.rows import make_chains
from journeymine.simulate.worlds.scenarios import MAKERS, make_plan
from journeymine.simulate.worlds.tables import SHAPE_TABLES

if TYPE_CHECKING:
    from journeymine.fixes.fix import Fix
    from journeymine.simulate.worlds.plan import Plan
    from journeymine.simulate.worlds.shape import Idea

SHAPES: Final = tuple(SHAPE_TABLES)
SCENARIOS: Final = tuple(MAKERS)


def world(shape: str = "shop", scenario: str | int = "markov") -> World:
    """A world whose truth is known: customers of finitely many types, each an absorbing chain.

    Parameters
    ----------
    shape
        One of `SHAPES`.
    scenario
        One of `SCENARIOS`, or its number from 1.

    Raises
    ------
    OptionError
        There is no such shape or scenario.

    Examples
    --------
    >>> world("service", 2).scenario
    'observed_confounder'
    """
    return _world(shape_name(shape), scenario_name(scenario))


def shape_name(shape: object) -> str:
    """The name of a shape, whatever its case and separators."""
    return _named("shape", shape, SHAPES)


def scenario_name(scenario: object) -> str:
    """The name of a scenario, from its name or number."""
    text = str(scenario).strip()
    if not isinstance(scenario, bool) and text.isdecimal() and 1 <= int(text) <= len(SCENARIOS):
        return SCENARIOS[int(text) - 1]
    return _named("scenario", scenario, SCENARIOS)


def _named(what: str, value: object, known: tuple[str, ...]) -> str:
    name = "_".join(str(value).strip().lower().replace("-", " ").replace("_", " ").split())
    if name not in known:
        raise OptionError(
            f"{what} is {shown(value)}, expected a {what} of the benchmark.",
            found=", ".join(known) + ".",
            hint=suggestion(name, known, "use one of the names above."),
        )
    return name


@lru_cache(maxsize=64)
def _world(shape: str, scenario: str) -> World:
    return world_of(make_plan(SHAPE_TABLES[shape], scenario))


def world_of(plan: Plan) -> World:
    """The world of a plan."""
    population = make_population(plan)
    chains = make_chains(plan, population)
    fixes = tuple(_fix_of(idea, plan) for idea in plan.shape.ideas)
    return World(
        shape=plan.shape.name,
        scenario=plan.scenario,
        description=plan.description,
        fixes=fixes,
        about=tuple(fixes[i].id for i in plan.about),
        goal=plan.shape.goal[0],
        end=_ends(plan),
        idle=f"{IDLE_DAYS}d",
        segments=tuple(plan.shape.segments),
        base=round(chains.outcome(), DECIMALS),
        observed=plan.observed,
        plan=plan,
        population=population,
        chains=chains,
    )


def _ends(plan: Plan) -> tuple[str, ...]:
    """Activities that say that a journey is over: leaving while waiting, where it is seen and happens."""
    left = plan.shape.left
    return () if left is None or not plan.shape.wait.impatience else (left[0],)


def _fix_of(idea: Idea, plan: Plan) -> Fix:
    from journeymine.fixes.fix import Fix

    def name(key: str | None) -> Any:
        return None if key is None else plan.shape.steps[key].activity

    return Fix(
        kind=idea.kind,
        activity=name(idea.step),
        target=name(idea.target),
        to=name(idea.to),
        share=idea.share,
        segment=idea.segment,
        period=None if idea.phase is None else dates(plan, idea.phase),
    )
