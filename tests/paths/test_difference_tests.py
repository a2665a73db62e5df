"""Rows before edges: what is kept, what is counted, and the error rate of several comparisons together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from journeymine.counts.compare import DROPPED, Groups, MoveCounts
from journeymine.paths.difference_tests import find_differences, judge_together

if TYPE_CHECKING:
    from journeymine.paths.differences import Differences


def counts_of(table: np.ndarray) -> tuple[MoveCounts, Groups]:
    """Moves of a table (2, sources, targets), each of a customer of its own; the last target is dropping out."""
    g, i, j = np.indices(table.shape).reshape(3, -1)
    rows = np.repeat(np.arange(table.size), table.ravel())
    rows = rows[np.argsort(i[rows], kind="stable")]
    m, k = len(rows), table.shape[1]
    zero, none = np.zeros(m, int), np.zeros(0, int)
    counts = MoveCounts(
        activities=tuple("ABCDEFGH"[:k]), unit=np.arange(m), cell=zero, begin=zero, slot=g[rows], late=zero,
        source=i[rows], target=np.where(j[rows] == k, DROPPED, j[rows]), n=np.ones(m, int),
        start_unit=none, start_cell=none, start_begin=none, start_slot=none, start_at_goal=none, start_n=none,
        segments=(), cells=((),), goal=(), n_units=m,
    )  # fmt: skip
    return counts, Groups(g[rows], none, zero, none)


def compared(table: list[list[list[int]]]) -> Differences:
    return find_differences(*counts_of(np.array(table)), attribute="x", a="a", b="b")


ALIKE = [[50, 30, 20], [20, 60, 20]]


def test_one_changed_row_is_kept_and_the_others_are_not() -> None:
    found = compared([ALIKE, [[52, 28, 20], [20, 20, 60]]])
    assert (found.n_tested_rows, found.n_kept_rows) == (2, 1)
    assert found.rows.kept.tolist() == [False, True]
    frame = found.to_frame()
    kept = frame[frame["kept"]]
    assert list(zip(kept["source"], kept["target"], strict=True)) == [("B", "(dropped)"), ("B", "B")]
    assert kept["estimate"].tolist() == pytest.approx([-0.4, 0.4])
    assert (frame["kept"] == (frame["q_value"] <= 0.05)).all()
    assert (frame["lower"] <= frame["estimate"]).all()
    assert (frame["estimate"] <= frame["upper"]).all()


def test_large_differences_are_counted_whether_supported_or_not() -> None:
    found = compared([[[12, 8, 10], [20, 60, 20]], [[9, 11, 10], [20, 20, 60]]])
    assert (found.n_large, found.n_large_kept) == (4, 2)
    assert "4 differences above 5 points, 2 of them within the noise" in repr(found)


def test_columns_and_denominators() -> None:
    frame = compared([ALIKE, [[10, 20, 10], [20, 60, 20]]]).to_frame()
    assert frame.columns.tolist()[:9] == [
        "source", "target", "estimate", "lower", "upper", "n_a", "n_b", "q_value", "kept",
    ]  # fmt: skip
    first = frame[frame["source"] == "A"]
    assert set(first["n_a"]) == {100}
    assert set(first["n_b"]) == {40}
    assert first.groupby("source")["estimate"].sum().tolist() == pytest.approx([0.0], abs=1e-12)
    assert first["share_a"].tolist() == [0.2, 0.5, 0.3]  # (dropped), A, B


def test_an_activity_of_one_group_is_told_apart() -> None:
    found = compared([[[50, 30, 20], [5, 5, 5]], [[50, 30, 20], [0, 0, 0]]])
    assert found.one_sided == (1,)
    assert set(found.to_frame()["source"]) == {"A"}


def test_moves_too_rare_to_be_tested_have_no_q() -> None:
    found = compared([[[60, 38, 2], [3, 2, 1]], [[60, 39, 1], [2, 2, 2]]])
    frame = found.to_frame()
    rare = frame["q_value"].isna()
    assert frame[rare][["source", "target"]].to_numpy().tolist() == [
        ["A", "(dropped)"], ["B", "(dropped)"], ["B", "A"], ["B", "B"],
    ]  # fmt: skip
    assert not frame[rare]["kept"].any()
    assert frame[frame["source"] == "B"]["adjusted"].isna().all()
    assert found.n_tested == 2


def test_groups_exchanged() -> None:
    rng = np.random.default_rng(0)
    table = rng.integers(0, 60, size=(2, 4, 5))
    one, other = compared(table.tolist()), compared(table[::-1].tolist())
    a, b = one.to_frame(), other.to_frame()
    assert a[["source", "target"]].equals(b[["source", "target"]])
    assert a["estimate"].to_numpy() == pytest.approx(-b["estimate"].to_numpy(), abs=1e-12)
    assert a["lower"].to_numpy() == pytest.approx(-b["upper"].to_numpy(), abs=1e-12)
    assert a["q_value"].to_numpy() == pytest.approx(b["q_value"].to_numpy(), nan_ok=True)
    assert a["kept"].tolist() == b["kept"].tolist()
    assert a["n_a"].tolist() == b["n_b"].tolist()


def test_several_comparisons_are_one_family() -> None:
    weak = compared([ALIKE, [[35, 40, 25], [20, 60, 20]]])
    assert weak.n_kept_rows == 0 or weak.rows.p_value.min() > 0.0
    strong = compared([[[58, 22, 20], [20, 60, 20]], [[40, 42, 18], [20, 60, 20]]])
    assert strong.n_kept_rows == 1
    silent = [compared([ALIKE, ALIKE]) for _ in range(10)]
    together = judge_together([strong, *silent])
    assert together[0].n_kept_rows == 0
    assert together[0].rows.q_value.min() > strong.rows.q_value.min()
    assert judge_together([strong])[0].kept.tolist() == strong.kept.tolist()
    assert judge_together([]) == []


def test_nothing_to_compare_gives_an_empty_frame() -> None:
    found = compared([[[5, 5, 0], [0, 0, 0]], [[0, 0, 0], [5, 5, 5]]])
    assert found.to_frame().empty
    assert (found.n_tested_rows, found.n_large, found.n_kept) == (0, 0, 0)
    assert len(repr(found).splitlines()) <= 12
