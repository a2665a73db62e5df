"""Who was hit by an incident: everybody, or one value of a segment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import special

from journeymine.fixes.candidates.cells import OTHER
from journeymine.fixes.candidates.excess import excess_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.chain import DropCounts
    from journeymine.fixes.candidates.cells import CellValues
    from journeymine.fixes.candidates.excess import Excess

    Bools = NDArray[np.bool_]

LEVEL: Final = 0.01
"""Error rate over all columns: only incidents that were found come here."""


def only_value(here: DropCounts, values: CellValues, inside: Bools, outside: Bools) -> tuple[int, int] | None:
    """Column and number of the one segment value that an incident was confined to.

    In each column the excess of the period over the rest of the time is compared between values (Cochran's Q over
    the values, errors over customers). One value has it alone if the values differ, its own excess is above zero, and
    that of all others together is not.

    Parameters
    ----------
    here
        Visits of one activity.
    inside, outside
        Entries of `here` in the period, and in the rest of the time.

    Returns
    -------
    None where all were hit, or several values, or too little is known.
    """
    found = []
    for column, names in enumerate(values.names):
        value = values.value[here.cell, column]
        by_value = {v: excess_in(here, values, inside, outside, value == v) for v in range(len(names))}
        known = {v: excess for v, excess in by_value.items() if excess is not None}
        p_value = _differ(list(known.values())) * len(values.names)
        if len(known) < 2 or p_value > LEVEL:
            continue
        worst = max(known, key=lambda v: known[v].value)
        others = excess_in(here, values, inside, outside, value != worst)
        if names[worst] != OTHER and others is not None and is_above(known[worst]) and not is_above(others):
            found.append((p_value, column, worst))
    return min(found)[1:] if found else None


def excess_in(
    here: DropCounts, values: CellValues, inside: Bools, outside: Bools, keep: Bools
) -> Excess | None:
    """Excess of a period over the rest of the time, for some of the visits; None if too little is known."""
    keep = keep & (inside | outside) & (here.n > 0)
    stratum = values.stratum()[here.cell[keep]]
    n, drops = here.n[keep].astype(float), here.drops[keep].astype(float)
    return excess_of(here.unit[keep], stratum, inside[keep], n, drops)


def _differ(excesses: list[Excess]) -> float:
    """P value of all excesses being the same."""
    value, error = (np.array([getattr(e, name) for e in excesses]) for name in ("value", "error"))
    if len(value) < 2:
        return 1.0
    middle = (value / error**2).sum() / (1 / error**2).sum()
    return float(special.chdtrc(len(value) - 1, (((value - middle) / error) ** 2).sum()))


def is_above(excess: Excess) -> bool:
    """Whether an excess is above zero beyond chance."""
    return bool(special.ndtr(-excess.value / excess.error) < LEVEL / 2)


def utc(time_us: int) -> str:
    """ISO 8601 in UTC.

    Examples
    --------
    >>> utc(1_767_225_600_000_000)
    '2026-01-01T00:00:00Z'
    """
    import datetime as dt

    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=time_us)
    whole = "microseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=whole).replace("+00:00", "Z")
