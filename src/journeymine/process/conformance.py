"""Conformance: how many journeys keep to the design, where they depart from it, and what goes with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from journeymine.process.designed import Designed
    from journeymine.uncertainty import Estimates


@dataclass(frozen=True, slots=True)
class FoundDeviation:
    """A deviation with its share and what goes with it: an association, not an effect.

    Attributes
    ----------
    kind, step
        What happens; see `Deviation`.
    n
        Journeys.
    share
        Share of all compared journeys.
    conversion
        Difference in conversion between journeys with the deviation and those that had the chance and kept to the
        design, in shares, standardised over the cells of the segments; journeys whose outcome is known. None where
        there is no goal, or fewer than 30 journeys on either side.
    time_s
        Difference of the mean time, the same way: to the goal, or without a goal of the journeys that are over.
    n_with, n_without
        Journeys on either side of the comparison of conversion (without a goal: of time).
    """

    kind: str
    step: str
    n: int
    share: Estimates
    conversion: Estimates | None
    time_s: Estimates | None
    n_with: int
    n_without: int


@dataclass(frozen=True, slots=True)
class SegmentShares:
    """Share of journeys that keep to the design, by value of a segment.

    Attributes
    ----------
    column
        Name of the segment.
    values
        Its values, sorted; rare ones are joined.
    share
        Shares, shape (values,).
    p_value, q_value
        Test that the values do not differ, inside cells of the other segments; adjusted for the number of segments.
        None where fewer than two values can be compared.
    """

    column: str
    values: tuple[str, ...]
    share: Estimates
    p_value: float | None
    q_value: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Conformance:
    """Journeys held against the designed journey.

    Attributes
    ----------
    designed
        The design.
    share
        Share of journeys that keep to the design as far as they went.
    complete
        Share of journeys that are a whole run of it.
    n
        Journeys that are compared.
    n_complete, n_stopped, n_open, n_deviating
        They are a whole run; they kept to it and left; they kept to it and are under way; they depart from it.
    fitness
        1 - costs / most they could be, over journeys. Journeys that are not over are aligned as far as they went.
    deviations
        The commonest first.
    n_kinds
        Distinct deviations, those that are not listed included.
    segments
        By segment.
    n_without_step
        Journeys without a step of the design, which are not compared.
    n_left_out
        Journeys of customers outside the sample, or of more than 1,000 steps, which are not compared.
    sample
        Share of customers, chosen by the hash of their id, whose journeys are compared; 1 unless the distinct paths
        are too many to align.
    n_paths
        Distinct paths that were compared.
    ignored
        Activities that the design does not know, those of most journeys first; they are left out.
    ignored_share
        Share of the journeys of the log that contain each, shape (ignored,).
    """

    designed: Designed
    share: Estimates
    complete: Estimates
    n: int
    n_complete: int
    n_stopped: int
    n_open: int
    n_deviating: int
    fitness: float
    deviations: tuple[FoundDeviation, ...]
    n_kinds: int
    segments: tuple[SegmentShares, ...]
    n_without_step: int
    n_left_out: int
    sample: float
    n_paths: int
    ignored: tuple[str, ...]
    ignored_share: Estimates

    def to_frame(self) -> pd.DataFrame:
        """One row a deviation: kind, step, n, share, conversion and time_s, each with its bounds."""
        import pandas as pd

        rows = []
        for found in self.deviations:
            row: dict[str, object] = {"kind": found.kind, "step": found.step, "n": found.n}
            for name, value in (
                ("share", found.share),
                ("conversion", found.conversion),
                ("time_s", found.time_s),
            ):
                bounds = (np.nan,) * 3 if value is None else (value.estimate, value.lower, value.upper)
                row |= dict(zip((name, f"{name}_lower", f"{name}_upper"), map(float, bounds), strict=True))
            rows.append({**row, "n_with": found.n_with, "n_without": found.n_without})
        columns = [
            "kind",
            "step",
            "n",
            "share",
            "share_lower",
            "share_upper",
            "conversion",
            "conversion_lower",
        ]
        columns += ["conversion_upper", "time_s", "time_s_lower", "time_s_upper", "n_with", "n_without"]
        return pd.DataFrame(rows, columns=columns)

    def __repr__(self) -> str:
        share, lower, upper = (
            f"{float(part):.1%}" for part in (self.share.estimate, self.share.lower, self.share.upper)
        )
        keep = f"{share} of {self.n:,} journeys keep to the designed journey ({lower} to {upper})"
        to_end = f"{float(self.complete.estimate):.1%} to its end"
        lines = [f"Conformance: {keep}, {to_end}; fitness {self.fitness:.4f}"]
        lines += [
            f"  {found.kind:<8}  {float(found.share.estimate):6.1%}  {found.step[:80]}"
            for found in self.deviations[:8]
        ]
        return "\n".join([*lines, "Next: .to_frame()"])
