"""The users' own re-routes: refused where nobody could be sent elsewhere, read off journeys where these show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.errors import OptionError, listed, shown
from journeymine.fixes.candidates.steps import step_candidate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.fixes.candidates.candidate import Candidate
    from journeymine.fixes.candidates.evidence import Evidence
    from journeymine.fixes.fix import Fix

    Ints = NDArray[np.int64]


def check_reroute(fix: Fix, state: int, evidence: Evidence, cells: Ints) -> None:
    """Refuse a re-route that sends nobody anywhere.

    Parameters
    ----------
    fix
        A re-route whose activities are known.
    state
        Its activity.
    evidence
        The counts of the log.
    cells
        Cells of the segments that the fix is about.

    Raises
    ------
    OptionError
        Nobody takes the way that it is to replace.
    """
    named = f"fix {shown(fix.id)}"
    counts = evidence.counts
    here = (counts.source == state) & (counts.target >= 0) & np.isin(counts.cell, cells)
    taken = np.bincount(counts.target[here], weights=counts.n[here], minlength=counts.n_states)
    taken[counts.states.index(fix.to or "")] = 0
    if fix.target is None and not taken.any():
        problem = (
            f"{named}: nobody goes from {shown(fix.activity)} to any other activity than {shown(fix.to)}."
        )
        raise OptionError(problem, hint="name an activity that leads to several others.")
    if fix.target is not None and not taken[counts.states.index(fix.target)]:
        problem = f"{named}: nobody goes from {shown(fix.activity)} to {shown(fix.target)}."
        ways = [counts.states[i] for i in np.argsort(-taken, kind="stable") if taken[i]]
        raise OptionError(
            problem, found=listed(ways) or "no way to another activity", hint="name one of those as target."
        )


def measured_reroute(fix: Fix, state: int, evidence: Evidence, cells: Ints) -> Candidate | None:
    """The re-route as a skipped step, where journeys show what the step does; None where only the chain can tell."""
    follow_ups = evidence.follow_ups
    if follow_ups is None or fix.target is None or fix.period is not None:
        return None
    return step_candidate(fix, state, evidence.counts, follow_ups, evidence.drops.of_state(state), cells)
