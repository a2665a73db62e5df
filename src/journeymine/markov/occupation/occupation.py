"""State-occupation curves: the share of subjects in each state at given times, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.errors import OptionError, listed, shown
from journeymine.uncertainty import LEVEL, Estimates, effective_size, few_units, wilson_of_share

if TYPE_CHECKING:
    from collections.abc import Hashable

    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ROUNDING = 1e-9
"""Products of many factors carry rounding: a share this close to 0 or 1 is 0 or 1."""
SHOWN_STATES = 4


@dataclass(frozen=True, slots=True, eq=False)
class StateOccupation:
    """Shares of the states at given times; `state_occupation` and `log.occupation` make one.

    Attributes
    ----------
    times
        Sorted, shape (T,); in the unit of the frame, or in seconds since the start of the journey.
    states
        Names, shape (K,).
    share
        Estimates, shape (T, K); each row sums to 1. nan after the last time at which anybody was observed, unless
        nobody is left who could move. `n`: subjects whose state at that time is known.
    n_subjects
        Ids, or journeys.
    time_name
        Name of the time column: "time", or "time_s".
    notes
        What weakens the result, in words.
    """

    times: Floats
    states: tuple[Hashable, ...]
    share: Estimates
    n_subjects: int
    time_name: str = "time"
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row per time and state: time, state, estimate, lower, upper, n."""
        return self._frame(np.arange(len(self.times)))

    def at(self, time: float) -> pd.DataFrame:
        """The rows of one of the times that were asked for."""
        place = np.flatnonzero(np.isclose(self.times, time, rtol=1e-12, atol=0.0))
        if not len(place):
            raise OptionError(
                f"{self.time_name} is {shown(time)}, which was not computed.",
                found=f"{listed(f'{value:g}' for value in self.times)}.",
                hint="ask for it in times=[...].",
            )
        return self._frame(place).reset_index(drop=True)

    def _frame(self, rows: NDArray[np.integer]) -> pd.DataFrame:
        import pandas as pd

        n_states = len(self.states)
        state = pd.Series([*self.states] * len(rows))
        columns: dict[str, Any] = {self.time_name: np.repeat(self.times[rows], n_states), "state": state}
        for name in ("estimate", "lower", "upper", "n"):
            columns[name] = getattr(self.share, name)[rows].ravel()
        return pd.DataFrame(columns)

    def __repr__(self) -> str:
        last = len(self.times) - 1
        rows = sorted(
            range(len(self.states)), key=lambda i: (-np.nan_to_num(self.share.estimate[last, i]), i)
        )
        lines = [
            f"  {shown(self.states[i])}: {self.share.estimate[last, i]:.4f} "
            f"(95 % interval {self.share.lower[last, i]:.4f} to {self.share.upper[last, i]:.4f})"
            for i in rows[:SHOWN_STATES]
        ]
        more = len(rows) - len(lines)
        return "\n".join(
            [
                f"StateOccupation of {len(self.states)} states at {len(self.times)} times, n = {self.n_subjects:,}",
                f"at {self.time_name} {self.times[last]:g}{f', {more} smaller states left out' if more > 0 else ''}:",
                *lines,
                *(f"Note: {note}" for note in self.notes[:3]),
                "Next: .to_frame(), .at(time)",
            ]
        )


def occupation_interval(
    share: Floats, variance: Floats, size: float, n_units: int, known: Floats, *, level: float = LEVEL
) -> tuple[Floats, Floats]:
    """Wilson's interval at the effective size of each share (see `uncertainty.share_from_draws`).

    Parameters
    ----------
    share, variance
        Shape (T, K); the variance is the sum over units of squared influences, or that of bootstrap draws.
    size
        Subjects: no share is worth more independent rows.
    n_units
        Units behind the variance.
    known
        What shares of 0 and 1 are worth, of which no variance can be seen; shape (T, 1).
    """
    n = np.full(share.shape, float(size))
    effective = effective_size(share, variance * n_units / max(n_units - 1, 1), n)
    effective = few_units(effective, n, np.full(share.shape, float(n_units)), level=level)
    with np.errstate(invalid="ignore"):
        sure = (np.minimum(share, 1 - share) < ROUNDING) | (variance <= 0)
    effective = np.where(sure, np.broadcast_to(known, share.shape), effective)
    lower, upper = wilson_of_share(share, effective, level=level)
    # Where nobody was followed nothing is known.
    nothing = np.isfinite(share) & ~np.isfinite(lower)
    return np.where(nothing, 0.0, lower), np.where(nothing, 1.0, upper)
