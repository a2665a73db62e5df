"""Loops that wear customers out: activities whose later attempts end worse than the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.chain import DROP, ChainCounts
from journeymine.fixes.candidates.candidate import Candidate
from journeymine.fixes.candidates.excess import excess_of
from journeymine.fixes.candidates.questions import Question, one_sided
from journeymine.fixes.candidates.scopes import kept, plain
from journeymine.fixes.fix import Fix
from journeymine.paths.row_tests import GroupedDrops, row_test

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.fixes.candidates.candidate import Block, ScopedDrops
    from journeymine.fixes.candidates.cells import CellValues
    from journeymine.fixes.candidates.excess import Excess

    Ints = NDArray[np.int64]


class Loop:
    """Attempts at one activity.

    Parameters
    ----------
    state, names
        State of the chain of first order, and the names of its states.
    attempts
        Chain whose states carry attempts (`base` and `attempt` are given).
    values
        Values of the segment columns: attempts are compared inside their crossing.

    Notes
    -----
    Only watched visits are known by attempt. Customers who try again are not the same as those who try once, and what
    segments do not show of that stays in the difference: an association.
    """

    def __init__(self, state: int, names: tuple[str, ...], attempts: ChainCounts, values: CellValues) -> None:
        assert attempts.base is not None
        assert attempts.attempt is not None
        self.state, self.names, self.attempts = state, names, attempts
        here = attempts.base[attempts.source] == state
        drops = np.where(attempts.target[here] == DROP, attempts.n[here], 0)
        cell = attempts.cell[here]
        self.everywhere: ScopedDrops = plain(
            attempts.unit[here], cell, values.stratum()[cell], attempts.n[here], drops
        )
        self.later = attempts.attempt[attempts.source[here]] > 1

    def question(self) -> Question | None:
        """Whether later attempts end worse than the first; None if there are too few."""
        all_ = self.everywhere
        data = GroupedDrops(
            all_.unit, all_.stratum, self.later.astype(np.int64), all_.n, all_.drops, self.attempts.n_units
        )
        test, gap = row_test(data, 2), self.excesses()
        if test is None or not gap:
            return None
        return Question(
            state=self.state,
            about="attempt",
            target=self.through(),
            test=one_sided(test, gap[0].value > 0),
            proposals=self.candidates,
            excesses=lambda: gap,
        )

    def candidates(self) -> list[Candidate]:
        """The later attempts, to be brought to the first."""
        fix = Fix(kind="loop", activity=self.names[self.state], target=self.through())
        return [self.candidate(fix, "found")]

    def excesses(self) -> list[Excess]:
        """Drop-out of later attempts less that of the first."""
        all_ = self.everywhere
        found = excess_of(all_.unit, all_.stratum, self.later, all_.n, all_.drops)
        return [] if found is None else [found]

    def candidate(self, fix: Fix, block: Block) -> Candidate:
        """The later attempts compared with the first."""
        return Candidate(
            self.state,
            "attempt",
            self.everywhere,
            kept(self.everywhere, self.later),
            kept(self.everywhere, ~self.later),
            fix=fix,
            block=block,
        )

    def through(self) -> str | None:
        """Activity that lies between two attempts most often; None where the activity follows itself."""
        attempts = self.attempts
        assert attempts.base is not None
        assert attempts.attempt is not None
        inside = attempts.target >= 0
        source, n = attempts.base[attempts.source[inside]], attempts.n[inside]
        target = attempts.target[inside]
        back = (attempts.base[target] == self.state) & (attempts.attempt[target] > 1)
        returns = np.bincount(source[back], weights=n[back], minlength=len(self.names))
        away = np.bincount(
            attempts.base[target][source == self.state],
            weights=n[source == self.state],
            minlength=len(self.names),
        )
        # What leads back must also come right after: else the loop has more than two activities.
        most = int(np.argmax(np.minimum(returns, away)))
        return None if most == self.state or not min(returns[most], away[most]) else self.names[most]


def loop_questions(names: tuple[str, ...], attempts: ChainCounts, values: CellValues) -> list[Question]:
    """One question for every activity that has later attempts."""
    asked = [Loop(state, names, attempts, values).question() for state in range(len(names))]
    return [question for question in asked if question is not None]
