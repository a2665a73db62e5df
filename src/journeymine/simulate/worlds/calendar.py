"""The calendar of a world: the dates of its phases, and which of them lie in a period."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from journeymine._checks import time_us
from journeymine.errors import OptionError, listed, shown
from journeymine.simulate.worlds.plan import START

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.fixes.fix import Fix
    from journeymine.simulate.worlds.plan import Plan


def dates(plan: Plan, phase: int) -> tuple[str, str]:
    """First day of a phase, and the first day of the next one."""
    begin = dt.date.fromisoformat(START)
    later = [following.first for following in plan.phases[phase + 1 : phase + 2]]
    days = plan.phases[phase].first, *(later or [plan.phases[phase].stop])
    first, stop = ((begin + dt.timedelta(days=day)).isoformat() for day in days)
    return first, stop


def phases_in(plan: Plan, fix: Fix) -> Sequence[int]:
    """Phases that lie in the period of a fix; all where it has none.

    Raises
    ------
    OptionError
        No phase lies in it, or all do: there is nothing to compare with.
    """
    every = range(len(plan.phases))
    if fix.period_us is None:
        return every
    begin, end = fix.period_us
    spans = [dates(plan, i) for i in every]
    inside = [i for i, (first, stop) in enumerate(spans) if begin <= time_us(first) and time_us(stop) <= end]
    if not inside or len(inside) == len(spans):
        raise OptionError(
            f"period is {shown(fix.period)}: no part of the calendar of this world lies in it.",
            found=f"parts {listed(' to '.join(span) for span in spans)}.",
        )
    return inside
