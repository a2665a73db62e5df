"""A shape: the journey of one kind of business as a table of steps, and what could be changed about it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

GOAL, DROP = "goal", "drop"
"""Names of the two ends in exits: reached, and gone."""


class Wait(NamedTuple):
    """A wait that follows a step: log-normal, against customers whose patience is exponential.

    Attributes
    ----------
    log_median, sd
        Mean and standard deviation of the logarithm of the days.
    impatience
        Customers leave at this rate a day; 0: they never leave because of the wait.
    """

    log_median: float
    sd: float
    impatience: float


class Step(NamedTuple):
    """A step of the journey.

    Attributes
    ----------
    activity, channel
        What the log shows.
    drop
        Share after whom nothing comes.
    exits
        Where the others go: step or GOAL -> weight.
    wait
        A wait that everybody has here; leaving while waiting comes on top of `drop`.
    """

    activity: str
    channel: str
    drop: float
    exits: Mapping[str, float]
    wait: Wait | None = None


class Idea(NamedTuple):
    """A fix in terms of the steps of the table; `world` makes a `Fix` of it."""

    kind: str
    step: str
    share: float | None = None
    target: str | None = None
    to: str | None = None
    segment: tuple[str, str] | None = None
    phase: int | None = None


class Places(NamedTuple):
    """Steps that scenarios are about.

    Attributes
    ----------
    first
        First screen, which many see again.
    hub
        Step from which journeys spread out; it is left for good before any wait.
    inert
        Step that can be made one that nobody leaves from.
    late
        Step shortly before the goal.
    help
        Contact that customers choose.
    switched
        Step that some reach by another channel than the step before, and others do not.
    uneven
        Step that a fix of one platform is about where platforms differ.
    merged
        Two steps that "misspecified" logs under one name.
    """

    first: str
    hub: str
    inert: str
    late: str
    help: str
    switched: str
    uneven: str
    merged: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Shape:
    """The journey of one kind of business.

    Attributes
    ----------
    steps
        Key -> step.
    first
        Where journeys start: key -> share.
    loop
        Keys of the steps that are repeated attempt by attempt; a move to the first of them is the next attempt.
    later
        Key of a step of the loop -> drop-out by attempt, instead of that of the table.
    goal, left
        Activity and channel of the goal, and of leaving while waiting (None: it is silent).
    values
        Mean money of a conversion by platform, in the order of the segments.
    segments
        Segment column -> value -> share; columns are independent of each other.
    """

    name: str
    steps: Mapping[str, Step]
    first: Mapping[str, float]
    loop: tuple[str, ...]
    goal: tuple[str, str]
    left: tuple[str, str] | None
    ideas: tuple[Idea, ...]
    places: Places
    segments: Mapping[str, Mapping[str, float]]
    values: tuple[float, ...]
    later: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def having(self, key: str, **changes: Any) -> Shape:
        """The shape with one step changed."""
        return replace(self, steps={**self.steps, key: self.steps[key]._replace(**changes)})

    def branching(self, key: str, step: Step, weight: float) -> Shape:
        """The shape with a new step off the hub; the weight is a share of that of the hub's other exits."""
        hub = self.steps[self.places.hub]
        wider = hub._replace(exits={**hub.exits, key: weight * sum(hub.exits.values())})
        return replace(self, steps={**self.steps, key: step, self.places.hub: wider})

    @property
    def waiting(self) -> str:
        """Key of the step with the wait."""
        return next(key for key, step in self.steps.items() if step.wait is not None)

    @property
    def wait(self) -> Wait:
        """The wait of that step."""
        return next(step.wait for step in self.steps.values() if step.wait is not None)
