"""What a simplified picture still explains: shares of journeys, events, moves and conversions, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.uncertainty import Estimates, share_of_units, unit_matrix

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.simplify import ExplainedCounts
    from journeymine.process.model import ProcessModel
    from journeymine.process.simplify import Simplified

MEASURES = ("journeys", "events", "moves", "conversions")


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """How honest a simplified picture is.

    Attributes
    ----------
    simplified
        The picture.
    share
        Shares that are shown, in the order of `MEASURES`, shape (4,): journeys all of whose activities and moves are
        shown, events, moves, and converted journeys shown whole (nan without a goal). With intervals over customers.
    model
        The model discovered from what is shown; its `fitness`, `precision` and `coverage` are measured on all journeys.
    """

    simplified: Simplified
    share: Estimates
    model: ProcessModel

    @property
    def journeys(self) -> dict[str, float | int] | None:
        """Share of journeys that are shown whole."""
        return self.share.at(0)

    @property
    def events(self) -> dict[str, float | int] | None:
        """Share of events."""
        return self.share.at(1)

    @property
    def moves(self) -> dict[str, float | int] | None:
        """Share of moves."""
        return self.share.at(2)

    @property
    def conversions(self) -> dict[str, float | int] | None:
        """Share of converted journeys that are shown whole; None without a goal or a conversion."""
        return self.share.at(3)

    def to_frame(self) -> pd.DataFrame:
        """One row a measure: measure, estimate, lower, upper, n."""
        import pandas as pd

        return pd.DataFrame(
            {
                "measure": MEASURES,
                "estimate": self.share.estimate,
                "lower": self.share.lower,
                "upper": self.share.upper,
                "n": self.share.n,
            }
        )

    def __repr__(self) -> str:
        simple = self.simplified
        activities = f"{len(simple.codes)} of {simple.rule.n_activities} activities"
        lines = [f"Explained by {activities} and {len(simple.source)} of {simple.rule.n_edges} moves"]
        for place, measure in enumerate(MEASURES):
            found = self.share.at(place)
            if found:
                lines.append(
                    f"  {measure}: {found['estimate']:.1%} "
                    f"({found['lower']:.1%} to {found['upper']:.1%}) of {found['n']:,}"
                )
        return "\n".join([*lines, "Next: .model.fitness"])


def estimate_explained(counts: ExplainedCounts, simplified: Simplified, model: ProcessModel) -> Explained:
    """Shares with customer-level intervals."""
    nothing = np.zeros_like(counts.cases)
    converted = nothing if counts.converted is None else counts.converted
    converted_shown = nothing if counts.converted_shown is None else counts.converted_shown
    trials = _by_unit(counts.cases, counts.events, counts.moves, converted)
    wins = _by_unit(counts.cases_shown, counts.events_shown, counts.moves_shown, converted_shown)
    n_units, m = trials.shape
    unit, column = np.divmod(np.arange(n_units * m), m)
    share = share_of_units(
        unit_matrix(unit, column, wins.ravel(), (n_units, m)),
        unit_matrix(unit, column, trials.ravel(), (n_units, m)),
        buckets=counts.buckets,
    )
    return Explained(simplified, share, model)


def _by_unit(*columns: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.stack(columns, axis=1)
