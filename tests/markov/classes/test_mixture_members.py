"""Members of mixtures: counted by hand, whatever the order of the rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.markov.classes.mixture_worlds import CALM, HASTY, counts_of, walks

from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.sequences import OPEN
from journeymine.errors import OptionError
from journeymine.markov.classes.mixture import fit_mixture
from journeymine.markov.classes.mixture_em import MixtureModel
from journeymine.markov.classes.mixture_members import member_table
from journeymine.markov.classes.mixture_walk import walk_like

JOURNEYS = [([0, 1], GOAL), ([0, 1], GOAL), ([1], DROP), ([0, 1], OPEN), ([0, 0], 1), ([], GOAL), ([], OPEN)]


def test_journeys_counted_by_hand() -> None:
    table = member_table(counts_of(JOURNEYS, k=2, n=[1, 1, 1, 2, 1, 4, 9]), member="journey")
    assert table.n_journeys == 10
    dense = table.members.moves.toarray()
    counted = {}
    for kind, n in zip(dense, table.members.n, strict=True):
        made = {tuple(e): int(x) for e, x in zip(table.edges.tolist(), kind, strict=True) if x}
        counted[tuple(sorted(made.items()))] = int(n)
    assert counted == {
        (((0, 1), 1), ((1, 2), 1), ((2, 0), 1)): 2,
        (((1, 3), 1), ((2, 1), 1)): 1,
        (((0, 1), 1), ((2, 0), 1)): 2,
        (((0, 0), 1), ((0, 1), 1), ((2, 0), 1)): 1,
        (((2, 2), 1),): 4,
    }
    # A journey of which nothing is known is no member.
    assert table.of_sequence.tolist() == [0, 1, 2, 3, 4, 5]


def test_customers_hold_all_their_journeys() -> None:
    sequences = counts_of(JOURNEYS[:3], k=2, unit=[0, 1, 0], n=[1, 1, 2])
    table = member_table(sequences)
    assert table.customers
    assert table.n_members == 2
    assert table.n_journeys == 4
    of_first = table.members.moves.toarray()[table.kind[0]]
    assert of_first.sum() == 3 + 2 * 2
    assert table.kind[0] == table.kind[2] != table.kind[1]
    np.testing.assert_array_equal(np.asarray(table.journeys.sum(axis=1)).ravel(), [3, 1])
    assert table.n_independent == 2


def test_customers_are_not_known_in_buckets() -> None:
    sequences = counts_of(JOURNEYS[:3], k=2, unit=[0, 1, 0], buckets=True)
    assert not member_table(sequences).customers
    with pytest.raises(OptionError, match="buckets"):
        member_table(sequences, member="customer")
    with pytest.raises(OptionError, match="'nobody'"):
        member_table(sequences, member="nobody")  # type: ignore[arg-type]


@given(seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_order_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    paths = walks([CALM, HASTY], rng.integers(0, 2, 80), seed)
    cell = rng.integers(0, 3, 80)
    unit = rng.integers(0, 30, 80)
    order = rng.permutation(80)
    tables = [
        member_table(
            counts_of([paths[i] for i in at], unit=unit[at], cell=cell[at], n_cells=3),
            cell_of=np.array([0, -1, 1]),
            member="journey",
        )
        for at in (np.arange(80), order)
    ]
    one, other = tables
    np.testing.assert_array_equal(one.members.moves.toarray(), other.members.moves.toarray())
    np.testing.assert_array_equal(one.members.n, other.members.n)
    np.testing.assert_array_equal(one.by_unit.toarray(), other.by_unit.toarray())
    fits = [fit_mixture(MixtureModel(t.members), 2, np.random.default_rng(0)) for t in tables]
    np.testing.assert_array_equal(fits[0].log_moves, fits[1].log_moves)


def test_walks_follow_the_mixture() -> None:
    """Edges of drawn journeys against those of the members they are drawn like."""
    rng = np.random.default_rng(3)
    cell = rng.integers(0, 2, 4000)
    sequences = counts_of(walks([CALM, HASTY], cell, 2), cell=cell, n_cells=2)
    table = member_table(sequences, cell_of=np.array([0, 1]))
    fit = fit_mixture(MixtureModel(table.members), 1, rng)
    drawn = walk_like(table, fit, 10_000, np.random.default_rng(1))
    again = member_table(drawn, cell_of=np.array([0, 1]))
    assert drawn.n_sequences == 4000
    assert [tuple(e) for e in again.edges] == [tuple(e) for e in table.edges]
    one, other = (np.asarray(t.members.n @ t.members.moves) for t in (table, again))
    # Counts of thousands of moves: five standard deviations of their difference.
    assert np.all(np.abs(one - other) < 5 * np.sqrt(one + other) + 5)


def test_unseen_ends_stay_unseen() -> None:
    paths = [([0, 0], OPEN), ([0, 1, 0], 0)] * 500 + [([0], DROP), ([1], GOAL), ([0, 1], GOAL)] * 500
    sequences = counts_of(paths, k=2)
    table = member_table(sequences)
    fit = fit_mixture(MixtureModel(table.members), 1, np.random.default_rng(0))
    drawn = walk_like(table, fit, 10_000, np.random.default_rng(1))
    cut = np.concatenate([[2, 3] * 500, [np.iinfo(np.int64).max] * 1500])
    assert np.all(drawn.length <= cut)
    seen = (drawn.last == GOAL) | (drawn.last == DROP)
    assert seen[1000:].all()
    assert (drawn.length[~seen] == cut[~seen]).all()


def test_fewer_members_are_sampled() -> None:
    paths = walks([CALM], np.zeros(300, int), 4)
    unit = np.arange(300) // 3
    table = member_table(counts_of(paths, unit=unit))
    fit = fit_mixture(MixtureModel(table.members), 1, np.random.default_rng(0))
    drawn = walk_like(table, fit, 20, np.random.default_rng(1))
    assert drawn.n_units == 20
    assert drawn.n_sequences == 60
