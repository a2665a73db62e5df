"""Does a long wait do harm beyond those who leave during it? Every wait is a trial of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.paths.risk_difference import risk_difference
from journeymine.paths.row_tests import GroupedDrops

if TYPE_CHECKING:
    from journeymine.counts.waits import TrialCounts
    from journeymine.uncertainty import Estimates

FLAG_LEVEL = 0.99
"""The flag "carry_over" is raised where the interval of this level leaves out zero."""


@dataclass(frozen=True, slots=True, eq=False)
class CarryOver:
    """How much less, or more, those convert who waited long, among those who waited it out.

    Attributes
    ----------
    difference
        Share that converts after a long wait less that after a short one, 95 % interval; `n` long waits compared.
    flagged
        Whether the 99 % interval leaves out zero: "carry_over".
    """

    difference: Estimates
    flagged: bool


def carry_over(trials: TrialCounts, activity: int) -> CarryOver | None:
    """Conversion after long waits against short ones, standardised over what was known when the waits began.

    Sequential trials (Hernan, Brumback and Robins 2000; Gran et al. 2010, Statistics in Medicine 29): every entry
    into the waiting state begins a trial, with the covariates of that moment (cell of the segments, attempt, visits
    before); a journey may enter several. Waits above the median of their cell are compared with the others inside
    strata of these, and the strata are weighted as by Mantel and Haenszel. Units are customers, so the trials of one
    customer are no independent evidence.

    The question answered is this: *given* that they went on, do those who waited long convert less often from there?
    The what-if of a shorter wait assumes that they do not: it counts who is kept, and lets them behave like those
    who went on. A difference below zero says that a shorter wait is worth more than predicted; one above zero that it
    is worth less, or that the impatient had left (who outlasts a long wait is more determined). Whether somebody
    leaves during the wait is another question, answered in `what_if/patience.py`: there is no grace period, so no
    cloning and censoring of strategies is needed.

    Returns
    -------
    None where no stratum has both long and short waits.

    Examples
    --------
    Of a hundred customers who waited long 30 convert, of a hundred others 50:

    >>> from journeymine.counts.waits import TrialCounts
    >>> ids, zero = np.arange(200), np.zeros(200, int)
    >>> won = np.r_[np.arange(100) < 30, np.arange(100) < 50].astype(int)
    >>> trials = TrialCounts(ids, zero, zero, zero + 1, zero, ids < 100, zero + 1, won, 200)
    >>> found = carry_over(trials, 0)
    >>> {name: round(value, 3) for name, value in found.difference.at().items()}, found.flagged
    ({'estimate': -0.2, 'lower': -0.334, 'upper': -0.066, 'n': 100}, True)
    """
    here = trials.activity == activity
    baseline = np.stack([trials.cell[here], trials.attempt[here], trials.before[here]])
    stratum = np.unique(baseline, axis=1, return_inverse=True)[1].ravel()
    data = GroupedDrops(
        trials.unit[here],
        stratum,
        trials.long[here].astype(np.int64),
        trials.n[here].astype(float),
        trials.n_converted[here].astype(float),
        trials.n_units,
    )
    found, wide = risk_difference(data), risk_difference(data, level=FLAG_LEVEL)
    if found is None or wide is None:
        return None
    return CarryOver(found, bool(wide.lower > 0 or wide.upper < 0))
