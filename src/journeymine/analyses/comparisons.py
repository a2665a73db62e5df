"""All comparisons of a report: every value of every segment, and the end of the log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from journeymine.analyses.differences import PERIOD, REST, compare_groups
from journeymine.counting.compare import count_moves
from journeymine.counts.compare import groups_of_column, groups_of_slots
from journeymine.paths.difference_tests import judge_together
from journeymine.sql.compare import slot_of_time

if TYPE_CHECKING:
    from journeymine.counts.compare import Groups, MoveCounts
    from journeymine.log import EventLog
    from journeymine.paths.differences import Differences

MOST_VALUES = 6
"""Values of a column that are each compared with the rest."""
LAST_SHARE = 3
"""The last third of the log is compared with what came before."""
DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of a report: differences, and the period in microseconds if it is one of periods."""

    found: Differences
    is_rest: bool
    period_us: tuple[int, int] | None = None


def compare_everything(log: EventLog, *, seed: int = 0) -> list[Comparison]:
    """Compare the values of every segment, each with the rest (two values with each other), and the end of the log.

    All comparisons are one family, so that a report of ten of them is no more often wrong than one alone.
    """
    assert log.found is not None
    planned: list[tuple[MoveCounts, Groups, str, tuple[str, str], tuple[int, int] | None]] = []
    if log.found.segments:
        counts = count_moves(log.engine, log.canonical, log.found)
        for column in log.found.segments:
            for a, b in _pairs(counts, column):
                groups = groups_of_column(
                    counts, column, frozenset([a]), None if b is None else frozenset([b])
                )
                planned.append((counts, groups, column, (a, b or REST), None))
    last = _last_part(log)
    if last is not None:
        slot = slot_of_time([[last], None])
        counts = count_moves(log.engine, log.canonical, log.found, slot=slot)
        planned.append((counts, groups_of_slots(counts), PERIOD, ("", REST), last))
    made = []
    for counts, groups, column, names, period in planned:
        if not all((groups.move == place).any() for place in (0, 1)):
            continue
        strata = tuple(name for name in log.found.segments if name != column)
        found = compare_groups(counts, groups, column, names, strata, seed=seed)
        made.append(Comparison(found, names[1] == REST, period))
    judged = judge_together([one.found for one in made])
    return [replace(one, found=found) for one, found in zip(made, judged, strict=True)]


def _pairs(counts: MoveCounts, column: str) -> list[tuple[str, str | None]]:
    """The two values of a column, or its most frequent ones each against the rest; ties by name."""
    place = counts.segments.index(column)
    sizes: dict[str, float] = {}
    by_cell = np.bincount(counts.start_cell, weights=counts.start_n, minlength=len(counts.cells))
    for cell, n in zip(counts.cells, by_cell.tolist(), strict=True):
        sizes[cell[place]] = sizes.get(cell[place], 0) + n
    values = sorted((value for value, n in sizes.items() if n), key=lambda value: (-sizes[value], value))
    if len(values) < 2:
        return []
    return [(values[0], values[1])] if len(values) == 2 else [(value, None) for value in values[:MOST_VALUES]]


def _last_part(log: EventLog) -> tuple[int, int] | None:
    """The last third of what was watched, from the beginning of a day (UTC); None without a calendar."""
    canonical, found = log.canonical, log.found
    if canonical.clock != "calendar" or canonical.first_us is None or canonical.last_us is None:
        return None
    end = canonical.last_us + 1
    watched = end if found is None or found.last_start_us is None else found.last_start_us
    begin = canonical.first_us + (watched - canonical.first_us) * (LAST_SHARE - 1) // LAST_SHARE
    begin -= begin % DAY_US
    return (begin, end) if begin > canonical.first_us else None
