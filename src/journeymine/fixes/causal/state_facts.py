"""What is known of the states that fixes are about, each asked once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.errors import NotEnoughDataError
from journeymine.fixes.causal.aipw import exposure_effect
from journeymine.fixes.causal.mixed_states import mixed_states
from journeymine.fixes.causal.negative_control import negative_control
from journeymine.fixes.causal.overlap import overlap_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts, DropCounts
    from journeymine.counts.sequences import SequenceCounts
    from journeymine.fixes.causal.aipw import ExposureEffect
    from journeymine.fixes.causal.mixed_states import StateMixture
    from journeymine.fixes.causal.negative_control import NegativeControl
    from journeymine.fixes.causal.overlap import Overlap

    Exposed = tuple[ExposureEffect | None, NegativeControl | None]
    Flags = NDArray[np.bool_]


class StateFacts:
    """Overlap, mixture and exposure effect of states.

    Parameters
    ----------
    counts, drops, sequences
        As in `care_of`.
    seed
        For the folds of cross-fitting.
    """

    def __init__(
        self, counts: ChainCounts, drops: DropCounts, sequences: SequenceCounts | None, seed: int
    ) -> None:
        self._counts, self._drops, self._sequences, self._seed = counts, drops, sequences, seed
        self._mixtures = None if sequences is None else mixed_states(sequences)
        self._overlaps: dict[int, Overlap] = {}
        self._exposures: dict[tuple[int, bytes], Exposed] = {}

    def overlap(self, state: int) -> Overlap:
        """Which segments reach the state."""
        if state not in self._overlaps:
            self._overlaps[state] = overlap_of(self._counts, self._drops, state)
        return self._overlaps[state]

    def mixture(self, state: int) -> StateMixture | None:
        """Whether the state is one; None without sequences."""
        return None if self._mixtures is None else self._mixtures[state]

    def exposure(self, state: int, cells: Flags) -> Exposed:
        """Effect of meeting the state in some cells, and its negative control; None where too few met it."""
        if self._sequences is None:
            return None, None
        key = (state, cells.tobytes())
        if key not in self._exposures:
            here = self._sequences.take(cells[self._sequences.cell])
            self._exposures[key] = _exposed(here, state, self._seed)
        return self._exposures[key]


def _exposed(sequences: SequenceCounts, state: int, seed: int) -> Exposed:
    try:
        effect = exposure_effect(sequences, state, seed=seed)
    except NotEnoughDataError:
        return None, None
    try:
        return effect, negative_control(sequences, state, seed=seed)
    except NotEnoughDataError:
        return effect, None
