"""Ranking fixes for a log: counts from the engine in, the ranking out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from journeymine.counting.drops import count_audience, count_drops, count_reach, count_values
from journeymine.counting.sequences import count_sequences
from journeymine.errors import OptionError, shown
from journeymine.fixes.candidates import Candidate, cell_values, find_candidates
from journeymine.fixes.classes import find_classes
from journeymine.fixes.effects import estimate_effects
from journeymine.fixes.ranking import MONTH_DAYS, FixRanking, Scale, rank_candidates
from journeymine.markov.fit import fit_chain
from journeymine.sql.chain import scope_condition
from journeymine.uncertainty import (
    Estimates,
    bootstrap_weights,
    share_of_units,
    unit_matrix,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.counts.chain import ChainCounts
    from journeymine.fixes.classes import Classes
    from journeymine.log import EventLog

Heterogeneity = Literal["classes"]
DAY_US = 86_400_000_000


def rank_drop_offs(
    log: EventLog, *, n_draws: int, seed: int, heterogeneity: Heterogeneity | None = None
) -> FixRanking:
    """Find candidates, estimate their effects on the same draws, add reach and audience, rank.

    With `heterogeneity="classes"` the effects are estimated inside classes of customers and averaged.
    """
    _check_heterogeneity(heterogeneity)
    counts = log.count_chain()
    chain = fit_chain(counts, n_draws=n_draws, seed=seed)
    visits = log._visits  # noqa: SLF001 - the log delegates to this function
    journeys = log._journeys("fixes")  # noqa: SLF001
    drops = count_drops(log.engine, log.canonical, visits, counts)
    found = find_candidates(counts, drops)
    classes = classes_of(log, counts, seed=seed) if heterogeneity == "classes" else None
    effects = estimate_effects(
        counts, found.candidates, pools=found.pools, classes=classes, n_draws=n_draws, seed=seed
    )
    reach, audience = _reach_and_audience(log, counts, found.candidates, visits)
    fixes = rank_candidates(
        counts,
        found.candidates,
        effects,
        reach,
        audience,
        journeys.segments,
        _scale(log, effects.effect_draws.shape[0], n_draws, seed),
    )
    unit = "buckets" if log.canonical.buckets else "customers"
    return FixRanking(
        fixes=fixes,
        found=found,
        conversion=chain.converted,
        n_draws=effects.effect_draws.shape[0],
        unit=unit,
        states=counts.states,
        log=log,
        classes=classes,
    )


def _check_heterogeneity(heterogeneity: object) -> None:
    if heterogeneity not in (None, "classes"):
        raise OptionError(
            f"heterogeneity is {shown(heterogeneity)}, expected None or 'classes'.",
            hint='pass heterogeneity="classes" to correct for customers who differ in ways no segment shows.',
        )


def classes_of(log: EventLog, counts: ChainCounts, *, seed: int) -> Classes:
    """Classes of customers inside the cells of the segments."""
    visits = log._visits  # noqa: SLF001 - the log delegates to this function
    journeys = log._journeys("fixes")  # noqa: SLF001
    return find_classes(
        count_sequences(log.engine, log.canonical, journeys, visits, counts), counts, seed=seed
    )


def _reach_and_audience(
    log: EventLog, counts: ChainCounts, candidates: Sequence[Candidate], visits: str
) -> tuple[list[Estimates], list[int]]:
    """Share of journeys that meet the scope of each candidate, and customers who were lost in it."""
    starts = unit_matrix(
        counts.start_unit, np.zeros(len(counts.start_n), int), counts.start_n, (counts.n_units, 1)
    )
    everywhere = count_reach(log.engine, visits), count_audience(log.engine, visits)
    reach, audience = [], []
    for candidate in candidates:
        (unit, code, n), lost = everywhere
        if candidate.kind != "assumed":
            scope = _condition(counts, candidate)
            unit, code, n = count_reach(log.engine, visits, scope)
            lost = count_audience(log.engine, visits, scope)
        own = int(counts.activity[candidate.state])
        here = code == own
        wins = unit_matrix(unit[here], np.zeros(int(here.sum()), int), n[here], (counts.n_units, 1))
        share = share_of_units(wins, starts, np.zeros(1, int), buckets=counts.buckets)
        reach.append(Estimates(share.estimate[0], share.lower[0], share.upper[0], share.n[0]))
        audience.append(lost.get(own, 0))
    return reach, audience


def _condition(counts: ChainCounts, candidate: Candidate) -> str:
    """The scope of a candidate as a condition on visits."""
    cells: list[int] | None = None
    if candidate.column is not None and candidate.value is not None:
        values = cell_values(counts)
        place = values.names[candidate.column].index(candidate.value)
        cells = np.flatnonzero(values.value[:, candidate.column] == place).tolist()
    return scope_condition(int(counts.activity[candidate.state]), cells, candidate.period_us)


def _scale(log: EventLog, n_kept: int, n_draws: int, seed: int) -> Scale:
    """Journeys a month, and the mean value of a conversion on the same draws as the effects."""
    canonical, journeys = log.canonical, log._journeys("money")  # noqa: SLF001
    if canonical.clock != "calendar" or canonical.first_us is None or canonical.last_us is None:
        return Scale()
    days = (canonical.last_us - canonical.first_us) / DAY_US
    if days <= 0:
        return Scale()
    # Effects are shares of the journeys that start.
    per_month = (canonical.n_cases - journeys.n_not_started) / days * MONTH_DAYS
    if log.roles.value is None:
        return Scale(per_month)
    column = log.engine.dialect.quote(log.roles.value)
    unit, money, n = count_values(log.engine, canonical, journeys, log.raw.table, column)
    if not n.sum():
        return Scale(per_month)
    by_unit = np.zeros((canonical.n_units, 2))
    np.add.at(by_unit, unit, np.stack([money, n], axis=1))
    sums = np.concatenate(
        [weights @ by_unit for weights in bootstrap_weights(canonical.n_units, n_draws, seed)]
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        draws = sums[:n_kept, 0] / sums[:n_kept, 1]
    return Scale(per_month, float(by_unit[:, 0].sum() / by_unit[:, 1].sum()), draws)
