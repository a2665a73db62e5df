"""Personas: planted kinds come back with their sizes, outcomes and marks, each with an interval."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.markov.classes.mixture_worlds import CALM, HASTY, LOST, START, counts_of, three_classes, walks

from journeymine.markov.classes.persona_marks import LEAST, lifts

if TYPE_CHECKING:
    from journeymine.markov.classes.persona_results import Personas

from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.markov.classes.mixture import fit_mixture
from journeymine.markov.classes.mixture_em import MixtureModel
from journeymine.markov.classes.mixture_members import member_table
from journeymine.markov.classes.persona_draws import PersonaModel
from journeymine.markov.classes.persona_paths import path_probability, probable_path
from journeymine.markov.classes.personas import find_personas


@pytest.fixture(scope="module")
def found() -> Personas:
    return find_personas(three_classes(4000, 1)[0], n_draws=50, seed=1)


def test_planted_personas(found: Personas) -> None:
    assert found.k == 3
    assert found.warnings == ("few_journeys",)
    for persona, matrix, share in zip(found.personas, (CALM, HASTY, LOST), (0.5, 0.3, 0.2), strict=True):
        moves = np.array(matrix)
        hit = np.linalg.solve(np.eye(3) - moves[:, :3], moves[:, 3])
        events = float(np.array(START) @ np.linalg.solve(np.eye(3) - moves[:, :3], np.ones(3)))
        # 99.9 % rather than 95 %: nine intervals are read at once.
        assert persona.size.estimate == pytest.approx(share, abs=0.05)
        for value, truth in (
            (persona.size, share),
            (persona.conversion, float(np.array(START) @ hit)),
            (persona.events, events),
        ):
            half = max(float(value.upper - value.lower) / 2, 1e-3)
            assert abs(float(value.estimate) - truth) < 1.8 * half
            assert value.lower <= value.estimate <= value.upper
    assert sum(float(p.size.estimate) for p in found.personas) == pytest.approx(1.0)
    assert found.stability is not None
    assert found.stability.estimate > 0.6
    assert found.separation is not None
    assert 0 < found.separation.estimate < 1


def test_marks_are_what_was_planted(found: Personas) -> None:
    calm = found.personas[0]
    kinds = {(mark.kind, mark.source, mark.target): mark for mark in calm.marks}
    paid = kinds["move", "C", "(goal)"]
    assert paid.lift.lower > 1
    assert paid.q_value < 0.05
    assert paid.share == pytest.approx(0.65, abs=0.08)
    lost = {(m.kind, m.source, m.target): m for m in found.personas[2].marks}
    assert lost["move", "A", "C"].lift.estimate > 2
    assert all(mark.lift.lower > 1 or mark.lift.upper < 1 for p in found.personas for mark in p.marks)


def test_paths(found: Personas) -> None:
    assert found.personas[0].path == ("A", "B", "C", "(goal)")
    # 0.8 x 0.65 x 0.6 x 0.65
    assert float(found.personas[0].path_share.estimate) == pytest.approx(0.203, abs=0.04)


def test_frames(found: Personas) -> None:
    frame = found.to_frame()
    assert list(frame.columns) == [
        "persona",
        "quantity",
        "source",
        "target",
        "estimate",
        "lower",
        "upper",
        "n",
        "q_value",
    ]
    assert set(frame["quantity"]) >= {
        "size",
        "conversion",
        "events",
        "path_share",
        "stability",
        "lift of move",
    }
    table = found.number_table
    assert table.loc[table["chosen"], "k"].tolist() == [3]
    lines = repr(found).splitlines()
    assert len(lines) <= 12
    assert lines[-1].startswith("Next: ")


def test_assign(found: Personas) -> None:
    own = found.assign()
    assert own.shape == (4000, 3)
    np.testing.assert_allclose(own.sum(axis=1), 1.0)
    other = found.assign(three_classes(4000, 1)[0])
    # Every customer has one journey: the same moves, the same memberships.
    np.testing.assert_allclose(other, own, atol=1e-9)
    with pytest.raises(OptionError, match="states"):
        found.assign(counts_of([([0], -1)], k=1))


def test_sizes_are_journeys_not_customers() -> None:
    """A customer with nine journeys weighs nine times."""
    kinds = np.repeat(np.arange(400) % 2, np.where(np.arange(400) % 2, 1, 9))
    unit = np.repeat(np.arange(400), np.where(np.arange(400) % 2, 1, 9))
    found = find_personas(counts_of(walks([CALM, LOST], kinds, 1), unit=unit), k=2, n_draws=10)
    assert found.customers
    assert float(found.personas[0].size.estimate) == pytest.approx(0.9, abs=0.03)


def test_segments_mark() -> None:
    rng = np.random.default_rng(2)
    kinds = rng.integers(0, 2, 3000)
    cell = (rng.random(3000) < np.where(kinds == 0, 0.8, 0.3)).astype(int)
    found = find_personas(counts_of(walks([CALM, LOST], kinds, 3), cell=cell, n_cells=2), k=2, n_draws=40)
    first = found.personas[int(found.personas[0].conversion.estimate < 0.2)]
    mark = next(s for s in first.segments if s.value == "v1")
    assert mark.lift.lower > 1
    assert "few_journeys" in found.warnings


def test_one_kind_is_one_persona() -> None:
    found = find_personas(counts_of(walks([CALM], np.zeros(800, int), 5)), n_draws=10)
    assert found.k == 1
    assert found.stability is None
    assert found.personas[0].marks == ()
    assert found.personas[0].size.estimate == 1.0
    assert found.tried[0].n_classes == 1


def test_wrong_options() -> None:
    sequences = counts_of(walks([CALM], np.zeros(20, int), 5))
    for options in ({"k": 0}, {"k": "aic"}, {"max_k": 0}, {"n_draws": 1}, {"k": True}):
        with pytest.raises(OptionError):
            find_personas(sequences, **options)
    with pytest.raises(NotEnoughDataError):
        find_personas(counts_of([([0], -1)] * 5, k=1), k=2)


def test_numbers_of_one_draw_by_plain_sums() -> None:
    """Sizes, shares of segments and other personas' moves in a reweighted log, by loops."""
    rng = np.random.default_rng(6)
    kinds, cell, unit = rng.integers(0, 2, 200), rng.integers(0, 2, 200), rng.integers(0, 50, 200)
    sequences = counts_of(walks([CALM, LOST], kinds, 6), cell=cell, unit=unit, n_cells=2)
    table = member_table(sequences, member="journey")
    fit = fit_mixture(MixtureModel(table.members), 2, np.random.default_rng(0))
    weights = rng.integers(0, 4, 50).astype(float)
    numbers = PersonaModel(table, fit).numbers(fit, weights)
    membership = fit.membership[table.kind]
    amount = weights[unit]
    size = (membership * amount[:, None]).sum(axis=0) / amount.sum()
    np.testing.assert_allclose(numbers.size, size)
    inside = cell == 1
    for i in range(2):
        mine = (membership[:, i] * amount)[inside].sum() / (membership[:, i] * amount).sum()
        assert numbers.segments[i, 1] == pytest.approx(mine)
        assert numbers.other_segments[1 - i, 1] == pytest.approx(mine)


@given(seed=st.integers(0, 10_000), k=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_the_most_probable_journey_by_trying_all(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    moves = rng.dirichlet(np.full(k + 2, 0.4), k)
    start = rng.dirichlet(np.ones(k + 1))
    best = float(start[k])
    for length in range(1, k + 1):
        for states in product(range(k), repeat=length):
            for end in (k, k + 1):
                best = max(best, path_probability((*states, end), moves, start))
    found = probable_path(moves, start)
    assert path_probability(found, moves, start) == pytest.approx(best)


def test_what_others_never_do_has_no_endless_lift() -> None:
    own, others = np.array([[0.4, 0.0, 0.0]]), np.array([[1e-7, 0.0, 0.3]])
    draws = [np.repeat(x[None], 20, axis=0) * np.linspace(0.9, 1.1, 20)[:, None, None] for x in (own, others)]
    lift, _ = lifts(own, others, *draws, np.full((1, 3), 100))
    assert lift.estimate[0].tolist() == pytest.approx([0.4 / LEAST, 1.0, LEAST / 0.3])
