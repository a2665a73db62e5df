"""Does it matter what came one visit earlier? A test that holds its level in sparse tables and clusters.

In every context the moves of its longer contexts are compared with those of all of them together. Pearson's
statistic is taken, and not 2 log(likelihood ratio), whose distribution in tables of hundreds of nearly empty contexts
is not chi-square. Its part that comes from single units is known exactly and says nothing; what is left are products
of different units, of mean 0 whatever the expected counts (the statistic of Chen and Qin 2010). Its spread is that
under random signs of whole units (the wild bootstrap: Liu 1988; for clusters Cameron, Gelbach and Miller 2008), so
moves of one customer may go together. Mean and spread give the scale and the degrees of freedom of a chi-square
(Satterthwaite 1946; Rao and Scott 1984), which in dense tables of independent journeys is the textbook's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse, special

from journeymine.markov.memory.order_likelihood import context_path, log_likelihood
from journeymine.uncertainty import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.markov.memory.order_likelihood import Level, Moves

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

N_SIGNS = 500
CHUNK = 50
MIN_UNITS = 2.0
"""Effective number of units a context needs to tell how much units differ."""
MAX_PULL = 0.75
MIN_MOVES = 100
"""Moves that a context and the rest need for the distance of their shares to be read."""
BEYOND_CHANCE = 5.0
"""Standard deviations by which a distance has to exceed what chance makes of it: many contexts are compared."""


@dataclass(frozen=True, slots=True)
class MemoryTest:
    """Test of one order against the next higher one.

    Attributes
    ----------
    lr_statistic
        Twice the gain in log-likelihood.
    df
        Its degrees of freedom: contexts less one times targets less one in every shorter context, of those that occur.
    statistic, expected
        Pearson's statistic, and its mean if what came earlier does not matter.
    df_effective
        Degrees of freedom behind the p value.
    p_value
        Probability of so large a statistic if what came earlier does not matter; 1 where nothing can be compared.
    design_effect
        How much the moves of one customer go together; 1 is independence.
    bits
        Information about the next move that what came earlier adds, in bits a move, without what chance alone adds;
        below 0 where chance would have added more.
    distance
        Largest total variation between the shares of a context and of the other contexts with the same end, without
        what chance adds; 0 where none is beyond chance.
    context
        That context: states, the most recent last, BEGIN before the first; empty where there is none.
    n
        Moves of that context.
    """

    lr_statistic: float
    df: int
    statistic: float
    expected: float
    df_effective: float
    p_value: float
    design_effect: float
    bits: float
    distance: float
    context: tuple[int, ...]
    n: int


def memory_test(moves: Moves, order: int, *, seed: int = 0, n_signs: int = N_SIGNS) -> MemoryTest:
    """Test a chain of an order against one that looks back one visit further.

    Examples
    --------
    After "b" it matters what came before:

    >>> from journeymine.markov.lists import count_lists
    >>> from journeymine.markov.memory.order_likelihood import ordered_moves
    >>> _, journeys = count_lists([["a", "b", "a"], ["c", "b", "c"]], weights=[20, 20])
    >>> memory_test(ordered_moves(journeys, 2), 1).p_value < 0.001
    True
    """
    longer, shorter = moves.levels[order + 1], moves.levels[order]
    cells, cells_above = moves.cells(order + 1), moves.cells(order)
    statistic = 2 * (log_likelihood(longer, cells) - log_likelihood(shorter, cells_above))
    children = np.bincount(longer.parent, minlength=shorter.n_contexts)
    targets = np.bincount(shorter.context_of, minlength=shorter.n_contexts)
    df = (children - 1) * (targets - 1)
    units = _effective_units(moves, shorter)
    score = _Score(moves, order, (df > 0) & (units >= MIN_UNITS))
    pearson, expected = score.observed(), score.expected()
    distance, context = _farthest(longer, shorter, cells, cells_above)
    total = float(moves.n.sum())
    freedom, p_value = _p_value(score, pearson, expected, seed, n_signs)
    gain = min(pearson - expected, max(statistic - expected, 0.0)) if expected else 0.0
    return MemoryTest(
        lr_statistic=statistic,
        df=int(df.sum()),
        statistic=pearson,
        expected=expected,
        df_effective=freedom,
        p_value=p_value,
        design_effect=_design_effect(moves, longer, cells),
        bits=gain / (2 * total * np.log(2)),
        distance=distance,
        context=context_path(moves, order + 1, context) if context >= 0 else (),
        n=int(longer.totals(cells)[context]) if context >= 0 else 0,
    )


def _effective_units(moves: Moves, level: Level) -> Floats:
    """Number of units of equal size that the moves of each context are worth (Kish 1965)."""
    squares, total = _squares(moves, level.context_of[level.cell], level.n_contexts)
    return np.asarray(total**2 / squares)


def _pull(moves: Moves, longer: Level, shorter: Level) -> Floats:
    """Share by which residuals of each shorter context are too small, because they pull its shares themselves.

    Of independent moves it is one in the number of moves; of moves that customers repeat, one in that of customers.
    """
    own, n = _squares(moves, longer.context_of[longer.cell], longer.n_contexts)
    above, n_above = _squares(moves, shorter.context_of[shorter.cell], shorter.n_contexts)
    children = np.bincount(longer.parent, minlength=shorter.n_contexts)
    uneven = np.bincount(longer.parent, own / n, shorter.n_contexts) - above / n_above
    return np.asarray(np.clip(uneven / (n_above * np.maximum(children - 1, 1)), 0.0, MAX_PULL))


def _squares(moves: Moves, place: Ints, size: int) -> tuple[Floats, Floats]:
    """Sum over units of the squared moves of each place, and its moves."""
    by_unit = _by_unit(moves, place, size)
    squares, n = by_unit.multiply(by_unit).sum(axis=0), by_unit.sum(axis=0)
    return np.asarray(squares, dtype=float).ravel(), np.asarray(n, dtype=float).ravel()


def _by_unit(moves: Moves, place: Ints, size: int, scale: Floats | None = None) -> sparse.csr_array:
    """Moves by unit and by the place of their cell of the deepest level, shape (n_units, size)."""
    n = moves.n if scale is None else moves.n * scale[moves.deep]
    return sparse.csr_array((n, (moves.unit, place[moves.deep])), shape=(moves.n_units, size))


def _design_effect(moves: Moves, level: Level, cells: Floats) -> float:
    """Mean variance of the moves of each context over customers, over that of independent moves.

    Residuals are those from the context's own shares, so that memory is not taken for customers who are alike.
    """
    free = len(cells) - level.n_contexts
    if free <= 0:
        return 1.0
    own, _ = _squares(moves, level.cell, len(cells))
    common, n = _squares(moves, level.context_of[level.cell], level.n_contexts)
    return float(((own / cells).sum() - (common / n).sum()) / free)


def _p_value(score: _Score, pearson: float, expected: float, seed: int, n_signs: int) -> tuple[float, float]:
    """Degrees of freedom and p value of the statistic, by its mean and its spread under random signs of units."""
    if expected <= 0:
        return 0.0, 1.0
    spread = float(np.var(score.under_signs(seed, n_signs)))
    if spread <= 0:
        return 0.0, 1.0
    freedom = 2 * expected**2 / spread
    return freedom, float(special.chdtrc(freedom, pearson * freedom / expected))


class _Score:
    """Observed less expected moves of the longer contexts, as sums over units."""

    def __init__(self, moves: Moves, order: int, used: Bools) -> None:
        longer, shorter = moves.levels[order + 1], moves.levels[order]
        self.moves, self.used = moves, used
        above = shorter.context_of[longer.up]
        cells, cells_above = moves.cells(order + 1), moves.cells(order)
        total, total_above = longer.totals(cells), shorter.totals(cells_above)
        share = (cells_above / total_above[shorter.context_of])[longer.up]
        kept = used[above]
        self.scale = np.sqrt(1 / (1 - _pull(moves, longer, shorter)))[above][longer.cell]
        with np.errstate(divide="ignore"):
            cell_weight = np.where(kept, 1 / (total[longer.context_of] * share), 0.0)
            up_weight = np.where(used[shorter.context_of], 1 / cells_above, 0.0)
        self.sums = [
            (longer.cell, cell_weight, 1.0),
            (
                longer.context_of[longer.cell],
                np.where(used[longer.parent], 1 / total, 0.0),
                -1.0,
            ),
            (shorter.cell, up_weight, -1.0),
            (
                shorter.context_of[shorter.cell],
                np.where(used, 1 / total_above, 0.0),
                1.0,
            ),
        ]
        self.pearson = float((cells[kept] ** 2 * cell_weight[kept]).sum() - cells[kept].sum())

    def observed(self) -> float:
        """Pearson's statistic, summed over the shorter contexts."""
        return self.pearson

    def expected(self) -> float:
        """What single units alone make of it: its mean if what came earlier does not matter."""
        total = 0.0
        for place, weight, sign in self.sums:
            matrix = _by_unit(self.moves, place, len(weight), self.scale)
            squares = np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel()
            total += sign * float((squares * weight).sum())
        return total

    def under_signs(self, seed: int, n_signs: int) -> Floats:
        """The statistic with the residuals of whole units given random signs, shape (n_signs,)."""
        rng = generator(seed, "signs of units")
        by_cell = _by_unit(self.moves, self.sums[0][0], len(self.sums[0][1]), self.scale).T.tocsr()
        # Every other sum is a sum of cells.
        sums = [(_adding(self.sums[0][0], place, len(w)), w, sign) for place, w, sign in self.sums[1:]]
        drawn = []
        for begin in range(0, n_signs, CHUNK):
            signs = rng.integers(0, 2, (self.moves.n_units, min(CHUNK, n_signs - begin))) * 2.0 - 1.0
            cells = by_cell @ signs
            value = self.sums[0][1] @ (cells * cells)
            for adding, weight, sign in sums:
                total = adding @ cells
                value += sign * (weight @ (total * total))
            drawn.append(value)
        return np.concatenate(drawn)


def _adding(cell: Ints, place: Ints, size: int) -> sparse.csr_array:
    """Matrix that adds cells up to their places, shape (size, n_cells)."""
    cells, first = np.unique(cell, return_index=True)
    return sparse.csr_array((np.ones(len(cells)), (place[first], cells)), shape=(size, len(cells)))


def _farthest(longer: Level, shorter: Level, cells: Floats, cells_above: Floats) -> tuple[float, int]:
    """The context whose shares are farthest from those of the others with the same end, and the distance."""
    total = longer.totals(cells)
    rest = shorter.totals(cells_above)[longer.parent] - total
    frequent = (total >= MIN_MOVES) & (rest >= MIN_MOVES)
    if not frequent.any():
        return 0.0, -1
    size, other = total[longer.context_of], rest[longer.context_of]
    with np.errstate(divide="ignore", invalid="ignore"):
        share, elsewhere = cells / size, (cells_above[longer.up] - cells) / other
        pooled = cells_above[longer.up] / (size + other)
        chance = np.sqrt(2 / np.pi * pooled * (1 - pooled) * (1 / size + 1 / other))
    share, elsewhere = np.nan_to_num(share), np.nan_to_num(elsewhere)
    # Targets that never follow the context are the other half of the distance.
    distance = (longer.totals(np.abs(share - elsewhere)) + 1 - longer.totals(elsewhere)) / 2
    chance = np.nan_to_num(chance, posinf=0.0)
    # Mean and variance of half the sum of absolute normal differences.
    noise = longer.totals(chance) / 2
    spread = np.sqrt(longer.totals(chance**2) * (np.pi / 2 - 1)) / 2
    sure = frequent & (distance > noise + BEYOND_CHANCE * spread)
    if not sure.any():
        return 0.0, -1
    beyond = np.where(sure, np.sqrt(np.maximum(distance**2 - noise**2, 0.0)), -1.0)
    best = int(np.argmax(beyond))
    return float(beyond[best]), best
