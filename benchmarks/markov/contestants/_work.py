"""What contestants share: the counts on disk, and how a result is handed back."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

N_STATES, N_BUCKETS = 40, 200


def counts() -> dict[str, np.ndarray]:
    with np.load(sys.argv[1]) as stored:
        return {name: stored[name] for name in stored.files}


def n_draws() -> int:
    return int(sys.argv[2])


def dense(stored: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Moves by bucket, shape (200, 40, 42), and starts by bucket, shape (200, 40)."""
    moves = np.zeros((N_BUCKETS, N_STATES, N_STATES + 2))
    moves[stored["unit"], stored["source"], stored["target"]] = stored["n"]
    starts = np.zeros((N_BUCKETS, N_STATES))
    starts[stored["start_unit"], stored["start_state"]] = stored["start_n"]
    return moves, starts


def report(work: Callable[[], tuple[int, float | None]]) -> None:
    """Run the work once; print seconds, replicates that were really made, and the conversion it found."""
    began, cpu = time.perf_counter(), time.process_time()
    replicates, conversion = work()
    out = {
        "wall": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "replicates": replicates,
        "conversion": conversion,
    }
    print(json.dumps(out))
