"""Frequent patterns: repeats A, A, loops A, B, A and other runs, and how the journeys that have them end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.motifs import KINDS
from journeymine.paths.outcomes import Contrast, contrast, share_of_all
from journeymine.uncertainty import benjamini_hochberg

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.motifs import MotifCounts
    from journeymine.counts.outcomes import OutcomeCounts
    from journeymine.uncertainty import Estimates

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SHOWN = 9
MAX_NAME = 40


@dataclass(frozen=True, slots=True, eq=False)
class Motifs:
    """The commonest repeats, loops and sequences, by kind, then by the journeys that have them.

    Only events before the goal count. Conversion is that of journeys whose outcome is known (over, by their goal
    or their last event, one `idle` before the end of the log). The difference compares the journeys that have the
    pattern with those that reach its first activity and do not. It is an association: who has the pattern has also
    stayed long enough to have it.

    Attributes
    ----------
    counts
        The counts behind them.
    n_journeys
        Journeys that have each pattern, shape (m,).
    share
        Share of all journeys that have it, with interval.
    contrast
        Conversion with and without it, their difference, and its p-value; nan without a goal.
    q_value
        Of the differences, for the false discovery rate over all listed patterns (Benjamini and Hochberg 1995).
    """

    counts: MotifCounts
    n_journeys: Ints
    share: Estimates
    contrast: Contrast
    q_value: Floats

    def names(self, pattern: int) -> tuple[str, ...]:
        """Activities of a pattern."""
        return tuple(self.counts.activities[code] for code in self.counts.paths[pattern])

    @property
    def n_patterns_rest(self) -> dict[str, int]:
        """Patterns of each kind that are not listed."""
        listed = np.bincount(self.counts.kind, minlength=len(KINDS)).tolist()
        return {kind: self.counts.n_patterns[kind] - n for kind, n in zip(KINDS, listed, strict=True)}

    @property
    def n_rest(self) -> dict[str, int]:
        """Occurrences of the patterns of each kind that are not listed."""
        listed = np.bincount(self.counts.kind, weights=self.counts.n, minlength=len(KINDS)).tolist()
        return {kind: self.counts.n_occurrences[kind] - int(n) for kind, n in zip(KINDS, listed, strict=True)}

    def to_frame(self) -> pd.DataFrame:
        """One row a pattern.

        Columns: kind, activities, n (occurrences), n_journeys, estimate, lower, upper (share of all journeys);
        conversion, without and difference, each with _lower, _upper and _n; q_value.
        """
        import pandas as pd

        columns = {
            "kind": [KINDS[kind] for kind in self.counts.kind.tolist()],
            "activities": [self.names(i) for i in range(len(self.counts.paths))],
            "n": self.counts.n,
            "n_journeys": self.n_journeys,
            "estimate": self.share.estimate,
            "lower": self.share.lower,
            "upper": self.share.upper,
        }
        parts = {
            "conversion": self.contrast.with_it,
            "without": self.contrast.without_it,
            "difference": self.contrast.difference,
        }
        for name, part in parts.items():
            columns |= {name: part.estimate, f"{name}_lower": part.lower, f"{name}_upper": part.upper}
            columns[f"{name}_n"] = part.n
        return pd.DataFrame({**columns, "q_value": self.q_value})

    def __repr__(self) -> str:
        total = ", ".join(f"{self.counts.n_patterns[kind]:,} {kind}s" for kind in KINDS)
        lines = [f"Motifs: {total}; {len(self.counts.paths)} listed"]
        for i in _shown(self.counts.kind):
            path = " -> ".join(name.replace("\n", " ")[:MAX_NAME] for name in self.names(i))
            found = self.contrast.difference.at(i)
            ends = f", conversion {100 * found['estimate']:+.1f} points" if found else ""
            lines.append(f"  {path}  {self.share.estimate[i]:.1%} of journeys{ends}")
        return "\n".join([*lines, "Next: .to_frame()"])


def _shown(kind: Ints) -> list[int]:
    """A few patterns of each kind."""
    return [int(i) for k in range(len(KINDS)) for i in np.flatnonzero(kind == k)[: SHOWN // len(KINDS)]]


def estimate_motifs(counts: MotifCounts) -> Motifs:
    """Shares, conversions and differences with customer-level intervals."""
    n = np.bincount(counts.outcomes.column, weights=counts.outcomes.n, minlength=len(counts.paths))
    found = contrast(counts.outcomes, _without(counts.reach, counts.outcomes))
    q = np.full(len(counts.paths), np.nan)
    tested = np.isfinite(found.p_value)
    if tested.any():
        q[tested] = benjamini_hochberg(found.p_value[tested])
    return Motifs(counts, n.astype(np.int64), share_of_all(counts.outcomes, counts.everyone), found, q)


def _without(reach: OutcomeCounts, having: OutcomeCounts) -> OutcomeCounts:
    """Journeys that reach the first activity less those that have the pattern: none has it without reaching it."""
    return replace(
        reach,
        unit=np.concatenate([reach.unit, having.unit]),
        column=np.concatenate([reach.column, having.column]),
        n=np.concatenate([reach.n, -having.n]),
        n_known=np.concatenate([reach.n_known, -having.n_known]),
        n_converted=np.concatenate([reach.n_converted, -having.n_converted]),
    )
