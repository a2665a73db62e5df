"""The chain of all journeys together, estimated for any reweighting of the units.

Maximum likelihood (Anderson and Goodman 1957) or the mean of a Dirichlet posterior with a stated prior; edges that
cannot occur stay exactly zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine._checks import as_tuple
from journeymine.counts.chain import GOAL
from journeymine.errors import OptionError, listed
from journeymine.markov.absorbing import (
    Absorbed,
    absorb,
)
from journeymine.markov.priors import (
    MAXIMUM_LIKELIHOOD,
    Prior,
    allowed_edges,
    end_names,
    place_of,
)
from journeymine.markov.rows import design_effects, edge_matrices
from journeymine.uncertainty import bootstrap_weights, generator, unit_matrix

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MICRO = 1e-6
CHUNK_CELLS = 2e7
"""Cells of the matrices of one chunk of draws: bounds memory to a few times 160 MB."""
MAX_CHUNK = 100


@dataclass(frozen=True, slots=True, eq=False)
class ChainEstimate:
    """Point estimates of a chain.

    Attributes
    ----------
    moves
        Rows sum to 1; columns: the states, the goal, dropping out; shape (k, k + 2).
    start
        Where journeys start, shape (k,), and the share that starts with the goal.
    wait_s
        Mean wait of each move in seconds, shape (k, k + 2); 0 where unknown.
    solved
        Conversion, visits and their like.
    """

    moves: Floats
    start: Floats
    start_at_goal: float
    wait_s: Floats
    solved: Absorbed


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """A chain for each of several reweightings of the units, shape (n_draws, ...); fields as in `ChainEstimate`."""

    moves: Floats
    start: Floats
    at_goal: Floats
    wait_s: Floats
    solved: Absorbed


class ChainModel:
    """The chain of all journeys together, for any reweighting of the units.

    Parameters
    ----------
    counts
        Moves and starts.
    prior
        What is assumed about rows; by default nothing: maximum likelihood.
    pool_rows
        Order 0: every row is the shares of all targets.

    Attributes
    ----------
    edges
        Pairs (source, column) that may have a positive probability, sorted, shape (m, 2).

    Raises
    ------
    OptionError
        A pair of the prior names no state, or a forbidden edge occurs in the log.

    Examples
    --------
    >>> from journeymine.markov.lists import count_lists
    >>> counts, _ = count_lists([["a", "b", "paid"], ["a", "a"], ["b", "paid"]], goal="paid")
    >>> ChainModel(counts).point().moves.round(3).tolist()
    [[0.333, 0.333, 0.0, 0.333], [0.0, 0.0, 1.0, 0.0]]
    >>> ChainModel(counts, prior=Prior(1.0, allowed=(("b", "(dropped)"),))).point().moves.round(3).tolist()
    [[0.333, 0.333, 0.0, 0.333], [0.0, 0.0, 0.75, 0.25]]
    """

    def __init__(
        self, counts: ChainCounts, *, prior: Prior = MAXIMUM_LIKELIHOOD, pool_rows: bool = False
    ) -> None:
        self.counts, self.k, self.prior, self.pool_rows = counts, counts.n_states, prior, pool_rows
        width = self.k + 2
        self.ids = allowed_edges(counts, prior, pool_rows=pool_rows)
        self.edges = np.stack([self.ids // width, self.ids % width], axis=1)
        place = np.searchsorted(self.ids, counts.source * width + counts.column(counts.target))
        shape = (counts.n_units, len(self.ids))
        self.moves = unit_matrix(counts.unit, place, counts.n, shape)
        self.waits = unit_matrix(counts.unit, place, counts.wait_us, shape)
        first = np.where(counts.start_state == GOAL, self.k, counts.start_state)
        self.starts = unit_matrix(counts.start_unit, first, counts.start_n, (counts.n_units, self.k + 1))
        ones = np.ones((1, counts.n_units))
        self.fallback = self._rows(ones @ self.moves, None)[0]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns: the states, the goal, dropping out."""
        return (*self.counts.states, *end_names(self.counts.states))

    def columns(self, names: Iterable[str], what: str) -> list[int]:
        """Columns of names, sorted.

        Raises
        ------
        OptionError
            There is no name, or one that is not a state.
        """
        wanted = list(as_tuple(names, name=what))
        if not wanted:
            raise OptionError(f"{what} is empty.", found=f"{listed(self.names)}.", hint="name a state.")
        known = {name: column for column, name in enumerate(self.names)}
        return sorted({place_of(name, known, what) for name in wanted})

    @property
    def chunk(self) -> int:
        """Draws that are solved at once."""
        return max(1, min(MAX_CHUNK, int(CHUNK_CELLS / (self.k * (self.k + 2) + 1))))

    def _full(self, flat: Floats) -> Floats:
        dense = np.zeros((len(flat), self.k * (self.k + 2)))
        dense[:, self.ids] = flat
        return dense.reshape(len(flat), self.k, self.k + 2)

    def _pooled(self, flat: Floats) -> Floats:
        """Sums over the sources, given to every source."""
        total = self._full(flat).sum(axis=1, keepdims=True)
        pooled = np.broadcast_to(total, (len(flat), self.k, self.k + 2)).reshape(len(flat), -1)
        return np.asarray(pooled[:, self.ids])

    def _rows(self, flat: Floats, fallback: Floats | None) -> Floats:
        moves = self._full(flat + self.prior.weight if self.prior.weight else flat)
        total = moves.sum(axis=-1, keepdims=True)
        share = np.divide(moves, total, out=np.zeros_like(moves), where=total > 0)
        return share if fallback is None else np.where(total > 0, share, fallback)

    def solve(self, weights: Floats) -> Solved:
        """The chain for each row of weights, shape (n_draws, n_units).

        A state that a draw never leaves keeps its row of the whole log.
        """
        flat, waits = weights @ self.moves, weights @ self.waits
        if self.pool_rows:
            flat, waits = self._pooled(flat), self._pooled(waits)
        moves = self._rows(flat, self.fallback)
        starts = weights @ self.starts
        starts = starts / np.maximum(starts.sum(axis=1, keepdims=True), 1.0)
        wait = self._full(np.divide(waits, flat, out=np.zeros_like(flat), where=flat > 0)) * MICRO
        solved = absorb(moves[..., : self.k], moves[..., self.k], starts[:, : self.k], starts[:, self.k])
        return Solved(moves, starts[:, : self.k], starts[:, self.k], wait, solved)

    def estimate(self, weights: Floats) -> list[ChainEstimate]:
        """One estimate for each row of weights."""
        found = self.solve(weights)
        solved = found.solved
        return [
            ChainEstimate(
                found.moves[b],
                found.start[b],
                float(found.at_goal[b]),
                found.wait_s[b],
                Absorbed(solved.fundamental[b], solved.hit[b], solved.visits[b], solved.conversion[b]),
            )
            for b in range(len(weights))
        ]

    def point(self) -> ChainEstimate:
        """The estimate of the whole log."""
        return self.estimate(np.ones((1, self.counts.n_units)))[0]

    def draws(self, n_draws: int, seed: int) -> Iterator[tuple[Floats, Solved]]:
        """Weights of the units and the chain they give, in chunks of bootstrap draws."""
        for weights in bootstrap_weights(self.counts.n_units, n_draws, seed, chunk=self.chunk):
            yield weights, self.solve(weights)


def posterior_rows(
    counts: ChainCounts, prior: Prior = MAXIMUM_LIKELIHOOD, *, n_draws: int = 1000, seed: int = 0
) -> Floats:
    """Draws of the rows from their Dirichlet posterior, its counts deflated by the design effect of each row.

    Customers repeat states, so n moves of theirs are worth n / deff independent ones (`rows.design_effects`); the plain
    posterior Dirichlet(n + prior) is too narrow. Rows are drawn independently of each other: what customers do alike
    in several states is not in them. Intervals of conversion are better taken from the bootstrap.

    Returns
    -------
    Floats
        Shape (n_draws, k, k + 2); edges that are not allowed are exactly 0.

    Examples
    --------
    >>> from journeymine.markov.lists import count_lists
    >>> counts, _ = count_lists([["a", "paid"], ["a"]], goal="paid", weights=[30, 10])
    >>> drawn = posterior_rows(counts, Prior(0.5), n_draws=2000)
    >>> drawn.shape, np.quantile(drawn[:, 0, 1], [0.025, 0.975]).round(2).tolist()
    ((2000, 1, 3), [0.6, 0.86])
    """
    ids = allowed_edges(counts, prior, pool_rows=False)
    width = counts.n_states + 2
    edges = np.stack([ids // width, ids % width], axis=1)
    moves, departures = edge_matrices(counts, edges)
    effect = design_effects(moves, departures, edges[:, 0])
    n = np.asarray(moves.sum(axis=0), dtype=float).ravel() / effect[edges[:, 0]] + prior.weight
    rng = generator(seed, "posterior rows")
    drawn = np.zeros((n_draws, counts.n_states * width))
    drawn[:, ids] = np.maximum(rng.standard_gamma(np.maximum(n, 0.0), size=(n_draws, len(ids))), 1e-300)
    drawn[:, ids[n == 0]] = 0.0
    rows = drawn.reshape(n_draws, counts.n_states, width)
    return np.asarray(rows / rows.sum(axis=2, keepdims=True))
