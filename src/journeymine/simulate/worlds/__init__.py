"""Worlds of the fix benchmark: three shapes of journeys in sixteen scenarios, with the exact effect of every fix."""

from __future__ import annotations

from journeymine.simulate.worlds.build import SCENARIOS, SHAPES, world
from journeymine.simulate.worlds.frames import journeys
from journeymine.simulate.worlds.known import World

__all__ = ["SCENARIOS", "SHAPES", "World", "journeys", "world"]
