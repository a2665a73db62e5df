"""The probability that a journey is still watched: what journeys that are under way are made up for with.

The Kaplan-Meier estimate of the time to the end of observation, with the steps of the journey as its clock (inverse
probability of censoring weights; Robins and Finkelstein 2000). At every step that goes on to another state, the
journey may be lost from sight because the next visit came too late to be watched. The share of steps where that
happened is estimated by the state that is left and the cell of the segments: it depends on how long people stay in a
state and on when customers of a segment came, not on how the journey would have ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.sequences import OPEN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.sequences import SequenceCounts

    Floats = NDArray[np.float64]

PRIOR = 20.0
"""Steps' worth of the share of all cells that the share of a cell starts from."""
LEAST = 0.05
"""Smallest probability that is used: no journey stands for more than twenty."""


def kept_in_sight(sequences: SequenceCounts) -> Floats:
    """Probability of being watched from each visit to the end, and from the start to each visit; shape (n_visits, 2).

    Examples
    --------
    A journey is lost from sight after one of two steps from "a" to "b":

    >>> from journeymine.counts.sequences import SequenceCounts
    >>> two = np.array([0, 0])
    >>> sequences = SequenceCounts(("a", "b"), np.array([0, 1, 0]), np.array([0, 2, 3]), np.array([GOAL, 1]),
    ...     two, two, two + 1, ((),), 1)
    >>> kept_in_sight(sequences).tolist()
    [[0.5, 1.0], [1.0, 0.5], [0.5, 1.0]]
    """
    sequence, target = sequences.of_visit, sequences.target
    goes_on = (target >= 0) | (target == OPEN)
    lost = np.zeros(len(target), dtype=bool)
    full = np.flatnonzero(sequences.length > 0)
    lost[sequences.begin[1:][full] - 1] = ~np.isin(sequences.last[full], (GOAL, DROP))
    n = sequences.n[sequence].astype(float)
    n_cells = max(len(sequences.cells), 1)
    place = sequences.code * n_cells + sequences.cell[sequence]
    size = sequences.n_states * n_cells
    at_risk = np.bincount(place, n * goes_on, size).reshape(-1, n_cells)
    gone = np.bincount(place, n * lost, size).reshape(-1, n_cells)
    pooled = gone.sum(axis=1, keepdims=True) / np.maximum(at_risk.sum(axis=1, keepdims=True), 1.0)
    share = (gone + PRIOR * pooled) / (at_risk + PRIOR)
    step = np.where(goes_on, np.log1p(-np.minimum(share.ravel(), 1 - LEAST))[place], 0.0)
    total = np.concatenate([[0.0], np.cumsum(step)])
    begin, end = sequences.begin[:-1][sequence], sequences.begin[1:][sequence]
    visit = np.arange(len(target))
    onward, until = total[end] - total[visit], total[visit] - total[begin]
    return np.asarray(np.maximum(np.exp(np.stack([onward, until], axis=1)), LEAST))
