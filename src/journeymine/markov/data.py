"""What a chain can be asked for beyond its matrix: typed counts, counted when they are first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.counts.chain import ChainCounts
    from journeymine.counts.memory import Memory
    from journeymine.counts.occupation import OccupationCounts
    from journeymine.counts.periods import PeriodCounts
    from journeymine.counts.sequences import SequenceCounts
    from journeymine.counts.visit_waits import VisitWaits


class ChainData(Protocol):
    """Counts of the journeys behind a chain. A log counts them in its engine, lists in memory."""

    @property
    def has_goal(self) -> bool:
        """Whether something makes a journey a success."""

    @property
    def goal(self) -> tuple[str, ...]:
        """Activities that make a journey a success."""

    @property
    def others(self) -> tuple[str, ...]:
        """Rare activities that share the last state."""

    @property
    def timed(self) -> bool:
        """Whether the journeys have times."""

    @property
    def segments(self) -> tuple[str, ...]:
        """Names of the segment columns."""

    @property
    def plain(self) -> ChainCounts:
        """The chain without memory."""

    @property
    def sequences(self) -> SequenceCounts:
        """Journeys in the states of the chain without memory."""

    @property
    def periods(self) -> PeriodCounts | None:
        """Moves by period; None without a calendar."""

    @property
    def waits(self) -> VisitWaits | None:
        """Waits of all visits; None without times."""

    def remembered(self, memory: Memory) -> ChainCounts:
        """The chain whose states remember."""

    def occupation(self, times_us: Sequence[int] | None) -> OccupationCounts:
        """Where journeys are over time; raises NotEnoughDataError without times."""
