"""Time the steps of a contestant and print them as one line of JSON. Standard library only: peers import it too."""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Stages:
    """Wall and CPU seconds by step; what is found goes along, so that contestants can be held against each other."""

    def __init__(self) -> None:
        self.seconds: dict[str, dict[str, float]] = {}
        self.found: dict[str, Any] = {}

    def time(self, name: str, work: Callable[[], T]) -> T:
        """Run `work` and keep how long it took."""
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        self.seconds[name] = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        return result

    def add(self, name: str, *parts: str) -> None:
        """Keep the sum of several steps as one."""
        self.seconds[name] = {
            unit: sum(self.seconds[part][unit] for part in parts) for unit in ("wall", "cpu")
        }

    def peak(self, name: str) -> None:
        """Keep the peak memory up to here, in MB."""
        self.seconds[name]["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def print(self) -> None:
        """Write everything to stdout."""
        json.dump({"stages": self.seconds, "found": self.found}, sys.stdout)
        sys.stdout.write("\n")
