"""Which paths a process map draws, which of them it shows at first, and its main way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from journeymine.draw.layout.backbone import backbone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from journeymine.counts.process_map import MapCounts
    from journeymine.paths.process_fold import Steps

    Ints = NDArray[np.int64]

MAX_PATHS: Final = 150
BESIDES: Final = 6
"""Paths that are shown besides the backbone."""
SHOWN_BONUS: Final = 1.1
"""A path that an earlier run showed stays shown unless another is clearly more travelled."""
LONGEST_WAY: Final = 12


@dataclass(frozen=True, slots=True, eq=False)
class PathChoice:
    """Places among the edges of the paths that are drawn; how many are shown, and how many there are."""

    edge: Ints
    in_backbone: NDArray[np.bool_]
    n_shown: int
    n_all: int

    @staticmethod
    def of(counts: MapCounts, steps: Steps, previous: Mapping[str, Any] | None) -> PathChoice:
        """Choose by count: the backbone first, then the others."""
        edges, ids = counts.edges, steps.ids
        between = np.flatnonzero(edges.source != edges.target)
        names = [(ids[edges.source[e]], ids[edges.target[e]]) for e in between]
        n = edges.n[between].tolist()
        kept = backbone([(a, b, count) for (a, b), count in zip(names, n, strict=True)])
        before = set(map(tuple, (previous or {}).get("shown", ())))
        weight = [
            count * (SHOWN_BONUS if pair in before else 1.0) for pair, count in zip(names, n, strict=True)
        ]
        first = sorted(range(len(names)), key=lambda i: (names[i] not in kept, -weight[i], names[i]))
        drawn = first[:MAX_PATHS]
        return PathChoice(
            between[drawn].astype(np.int64),
            np.array([names[i] in kept for i in drawn], dtype=bool),
            min(len(kept) + BESIDES, len(drawn)),
            len(names),
        )


def main_way(counts: MapCounts, steps: Steps, goal: tuple[int, ...]) -> tuple[int, ...]:
    """Follow the most travelled path from the most frequent start, until the goal or until most leave."""
    edges, visits = counts.edges, counts.steps.n
    k = len(visits)
    follows = np.zeros((k, k), np.int64)
    follows[edges.source, edges.target] = edges.n
    starts, ends = visits - follows.sum(axis=0), visits - follows.sum(axis=1)
    np.fill_diagonal(follows, 0)
    ids = np.array(steps.ids)
    goals = {int(steps.of[code]) for code in goal}
    # A step that stands for many is no way to go.
    shared = np.array([len(members) > 1 for members in steps.members])
    follows[:, shared] = 0
    at = int(np.lexsort((ids, -starts, shared))[0])
    way = [at]
    while at not in goals and len(way) < LONGEST_WAY:
        onward = follows[at].copy()
        onward[way] = 0
        best = int(np.lexsort((ids, -onward))[0])
        if onward[best] == 0 or ends[at] > onward[best]:
            break
        way.append(best)
        at = best
    return tuple(way)
