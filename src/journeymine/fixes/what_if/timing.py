"""The clock of a list of fixes, where the outcome is conversion within a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from journeymine.fixes.what_if.clock import clock_of
from journeymine.fixes.what_if.horizon import TimedChange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.fixes.what_if.clock import Clock
    from journeymine.fixes.what_if.operation import Operation
    from journeymine.fixes.what_if.row_change import RowChange
    from journeymine.markov.timing.semi_kernel import Kernel

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Timing:
    """Waits of the moves between activities, as one horizon needs them.

    Attributes
    ----------
    kernel
        Waits and moves of the activities.
    clock
        Of the states of the chain that what-ifs are made on.
    base
        Activity of each state; None where states are activities.
    """

    kernel: Kernel
    clock: Clock
    base: Ints | None = None

    def of_states(self, counts: ChainCounts) -> Timing:
        """The same for a chain whose states carry attempts: each waits as its activity does."""
        if counts.base is None:
            return self
        return replace(self, clock=self.clock.of_attempts(counts.base), base=counts.base)

    def change(self, operation: Operation, change: RowChange, weights: Floats) -> TimedChange:
        """A change of rows with what it does to their waits: only fixes of waits shorten any."""
        if operation.fix.kind != "wait":
            return TimedChange(change)
        kappa = 1 - operation.fix.fraction
        phi = self.clock.scaled(self.kernel, change.rows, kappa, self.base)
        if operation.scope.whole:
            return TimedChange(change, phi)
        part = operation.scope.part_of_visits(weights)[..., None]
        return TimedChange(change, phi, np.repeat(part, len(change.rows), axis=-1))

    def joint(self, operations: Sequence[Operation], change: RowChange, weights: Floats) -> TimedChange:
        """A change that several fixes make together, with what those of waits do to the waits of their rows."""
        waits = [operation for operation in operations if operation.fix.kind == "wait"]
        if not waits:
            return TimedChange(change)
        phi = self.clock.phi[:, change.rows].copy()
        part = np.ones((len(weights), waits[0].model.n_parts, len(change.rows)))
        for operation in waits:
            at = np.searchsorted(change.rows, operation.rows)
            phi[:, at] = self.clock.scaled(self.kernel, operation.rows, 1 - operation.fix.fraction, self.base)
            if not operation.scope.whole:
                part[..., at] = operation.scope.part_of_visits(weights)[..., None]
        return TimedChange(change, phi, part)


def timing_of(kernel: Kernel, horizon_us: int) -> Timing:
    """The clock of the activities for one horizon."""
    return Timing(kernel, clock_of(kernel, horizon_us))
