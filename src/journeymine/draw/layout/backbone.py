"""Which paths are always kept: the best way into and out of every step, so that no box is an orphan."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.draw.layout.graph import Pair


def backbone(paths: Sequence[tuple[str, str, float]]) -> set[Pair]:
    """Return the pairs that carry most into and out of each step; ties go by id.

    Parameters
    ----------
    paths
        Source, target and weight of each path.

    Examples
    --------
    >>> sorted(backbone([("a", "b", 9), ("a", "c", 2), ("b", "c", 5)]))
    [('a', 'b'), ('b', 'c')]
    """
    best: dict[tuple[bool, str], tuple[float, str, str]] = {}
    for source, target, weight in sorted(paths):
        for key in ((True, source), (False, target)):
            if key not in best or weight > best[key][0]:
                best[key] = (weight, source, target)
    return {(source, target) for _, source, target in best.values()}
