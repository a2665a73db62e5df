"""What a plan reads of a ranking and its fixes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from journeymine.uncertainty import Estimates

FollowUp = Literal["silence", "horizon"]


@dataclass(frozen=True, slots=True, eq=False)
class PlanFacts:
    """What a plan needs beside the fix itself.

    Attributes
    ----------
    outcome
        What the fixes were ranked by.
    metric
        What counts as success in a test, in words (`metric_words`).
    baseline
        Fix id -> share of the journeys that meet the fix which convert today.
    follow_up_days
        How long a customer is watched; None in a log without a calendar.
    follow_up
        "silence": until they convert or have been silent for so many days, as journeys of the log are over; "horizon":
        for so many days from the start of the journey.
    customers_per_journey
        A test counts each customer once: customers of the log over its journeys.
    """

    outcome: str
    metric: str
    baseline: Mapping[str, float]
    follow_up_days: float | None = None
    customers_per_journey: float = 1.0
    follow_up: FollowUp = "silence"


def metric_words(goal: Sequence[str], days: float | None, follow_up: FollowUp = "silence") -> str:
    """What counts as success, in words.

    Examples
    --------
    >>> metric_words(["Order placed"], 21.0)
    'share that reaches “Order placed” (a customer silent for 21 days is over)'
    >>> metric_words(["Order placed"], 7.0, "horizon")
    'share that reaches “Order placed” within 7 days of the start'
    """
    words = "share that reaches " + " or ".join(f"“{name}”" for name in goal)
    if days is None:
        return words
    time = f"{days:g} day{'s' if days != 1 else ''}"
    if follow_up == "horizon":
        return f"{words} within {time} of the start"
    return f"{words} (a customer silent for {time} is over)"


class PlannedFix(Protocol):
    """What a plan reads of a fix; `RankedFix` and the fixes of a stored report have it."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def label(self) -> str | None:
        """Words of the user for it."""

    @property
    def rank(self) -> int:
        """Its place."""

    @property
    def kind(self) -> str:
        """What is done."""

    @property
    def activity(self) -> str:
        """Where."""

    @property
    def attempt(self) -> int | None:
        """Which attempt of a loop."""

    @property
    def segment(self) -> Any:
        """`column` and `value`, or None."""

    @property
    def period(self) -> Any:
        """`ongoing`, or None."""

    @property
    def effect(self) -> Estimates:
        """Effect over all starts."""

    @property
    def reach(self) -> Estimates:
        """Share of starts that meet it."""

    @property
    def per_month(self) -> Estimates | None:
        """The effect a month; None without a calendar."""


class PlannedRanking(Protocol):
    """What a plan reads of a ranking."""

    @property
    def fixes(self) -> Sequence[PlannedFix]:
        """The ranked fixes."""

    @property
    def facts(self) -> PlanFacts:
        """What is known of the log."""
