"""What a ranker costs: CPU seconds of this process, and the peak of its memory where the system can say."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    Result = TypeVar("Result")

_RESET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of all threads; peak memory of the process in MB, None where the system cannot say."""

    cpu_s: float
    peak_mb: float | None


def measured(work: Callable[[], Result]) -> tuple[Result, Cost]:
    """Do some work and say what it cost.

    Examples
    --------
    >>> found, cost = measured(lambda: sum(range(1000)))
    >>> found, cost.cpu_s >= 0
    (499500, True)
    """
    is_reset = _reset_peak()
    began = time.process_time()
    found = work()
    return found, Cost(time.process_time() - began, _peak_mb() if is_reset else None)


def _reset_peak() -> bool:
    """Start the high-water mark of this process anew (Linux)."""
    try:
        _RESET.write_text("5")
    except OSError:
        return False
    return True


def _peak_mb() -> float | None:
    for line in _STATUS.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return None
