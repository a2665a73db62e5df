"""Fitting chains: what states remember, the counts that go with it, and estimates with their intervals."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from journeymine._checks import duration_us
from journeymine.counts.memory import Memory
from journeymine.errors import NotEnoughDataError, OptionError, shown
from journeymine.markov.analytics import chain_outcomes
from journeymine.markov.chain import MarkovChain
from journeymine.markov.estimation import ChainModel, posterior_rows
from journeymine.markov.priors import MAXIMUM_LIKELIHOOD, Prior
from journeymine.markov.rows import edge_matrices
from journeymine.uncertainty import LEVEL, N_DRAWS, Estimates, share_of_units, unit_matrix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from journeymine.counts.chain import ChainCounts
    from journeymine.markov.analytics import GoalValue
    from journeymine.markov.chain import Order
    from journeymine.markov.data import ChainData

WORK_LIMIT = 4e11
MIN_DRAWS = 200


def fit_memory(
    data: ChainData,
    *,
    order: Order = 1,
    attempts: int = 1,
    elapsed: Iterable[str | timedelta] = (),
    prior: float | Prior = 0.0,
    value: float | GoalValue | None = None,
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> MarkovChain:
    """Fit the chain of journeys, with the memory that is asked for.

    Parameters
    ----------
    order
        Visits that a state knows, its own included; 0: the next step depends on nothing; "auto": the lowest order
        that the data do not speak against; "variable": as far back as each state needs (a context tree).
    attempts
        States carry the attempt number up to this one.
    elapsed
        States know the time since the journey began, cut at these times.
    prior
        Dirichlet pseudo-count of each edge that occurs; 0 is maximum likelihood.
    value
        Money of a conversion.

    Raises
    ------
    OptionError
        The order is none of these, or is combined with what excludes it.
    """
    choice = None
    contexts: tuple[tuple[int, ...], ...] | None = None
    if isinstance(order, str):
        if order not in ("auto", "variable"):
            hint = 'pass order=1, order=2, ..., order="auto" or order="variable".'
            raise OptionError(f"order is {shown(order)}, expected a whole number.", hint=hint)
        if order == "auto":
            from journeymine.markov.memory.order import compare_orders

            choice = compare_orders(data.sequences)
            order = choice.order
        else:
            from journeymine.markov.memory.context_tree import fit_context_tree

            contexts, order = fit_context_tree(data.sequences).memory.contexts, 1
    times = [elapsed] if isinstance(elapsed, (str, timedelta)) else elapsed
    borders = tuple(duration_us(time, name="elapsed") for time in times)
    if isinstance(order, bool) or not isinstance(order, (int, np.integer)) or order < 0:
        raise OptionError(f'order is {shown(order)}, expected a whole number from 0, "auto" or "variable".')
    if order == 0 and (attempts != 1 or borders):
        raise OptionError("order is 0 and states are to remember more, expected one of them.")
    # A chain of order 0 has the states of order 1, all with the same row.
    memory = Memory(max(order, 1) if order == 0 else order, attempts, contexts, borders)
    counts = data.plain if memory.plain else data.remembered(memory)
    chain = fit_chain(
        counts,
        memory=memory,
        prior=prior if isinstance(prior, Prior) else Prior(prior),
        pool_rows=order == 0,
        value=value,
        n_draws=n_draws,
        seed=seed,
        timed=data.timed,
        has_goal=data.has_goal,
        source=data,
    )
    if choice is not None:
        chain.__dict__["order_choice"] = choice
    return chain


def fit_chain(
    counts: ChainCounts,
    *,
    memory: Memory | None = None,
    prior: Prior = MAXIMUM_LIKELIHOOD,
    pool_rows: bool = False,
    value: float | GoalValue | None = None,
    n_draws: int = N_DRAWS,
    seed: int = 0,
    timed: bool = True,
    has_goal: bool = True,
    source: ChainData | None = None,
) -> MarkovChain:
    """Estimate the chain of counts, its intervals by resampling customers (or their buckets).

    Raises
    ------
    NotEnoughDataError
        No visit was watched long enough.
    """
    for name, given, least in (("n_draws", n_draws, 2), ("seed", seed, 0)):
        if isinstance(given, bool) or not isinstance(given, (int, np.integer)) or given < least:
            raise OptionError(f"{name} is {shown(given)}, expected a whole number from {least}.")
    if not counts.n_starts:
        hint = "set a shorter idle, or read a longer period."
        raise NotEnoughDataError(
            "no journey began long enough before the end of the log to be followed.", hint=hint
        )
    model = ChainModel(counts, prior=prior, pool_rows=pool_rows)
    draws = min(n_draws, max(MIN_DRAWS, int(WORK_LIMIT / max(counts.n_states, 1) ** 3)))
    outcomes, moves = chain_outcomes(model, value=value, n_draws=draws, seed=seed, timed=timed)
    if not has_goal:
        outcomes = outcomes.without_goal()
    return MarkovChain(
        counts=counts,
        memory=memory or Memory(),
        model=model,
        point=model.point(),
        edge_share=_edge_shares(model, draws, seed),
        outcomes=outcomes,
        moves=moves,
        n_draws=draws,
        seed=seed,
        timed=timed,
        has_goal=has_goal,
        value=value,
        source=source,
    )


def _edge_shares(model: ChainModel, n_draws: int, seed: int) -> Estimates:
    """Probability of each edge: shares clustered by unit, or the posterior where there is a prior."""
    counts, (source, column) = model.counts, model.edges.T
    moves, departures = edge_matrices(counts, model.edges)
    if model.prior.weight:
        draws = posterior_rows(counts, model.prior, n_draws=n_draws, seed=seed)[:, source, column]
        low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        point = model.point().moves[source, column]
        n = np.asarray(departures.sum(axis=0)).ravel().astype(np.int64)[source]
        return Estimates(point, np.minimum(low, point), np.maximum(high, point), n)
    if not model.pool_rows:
        return share_of_units(moves, departures, source, buckets=counts.buckets)
    targets, place = np.unique(column, return_inverse=True)
    into = np.searchsorted(targets, counts.column(counts.target))
    pooled = share_of_units(
        unit_matrix(counts.unit, into, counts.n, (counts.n_units, len(targets))),
        unit_matrix(counts.unit, np.zeros_like(into), counts.n, (counts.n_units, 1)),
        np.zeros(len(targets), np.int64),
        buckets=counts.buckets,
    )
    return Estimates(pooled.estimate[place], pooled.lower[place], pooled.upper[place], pooled.n[place])
