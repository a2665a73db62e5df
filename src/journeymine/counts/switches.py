"""Counts of visits by their channel and the channel of the visit before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class SwitchCounts:
    """Visits and drops by unit, cell, activity and channels; entries that occur, shape (m,).

    The first visit of a journey has no visit before it and is not in here.

    Attributes
    ----------
    channels
        Names of the channels; of many, the rarest share the last one.
    unit, cell, state
        Unit, cell of the segments, and state of the chain of first order.
    before, own
        Number of the channel of the visit before, and of the visit's own.
    n_all, n, drops
        Visits; watched visits; those after which the journey was dropped.
    n_units
        Units that are resampled.
    """

    channels: tuple[str, ...]
    unit: Ints
    cell: Ints
    state: Ints
    before: Ints
    own: Ints
    n_all: Ints
    n: Ints
    drops: Ints
    n_units: int

    def of_state(self, state: int) -> SwitchCounts:
        """The entries of one state."""
        here = self.state == state
        return SwitchCounts(
            self.channels,
            self.unit[here],
            self.cell[here],
            self.state[here],
            self.before[here],
            self.own[here],
            self.n_all[here],
            self.n[here],
            self.drops[here],
            self.n_units,
        )
