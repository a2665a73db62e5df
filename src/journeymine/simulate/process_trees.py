"""Random process trees and logs played out from them: the known truth of tests of discovery."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.graph import GraphCounts
from journeymine.errors import OptionError
from journeymine.process.tree import SILENT, Tree, activity, exclusive, loop, parallel, sequence

if TYPE_CHECKING:
    from collections.abc import Sequence

    Trace = tuple[str, ...]

SHARES = {"sequence": 0.45, "exclusive": 0.25, "parallel": 0.2, "loop": 0.1}
P_OPTIONAL = 0.25
"""Share of the steps of a sequence that may be skipped."""
P_AGAIN = 0.3
"""Probability of another round of a loop."""
MOST_CHILDREN = 4
LEAST_LOOP = 3
"""Activities of the smallest loop: two for a body whose first and last differ, one for the way back."""


def random_tree(n_activities: int, seed: int = 0) -> Tree:
    """A random process tree that its directly-follows graph determines.

    It is of the class for which rediscovery is promised (Leemans, Fahland and van der Aalst, doi
    10.1007/s10270-016-0545-x): every activity once; the body of a loop cannot be empty and begins and ends with
    different activities, its way back cannot be empty; only steps of a sequence may be skipped, and one of them
    may not; no step of a parallel block may be skipped.

    Parameters
    ----------
    n_activities
        Number of activities, named "a1", "a2" ...
    seed
        Same seed, same tree.

    Examples
    --------
    >>> print(random_tree(5, seed=4))
    *( ->( X( 'a1', 'a2' ), 'a3', 'a4' ), 'a5' )
    """
    if n_activities < 1:
        raise OptionError(f"n_activities is {n_activities}, expected at least 1.")
    names = [f"a{i + 1}" for i in range(n_activities)]
    return _block(names, "", np.random.default_rng(seed))


def _block(names: list[str], above: str, rng: np.random.Generator) -> Tree:
    """A block that cannot be empty, of another operator than the one above it."""
    if len(names) == 1:
        return activity(names[0])
    kinds = [k for k in SHARES if k != above and (k != "loop" or len(names) >= LEAST_LOOP)]
    shares = np.array([SHARES[k] for k in kinds])
    kind = kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]
    if kind == "loop":
        cut = int(rng.integers(2, len(names)))
        return loop(_steps(names[:cut], rng, within_loop=True), _block(names[cut:], "", rng))
    if kind == "sequence":
        return _steps(names, rng, within_loop=False)
    children = [_block(part, kind, rng) for part in _parts(names, rng)]
    return exclusive(*children) if kind == "exclusive" else parallel(*children)


def _steps(names: list[str], rng: np.random.Generator, *, within_loop: bool) -> Tree:
    """A sequence; as the body of a loop its first and last step are always done."""
    parts = _parts(names, rng)
    skips = rng.random(len(parts)) < P_OPTIONAL
    skips[int(rng.integers(len(parts)))] = False
    if within_loop:
        skips[[0, -1]] = False
    steps = [
        _block(part, "sequence" if not skip else "exclusive", rng)
        for part, skip in zip(parts, skips, strict=True)
    ]
    return sequence(
        *[exclusive(SILENT, step) if skip else step for step, skip in zip(steps, skips, strict=True)]
    )


def _parts(names: list[str], rng: np.random.Generator) -> list[list[str]]:
    """Two to four runs of names."""
    n = int(rng.integers(2, min(MOST_CHILDREN, len(names)) + 1))
    cuts = np.sort(rng.choice(len(names) - 1, n - 1, replace=False)) + 1
    return [names[a:b] for a, b in zip([0, *cuts.tolist()], [*cuts.tolist(), len(names)], strict=True)]


def play_out(tree: Tree, n_cases: int, seed: int = 0, *, noise: float = 0.0) -> list[Trace]:
    """Sample cases from a process tree.

    Every child of a choice is equally likely, parallel children interleave in every way equally likely, and a
    loop goes round again with probability 0.3.

    Parameters
    ----------
    tree
        The model.
    n_cases
        Number of cases.
    seed
        Same seed, same cases.
    noise
        Share of the cases that are disturbed once: an event inserted, deleted, or swapped with the next.

    Returns
    -------
    list of tuple of str
        Names of the activities of each case, in order.

    Examples
    --------
    >>> play_out(sequence(activity("a"), exclusive(activity("b"), activity("c"))), 3, seed=1)
    [('a', 'c'), ('a', 'c'), ('a', 'b')]
    """
    if n_cases < 0:
        raise OptionError(f"n_cases is {n_cases}, expected at least 0.")
    if not 0 <= noise <= 1:
        raise OptionError(f"noise is {noise}, expected a number between 0 and 1.")
    rng = np.random.default_rng(seed)
    names = tree.activities
    cases = []
    for disturbed in (rng.random(n_cases) < noise).tolist():
        case = _play(tree, rng)
        cases.append(tuple(_disturbed(case, names, rng) if disturbed else case))
    return cases


def graph_of(traces: Sequence[Sequence[str]]) -> GraphCounts:
    """Counts of the directly-follows graph of some cases.

    Examples
    --------
    >>> graph = graph_of([("a", "b"), ("a", "c"), ("a", "b")])
    >>> graph.activities, graph.follows[0].tolist(), graph.ends.tolist()
    (('a', 'b', 'c'), [0, 2, 1], [0, 2, 1])
    """
    names = tuple(sorted({name for trace in traces for name in trace}))
    at = {name: i for i, name in enumerate(names)}
    follows = np.zeros((len(names), len(names)), np.int64)
    starts, ends = np.zeros((2, len(names)), np.int64)
    for trace in traces:
        if trace:
            starts[at[trace[0]]] += 1
            ends[at[trace[-1]]] += 1
        for a, b in pairwise(trace):
            follows[at[a], at[b]] += 1
    return GraphCounts(names, follows.sum(axis=1) + ends, starts, ends, follows)


def _play(tree: Tree, rng: np.random.Generator) -> list[str]:
    if tree.operator == "activity":
        return [str(tree.activity)]
    if tree.operator == "sequence":
        return [name for child in tree.children for name in _play(child, rng)]
    if tree.operator == "exclusive":
        return _play(tree.children[int(rng.integers(len(tree.children)))], rng)
    if tree.operator == "parallel":
        return _interleaved([_play(child, rng) for child in tree.children], rng)
    case: list[str] = []
    if tree.operator == "loop":
        do, redo = tree.children
        case = _play(do, rng)
        while rng.random() < P_AGAIN:
            case += _play(redo, rng) + _play(do, rng)
    return case


def _interleaved(cases: list[list[str]], rng: np.random.Generator) -> list[str]:
    """Shuffle whose turn it is, then let each child go on in its own order."""
    turns = np.repeat(np.arange(len(cases)), [len(case) for case in cases])
    rng.shuffle(turns)
    next_of = [iter(case) for case in cases]
    return [next(next_of[turn]) for turn in turns.tolist()]


def _disturbed(case: list[str], names: Sequence[str], rng: np.random.Generator) -> list[str]:
    kind = int(rng.integers(3)) if len(case) > 1 else 0
    if kind == 0:
        at = int(rng.integers(len(case) + 1))
        return [*case[:at], names[int(rng.integers(len(names)))], *case[at:]] if names else case
    if kind == 1:
        at = int(rng.integers(len(case)))
        return case[:at] + case[at + 1 :]
    at = int(rng.integers(len(case) - 1))
    return [*case[:at], case[at + 1], case[at], *case[at + 2 :]]
