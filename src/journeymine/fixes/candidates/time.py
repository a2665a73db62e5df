"""Assumed fixes of the outcome "time": waits, repeats and detours that take most of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from journeymine.counts.waits import PASSED
from journeymine.fixes.candidates.candidate import Candidate
from journeymine.fixes.candidates.cells import cell_values
from journeymine.fixes.candidates.loops import Loop
from journeymine.fixes.candidates.scopes import all_of
from journeymine.fixes.candidates.waits import MIN_PASSED, quantile
from journeymine.fixes.fix import Fix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.counts.waits import WaitCounts
    from journeymine.fixes.candidates.evidence import Evidence

    Floats = NDArray[np.float64]

MOST_OF_A_KIND: Final = 10
LEAST_REPEATS: Final = 0.05
"""Share of an activity's visits that must repeat it directly."""
DETOUR: Final = (0.01, 0.5)
"""Share of the journeys that meet an activity which others do without."""
SHORTER: Final = 0.5


def time_candidates(evidence: Evidence, waits: WaitCounts | None) -> list[Candidate]:
    """Assumed fixes that save time: waits made half as long, repeats stopped, detours taken away.

    Saving drop-outs, which is what is assumed for other outcomes, makes journeys longer. At most ten of each kind are
    proposed, those with the longest total time first: visits that went on times their mean wait, for repeats the share
    of it that is spent in them. Ids may be those of fixes that were found: who puts both together keeps the found ones.

    Parameters
    ----------
    evidence
        Repeats and detours are looked for in `attempts`; without them none are proposed.
    waits
        After all activities; counted together (`count_waits(pooled=True)`) is enough. None: no waits are proposed,
        and visits take the place of time.

    Returns
    -------
    Waits, then repeats, then detours. Where a fix saves no time after all, only its effect can tell: what comes after
    a detour may take longer.
    """
    counts = evidence.counts
    own = counts.activity >= 0
    visits = np.bincount(counts.source, weights=counts.n, minlength=counts.n_states).astype(float)
    time = visits if waits is None else _total_times(counts, waits)
    time = np.where(own, time, 0.0)
    return [
        *([] if waits is None else _waits(evidence, waits, time)),
        *_repeats(evidence, time),
        *_detours(evidence, time),
    ]


def _total_times(counts: ChainCounts, waits: WaitCounts) -> Floats:
    """Time between the visits to each state and what came next, all together, in microseconds."""
    total = np.zeros(counts.n_states)
    for state, code in enumerate(counts.activity.tolist()):
        here = waits.of(code)
        total[state] = float((here.passed * here.mean_us).sum())
    return total


def _longest(states: Iterable[int], time: Floats, names: tuple[str, ...]) -> list[int]:
    """At most ten states with the longest times; ties go by name."""
    some = [state for state in states if time[state] > 0]
    return sorted(some, key=lambda state: (-time[state], names[state]))[:MOST_OF_A_KIND]


def _waits(evidence: Evidence, waits: WaitCounts, time: Floats) -> list[Candidate]:
    names = evidence.counts.states
    long = [
        state for state, code in enumerate(evidence.counts.activity.tolist()) if _most_wait(waits, int(code))
    ]
    return [
        _everywhere(evidence, state, Fix(kind="wait", activity=names[state], share=SHORTER))
        for state in _longest(long, time, names)
    ]


def _most_wait(waits: WaitCounts, code: int) -> bool:
    """Whether enough went on, and most of them not at once."""
    here = waits.of(code)
    return here.total(PASSED) >= MIN_PASSED and quantile(here.mean_us, here.passed, 0.5) > 0


def _repeats(evidence: Evidence, time: Floats) -> list[Candidate]:
    attempts, names = evidence.attempts, evidence.counts.states
    if attempts is None:
        return []
    share = _repeat_shares(attempts, evidence.counts.n_states)
    values = cell_values(evidence.counts)
    found = []
    for state in _longest(np.flatnonzero(share > LEAST_REPEATS).tolist(), share * time, names):
        loop = Loop(state, names, attempts, values)
        # Where no state remembers an earlier attempt, stopping the next one changes nothing by construction.
        if loop.later.any():
            fix = Fix(kind="loop", activity=names[state], share=1.0)
            found.append(replace(loop.candidate(fix, "assumed"), kind="assumed", reference=None))
    return found


def _repeat_shares(attempts: ChainCounts, n_states: int) -> Floats:
    """Share of the visits to each activity after which it comes again at once."""
    assert attempts.base is not None
    source = attempts.base[attempts.source]
    again = (attempts.target >= 0) & (attempts.base[attempts.target] == source)
    visits, repeats = (
        np.bincount(source[which], weights=attempts.n[which], minlength=n_states)
        for which in (np.ones(len(source), bool), again)
    )
    return np.asarray(np.divide(repeats, visits, out=np.zeros(n_states), where=visits > 0))


def _detours(evidence: Evidence, time: Floats) -> list[Candidate]:
    attempts, names = evidence.attempts, evidence.counts.states
    if attempts is None:
        return []
    met = _met(attempts, evidence.counts.n_states)
    detours = np.flatnonzero((met >= DETOUR[0]) & (met <= DETOUR[1])).tolist()
    return [
        _everywhere(evidence, state, Fix(kind="remove_step", activity=names[state]))
        for state in _longest(detours, time, names)
    ]


def _met(attempts: ChainCounts, n_states: int) -> Floats:
    """Share of the journeys that meet each activity: its first visits that were watched, over all starts.

    Where later attempts are too rare for a state of their own they count as first ones.
    """
    assert attempts.base is not None
    assert attempts.attempt is not None
    first = attempts.attempt[attempts.source] == 1
    visits = np.bincount(attempts.base[attempts.source[first]], weights=attempts.n[first], minlength=n_states)
    return np.asarray(visits / max(attempts.n_starts, 1))


def _everywhere(evidence: Evidence, state: int, fix: Fix) -> Candidate:
    every = all_of(evidence.drops.of_state(state))
    return Candidate(state, "assumed", every, every, fix=fix, block="assumed")
