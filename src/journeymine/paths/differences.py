"""Differences between two groups of moves: first which activities are left differently, then by which moves.

Every activity is tested as a whole (`homogeneity.py`), one Benjamini-Hochberg family over the activities; inside the
R of N activities that are kept, moves are tested at R/N of the level (Benjamini and Bogomolov 2014). So of the
activities that are called different, and on average of the moves that are called different within them, at most
5 % are expected to be false; and where nothing differs, anything at all is kept in at most 5 % of comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.compare import DROPPED, END

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.paths.mix import Mix
    from journeymine.paths.share_differences import ShareDifferences
    from journeymine.uncertainty import Estimates

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

RATE = 0.05
"""Error rate that is controlled."""
LARGE = 0.05
"""Differences above five points look large; how many of them are noise is told."""
END_NAMES = {DROPPED: "(dropped)", END: "(end)"}


@dataclass(frozen=True, slots=True, eq=False)
class RowTests:
    """Tests of whole activities that could be tested, sorted by activity, shape (r,).

    Attributes
    ----------
    source
        Codes.
    p_value, q_value, design_effect
        Of the test; q over the activities.
    kept
        Whether the activity is left differently, at the error rate.
    """

    source: Ints
    p_value: Floats
    q_value: Floats
    design_effect: Floats
    kept: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """How two groups of journeys differ: move by move, tested, and in conversion.

    Attributes
    ----------
    attribute, a, b
        What was compared, and the names of the groups.
    strata
        Segment columns inside whose values the groups were compared.
    activities
        Names by code.
    source, target
        Codes of the moves of activities that both groups visit, sorted by name, shape (m,).
    shares
        Share of the moves from the source in A and in B, and their difference with its 95 % interval (of each move
        on its own).
    adjusted
        The difference inside the strata; nan where the activity was not tested.
    q_value
        Smallest error rate at which the move would be kept; nan where it is too rare to be tested.
    kept
        Whether the move differs, at an error rate of 5 %.
    edge_p
        Two-sided p value of the move alone; nan where it is too rare to be tested.
    rows
        The tests of whole activities.
    one_sided
        Codes of the activities that only one group visits: nothing to compare.
    goal
        Codes of the goal.
    mix
        The difference in conversion, split; None without a goal.
    """

    attribute: str
    a: str
    b: str
    strata: tuple[str, ...]
    activities: tuple[str, ...]
    source: Ints
    target: Ints
    shares: ShareDifferences
    adjusted: Estimates
    q_value: Floats
    kept: NDArray[np.bool_]
    edge_p: Floats
    rows: RowTests
    one_sided: tuple[int, ...]
    goal: tuple[int, ...] = ()
    mix: Mix | None = None

    @property
    def n_tested_rows(self) -> int:
        """Activities that could be tested."""
        return len(self.rows.source)

    @property
    def n_kept_rows(self) -> int:
        """Activities that the groups leave differently."""
        return int(self.rows.kept.sum())

    @property
    def n_tested(self) -> int:
        """Moves that could be tested."""
        return int(np.isfinite(self.q_value).sum())

    @property
    def n_kept(self) -> int:
        """Moves that differ."""
        return int(self.kept.sum())

    @property
    def large(self) -> NDArray[np.bool_]:
        """Whether the difference is above five points, supported or not; shape (m,)."""
        return np.abs(self.shares.difference.estimate) > LARGE

    @property
    def n_large(self) -> int:
        """Differences above five points, supported or not."""
        return int(self.large.sum())

    @property
    def n_large_kept(self) -> int:
        """Differences above five points that are kept; the other large ones are within the noise."""
        return int((self.large & self.kept).sum())

    def name(self, code: int) -> str:
        """Name of a target, also of an end."""
        return END_NAMES.get(code) or self.activities[code]

    def order(self) -> Ints:
        """Kept moves first, then the large ones; within these the largest differences first."""
        size = np.abs(self.shares.difference.estimate).round(9)
        return np.lexsort((self.target, self.source, -size, ~self.kept))

    def to_frame(self) -> pd.DataFrame:
        """One row a move.

        source, target, estimate (share in A less share in B), lower, upper, n_a and n_b (moves from the source),
        q_value, kept; then share_a, share_b, and adjusted, adjusted_lower, adjusted_upper (inside the strata).
        """
        import pandas as pd

        a, b, d = self.shares.a, self.shares.b, self.shares.difference
        return pd.DataFrame(
            {
                "source": [self.name(c) for c in self.source.tolist()],
                "target": [self.name(c) for c in self.target.tolist()],
                "estimate": d.estimate,
                "lower": d.lower,
                "upper": d.upper,
                "n_a": a.n,
                "n_b": b.n,
                "q_value": self.q_value,
                "kept": self.kept,
                "share_a": a.estimate,
                "share_b": b.estimate,
                "adjusted": self.adjusted.estimate,
                "adjusted_lower": self.adjusted.lower,
                "adjusted_upper": self.adjusted.upper,
            }
        )

    def __repr__(self) -> str:
        noise = self.n_large - self.n_large_kept
        lines = [
            f"Differences: {self.attribute[:40]}, {self.a[:40]} less {self.b[:40]}",
            f"  {self.n_kept_rows} of {self.n_tested_rows} activities are left differently (error rate {RATE:.0%})",
            f"  {self.n_large} differences above {LARGE * 100:g} points, {noise} of them within the noise",
        ]
        d = self.shares.difference
        lines += [
            f"  {self.name(int(self.source[e]))[:40]} -> {self.name(int(self.target[e]))[:40]}  "
            f"{100 * d.estimate[e]:+.1f} points ({100 * d.lower[e]:+.1f} to {100 * d.upper[e]:+.1f})"
            for e in self.order()[: min(self.n_kept, 4)].tolist()
        ]
        if self.mix is not None:
            parts = (self.mix.difference, self.mix.composition, self.mix.behaviour)
            lines += [
                f"  {label}: {100 * part.estimate:+.1f} points "
                f"({100 * part.lower:+.1f} to {100 * part.upper:+.1f})"
                for label, part in zip(("conversion", "who came", "what they did"), parts, strict=True)
                if np.isfinite(part.estimate)
            ]
        return "\n".join([*lines, "Next: .to_frame(), .mix"])
