"""`ResultData`: what was counted in a test."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ResultData:
    """What was counted in a test.

    Attributes
    ----------
    n, conversions
        Customers and those who converted by week and arm, shape (n_weeks, 2): control, treatment; one row where
        weeks are not told apart.
    weeks
        Names of the weeks in order; empty where they are not told apart.
    arm, converted, before, week
        One entry a customer, arm 1 is treatment, week counted from 0; None where the file has totals (`before`: or no
        such column).
    date
        Date that the file gives, if any.
    """

    n: Ints
    conversions: Ints
    weeks: tuple[str, ...] = ()
    arm: Ints | None = None
    converted: Floats | None = None
    before: Floats | None = None
    week: Ints | None = None
    date: str | None = None

    def up_to(self, place: int) -> ResultData:
        """What was counted up to the end of a week, from 0."""
        if place == len(self.n) - 1:
            return self
        end = place + 1
        totals = ResultData(self.n[:end], self.conversions[:end], self.weeks[:end], date=self.date)
        if self.week is None or self.arm is None or self.converted is None:
            return totals
        here = self.week <= place
        before = None if self.before is None else self.before[here]
        return replace(
            totals, arm=self.arm[here], converted=self.converted[here], before=before, week=self.week[here]
        )
