"""One row of the chain: its visits compared over time and between segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from journeymine.fixes.candidates.candidate import Candidate
from journeymine.fixes.candidates.cells import OTHER
from journeymine.fixes.candidates.excess import excess_of, group_excesses
from journeymine.fixes.candidates.incidents import is_above, only_value, utc
from journeymine.fixes.candidates.questions import Question
from journeymine.fixes.candidates.scopes import all_of, grouped, joined_over_time, only, scoped
from journeymine.fixes.fix import Fix
from journeymine.paths.references import (
    MIN_PER_PERIOD,
    MOST_PERIODS,
    broken_periods,
    groups_like_the_best,
    merged_slices,
    period_test,
)
from journeymine.paths.row_tests import comparable_groups, row_test

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.counts.chain import DropCounts
    from journeymine.fixes.candidates.cells import CellValues
    from journeymine.fixes.candidates.excess import Excess
    from journeymine.paths.row_tests import GroupedDrops

    Bools = NDArray[np.bool_]

WINDOW_LEVEL: Final = 0.01
LONGEST_INCIDENT: Final = 0.5
"""Share of the watched visits from which on a broken period is a change of how things are, not an incident."""


class Row:
    """One row of the chain: its visits, by time and by segment.

    Parameters
    ----------
    state, name
        Index and name of the state.
    here
        Its visits.
    values, segments
        Values of the segment columns, and the names of the columns.

    Attributes
    ----------
    windows, incidents
        Periods that stood out, as slices (first, past the last), and those of them that are incidents. One that holds
        more than half of the visits is a change: it only separates strata when values are compared.
    usual
        Slices that incidents are compared with: all but the short periods that stood out.
    sound
        Its visits but for those in incidents that one value had alone; slice 1 is all other broken time.
    """

    def __init__(
        self, state: int, name: str, here: DropCounts, values: CellValues, segments: Sequence[str]
    ) -> None:
        self.state, self.name, self.here = state, name, here
        self.values, self.columns = values, segments
        self.by_time = period_test(self.by_period(), here.n_slices) if here.slice_us is not None else None
        # A broken period would look like a difference between segments that were there at different times.
        differs = self.by_time is not None and self.by_time.p_value < WINDOW_LEVEL
        self.windows = broken_periods(self.by_period(), here.n_slices) if differs else []
        self.broken = np.zeros(here.n_slices, bool)
        for first, stop in self.windows:
            self.broken[first:stop] = True
        self.usual = np.ones(here.n_slices, bool)
        short = [window for window in self.windows if self._is_short(window)]
        for first, stop in short:
            self.usual[first:stop] = False
        # What stood above the time before a change need not stand above the time since.
        changed = len(short) < len(self.windows)
        self.incidents = [window for window in short if not changed or self._stands_out(window)]
        self.hit = [self._hit(window) for window in self.incidents]
        # What one value suffered for a while is said by its incident: the rest of the time tells how it differs.
        explained = np.zeros(here.n_slices, bool)
        for (first, stop), hit in zip(self.incidents, self.hit, strict=True):
            explained[first:stop] |= hit is not None
        self.sound = joined_over_time(only(here, ~explained[here.slice]), self.broken.astype(np.int64))

    def questions(self) -> list[Question]:
        """Whether the row differs over time, and between the values of each segment column."""
        asked = [self._of_value(column) for column in range(len(self.values.names))]
        return [question for question in (self._of_time(), *asked) if question is not None]

    def _of_time(self) -> Question | None:
        if self.by_time is None:
            return None
        return Question(
            state=self.state,
            about="period",
            test=self.by_time,
            proposals=self.periods,
            excesses=self._time_excesses,
        )

    def _of_value(self, column: int) -> Question | None:
        data, n_values = self.by_value(column), len(self.values.names[column])
        test = row_test(data, n_values)
        if test is None:
            return None
        return Question(
            state=self.state,
            column=column,
            about="segment",
            test=test,
            proposals=lambda: self.segments(column),
            excesses=lambda: group_excesses(data, comparable_groups(data, n_values)),
        )

    def _time_excesses(self) -> list[Excess]:
        """Excesses of the periods that were tested, each over the others; a broken period is one of them as a whole.

        Cut into short slices a broken period would look like several small excesses, and be believed less than it is.
        """
        data, n_slices = self.by_period(), self.here.n_slices
        rest = data.only(~self.broken[data.group])
        needed = max(MIN_PER_PERIOD, float(data.drops.sum()) / MOST_PERIODS)
        joined = rest.regrouped(merged_slices(rest, n_slices, needed))
        windows = [self._excess_of(window) for window in self.windows]
        found = [excess for excess in windows if excess is not None]
        return found + group_excesses(joined, comparable_groups(joined, n_slices))

    def _excess_of(self, window: tuple[int, int]) -> Excess | None:
        """Excess of a broken period over the usual time."""
        data, (inside, outside) = self.by_period(), self._sides(window)
        keep = inside | outside
        some = data.only(keep)
        return excess_of(some.unit, some.stratum, inside[keep], some.n, some.drops)

    def by_period(self) -> GroupedDrops:
        """Periods compared inside the full crossing of the segments: who comes is held fixed."""
        return grouped(self.here, self.values.stratum()[self.here.cell], self.here.slice)

    def by_value(self, column: int) -> GroupedDrops:
        """Values of a column compared inside the crossing of the other columns, and of broken and sound periods."""
        here = self.sound
        stratum = self.values.stratum(column)[here.cell] * 2 + here.slice
        return grouped(here, stratum, self.values.value[here.cell, column])

    def segments(self, column: int) -> list[Candidate]:
        """Values that are worse than those that cannot be told from the best one."""
        data, names = self.by_value(column), self.values.names[column]
        reference, worse = groups_like_the_best(data, len(names))
        compared = scoped(self.sound, data.stratum, reference[data.group])
        return [
            Candidate(
                self.state,
                "segment",
                all_of(self.here),
                scoped(self.sound, data.stratum, data.group == value),
                compared,
                column=column,
                value=names[value],
                fix=Fix(kind="drop_off", activity=self.name, segment=(self.columns[column], names[value])),
                block="found",
            )
            for value in np.flatnonzero(worse)
            if names[value] != OTHER
        ]

    def periods(self) -> list[Candidate]:
        """Periods in which the drop-out stood above the rest of the time, unless they are most of it."""
        here = self.here
        if here.slice_us is None or here.origin_us is None or not self.usual[here.slice].any():
            return []
        return [
            self._period(window, hit, here.origin_us, here.slice_us)
            for window, hit in zip(self.incidents, self.hit, strict=True)
        ]

    def _is_short(self, window: tuple[int, int]) -> bool:
        """Whether a broken period holds so little that the rest of the time says what is usual."""
        inside, _ = self._sides(window)
        return bool(self.here.n[inside].sum() <= LONGEST_INCIDENT * self.here.n.sum())

    def _stands_out(self, window: tuple[int, int]) -> bool:
        excess = self._excess_of(window)
        return excess is not None and is_above(excess)

    def _hit(self, window: tuple[int, int]) -> tuple[int, int] | None:
        inside, outside = self._sides(window)
        return only_value(self.here, self.values, inside, outside)

    def _sides(self, window: tuple[int, int]) -> tuple[Bools, Bools]:
        """Visits in a broken period, and in the usual time."""
        when = self.here.slice
        inside = (when >= window[0]) & (when < window[1])
        return inside, self.usual[when] & ~inside

    def _period(
        self, window: tuple[int, int], hit: tuple[int, int] | None, origin_us: int, slice_us: int
    ) -> Candidate:
        here, stratum = self.here, self.values.stratum()[self.here.cell]
        inside, outside = self._sides(window)
        column, value = (None, None) if hit is None else (hit[0], self.values.names[hit[0]][hit[1]])
        if hit is not None:
            own = self.values.value[here.cell, hit[0]] == hit[1]
            inside, outside = inside & own, outside & own
        period = (origin_us + window[0] * slice_us, origin_us + window[1] * slice_us)
        segment = None if column is None or value is None else (self.columns[column], value)
        return Candidate(
            self.state,
            "period",
            all_of(here),
            scoped(here, stratum, inside),
            scoped(here, stratum, outside),
            column=column,
            value=value,
            period_us=period,
            ongoing=window[1] > int(here.slice[here.n > 0].max()),
            fix=Fix(
                kind="incident",
                activity=self.name,
                segment=segment,
                period=(utc(period[0]), utc(period[1])),
            ),
            block="found",
        )
