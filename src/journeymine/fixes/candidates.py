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
from journeymine.paths.row_tests import GroupedDrops, RowTest, benjamini_hochberg, row_test

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts import ChainCounts, DropCounts

    Ints = NDArray[np.int64]

LEVEL = 0.05
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
    """Tests and candidates."""

    tests: tuple[TestedRow, ...]
    candidates: tuple[Candidate, ...]

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
    raw: list[tuple[int, int | None, RowTest]] = []
    for state in range(counts.n_states):
        here = drops.of_state(state)
        if not len(here.n):
            continue
        raw += [(state, column, test) for column, test in _tests_of_state(here, values)]
    q = benjamini_hochberg(np.array([test.p_value for _, _, test in raw]))
    tests = tuple(
        TestedRow(state, column, test, float(q[i]), bool(q[i] <= LEVEL))
        for i, (state, column, test) in enumerate(raw)
    )
    found: list[Candidate] = []
    for row in tests:
        if row.kept:
            here = drops.of_state(row.state)
            find = _periods if row.column is None else _segments
            found += find(here, values, row)
    return Found(tests, (*found, *assumed_candidates(counts, drops)))


def _tests_of_state(here: DropCounts, values: CellValues) -> list[tuple[int | None, RowTest]]:
    tests: list[tuple[int | None, RowTest | None]] = []
    if here.slice_us is not None:
        tests.append((None, period_test(_by_period(here, values), here.n_slices)))
    for column in range(values.value.shape[1]):
        tests.append((column, row_test(_by_value(here, values, column), len(values.names[column]))))  # noqa: PERF401
    return [(column, test) for column, test in tests if test is not None]


def _by_period(here: DropCounts, values: CellValues) -> GroupedDrops:
    """Periods compared inside the full crossing of the segments: who comes is held fixed."""
    n, drops = here.n.astype(float), here.drops.astype(float)
    return GroupedDrops(here.unit, values.stratum()[here.cell], here.slice, n, drops, here.n_units)


def _by_value(here: DropCounts, values: CellValues, column: int) -> GroupedDrops:
    """Values of a column compared inside the crossing of the other columns."""
    group = values.value[here.cell, column]
    n, drops = here.n.astype(float), here.drops.astype(float)
    return GroupedDrops(here.unit, values.stratum(column)[here.cell], group, n, drops, here.n_units)


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


def _segments(here: DropCounts, values: CellValues, row: TestedRow) -> list[Candidate]:
    column = row.column
    assert column is not None
    data = _by_value(here, values, column)
    reference, worse = groups_like_the_best(data, len(values.names[column]))
    compared = _scoped(here, data.stratum, reference[data.group])
    return [
        Candidate(
            row.state,
            "segment",
            _all(here),
            _scoped(here, data.stratum, data.group == value),
            compared,
            column=column,
            value=values.names[column][value],
        )
        for value in np.flatnonzero(worse)
        if values.names[column][value] != OTHER
    ]


def _periods(here: DropCounts, values: CellValues, row: TestedRow) -> list[Candidate]:
    assert here.slice_us is not None
    assert here.origin_us is not None
    data = _by_period(here, values)
    windows = broken_periods(data, here.n_slices)
    broken = np.zeros(here.n_slices, bool)
    for first, stop in windows:
        broken[first:stop] = True
    compared = _scoped(here, data.stratum, ~broken[here.slice])
    last_seen = int(here.slice[here.n > 0].max())
    return [
        Candidate(
            row.state,
            "period",
            _all(here),
            _scoped(here, data.stratum, (here.slice >= first) & (here.slice < stop)),
            compared,
            period_us=(here.origin_us + first * here.slice_us, here.origin_us + stop * here.slice_us),
            ongoing=stop > last_seen,
        )
        for first, stop in windows
        if len(compared.n)
    ]


def assumed_candidates(counts: ChainCounts, drops: DropCounts) -> list[Candidate]:
    """Every activity after which some, but not all, journeys are lost."""
    found = []
    for state in range(counts.n_states):
        here = drops.of_state(state)
        lost, visits = int(here.drops.sum()), int(here.n.sum())
        if 0 < lost < visits:
            found.append(Candidate(state, "assumed", _all(here), _all(here)))
    return found
