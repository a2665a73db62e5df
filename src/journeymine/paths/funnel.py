"""Funnels: how many journeys get to each step, with open journeys neither counted as lost nor left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.funnel import FunnelCounts
    from journeymine.uncertainty import Estimates

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]


def nobody(_step: int, _outcome: str) -> pd.DataFrame:
    """No journeys: for a funnel that was not counted in an engine."""
    import pandas as pd

    return pd.DataFrame({"case_id": [], "customer_id": []})


@dataclass(frozen=True, slots=True, eq=False)
class Funnel:
    """How far journeys get.

    The unit is the journey. In a closed funnel, journeys enter with the first occurrence of the first step, and each
    step is its first occurrence after that of the step before; in an open funnel every journey enters, and each step
    counts the journeys in which it occurs, whatever came before. With a window, only what happens until then counts.

    `n`, `n_skipped`, `n_lost` and `n_open` are plain counts. `reached`, `from_previous` and `loss` are estimates for
    all journeys that enter, those that are still open included: Aalen and Johansen's cumulative incidence, in which
    ending the journey competes with getting there. A journey is known to have ended once it was silent for `idle`, or
    at its `end` activity. Where every journey has ended, the estimates are the plain shares.

    Attributes
    ----------
    counts
        The counts behind it.
    n
        Journeys that reached each step, shape (k,).
    n_skipped
        Closed funnels: of these, journeys that went on another way: they skipped the next step but got to a later
        one, or had been at the last step before.
    n_lost
        Of the journeys at a step, those known not to go on, neither to the next step nor another way (closed); of all
        journeys, those known not to reach it (open).
    n_open
        Likewise, those of which it is not known yet.
    entered
        Share of all journeys that enter.
    reached
        Share of the journeys that enter.
    from_previous
        Closed funnels: share of those at the step before; nan for the first step.
    loss
        Closed funnels: share of those at a step that do not go on, neither to the next step nor another way; nan for
        the last step.
    wait_s
        Median time in seconds from the step before (closed) or the beginning (open), of those who get there; None in
        a log without times.
    undecided
        Share of which nothing is known even at the end of the window, or of what was seen; large values mean that
        `reached` may still grow. Shape (k,).
    largest
        Place of the step after which most journeys are lost; None if none is.
    is_clear
        Whether that step is beyond chance the one that loses most.
    """

    counts: FunnelCounts
    n: Ints
    n_skipped: Ints
    n_lost: Ints
    n_open: Ints
    entered: Estimates
    reached: Estimates
    from_previous: Estimates
    loss: Estimates
    wait_s: Estimates | None
    undecided: Floats
    largest: int | None
    is_clear: bool
    _list: Callable[[int, str], pd.DataFrame] = field(repr=False, default=nobody)

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each step."""
        return tuple(" / ".join(step) for step in self.counts.steps)

    def journeys(self, step: int, outcome: str = "reached") -> pd.DataFrame:
        """The journeys behind a number: case_id, customer_id, sorted by case.

        Parameters
        ----------
        step
            Number of the step, from 1.
        outcome
            "reached", "on" (to the next step), "skipped" (on, another way), "lost" or "open".
        """
        return self._list(step, outcome)

    def to_frame(self) -> pd.DataFrame:
        """One row a step: the counts, then the estimates with lower and upper bounds."""
        import pandas as pd

        columns: dict[str, object] = {
            "step": self.names,
            "n": self.n,
            "n_skipped": self.n_skipped,
            "n_lost": self.n_lost,
            "n_open": self.n_open,
            "estimate": self.reached.estimate,
            "lower": self.reached.lower,
            "upper": self.reached.upper,
        }
        for name, values in (
            ("from_previous", self.from_previous),
            ("loss", self.loss),
            ("wait_s", self.wait_s),
        ):
            if values is not None:
                columns |= {
                    name: values.estimate,
                    f"{name}_lower": values.lower,
                    f"{name}_upper": values.upper,
                }
        return pd.DataFrame(columns)

    def __repr__(self) -> str:
        kind = "closed" if self.counts.closed else "open"
        head = f"Funnel ({kind}): {self.counts.n_entered:,} of {int(self.counts.unit_journeys.sum()):,} journeys enter"
        shown = list(range(len(self.n)))
        if len(shown) > 9:
            shown = [*shown[:8], shown[-1]]
        lines = [
            f"  {self.names[i][:50]}  {int(self.n[i]):,}  {self.reached.estimate[i]:.1%} "
            f"({self.reached.lower[i]:.1%} to {self.reached.upper[i]:.1%})"
            f"  lost {int(self.n_lost[i]):,}, open {int(self.n_open[i]):,}"
            for i in shown
        ]
        return "\n".join([head, *lines, 'Next: .to_frame(), .journeys(1, "lost")'])
