"""Personas: kinds of customers that nobody named, found in what they did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from journeymine.errors import NotEnoughDataError, OptionError, shown
from journeymine.markov.classes.class_number import TriedNumber, choose_by_bic, tried_number
from journeymine.markov.classes.mixture import fit_mixture
from journeymine.markov.classes.mixture_em import Mixture, MixtureModel
from journeymine.markov.classes.mixture_members import Member, MemberTable, member_table
from journeymine.markov.classes.persona_draws import PersonaModel, PersonaNumbers
from journeymine.markov.classes.persona_marks import log_interval, marks_of, segments_of
from journeymine.markov.classes.persona_results import Persona, Personas
from journeymine.uncertainty import (
    Estimates,
    generator,
    percentile_interval,
    share_from_draws,
    unit_matrix,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.sequences import SequenceCounts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

FEW_JOURNEYS = 5_000
STABLE = 0.6
"""Adjusted Rand index below which personas found afresh are too different to be relied on."""
MOST_PERSONAS = 20
GOAL_NAME, DROP_NAME = "(goal)", "(dropped)"


def find_personas(
    sequences: SequenceCounts,
    *,
    k: int | Literal["bic"] = "bic",
    max_k: int = 6,
    member: Member = "auto",
    n_draws: int = 100,
    seed: int = 0,
) -> Personas:
    """Find personas: a mixture of chains with absorbing ends, over all segments.

    Parameters
    ----------
    sequences
        Journeys.
    k
        Number of personas, or "bic" to choose it.
    max_k
        Largest number that is tried.
    member
        Who belongs to a persona: "customer", "journey" or "auto" (customers where the log counts them one by one).
    n_draws
        Bootstrap replicates; fewer, but at least 50, are made where each is a long fit.
    seed
        Seed of starts and replicates.

    Raises
    ------
    OptionError
        `k`, `max_k`, `member` or `n_draws` cannot be used.
    NotEnoughDataError
        There are fewer different journeys than personas.

    Examples
    --------
    >>> from journeymine.markov.lists import count_lists
    >>> lists = [["shop", "cart", "shop", "cart", "shop", "paid"]] * 300 + [["shop", "help", "shop", "help"]] * 200
    >>> _, journeys = count_lists(lists, goal="paid")
    >>> found = find_personas(journeys, n_draws=50)
    >>> [(p.size.estimate.round(2).tolist(), p.conversion.estimate.round(2).tolist()) for p in found.personas]
    [(0.6, 1.0), (0.4, 0.0)]
    """
    _check(k, max_k, n_draws)
    table = member_table(sequences, member=member)
    if len(table.members.n) < (1 if k == "bic" else k):
        raise NotEnoughDataError(
            f"{len(table.members.n)} kinds of journeys are fewer than {1 if k == 'bic' else k} personas.",
            hint="ask for fewer personas, or read a longer period.",
        )
    if k == "bic":
        chosen = choose_by_bic(table, min(max_k, len(table.members.n)), seed=seed)
        fit, tried = chosen.fit, chosen.tried
    else:
        fit = fit_mixture(MixtureModel(table.members), k, generator(seed, f"classes {k}"))
        tried = (tried_number(fit, table),)
    return _described(table, _by_journeys(table, fit), tried, n_draws, seed)


def _check(k: object, max_k: int, n_draws: int) -> None:
    if k != "bic" and (isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MOST_PERSONAS):
        raise OptionError(f"k is {shown(k)}, expected 'bic' or a whole number from 1 to {MOST_PERSONAS}.")
    if isinstance(max_k, bool) or not isinstance(max_k, int) or not 1 <= max_k <= MOST_PERSONAS:
        raise OptionError(f"max_k is {shown(max_k)}, expected a whole number from 1 to {MOST_PERSONAS}.")
    if isinstance(n_draws, bool) or not isinstance(n_draws, int) or n_draws < 2:
        raise OptionError(f"n_draws is {shown(n_draws)}, expected a whole number from 2.")


def _by_journeys(table: MemberTable, fit: Mixture) -> Mixture:
    """The largest persona by journeys first."""
    journeys = np.asarray(table.journeys.sum(axis=0)).ravel()
    return fit.ordered(np.argsort(-(fit.membership.T @ journeys), kind="stable"))


def _described(
    table: MemberTable, fit: Mixture, tried: tuple[TriedNumber, ...], n_draws: int, seed: int
) -> Personas:
    model = PersonaModel(table, fit)
    point = model.numbers(fit, np.ones(table.sequences.n_units))
    draws = model.replicates(model.affordable_draws(n_draws), seed)
    stability = separation = None
    if fit.n_classes > 1:
        again = model.stability(n_draws, seed)
        stability = percentile_interval(np.array(again.mean()), again, table.n_members)
        separation = percentile_interval(point.separation, draws.separation, table.n_members)
    warnings = (
        *(("few_journeys",) if table.n_journeys < FEW_JOURNEYS else ()),
        *(("unstable",) if stability is not None and float(stability.estimate) < STABLE else ()),
        *(() if fit.converged else ("not_converged",)),
    )
    return Personas(
        personas=_personas(table, model, point, draws),
        tried=tried,
        stability=stability,
        separation=separation,
        warnings=warnings,
        customers=table.customers,
        n_members=table.n_members,
        n_journeys=table.n_journeys,
        n_draws=len(draws.size),
        table=table,
        fit=fit,
    )


def _personas(
    table: MemberTable, model: PersonaModel, point: PersonaNumbers, draws: PersonaNumbers
) -> tuple[Persona, ...]:
    states = table.sequences.states
    columns = (*states, GOAL_NAME, DROP_NAME)
    own = np.round(point.size * table.n_journeys).astype(np.int64)
    everybody = np.repeat(
        np.asarray(table.journeys.sum(axis=1), dtype=float).reshape(-1, 1), len(own), axis=1
    )
    of_persona = np.asarray(table.journeys @ model.fit.membership)

    def share(name: str, n: Ints, trials: Floats) -> Estimates:
        value, drawn = getattr(point, name), getattr(draws, name)
        by_unit = unit_matrix(*_entries(trials), trials.shape)
        return share_from_draws(value, drawn, n, trials=by_unit, buckets=table.sequences.buckets)

    size = share("size", np.full(len(own), table.n_journeys), everybody)
    conversion, path = (share(name, own, of_persona) for name in ("conversion", "path"))
    events = log_interval(point.events, draws.events, own)
    marks = marks_of(states, columns, table.edges, point, draws, own)
    segments = segments_of(model.names, point, draws, own)
    return tuple(
        Persona(
            number=i + 1,
            size=_scalar(size, i),
            conversion=_scalar(conversion, i),
            events=_scalar(events, i),
            marks=marks[i],
            segments=segments[i],
            path=tuple(columns[column] for column in model.paths[i]),
            path_share=_scalar(path, i),
        )
        for i in range(len(own))
    )


def _entries(dense: Floats) -> tuple[Ints, Ints, Floats]:
    row, column = np.nonzero(dense)
    return row, column, dense[row, column]


def _scalar(values: Estimates, i: int) -> Estimates:
    return Estimates(values.estimate[i], values.lower[i], values.upper[i], values.n[i])
