"""Memory of variable length: contexts as long as what they tell is worth their parameters.

Rissanen 1983 (the context algorithm); Bühlmann and Wyner 1999 (variable length Markov chains: a context is kept
where its shares differ from those of the next shorter one); Csiszár and Talata 2006 (BIC as the price of a context).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.memory import Memory, StateKeys
from journeymine.markov.memory.order_likelihood import (
    Level,
    Moves,
    context_path,
    free_parameters,
    ordered_moves,
)
from journeymine.markov.memory.order_likelihood import log_likelihood as likelihood_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.sequences import SequenceCounts

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MAX_DEPTH = 4


@dataclass(frozen=True, slots=True, eq=False)
class ContextTree:
    """Contexts of different length, each with the moves that no longer context takes.

    Attributes
    ----------
    states
        Names of the states.
    contexts
        States of each context, the most recent last; BEGIN before the first visit of a journey. Each state alone is
        one, whether or not longer contexts take all its moves.
    n
        Moves of each context by column (the states, the goal, dropping out), shape (n_contexts, k + 2).
    log_likelihood, n_parameters, bic
        Of the moves, with the number of journeys as sample size.
    n_journeys
        Journeys with a move.
    max_depth
        How many visits a context could have.
    """

    states: tuple[str, ...]
    contexts: tuple[tuple[int, ...], ...]
    n: Ints
    log_likelihood: float
    n_parameters: int
    bic: float
    n_journeys: int
    max_depth: int

    @property
    def depth(self) -> int:
        """Visits of the longest context."""
        return max(len(context) for context in self.contexts)

    @property
    def memory(self) -> Memory:
        """The same as what states of a chain remember."""
        return Memory(contexts=self.contexts)

    @property
    def names(self) -> tuple[str, ...]:
        """Readable names of the contexts."""
        keys = StateKeys(self.memory, self.states)
        return keys.names(keys.of_contexts(self.contexts))

    def to_frame(self) -> pd.DataFrame:
        """One row a context: context, depth, n."""
        import pandas as pd

        depth = [len(context) for context in self.contexts]
        return pd.DataFrame({"context": self.names, "depth": depth, "n": self.n.sum(axis=1)})

    def __repr__(self) -> str:
        longest = [f"  {name}" for name, c in zip(self.names, self.contexts, strict=True) if len(c) > 1]
        more = [f"  and {len(longest) - 6} more"] if len(longest) > 6 else []
        lines = [
            f"ContextTree of {len(self.contexts)} contexts of up to {self.depth} visits, BIC {self.bic:,.1f}",
            *longest[:6],
            *more,
            "Next: .to_frame(), .memory",
        ]
        return "\n".join(lines)


def fit_context_tree(sequences: SequenceCounts, max_depth: int = MAX_DEPTH) -> ContextTree:
    """Learn how far back each state has to look.

    From the longest contexts down, a context is kept if the moves it takes (or a longer one kept inside it takes) are
    more likely under its own shares than under those of the next shorter context, by more than BIC's price of its
    parameters, log(journeys) / 2 each.

    Parameters
    ----------
    max_depth
        Visits of the longest context, its last one included.

    Examples
    --------
    What follows "pay" depends on whether "form" came before it; how "form" goes on depends on nothing:

    >>> from journeymine.markov.lists import count_lists
    >>> paths = [["form", "pay", "paid"], ["form", "pay"], ["visit", "pay", "paid"], ["visit", "pay"]]
    >>> _, journeys = count_lists(paths, goal="paid", weights=[90, 10, 20, 80])
    >>> fit_context_tree(journeys, 3).names
    ('form', 'pay otherwise', 'pay after form', 'pay after visit', 'visit')
    """
    return tree_of_moves(ordered_moves(sequences, max_depth), sequences.states)


def tree_of_moves(moves: Moves, states: tuple[str, ...]) -> ContextTree:
    """Context tree of moves whose contexts are known, as deep as they are."""
    max_depth = len(moves.levels) - 1
    journeys = int(moves.journeys.sum())
    price = np.log(max(journeys, 2)) / 2
    deepest = moves.deepest()
    kept = kept_contexts(moves, deepest, price)
    depth = context_depth(moves, kept)
    contexts: list[tuple[int, ...]] = []
    rows: list[Floats] = []
    log_likelihood, n_parameters = 0.0, 0
    for at in range(1, max_depth + 1):
        level, cells = moves.levels[at], moves.cells(at, np.where(depth == at, deepest, 0.0))
        own = level.totals(cells)
        log_likelihood += likelihood_of(level, cells)
        n_parameters += int(free_parameters(moves, at)[own > 0].sum())
        chosen = np.flatnonzero(kept[at] & ((own > 0) | (at == 1)))
        contexts += [context_path(moves, at, context) for context in chosen.tolist()]
        rows.append(_table(level, cells, chosen, len(states) + 2))
    n = np.concatenate(rows)
    order = sorted(range(len(contexts)), key=lambda i: contexts[i][::-1])
    return ContextTree(
        states=states,
        contexts=tuple(contexts[i] for i in order),
        n=n[order].astype(np.int64),
        log_likelihood=log_likelihood,
        n_parameters=n_parameters,
        bic=-2 * log_likelihood + 2 * price * n_parameters,
        n_journeys=journeys,
        max_depth=max_depth,
    )


def kept_contexts(moves: Moves, deepest: Floats, price: float) -> list[Bools]:
    """Which contexts of each depth are kept, by pruning from the longest down.

    `deepest`: moves to learn from, by cell of the deepest level.
    """
    kept = [np.ones(level.n_contexts, bool) for level in moves.levels]
    inside = np.zeros(0, bool)
    for depth in range(len(moves.levels) - 1, 1, -1):
        level, above = moves.levels[depth], moves.levels[depth - 1]
        cells, cells_above = moves.cells(depth, deepest), moves.cells(depth - 1, deepest)
        share = _shares(cells, level.totals(cells)[level.context_of])
        share_above = _shares(cells_above, above.totals(cells_above)[above.context_of])[level.up]
        with np.errstate(divide="ignore", invalid="ignore"):
            gained = np.where(cells > 0, cells * np.log(share / share_above), 0.0)
        worth = level.totals(gained) > price * free_parameters(moves, depth)
        kept[depth] = worth | inside if len(inside) else worth
        inside = np.zeros(above.n_contexts, bool)
        inside[level.parent[kept[depth]]] = True
    return kept


def context_depth(moves: Moves, kept: list[Bools]) -> Ints:
    """Depth of the longest kept context of each cell of the deepest level."""
    depth = np.ones(len(moves.levels[-1].column), dtype=np.int64)
    for at in range(2, len(moves.levels)):
        level = moves.levels[at]
        depth[kept[at][level.context_of[level.cell]]] = at
    return depth


def _shares(cells: Floats, total: Floats) -> Floats:
    return np.divide(cells, total, out=np.zeros_like(cells), where=total > 0)


def _table(level: Level, cells: Floats, contexts: Ints, width: int) -> Floats:
    """Moves of some contexts by column, shape (len(contexts), width)."""
    row = np.full(level.n_contexts, -1, dtype=np.int64)
    row[contexts] = np.arange(len(contexts))
    here = row[level.context_of] >= 0
    flat = row[level.context_of[here]] * width + level.column[here]
    table = np.bincount(flat, cells[here], len(contexts) * width).astype(float)
    return table.reshape(len(contexts), width)
