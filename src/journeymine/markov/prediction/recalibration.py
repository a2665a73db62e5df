"""Predictions of a chain put on the line that fits how its own journeys ended.

Where customers differ in ways that states do not show, a chain is right for all journeys together but not for visits:
those who stay are visited more often. Two numbers, learnt from the journeys that the chain was fitted on, repair most
of it: logit P = a + b logit(p) (Cox 1958). Journeys that were still open count as what is predicted for the state they
go on from, and the line is found again until it says the same (expectation-maximisation; Dempster et al. 1977).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from journeymine.counts.chain import GOAL
from journeymine.counts.sequences import OPEN
from journeymine.markov.prediction.calibration import recalibrated, softened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.sequences import SequenceCounts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

STEPS = 200
NEAR = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Recalibration:
    """From predicted to recalibrated conversion, state by state.

    Attributes
    ----------
    before
        Predicted conversion of each state, kept off 0 and 1 as `calibration.softened` does, shape (k,).
    after
        Recalibrated conversion, shape (k,).
    """

    before: Floats
    after: Floats

    @property
    def line(self) -> tuple[float, float]:
        """Intercept and slope on the log-odds scale; the slope is 1 where all states predict the same."""
        x, y = special.logit(self.before), special.logit(self.after)
        low, high = int(np.argmin(x)), int(np.argmax(x))
        slope = (y[high] - y[low]) / (x[high] - x[low]) if x[high] - x[low] > NEAR else 1.0
        return float(y[low] - slope * x[low]), float(slope)

    def __call__(self, p: NDArray[Any]) -> Floats:
        """Recalibrate predictions; 0 and 1 stay what they are.

        Examples
        --------
        >>> low, high = np.array([0.2, 0.8]), np.array([0.35, 0.65])
        >>> Recalibration(low, high)(np.array([0.0, 0.2, 0.5, 1.0])).round(3).tolist()
        [0.0, 0.35, 0.5, 1.0]
        """
        a, b = self.line
        inside = (p > 0) & (p < 1)
        moved = special.expit(a + b * special.logit(np.where(inside, p, 0.5)))
        return np.asarray(np.where(inside, moved, p))


def learn_recalibration(sequences: SequenceCounts, hit: Floats, state: Ints | None = None) -> Recalibration:
    """Learn the line from the journeys of a chain.

    Parameters
    ----------
    sequences
        The journeys, as watched visits in the states of the chain without memory.
    hit
        Predicted conversion of each state, shape (k,).
    state
        State of each visit; default: those of the sequences.

    Examples
    --------
    Half of those who look come back twice and then pay, the others never do; the chain takes them for alike. Three in
    four visits to "look" are followed by the goal:

    >>> from journeymine.markov.estimation import ChainModel
    >>> from journeymine.markov.lists import count_lists
    >>> lists = [["look", "look", "look", "paid"], ["look"], ["basket", "paid"], ["basket"]]
    >>> counts, journeys = count_lists(lists, goal="paid", weights=[300, 300, 900, 100])
    >>> hit = ChainModel(counts).point().solved.hit
    >>> hit.round(2).tolist(), learn_recalibration(journeys, hit)(hit).round(2).tolist()
    ([0.9, 0.5], [0.9, 0.75])
    """
    of, k = sequences.of_visit, len(hit)
    place = sequences.code if state is None else state
    n = sequences.n[of].astype(float)
    total = np.bincount(place, weights=n, minlength=k)
    last = sequences.last[of]
    won = np.bincount(place, weights=n * (last == GOAL), minlength=k)
    # What goes on unwatched is worth what its next state is; where that is not known, what its last visit is.
    ends = np.maximum(sequences.begin[1:] - 1, 0)
    onward = np.where(last == OPEN, place[ends[of]] if len(place) else last, last)
    undecided = (last >= 0) | (last == OPEN)
    pair = np.bincount(
        place[undecided] * k + np.maximum(onward[undecided], 0), weights=n[undecided], minlength=k * k
    ).reshape(k, k)
    before = softened(hit, total, 2)
    after = before
    for _ in range(STEPS):
        new = recalibrated(before, won + pair @ after, total, before)
        if np.max(np.abs(new - after), initial=0.0) < NEAR:
            break
        after = new
    return Recalibration(before, after)
