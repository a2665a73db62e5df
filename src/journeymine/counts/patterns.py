"""Counts of the journeys that match a pattern."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from journeymine.counts.outcomes import OutcomeCounts


@dataclass(frozen=True, slots=True, eq=False)
class PatternCounts:
    """Journeys with and without a pattern, by unit and outcome: one column each.

    Attributes
    ----------
    table
        Matches table in the engine; its columns are in `sql/patterns.py`.
    matching, everyone
        Journeys that match, and all journeys.
    having, lacking
        Journeys whose conversion is compared: with the pattern and without it.
    """

    table: str
    matching: OutcomeCounts
    everyone: OutcomeCounts
    having: OutcomeCounts
    lacking: OutcomeCounts
