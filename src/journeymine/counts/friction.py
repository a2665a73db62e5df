"""Counts of friction: visits with and without each signal, what came of them, and how long steps take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What came of visits, by unit, stratum, activity and flag; arrays of one shape (m,).

    Attributes
    ----------
    unit, stratum, code, flag
        What a row is about; strata join the segments' cell with the place in the journey.
    n, won
        Visits whose outcome is known, and those of them that lead to the goal.
    watched, lost
        Visits whose next step is known, and those of them after which the journey was dropped.
    """

    unit: Ints
    stratum: Ints
    code: Ints
    flag: Ints
    n: Ints
    won: Ints
    watched: Ints
    lost: Ints


@dataclass(frozen=True, slots=True, eq=False)
class WaitCounts:
    """Time until journeys go on from each step, in log-spaced bins; arrays of one shape (m,).

    Attributes
    ----------
    unit, code, bin
        What a row is about; `bin` is `n_bins` for visits that did not go on within `idle`.
    moved, censored
        Visits that went on in the bin, and visits of which no more is known.
    edges_s
        Upper edge of each bin in seconds, shape (n_bins,); the last one is `idle`.
    usual_s
        Median over all visits that went on, in seconds.
    """

    unit: Ints
    code: Ints
    bin: Ints
    moved: Ints
    censored: Ints
    edges_s: NDArray[np.float64]
    usual_s: float


@dataclass(frozen=True, slots=True, eq=False)
class PairCounts:
    """Journeys that did x, and never y after it.

    Attributes
    ----------
    pairs
        Codes (x, y), and whether the pair was named by the user.
    share
        Share of the converted journeys with x in which y follows before the goal, by pair; nan if unknown.
    unit, pair, n, never
        Journeys by unit and pair, shape (m,).
    gap
        Steps after x at which journeys with and without y are compared, shape (n_pairs,); 0 if never.
    landmarks
        What came of journeys that were under way at that point: `code` is the pair, `flag` says y had not come.
    """

    pairs: tuple[tuple[int, int, bool], ...]
    share: NDArray[np.float64]
    unit: Ints
    pair: Ints
    n: Ints
    never: Ints
    gap: Ints
    landmarks: Outcomes


@dataclass(frozen=True, slots=True, eq=False)
class FrictionCounts:
    """Everything that friction is estimated from.

    Attributes
    ----------
    activities
        Names by code.
    signals
        Names of the signals that were judged.
    code
        Activities that were judged, the most visited ones, ascending, shape (k,).
    n_visits, n_journeys
        Of each, shape (k,).
    journeys
        Journeys in which a signal holds at an activity, shape (k, n_signals).
    unit, place
        Of the rates: unit and place in `code`, shape (m,).
    judged, held
        Visits that a signal can be judged on, and those where it holds, shape (m, n_signals).
    steps
        Outcomes of all visits before the goal; code -1 for activities that are not listed.
    by_signal
        Outcomes with and without each signal, for signals that are known at the visit.
    other
        The activity that goes with a signal at an activity most often, by (signal, code).
    waits, pairs
        Time until journeys go on, and pairs; None where they cannot be had.
    forced
        Activities that (nearly) every converted journey passes, and those of the goal itself.
    """

    activities: tuple[str, ...]
    signals: tuple[str, ...]
    code: Ints
    n_visits: Ints
    n_journeys: Ints
    journeys: Ints
    unit: Ints
    place: Ints
    judged: Ints
    held: Ints
    steps: Outcomes
    by_signal: dict[str, Outcomes]
    other: dict[tuple[str, int], int]
    waits: WaitCounts | None
    pairs: PairCounts | None
    forced: tuple[int, ...]
    n_units: int
    buckets: bool


@dataclass(frozen=True, slots=True, eq=False)
class ScoreCounts:
    """Watched visits that look alike, and after how many of them the journey was dropped; shape (m,) each.

    Attributes
    ----------
    fold
        Fold of the customers.
    code
        Activity; -1 for the rare ones.
    key
        What is known of the visit, as one number.
    features
        The parts of `key`, shape (m, 8): depth, attempt, self-loop, back-and-forth, wait before, switch of
        channel, contacts so far, error before.
    """

    fold: Ints
    code: Ints
    key: Ints
    features: Ints
    n: Ints
    lost: Ints


@dataclass(frozen=True, slots=True, eq=False)
class ScoredCounts:
    """Visits and predictions by unit and group: (unit, group, n, lost, full, base), predictions summed."""

    unit: Ints
    group: Ints
    n: Ints
    lost: Ints
    full: NDArray[np.float64]
    base: NDArray[np.float64]
    n_units: int
    buckets: bool
