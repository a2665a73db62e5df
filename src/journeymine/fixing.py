"""Ranking fixes for a log: counts from the engine in, the ranking out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine import counting
from journeymine.fixes.candidates import OTHER, Candidate, cell_values, find_candidates
from journeymine.fixes.effects import estimate_effects
from journeymine.fixes.ranking import MONTH_DAYS, FixRanking, Scale, rank_candidates
from journeymine.markov.chain import fit_chain
from journeymine.sql.chain import scope_condition
from journeymine.uncertainty import (
    Estimates,
    bootstrap_weights,
    share_of_units,
    unit_matrix,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts import ChainCounts
    from journeymine.log import EventLog

DAY_US = 86_400_000_000


def rank_drop_offs(log: EventLog, *, n_draws: int, seed: int) -> FixRanking:
    """Find candidates, estimate their effects on the same draws, add reach and audience, rank."""
    counts = log._chain_counts  # noqa: SLF001 - the log delegates to this function
    chain = fit_chain(counts, n_draws=n_draws, seed=seed)
    visits = log._visits  # noqa: SLF001
    journeys = log._journeys("fixes")  # noqa: SLF001
    drops = counting.count_drops(log.engine, log.canonical, visits, counts)
    found = find_candidates(counts, drops)
    effects = estimate_effects(counts, found.candidates, pools=found.pools, n_draws=n_draws, seed=seed)
    scopes = [_condition(counts, candidate) for candidate in found.candidates]
    starts = unit_matrix(
        counts.start_unit, np.zeros(len(counts.start_n), int), counts.start_n, (counts.n_units, 1)
    )
    reach = [_reach(log, visits, scope, starts) for scope in scopes]
    audience = [counting.count_audience(log.engine, visits, scope) for scope in scopes]
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
    )


def _condition(counts: ChainCounts, candidate: Candidate) -> str:
    """The scope of a candidate as a condition on visits."""
    cells: NDArray[np.int64] | None = None
    if candidate.column is not None and candidate.value is not None:
        values = cell_values(counts)
        names = values.names[candidate.column]
        assert candidate.value != OTHER
        cells = np.flatnonzero(values.value[:, candidate.column] == names.index(candidate.value))
    code = int(counts.activity[candidate.state])
    return scope_condition(code, None if cells is None else cells.tolist(), candidate.period_us)


def _reach(log: EventLog, visits: str, condition: str, starts: object) -> Estimates:
    """Share of watched journeys that meet the scope."""
    unit, n = counting.count_reach(log.engine, visits, condition)
    wins = unit_matrix(unit, np.zeros(len(unit), int), n, (log.canonical.n_units, 1))
    share = share_of_units(wins, starts, np.zeros(1, int), buckets=log.canonical.buckets)  # type: ignore[arg-type]
    return Estimates(share.estimate[0], share.lower[0], share.upper[0], share.n[0])


def _scale(log: EventLog, n_kept: int, n_draws: int, seed: int) -> Scale:
    """Journeys a month, and the mean value of a conversion on the same draws as the effects."""
    canonical, journeys = log.canonical, log._journeys("money")  # noqa: SLF001
    if canonical.clock != "calendar" or canonical.first_us is None or canonical.last_us is None:
        return Scale()
    days = (canonical.last_us - canonical.first_us) / DAY_US
    if days <= 0:
        return Scale()
    per_month = canonical.n_cases / days * MONTH_DAYS
    if log.roles.value is None:
        return Scale(per_month)
    column = log.engine.dialect.quote(log.roles.value)
    unit, money, n = counting.count_values(log.engine, canonical, journeys, log.raw.table, column)
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
