"""The conversion chain: transition matrix, conversion, visits, time to goal, sensitivities, all with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.counts.chain import GOAL
from journeymine.errors import NotEnoughDataError
from journeymine.markov.absorbing import (
    Absorbed,
    absorb,
    derivative,
    events_to_goal,
    time_to_goal,
)
from journeymine.uncertainty import (
    N_DRAWS,
    Estimates,
    bootstrap_weights,
    percentile_interval,
    share_from_draws,
    share_of_units,
    unit_matrix,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts

    Floats = NDArray[np.float64]

GOAL_COLUMN, DROP_COLUMN = "(goal)", "(dropped)"
MICRO = 1e-6
WORK_LIMIT = 4e11
MIN_DRAWS = 200


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
class MarkovChain:
    """A fitted conversion chain; `log.fit_markov()` makes one.

    Attributes
    ----------
    counts
        What it was fitted on.
    point
        Point estimates.
    edges
        Pairs (source, column) that occur, shape (m, 2).
    edge_share
        Probability of each edge with its interval, shape (m,).
    hit, visit
        Conversion from each state, visits per journey to each state; shape (k,).
    converted, events, seconds
        Conversion; events and seconds to the goal of the journeys that reach it; shape ().
    slope
        d conversion / d p of each edge, the other exits giving way in proportion; shape (m,).
    n_draws
        Bootstrap replicates.
    timed
        Whether the log has times.
    """

    counts: ChainCounts
    point: ChainEstimate
    edges: NDArray[np.int64]
    edge_share: Estimates
    hit: Estimates
    visit: Estimates
    converted: Estimates
    events: Estimates
    seconds: Estimates
    slope: Estimates
    n_draws: int
    timed: bool

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the states."""
        return self.counts.states

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of the matrix: the states, the goal, dropping out."""
        return (*self.counts.states, GOAL_COLUMN, DROP_COLUMN)

    @property
    def matrix(self) -> pd.DataFrame:
        """Transition matrix, rows sum to 1."""
        import pandas as pd

        return pd.DataFrame(self.point.moves, index=list(self.states), columns=list(self.columns))

    def to_frame(self) -> pd.DataFrame:
        """One row an edge: source, target, n (moves), estimate, lower, upper."""
        return self._edge_frame(self.edge_share)

    def sensitivity(self) -> pd.DataFrame:
        """One row an edge: change of conversion per unit of its probability, the others giving way in proportion."""
        return self._edge_frame(self.slope)

    def conversion(self) -> dict[str, float | int] | None:
        """Probability that a journey reaches the goal: `{estimate, lower, upper, n}`."""
        return self.converted.at()

    def _edge_frame(self, values: Estimates) -> pd.DataFrame:
        import pandas as pd

        names = self.columns
        return pd.DataFrame(
            {
                "source": [names[i] for i in self.edges[:, 0]],
                "target": [names[j] for j in self.edges[:, 1]],
                "n": _edge_counts(self.counts, self.edges),
                "estimate": values.estimate,
                "lower": values.lower,
                "upper": values.upper,
            }
        )

    def __repr__(self) -> str:
        converted = self.conversion()
        rate = (
            "not available"
            if converted is None
            else (
                f"{converted['estimate']:.4f} (95 % interval {converted['lower']:.4f} to {converted['upper']:.4f}, "
                f"n = {converted['n']:,})"
            )
        )
        return (
            f"MarkovChain of {len(self.states)} states and {len(self.edges)} edges, "
            f"{self.counts.n_visits:,} visits ({self.counts.n_unwatched:,} began too late to be watched)\n"
            f"conversion {rate}\n"
            "Next: .matrix, .to_frame(), .sensitivity()"
        )

    def _repr_html_(self) -> str:
        return f"<pre>{_escaped(repr(self))}</pre>"


def _escaped(text: str) -> str:
    import html

    return html.escape(text)


def fit_chain(
    counts: ChainCounts, *, n_draws: int = N_DRAWS, seed: int = 0, timed: bool = True
) -> MarkovChain:
    """Estimate the chain by maximum likelihood, its intervals by resampling customers (or their buckets).

    Raises
    ------
    NotEnoughDataError
        No visit was watched long enough.
    """
    if not counts.n_starts:
        hint = "set a shorter idle, or read a longer period."
        raise NotEnoughDataError(
            "no journey began long enough before the end of the log to be followed.", hint=hint
        )
    model = _PooledModel(counts)
    point = model.estimate(np.ones((1, counts.n_units)))[0]
    draws = min(n_draws, max(MIN_DRAWS, int(WORK_LIMIT / max(counts.n_states, 1) ** 3)))
    replicates = model.replicates(draws, seed)
    k = counts.n_states
    visits_of = np.bincount(counts.source, weights=counts.n, minlength=k).astype(np.int64)
    rows, cols = model.edges[:, 0], model.edges[:, 1]
    starts = counts.n_starts
    visits_by = unit_matrix(counts.unit, counts.source, counts.n, (counts.n_units, k))
    starts_by = unit_matrix(
        counts.start_unit, np.zeros_like(counts.start_unit), counts.start_n, (counts.n_units, 1)
    )
    return MarkovChain(
        counts=counts,
        point=point,
        edges=model.edges,
        edge_share=_edge_shares(counts, model.edges),
        hit=share_from_draws(
            point.solved.hit, replicates["hit"], visits_of, trials=visits_by, buckets=counts.buckets
        ),
        visit=percentile_interval(point.solved.visits, replicates["visits"], starts),
        converted=share_from_draws(
            point.solved.conversion,
            replicates["conversion"],
            starts,
            trials=starts_by,
            buckets=counts.buckets,
        ),
        events=percentile_interval(_events(point), replicates["events"], starts),
        seconds=percentile_interval(
            _seconds(point) if timed else np.array(np.nan), replicates["seconds"], starts
        ),
        slope=percentile_interval(
            derivative(point.solved, point.moves)[rows, cols], replicates["slope"], visits_of[rows]
        ),
        n_draws=draws,
        timed=timed,
    )


def _events(point: ChainEstimate) -> Floats:
    return _given_goal(
        events_to_goal(point.solved, point.start), point.solved, point.start, point.start_at_goal
    )


def _seconds(point: ChainEstimate) -> Floats:
    value = time_to_goal(point.solved, point.start, point.moves, point.wait_s)
    return _given_goal(value, point.solved, point.start, point.start_at_goal)


def _given_goal(value: Floats, solved: Absorbed, start: Floats, at_goal: Floats | float) -> Floats:
    """Include journeys that start with the goal, which take no event and no time."""
    moved = np.einsum("...i,...i->...", start, solved.hit)
    with np.errstate(divide="ignore", invalid="ignore"):
        taken = np.where(moved > 0, value * moved, 0.0)
        return np.asarray(np.where(moved + at_goal > 0, taken / (moved + at_goal), np.nan))


def _edge_counts(counts: ChainCounts, edges: NDArray[np.int64]) -> NDArray[np.int64]:
    width = counts.n_states + 2
    ids = edges[:, 0] * width + edges[:, 1]
    place = np.searchsorted(ids, counts.source * width + counts.column(counts.target))
    return np.bincount(place, weights=counts.n, minlength=len(ids)).astype(np.int64)


def _edge_shares(counts: ChainCounts, edges: NDArray[np.int64]) -> Estimates:
    """Share of each edge among the departures of its source, clustered by unit."""
    width = counts.n_states + 2
    ids = edges[:, 0] * width + edges[:, 1]
    edge = np.searchsorted(ids, counts.source * width + counts.column(counts.target))
    moves = unit_matrix(counts.unit, edge, counts.n, (counts.n_units, len(ids)))
    departures = unit_matrix(counts.unit, counts.source, counts.n, (counts.n_units, counts.n_states))
    return share_of_units(moves, departures, edges[:, 0], buckets=counts.buckets)


class _PooledModel:
    """The chain of all journeys together, for any reweighting of the units."""

    def __init__(self, counts: ChainCounts) -> None:
        self.counts, self.k = counts, counts.n_states
        width = self.k + 2
        edge_of = counts.source * width + counts.column(counts.target)
        self.ids = np.unique(edge_of)
        self.edges = np.stack([self.ids // width, self.ids % width], axis=1)
        place = np.searchsorted(self.ids, edge_of)
        shape = (counts.n_units, len(self.ids))
        self.moves = unit_matrix(counts.unit, place, counts.n, shape)
        self.waits = unit_matrix(counts.unit, place, counts.wait_us, shape)
        first = np.where(counts.start_state == GOAL, self.k, counts.start_state)
        self.starts = unit_matrix(counts.start_unit, first, counts.start_n, (counts.n_units, self.k + 1))
        ones = np.ones((1, counts.n_units))
        self.fallback = self._rows(ones @ self.moves, None)[0]

    def _full(self, flat: Floats) -> Floats:
        dense = np.zeros((len(flat), self.k * (self.k + 2)))
        dense[:, self.ids] = flat
        return dense.reshape(len(flat), self.k, self.k + 2)

    def _rows(self, flat: Floats, fallback: Floats | None) -> Floats:
        moves = self._full(flat)
        total = moves.sum(axis=-1, keepdims=True)
        share = np.divide(moves, total, out=np.zeros_like(moves), where=total > 0)
        return share if fallback is None else np.where(total > 0, share, fallback)

    def solve(self, weights: Floats) -> tuple[Floats, Floats, Floats, Floats, Absorbed]:
        """Moves, starts, share that starts at the goal, mean waits in seconds, solution; for each draw."""
        flat = weights @ self.moves
        moves = self._rows(flat, self.fallback)
        starts = weights @ self.starts
        starts = starts / np.maximum(starts.sum(axis=1, keepdims=True), 1.0)
        wait = (
            self._full(np.divide(weights @ self.waits, flat, out=np.zeros_like(flat), where=flat > 0)) * MICRO
        )
        solved = absorb(moves[..., : self.k], moves[..., self.k], starts[:, : self.k], starts[:, self.k])
        return moves, starts[:, : self.k], starts[:, self.k], wait, solved

    def estimate(self, weights: Floats) -> list[ChainEstimate]:
        """One estimate for each row of weights."""
        moves, start, at_goal, wait, solved = self.solve(weights)
        return [
            ChainEstimate(
                moves[b],
                start[b],
                float(at_goal[b]),
                wait[b],
                Absorbed(solved.fundamental[b], solved.hit[b], solved.visits[b], solved.conversion[b]),
            )
            for b in range(len(weights))
        ]

    def replicates(self, n_draws: int, seed: int) -> dict[str, Any]:
        """Bootstrap replicates of everything that is reported."""
        names = ("hit", "visits", "conversion", "events", "seconds", "slope")
        kept: dict[str, list[Floats]] = {name: [] for name in names}
        chunk = max(1, min(100, int(2e7 / (self.k * (self.k + 2) + 1))))
        rows, cols = self.edges[:, 0], self.edges[:, 1]
        for weights in bootstrap_weights(self.counts.n_units, n_draws, seed, chunk=chunk):
            moves, start, at_goal, wait, solved = self.solve(weights)
            kept["hit"].append(solved.hit)
            kept["visits"].append(solved.visits)
            kept["conversion"].append(solved.conversion)
            kept["events"].append(_given_goal(events_to_goal(solved, start), solved, start, at_goal))
            kept["seconds"].append(
                _given_goal(time_to_goal(solved, start, moves, wait), solved, start, at_goal)
            )
            kept["slope"].append(derivative(solved, moves)[:, rows, cols])
        return {name: np.concatenate(parts) for name, parts in kept.items()}
