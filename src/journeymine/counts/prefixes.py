"""Counts of the prefix tree: what journeys did first, and then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from journeymine.counts.outcomes import OutcomeCounts

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PrefixCounts:
    """Nodes of the prefix tree, the root (no step yet) first, then most frequent first.

    Attributes
    ----------
    activities
        Names by code.
    paths
        Codes of the steps to each node, shape (m,); the root has none.
    parent
        Node before the last step, shape (m,); -1 for the root.
    outcomes
        Journeys through each node, by unit and outcome: a column a node.
    ended
        Journeys that end at each node as converted, dropped, open and of unknown state, shape (m, 4).
    n_children
        Different activities that follow each node, shape (m,).
    depth
        Steps that were followed.
    """

    activities: tuple[str, ...]
    paths: tuple[tuple[int, ...], ...]
    parent: Ints
    outcomes: OutcomeCounts
    ended: Ints
    n_children: Ints
    depth: int
