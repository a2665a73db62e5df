"""Counts of a log that fixes are found in and scored on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counting.chain import first_units
from journeymine.counting.contacts import count_follow_ups
from journeymine.counting.drops import count_audience, count_drops, count_journeys, count_reach, count_values
from journeymine.counting.sequences import count_sequences
from journeymine.counting.switches import count_switches
from journeymine.counting.waits import count_wait_trials, count_waits
from journeymine.counts.attempts import merge_rare_attempts
from journeymine.fixes.candidates import Evidence
from journeymine.fixes.candidates.scopes import cells_of
from journeymine.fixes.candidates.waits import enforced_waits, long_waits
from journeymine.sql.chain import scope_condition
from journeymine.uncertainty import Estimates, share_of_units, unit_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.counts.sequences import SequenceCounts
    from journeymine.counts.waits import TrialCounts, WaitCounts
    from journeymine.fixes.candidates import Candidate
    from journeymine.fixes.candidates.waits import WaitFound
    from journeymine.log import EventLog

    Ints = NDArray[np.int64]

ATTEMPTS = 4
"""States know their attempt up to this one; later ones go as it does."""


def evidence_of(log: EventLog, *, seed: int = 0) -> Evidence:
    """Everything that candidates are found in."""
    counts = log.count_chain()
    visits, journeys = log._visits, log._journeys("fixes")  # noqa: SLF001 - the log delegates to this function
    channel = log.roles.channel
    return Evidence(
        counts=counts,
        drops=count_drops(log.engine, log.canonical, visits, counts),
        segments=journeys.segments,
        attempts=merge_rare_attempts(log.count_chain(ATTEMPTS), counts),
        switches=None
        if channel is None
        else count_switches(log.engine, log.canonical, visits, counts, log.raw.table, channel),
        follow_ups=count_follow_ups(log.engine, log.canonical, journeys, visits, counts),
        waits=_enforced(log, seed),
        activities=log.activities,
        timed=log.canonical.last_us is not None,
    )


def _enforced(log: EventLog, seed: int) -> tuple[WaitFound, ...] | None:
    """Activities after which everybody waits; None in a log without times."""
    if log.canonical.last_us is None:
        return None
    long = long_waits(waits_of(log, None))
    return tuple(enforced_waits(waits_of(log, long), log.activities, among=long, seed=seed)) if long else ()


def waits_of(log: EventLog, activities: Sequence[int] | None) -> WaitCounts:
    """Waits after some activities by customer, or (None) after all, of everybody together.

    Raises
    ------
    NotEnoughDataError
        The log has no times.
    """
    visits, journeys = log._visits, log._journeys("waits")  # noqa: SLF001 - the log delegates to this function
    return count_waits(
        log.engine, log.canonical, journeys, visits, activities=activities, pooled=activities is None
    )


def trials_of(log: EventLog, activities: Sequence[int]) -> TrialCounts:
    """Waits after some activities that were waited out, and how their journeys ended."""
    visits, journeys = log._visits, log._journeys("waits")  # noqa: SLF001 - the log delegates to this function
    return count_wait_trials(log.engine, log.canonical, journeys, visits, activities=activities)


def sequences_of(log: EventLog, *, most: int | None = None) -> SequenceCounts:
    """Journeys as sequences of activities.

    Parameters
    ----------
    most
        Where there are more journeys, only those of the first buckets of customers, about so many: a bucket is a hash,
        so they are a fair sample, and the same for any order of the rows.
    """
    visits, journeys = log._visits, log._journeys("fixes")  # noqa: SLF001 - the log delegates to this function
    chain = log.count_chain()
    if most is not None and log.canonical.buckets and log.n_cases > most:
        last = max(1, round(log.canonical.n_units * most / log.n_cases))
        visits, table = (first_units(log.engine, name, last) for name in (visits, journeys.table))
        journeys = replace(journeys, table=table)
    return count_sequences(log.engine, log.canonical, journeys, visits, chain)


def reach_and_audience(
    log: EventLog, counts: ChainCounts, candidates: Sequence[Candidate]
) -> tuple[list[Estimates], list[int]]:
    """Share of journeys that meet the scope of each candidate, and customers who were lost in it."""
    visits = log._visits  # noqa: SLF001 - the log delegates to this function
    unit, n = count_journeys(log.engine, log._journeys("reach"))  # noqa: SLF001
    journeys = unit_matrix(unit, np.zeros(len(n), int), n, (counts.n_units, 1))
    everywhere = count_reach(log.engine, visits), count_audience(log.engine, visits)
    reach, audience = [], []
    for candidate in candidates:
        (unit, code, n), lost = everywhere
        if candidate.column is not None or candidate.period_us is not None:
            scope = _condition(counts, candidate)
            unit, code, n = count_reach(log.engine, visits, scope)
            lost = count_audience(log.engine, visits, scope)
        own = int(counts.activity[candidate.state])
        here = code == own
        wins = unit_matrix(unit[here], np.zeros(int(here.sum()), int), n[here], (counts.n_units, 1))
        share = share_of_units(wins, journeys, np.zeros(1, int), buckets=counts.buckets)
        reach.append(Estimates(share.estimate[0], share.lower[0], share.upper[0], share.n[0]))
        audience.append(lost.get(own, 0))
    return reach, audience


def _condition(counts: ChainCounts, candidate: Candidate) -> str:
    """The scope of a candidate as a condition on visits."""
    cells: list[int] | None = None
    if candidate.column is not None and candidate.value is not None:
        cells = cells_of(counts, candidate.column, candidate.value).tolist()
    return scope_condition(int(counts.activity[candidate.state]), cells, candidate.period_us)


def money_of(log: EventLog) -> tuple[Ints, Ints, NDArray[np.float64], Ints] | None:
    """Money of the conversions by unit and cell: (unit, cell, money, n); None without a value column."""
    if log.roles.value is None:
        return None
    column = log.engine.dialect.quote(log.roles.value)
    journeys = log._journeys("money")  # noqa: SLF001 - the log delegates to this function
    found = count_values(log.engine, log.canonical, journeys, log.raw.table, column)
    return found if found[3].sum() else None
