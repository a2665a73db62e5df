"""The shares of a process map, each a ratio of sums over customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.uncertainty import Estimates, share_of_units, unit_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.process_map import MapCounts

    Ints = NDArray[np.int64]


class MapShares:
    """Shares of the k steps of a map, with customer-level intervals."""

    def __init__(self, counts: MapCounts, k: int) -> None:
        self.counts, self.k = counts, k
        steps, edges = counts.steps, counts.edges
        self.n_units, self.buckets = steps.n_units, steps.buckets
        self.visits = unit_matrix(steps.unit, steps.code, steps.unit_n, (self.n_units, k))
        self.moves_by_edge = unit_matrix(
            edges.unit, edges.unit_edge, edges.unit_n, (self.n_units, len(edges.n))
        )

    def repeat(self) -> Estimates:
        """Share of the visits that are directly followed by another."""
        edges = self.counts.edges
        own = (edges.source == edges.target)[edges.unit_edge]
        loops = unit_matrix(
            edges.unit[own], edges.source[edges.unit_edge][own], edges.unit_n[own], (self.n_units, self.k)
        )
        return share_of_units(loops, self.visits, buckets=self.buckets)

    def paths(self) -> Estimates:
        """Share of the visits to the source that go on to the target."""
        return share_of_units(self.moves_by_edge, self.visits, self.counts.edges.source, buckets=self.buckets)

    def ends(self) -> Estimates:
        """Share of the visits after which the case has no further event."""
        edges = self.counts.edges
        source = edges.source[edges.unit_edge]
        departures = unit_matrix(edges.unit, source, edges.unit_n, (self.n_units, self.k))
        return share_of_units((self.visits - departures).tocsr(), self.visits, buckets=self.buckets)

    def drop_out(self) -> Estimates:
        """Share of the watched visits before the goal after which the journey was dropped."""
        leaving = self.counts.leaving
        assert leaving is not None
        shape = (self.n_units, self.k)
        left = unit_matrix(leaving.unit, leaving.step, leaving.n_left, shape)
        watched = unit_matrix(leaving.unit, leaving.step, leaving.n, shape)
        return share_of_units(left, watched, buckets=self.buckets)

    def moves(self, shown: Ints) -> Estimates:
        """Share of all moves on these edges or from a step to itself."""
        edges = self.counts.edges
        is_shown = edges.source == edges.target
        is_shown[shown] = True
        here = is_shown[edges.unit_edge]
        zero = np.zeros(len(edges.unit), int)
        wins = unit_matrix(edges.unit[here], zero[here], edges.unit_n[here], (self.n_units, 1))
        trials = unit_matrix(edges.unit, zero, edges.unit_n, (self.n_units, 1))
        share = share_of_units(wins, trials, buckets=self.buckets)
        return Estimates(share.estimate[0], share.lower[0], share.upper[0], share.n[0])
