"""The users' own fixes, looked up in the counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from journeymine.errors import NotEnoughDataError, OptionError, listed, shown, suggestion, unknown_name
from journeymine.fixes.candidates.candidate import Candidate
from journeymine.fixes.candidates.cells import cell_values
from journeymine.fixes.candidates.given import as_fixes
from journeymine.fixes.candidates.incidents import utc
from journeymine.fixes.candidates.loops import Loop
from journeymine.fixes.candidates.reroutes import check_reroute, measured_reroute
from journeymine.fixes.candidates.rows import Row
from journeymine.fixes.candidates.scopes import all_of, cells_of, grouped, kept, scoped
from journeymine.fixes.candidates.switches import STAYED, Switch
from journeymine.paths.references import groups_like_the_best
from journeymine.paths.row_tests import comparable_groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from journeymine.counts.chain import DropCounts
    from journeymine.fixes.candidates.candidate import ScopedDrops
    from journeymine.fixes.candidates.evidence import Evidence
    from journeymine.fixes.fix import Fix

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]


def resolve_fixes(
    fixes: Fix | Mapping[str, Any] | Iterable[Fix | Mapping[str, Any]],
    evidence: Evidence,
    found: Sequence[Candidate] = (),
) -> list[Candidate]:
    """The users' own fixes as candidates, with the visits they are about and those they are compared with.

    Without a share, a fix of a segment is compared with the other values that cannot be told from the best of them,
    an incident with the rest of the time, later attempts with the first, and those who switched channel with those
    who stayed, or, where everybody switches, with the channels before that cannot be told from the best one. A re-route
    through a step that others skip is compared with those who took the step (`steps.py`), whatever its share.

    Parameters
    ----------
    fixes
        In the order they are returned; plain values as `Fix.to_dict` gives them will do, and one alone.
    evidence
        The counts of the log.
    found
        What the search found in the same log. A fix that says the same as one of these is about the same visits, and
        its excess is believed as far: asking for it by name does not undo that it was looked for.

    Raises
    ------
    OptionError
        Something is no fix, an activity, segment or value is not in the log, a period lies outside it, a re-route
        sends nobody anywhere, or two fixes share an id.
    NotEnoughDataError
        The log cannot tell: nobody meets the place, nobody comes back, or nothing can be compared.
    """
    seen: set[str] = set()
    given = as_fixes(fixes)
    for fix in given:
        if fix.id in seen:
            hint = 'give each its own id="…".'
            raise OptionError(f"two fixes have the id {shown(fix.id)}.", hint=hint)
        seen.add(fix.id)
    known = {_said(one.fix): one for one in found if one.block == "found" and one.reference is not None}
    return [
        replace(known[_said(fix)], fix=fix, block="user")
        if _said(fix) in known
        else _Place(fix, evidence).candidate()
        for fix in given
    ]


def _said(fix: Fix) -> tuple[object, ...]:
    """What makes two fixes the same whatever they are called, cost and achieve.

    A share takes the place of what is compared, but for skipped steps.
    """
    compared = fix.kind == "reroute" or fix.to_reference
    return (fix.kind, fix.activity, fix.target, fix.to, fix.segment, fix.period_us, compared)


class _Place:
    """Where in the log a fix is."""

    def __init__(self, fix: Fix, evidence: Evidence) -> None:
        self.fix, self.evidence, self.values = fix, evidence, cell_values(evidence.counts)
        self.state = self._state(fix.activity)
        for name in (fix.target, fix.to):
            if name is not None:
                self._state(name)
        self.here = evidence.drops.of_state(self.state)
        self.column, self.value = self._segment()
        self.cells = np.arange(len(evidence.counts.cells))
        if self.column is not None and self.value is not None:
            self.cells = cells_of(evidence.counts, self.column, self.value)
        self.in_period = self._in_period()

    def candidate(self) -> Candidate:
        """The fix with its visits."""
        make = {
            "incident": self._incident,
            "loop": self._loop,
            "channel_switch": self._switch,
            "reroute": self._reroute,
        }
        found = make.get(self.fix.kind, self._elsewhere)()
        if not found.scope.n.sum():
            raise NotEnoughDataError(
                f"{self._named()}: nobody was watched there.", hint="look somewhere larger."
            )
        if found.reference is not None and not found.reference.n.sum():
            self._nothing_to_compare()
        return replace(found, column=self.column, value=self.value, period_us=self.fix.period_us)

    def _elsewhere(self) -> Candidate:
        if self.fix.kind == "wait" and not self.evidence.timed:
            problem = f"{self._named()}: the log has no times, so it is not known how long anything takes."
            raise NotEnoughDataError(problem, hint='pass timestamp="..." when reading the log.')
        if self.fix.kind == "drop_off" and self.fix.to_reference:
            return self._segment_fix()
        inside = np.isin(self.here.cell, self.cells) & self.in_period
        return self._made("assumed", scoped(self.here, np.zeros(len(inside), np.int64), inside), None)

    def _reroute(self) -> Candidate:
        """Read off the journeys that skipped a step and those that took it, or else left to the chain."""
        check_reroute(self.fix, self.state, self.evidence, self.cells)
        return measured_reroute(self.fix, self.state, self.evidence, self.cells) or self._elsewhere()

    def _segment_fix(self) -> Candidate:
        """One value compared with the others that cannot be told from the best of them."""
        assert self.column is not None
        own = np.isin(self.here.cell, self.cells)
        stratum = self.values.stratum(self.column)[self.here.cell] * 2 + self._broken()[self.here.slice]
        data = grouped(self.here, stratum, self.values.value[self.here.cell, self.column])
        others = data.only(~own & self.in_period)
        n_values = len(self.values.names[self.column])
        if not comparable_groups(others, n_values).any():
            self._nothing_to_compare()
        like_best = groups_like_the_best(others, n_values)[0]
        compared = ~own & self.in_period & like_best[data.group]
        scope = scoped(self.here, data.stratum, own & self.in_period)
        return self._made("segment", scope, scoped(self.here, data.stratum, compared))

    def _incident(self) -> Candidate:
        own = np.isin(self.here.cell, self.cells)
        stratum = self.values.stratum()[self.here.cell]
        scope = scoped(self.here, stratum, own & self.in_period)
        if not self.fix.to_reference:
            return self._made("assumed", scope, None)
        found = self._made("period", scope, scoped(self.here, stratum, own & ~self.in_period))
        watched = self.here.slice[self.here.n > 0]
        last = int(self.here.slice[self.in_period].max(initial=-1))
        return replace(found, ongoing=last >= int(watched.max(initial=0)))

    def _loop(self) -> Candidate:
        self._needs_all_the_time()
        attempts = self.evidence.attempts
        if attempts is None:
            raise NotEnoughDataError(f"{self._named()}: attempts were not counted.")
        loop = Loop(self.state, self.evidence.counts.states, attempts, self.values)
        if loop.later.any():
            return self._within(loop.candidate(self.fix, "user"))
        if self.fix.to_reference or self.fix.target in (None, self.fix.activity):
            problem = f"too few journeys come back to {shown(self.fix.activity)} to tell later attempts from the first."
            raise NotEnoughDataError(
                problem, hint="name an activity that journeys repeat, or leave the fix out."
            )
        # The way into the loop can be made rarer even where no later attempt has a state of its own.
        return self._elsewhere()

    def _switch(self) -> Candidate:
        self._needs_all_the_time()
        switches = self.evidence.switches
        if switches is None:
            problem = f"{self._named()}: the log has no channel column."
            raise NotEnoughDataError(problem, hint='pass channel="..." when reading the log.')
        here = switches.of_state(self.state)
        switch = Switch(self.state, self.fix.activity, here, self.here, self.values)
        groups = np.arange(switch.n_groups) != STAYED
        if not (here.before != here.own).any():
            raise NotEnoughDataError(f"nobody comes to {shown(self.fix.activity)} by another channel.")
        reference, worse = switch.groups()
        if not reference.any():
            self._nothing_to_compare()
        # Where those who came from some channels are known to fare better, only the others are in scope.
        scope = worse if worse.any() and not reference[STAYED] else groups
        found = switch.candidate(self.fix, scope, reference if self.fix.to_reference else None, "user")
        return self._within(found)

    def _within(self, found: Candidate) -> Candidate:
        """The same in the segment of the fix, and with nothing compared where a share is given."""
        parts = [
            None if part is None else kept(part, np.isin(part.cell, self.cells))
            for part in (found.scope, found.reference)
        ]
        assert parts[0] is not None
        if not self.fix.to_reference:
            return replace(found, scope=parts[0], reference=None, kind="assumed")
        return replace(found, scope=parts[0], reference=parts[1])

    def _made(self, kind: str, scope: ScopedDrops, reference: ScopedDrops | None) -> Candidate:
        return Candidate(self.state, kind, all_of(self.here), scope, reference, fix=self.fix, block="user")

    def _broken(self) -> Bools:
        """Slices of time in which the activity was broken: values are compared inside them and outside."""
        row = Row(self.state, self.fix.activity, self.here, self.values, self.evidence.columns)
        return row.broken

    def _state(self, name: str) -> int:
        counts = self.evidence.counts
        own = {n: i for i, n in enumerate(counts.states) if counts.activity[i] >= 0}
        if name in own:
            return own[name]
        if name in self.evidence.activities:
            rare = f", or one of the {counts.n_folded} rarest" if counts.n_folded else ""
            raise OptionError(
                f"activity {shown(name)} is never met on the way to the goal: it is the goal, comes after it{rare}.",
                found=listed(own),
                hint="a fix changes what happens before the goal.",
            )
        raise OptionError(
            unknown_name("activity", name),
            found=listed(own),
            hint=suggestion(name, own, "use one of the names above."),
        )

    def _segment(self) -> tuple[int | None, str | None]:
        if not isinstance(self.fix.segment, tuple):
            return None, None
        column, value = self.fix.segment
        columns = self.evidence.columns
        if column not in columns:
            hint = suggestion(column, columns, "name it in segments when journeys are defined.")
            raise OptionError(unknown_name("segment", column), found=listed(columns) or "none", hint=hint)
        at = columns.index(column)
        known = sorted({cell[at] for cell in self.evidence.counts.cells})
        if value not in known:
            where = f"segment {shown(column)}"
            hint = suggestion(value, known, "use one of the values above.")
            raise OptionError(unknown_name("value", value, where=where), found=listed(known), hint=hint)
        return at, value

    def _in_period(self) -> Bools:
        """Entries of the activity in the slices of time that lie in the period by more than half."""
        period, here = self.fix.period_us, self.here
        if period is None:
            return np.ones(len(here.n), bool)
        if here.slice_us is None or here.origin_us is None:
            problem = f"{self._named()} has a period, and the log has no calendar."
            raise NotEnoughDataError(problem, hint="leave the period out, or read the log with its dates.")
        middle = here.origin_us + here.slice * here.slice_us + here.slice_us // 2
        inside = (middle >= period[0]) & (middle < period[1])
        if not inside.any():
            self._outside(here, here.origin_us, here.slice_us)
        return np.asarray(inside)

    def _outside(self, here: DropCounts, origin_us: int, slice_us: int) -> NoReturn:
        last = origin_us + here.n_slices * slice_us
        raise OptionError(
            f"{self._named()}: nobody meets the activity in its period.",
            found=f"a log from {utc(origin_us)} to {utc(last)}, in steps of {slice_us // 3_600_000_000} h",
            hint="times are in UTC; the end of a period is excluded.",
        )

    def _needs_all_the_time(self) -> None:
        if self.fix.period is not None:
            problem = f"{self._named()} has a period, expected none: it is not counted over time."
            raise OptionError(problem, hint='leave the period out, or use kind="incident".')

    def _nothing_to_compare(self) -> NoReturn:
        problem = f"{self._named()}: there are too few visits elsewhere to compare with."
        raise NotEnoughDataError(problem, hint="say what can be achieved: share=0.2.")

    def _named(self) -> str:
        return f"fix {shown(self.fix.id)}"
