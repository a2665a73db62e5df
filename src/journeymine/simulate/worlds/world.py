"""`World`: customers of known types, the fixes that could be made, and what each would truly change."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from journeymine.errors import OptionError, listed, shown, suggestion
from journeymine.simulate.worlds.chains import Chains, make_chains
from journeymine.simulate.worlds.do import ORDER, do
from journeymine.simulate.worlds.plan import IDLE_DAYS, START, Plan
from journeymine.simulate.worlds.population import Population, make_population
from journeymine.simulate.worlds.scenarios import MAKERS, SCENARIO_NAMES
from journeymine.simulate.worlds.tables import SHAPE_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from journeymine.fixes.fix import Fix
    from journeymine.log import EventLog
    from journeymine.simulate.worlds.shape import Idea

SHAPES: Final = tuple(SHAPE_TABLES)
SCENARIOS: Final = SCENARIO_NAMES
OUTCOMES: Final = ("conversion", "revenue", "time")
DECIMALS = 12
"""Truth is rounded: the last bits of a linear solve differ between machines."""
MAX_EVENTS = 60
"""`World.read` leaves out longer journeys of a dirty log, as bots."""


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Customers of known types, the fixes that could be made, and what each would truly change.

    Attributes
    ----------
    shape, scenario, description
        What it is; one sentence on what the scenario does.
    fixes
        What could be changed; ids are those of `truth`.
    about
        Ids of the fixes that the scenario is about.
    goal, end, idle, segments
        Definition of the journeys.
    base
        Share of the journeys that convert, all followed to their ends.
    observed
        Whether everything that makes customers differ is a column of the log.
    plan, population, chains
        What it is made of.
    """

    shape: str
    scenario: str
    description: str
    fixes: tuple[Fix, ...]
    about: tuple[str, ...]
    goal: str
    end: tuple[str, ...]
    idle: str
    segments: tuple[str, ...]
    base: float
    observed: bool
    plan: Plan
    population: Population
    chains: Chains

    @property
    def truth(self) -> pd.DataFrame:
        """Exact change of the conversion share per start by each fix: fix_id, effect."""
        import pandas as pd

        effects = [self.effect(fix) for fix in self.fixes]
        return pd.DataFrame({"fix_id": [fix.id for fix in self.fixes], "effect": effects})

    def effect(self, fix: Fix | str, outcome: str = "conversion") -> float:
        """Exact change that a fix makes, averaged over the population of types.

        Parameters
        ----------
        fix
            A fix of `fixes`, its id, or any other fix that makes sense in this world.
        outcome
            "conversion": share of the starts that convert. "revenue": money per start. "time": days per start, from
            the first step to the last (leaving is no step); a positive effect is time saved.

        Examples
        --------
        >>> from journeymine.simulate.worlds import world
        >>> shop = world("shop")
        >>> round(shop.effect("wait:Delivery quote requested") / shop.base, 2) > 0
        True
        """
        return self.joint_effect([fix], outcome)

    def joint_effect(self, fixes: Iterable[Fix | str], outcome: str = "conversion") -> float:
        """Exact change that several fixes make together."""
        if outcome not in OUTCOMES:
            raise OptionError(f"outcome is {shown(outcome)}, expected one of {listed(OUTCOMES)}.")
        changed = self.chains
        for fix in sorted(map(self._fix, fixes), key=lambda f: (ORDER.index(f.kind), f.id)):
            changed = do(changed, fix, self.population, self._phases(fix))
        gain = changed.outcome(outcome) - self.chains.outcome(outcome)
        return round(-gain if outcome == "time" else gain, DECIMALS) + 0.0

    def read(self, frame: pd.DataFrame) -> EventLog:
        """The log of a frame, read through the public loader, with its journeys defined.

        A dirty log is read as a careful analyst would: rows that equal another are dropped, and journeys of more than
        sixty events are left out as bots.
        """
        from journeymine.reading import read_log

        if self.plan.dirty:
            length = frame.groupby("case_id")["activity"].transform("size")
            frame = frame[(length <= MAX_EVENTS) | frame["case_id"].isna()]
        log = read_log(
            frame,
            case_id="case_id",
            customer_id="customer_id",
            activity="activity",
            timestamp="timestamp",
            channel="channel",
            value="value",
            duplicates="drop" if self.plan.dirty else "keep",
        )
        return log.journeys(
            self.goal, end=self.end or None, idle=self.idle, segments=list(self.segments)
        )

    def _fix(self, fix: Fix | str) -> Fix:
        if not isinstance(fix, str):
            return fix
        known = {own.id: own for own in self.fixes}
        if fix not in known:
            raise OptionError(
                f"{shown(fix)} is no fix of this world.",
                found=f"{listed(known)}.",
                hint=suggestion(fix, known, "use one of the ids above."),
            )
        return known[fix]

    def _phases(self, fix: Fix) -> Sequence[int]:
        """Phases of the calendar that lie in the period of a fix."""
        if fix.period_us is None:
            return range(len(self.plan.phases))
        spans = [_dates(self.plan, i) for i in range(len(self.plan.phases))]
        inside = [i for i, span in enumerate(spans) if _lies_in(span, fix.period_us)]
        if not inside or len(inside) == len(spans):
            raise OptionError(
                f"period is {shown(fix.period)}: no part of the calendar of this world lies in it.",
                found=f"parts {listed(' to '.join(span) for span in spans)}.",
            )
        return inside

    def __repr__(self) -> str:
        return (
            f"World({self.shape!r}, {self.scenario!r}: {self.description}; converts {self.base:.1%}, "
            f"{len(self.fixes)} fixes; next: .truth, .effect(fix), .read(frame))"
        )


def _lies_in(span: tuple[str, str], period_us: tuple[int, int]) -> bool:
    first, stop = (
        int(dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC).timestamp()) * 1_000_000 for day in span
    )
    return period_us[0] <= first and stop <= period_us[1]


def _dates(plan: Plan, phase: int) -> tuple[str, str]:
    """First day of a phase, and the first day of the next one."""
    begin = dt.date.fromisoformat(START)
    later = [p.first for p in plan.phases[phase + 1 :]]
    days = plan.phases[phase].first, later[0] if later else plan.phases[phase].stop
    first, stop = ((begin + dt.timedelta(days=day)).isoformat() for day in days)
    return first, stop


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
    return world_of(MAKERS[scenario](SHAPE_TABLES[shape]))


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
        end=() if plan.shape.left is None else (plan.shape.left[0],),
        idle=f"{IDLE_DAYS}d",
        segments=tuple(plan.shape.segments),
        base=round(chains.outcome(), DECIMALS),
        observed=plan.observed,
        plan=plan,
        population=population,
        chains=chains,
    )


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
        period=None if idea.phase is None else _dates(plan, idea.phase),
    )
