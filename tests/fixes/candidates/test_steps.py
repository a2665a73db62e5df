"""Skipped steps: how far they are believed, and the same whether the search or a user names them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from journeymine.errors import OptionError
from journeymine.fixes.candidates import gain_of_step, resolve_fixes, search_candidates
from journeymine.fixes.candidates.excess import Excess, excess_of_candidate
from journeymine.fixes.candidates.shrinkage import alone, fit_shrinkage
from journeymine.fixes.fix import Fix

if TYPE_CHECKING:
    from collections.abc import Callable

    from journeymine.fixes.candidates import Candidate, Evidence

VISIT, CONFIRMED, TOLD, UNTOLD, REVIEW = 0.3, 0.5, 0.2, 0.5, 0.03
"""Shares that leave after the visit, are confirmed, leave the form told and untold, and leave the review."""
TRUE = 0.2 * (1 - VISIT) * (1 - CONFIRMED) * (UNTOLD - TOLD) * (1 - REVIEW)
"""A fifth of those who are not confirmed would be: 2.04 points."""
REROUTE = Fix(kind="reroute", activity="Visit", target="Form", to="Confirm")


def journey(rng: np.random.Generator) -> list[tuple[str, str, float]]:
    confirmed = rng.random() < CONFIRMED
    steps = [("Visit", VISIT), ("Form", TOLD if confirmed else UNTOLD), ("Review", REVIEW), ("Buy", 1.0)]
    if confirmed:
        steps.insert(1, ("Confirm", 0.0))
    way, hours = [], 0.0
    for name, leave in steps:
        hours += float(rng.exponential(2.0))
        way.append((name, "web", hours))
        if rng.random() < leave:
            break
    return way


@pytest.fixture(scope="module")
def confirmations(log_of: Callable[..., Any], evidence: Callable[..., Evidence]) -> Evidence:
    """6,000 journeys; the form forgets nobody who was confirmed, the chain does."""
    rng = np.random.default_rng(7)
    journeys = [journey(rng) for _ in range(6000)]
    device = np.where(rng.random(6000) < 0.5, "mobile", "desktop").tolist()
    return evidence(log_of(journeys, np.sort(rng.uniform(0, 90, 6000)).tolist(), {"device": device}))


def found_step(evidence: Evidence) -> Candidate:
    (one,) = [c for c in search_candidates(evidence).candidates if c.kind == "step"]
    return one


def gain(candidate: Candidate, evidence: Evidence) -> float:
    counts = evidence.counts
    starts = np.bincount(counts.start_unit, counts.start_n, counts.n_units).astype(float)
    return float(gain_of_step(candidate, np.ones((1, counts.n_units)), starts)[0])


def test_a_found_step_is_worth_what_it_is(confirmations: Evidence) -> None:
    """Nothing else differs in this log, and a prior of groups that do not differ would leave a fortieth of it."""
    step = found_step(confirmations)
    assert step.fix == REROUTE
    assert step.shrinkage is not None
    assert step.shrinkage > 0.98
    # Some 4,000 journeys know a difference of 0.3 within 0.016, which is a twentieth of it; three of these.
    assert step.shrinkage * gain(step, confirmations) == pytest.approx(TRUE, rel=0.16)


def test_what_few_steps_say_is_judged_by_their_own_error(confirmations: Evidence) -> None:
    """Three contrasts: what one of them is worth does not depend on how many say nothing."""
    step = found_step(confirmations)
    excess = excess_of_candidate(step)
    assert excess is not None
    assert step.shrinkage == alone(excess)


@pytest.mark.parametrize("z", [0.5, 1.0, 1.5, 4.0])
def test_alone_is_the_prior_of_one_excess(z: float) -> None:
    excess = Excess(0.02 * z, 0.02)
    assert alone(excess) == pytest.approx(
        fit_shrinkage([excess]).factor(excess), abs=1e-4
    )  # where its search stops
    assert alone(Excess(0.0, 0.02)) == 0.0


def test_steps_do_not_change_what_is_said_of_groups(service_evidence: Evidence) -> None:
    without = dataclasses.replace(service_evidence, follow_ups=None)
    groups = {c.fix.id: c.shrinkage for c in search_candidates(without).candidates if c.block == "found"}
    both = {
        c.fix.id: c.shrinkage for c in search_candidates(service_evidence).candidates if c.block == "found"
    }
    assert len(groups) > 2
    assert {key: both[key] for key in groups} == groups
    assert len(both) == len(groups) + 1


def test_late_journeys_count_as_others_do(confirmations: Evidence) -> None:
    """A ninth of the visits are too young to be known; they start, and skip, like the others."""
    step = found_step(confirmations)
    young = 1 - step.everywhere.n.sum() / step.everywhere.n_all.sum()
    assert young > 0.08
    known = dataclasses.replace(
        step, everywhere=dataclasses.replace(step.everywhere, n_all=step.everywhere.n)
    )
    assert gain(step, confirmations) * (1 - young) == pytest.approx(gain(known, confirmations))


def test_a_user_gets_the_step_that_is_found(confirmations: Evidence) -> None:
    step = found_step(confirmations)
    (own,) = resolve_fixes(REROUTE, confirmations)
    assert (own.kind, own.block, own.shrinkage) == ("step", "user", None)
    assert gain(own, confirmations) == gain(step, confirmations)
    (half,) = resolve_fixes([dataclasses.replace(REROUTE, share=0.5)], confirmations)
    assert gain(half, confirmations) == pytest.approx(2.5 * gain(step, confirmations))


def test_a_user_s_step_in_a_segment(confirmations: Evidence) -> None:
    parts = [
        dataclasses.replace(REROUTE, segment=("device", device), id="") for device in ("mobile", "desktop")
    ]
    mobile, desktop = resolve_fixes(parts, confirmations)
    (whole,) = resolve_fixes([REROUTE], confirmations)
    assert {mobile.kind, desktop.kind} == {"step"}
    assert mobile.value == "mobile"
    assert mobile.scope.n.sum() + desktop.scope.n.sum() == whole.scope.n.sum()
    both = gain(mobile, confirmations) + gain(desktop, confirmations)
    assert both == pytest.approx(gain(whole, confirmations), rel=0.02)  # what was watched differs a little


@pytest.mark.parametrize(
    "changed",
    [
        {"target": None},
        {"target": "Confirm", "to": "Form"},
        {"activity": "Form", "target": "Review", "to": "Visit"},
        {"period": ("2026-01-10", "2026-02-10")},
    ],
)
def test_other_re_routes_stay_moves_in_the_chain(confirmations: Evidence, changed: dict[str, Any]) -> None:
    """Whoever skips the form never goes on to the confirmation: no journeys tell what that does."""
    (one,) = resolve_fixes([dataclasses.replace(REROUTE, id="", **changed)], confirmations)
    assert (one.kind, one.reference) == ("assumed", None)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"to": "Form"}, "nobody would be sent elsewhere"),
        ({"to": "Visit"}, "nobody would be sent elsewhere"),
        ({"target": "Review"}, "nobody goes from 'Visit' to 'Review'"),
        ({"activity": "Review", "target": None}, "nobody goes from 'Review' to any other activity"),
        ({"activity": "Form", "target": None, "to": "Review"}, "than 'Review'"),
    ],
)
def test_re_routes_of_nobody_are_refused(
    confirmations: Evidence, changed: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError) as refused:
        resolve_fixes([dataclasses.replace(REROUTE, id="", **changed)], confirmations)
    assert words in str(refused.value)
    if "Review" in words and "target" in changed and changed["target"]:
        assert "Confirm" in str(refused.value)
