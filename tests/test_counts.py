"""Typed counts: columns of targets, edges, and the folding of rare activities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymine.counts.chain import DROP, GOAL, ChainCounts, DropCounts, fold_rare


def chain_counts() -> ChainCounts:
    zero = np.zeros(4, np.int64)
    return ChainCounts(
        states=("A", "B"),
        activity=np.arange(2),
        unit=np.arange(4),
        cell=zero,
        source=np.array([1, 0, 1, 1]),
        target=np.array([GOAL, 1, DROP, GOAL]),
        n=np.array([3, 4, 5, 6]),
        wait_us=np.zeros(4),
        start_unit=zero,
        start_cell=zero,
        start_state=np.array([0, 0, 1, GOAL]),
        start_n=np.array([1, 2, 3, 4]),
        cells=((),),
        cell_customers=np.array([4]),
        n_units=4,
    )


def test_totals_and_columns() -> None:
    counts = chain_counts()
    assert (counts.n_states, counts.n_visits, counts.n_starts) == (2, 18, 10)
    assert counts.column(counts.target).tolist() == [2, 1, 3, 2]
    assert counts.edges().tolist() == [0 * 4 + 1, 1 * 4 + 2, 1 * 4 + 3]


def test_counts_are_frozen() -> None:
    with pytest.raises(AttributeError):
        chain_counts().n_units = 5  # type: ignore[misc]


def test_entries_of_one_state() -> None:
    column = np.arange(6)
    counts = DropCounts(
        column, column + 10, column % 2, column, column + 100, column + 90, column, 6, 3600, 7, 6
    )
    odd = counts.of_state(1)
    assert odd.unit.tolist() == [1, 3, 5]
    assert odd.n_all.tolist() == [101, 103, 105]
    assert odd.drops.tolist() == [1, 3, 5]
    assert (odd.n_units, odd.slice_us, odd.origin_us, odd.n_slices) == (6, 3600, 7, 6)
    assert not len(counts.of_state(7).n)


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(1, 12))
def test_folding_keeps_the_most_frequent(n: list[int], most: int) -> None:
    kept, folded = fold_rare(np.array(n, dtype=np.int64), most)
    assert len(kept) + folded == len(n)
    assert len(kept) + bool(folded) <= most
    assert kept.tolist() == sorted(set(kept.tolist()))
    left_out = set(range(len(n))) - set(kept.tolist())
    # Ties go by code, so every activity kept comes before every one left out in (count, code).
    assert all((-n[a], a) < (-n[b], b) for a in kept.tolist() for b in left_out)
    if len(n) <= most:
        assert folded == 0
    else:
        assert folded == len(n) - most + 1
