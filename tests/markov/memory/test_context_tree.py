"""Context trees: a tree that is known, a plain-Python oracle, and what every tree obeys."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.counts.memory import BEGIN
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.markov.lists import count_lists
from journeymine.markov.memory.context_tree import fit_context_tree
from journeymine.markov.memory.memory import sequence_memory
from journeymine.markov.memory.order_likelihood import free_parameters, log_likelihood, ordered_moves

ROUNDING = 1e-8
JOURNEYS = st.lists(st.text("ABG", min_size=1, max_size=8), min_size=1, max_size=12)


def walk(rng: np.random.Generator, n: int) -> list[list[str]]:
    """A goes on alike whatever came before; B looks back one visit, and after C two."""
    paths = []
    for _ in range(n):
        path = [str(rng.choice(["A", "B", "C"]))]
        while path[-1] != "G":
            weights = {"A": (0.2, 0.4, 0.3, 0.0), "C": (0.1, 0.6, 0.1, 0.1)}.get(
                path[-1], (0.3, 0.2, 0.3, 0.1)
            )
            if path[-1] == "B" and path[-2:-1] == ["A"]:
                weights = (0.1, 0.1, 0.1, 0.6)
            if path[-3:] == ["A", "C", "B"]:
                weights = (0.7, 0.1, 0.1, 0.0)
            step = rng.choice(["A", "B", "C", "G", "."], p=[*weights, 1 - sum(weights)])
            if step == ".":
                break
            path.append(str(step))
        paths.append(path)
    return paths


def test_recovers_the_tree_of_a_known_chain() -> None:
    """Rissanen's consistency, at 4,000 journeys."""
    _, journeys = count_lists(walk(np.random.default_rng(1), 4000), goal="G")
    tree = fit_context_tree(journeys, 4)
    a, b, c = (journeys.states.index(name) for name in "ABC")
    # Contexts of B are compared with all moves from B, so that others than A > B differ from those as well.
    assert {context for context in tree.contexts if context[-1] != b} == {(a,), (c,)}
    assert {(b,), (a, b), (a, c, b)} <= set(tree.contexts)
    assert tree.depth == 3
    fixed = [
        -2 * log_likelihood(moves.levels[d], moves.cells(d))
        + math.log(tree.n_journeys) * free_parameters(moves, d).sum()
        for moves in [ordered_moves(journeys, 4)]
        for d in range(5)
    ]
    assert tree.bic < min(fixed)


def test_a_chain_without_memory_is_not_split() -> None:
    rng = np.random.default_rng(2)
    matrix = rng.dirichlet(np.ones(7), 6)
    paths = []
    for _ in range(3000):
        path = [int(rng.integers(0, 6))]
        while path[-1] < 6:
            path.append(int(rng.choice(7, p=matrix[path[-1]])))
        paths.append([str(s) for s in path[:-1]])
    _, journeys = count_lists(paths)
    tree = fit_context_tree(journeys)
    assert tree.contexts == tuple((i,) for i in range(6))
    assert tree.names == tuple("012345")


def plain_tree(paths: list[str], depth: int) -> set[str]:
    """Contexts kept by pruning from the longest down, by plain Python; "^" before the start."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    journeys = 0
    for path in paths:
        before, goal, _ = path.partition("G")
        journeys += bool(before)
        for at, target in enumerate([*before[1:], "+" if goal else "."] if before else []):
            for d in range(1, depth + 1):
                counts[("^" * depth + before)[depth + at + 1 - d : depth + at + 1]][target] += 1
    price, kept = math.log(max(journeys, 2)) / 2, {c for c in counts if len(c) == 1}
    for d in range(depth, 1, -1):
        for context in [c for c in counts if len(c) == d]:
            own, above = counts[context], counts[context[1:]]
            gained = sum(n * math.log(n / own.total() / (above[t] / above.total())) for t, n in own.items())
            inside = any(c.endswith(context) for c in kept if len(c) == d + 1)
            if inside or gained > price * (len(counts[context[-1]]) - 1):
                kept.add(context)
    taken: Counter[str] = Counter()
    for path in paths:
        before = path.partition("G")[0]
        for at in range(len(before)):
            whole = ("^" * depth + before)[: depth + at + 1]
            taken[max((c for c in kept if whole.endswith(c)), key=len)] += 1
    return {c for c in kept if taken[c] or len(c) == 1}


@given(JOURNEYS, st.integers(1, 4))
@settings(max_examples=80, deadline=None)
def test_equals_plain_python(paths: list[str], depth: int) -> None:
    paths = [*paths * 4, "AG"]
    _, journeys = count_lists([list(path) for path in paths], goal="G")
    tree = fit_context_tree(journeys, depth)
    found = {"".join("^" if s == BEGIN else journeys.states[s] for s in c) for c in tree.contexts}
    assert found == plain_tree(paths, depth)


@given(JOURNEYS, st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_every_move_is_in_one_context(paths: list[str], depth: int) -> None:
    _, journeys = count_lists([list(path) for path in [*paths * 5, "AG"]], goal="G")
    tree = fit_context_tree(journeys, depth)
    assert tree.n.sum() == int((journeys.length * journeys.n).sum())
    own = tree.n.sum(axis=1, keepdims=True)
    expected = float(
        np.where(tree.n > 0, tree.n * np.log(np.maximum(tree.n, 1) / np.maximum(own, 1)), 0.0).sum()
    )
    assert tree.log_likelihood == pytest.approx(expected, abs=ROUNDING)
    # A chain with this memory has the same moves in the same states.
    chain = sequence_memory(journeys, tree.memory)
    visits = np.bincount(chain.source, weights=chain.n, minlength=chain.n_states)
    counted = {name: n for name, n in zip(tree.names, own[:, 0].tolist(), strict=True) if n}
    assert dict(zip(chain.states, visits.astype(int).tolist(), strict=True)) == counted


def test_repr_and_frame() -> None:
    _, journeys = count_lists(walk(np.random.default_rng(1), 2000), goal="G")
    tree = fit_context_tree(journeys)
    frame = tree.to_frame()
    assert list(frame.columns) == ["context", "depth", "n"]
    assert frame["context"].is_unique
    assert repr(tree).splitlines()[-1].startswith("Next:")
    assert len(repr(tree).splitlines()) <= 12
    assert "B after A" in repr(tree)


def test_clear_errors() -> None:
    _, journeys = count_lists([["A", "B"]])
    with pytest.raises(OptionError, match="whole number from 1"):
        fit_context_tree(journeys, 0)
    _, nothing = count_lists([["G"]], goal="G")
    with pytest.raises(NotEnoughDataError, match="no move"):
        fit_context_tree(nothing)
