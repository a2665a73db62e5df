"""A first-order chain of everybody: what is behind the removal effect and the naive what-if."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from journeymine.bench.habits.steps import Floats, Steps


def move_counts(steps: Steps) -> Floats:
    """Moves from each activity (rows) to each activity, the goal and being lost; shape (k, k + 2)."""
    k = len(steps.names)
    flat = np.bincount(steps.activity * (k + 2) + steps.next, minlength=k * (k + 2))
    return flat.reshape(k, k + 2).astype(float)


def start_shares(steps: Steps) -> Floats:
    """Where journeys start; shape (k,)."""
    n = np.bincount(steps.activity[steps.first], minlength=len(steps.names))
    return np.asarray(n / max(n.sum(), 1), float)


def shares(counts: Floats) -> Floats:
    """Rows that sum to one."""
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-300))


def converts(start: Floats, rows: Floats) -> float:
    """Share of journeys that reach the goal: a' (I - Q)^-1 r.

    Examples
    --------
    >>> round(converts(np.array([1.0]), np.array([[0.5, 0.2, 0.3]])), 6)
    0.4
    """
    k = len(rows)
    return float(start @ np.linalg.solve(np.eye(k) - rows[:, :k], rows[:, k]))
