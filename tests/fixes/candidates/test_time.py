"""Assumed fixes that save time: the waits, repeats and detours that are there, and no others."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from journeymine.counting.waits import count_waits
from journeymine.counts.attempts import merge_rare_attempts
from journeymine.fixes.candidates import time_candidates
from journeymine.fixes.what_if.outcome import Time
from journeymine.fixes.what_if.what_if import WhatIf

if TYPE_CHECKING:
    from collections.abc import Callable

    from journeymine.counts.waits import WaitCounts
    from journeymine.fixes.candidates import Candidate, Evidence
    from journeymine.log import EventLog

N = 1500
REPEATED, DETOURED, RARE = 0.3, 0.4, 0.005
HOURS = {"Open": 1.0, "Work": 20.0, "Pause": 60.0, "Odd": 500.0, "Check": 4.0}
"""Mean waits after each activity."""


def ticket(rng: np.random.Generator) -> list[tuple[str, str, float]]:
    """Opened, worked on until it is done, perhaps paused, rarely odd, checked, and closed: nobody leaves."""
    way = ["Open", "Work"]
    while rng.random() < REPEATED:
        way.append("Work")
    way += ["Pause"] * int(rng.random() < DETOURED)
    way += ["Odd"] * int(rng.random() < RARE)
    hours = np.concatenate([[0.0], np.cumsum([rng.exponential(HOURS[name]) for name in [*way, "Check"]])])
    return [(name, "desk", float(at)) for name, at in zip([*way, "Check", "Buy"], hours, strict=True)]


@pytest.fixture(scope="module")
def tickets(log_of: Callable[..., EventLog]) -> EventLog:
    rng = np.random.default_rng(2)
    log = log_of([ticket(rng) for _ in range(N)], np.sort(rng.uniform(0, 300, N)).tolist(), {})
    return log.journeys("Buy", idle="60d")


@pytest.fixture(scope="module")
def known(tickets: EventLog, evidence: Callable[[EventLog], Evidence]) -> Evidence:
    own = evidence(tickets)
    return dataclasses.replace(own, attempts=merge_rare_attempts(tickets.count_chain(4), own.counts))


def waits_of(log: EventLog, **settings: Any) -> WaitCounts:
    return count_waits(log.engine, log.canonical, log._journeys("waits"), log._visits, **settings)


def effects(log: EventLog, evidence: Evidence, candidates: list[Candidate]) -> dict[str, float]:
    """Days saved per journey."""
    assert evidence.attempts is not None
    states = evidence.attempts
    model = WhatIf(
        states, evidence.counts, candidates, waits=waits_of(log), outcome=lambda cells: Time(cells, states)
    )
    found = model.in_draws(np.ones((1, model.model.n_units)))[0][0]
    return {c.fix.id: float(days) for c, days in zip(candidates, found, strict=True)}


def test_the_levers_of_a_log_that_loses_nobody(tickets: EventLog, known: Evidence) -> None:
    """In the order of their total time; what all journeys need, or hardly any meets, is no detour."""
    found = time_candidates(known, waits_of(tickets, pooled=True))
    assert [c.fix.id for c in found] == [
        "wait:Work",
        "wait:Pause",
        "wait:Check",
        "wait:Open",
        "loop:Work",
        "remove_step:Pause",
    ]
    assert {(c.block, c.kind, c.reference, c.shrinkage, c.test) for c in found} == {
        ("assumed", "assumed", None, None, None)
    }
    assert [c.fix.share for c in found] == [0.5, 0.5, 0.5, 0.5, 1.0, None]


def test_what_they_save(tickets: EventLog, known: Evidence) -> None:
    """By hand, in days: half of the waits, the repeats, the pauses."""
    days = effects(tickets, known, time_candidates(known, waits_of(tickets, pooled=True)))
    work = HOURS["Work"] / 24 / (1 - REPEATED)
    by_hand = {
        "wait:Work": work / 2,
        "wait:Pause": DETOURED * HOURS["Pause"] / 48,
        "wait:Check": HOURS["Check"] / 48,
        "wait:Open": HOURS["Open"] / 48,
        "loop:Work": work - HOURS["Work"] / 24,
        "remove_step:Pause": DETOURED * HOURS["Pause"] / 24,
    }
    # Means of at least 500 exponential waits, and of their number: three standard errors.
    assert days == {key: pytest.approx(value, rel=0.17) for key, value in by_hand.items()}


def test_a_repeat_needs_states_that_remember(tickets: EventLog, known: Evidence) -> None:
    """Without them stopping it changes nothing by construction, and the what-ifs refuse it."""
    waits = waits_of(tickets, pooled=True)
    alike = merge_rare_attempts(tickets.count_chain(4), known.counts, fewest=10_000)
    forgets = time_candidates(dataclasses.replace(known, attempts=alike), waits)
    assert [c.fix.kind for c in forgets] == ["wait"] * 4 + ["remove_step"]
    none = time_candidates(dataclasses.replace(known, attempts=None), waits)
    assert [c.fix.kind for c in none] == ["wait"] * 4


def test_the_scope_of_a_repeat_are_the_repeats(tickets: EventLog, known: Evidence) -> None:
    (loop,) = [c for c in time_candidates(known, None) if c.fix.kind == "loop"]
    assert loop.scope.n.sum() / loop.everywhere.n.sum() == pytest.approx(
        REPEATED, abs=0.03
    )  # of 2,100 visits


def test_without_times_there_are_no_waits(known: Evidence) -> None:
    assert [c.fix.id for c in time_candidates(known, None)] == ["loop:Work", "remove_step:Pause"]


def test_at_most_ten_of_a_kind(log_of: Callable[..., EventLog], evidence: Callable[..., Evidence]) -> None:
    """Of fourteen steps that everybody takes, the ten with the longest waits; a wait of no time is none."""
    rng = np.random.default_rng(0)
    names = [f"Step {i:02}" for i in range(14)]
    journeys = [
        [
            (name, "desk", float(at))
            for name, at in zip([*names, "Buy"], np.r_[0.0, np.cumsum(np.arange(14.0))], strict=True)
        ]
        for _ in range(60)
    ]
    log = log_of(journeys, rng.uniform(0, 100, 60).tolist(), {})
    found = time_candidates(evidence(log), waits_of(log, pooled=True))
    assert [c.fix.activity for c in found] == names[:3:-1]
    few = log_of(journeys[:49], rng.uniform(0, 100, 49).tolist(), {})
    assert time_candidates(evidence(few), waits_of(few, pooled=True)) == []


def test_helpdesk(reference_data: Any, evidence: Callable[..., Evidence]) -> None:
    """Nearly all tickets are closed: its lever is time."""
    import journeymine as jm

    log = jm.read_log(reference_data / "helpdesk" / "Helpdesk_full_italian.xes.gz", threads=1).journeys(
        "Closed"
    )
    own = evidence(log)
    own = dataclasses.replace(own, attempts=merge_rare_attempts(log.count_chain(4), own.counts))
    days = effects(log, own, time_candidates(own, waits_of(log, pooled=True)))
    assert days["wait:Resolve ticket"] == pytest.approx(14.8, abs=0.1)
    assert days["remove_step:Wait"] == pytest.approx(3.0, abs=0.1)
    assert max(days, key=lambda key: days[key]) == "wait:Resolve ticket"
