"""Simulated worlds whose truth is known exactly: the demo shop, worlds for rankers of fixes, and plain chains."""

from __future__ import annotations

from journeymine.simulate.chains import ChainSample, ChainTruth, sample_chain
from journeymine.simulate.demo_shop import Shop, shop
from journeymine.simulate.faults import FAULTS
from journeymine.simulate.settings import ShopSettings
from journeymine.simulate.worlds import SCENARIOS, SHAPES, World, journeys, world

__all__ = [
    "FAULTS",
    "SCENARIOS",
    "SHAPES",
    "ChainSample",
    "ChainTruth",
    "Shop",
    "ShopSettings",
    "World",
    "journeys",
    "sample_chain",
    "shop",
    "world",
]
