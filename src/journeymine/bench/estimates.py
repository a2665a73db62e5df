"""Figures over logs with their intervals: the log is the unit that is resampled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from journeymine.uncertainty import (
    bootstrap_weights,
    percentile_interval,
    share_of_units,
    unit_column,
    unit_matrix,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

N_DRAWS: Final = 2000
SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its 95 % interval; `n` rows from `n_logs` logs."""

    estimate: float
    lower: float
    upper: float
    n: int
    n_logs: int


def mean_over_logs(values: Sequence[float], logs: Sequence[Hashable]) -> Figure | None:
    """Mean of values, its interval from the bootstrap of whole logs; None without values.

    Examples
    --------
    >>> mean_over_logs([1.0, 1.0, 3.0, 3.0], ["a", "a", "b", "b"])
    Figure(estimate=2.0, lower=1.0, upper=3.0, n=4, n_logs=2)
    """
    if not values:
        return None
    unit, n_logs = _units(logs)
    x = np.asarray(values, dtype=float)
    total, n = np.bincount(unit, weights=x, minlength=n_logs), np.bincount(unit, minlength=n_logs)
    draws = np.concatenate([(w @ total) / (w @ n) for w in bootstrap_weights(n_logs, N_DRAWS, SEED)])
    found = percentile_interval(np.asarray(x.mean()), draws, len(x))
    return Figure(float(x.mean()), float(found.lower), float(found.upper), len(x), n_logs)


def share_over_logs(hits: Sequence[bool], logs: Sequence[Hashable]) -> Figure | None:
    """Share of hits, Wilson's interval at the size that rows which go together by log are worth; None without rows.

    Examples
    --------
    >>> share = share_over_logs([True] * 9 + [False], list(range(10)))
    >>> share.estimate, round(share.lower, 3), round(share.upper, 3)
    (0.9, 0.577, 0.983)
    """
    if not hits:
        return None
    unit, n_logs = _units(logs)
    won = unit_matrix(unit, np.zeros(len(unit), int), np.asarray(hits, dtype=float), (n_logs, 1))
    share = share_of_units(won, unit_column(np.bincount(unit, minlength=n_logs)))
    return Figure(float(share.estimate[0]), float(share.lower[0]), float(share.upper[0]), len(hits), n_logs)


def _units(logs: Sequence[Hashable]) -> tuple[NDArray[np.int64], int]:
    place = {log: i for i, log in enumerate(dict.fromkeys(logs))}
    return np.array([place[log] for log in logs], dtype=np.int64), len(place)
