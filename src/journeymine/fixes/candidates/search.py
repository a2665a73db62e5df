"""Candidates for a fix, found in the counts: places that lose more journeys than where it works.

Segment values, periods, later attempts, changes of channel and skipped steps become candidates only after a test: one
family of tests over everything that is compared, false discoveries controlled. What is found is shrunk by how large
differences are in this log (`shrinkage.py`). Every activity is also a candidate for the assumption "if a fifth of its
drop-outs were saved".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from journeymine.fixes.candidates.candidate import Candidate, Found, TestedRow
from journeymine.fixes.candidates.cells import CellValues, cell_values
from journeymine.fixes.candidates.evidence import Evidence
from journeymine.fixes.candidates.excess import excess_of_candidate
from journeymine.fixes.candidates.loops import loop_questions
from journeymine.fixes.candidates.questions import Question, ask
from journeymine.fixes.candidates.rows import Row
from journeymine.fixes.candidates.scopes import all_of
from journeymine.fixes.candidates.shrinkage import FEWEST, Shrinkage, alone, fit_shrinkage
from journeymine.fixes.candidates.steps import MOST_STEPS, step_questions
from journeymine.fixes.candidates.switches import switch_questions
from journeymine.fixes.fix import Fix

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts, DropCounts

    Ints = NDArray[np.int64]


STEPS: Final = ("step", "contact", "late")
"""Questions about what lies between two activities; all others compare groups at one activity."""


def find_candidates(counts: ChainCounts, drops: DropCounts, segments: Sequence[str] = ()) -> Found:
    """Test every row against every segment column and against time, and turn what is kept into candidates."""
    return search_candidates(Evidence(counts=counts, drops=drops, segments=tuple(segments)))


def search_candidates(evidence: Evidence) -> Found:
    """Ask everything that the evidence can answer, and turn what is kept into candidates, each with its shrinkage."""
    values = cell_values(evidence.counts)
    questions = all_questions(evidence, values)
    tests, found = ask(questions)
    priors = [
        fit_shrinkage([e for q in questions if (q.about in STEPS) == steps for e in q.excesses()])
        for steps in (False, True)
    ]
    found = [replace(candidate, shrinkage=_factor(candidate, *priors)) for candidate in _chosen(found)]
    assumed = assumed_candidates(evidence.counts, evidence.drops)
    known = {candidate.fix.id for candidate in found}
    waits = [wait for wait in _waits(evidence) if wait.fix.id not in known]
    return Found(tests, (*found, *waits, *assumed), _pools(tests, values))


def all_questions(evidence: Evidence, values: CellValues) -> list[Question]:
    """The family of tests: of rows over time and between segments, of attempts, channels and steps."""
    counts, drops = evidence.counts, evidence.drops
    asked: list[Question] = []
    for state, name in enumerate(counts.states):
        asked += Row(state, name, drops.of_state(state), values, evidence.columns).questions()
    if evidence.attempts is not None:
        asked += loop_questions(counts.states, evidence.attempts, values)
    if evidence.switches is not None:
        asked += switch_questions(counts.states, evidence.switches, drops, values)
    if evidence.follow_ups is not None:
        asked += step_questions(counts, evidence.follow_ups, drops, values)
    return asked


def _factor(candidate: Candidate, groups: Shrinkage, steps: Shrinkage) -> float | None:
    """What is believed of a candidate: a skipped step is judged by other steps, all else by how groups differ."""
    excess = excess_of_candidate(candidate)
    if excess is None:
        return None
    if candidate.kind != "step":
        return groups.factor(excess)
    return steps.factor(excess) if steps.n >= FEWEST else alone(excess)


def _chosen(found: Sequence[Candidate]) -> list[Candidate]:
    """All but the surplus of skipped steps, which are the weakest evidence: those with the smallest q values stay."""
    steps = [candidate for candidate in found if candidate.kind == "step"]
    surplus = {id(c) for c in sorted(steps, key=_strength)[MOST_STEPS:]}
    chosen: dict[str, Candidate] = {}
    for candidate in found:
        if id(candidate) not in surplus:
            chosen.setdefault(candidate.fix.id, candidate)
    return list(chosen.values())


def _strength(candidate: Candidate) -> tuple[float, str]:
    return (1.0 if candidate.test is None else candidate.test.q_value, candidate.fix.id)


def _waits(evidence: Evidence) -> list[Candidate]:
    """Activities after which everybody waits and people leave meanwhile; found by their own test."""
    found = []
    for wait in evidence.waits or ():
        state = evidence.counts.states.index(wait.fix.activity)
        everywhere = all_of(evidence.drops.of_state(state))
        found.append(Candidate(state, "assumed", everywhere, everywhere, fix=wait.fix, block="found"))
    return found


def _pools(tests: Sequence[TestedRow], values: CellValues) -> dict[int, Ints]:
    """Cells that may lean on each other at a state that differs between segments: those of one value."""
    pools: dict[int, Ints] = {}
    for row in sorted(tests, key=lambda row: (row.q_value, row.state, row.column or 0)):
        if row.kept and row.column is not None:
            pools.setdefault(row.state, values.value[:, row.column])
    return pools


def assumed_candidates(counts: ChainCounts, drops: DropCounts) -> list[Candidate]:
    """Every activity after which some, but not all, journeys are lost."""
    found = []
    for state in range(counts.n_states):
        here = drops.of_state(state)
        lost, visits = int(here.drops.sum()), int(here.n.sum())
        if 0 < lost < visits:
            fix = Fix(kind="drop_off", activity=counts.states[state])
            everywhere = all_of(here)
            found.append(Candidate(state, "assumed", everywhere, everywhere, fix=fix, block="assumed"))
    return found
