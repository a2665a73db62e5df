"""How likely moves are when 0, 1, 2, ... visits are remembered: in the data, and in journeys held out.

All orders are compared on the same moves: every watched visit and what followed it. The first visit of a journey
is given; where fewer visits lie behind a visit than an order remembers, a mark of the beginning stands in their
place, so that the start is a context of its own and no move is lost to a high order (Katz 1981; Singer et al. 2014).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, special

from journeymine.counts.memory import BEGIN
from journeymine.errors import NotEnoughDataError, OptionError, shown
from journeymine.markov.memory.memory import past_states
from journeymine.uncertainty import generator

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from journeymine.counts.sequences import SequenceCounts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

N_FOLDS = 5
JEFFREYS = 0.5
"""Pseudo-moves to each target where nothing is remembered."""
LOG_STRENGTHS = (-2.0, 14.0)
"""Natural logarithms between which the strength of the pull to the shorter context is sought."""
MAX_PACKED = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """Contexts of one depth, and the cells (context, target) that occur.

    Attributes
    ----------
    cell
        Cell of each cell of the deepest level, shape (n_deep,).
    context_of
        Context of each cell, shape (c,).
    column
        Column of the target of each cell, shape (c,).
    up
        Cell of the next shorter context with the same target, shape (c,); zeros at depth 0.
    parent
        Next shorter context of each context, shape (n_contexts,); zeros at depth 0.
    state
        State (or BEGIN) that the context has before its parent, shape (n_contexts,); -1 at depth 0.
    last
        The context's last state, shape (n_contexts,); -1 at depth 0.
    """

    cell: Ints
    context_of: Ints
    column: Ints
    up: Ints
    parent: Ints
    state: Ints
    last: Ints

    @property
    def n_contexts(self) -> int:
        """Number of contexts that occur."""
        return len(self.parent)

    def totals(self, cells: Floats) -> Floats:
        """Sums of the cells of each context."""
        return np.bincount(self.context_of, cells, self.n_contexts).astype(float)


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Moves with the contexts of every depth before them; entries by unit and cell of the deepest level, shape (m,).

    Attributes
    ----------
    levels
        Contexts of depth 0, 1, ...
    deep, unit, n
        Cell of the deepest level, unit and number of the moves of each entry.
    journeys
        Journeys with a move, by unit, shape (n_units,).
    """

    levels: tuple[Level, ...]
    deep: Ints
    unit: Ints
    n: Floats
    journeys: Floats

    @property
    def n_units(self) -> int:
        """Units that are resampled."""
        return len(self.journeys)

    def deepest(self, chosen: NDArray[np.bool_] | slice = slice(None)) -> Floats:
        """Moves of each cell of the deepest level, of some of the entries; shape (n_deep,)."""
        size = len(self.levels[-1].column)
        return np.bincount(self.deep[chosen], self.n[chosen], size).astype(float)

    def cells(self, depth: int, deepest: Floats | None = None) -> Floats:
        """Moves of each cell of a depth, of all entries or of those that the cells of the deepest level hold."""
        level = self.levels[depth]
        counts = self.deepest() if deepest is None else deepest
        return np.bincount(level.cell, counts, len(level.column)).astype(float)


def ordered_moves(sequences: SequenceCounts, depth: int, *, ends: bool = True) -> Moves:
    """Moves of sequences with their contexts up to a depth.

    Parameters
    ----------
    ends
        Whether reaching the goal and dropping out are moves.

    Raises
    ------
    OptionError
        The depth is no whole number from 1.
    NotEnoughDataError
        There is no move.

    Examples
    --------
    >>> from journeymine.markov.lists import count_lists
    >>> _, journeys = count_lists([["a", "b", "a", "b"]])
    >>> moves = ordered_moves(journeys, 2)
    >>> [level.n_contexts for level in moves.levels], moves.n.sum()
    ([1, 2, 3], np.float64(4.0))
    """
    if isinstance(depth, bool) or not isinstance(depth, (int, np.integer)) or depth < 1:
        raise OptionError(f"the order to look back to is {shown(depth)}, expected a whole number from 1.")
    k = sequences.n_states
    column, of = sequences.column(sequences.target), sequences.of_visit
    known = (column >= 0) & (sequences.n[of] > 0)
    if not ends:
        known &= column < k
    if not known.any():
        hint = "read more journeys, or set a shorter idle."
        raise NotEnoughDataError("no move was watched, so there is nothing to remember.", hint=hint)
    past = past_states(sequences, depth)[:, known]
    digits = [*np.where(past == BEGIN, k, past)]
    column = column[known]
    first, deep = _different([*digits, column], [*[k + 1] * depth, k + 2])
    levels, order = _levels([d[first] for d in digits], column[first], k)
    entry, place = _different([order[deep], sequences.unit[of][known]], [len(first), sequences.n_units])
    n = np.bincount(place, sequences.n[of][known], len(entry)).astype(float)
    with_move = np.zeros(sequences.n_sequences, bool)
    with_move[of[known]] = True
    journeys = np.bincount(sequences.unit[with_move], sequences.n[with_move], sequences.n_units)
    unit = sequences.unit[of][known][entry]
    return Moves(levels, order[deep[entry]], unit, n, journeys.astype(float))


def _different(columns: list[Ints], sizes: list[int]) -> tuple[Ints, Ints]:
    """First row of each different combination of columns, and the place of every row among them."""
    packed, size = columns[0], sizes[0]
    for column, more in zip(columns[1:], sizes[1:], strict=True):
        if size * more >= MAX_PACKED:
            packed = np.unique(packed, return_inverse=True)[1]
            size = int(packed.max(initial=0)) + 1
        packed, size = packed * more + column, size * more
    _, first, place = np.unique(packed, return_index=True, return_inverse=True)
    return first, place


def _levels(digits: list[Ints], column: Ints, k: int) -> tuple[tuple[Level, ...], Ints]:
    """Contexts of depth 0, 1, ... of moves that all differ, and the cell of the deepest level of each move.

    Parameters
    ----------
    digits
        State of each move, of the visit before it, ...; k before the first visit.
    """
    width = k + 2
    none = np.zeros(1, np.int64)
    targets, cell = np.unique(column, return_inverse=True)
    zeros = np.zeros(len(targets), np.int64)
    levels = [Level(cell, zeros, targets, zeros, none, none - 1, none - 1)]
    context = np.zeros(len(column), np.int64)
    for digit in digits:
        above = levels[-1]
        keys, context = np.unique(context * (k + 1) + digit, return_inverse=True)
        parent, state = keys // (k + 1), keys % (k + 1)
        cells, first, cell = np.unique(context * width + column, return_index=True, return_inverse=True)
        last = state if len(levels) == 1 else above.last[parent]
        state = np.where(state == k, BEGIN, state)
        levels.append(Level(cell, cells // width, cells % width, above.cell[first], parent, state, last))
    # Moves that all differ are the cells of the deepest level: put in its order, they need no place of their own.
    place = np.argsort(cell)
    return tuple(replace(level, cell=level.cell[place]) for level in levels), cell


def context_path(moves: Moves, depth: int, context: int) -> tuple[int, ...]:
    """States of a context, the most recent last."""
    path: list[int] = []
    for at in range(depth, 0, -1):
        level = moves.levels[at]
        path.append(int(level.state[context]))
        context = int(level.parent[context])
    return tuple(path)


def log_likelihood(level: Level, cells: Floats) -> float:
    """Log-likelihood of moves under the shares of their own contexts.

    Examples
    --------
    >>> from journeymine.markov.lists import count_lists
    >>> _, journeys = count_lists([["a", "a"], ["a"]])
    >>> moves = ordered_moves(journeys, 1)
    >>> round(log_likelihood(moves.levels[1], moves.cells(1)), 4)  # one move of three goes on, two drop out
    -1.9095
    """
    return float(
        special.xlogy(cells, cells).sum() - special.xlogy(level.totals(cells), level.totals(cells)).sum()
    )


def free_parameters(moves: Moves, depth: int) -> Ints:
    """Free parameters of each context of a depth: the targets ever seen after its last state, less one.

    A target never seen after a state is a structural zero: it costs no parameter in any context of the state.
    """
    if depth == 0:
        return np.array([len(moves.levels[0].column) - 1])
    first = moves.levels[1]
    seen = np.bincount(first.context_of, minlength=first.n_contexts)
    state = np.searchsorted(first.last, moves.levels[depth].last)
    return np.asarray(seen[state] - 1)


def folds_of_units(n_units: int, seed: int, n_folds: int = N_FOLDS) -> Ints:
    """Fold of each unit: journeys of a customer stay together, and folds are of one size give or take a unit."""
    return generator(seed, "folds of units").permutation(n_units) % min(n_folds, n_units)


def smoothed(level: Level, cells: Floats, above: Floats) -> Floats:
    """Probability of each cell, drawn to that of the next shorter context as far as contexts are alike.

    Hierarchical Dirichlet shares (MacKay and Peto 1995): (n + strength * p above) / (n of the context + strength),
    the strength by maximum marginal likelihood. Where longer contexts tell nothing, they are not believed.

    Parameters
    ----------
    cells
        Moves to learn from, by cell, shape (c,).
    above
        Probabilities of the cells of the next shorter depth, shape (c above,).
    """
    prior, total = above[level.up], level.totals(cells)
    seen, filled = cells > 0, total > 0
    n, p, size = cells[seen], prior[seen], total[filled]

    def loss(log_strength: float) -> float:
        strength = np.exp(log_strength)
        gained = special.gammaln(strength * p + n) - special.gammaln(strength * p)
        spread = special.gammaln(strength + size) - special.gammaln(strength)
        return float(spread.sum() - gained.sum())

    strength = float(np.exp(_smallest(loss, LOG_STRENGTHS)))
    return np.asarray((cells + strength * prior) / (total[level.context_of] + strength))


def _smallest(loss: Callable[[float], float], bounds: tuple[float, float]) -> float:
    return float(optimize.minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 0.05}).x)


def smoothed_levels(moves: Moves, deepest: Floats) -> list[Floats]:
    """Probability of every cell of every depth, learnt from the moves that the cells of the deepest level hold."""
    counts = moves.cells(0, deepest)
    shares = [(counts + JEFFREYS) / (counts.sum() + JEFFREYS * len(counts))]
    for depth in range(1, len(moves.levels)):
        shares.append(smoothed(moves.levels[depth], moves.cells(depth, deepest), shares[-1]))
    return shares
