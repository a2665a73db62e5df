"""Occupation of journeys on a grid: equal to the estimator for stays, and what resampling must not change."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest

from journeymine.counts.occupation import START, OccupationCounts
from journeymine.errors import NotEnoughDataError
from journeymine.markov.occupation.occupation_curves import estimate_occupation, point_shares
from journeymine.markov.occupation.occupation_frame import state_occupation

EXACT = 1e-12
N, POINTS = 400, 9
GOAL, LOST = 2, 3
SPREAD = 0.15
"""How far the spread of 2,000 draws of 100 customers may lie from the infinitesimal jackknife's."""


def paths(seed: int) -> tuple[list[list[int]], list[int]]:
    """The state of each journey at each point of a grid, and the last point up to which it was followed."""
    rng = np.random.default_rng(seed)
    table = np.array([[0.6, 0.2, 0.1, 0.1], [0.2, 0.5, 0.2, 0.1], [0, 0, 1, 0], [0.1, 0, 0, 0.9]])
    out = []
    for _ in range(N):
        path = [int(rng.random() < 0.3)]
        for _ in range(POINTS - 1):
            path.append(int(rng.choice(4, p=table[path[-1]])))
        out.append(path)
    return out, rng.integers(1, POINTS + 3, N).clip(max=POINTS - 1).tolist()


def counts_of(journeys: list[list[int]], last: list[int], unit: list[int]) -> OccupationCounts:
    moves: list[tuple[int, int, int, int]] = []
    left = []
    for path, end, owner in zip(journeys, last, unit, strict=True):
        moves.append((owner, 0, START, path[0]))
        moves += [(owner, g, path[g - 1], path[g]) for g in range(1, end + 1) if path[g] != path[g - 1]]
        if end < POINTS - 1:
            left.append((owner, end, path[end]))
    u, place, source, target = np.array(moves).T
    lu, lp, ls = np.array(left, dtype=np.int64).reshape(-1, 3).T
    return OccupationCounts(
        ("A", "B"), np.arange(POINTS) * 1_000_000, u, place, source, target, np.ones(len(u), np.int64),
        lu, lp, ls, np.ones(len(lu), np.int64), np.arange(POINTS), max(unit) + 1,
    )  # fmt: skip


def stays_of(journeys: list[list[int]], last: list[int]) -> pd.DataFrame:
    rows = []
    for i, (path, end) in enumerate(zip(journeys, last, strict=True)):
        begin = 0
        for g in range(1, end + 1):
            if path[g] != path[g - 1]:
                rows.append((i, path[g - 1], path[g], begin, g))
                begin = g
        if end > begin:
            rows.append((i, path[end], None, begin, end))
    return pd.DataFrame(rows, columns=["id", "from", "to", "entry", "exit"])


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_estimator_for_stays(seed: int) -> None:
    journeys, last = paths(seed)
    found = estimate_occupation(counts_of(journeys, last, list(range(N))), n_draws=2000)
    stays = state_occupation(
        stays_of(journeys, last), "id", "from", "to", "entry", "exit", times=range(POINTS)
    )
    np.testing.assert_allclose(found.curves.share.estimate, stays.share.estimate, atol=EXACT)
    ours = (found.curves.share.upper - found.curves.share.lower)[1:]
    theirs = (stays.share.upper - stays.share.lower)[1:]
    assert ours == pytest.approx(theirs, rel=SPREAD, abs=0.002)
    under = found.curves.share.estimate[:, :2].sum(axis=1)
    assert found.under_way.estimate.tolist() == pytest.approx(under.tolist())


def test_buckets_and_order_change_no_estimate() -> None:
    journeys, last = paths(5)
    alone = counts_of(journeys, last, list(range(N)))
    owners = [i // 4 for i in range(N)]
    order = np.random.default_rng(1).permutation(N)
    mixed = counts_of(*([x[i] for i in order] for x in (journeys, last)), [owners[i] for i in order])  # type: ignore[arg-type]
    together = counts_of(journeys, last, owners)
    np.testing.assert_array_equal(point_shares(alone), point_shares(together))
    first, again = (estimate_occupation(c, n_draws=50) for c in (together, mixed))
    np.testing.assert_array_equal(first.curves.share.lower, again.curves.share.lower)
    np.testing.assert_array_equal(first.half_s.upper, again.half_s.upper)


def test_without_censoring_they_are_plain_shares() -> None:
    journeys, _ = paths(6)
    counts = counts_of(journeys, [POINTS - 1] * N, list(range(N)))
    plain = [[float(np.mean([path[g] == s for path in journeys])) for s in range(4)] for g in range(POINTS)]
    np.testing.assert_allclose(point_shares(counts), plain, atol=EXACT)
    assert counts.followed().tolist() == [N] * POINTS
    assert counts.n_returns == sum(
        a == LOST and b != LOST for path in journeys for a, b in itertools.pairwise(path)
    )


def test_half_of_those_at_the_goal() -> None:
    # Of four at the goal in the end two are there at 3 s: one more than at 2 s.
    journeys = [[0, 0, 2, 2, 2, 2, 2, 2, 2], [0, 0, 0, 2, 2, 2, 2, 2, 2], *[[0] * 7 + [2, 2]] * 2, [0] * 9]
    counts = counts_of(journeys, [POINTS - 1] * 5, list(range(5)))
    assert float(estimate_occupation(counts, n_draws=20).half_s.estimate) == pytest.approx(3.0)
    never = counts_of([[0] * 9] * 3, [POINTS - 1] * 3, [0, 1, 2])
    assert estimate_occupation(never, n_draws=20).half_s.at() is None


def test_what_nobody_was_followed_for_is_unknown() -> None:
    journeys, _ = paths(7)
    found = estimate_occupation(counts_of(journeys, [3] * N, list(range(N))), n_draws=20)
    assert np.isfinite(found.curves.share.estimate[3]).all()
    assert np.isnan(found.curves.share.estimate[4:]).all()
    assert found.curves.share.n[4:].max() == 0
    assert "only 0 journeys" in repr(found)
    assert len(repr(found).splitlines()) <= 12


def test_folding_keeps_the_sum() -> None:
    journeys, _ = paths(8)
    counts = counts_of(journeys, [POINTS - 1] * N, list(range(N)))
    whole, folded = point_shares(counts), point_shares(counts.fold([], "rest"))
    np.testing.assert_allclose(folded, np.column_stack([whole[:, :2].sum(axis=1), whole[:, 2:]]), atol=EXACT)
    swapped = counts.fold([1, 0], "rest")
    assert swapped.states == ("B", "A")
    np.testing.assert_allclose(point_shares(swapped), whole[:, [1, 0, 2, 3]], atol=EXACT)


def test_no_journey() -> None:
    journeys, last = paths(9)
    counts = counts_of(journeys, last, list(range(N)))
    none = dataclasses.replace(counts, n=np.zeros_like(counts.n))
    with pytest.raises(NotEnoughDataError):
        estimate_occupation(none)
