"""Candidates of every kind: what is planted comes out, with the visits it is about, and nothing else."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from journeymine.fixes.candidates import Found, cells_of, gain_of_step, search_candidates
from journeymine.fixes.candidates.excess import excess_of_candidate

if TYPE_CHECKING:
    from collections.abc import Callable

    from journeymine.fixes.candidates import Candidate, Evidence

DAY_US = 86_400_000_000
START_US = 1_767_225_600_000_000
FOUR_SIGMA = 4.0
"""Planted shares are met within four standard errors."""


@pytest.fixture(scope="module")
def found(service_evidence: Evidence) -> Found:
    return search_candidates(service_evidence)


def only(found: Found, kind: str) -> Candidate:
    (one,) = [c for c in found.candidates if c.block == "found" and c.fix.kind == kind]
    return one


def near(part: Any, share: float) -> None:
    n, drops = part.n.sum(), part.drops.sum()
    assert abs(drops / n - share) < FOUR_SIGMA * np.sqrt(share * (1 - share) / n)


def test_all_that_is_planted_and_nothing_else(found: Found) -> None:
    kinds = {c.fix.kind for c in found.candidates if c.block == "found"}
    assert kinds == {"incident", "loop", "channel_switch", "reroute"}
    assert {row.about for row in found.tests} >= {"segment", "period", "attempt", "channel", "contact"}
    assert all(c.test is not None and c.test.kept for c in found.candidates if c.block == "found")
    assert all(c.test is None and c.shrinkage is None for c in found.candidates if c.block == "assumed")
    assert len({c.fix.id for c in found.candidates}) == len(found.candidates)


def test_the_loop_runs_through_the_payment(found: Found) -> None:
    loop = only(found, "loop")
    assert (loop.fix.id, loop.fix.target, loop.kind) == ("loop:Declined:Pay", "Pay", "attempt")
    assert loop.fix.to_reference
    near(loop.scope, 0.55)
    near(loop.reference, 0.15)
    assert loop.everywhere.n.sum() == loop.scope.n.sum() + loop.reference.n.sum()  # type: ignore[union-attr]


def test_the_rupture_names_the_channels(found: Found) -> None:
    switch = only(found, "channel_switch")
    assert (switch.fix.id, switch.fix.label) == ("channel_switch:Call", "web → phone")
    near(switch.scope, 0.50)
    near(switch.reference, 0.15)


def test_the_incident_says_who_was_hit(found: Found, service_evidence: Evidence) -> None:
    """Days 30 to 42 on mobile alone; and what happened then is no difference between devices at other times."""
    incident = only(found, "incident")
    assert (incident.fix.segment, incident.column, incident.value) == (("device", "mobile"), 0, "mobile")
    assert incident.period_us is not None
    first, last = ((edge - START_US) / DAY_US for edge in incident.period_us)
    assert abs(first - 30) <= 2
    assert abs(last - 42) <= 2
    assert set(incident.scope.cell) <= set(cells_of(service_evidence.counts, 0, "mobile").tolist())
    assert incident.fix.period_us == incident.period_us
    near(incident.reference, 0.15)


def test_the_guide_helps_those_who_read_it(found: Found, service_evidence: Evidence) -> None:
    """A chain without memory cannot know it; the gain read off the journeys is close to that of walking them."""
    step = only(found, "reroute")
    assert (step.fix.activity, step.fix.target, step.fix.to) == ("Form", "Choice", "Guide")
    assert (step.kind, step.fix.share, step.fix.fraction) == ("step", None, 0.2)
    counts = service_evidence.counts
    starts = np.zeros(counts.n_units)
    np.add.at(starts, counts.start_unit, counts.start_n)
    gain = gain_of_step(step, np.ones((1, counts.n_units)), starts)[0]
    # By hand: the share that reaches the goal from the choice on, for those who leave the payment in 5 and 40 %.
    later, first = 1 - 0.55, 1 - 0.15

    def won(leave: float) -> float:
        again = 0.35 * (1 - leave)
        from_second = (1 - leave) * 0.65 / (1 - again * later)
        return 0.95 * ((1 - leave) * 0.65 + again * first * from_second)

    skipped = step.scope.n.sum() / starts.sum()
    assert gain == pytest.approx(0.2 * skipped * (0.98 * won(0.05) - won(0.40)), abs=0.01)
    twice = gain_of_step(step, np.full((1, counts.n_units), 2.0), starts)[0]
    assert twice == pytest.approx(gain)


def test_row_order_does_not_matter(
    log_of: Callable[..., Any], evidence: Callable[..., Evidence], make_journeys: Callable[..., Any]
) -> None:
    """The same events in another order give the same candidates, to the last digit."""
    journeys = make_journeys(700, seed=3)
    results = []
    for order in (None, np.random.default_rng(1)):
        found = search_candidates(evidence(log_of(*journeys, order=order)))
        results.append(
            [(c.fix.id, c.shrinkage, None if c.test is None else c.test.q_value) for c in found.candidates]
        )
    assert results[0] == results[1]


def test_kinds_that_cannot_be_told_are_not_looked_for(service_evidence: Evidence) -> None:
    plain = dataclasses.replace(service_evidence, attempts=None, switches=None, follow_ups=None)
    found = search_candidates(plain)
    assert {row.about for row in found.tests} == {"segment", "period"}
    assert {c.fix.kind for c in found.candidates if c.block == "found"} == {"incident"}


def test_shrinkage_is_between_0_and_1(found: Found) -> None:
    for candidate in found.candidates:
        if candidate.reference is not None:
            assert candidate.shrinkage is not None
            assert 0 <= candidate.shrinkage <= 1
            assert excess_of_candidate(candidate) is not None
