"""The prefix tree: what journeys do first, then, and how often they convert from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.paths.outcomes import conversion, matrix
from journeymine.uncertainty import Estimates, share_of_units

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.prefixes import PrefixCounts

    Ints = NDArray[np.int64]

SHOWN = 9
MAX_NAME = 60


@dataclass(frozen=True, slots=True, eq=False)
class PrefixTree:
    """The most frequent ways in which journeys begin, as a tree; node 0 is the start, before the first step.

    Journeys begin at their start and are followed up to the goal. Of every node, ``n`` is the sum of the journeys
    of its listed children, of those of its other children (`n_other`), of those that end there (`counts.ended`)
    and, at the last depth, of those that go on unseen.

    Attributes
    ----------
    counts
        The counts behind it: paths, parents, ends.
    n
        Journeys through each node, shape (m,).
    share
        Share of all journeys that pass each node, shape (m,).
    share_of_parent
        Share of the journeys at the node before that take this step, shape (m,); 1 for the root.
    conversion
        Share of the journeys through each node that reach the goal, among those whose outcome is known: that were
        over, by their goal or their last event, one `idle` before the end of the log (all journeys, if none is
        open). `n` is how many these are. Not available without a goal.
    n_other, n_other_children
        Journeys that go on to activities without a node of their own, and how many such activities, shape (m,).
    """

    counts: PrefixCounts
    n: Ints
    share: Estimates
    share_of_parent: Estimates
    conversion: Estimates
    n_other: Ints
    n_other_children: Ints

    def names(self, node: int) -> tuple[str, ...]:
        """Activities on the way to a node, from the first on."""
        return tuple(self.counts.activities[code] for code in self.counts.paths[node])

    def children(self, node: int) -> list[int]:
        """Nodes that follow a node, most frequent first."""
        found: list[int] = np.flatnonzero(self.counts.parent == node).tolist()
        return found

    def to_frame(self) -> pd.DataFrame:
        """One row a node, parents before their children.

        Columns: node, parent, depth, activities, n, estimate, lower, upper (share of all journeys), step,
        step_lower, step_upper (share of the journeys at the parent), conversion, conversion_lower,
        conversion_upper, n_known, n_converted_here, n_dropped_here, n_open_here, n_ended_here, n_other,
        n_other_children.
        """
        import pandas as pd

        ended = self.counts.ended
        columns = {
            "node": np.arange(len(self.n)),
            "parent": self.counts.parent,
            "depth": [len(path) for path in self.counts.paths],
            "activities": [self.names(node) for node in range(len(self.n))],
            "n": self.n,
            **_columns(self.share, ("estimate", "lower", "upper")),
            **_columns(self.share_of_parent, ("step", "step_lower", "step_upper")),
            **_columns(self.conversion, ("conversion", "conversion_lower", "conversion_upper")),
            "n_known": self.conversion.n,
            **{f"n_{state}_here": ended[:, i] for i, state in enumerate(("converted", "dropped", "open"))},
            "n_ended_here": ended.sum(axis=1),
            "n_other": self.n_other,
            "n_other_children": self.n_other_children,
        }
        return pd.DataFrame(columns).iloc[_in_depth(self.counts.parent)].reset_index(drop=True)

    def __repr__(self) -> str:
        lines = [
            f"PrefixTree: {len(self.n) - 1} nodes, depth {self.counts.depth}, {int(self.n[0]):,} journeys"
        ]
        for node in _in_depth(self.counts.parent)[1 : SHOWN + 1]:
            path = self.counts.paths[node]
            name = self.counts.activities[path[-1]].replace("\n", " ")[:MAX_NAME]
            found = self.conversion.at(node)
            end = f", {found['estimate']:.0%} convert" if found else ""
            lines.append(f"{'  ' * len(path)}{name}  {self.share.estimate[node]:.1%}{end}")
        return "\n".join([*lines, "Next: .to_frame()"])


def _columns(estimates: Estimates, names: tuple[str, str, str]) -> dict[str, NDArray[np.float64]]:
    return dict(zip(names, (estimates.estimate, estimates.lower, estimates.upper), strict=True))


def _in_depth(parent: Ints) -> list[int]:
    """Nodes in the order of reading: each followed by its children."""
    children: dict[int, list[int]] = {}
    for node, before in enumerate(parent.tolist()):
        children.setdefault(before, []).append(node)
    order, waiting = [], [0]
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting += reversed(children.get(node, []))
    return order


def estimate_prefix_tree(counts: PrefixCounts) -> PrefixTree:
    """Shares and conversions of the nodes with customer-level intervals."""
    through = matrix(counts.outcomes, counts.outcomes.n)
    n = np.asarray(through.sum(axis=0)).ravel().astype(np.int64)
    root, before = np.zeros(len(n), int), np.maximum(counts.parent, 0)
    listed = np.bincount(counts.parent[1:], weights=n[1:], minlength=len(n)).astype(np.int64)
    n_listed = np.bincount(counts.parent[1:], minlength=len(n))
    followed = np.array([len(path) < counts.depth for path in counts.paths])
    return PrefixTree(
        counts=counts,
        n=n,
        share=share_of_units(through, through, root, buckets=counts.outcomes.buckets),
        share_of_parent=share_of_units(through, through, before, buckets=counts.outcomes.buckets),
        conversion=conversion(counts.outcomes),
        n_other=np.where(followed, n - listed - counts.ended.sum(axis=1), 0),
        n_other_children=np.where(followed, counts.n_children - n_listed, 0),
    )
