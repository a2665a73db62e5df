"""Outcomes that fixes are ranked by: what the goal is worth, and what a visit brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from journeymine.uncertainty import unit_matrix

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.fixes.what_if.cell_model import CellModel

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

OUTCOMES: Final = ("conversion", "revenue", "time")
POOLED_VISITS = 20.0
"""Visits' (or conversions') worth of the mean over all cells that each cell's mean starts from."""
DAY_US: Final = 86_400_000_000


class Outcome(Protocol):
    """A value per start that adds up along a journey; other values, such as active days, join here."""

    @property
    def sign(self) -> float:
        """1 where more is better, -1 where less is."""
        ...

    @property
    def worth(self) -> Callable[[Floats], Floats] | None:
        """Mean worth of a conversion in each draw, shape (draws,); None where the outcome is none of conversions."""
        ...

    def at_goal(self, weights: Floats) -> Floats | float:
        """Worth of the goal by part, shape (draws, parts)."""
        ...

    def of_visit(self, weights: Floats) -> Floats | None:
        """What a visit that goes on brings, by part and state, shape (draws, parts, k); None for nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Conversion:
    """The share of journeys that reach the goal."""

    sign: float = 1.0

    @property
    def worth(self) -> Callable[[Floats], Floats]:
        """A conversion is a conversion."""
        return lambda weights: np.ones(len(weights))

    def at_goal(self, weights: Floats) -> float:
        """Every goal counts the same."""
        del weights
        return 1.0

    def of_visit(self, weights: Floats) -> None:
        """Visits bring nothing by themselves."""
        del weights


class Revenue:
    """Money per start: the mean value of a conversion in each cell, in every draw.

    Parameters
    ----------
    unit, cell, money, n
        Conversions with a known value: money and number by unit and cell, shape (m,).
    """

    sign = 1.0

    def __init__(self, model: CellModel, unit: Ints, cell: Ints, money: Floats, n: Ints) -> None:
        shape = (model.n_units, model.n_cells)
        self.money = unit_matrix(unit, model.cell_of[cell], money, shape)
        self.n = unit_matrix(unit, model.cell_of[cell], n, shape)
        self.part_cell = model.part_cell

    @property
    def worth(self) -> Callable[[Floats], Floats]:
        """Mean value of a conversion over all cells."""

        def mean(weights: Floats) -> Floats:
            money, n = (weights @ self.money).sum(axis=1), (weights @ self.n).sum(axis=1)
            return np.asarray(np.divide(money, n, out=np.zeros_like(money), where=n > 0))

        return mean

    def at_goal(self, weights: Floats) -> Floats:
        """Mean value of a conversion by part."""
        return _leaning(weights @ self.money, weights @ self.n)[:, self.part_cell]

    def of_visit(self, weights: Floats) -> None:
        """Visits bring nothing by themselves."""
        del weights


class Time:
    """Days from the start until the last event of a journey; a fix is better the more it saves."""

    sign = -1.0
    worth = None

    def __init__(self, model: CellModel, counts: ChainCounts) -> None:
        shape = (model.n_units, model.n_cells * model.k)
        goes_on = counts.target != -1
        column = model.cell_of[counts.cell] * model.k + counts.source
        self.days = unit_matrix(
            counts.unit[goes_on], column[goes_on], counts.wait_us[goes_on] / DAY_US, shape
        )
        self.n = unit_matrix(counts.unit[goes_on], column[goes_on], counts.n[goes_on], shape)
        self.n_cells, self.k, self.part_cell = model.n_cells, model.k, model.part_cell

    def at_goal(self, weights: Floats) -> float:
        """The goal takes no time."""
        del weights
        return 0.0

    def of_visit(self, weights: Floats) -> Floats:
        """Mean days until the next event, of the visits that go on."""
        shape = (len(weights), self.n_cells, self.k)
        days, n = (weights @ self.days).reshape(shape), (weights @ self.n).reshape(shape)
        return _leaning(days, n)[:, self.part_cell]


def _leaning(total: Floats, n: Floats) -> Floats:
    """Means by cell (axis 1) that start from the mean over all cells."""
    every, count = total.sum(axis=1, keepdims=True), n.sum(axis=1, keepdims=True)
    mean = np.divide(every, count, out=np.zeros_like(every), where=count > 0)
    return np.asarray((total + POOLED_VISITS * mean) / (n + POOLED_VISITS))
