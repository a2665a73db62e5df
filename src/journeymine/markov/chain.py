"""The conversion chain: transition matrix, conversion, visits, time to goal, sensitivities, all with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from journeymine._checks import duration_us
from journeymine.errors import NotEnoughDataError, OptionError, shown
from journeymine.markov.priors import place_of
from journeymine.markov.rows import edge_matrices, simultaneous_rows
from journeymine.uncertainty import N_DRAWS

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import timedelta

    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.counts.memory import Memory
    from journeymine.draw.figure import Figure
    from journeymine.markov.analytics import GoalValue
    from journeymine.markov.checks.checks import ChainChecks
    from journeymine.markov.classes.persona_results import Personas
    from journeymine.markov.data import ChainData
    from journeymine.markov.estimation import ChainEstimate, ChainModel
    from journeymine.markov.memory.order import OrderChoice
    from journeymine.markov.occupation.occupation_curves import JourneyOccupation
    from journeymine.markov.outcomes import EdgeOutcomes, StateOutcomes
    from journeymine.markov.prediction.prediction import Predictor
    from journeymine.markov.priors import Prior
    from journeymine.markov.segment_chains import SegmentChains
    from journeymine.markov.timing.semi_markov import SemiMarkov
    from journeymine.markov.timing.time_to_goal import TimeToGoal
    from journeymine.uncertainty import Estimates

    Floats = NDArray[np.float64]
    Order = int | Literal["auto", "variable"]

END_COLUMN = "(end)"


@dataclass(frozen=True, eq=False, repr=False)
class MarkovChain:
    """A fitted conversion chain; `log.fit_markov()` or `MarkovChain.from_sequences(...)` makes one.

    Attributes
    ----------
    counts
        What it was fitted on.
    memory
        What its states remember.
    model
        The estimator, for any reweighting of the customers.
    point
        Point estimates.
    edge_share
        Probability of each edge with its interval, shape (m,).
    outcomes
        What awaits a journey in each state: conversion, drop-out, visits, remaining steps, time and value.
    moves
        What each move is worth: sensitivity, elasticity, the share among journeys that convert.
    n_draws, seed
        Bootstrap replicates, and the seed they were drawn with.
    timed
        Whether the journeys have times.
    has_goal
        Whether there is a goal; without one the end of a journey is just its end.
    value
        Money of a conversion.
    source
        Further counts of the same journeys, counted when they are first needed; None for a chain of bare counts.
    """

    counts: ChainCounts
    memory: Memory
    model: ChainModel
    point: ChainEstimate
    edge_share: Estimates
    outcomes: StateOutcomes
    moves: EdgeOutcomes
    n_draws: int
    seed: int
    timed: bool
    has_goal: bool
    value: float | GoalValue | None = None
    source: ChainData | None = None

    # ------------------------------------------------------------------------------------------ where it comes from

    @classmethod
    def from_sequences(
        cls,
        sequences: Iterable[Sequence[str]],
        goal: str | Iterable[str] | None = None,
        weights: Iterable[int] | None = None,
        customers: Iterable[Any] | None = None,
        *,
        order: Order = 1,
        attempts: int = 1,
        prior: float | Prior = 0.0,
        n_draws: int = N_DRAWS,
        seed: int = 0,
    ) -> MarkovChain:
        """Fit the chain of plain lists of activities, all of them over.

        Parameters
        ----------
        sequences
            Activities of each journey in order.
        goal
            Activities that make a journey a success; what comes after the first is left out, and a journey without
            one has dropped out. None: nothing is a success, a journey ends where it ends.
        weights
            How often each sequence occurred.
        customers
            Who each sequence belongs to, as intervals are over customers; by default everybody has one.

        Examples
        --------
        >>> chain = MarkovChain.from_sequences([["visit", "pay", "paid"], ["visit"]], goal="paid", weights=[30, 20])
        >>> chain.matrix.round(2).to_dict("index")["visit"]
        {'pay': 0.6, 'visit': 0.0, '(goal)': 0.0, '(dropped)': 0.4}
        >>> round(chain.conversion()["estimate"], 6)
        0.6
        """
        from journeymine.markov.fit import fit_memory
        from journeymine.markov.lists import ListData

        data = ListData(sequences, goal, weights, customers)
        return fit_memory(data, order=order, attempts=attempts, prior=prior, n_draws=n_draws, seed=seed)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> MarkovChain:
        """Read a chain that `save` wrote."""
        from journeymine.markov.storage import load_chain

        return load_chain(folder)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the chain into a folder: settings as `chain.json`, counts as Parquet; no names of customers."""
        from journeymine.markov.storage import save_chain

        save_chain(self, folder)

    # ------------------------------------------------------------------------------------------ the matrix

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the states."""
        return self.counts.states

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of the matrix: the states, the goal, dropping out."""
        return self.model.names

    @property
    def edges(self) -> NDArray[np.int64]:
        """Pairs (source, column) that may occur, shape (m, 2)."""
        return self.model.edges

    @property
    def matrix(self) -> pd.DataFrame:
        """Transition matrix, rows sum to 1."""
        import pandas as pd

        matrix = pd.DataFrame(self.point.moves, index=list(self.states), columns=list(self.columns))
        if self.has_goal:
            return matrix
        k = len(self.states)
        return matrix.iloc[:, [*range(k), k + 1]].set_axis([*self.states, END_COLUMN], axis=1)

    def to_frame(self, *, simultaneous: bool = False) -> pd.DataFrame:
        """One row an edge: source, target, n (moves), estimate, lower, upper.

        Parameters
        ----------
        simultaneous
            Intervals that hold all shares of a row at once, for reading a whole row.
        """
        share = self.edge_share
        if simultaneous:
            moves, departures = edge_matrices(self.counts, self.edges)
            share = simultaneous_rows(moves, departures, self.edges[:, 0], buckets=self.counts.buckets)
        return self._edge_frame(share)

    def segments(self, column: str | None = None) -> SegmentChains:
        """The chain of each value of a segment; small ones lean on the chain of all (empirical Bayes)."""
        from journeymine.markov.segment_chains import segment_chains

        names = self.data.segments
        if column is None and len(names) == 1:
            column = names[0]
        if column not in names:
            hint = "pass one of the segments of log.journeys(segments=...)."
            raise OptionError(
                f"column is {shown(column)}, expected a segment.", found=f"{list(names)}.", hint=hint
            )
        place = names.index(column)
        values = [cell[place] for cell in self.counts.cells]
        return segment_chains(self.counts, values, n_draws=self.n_draws, seed=self.seed)

    # ------------------------------------------------------------------------------------------ where it leads

    def conversion(self, source: str | None = None) -> dict[str, float | int] | None:
        """Probability that a journey reaches the goal, from its start or from a state: `{estimate, lower, upper, n}`.

        None without a goal.
        """
        if not self.has_goal:
            return None
        if source is None:
            return self.converted.at()
        return self.hit.at(place_of(source, {name: i for i, name in enumerate(self.states)}, "source"))

    def sensitivity(self) -> pd.DataFrame:
        """One row an edge: change of conversion per unit of its probability, the others giving way in proportion."""
        return self._edge_frame(self.slope)

    def elasticity(self) -> pd.DataFrame:
        """One row an edge: per cent by which conversion changes when the edge becomes one per cent more frequent."""
        return self._edge_frame(self.moves.of_edge["elasticity"])

    def given_goal(self) -> pd.DataFrame:
        """One row an edge: its probability in journeys that will convert (the h-transform)."""
        return self._edge_frame(self.moves.of_edge["given_goal"])

    def reach(self, targets: str | Iterable[str]) -> StateOutcomes:
        """Whether journeys ever reach one of the targets, and how many steps and seconds away they are if they do."""
        from journeymine.markov.passage_outcomes import passage_outcomes

        names = [targets] if isinstance(targets, str) else targets
        return passage_outcomes(self.model, names, n_draws=self.n_draws, seed=self.seed, timed=self.timed)

    def committor(self, before: str | Iterable[str], first: str | Iterable[str]) -> StateOutcomes:
        """Probability of reaching one of `first` before any of `before`, from each state."""
        from journeymine.markov.passage_outcomes import committor_outcomes

        a, b = ([names] if isinstance(names, str) else names for names in (before, first))
        return committor_outcomes(self.model, a, b, n_draws=self.n_draws, seed=self.seed)

    # ------------------------------------------------------------------------------------------ time

    def time_to_goal(self, horizon: str | timedelta, source: str | None = None) -> TimeToGoal:
        """Probability of reaching the goal within a time, as a curve up to it."""
        from journeymine.markov.timing.time_to_goal import time_to_goal

        return time_to_goal(
            self.data.waits, self._plain("time_to_goal"), duration_us(horizon, name="horizon"), source=source
        )

    def sojourns(self, quantiles: Sequence[float] = (0.5, 0.9)) -> SemiMarkov:
        """How long each move takes."""
        from journeymine.markov.timing.semi_markov import fit_semi_markov

        return fit_semi_markov(self.data.waits, self._plain("sojourns"), quantiles=quantiles)

    def occupation(self, times: Sequence[str | timedelta] | None = None) -> JourneyOccupation:
        """Where journeys are over the time since their start (Aalen-Johansen)."""
        from journeymine.markov.occupation.occupation_curves import estimate_occupation

        given = None if times is None else [duration_us(time, name="times") for time in times]
        return estimate_occupation(self.data.occupation(given), n_draws=self.n_draws, seed=self.seed)

    # ------------------------------------------------------------------------------------------ can it be trusted

    @cached_property
    def order_choice(self) -> OrderChoice:
        """Orders 0, 1, 2, 3 and a memory of variable length, compared; `.sentence` says which and why."""
        from journeymine.markov.memory.order import compare_orders

        return compare_orders(self.data.sequences)

    @property
    def order_table(self) -> pd.DataFrame:
        """One row an order: contexts, parameters, likelihood, held-out likelihood, BIC, test against the one before."""
        return self.order_choice.table

    @cached_property
    def checks(self) -> ChainChecks:
        """Memory, differences between segments and change over time: do they fit one chain."""
        from journeymine.markov.checks.checks import check_chain

        data = self.data
        return check_chain(data.plain, data.sequences, data.periods, data.segments)

    # ------------------------------------------------------------------------------------------ who, and what next

    def personas(self, k: int | Literal["bic"] = "bic", *, max_k: int = 6, seed: int = 0) -> Personas:
        """Kinds of customers that move in different ways: a mixture of chains."""
        from journeymine.markov.classes.personas import find_personas

        return find_personas(self.data.sequences, k=k, max_k=max_k, seed=seed)

    def predict(
        self,
        prefix: Any,
        horizon: str | timedelta | None = None,
        *,
        waited: Any = None,
        unknown: Literal["raise", "last_known"] = "raise",
        recalibrate: bool = False,
    ) -> Any:
        """What comes next and how it ends, for one journey so far, or for many.

        Parameters
        ----------
        prefix
            Activities of one journey so far; or a list of such lists.
        horizon
            Also what happens within this time from now.
        waited
            How long the customer has been silent.
        unknown
            "raise" an error for activities that the chain has never seen, or go by the "last_known" one.
        recalibrate
            Correct predictions that are too sure or too low for the chain's own journeys.

        Returns
        -------
        Prediction or DataFrame
            One `Prediction`, or one row a journey.
        """
        from journeymine.markov.prediction.prediction import predict

        return predict(
            self.predictor, prefix, horizon, waited=waited, unknown=unknown, recalibrate=recalibrate
        )

    @cached_property
    def predictor(self) -> Predictor:
        """The tables that predictions are looked up in."""
        from journeymine.markov.prediction.prediction import make_predictor

        return make_predictor(self)

    # ------------------------------------------------------------------------------------------ short names

    @property
    def hit(self) -> Estimates:
        """Conversion from each state, shape (k,)."""
        return self.outcomes.of_state["conversion"]

    @property
    def visit(self) -> Estimates:
        """Visits per journey to each state, shape (k,)."""
        return self.outcomes.of_state["visits"]

    @property
    def converted(self) -> Estimates:
        """Conversion, shape ()."""
        return self.outcomes.of_start["conversion"]

    @property
    def events(self) -> Estimates:
        """Events to the goal of the journeys that reach it, shape ()."""
        return self.outcomes.of_start["steps_to_goal"]

    @property
    def seconds(self) -> Estimates:
        """Seconds to the goal of the journeys that reach it, shape ()."""
        return self.outcomes.of_start["seconds_to_goal"]

    @property
    def slope(self) -> Estimates:
        """Change of conversion per unit of each edge, shape (m,)."""
        return self.moves.of_edge["slope"]

    @property
    def data(self) -> ChainData:
        """Further counts of the same journeys."""
        if self.source is None:
            raise NotEnoughDataError(
                "the chain was fitted on counts of moves alone.", hint="fit it with log.fit_markov()."
            )
        return self.source

    def _plain(self, what: str) -> ChainCounts:
        """The chain without memory, which waits are counted for."""
        if not self.memory.plain:
            hint = f"fit a chain of order 1 without attempts, then call {what}()."
            raise OptionError(f"{what}() is not available for a chain whose states remember.", hint=hint)
        return self.counts

    def _edge_frame(self, values: Estimates) -> pd.DataFrame:
        import pandas as pd

        names = self.columns if self.has_goal else (*self.states, "", END_COLUMN)
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

    # ------------------------------------------------------------------------------------------ shown

    def plot(self) -> Figure:
        """Draw the matrix; each cell says its interval when pointed at."""
        from journeymine.markov.picture import matrix_figure

        return matrix_figure(self)

    def __repr__(self) -> str:
        counts = self.counts
        lines = [
            f"MarkovChain of {len(self.states)} states and {len(self.edges)} edges",
            f"{counts.n_visits:,} visits ({counts.n_unwatched:,} more began too late to be watched)",
            f"conversion {_said(self.conversion())}",
        ]
        if counts.n_truncated:
            lines.append(
                f"{counts.n_truncated:,} journeys were under way when the log began; they start nowhere"
            )
        if self.source is not None:
            # States that remember answer the question whether they should.
            checks = [check for check in self.checks if self.memory.plain or check.name != "first_order"]
            lines += [check.sentence for check in checks]
        return "\n".join(
            [*lines, 'Next: .matrix, .outcomes, .order_table, .time_to_goal("7d"), .predict([...])']
        )

    def _repr_html_(self) -> str:
        import html

        return f"<pre>{html.escape(repr(self))}</pre>"


def _said(share: Mapping[str, float | int] | None) -> str:
    if share is None:
        return "not available"
    return f"{share['estimate']:.4f} (95 % interval {share['lower']:.4f} to {share['upper']:.4f}, n = {share['n']:,})"


def _edge_counts(counts: ChainCounts, edges: NDArray[np.int64]) -> NDArray[np.int64]:
    width = counts.n_states + 2
    ids = edges[:, 0] * width + edges[:, 1]
    place = np.searchsorted(ids, counts.source * width + counts.column(counts.target))
    return np.bincount(place, weights=counts.n, minlength=len(ids)).astype(np.int64)
