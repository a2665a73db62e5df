"""What a chain of a log can be asked for: counts from the engine, counted when they are first needed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from journeymine.counting.memory import count_with_memory
from journeymine.counting.occupation import count_occupation
from journeymine.counting.periods import count_periods
from journeymine.counting.sequences import count_sequences
from journeymine.counting.visit_waits import count_visit_waits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.counts.chain import ChainCounts
    from journeymine.counts.memory import Memory
    from journeymine.counts.occupation import OccupationCounts
    from journeymine.counts.periods import PeriodCounts
    from journeymine.counts.sequences import SequenceCounts
    from journeymine.counts.visit_waits import VisitWaits
    from journeymine.log import EventLog


class LogData:
    """Counts of a log for its chains (`markov.data.ChainData`)."""

    has_goal = True

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self.journeys = log._journeys("the chain")  # noqa: SLF001 - the log delegates to this class
        self.visits = log._visits  # noqa: SLF001

    @property
    def goal(self) -> tuple[str, ...]:
        """Activities that make a journey a success."""
        return tuple(self.log.activities[code] for code in self.journeys.goal)

    @property
    def others(self) -> tuple[str, ...]:
        """Rare activities that share a state."""
        if not self.plain.n_folded:
            return ()
        own = {*self.plain.activity.tolist(), *self.journeys.goal}
        return tuple(name for code, name in enumerate(self.log.activities) if code not in own)

    @property
    def timed(self) -> bool:
        """Whether the log has times."""
        return self.log.canonical.last_us is not None

    @property
    def segments(self) -> tuple[str, ...]:
        """Names of the segment columns."""
        return self.journeys.segments

    @property
    def plain(self) -> ChainCounts:
        """The chain without memory."""
        return self.log.count_chain()

    @cached_property
    def sequences(self) -> SequenceCounts:
        """Journeys in the states of the chain without memory."""
        log = self.log
        return count_sequences(log.engine, log.canonical, self.journeys, self.visits, self.plain)

    @cached_property
    def periods(self) -> PeriodCounts | None:
        """Moves by period; None without a calendar."""
        log = self.log
        return count_periods(log.engine, log.canonical, self.journeys, self.visits, self.plain)

    @cached_property
    def waits(self) -> VisitWaits | None:
        """Waits of all visits; None without times."""
        log = self.log
        if not self.timed:
            return None
        return count_visit_waits(log.engine, log.canonical, self.journeys, self.visits, self.plain)

    def remembered(self, memory: Memory) -> ChainCounts:
        """The chain whose states remember."""
        log = self.log
        return count_with_memory(log.engine, log.canonical, self.journeys, self.visits, self.plain, memory)

    def occupation(self, times_us: Sequence[int] | None) -> OccupationCounts:
        """Where journeys are over time."""
        return count_occupation(self.log.engine, self.log.canonical, self.journeys, times_us)
