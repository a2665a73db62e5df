"""Local search: a point goes to another place in its row if that makes the row shorter or less tangled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journeymine.draw.layout.places import isotonic, wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine.draw.layout.order import Rows
    from journeymine.draw.layout.points import Points

ROUNDS: Final = 10
MAX_POINTS: Final = 150
MAX_TRIALS: Final = 3000
"""Rows that are tried in one layout: the search ends there, however much there is left to gain."""
KEEP: Final = 0.95
CROSSING: Final = 1.5


def improve(points: Points, rows: Rows, x: list[float]) -> int:
    """Move points inside their rows as long as that pays; return how many rows were tried.

    Where a previous run is to be kept, a move must save more than 5 % of the cost of its row.
    """
    if len(points.left) >= MAX_POINTS:
        return 0
    keep = KEEP if any(home is not None for home in points.home) else 1.0
    trials = 0
    for turn in range(ROUNDS):
        moved = False
        for r in range(len(rows)) if turn % 2 else reversed(range(len(rows))):
            better, tried = _improve_row(points, rows, r, x, keep, MAX_TRIALS - trials)
            moved, trials = moved or better, trials + tried
        if not moved or trials >= MAX_TRIALS:
            break
    return trials


def _improve_row(
    points: Points, rows: Rows, r: int, x: list[float], keep: float, budget: int
) -> tuple[bool, int]:
    if not rows[r]:
        return False, 0
    cost, places = _place(points, x, rows[r])
    _set(x, rows[r], places)
    moved, trials = False, 0
    n = len(rows[r])
    for i in range(n):
        for j in range(n):
            if i == j or trials >= budget:
                continue
            trial = list(rows[r])
            trial.insert(j, trial.pop(i))
            trials += 1
            new, places = _place(points, x, trial)
            if new < cost * keep - 1e-6:
                rows[r], cost, moved = trial, new, True
                _set(x, trial, places)
    return moved, trials


def _set(x: list[float], row: Sequence[int], places: Sequence[float]) -> None:
    for v, place in zip(row, places, strict=True):
        x[v] = place


def _place(points: Points, x: Sequence[float], row: Sequence[int]) -> tuple[float, list[float]]:
    """Best places of a row in this order, and their cost: squared lengths, and crossings by the thinner line."""
    wants, pulls = zip(*(wanted(points, x, v) for v in row), strict=True)
    places = isotonic(wants, pulls, points.gaps(row))
    cost = 0.0
    for near in (points.up, points.down):
        lines = [(place, x[u], pull) for v, place in zip(row, places, strict=True) for u, pull in near[v]]
        lines.sort()
        cost += sum(pull * (a - b) ** 2 for a, b, pull in lines) / 1e4
        for i, (a, b, pull) in enumerate(lines):
            cost += CROSSING * sum(min(pull, other) for c, d, other in lines[i + 1 :] if a < c and b > d + 1)
    return cost, places
