"""Worlds for causal care, drawn with NumPy: exposures that customers choose, with the truth in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.sequences import SequenceCounts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

START, ERROR, FORM, HELP, PAY = range(5)
STATES = ("Start", "Error", "Form", "Help", "Pay")


def sequences_of(
    paths: Sequence[Sequence[int]],
    last: Sequence[int],
    which: np.ndarray,
    *,
    cell: np.ndarray | None = None,
    unit: np.ndarray | None = None,
    states: tuple[str, ...] = STATES,
    n_cells: int = 1,
    buckets: bool = False,
) -> SequenceCounts:
    """Journey i takes path `which[i]`, ends with `last[i]`, and belongs to customer i unless `unit` says otherwise."""
    n = len(which)
    length = np.array([len(path) for path in paths])
    flat = np.concatenate([np.asarray(path, dtype=np.int64) for path in paths])
    first = np.concatenate([[0], np.cumsum(length)])[:-1]
    own = length[which]
    begin = np.concatenate([[0], np.cumsum(own)]).astype(np.int64)
    code = flat[np.repeat(first[which] - begin[:-1], own) + np.arange(begin[-1])]
    units = np.arange(n) if unit is None else unit
    return SequenceCounts(
        states,
        code,
        begin,
        np.asarray(last, dtype=np.int64),
        units,
        np.zeros(n, np.int64) if cell is None else cell,
        np.ones(n, np.int64),
        tuple((f"v{c}",) for c in range(n_cells)),
        int(units.max()) + 1,
        buckets,
    )


@dataclass(frozen=True)
class HelpWorld:
    """Start, maybe an error, the form, maybe help, then paid or gone; journeys may end at the form.

    Errors make people ask for help and fail: without adjustment help looks harmful. Its true effect is the same for
    everybody, `gain`, so that the effect on those who asked (ATT) and on all (ATE) are both `gain`.
    """

    sequences: SequenceCounts
    gain: float
    exposed_per_start: float


def help_world(
    n: int,
    seed: int,
    *,
    gain: float = 0.15,
    hidden: float = 0.0,
    lost: float = 0.0,
    leave: float = 0.1,
) -> HelpWorld:
    """`hidden`: how much an unseen trait adds to asking and takes from paying. `lost`: share lost from sight a step."""
    rng = np.random.default_rng(seed)
    cell = rng.integers(2, size=n)
    error = rng.random(n) < np.where(cell == 1, 0.6, 0.3)
    trait = rng.random(n) < 0.5
    gone = rng.random(n) < leave
    asks = rng.random(n) < np.where(error, 0.6, 0.15) + np.where(trait, hidden, 0.0)
    base = np.where(error, 0.15, 0.6) + 0.1 * cell - np.where(trait, hidden, 0.0)
    paid = rng.random(n) < base + gain * asks
    paths = [
        [START, FORM],
        [START, ERROR, FORM],
        [START, FORM, HELP, PAY],
        [START, ERROR, FORM, HELP, PAY],
        [START, FORM, PAY],
        [START, ERROR, FORM, PAY],
    ]
    which = np.where(gone, error.astype(int), np.where(asks, 2, 4) + error)
    last = np.where(gone, DROP, np.where(paid, GOAL, DROP))
    if lost:
        paths, which, last = _cut(paths, which, last, lost, rng)
    share = (1 - leave) * (0.45 * 0.6 + 0.55 * 0.15 + hidden / 2)
    return HelpWorld(sequences_of(paths, last, which, cell=cell, n_cells=2), gain, share)


def _cut(
    paths: list[list[int]], which: np.ndarray, last: np.ndarray, lost: float, rng: np.random.Generator
) -> tuple[list[list[int]], np.ndarray, np.ndarray]:
    """Lose journeys from sight: each visit after the first comes too late to be watched with probability `lost`.

    More often so on the way to help, which takes long.
    """
    cut = [list(path[:k]) for path in paths for k in range(1, max(map(len, paths)) + 1)]
    width = max(map(len, paths))
    new_which, new_last = np.empty_like(which), last.copy()
    length = np.array([len(path) for path in paths])
    kept = length[which].copy()
    for k in range(width - 1, 0, -1):
        comes = np.array([path[k] if len(path) > k else -1 for path in paths])[which]
        share = np.where(comes == HELP, 2 * lost, lost)
        here = (comes >= 0) & (rng.random(len(which)) < share)
        kept[here] = k
        new_last[here] = comes[here]
    new_which[:] = which * width + np.minimum(kept, length[which]) - 1
    return cut, new_which, new_last


@pytest.fixture(scope="session")
def make_help_world() -> Callable[..., HelpWorld]:
    """The factory `help_world`."""
    return help_world


@pytest.fixture(scope="session")
def make_sequences() -> Callable[..., SequenceCounts]:
    """The factory `sequences_of`."""
    return sequences_of
