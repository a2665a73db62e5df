"""A plan: everything a world is made of, that is a shape and what a scenario does to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journeymine.simulate.worlds.shape import Shape

DAY_S = 86_400.0
IDLE_DAYS = 14
START = "2026-01-05"
"""First day of every log: a Monday."""


class Habits(NamedTuple):
    """How customers differ, on the log-odds of dropping out and the log-weight of asking for help.

    Attributes
    ----------
    intent
        Drop-out falls by this for a standard deviation of intent, which no log shows.
    segment
        Drop-out on the second platform lies this much below that on the first.
    help_intent, help_segment
        The same for the weight of the contact that customers choose.
    never_helped
        Platforms whose customers never reach that contact.
    source_first
        Source -> what is added on the log-odds of leaving after the first screen.
    """

    intent: float = 0.0
    segment: float = 0.0
    help_intent: float = 0.0
    help_segment: float = 0.0
    never_helped: tuple[str, ...] = ()
    source_first: Mapping[str, float] = {}


class Phase(NamedTuple):
    """A part of the calendar, in days from the start of the log; journeys belong to the phase they start in.

    Attributes
    ----------
    first, stop
        Days; starts lie in [first, stop).
    drop
        Step -> drop-out while it lasts (an incident).
    sources
        Share of each source while it lasts (a campaign); None: as usual.
    """

    first: int
    stop: int
    drop: Mapping[str, float] = {}
    sources: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a world is made of.

    Attributes
    ----------
    scenario, description
        What a scenario does, in one sentence.
    about
        Ideas that the scenario is about, by their place in `shape.ideas`.
    gap_days
        Shortest and longest time between two steps; its logarithm is uniform.
    cap_days
        Waits are not longer than this, so that silence of two weeks means that the customer is gone.
    cut_front, cut_back
        Days cut off the log at its front, and whether it ends with its last start.
    dirty
        Whether the log has duplicates, bots, skewed clocks and unreadable rows.
    observed
        Whether everything that makes customers differ is a column of the log.
    """

    shape: Shape
    scenario: str = ""
    description: str = ""
    habits: Habits = field(default_factory=Habits)
    phases: tuple[Phase, ...] = (Phase(0, 182),)
    about: tuple[int, ...] = ()
    gap_days: tuple[float, float] = (60 / DAY_S, 7200 / DAY_S)
    cap_days: float = 13.0
    cut_front: int = 0
    cut_back: bool = False
    dirty: bool = False
    observed: bool = True
    levels: int = 21
