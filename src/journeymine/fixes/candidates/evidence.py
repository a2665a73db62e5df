"""`Evidence`: everything that candidates are found in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from journeymine.counts.chain import ChainCounts, DropCounts
    from journeymine.counts.contacts import FollowUps
    from journeymine.counts.switches import SwitchCounts
    from journeymine.fixes.candidates.waits import WaitFound


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Evidence:
    """Counts that candidates are found in, and that the users' own fixes are looked up in.

    Attributes
    ----------
    counts
        The chain of first order: one state an activity.
    drops
        Visits and drops of every activity over time.
    segments
        Names of the segment columns, in the order of `counts.cells`.
    activities
        Names of all activities of the log, for errors that tell a misspelt one from one behind the goal.
    attempts
        The chain whose states know their attempt (`base` and `attempt` are given); None: loops are not looked for.
    switches
        Visits and drops by the channel of the visit before; None in a log without channels.
    follow_ups
        What came next after each activity; None: skipped steps and late contacts are not looked for.
    waits
        Activities after which everybody waits (`enforced_waits`); None: not looked for.
    timed
        Whether the log has times.
    """

    counts: ChainCounts
    drops: DropCounts
    segments: tuple[str, ...] = ()
    activities: tuple[str, ...] = ()
    attempts: ChainCounts | None = None
    switches: SwitchCounts | None = None
    follow_ups: FollowUps | None = None
    waits: tuple[WaitFound, ...] | None = None
    timed: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the segment columns; numbered where nobody gave them."""
        n = len(self.counts.cells[0]) if self.counts.cells else 0
        return self.segments if len(self.segments) == n else tuple(f"column {c + 1}" for c in range(n))
