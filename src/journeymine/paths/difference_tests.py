"""Find the differences between two groups: shares, tests of activities, tests of moves, false discoveries.

The rule is stated in `differences.py`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.compare import A, B
from journeymine.paths.differences import RATE, Differences, RowTests
from journeymine.paths.homogeneity import MIN_EXPECTED, Homogeneity, RowMoves, homogeneity_test
from journeymine.paths.share_differences import ShareDifferences, differences_of_shares
from journeymine.uncertainty import Estimates, benjamini_hochberg, unit_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.counts.compare import Groups, MoveCounts
    from journeymine.paths.mix import Mix

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


def find_differences(
    counts: MoveCounts,
    groups: Groups,
    *,
    attribute: str,
    a: str,
    b: str,
    strata: tuple[str, ...] = (),
    mix: Mix | None = None,
) -> Differences:
    """Test the moves of two groups.

    Parameters
    ----------
    strata
        Names of the columns that `groups` takes as strata, to be told.
    """
    k = len(counts.activities) + 2
    here = groups.move >= 0
    seen = [np.bincount(counts.source[here & (groups.move == g)], minlength=k - 2) > 0 for g in (A, B)]
    both, one = seen[0] & seen[1], seen[0] ^ seen[1]
    here &= both[counts.source]
    edges, edge = np.unique(counts.source[here] * k + counts.target[here] + 2, return_inverse=True)
    source, target = edges // k, edges % k - 2
    shares = _shares(counts, groups, here, source, edge)
    tests = _test_rows(counts, groups, here, source, edge)
    rows, edge_p, adjusted = _collect(tests, source, shares)
    found = Differences(
        attribute=attribute,
        a=a,
        b=b,
        strata=strata,
        activities=counts.activities,
        source=source,
        target=target,
        shares=shares,
        adjusted=adjusted,
        q_value=np.full(len(source), np.nan),
        kept=np.zeros(len(source), bool),
        edge_p=edge_p,
        rows=rows,
        one_sided=tuple(np.flatnonzero(one).tolist()),
        goal=counts.goal,
        mix=mix,
    )
    return judge_together([found])[0]


def _shares(
    counts: MoveCounts, groups: Groups, here: NDArray[np.bool_], source: Ints, edge: Ints
) -> ShareDifferences:
    """Shares of the moves in both groups, and their differences."""
    sources, row = np.unique(source, return_inverse=True)
    wins, trials = [], []
    for group in (A, B):
        mine = groups.move[here] == group
        unit, n, e = counts.unit[here][mine], counts.n[here][mine], edge[mine]
        wins.append(unit_matrix(unit, e, n, (counts.n_units, len(source))))
        trials.append(unit_matrix(unit, row[e], n, (counts.n_units, len(sources))))
    return differences_of_shares((wins[0], wins[1]), (trials[0], trials[1]), row, buckets=counts.buckets)


def _test_rows(
    counts: MoveCounts, groups: Groups, here: NDArray[np.bool_], source: Ints, edge: Ints
) -> dict[int, Homogeneity]:
    """Test of each activity, by place of its first move; moves before and after the goal are strata apart."""
    unit, n, in_a = counts.unit[here], counts.n[here], groups.move[here] == A
    stratum = groups.move_stratum[here] * 2 + counts.late[here]
    row = counts.source[here]
    order = np.argsort(row, kind="stable")
    firsts = np.flatnonzero(np.r_[True, source[1:] != source[:-1]]) if len(source) else np.zeros(0, int)
    found: dict[int, Homogeneity] = {}
    begin = np.searchsorted(row[order], source[firsts])
    stop = np.searchsorted(row[order], source[firsts], side="right")
    widths = np.diff(np.r_[firsts, len(source)])
    for first, width, lo, hi in zip(
        firsts.tolist(), widths.tolist(), begin.tolist(), stop.tolist(), strict=True
    ):
        at = order[lo:hi]
        mine = in_a[at]
        if min(n[at][mine].sum(), n[at][~mine].sum()) < 2 * MIN_EXPECTED:
            continue
        test = homogeneity_test(RowMoves(unit[at], stratum[at], mine, edge[at] - first, n[at], width))
        if test is not None:
            found[first] = test
    return found


def _collect(
    tests: dict[int, Homogeneity], source: Ints, shares: ShareDifferences
) -> tuple[RowTests, Floats, Estimates]:
    """Tests of the rows, p values of the moves, and differences inside the strata; nothing judged yet."""
    edge_p, adjusted = np.full(len(source), np.nan), np.full((3, len(source)), np.nan)
    for first, test in tests.items():
        edge_p[first + test.tested] = test.edge_p
        own = slice(first, first + len(test.adjusted))
        adjusted[:, own] = test.adjusted, test.adjusted_lower, test.adjusted_upper
    p = np.array([test.p_value for test in tests.values()])
    rows = RowTests(
        source[list(tests)] if tests else np.zeros(0, np.int64),
        p,
        np.full(len(p), np.nan),
        np.array([test.design_effect for test in tests.values()]),
        np.zeros(len(p), bool),
    )
    return rows, edge_p, Estimates(adjusted[0], adjusted[1], adjusted[2], shares.difference.n)


def judge_together(found: Sequence[Differences]) -> list[Differences]:
    """Control the false discoveries of several comparisons as one: all their activities are one family."""
    q = benjamini_hochberg(np.concatenate([one.rows.p_value for one in found])) if found else np.zeros(0)
    widen = len(q) / max(int((q <= RATE).sum()), 1)
    begin = np.cumsum([0, *(one.n_tested_rows for one in found)])
    return [_judged(one, q[lo:hi], widen) for one, lo, hi in zip(found, begin[:-1], begin[1:], strict=True)]


def _judged(found: Differences, row_q: Floats, widen: float) -> Differences:
    """Moves at the level that the kept activities leave: a move is kept only with its activity."""
    q_value = np.full(len(found.source), np.nan)
    for source, q in zip(found.rows.source.tolist(), row_q.tolist(), strict=True):
        own = np.flatnonzero((found.source == source) & np.isfinite(found.edge_p))
        q_value[own] = np.clip(benjamini_hochberg(found.edge_p[own]) * widen, q, 1.0)
    rows = replace(found.rows, q_value=row_q, kept=row_q <= RATE)
    return replace(found, q_value=q_value, kept=np.nan_to_num(q_value, nan=1.0) <= RATE, rows=rows)
