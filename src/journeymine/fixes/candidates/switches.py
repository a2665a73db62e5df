"""Ruptures between channels: activities that lose more customers who come to them by another channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from journeymine.fixes.candidates.candidate import Candidate
from journeymine.fixes.candidates.excess import excess_of, group_excesses
from journeymine.fixes.candidates.questions import Question
from journeymine.fixes.candidates.scopes import all_of, grouped, scoped
from journeymine.fixes.fix import Fix
from journeymine.paths.references import LEVEL, groups_like_the_best
from journeymine.paths.row_tests import comparable_groups, row_test

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.counts.chain import DropCounts
    from journeymine.counts.switches import SwitchCounts
    from journeymine.fixes.candidates.candidate import Block, ScopedDrops
    from journeymine.fixes.candidates.cells import CellValues

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

STAYED: Final = 0
"""Group of the visits on the same channel as the visit before; the channels follow, for those who switched."""


class Switch:
    """Visits to one activity by the channel that customers came from.

    Visits are compared inside the crossing of the segments and of the activity's own channel. Where enough of them
    had no switch, those are the reference; where all are switches, as at a call centre that is a channel of its own,
    it is the pool of channels that cannot be told from the best one.

    Parameters
    ----------
    state, name
        Index and name of the state.
    here
        Its visits that had a visit before.
    drops
        All its visits.
    values
        Values of the segment columns.
    """

    def __init__(
        self, state: int, name: str, here: SwitchCounts, drops: DropCounts, values: CellValues
    ) -> None:
        self.state, self.name, self.here, self.drops = state, name, here, drops
        self.n_groups = len(here.channels) + 1
        stratum = values.stratum()[here.cell] * len(here.channels) + here.own
        group = np.where(here.before == here.own, STAYED, here.before + 1)
        self.data = grouped(here, stratum, group)

    def question(self) -> Question | None:
        """Whether drop-out goes with the channel before; None if fewer than two groups can be compared."""
        test = row_test(self.data, self.n_groups)
        if test is None:
            return None
        return Question(
            state=self.state,
            about="channel",
            test=test,
            proposals=self.candidates,
            excesses=lambda: group_excesses(self.data, comparable_groups(self.data, self.n_groups)),
        )

    def candidates(self) -> list[Candidate]:
        """One fix: those who came from the worse channels; none if only those who stayed are worse."""
        reference, worse = self.groups()
        if not reference.any() or not worse.any():
            return []
        inside = worse[self.data.group]
        label = f"{self._names(self.here.before[inside])} → {self._names(self.here.own[inside])}"
        fix = Fix(kind="channel_switch", activity=self.name, label=label)
        return [self.candidate(fix, worse, reference, "found")]

    def groups(self) -> tuple[Bools, Bools]:
        """Groups that are the reference, and switches that are worse, both of shape (n_groups,)."""
        usable = comparable_groups(self.data, self.n_groups)
        if not usable[STAYED]:
            reference, worse = groups_like_the_best(self.data, self.n_groups)
        else:
            reference = np.arange(self.n_groups) == STAYED
            worse = np.array([usable[g] and self._is_worse(g) for g in range(self.n_groups)])
        worse[STAYED] = False
        return reference, worse

    def _is_worse(self, group: int) -> bool:
        """Whether those who came from a channel leave more than those who stayed."""
        if group == STAYED:
            return False
        data = self.data.only((self.data.group == STAYED) | (self.data.group == group))
        test = row_test(data, self.n_groups)
        gap = excess_of(data.unit, data.stratum, data.group == group, data.n, data.drops)
        return test is not None and test.p_value < LEVEL and gap is not None and gap.value > 0

    def candidate(self, fix: Fix, scope: Bools, reference: Bools | None, block: Block) -> Candidate:
        """Groups of switches compared with others."""
        group, stratum = self.data.group, self.data.stratum
        compared = None if reference is None else scoped(self.here, stratum, reference[group])
        return Candidate(
            self.state,
            "assumed" if reference is None else "channel",
            self._everywhere(),
            scoped(self.here, stratum, scope[group]),
            compared,
            fix=fix,
            block=block,
        )

    def _everywhere(self) -> ScopedDrops:
        return all_of(self.drops)

    def _names(self, channel: Ints) -> str:
        return ", ".join(self.here.channels[c] for c in np.unique(channel))


def switch_questions(
    names: Sequence[str], switches: SwitchCounts, drops: DropCounts, values: CellValues
) -> list[Question]:
    """One question for every activity that is met after several channels."""
    asked = [
        Switch(state, name, switches.of_state(state), drops.of_state(state), values).question()
        for state, name in enumerate(names)
    ]
    return [question for question in asked if question is not None]
