"""One fix as an operation on the chains of any draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.errors import OptionError, shown
from journeymine.fixes.what_if import operators
from journeymine.fixes.what_if.waits import WaitModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.counts.waits import WaitCounts
    from journeymine.fixes.candidates import Candidate
    from journeymine.fixes.what_if.cell_model import CellModel
    from journeymine.fixes.what_if.row_change import RowChange
    from journeymine.fixes.what_if.scope import Scope

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


class Operation:
    """What a fix does to the chains of all parts, for any reweighting of the units.

    Parameters
    ----------
    candidate
        The fix.
    scope
        The visits it is about.
    counts
        The chain whose rows change, with attempts where they were counted.
    chain
        The same journeys without attempts; its states are the activities.
    model
        The cells and parts of the chains.
    waits
        Waits after each activity, for fixes that shorten one.

    Raises
    ------
    OptionError
        A loop is to be stopped that no state remembers.
    """

    def __init__(
        self,
        candidate: Candidate,
        scope: Scope,
        counts: ChainCounts,
        chain: ChainCounts,
        model: CellModel,
        waits: WaitCounts | None,
    ) -> None:
        self.fix, self.scope, self.model = candidate.fix, scope, model
        self.base = np.arange(counts.n_states) if counts.base is None else counts.base
        self.attempt = np.ones(counts.n_states, np.int64) if counts.attempt is None else counts.attempt
        self.rows = np.flatnonzero(self.base == candidate.state)
        self.target = self._states_of(chain, self.fix.target)
        self.to = self._states_of(chain, self.fix.to)
        into = np.isin(counts.target, self.rows)
        self.entering = np.unique(counts.source[into])
        self.shape = 1.0
        self.waits: WaitModel | None = None
        if self.fix.kind == "wait":
            self.waits = self._wait_model(waits, int(chain.activity[candidate.state]))
        if self.fix.kind == "loop":
            self._check_loop()

    def _states_of(self, chain: ChainCounts, name: str | None) -> Ints | None:
        return None if name is None else np.flatnonzero(self.base == chain.states.index(name))

    @property
    def silent(self) -> bool:
        """Whether the fix shortens a wait that people leave without a trace."""
        return self.waits is not None and self.waits.silent

    def _wait_model(self, waits: WaitCounts | None, activity: int) -> WaitModel:
        if waits is None:
            raise OptionError(
                f"fix {shown(self.fix.id)} shortens a wait, but the log has no times.",
                hint="read the log with a timestamp, or leave the fix out.",
            )
        return WaitModel(waits.of(activity), self.model.cell_of, self.model.n_cells)

    def _check_loop(self) -> None:
        own = self.target is None or np.array_equal(self.target, self.rows)
        loop = self.rows if self.target is None else np.concatenate([self.rows, self.target])
        remembered = bool((self.attempt[loop] > 1).any())
        if (own or self.fix.to_reference) and not remembered:
            raise OptionError(
                f"fix {shown(self.fix.id)} is about a loop that too few journeys repeat to tell attempts apart.",
                hint="without attempts, stopping a repeat changes nothing by construction; leave this fix out, or name "
                "the activity that the loop runs through as target.",
            )

    def change(self, weights: Floats, moves: Floats, start: Floats, rho: float) -> RowChange:
        """Change of the rows of every part, shape (draws, parts, r, k + 2).

        Parameters
        ----------
        moves, start
            Chains as `CellModel.chains` gives them.
        rho
            Rescue factor: the share of those spared the friction who then behave like those who passed it. For loops,
            waits and re-routes it is the share of the change that comes about.
        """
        kind, every = self.fix.kind, (*moves.shape[:-2], len(self.rows))
        if kind in ("drop_off", "channel_switch", "incident"):
            saved = np.broadcast_to(rho * self.scope.saved(weights)[..., None], every)
            return operators.drop_saved(moves, self.rows, saved)
        change = self._change_everywhere(weights, moves, start, rho)
        return change if self.scope.whole else change.scaled(self.scope.part_of_visits(weights))

    def _change_everywhere(self, weights: Floats, moves: Floats, start: Floats, rho: float) -> RowChange:
        kind, rows, share = self.fix.kind, self.rows, self.fix.fraction
        if kind == "remove_step":
            return operators.remove_step(moves, start, rows, self.entering, share, rho)
        if kind == "wait":
            assert self.waits is not None
            shorter = self.waits.ratio(weights, 1 - share, shape=self.shape)[:, self.model.part_cell]
            ratio = 1 + rho * (shorter - 1)
            return operators.passes_more(moves, rows, np.repeat(ratio[..., None], len(rows), axis=-1))
        if kind == "reroute":
            assert self.to is not None
            source = self._sent_elsewhere(moves.shape[-2])
            part = np.full((*moves.shape[:-2], len(rows)), rho * share)
            return operators.reroute(moves, rows, source, self.to, part, self.attempt)
        if self.fix.to_reference:
            activities = np.unique(
                self.base[rows if self.target is None else np.concatenate([rows, self.target])]
            )
            return operators.as_first_attempt(moves, self.base, self.attempt, activities, rho)
        return operators.stop_loop(moves, rows, rows if self.target is None else self.target, rho * share)

    def _sent_elsewhere(self, n_states: int) -> Ints:
        """Columns that lose to a re-route: the target, or every other activity."""
        assert self.to is not None
        if self.target is not None:
            return self.target
        return np.setdiff1d(np.arange(n_states), self.to)

    def more_time(self, change: RowChange, moves: Floats, wait: Floats) -> Floats:
        """Change of the expected time of a visit to each changed row, shape (draws, parts, r).

        Parameters
        ----------
        wait
            Mean wait of those who go on, by state, shape (draws, parts, k).
        """
        own = wait[..., change.rows]
        # Dropping out takes no time: who is kept waits as the others do.
        longer = -change.change[..., -1] * own
        if self.fix.kind == "wait":
            passing = 1 - moves[..., change.rows, -1] - change.change[..., -1]
            longer = longer - self.fix.fraction * own * passing
        return np.asarray(longer)
