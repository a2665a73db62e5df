"""Steps that help and are skipped: journeys that pass them reach the goal more often than those that do not.

Asked only where a step can be left out: from an activity i some go to the step j first and on to k, others go to k at
once. Comparing those who went to j with all who went elsewhere would only find what lies nearer to the goal. Where
each activity says all about what follows, a step between can only lose people: what is found here is what a chain
without memory does not know, so its effect is read off these journeys, too (`gain_of_step`).

A step that comes after i alone is a contact that customers do not choose, such as a confirmation: it is missing for
those who went on without it, and late where it took longer than for nine of ten.

All of this is association: those who take a step may be those who would have bought anyhow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from journeymine.fixes.candidates.candidate import Candidate
from journeymine.fixes.candidates.cells import cell_values
from journeymine.fixes.candidates.excess import excess_of
from journeymine.fixes.candidates.questions import Question, one_sided
from journeymine.fixes.candidates.scopes import all_of, plain
from journeymine.fixes.fix import Fix
from journeymine.paths.row_tests import GroupedDrops, row_test
from journeymine.uncertainty import unit_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts, DropCounts
    from journeymine.counts.contacts import FollowUps
    from journeymine.fixes.candidates.candidate import Block
    from journeymine.fixes.candidates.cells import CellValues

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

MIN_JOURNEYS: Final = 100
"""Journeys on either side of a comparison."""
MAIN_SHARE: Final = 0.5
"""Share of those who leave a step for another activity that must go where the others went at once."""
ONLY_SHARE: Final = 0.95
"""Share of the entries into a contact that must come from one activity."""
MIN_LATE_US: Final = 3_600_000_000
MOST_STEPS: Final = 3


class FollowUp:
    """Journeys that took two ways from one activity, compared by how they ended.

    Parameters
    ----------
    state
        Activity where the ways part.
    counts
        What followed it, and how the journeys ended.
    worse, better
        Entries of `counts` on either way.
    drops
        All visits of the activity.
    values
        Values of the segment columns.
    """

    def __init__(
        self,
        state: int,
        counts: FollowUps,
        worse: Bools,
        better: Bools,
        drops: DropCounts,
        values: CellValues,
    ) -> None:
        self.state, self.drops, self.n_units = state, drops, counts.n_units
        self.scope, self.reference = (
            plain(
                counts.unit[way],
                counts.cell[way],
                values.stratum()[counts.cell[way]],
                counts.n[way],
                counts.lost[way],
            )
            for way in (worse, better)
        )

    def question(self, about: str, fix: Fix, target: str) -> Question | None:
        """Whether the first way ends worse than the second; None if too few took one of them."""
        unit, stratum, n, drops = self._both()
        inside = np.repeat([True, False], [len(self.scope.n), len(self.reference.n)])
        if self.fewest < MIN_JOURNEYS:
            return None
        test = row_test(GroupedDrops(unit, stratum, inside.astype(np.int64), n, drops, self.n_units), 2)
        gap = excess_of(unit, stratum, inside, n, drops)
        if test is None or gap is None:
            return None
        return Question(
            state=self.state,
            about=about,
            target=target,
            test=one_sided(test, gap.value > 0),
            proposals=lambda: [self.candidate(fix, "found")],
            # A step between is expected to lose people: `search.py` keeps these from what is said about other faults.
            excesses=lambda: [gap],
        )

    def _both(self) -> tuple[Ints, Ints, Floats, Floats]:
        a, b = self.scope, self.reference
        return (
            np.concatenate([a.unit, b.unit]),
            np.concatenate([a.stratum, b.stratum]),
            np.concatenate([a.n, b.n]),
            np.concatenate([a.drops, b.drops]),
        )

    @property
    def fewest(self) -> float:
        """Journeys on the way that fewer took."""
        return float(min(self.scope.n.sum(), self.reference.n.sum()))

    def candidate(self, fix: Fix, block: Block) -> Candidate:
        """The first way, to be brought to the second; for a wait all visits, with nothing to compare."""
        everywhere = all_of(self.drops)
        if fix.kind == "wait":
            return Candidate(self.state, "assumed", everywhere, everywhere, fix=fix, block=block)
        return Candidate(self.state, "step", everywhere, self.scope, self.reference, fix=fix, block=block)


def step_questions(
    counts: ChainCounts, follow_ups: FollowUps, drops: DropCounts, values: CellValues
) -> list[Question]:
    """Questions about steps that can be left out, and about contacts that come late."""
    moves = _moves(counts)
    entries = moves[:, : counts.n_states].sum(axis=0) + _begun(counts)
    asked = []
    for i in np.unique(follow_ups.source).tolist():
        here = follow_ups.source == i
        after = np.unique(follow_ups.target[here]).tolist()
        for j in after:
            if j == i:
                continue
            is_contact = moves[i, j] >= ONLY_SHARE * entries[j]
            k = _main_exit(moves, j, i)
            if k in after:
                fix = Fix(
                    kind="reroute", activity=counts.states[i], target=counts.states[k], to=counts.states[j]
                )
                ways = here & (follow_ups.target == k), here & (follow_ups.target == j)
                about = "contact" if is_contact else "step"
                compared = FollowUp(i, follow_ups, *ways, drops.of_state(i), values)
                asked.append(compared.question(about, fix, counts.states[j]))
            if is_contact and follow_ups.limit_us.get((i, j), 0) >= MIN_LATE_US:
                late = here & (follow_ups.target == j) & (follow_ups.late == 1)
                on_time = here & (follow_ups.target == j) & (follow_ups.late == 0)
                compared = FollowUp(i, follow_ups, late, on_time, drops.of_state(i), values)
                fix = Fix(kind="wait", activity=counts.states[i])
                asked.append(compared.question("late", fix, counts.states[j]))
    return [question for question in asked if question is not None]


def step_candidate(
    fix: Fix, state: int, counts: ChainCounts, follow_ups: FollowUps, drops: DropCounts, cells: Ints
) -> Candidate | None:
    """The user's own re-route as a skipped step: who went to the target at once against who went through `to` first.

    Parameters
    ----------
    fix
        A re-route with a target.
    state
        Its activity.
    counts, follow_ups, drops
        The chain of first order, what came next after each activity, and all visits of this one.
    cells
        Cells of the segments that the fix is about.

    Returns
    -------
    None where journeys do not show it: `to` does not lead to the target for most who leave it, or fewer than 100
    journeys took one of the ways. The fix is then a move from one edge of the chain to another.
    """
    assert fix.target is not None
    assert fix.to is not None
    target, to = counts.states.index(fix.target), counts.states.index(fix.to)
    if _main_exit(_moves(counts), to, state) != target:
        return None
    here = (follow_ups.source == state) & np.isin(follow_ups.cell, cells)
    ways = here & (follow_ups.target == target), here & (follow_ups.target == to)
    compared = FollowUp(state, follow_ups, *ways, drops, cell_values(counts))
    return compared.candidate(fix, "user") if compared.fewest >= MIN_JOURNEYS else None


def gain_of_step(candidate: Candidate, weights: Floats, starts: Floats) -> Floats:
    """Change of conversion when the fix's share of the journeys that skip a step are sent through it.

    Parameters
    ----------
    candidate
        A found re-route: `scope` are the journeys that skipped the step, `reference` those that took it, and `drops`
        those that were lost.
    weights
        How often each unit is drawn, shape (draws, n_units).
    starts
        Journeys that start, by unit, shape (n_units,).

    Returns
    -------
    Shape (draws,): share x skipped journeys x difference of the lost at the mix of strata of those who skipped, over
    journeys that start. Strata where nobody took the step say nothing and gain nothing. All journeys start, and only
    those watched long enough are known to have skipped it: there are more of these in proportion to the visits.
    """
    assert candidate.reference is not None
    scope, reference = candidate.scope, candidate.reference
    size = 1 + max(int(scope.stratum.max(initial=0)), int(reference.stratum.max(initial=0)))
    shape = (weights.shape[1], size)
    n1, x1, n0, x0 = (
        weights @ unit_matrix(part.unit, part.stratum, what, shape)
        for part in (scope, reference)
        for what in (part.n, part.drops)
    )
    gap = np.where((n1 > 0) & (n0 > 0), x1 - x0 / np.maximum(n0, 1.0) * n1, 0.0)
    begun = weights @ starts
    gained = gap.sum(axis=1) * _all_over_watched(candidate, weights)
    return np.asarray(candidate.fix.fraction * gained / np.maximum(begun, 1.0))


def _all_over_watched(candidate: Candidate, weights: Floats) -> Floats:
    """Visits of the activity in the cells of the scope over those of them that were watched, shape (draws,)."""
    every = candidate.everywhere
    here = np.isin(every.cell, candidate.scope.cell)
    one = np.zeros(int(here.sum()), np.int64)
    n_all, n = (
        (weights @ unit_matrix(every.unit[here], one, what[here], (weights.shape[1], 1)))[:, 0]
        for what in (every.n_all, every.n)
    )
    return np.asarray(np.divide(n_all, n, out=np.ones_like(n), where=n > 0))


def _moves(counts: ChainCounts) -> Floats:
    """Moves between states, the goal and dropping out, shape (k, k + 2)."""
    moves = np.zeros((counts.n_states, counts.n_states + 2))
    np.add.at(moves, (counts.source, counts.column(counts.target)), counts.n)
    return moves


def _begun(counts: ChainCounts) -> Floats:
    inside = counts.start_state >= 0
    return np.bincount(
        counts.start_state[inside], weights=counts.start_n[inside], minlength=counts.n_states
    ).astype(float)


def _main_exit(moves: Floats, step: int, before: int) -> int:
    """Activity that most go to who leave a step for another one; -1 if no single one takes half of them."""
    onward = moves[step, :-2].copy()
    onward[[step, before]] = 0.0
    most = int(np.argmax(onward))
    return most if onward[most] >= MAIN_SHARE * max(onward.sum(), 1.0) else -1
