"""The figures, in one place: each is a function of plain values that returns a `Figure`."""

from __future__ import annotations

from journeymine.draw.end_states import EndState, Variation, end_states
from journeymine.draw.figure import Figure
from journeymine.draw.forest import ForestBlock, ForestRow, forest
from journeymine.draw.heat import HeatStep, Move, heat

__all__ = [
    "EndState",
    "Figure",
    "ForestBlock",
    "ForestRow",
    "HeatStep",
    "Move",
    "Variation",
    "end_states",
    "forest",
    "heat",
]
