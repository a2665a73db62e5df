"""Occupation curves of a log's journeys: the product integral on a grid, in every bootstrap draw at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from journeymine.counts.occupation import START, OccupationCounts
from journeymine.errors import NotEnoughDataError
from journeymine.markov.occupation.occupation import ROUNDING, StateOccupation, occupation_interval
from journeymine.uncertainty import (
    LEVEL,
    Estimates,
    bootstrap_weights,
    percentile_interval,
    rows_that_go_together,
    unit_matrix,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from scipy import sparse

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

GOAL_NAME, LOST_NAME = "(goal)", "(dropped)"
MICRO = 1e-6
N_DRAWS = 400
"""Only the variance of the shares is needed, which so many draws give to four per cent."""
MAX_CELLS = 10_000_000
"""Numbers that one chunk of bootstrap draws may take."""
MIN_FOLLOWED = 30


@dataclass(frozen=True, slots=True, eq=False)
class JourneyOccupation:
    """Where journeys are some time after their start; `log.occupation()` makes one.

    Attributes
    ----------
    curves
        Shares of the states, of the goal and of the lost journeys; times in seconds since the start. `n`: journeys
        that began at least that long before the end of the log.
    under_way
        Share that is neither at the goal nor lost, shape (T,).
    half_s
        Seconds by which half of the journeys that convert within the last time have done so; shape ().
    counts
        What it was estimated from.
    """

    curves: StateOccupation
    under_way: Estimates
    half_s: Estimates
    counts: OccupationCounts

    def to_frame(self) -> pd.DataFrame:
        """One row per time and state: time_s, state, estimate, lower, upper, n."""
        return self.curves.to_frame()

    def at(self, time: Any) -> pd.DataFrame:
        """The rows of one of the times that were asked for: a duration ("7d"), or seconds."""
        from journeymine._checks import duration_us

        seconds = time if isinstance(time, (int, float)) else duration_us(time, name="time") * MICRO
        return self.curves.at(seconds)

    def __repr__(self) -> str:
        lines = repr(self.curves).splitlines()
        lines[0] = (
            f"JourneyOccupation of {len(self.counts.states)} states at {len(self.curves.times)} times, "
            f"{self.counts.n_journeys:,} journeys"
        )
        return "\n".join(lines)


def estimate_occupation(
    counts: OccupationCounts, *, n_draws: int = N_DRAWS, seed: int = 0, level: float = LEVEL
) -> JourneyOccupation:
    """Estimate the shares of the states over time since the start, open journeys allowed for.

    Aalen and Johansen's estimator (1978) for journeys that are seen at the points of the grid only: between two
    points the share of those in i who are then in j is n_ij / Y_i, Y_i being the journeys in i that are followed to
    the second point. When a journey began says nothing of where it goes, so being cut off by the end of the log is
    independent, and the shares are right with or without the Markov property (Datta and Satten 2001).

    Raises
    ------
    NotEnoughDataError
        There are no journeys.

    Examples
    --------
    Ten journeys start in A; at the first point four are at the goal, then three of the others are lost sight of,
    and two of the last three get to the goal as well:

    >>> one = np.zeros(3, np.int64)
    >>> counts = OccupationCounts(("A",), np.array([0, 1_000_000, 2_000_000]), one, np.array([0, 1, 2]),
    ...     np.array([-1, 0, 0]), np.array([0, 1, 1]), np.array([10, 4, 2]),
    ...     one[:1], one[:1] + 1, one[:1], one[:1] + 3, np.arange(3), 1)
    >>> estimate_occupation(counts, n_draws=10).curves.share.estimate.round(3).tolist()
    [[1.0, 0.0, 0.0], [0.6, 0.4, 0.0], [0.2, 0.8, 0.0]]
    """
    if not counts.n_journeys:
        raise NotEnoughDataError(
            "no journey has started, so nobody is anywhere.", hint="check the start activities."
        )
    model = _Product(counts)
    point = model.paths(np.ones((1, counts.n_units)))[0]
    spread = _Spread(model, point)
    for weights in bootstrap_weights(counts.n_units, n_draws, seed, chunk=model.chunk):
        spread.add(model.paths(weights))
    followed = counts.followed()
    unknown = followed[counts.wanted] == 0
    trials = _followed_by_unit(counts)
    known = rows_that_go_together(trials, buckets=counts.buckets)[:, None]
    k = len(counts.states)
    shares = np.column_stack([point[counts.wanted], _under_way(point[counts.wanted])])
    shares[unknown] = np.nan
    lower, upper = occupation_interval(
        shares, spread.variance(), counts.n_journeys, counts.n_units, known, level=level
    )
    n = np.broadcast_to(followed[counts.wanted][:, None], shares.shape)
    curves = StateOccupation(
        times=np.asarray(counts.times_us[counts.wanted] * MICRO, dtype=float),
        states=(*counts.states, GOAL_NAME, LOST_NAME),
        share=Estimates(shares[:, :-1], lower[:, :-1], upper[:, :-1], n[:, :-1]),
        n_subjects=counts.n_journeys,
        time_name="time_s",
        notes=_notes(counts, followed),
    )
    under = Estimates(shares[:, -1], lower[:, -1], upper[:, -1], n[:, -1])
    half = percentile_interval(
        np.asarray(_half_time(point[None, :, k], counts)[0]),
        np.concatenate(spread.half),
        int(counts.n[counts.target == k].sum()),
        level=level,
    )
    return JourneyOccupation(curves, under, half, counts)


def point_shares(counts: OccupationCounts) -> Floats:
    """Shares of the states at every point of the grid without their intervals, shape (G, K)."""
    return np.asarray(_Product(counts).paths(np.ones((1, counts.n_units)))[0])


class _Product:
    """The product integral of some weights of the units."""

    def __init__(self, counts: OccupationCounts) -> None:
        from scipy import sparse

        self.counts = counts
        n_points, k = len(counts.times_us), counts.n_states
        key = (counts.place * (k + 1) + counts.source + 1) * k + counts.target
        cells, column = np.unique(key, return_inverse=True)
        self.place, pair = cells // (k * (k + 1)), cells % (k * (k + 1))
        self.source, self.target = pair // k - 1, pair % k
        self.moves = unit_matrix(counts.unit, column, counts.n, (counts.n_units, len(cells)))
        left_key = counts.left_place * k + counts.left_state
        left_cells, left_column = np.unique(left_key, return_inverse=True)
        self.left = unit_matrix(
            counts.left_unit, left_column, counts.left_n, (counts.n_units, len(left_cells))
        )
        ones, cell = np.ones(len(cells)), np.arange(len(cells))
        moved = self.source >= 0
        # Who is in a state at a point: arrivals less departures, and less those last seen there at an earlier point.
        self.at_point = sparse.csr_array(
            (
                np.concatenate([ones, -ones[moved]]),
                (
                    np.concatenate([cell, cell[moved]]),
                    np.concatenate([self.place * k + self.target, (self.place * k + self.source)[moved]]),
                ),
            ),
            shape=(len(cells), n_points * k),
        )
        self.gone = sparse.csr_array(
            (np.ones(len(left_cells)), (np.arange(len(left_cells)), left_cells)),
            shape=(len(left_cells), n_points * k),
        )
        self.bounds = np.searchsorted(self.place, np.arange(n_points + 1))
        self.chunk = max(1, min(100, MAX_CELLS // max(len(cells), n_points * k)))

    def paths(self, weights: Floats) -> Floats:
        """Shares of the states at every point, shape (n_draws, G, K)."""
        counts, n_draws = self.counts, len(weights)
        n_points, k = len(counts.times_us), counts.n_states
        n = _product(weights, self.moves)
        here = _product(n, self.at_point).reshape(n_draws, n_points, k)
        gone = _product(_product(weights, self.left), self.gone).reshape(n_draws, n_points, k)
        # At risk between a point and the next: in the state at the point, and followed to the next.
        at_risk = np.cumsum(here, axis=1) - np.cumsum(gone, axis=1)
        out = np.zeros((n_draws, n_points, k))
        start = slice(self.bounds[0], self.bounds[1])
        out[:, 0, self.target[start]] = n[:, start] / n[:, start].sum(axis=1, keepdims=True)
        for place in range(1, n_points):
            cells = slice(self.bounds[place], self.bounds[place + 1])
            source, target = self.source[cells], self.target[cells]
            risk = at_risk[:, place - 1, source]
            flow = out[:, place - 1, source] * np.divide(
                n[:, cells], risk, out=np.zeros_like(risk), where=risk > 0
            )
            out[:, place] = out[:, place - 1] + _product(flow, _between(source, target, k))
        return np.clip(out, 0.0, 1.0)


def _product(a: Floats, b: sparse.csr_array) -> Floats:
    return np.asarray(a @ b)


def _between(source: Ints, target: Ints, k: int) -> sparse.csr_array:
    """What each flow adds to the states: less at its source, more at its target."""
    from scipy import sparse

    m = len(source)
    rows, ones = np.arange(m), np.ones(m)
    return sparse.csr_array(
        (np.concatenate([-ones, ones]), (np.tile(rows, 2), np.concatenate([source, target]))), shape=(m, k)
    )


def _under_way(path: Floats) -> Floats:
    """Share of the states that are not ends; no rounding of a difference."""
    return np.asarray(path[..., :-2].sum(axis=-1))


class _Spread:
    """Variance of the draws around the point estimate, without keeping them."""

    def __init__(self, model: _Product, point: Floats) -> None:
        self.counts = model.counts
        wanted = point[self.counts.wanted]
        self.centre = np.column_stack([wanted, _under_way(wanted)])
        self.total, self.squares, self.n = np.zeros((2, *self.centre.shape)), None, 0
        self.half: list[Floats] = []

    def add(self, paths: Floats) -> None:
        """Take some draws, shape (n_draws, G, K)."""
        wanted = paths[:, self.counts.wanted]
        away = np.concatenate([wanted, _under_way(wanted)[..., None]], axis=-1) - self.centre
        self.total += np.stack([away.sum(axis=0), (away**2).sum(axis=0)])
        self.n += len(paths)
        self.half.append(_half_time(paths[:, :, len(self.counts.states)], self.counts))

    def variance(self) -> Floats:
        """Shape (T, K + 1)."""
        first, second = self.total / self.n
        return np.asarray(np.maximum(second - first**2, 0.0) * self.n / max(self.n - 1, 1))


def _half_time(goal: Floats, counts: OccupationCounts) -> Floats:
    """Seconds by which half of those at the goal at the last wanted point are there; nan if nobody is.

    Between two points of the grid the curve is taken for a line.
    """
    last = int(counts.wanted[-1])
    half = goal[:, last] / 2
    times = counts.times_us * MICRO
    place = np.argmax(goal[:, : last + 1] >= half[:, None], axis=1)
    rows, before = np.arange(len(goal)), np.maximum(place - 1, 0)
    rise = goal[rows, place] - goal[rows, before]
    part = np.divide(half - goal[rows, before], rise, out=np.ones_like(rise), where=rise > 0)
    found = times[before] + part * (times[place] - times[before])
    return np.where(goal[:, last] > ROUNDING, found, np.nan)


def _followed_by_unit(counts: OccupationCounts) -> sparse.csr_array:
    """Journeys of each unit that were followed up to each wanted point, shape (n_units, T)."""
    from scipy import sparse

    begun = counts.source == START
    every = np.bincount(counts.unit[begun], weights=counts.n[begun], minlength=counts.n_units)
    gone = np.zeros((counts.n_units, len(counts.times_us) + 1))
    np.add.at(gone, (counts.left_unit, counts.left_place + 1), counts.left_n)
    followed = every[:, None] - np.cumsum(gone, axis=1)[:, counts.wanted]
    return sparse.csr_array(followed)


def _notes(counts: OccupationCounts, followed: Ints) -> tuple[str, ...]:
    notes = []
    last = int(followed[counts.wanted[-1]])
    if last < MIN_FOLLOWED:
        notes.append(f"only {last:,} journeys were followed for as long as the last time.")
    if counts.n_folded:
        notes.append(f"{counts.n_folded:,} rare activities share one state.")
    return tuple(notes)
