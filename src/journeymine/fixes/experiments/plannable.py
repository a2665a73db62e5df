"""What a plan reads of a ranking and its fixes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from journeymine.uncertainty import Estimates


@dataclass(frozen=True, slots=True, eq=False)
class PlanFacts:
    """What a plan needs beside the fix itself.

    Attributes
    ----------
    outcome
        What the fixes were ranked by.
    metric
        What counts as success in a test, in words: "Order placed within 21 days".
    baseline
        Fix id -> share of the journeys that meet the fix which convert today.
    follow_up_days
        How long a customer is watched; None in a log without a calendar.
    customers_per_journey
        A test counts each customer once: customers of the log over its journeys.
    """

    outcome: str
    metric: str
    baseline: Mapping[str, float]
    follow_up_days: float | None = None
    customers_per_journey: float = 1.0


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
