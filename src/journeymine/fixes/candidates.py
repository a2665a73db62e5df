"""Candidates for a fix, found in the counts: drop-outs that are higher here than where it works.

A segment value or a period becomes a candidate only after the test of its row: one family of tests over all
activities, segment columns and periods, false discoveries controlled. Every activity is also a candidate for
the assumption "if a fifth of its drop-outs were saved".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.paths.references import broken_periods, groups_like_the_best, period_test
from journeymine.paths.row_tests import GroupedDrops, RowTest, row_test
from journeymine.uncertainty import benjamini_hochberg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts, DropCounts

    Ints = NDArray[np.int64]

LEVEL = 0.05
WINDOW_LEVEL = 0.01
ASSUMED_SHARE = 0.2
OTHER = "(other)"
MAX_VALUES = 20
MIN_CUSTOMERS_OF_VALUE = 50


@dataclass(frozen=True, slots=True, eq=False)
class ScopedDrops:
    """Visits and drops of one activity that a fix is about, or that it is compared with; shape (m,).

    `n_all` counts all visits: how much there is to gain. `n` and `drops` count those watched long enough: how it goes.
    """

    unit: Ints
    cell: Ints
    stratum: Ints
    n_all: NDArray[np.float64]
    n: NDArray[np.float64]
    drops: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A drop-out that could be brought down.

    Attributes
    ----------
    state
        Index of the state in the chain.
    everywhere
        All visits of the activity.
    kind
        "segment", "period" or "assumed": where the reference comes from.
    column, value
        Segment column and value; None for periods and assumptions.
    period_us
        Start and end of the period; None otherwise.
    ongoing
        Whether the period reaches the end of what was watched.
    scope
        Visits the fix is about.
    reference
        Visits it is compared with; None for assumptions.
    """

    state: int
    kind: str
    everywhere: ScopedDrops
    scope: ScopedDrops
    reference: ScopedDrops | None = None
    column: int | None = None
    value: str | None = None
    period_us: tuple[int, int] | None = None
    ongoing: bool = False


@dataclass(frozen=True, slots=True)
class TestedRow:
    """One test of the family: a row of the chain against a segment column, or against time (`column` None)."""

    state: int
    column: int | None
    test: RowTest
    q_value: float
    kept: bool


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Tests and candidates.

    Attributes
    ----------
    tests
        The family of tests, kept or not.
    candidates
        Those found in the data, then the assumed ones.
    pools
        State -> group of each cell, where a segment column was kept: small cells may lean on their own group only.
    """

    tests: tuple[TestedRow, ...]
    candidates: tuple[Candidate, ...]
    pools: Mapping[int, Ints]

    @property
    def n_kept(self) -> int:
        """Tests that were kept."""
        return sum(row.kept for row in self.tests)


@dataclass(frozen=True, slots=True, eq=False)
class CellValues:
    """Values of the segment columns, numbered, with rare ones joined.

    Attributes
    ----------
    value
        Number of the value of each cell and column, shape (n_cells, n_columns).
    names
        Names of the values by column.
    """

    value: Ints
    names: tuple[tuple[str, ...], ...]

    def stratum(self, without: int | None = None) -> Ints:
        """Number of the combination of all columns but one, by cell."""
        columns = [c for c in range(self.value.shape[1]) if c != without]
        if not columns:
            return np.zeros(len(self.value), np.int64)
        return np.unique(self.value[:, columns], axis=0, return_inverse=True)[1].ravel()


def cell_values(counts: ChainCounts) -> CellValues:
    """Number the values of each segment column; values of few customers, or beyond twenty, become "(other)"."""
    n_columns = len(counts.cells[0]) if counts.cells else 0
    value = np.zeros((len(counts.cells), n_columns), np.int64)
    names: list[tuple[str, ...]] = []
    for column in range(n_columns):
        of_cell = [cell[column] for cell in counts.cells]
        customers: dict[str, int] = {}
        for name, n in zip(of_cell, counts.cell_customers.tolist(), strict=True):
            customers[name] = customers.get(name, 0) + n
        ranked = sorted(customers, key=lambda name: (-customers[name], name))
        kept = sorted(name for name in ranked[:MAX_VALUES] if customers[name] >= MIN_CUSTOMERS_OF_VALUE)
        folded = kept if len(kept) == len(ranked) else [*kept, OTHER]
        place = {name: i for i, name in enumerate(folded)}
        value[:, column] = [place.get(name, len(kept)) for name in of_cell]
        names.append(tuple(folded))
    return CellValues(value, tuple(names))


def find_candidates(counts: ChainCounts, drops: DropCounts) -> Found:
    """Test every row against every segment column and against time, and turn what is kept into candidates."""
    values = cell_values(counts)
    rows = [_Row(state, drops.of_state(state), values) for state in range(counts.n_states)]
    raw = [(row, column, test) for row in rows for column, test in row.tests()]
    q = benjamini_hochberg(np.array([test.p_value for _, _, test in raw]))
    tests = tuple(
        TestedRow(row.state, column, test, float(q[i]), bool(q[i] <= LEVEL))
        for i, (row, column, test) in enumerate(raw)
    )
    found: list[Candidate] = []
    for (row, column, _), tested in zip(raw, tests, strict=True):
        if tested.kept:
            found += row.periods() if column is None else row.segments(column)
    return Found(tests, (*found, *assumed_candidates(counts, drops)), _pools(tests, values))


def _pools(tests: Sequence[TestedRow], values: CellValues) -> dict[int, Ints]:
    """Cells that may lean on each other at a state that differs between segments: those of one value."""
    pools: dict[int, Ints] = {}
    for row in sorted(tests, key=lambda row: (row.q_value, row.state, row.column or 0)):
        if row.kept and row.column is not None:
            pools.setdefault(row.state, values.value[:, row.column])
    return pools


class _Row:
    """One row of the chain: its visits, by time and by segment."""

    def __init__(self, state: int, here: DropCounts, values: CellValues) -> None:
        self.state, self.here, self.values = state, here, values
        self.by_time = period_test(self._by_period(), here.n_slices) if here.slice_us is not None else None
        # A broken period would look like a difference between segments that were there at different times.
        stands_out = self.by_time is not None and self.by_time.p_value < WINDOW_LEVEL
        self.windows = broken_periods(self._by_period(), here.n_slices) if stands_out else []
        self.broken = np.zeros(here.n_slices, bool)
        for first, stop in self.windows:
            self.broken[first:stop] = True

    def tests(self) -> list[tuple[int | None, RowTest]]:
        """Tests against time (column None) and against each segment column; those that can be made."""
        columns = range(len(self.values.names))
        tests: list[tuple[int | None, RowTest | None]] = [(None, self.by_time)]
        tests += [(c, row_test(self._by_value(c), len(self.values.names[c]))) for c in columns]
        return [(column, test) for column, test in tests if test is not None]

    def _grouped(self, stratum: Ints, group: Ints) -> GroupedDrops:
        here = self.here
        return GroupedDrops(
            here.unit, stratum, group, here.n.astype(float), here.drops.astype(float), here.n_units
        )

    def _by_period(self) -> GroupedDrops:
        """Periods compared inside the full crossing of the segments: who comes is held fixed."""
        return self._grouped(self.values.stratum()[self.here.cell], self.here.slice)

    def _by_value(self, column: int) -> GroupedDrops:
        """Values of a column compared inside the crossing of the other columns, and of broken and sound periods."""
        stratum = self.values.stratum(column)[self.here.cell] * 2 + self.broken[self.here.slice]
        return self._grouped(stratum, self.values.value[self.here.cell, column])

    def segments(self, column: int) -> list[Candidate]:
        """Values that are worse than those that cannot be told from the best one."""
        data, names = self._by_value(column), self.values.names[column]
        reference, worse = groups_like_the_best(data, len(names))
        compared = _scoped(self.here, data.stratum, reference[data.group])
        return [
            Candidate(
                self.state,
                "segment",
                _all(self.here),
                _scoped(self.here, data.stratum, data.group == value),
                compared,
                column=column,
                value=names[value],
            )
            for value in np.flatnonzero(worse)
            if names[value] != OTHER
        ]

    def periods(self) -> list[Candidate]:
        """Periods in which the drop-out stood above the rest of the time."""
        here = self.here
        if here.slice_us is None or here.origin_us is None or self.broken[here.slice].all():
            return []
        data = self._by_period()
        compared = _scoped(here, data.stratum, ~self.broken[here.slice])
        last_seen = int(here.slice[here.n > 0].max())
        return [
            Candidate(
                self.state,
                "period",
                _all(here),
                _scoped(here, data.stratum, (here.slice >= first) & (here.slice < stop)),
                compared,
                period_us=(here.origin_us + first * here.slice_us, here.origin_us + stop * here.slice_us),
                ongoing=stop > last_seen,
            )
            for first, stop in self.windows
        ]


def _scoped(here: DropCounts, stratum: Ints, keep: NDArray[np.bool_]) -> ScopedDrops:
    return ScopedDrops(
        here.unit[keep],
        here.cell[keep],
        stratum[keep],
        here.n_all[keep].astype(float),
        here.n[keep].astype(float),
        here.drops[keep].astype(float),
    )


def _all(here: DropCounts) -> ScopedDrops:
    return _scoped(here, np.zeros(len(here.n), np.int64), np.ones(len(here.n), bool))


def assumed_candidates(counts: ChainCounts, drops: DropCounts) -> list[Candidate]:
    """Every activity after which some, but not all, journeys are lost."""
    found = []
    for state in range(counts.n_states):
        here = drops.of_state(state)
        lost, visits = int(here.drops.sum()), int(here.n.sum())
        if 0 < lost < visits:
            found.append(Candidate(state, "assumed", _all(here), _all(here)))
    return found
