"""Variants: the distinct activity sequences, most frequent first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.errors import NotEnoughDataError
from journeymine.paths.variety import CoverageCurve, Entropy, coverage_curve, estimate_entropy
from journeymine.uncertainty import Estimates, share_of_units, unit_column, unit_matrix

if TYPE_CHECKING:
    import pandas as pd

    from journeymine.counts.variants import VariantCounts
    from journeymine.counts.variety import VarietyCounts


@dataclass(frozen=True, slots=True, eq=False)
class Variants:
    """The most frequent variants, and how much they leave out.

    Attributes
    ----------
    counts
        The counts behind them.
    share
        Share of all cases, with interval.
    """

    counts: VariantCounts
    share: Estimates

    @property
    def n_variants_rest(self) -> int:
        """Variants that are not listed."""
        return self.counts.n_variants - len(self.counts.paths)

    @property
    def n_rest(self) -> int:
        """Cases of the variants that are not listed."""
        return self.counts.n_cases - int(self.counts.n.sum())

    @property
    def n_once(self) -> int:
        """Variants that only one case takes."""
        return self._variety().n_once

    @property
    def coverage(self) -> CoverageCurve:
        """Share of cases that the k most frequent variants cover, of all variants and not of the list only."""
        return coverage_curve(self._variety())

    @property
    def entropy(self) -> Entropy:
        """Shannon entropy of all variants, corrected for those that the log has not shown."""
        return estimate_entropy(self._variety())

    def _variety(self) -> VarietyCounts:
        if self.counts.variety is None:
            raise NotEnoughDataError(
                "how varied the paths are was not counted.", hint="ask for log.variants()."
            )
        return self.counts.variety

    def to_frame(self) -> pd.DataFrame:
        """One row a variant: activities, n, estimate, lower, upper; a last row without activities for the rest."""
        import pandas as pd

        names = self.counts.activities
        frame = pd.DataFrame(
            {
                "activities": [tuple(names[c] for c in path) for path in self.counts.paths],
                "n": self.counts.n,
                "estimate": self.share.estimate,
                "lower": self.share.lower,
                "upper": self.share.upper,
            }
        )
        if self.n_rest:
            total = self.counts.n_cases
            rest = {
                "activities": None,
                "n": self.n_rest,
                "estimate": self.n_rest / total,
                "lower": None,
                "upper": None,
            }
            frame = pd.concat(
                [frame.astype({"lower": object, "upper": object}), pd.DataFrame([rest])], ignore_index=True
            )
        return frame

    def __repr__(self) -> str:
        names = self.counts.activities
        head = (
            f"Variants: {len(self.counts.paths)} of {self.counts.n_variants:,}, {self.counts.n_cases:,} cases"
        )
        lines = [
            f"  {int(n):,}  {share:.1%}  {' > '.join(names[c] for c in path)[:100]}"
            for path, n, share in zip(
                self.counts.paths[:8], self.counts.n[:8], self.share.estimate[:8], strict=True
            )
        ]
        return "\n".join([head, *lines, "Next: .coverage, .entropy, .to_frame()"])


def estimate_variants(counts: VariantCounts) -> Variants:
    """Shares with customer-level intervals."""
    m = len(counts.paths)
    wins = unit_matrix(counts.unit, counts.unit_place, counts.unit_n, (counts.n_units, m))
    cases = unit_column(counts.unit_cases)
    return Variants(counts, share_of_units(wins, cases, np.zeros(m, int), buckets=counts.buckets))
