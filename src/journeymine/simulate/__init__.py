"""Simulated worlds whose truth is known exactly: the demo shop, and plain chains for coverage tests."""

from __future__ import annotations

from journeymine.simulate.chains import ChainSample, ChainTruth, sample_chain
from journeymine.simulate.demo_shop import Shop, shop
from journeymine.simulate.faults import FAULTS
from journeymine.simulate.settings import ShopSettings

__all__ = ["FAULTS", "ChainSample", "ChainTruth", "Shop", "ShopSettings", "sample_chain", "shop"]
