"""Counts behind occupation curves: moves of journeys between the points of a grid of time since their start."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

START = -1
"""Source of the moves into the state in which a journey starts."""


@dataclass(frozen=True, slots=True, eq=False)
class OccupationCounts:
    """Moves of journeys between the points of a grid, and how long journeys were followed.

    Attributes
    ----------
    states
        Names of the states that can be left, shape (k,). In the other arrays k is the goal, k + 1 is lost.
    times_us
        Points of the grid: microseconds since the start of a journey, the first is 0; shape (G,).
    unit, place, source, target, n
        Journeys of a unit whose state at point `place` is `target` and was `source` at the point before
        (START at point 0); pairs that differ, shape (m,).
    left_unit, left_place, left_state, left_n
        Journeys that were followed up to `left_place` and were then in a state; those that were followed to the
        last point are not here.
    wanted
        Which points were asked for, shape (w,).
    n_units
        Units that are resampled.
    step_us
        Width of the even steps of the grid.
    has_goal
        Whether the log has a goal.
    n_folded
        Rare activities that share the last state.
    buckets
        Whether units are buckets of customers rather than customers.
    """

    states: tuple[str, ...]
    times_us: Ints
    unit: Ints
    place: Ints
    source: Ints
    target: Ints
    n: Ints
    left_unit: Ints
    left_place: Ints
    left_state: Ints
    left_n: Ints
    wanted: Ints
    n_units: int
    step_us: int = 1
    has_goal: bool = True
    n_folded: int = 0
    buckets: bool = False

    @property
    def n_states(self) -> int:
        """States, with the goal and lost."""
        return len(self.states) + 2

    @property
    def n_journeys(self) -> int:
        """Journeys."""
        return int(self.n[self.source == START].sum())

    @property
    def n_returns(self) -> int:
        """Moves of journeys that came back after they were lost."""
        return int(self.n[self.source == len(self.states) + 1].sum())

    def followed(self) -> Ints:
        """Journeys that were followed up to each point, shape (G,)."""
        gone = np.bincount(self.left_place + 1, weights=self.left_n, minlength=len(self.times_us) + 1)
        return self.n_journeys - np.cumsum(gone[: len(self.times_us)]).astype(np.int64)

    def fold(self, kept: Sequence[int], rest: str) -> OccupationCounts:
        """The counts with some of the states, in the order given, the others as one state behind them.

        Moves between states that are folded are no moves any more.

        Examples
        --------
        >>> one, states = np.zeros(3, np.int64), np.array([-1, 0, 1])
        >>> counts = OccupationCounts(("A", "B"), np.arange(3), one, np.arange(3), states, np.array([0, 1, 2]),
        ...     one + 1, one[:0], one[:0], one[:0], one[:0], np.arange(3), 1)
        >>> folded = counts.fold([], "rest")
        >>> folded.states, folded.place.tolist(), folded.source.tolist(), folded.target.tolist()
        (('rest',), [0, 2], [-1, 0], [0, 1])
        """
        k, names = len(self.states), [self.states[i] for i in kept]
        place = np.full(k, len(names), dtype=np.int64)
        place[list(kept)] = np.arange(len(names))
        names += [rest] if len(names) < k else []
        table = np.append(place, [len(names), len(names) + 1])
        source = np.where(self.source == START, START, table[self.source])
        target = table[self.target]
        changed = source != target
        return replace(
            self,
            states=tuple(names),
            unit=self.unit[changed],
            place=self.place[changed],
            source=source[changed],
            target=target[changed],
            n=self.n[changed],
            left_state=table[self.left_state],
        )
