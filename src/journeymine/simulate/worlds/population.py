"""Types of customers: every level of intent in every crossing of the segments, in every part of the calendar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.simulate.worlds.plan import Plan

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Types of customers; types are numbered as a grid (phase, intent, value of each segment column).

    Attributes
    ----------
    grid
        Length of each axis.
    intent
        Latent intent, standard normal quantiles, shape (n_types,).
    at
        Place on each axis, shape (n_types, n_axes).
    share
        Share of the journeys, shape (n_types,).
    columns, values
        Segment columns, and their values in order.
    """

    grid: tuple[int, ...]
    intent: Floats
    at: Ints
    share: Floats
    columns: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]

    @property
    def phase(self) -> Ints:
        """Phase of each type."""
        return self.at[:, 0]

    def value(self, column: str) -> Ints:
        """Number of each type's value of a segment column."""
        return self.at[:, 2 + self.columns.index(column)]

    def along(self, array: Floats) -> Floats:
        """An array by type with the axes of the grid in front."""
        return array.reshape(*self.grid, *array.shape[1:])


def make_population(plan: Plan) -> Population:
    """Cross intent, segments and phases."""
    segments = plan.shape.segments
    levels = plan.levels if plan.habits.intent or plan.habits.help_intent else 1
    quantiles = special.ndtri((np.arange(levels) + 0.5) / levels)
    grid = (len(plan.phases), levels, *(len(values) for values in segments.values()))
    at = np.stack([axis.ravel() for axis in np.indices(grid)], axis=1)
    length = np.array([phase.stop - phase.first for phase in plan.phases], float)
    share = (length / length.sum())[at[:, 0]] / levels
    for axis, (column, usual) in enumerate(segments.items(), start=2):
        of_phase = [
            dict(usual) if column != "source" or phase.sources is None else dict(phase.sources)
            for phase in plan.phases
        ]
        table = np.array([[shares[value] for value in usual] for shares in of_phase])
        share = share * table[at[:, 0], at[:, axis]]
    return Population(
        grid,
        quantiles[at[:, 1]],
        at,
        share,
        tuple(segments),
        tuple(tuple(values) for values in segments.values()),
    )
