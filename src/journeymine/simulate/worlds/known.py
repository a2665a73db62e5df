"""`World`: customers of known types, the fixes that could be made, and what each would truly change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from journeymine.errors import OptionError, listed, shown, suggestion
from journeymine.simulate.worlds.calendar import phases_in
from journeymine.simulate.worlds.do import ORDER, do

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from journeymine.fixes.fix import Fix
    from journeymine.log import EventLog
    from journeymine.simulate.worlds.chains import Chains
    from journeymine.simulate.worlds.plan import Plan
    from journeymine.simulate.worlds.population import Population

OUTCOMES: Final = ("conversion", "revenue", "time")
DECIMALS: Final = 12
"""Truth is rounded: the last bits of a linear solve differ between machines."""
MAX_EVENTS: Final = 60
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
            changed = do(changed, fix, self.population, phases_in(self.plan, fix))
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
        end = [name for name in self.end if name in log.activities]  # a small log may have none
        return log.journeys(self.goal, end=end or None, idle=self.idle, segments=list(self.segments))

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

    def __repr__(self) -> str:
        return (
            f"World({self.shape!r}, {self.scenario!r}: {self.description}; converts {self.base:.1%}, "
            f"{len(self.fixes)} fixes; next: .truth, .effect(fix), .read(frame))"
        )
