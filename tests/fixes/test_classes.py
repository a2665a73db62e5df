"""Classes of customers inside segments: no credit for the determined, and nothing changes where there are none."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import journeymine as jm
from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.sequences import SequenceCounts
from journeymine.errors import OptionError
from journeymine.fixes import classes as classes_module
from journeymine.fixes.candidates import Candidate, ScopedDrops
from journeymine.fixes.classes import find_classes
from journeymine.fixes.fix import Fix
from journeymine.markov.lists import chain_of_sequences
from journeymine.simulate import sample_chain

if TYPE_CHECKING:
    from journeymine.fixes.classes import Classes

Make = "Callable[..., Any]"
EXACT = 1e-9
"""Rounding, and the leak of 1e-12 a move."""
STEPS = 6
"""Decisions of a journey."""


def ladder(drop: float) -> np.ndarray:
    """Six steps one after the other, `drop` of the journeys lost at each."""
    matrix = np.zeros((STEPS, STEPS + 2))
    for i in range(STEPS):
        matrix[i, i + 1] = 1 - drop
        matrix[i, STEPS + 1] = drop
    return matrix


def world(
    n: int, drops: tuple[float, ...], seed: int, *, n_cells: int = 1, by_cell: float = 0.0
) -> SequenceCounts:
    """Journeys on a ladder; each customer's share of dropping is one of `drops`, plus `by_cell` times the cell."""
    rng = np.random.default_rng(seed)
    cell = rng.integers(0, n_cells, n)
    lost = np.array(drops)[rng.integers(0, len(drops), n)] + by_cell * cell
    left = rng.random((n, STEPS)) < lost[:, None]
    length = np.where(left.any(axis=1), left.argmax(axis=1) + 1, STEPS)
    begin = np.concatenate([[0], np.cumsum(length)])
    return SequenceCounts(
        states=tuple(f"S{i}" for i in range(STEPS)),
        code=np.arange(begin[-1]) - np.repeat(begin[:-1], length),
        begin=begin,
        last=np.where(left.any(axis=1), DROP, GOAL),
        unit=np.arange(n),
        cell=cell,
        n=np.ones(n, np.int64),
        cells=tuple((f"v{c}",) for c in range(n_cells)),
        n_units=n,
    )


def loops(n: int, kinds: tuple[tuple[float, float], ...], seed: int, n_cells: int = 1) -> SequenceCounts:
    """Journeys that stay at one of two states, swap or leave; a kind is (share of leaving, share of swapping)."""
    rng = np.random.default_rng(seed)
    kind, cell = rng.integers(0, len(kinds), n), rng.integers(0, n_cells, n)
    paths, last = [], []
    for k, c in zip(kind.tolist(), cell.tolist(), strict=True):
        leave, swap = kinds[k]
        state, path = 0, [0]
        while rng.random() >= leave + 0.03 * c:
            state = 1 - state if rng.random() < swap else state
            path.append(state)
        paths.append(path)
        last.append(GOAL if rng.random() < 0.4 else DROP)
    return SequenceCounts(
        states=("A", "B"),
        code=np.array([s for path in paths for s in path], dtype=np.int64),
        begin=np.concatenate([[0], np.cumsum([len(p) for p in paths])]).astype(np.int64),
        last=np.array(last),
        unit=np.arange(n),
        cell=cell,
        n=np.ones(n, np.int64),
        cells=tuple((f"v{c}",) for c in range(n_cells)),
        n_units=n,
    )


def assumed(sequences: SequenceCounts, state: int, where: Any = None) -> Candidate:
    """A fifth of the drop-outs of a state saved; or, in the cells of `where`, brought down to those of the others."""
    here = (sequences.code == state) & (sequences.column(sequences.target) >= 0)
    of, drops = sequences.of_visit[here], sequences.target[here] == DROP
    n, zero = sequences.n[of].astype(float), np.zeros(len(of), np.int64)

    def scope(keep: np.ndarray) -> ScopedDrops:
        return ScopedDrops(
            sequences.unit[of][keep],
            sequences.cell[of][keep],
            zero[keep],
            n[keep],
            n[keep],
            (n * drops)[keep],
        )

    everything, fix = np.ones(len(of), bool), Fix(kind="drop_off", activity=f"S{state}")
    if where is None:
        return Candidate(state, "assumed", scope(everything), scope(everything), fix=fix, block="assumed")
    inside = np.isin(sequences.cell[of], where)
    return Candidate(
        state, "segment", scope(everything), scope(inside), scope(~inside), fix=fix, block="found"
    )


KINDS = ((0.15, 0.8), (0.5, 0.1))


@pytest.fixture(scope="module")
def mixed() -> tuple[SequenceCounts, Classes]:
    sequences = loops(4000, KINDS, 1)
    return sequences, find_classes(sequences, chain_of_sequences(sequences), seed=1)


def test_one_class_is_the_plain_ranking_exactly(estimate_effects: Make) -> None:
    sequences = loops(3000, ((0.3, 0.4),), 2)
    counts = chain_of_sequences(sequences)
    classes = find_classes(sequences, counts)
    assert classes.n_classes.tolist() == [1]
    assert not classes.corrected
    candidates = [assumed(sequences, 0), assumed(sequences, 1)]
    plain = estimate_effects(counts, candidates, n_draws=20)
    same = estimate_effects(counts, candidates, classes=classes, n_draws=20)
    for name in ("effect", "drop", "reference", "effect_draws", "drop_draws"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(same, name))


def test_effects_are_those_of_the_classes_averaged(
    mixed: tuple[SequenceCounts, Classes], estimate_effects: Make
) -> None:
    """Against solving each class's chain again, in plain code."""
    sequences, classes = mixed
    assert classes.n_classes.tolist() == [2]
    counts = chain_of_sequences(sequences)
    found = estimate_effects(
        counts, [assumed(sequences, 0), assumed(sequences, 1)], classes=classes, n_draws=2
    )
    group = classes.groups[0]
    fit, edges = group.chosen.fit, group.table.edges
    membership = fit.membership[group.table.kind]
    for state in (0, 1):
        expected = 0.0
        for j in range(2):
            chain = np.zeros((2, 4))
            inside = edges[:, 0] < 2
            chain[edges[inside, 0], edges[inside, 1]] = np.exp(fit.log_moves[0, inside, j])
            fixed = chain.copy()
            fixed[state] *= (1 - 0.8 * chain[state, 3]) / (1 - chain[state, 3])
            fixed[state, 3] = 0.8 * chain[state, 3]
            # Every journey starts at A.
            before, after = (np.linalg.solve(np.eye(2) - m[:, :2], m[:, 2])[0] for m in (chain, fixed))
            expected += membership[:, j].mean() * (after - before)
        assert found.effect[state] == pytest.approx(expected, abs=EXACT)


def test_parts_add_up_to_their_cells(mixed: tuple[SequenceCounts, Classes]) -> None:
    sequences, classes = mixed
    parts = classes.parts(chain_of_sequences(sequences))
    candidate = assumed(sequences, 1)
    spread = parts.spread(candidate)
    for name in ("n_all", "n", "drops"):
        assert getattr(spread.scope, name).sum() == pytest.approx(getattr(candidate.scope, name).sum())
    assert set(spread.scope.cell.tolist()) == {0, 1}
    weights = np.random.default_rng(0).integers(0, 3, (3, sequences.n_units)).astype(float)
    moves = np.ones((3, 1, 2, 4))
    starts = np.full((3, 1, 3), 5.0)
    of_parts, started = parts.split(weights, moves, starts)
    assert of_parts.shape == (3, 2, 2, 4)
    np.testing.assert_allclose(started.sum(axis=1), starts[:, 0])
    for draw in range(3):
        visits = np.bincount(sequences.code, weights[draw][sequences.unit[sequences.of_visit]])
        np.testing.assert_allclose(of_parts[draw].sum(axis=(0, 2)), visits)


def test_small_cells_are_fitted_together(monkeypatch: pytest.MonkeyPatch, estimate_effects: Make) -> None:
    """Cells that differ give no classes; kinds in all of them do, and every cell keeps its own moves."""
    monkeypatch.setattr(classes_module, "OWN_CELL", 100_000)
    plain = loops(3000, ((0.3, 0.4),), 3, n_cells=3)
    assert find_classes(plain, chain_of_sequences(plain)).n_classes.tolist() == [1, 1, 1]
    sequences = loops(4000, KINDS, 3, n_cells=3)
    counts = chain_of_sequences(sequences)
    classes = find_classes(sequences, counts)
    assert len(classes.groups) == 1
    assert classes.n_classes.tolist() == [2, 2, 2]
    candidates = [assumed(sequences, 0), assumed(sequences, 0, where=[2])]
    found = estimate_effects(
        counts, candidates, classes=classes, pools={0: np.array([0, 0, 1])}, n_draws=5, seed=1
    )
    assert np.isfinite(found.effect_draws).all()
    assert found.effect[0] > 0
    # The third cell leaves more often: bringing it down helps, and by less than nothing is lost elsewhere.
    assert found.effect[1] > 0


def test_too_few_journeys_are_not_tried() -> None:
    sequences = loops(500, KINDS, 3)
    classes = find_classes(sequences, chain_of_sequences(sequences))
    assert classes.groups == ()
    assert classes.few
    assert classes.tried.tolist() == [False]
    assert classes.to_frame()["fitted"].tolist() == ["not tried"]
    assert "no correction" in repr(classes)
    assert classes.n_classes.tolist() == [1]


def test_what_is_said_about_cells(mixed: tuple[SequenceCounts, Classes]) -> None:
    classes = mixed[1]
    frame = classes.to_frame()
    assert frame[["cell", "n", "n_classes", "fitted"]].to_numpy().tolist() == [["v0", 4000, 2, "alone"]]
    assert repr(classes) == "Classes: up to 2 classes of customers in 1 of 1 cells"
    assert classes.to_dict() == {
        "corrected": True,
        "warnings": ["few_journeys"],
        "cells": [{"cell": ["v0"], "n": 4000, "n_classes": 2, "tried": True}],
    }


def test_draws_belong_to_the_seed(mixed: tuple[SequenceCounts, Classes], estimate_effects: Make) -> None:
    sequences, classes = mixed
    counts = chain_of_sequences(sequences)
    one, same, other = (
        estimate_effects(counts, [assumed(sequences, 0)], classes=classes, n_draws=6, seed=s)
        for s in (3, 3, 4)
    )
    np.testing.assert_array_equal(one.effect_draws, same.effect_draws)
    assert (one.effect_draws != other.effect_draws).any()


def test_what_a_unit_was_not_seen_to_do_follows_its_cell(mixed: tuple[SequenceCounts, Classes]) -> None:
    """Visits that nobody watched have the classes of the others at that state."""
    sequences, classes = mixed
    candidate = assumed(sequences, 1)
    stranger = dataclasses.replace(
        candidate.scope, unit=np.full(len(candidate.scope.unit), sequences.n_units + 5)
    )
    parts = classes.parts(chain_of_sequences(sequences))
    spread = parts.spread(dataclasses.replace(candidate, scope=stranger)).scope
    usual = parts.spread(candidate).scope
    for part in (0, 1):
        assert spread.n[spread.cell == part].sum() == pytest.approx(usual.n[usual.cell == part].sum())


LOOPY = [
    [0.45, 0.30, 0.00, 0.00, 0.25],
    [0.20, 0.35, 0.25, 0.00, 0.20],
    [0.00, 0.20, 0.40, 0.25, 0.15],
]


def effect_of(matrix: np.ndarray, state: int) -> float:
    fixed = matrix.copy()
    fixed[state] *= (1 - 0.8 * matrix[state, 4]) / (1 - matrix[state, 4])
    fixed[state, 4] = 0.8 * matrix[state, 4]
    before, after = (np.linalg.solve(np.eye(3) - m[:, :3], m[:, 3])[0] for m in (matrix, fixed))
    return float(after - before)


def test_the_early_fix_is_promised_less() -> None:
    """Latent intent: the plain what-if at the first step promises too much, and classes take most of that back."""
    sample = sample_chain(LOOPY, [1, 0, 0], 8000, seed=3, customer_sd=1.0, days=3650.0, wait_days=0.2)
    log = jm.read_log(
        sample.events,
        case_id="case_id",
        customer_id="customer_id",
        activity="activity",
        timestamp="timestamp",
    ).journeys("Goal", idle="30d")
    truth = 0.0
    for shift in np.sqrt(1.5) * np.array([-1.0, 0.0, 1.0]):
        matrix = np.array(LOOPY)
        odds = matrix[:, 4] * np.exp(shift)
        drop = odds / (1 - matrix[:, 4] + odds)
        matrix[:, :4] *= ((1 - drop) / (1 - matrix[:, 4]))[:, None]
        matrix[:, 4] = drop
        truth += effect_of(matrix, 0) / 3
    ratio = {}
    for heterogeneity in (None, "classes"):
        ranking = log.rank_fixes(n_draws=20, seed=1, heterogeneity=heterogeneity)
        first = next(fix for fix in ranking.fixes if fix.activity == "A" and fix.block == "assumed")
        ratio[heterogeneity] = float(first.effect.estimate) / truth
    assert ratio[None] > 1.3
    assert abs(ratio["classes"] - 1) < 0.5 * (ratio[None] - 1)


def test_wrong_option_and_a_log_of_one_kind() -> None:
    sample = sample_chain(LOOPY, [1, 0, 0], 1500, seed=4, days=3650.0, wait_days=0.2)
    log = jm.read_log(
        sample.events,
        case_id="case_id",
        customer_id="customer_id",
        activity="activity",
        timestamp="timestamp",
    ).journeys("Goal", idle="30d")
    with pytest.raises(OptionError, match="'class'"):
        log.rank_fixes(n_draws=2, seed=0, heterogeneity="class")  # type: ignore[arg-type]
    found = log.rank_fixes(n_draws=2, seed=0, heterogeneity="classes").classes
    assert found is not None
    assert found.n_classes.tolist() == [1]
    plain, same = (log.rank_fixes(n_draws=10, seed=0, heterogeneity=h).to_frame() for h in (None, "classes"))
    assert plain.equals(same)
