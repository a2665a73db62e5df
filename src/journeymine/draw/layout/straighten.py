"""Straight lines: points of one way that stand nearly below each other are set exactly below each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from journeymine.draw.layout.graph import Path, Step
    from journeymine.draw.layout.order import Rows
    from journeymine.draw.layout.points import Points

NEAR: Final = 60.0
"""Steps are moved at most this far to stand below each other."""


def straighten(
    points: Points, rows: Rows, x: list[float], steps: Sequence[Step], paths: Sequence[Path]
) -> None:
    """Straighten the main ways between steps, then every long path, the most travelled first.

    Points keep their order and their gaps; a way that does not fit one line becomes a few straight pieces.
    """
    beside = _beside(points, rows)
    for way in main_ways(steps, paths, points):
        _straighten(points, x, way, beside, NEAR)
    by_count = sorted((path for path in paths if path.pair in points.chains), key=lambda p: (-p.n, p.pair))
    for path in by_count:
        _straighten(points, x, points.chains[path.pair], beside, float("inf"))


def main_ways(steps: Sequence[Step], paths: Sequence[Path], points: Points) -> list[list[int]]:
    """Return runs of steps in neighbouring rows, each the best next step of the one before, and that its best source.

    The run with most travellers first.
    """
    row = {v: r for r, found in enumerate(points.rows) for v in found}
    place = {step.id: i for i, step in enumerate(steps)}
    best_out: dict[int, tuple[int, int]] = {}
    best_in: dict[int, tuple[int, int]] = {}
    for path in sorted(paths, key=lambda path: (-path.n, path.pair)):
        a, b = place[path.source], place[path.target]
        best_out.setdefault(a, (b, path.n))
        best_in.setdefault(b, (a, path.n))
    follows = {a: b for a, (b, _) in best_out.items() if best_in[b][0] == a and row[b] == row[a] + 1}
    runs = []
    for a in sorted(set(follows) - set(follows.values())):
        run = [a]
        while run[-1] in follows:
            run.append(follows[run[-1]])
        runs.append(run)
    return sorted(runs, key=lambda run: (-sum(best_out[v][1] for v in run[:-1]), run))


def _beside(points: Points, rows: Rows) -> Mapping[int, tuple[int | None, int | None]]:
    """Left and right neighbour of every point."""
    out: dict[int, tuple[int | None, int | None]] = {}
    for row in rows:
        for i, v in enumerate(row):
            out[v] = (row[i - 1] if i else None, row[i + 1] if i + 1 < len(row) else None)
    return out


def _straighten(
    points: Points,
    x: list[float],
    way: Sequence[int],
    beside: Mapping[int, tuple[int | None, int | None]],
    reach: float,
) -> None:
    piece: list[int] = []
    low, high = float("-inf"), float("inf")
    for v in (*way, None):
        if v is not None:
            left, right = beside[v]
            own_low = x[left] + points.gap(left, v) if left is not None else float("-inf")
            own_high = x[right] - points.gap(v, right) if right is not None else float("inf")
            own_low, own_high = max(own_low, x[v] - reach), min(own_high, x[v] + reach)
            if max(low, own_low) <= min(high, own_high):
                piece.append(v)
                low, high = max(low, own_low), min(high, own_high)
                continue
        if len(piece) > 1:
            mean = sum(x[p] for p in piece) / len(piece)
            for p in piece:
                x[p] = min(max(mean, low), high)
        if v is not None:
            piece, low, high = [v], own_low, own_high
