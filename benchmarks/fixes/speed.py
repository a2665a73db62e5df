"""How long does the ranking take from canonical events? 40 activities, 3 segments, 30 fixes, 1,000 resamples.

    python benchmarks/fixes/speed.py                       100,000 customers, then a million
    python benchmarks/fixes/speed.py --customers 20000     one size

Each size runs in a process of its own, so that memory is its own. Seconds of the ranking begin when the events are
canonical and the journeys are defined; both are counted once before.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

import numpy as np
import pandas as pd

import journeymine as jm
import journeymine.analyses.fixes  # what it imports is not part of the ranking
from journeymine.bench.measure import measured
from journeymine.fixes.fix import Fix

ACTIVITIES, DROP, STEPS = 40, 0.035, 200
SEGMENTS = {"platform": ["mobile", "web", "app"]}
DAY_US = 86_400_000_000


def matrix(rng: np.random.Generator) -> np.ndarray:
    """Mostly forward, sometimes skipping, repeating or going back; columns: activities, goal, lost."""
    rows = np.zeros((ACTIVITIES, ACTIVITIES + 2))
    for i in range(ACTIVITIES):
        for step, weight in ((1, 0.6), (2, 0.15), (3, 0.05), (0, 0.08), (-1, 0.07)):
            rows[i, min(max(i + step, 0), ACTIVITIES)] += weight * rng.uniform(0.7, 1.3)
        rows[i] *= (1 - DROP * rng.uniform(0.5, 1.5)) / rows[i].sum()
        rows[i, -1] = 1 - rows[i].sum()
    return rows


def events(n: int, seed: int) -> pd.DataFrame:
    """Journeys of `n` customers, all walked at once."""
    rng = np.random.default_rng(seed)
    cumulative = matrix(rng).cumsum(axis=1)
    values = {name: rng.integers(0, len(kinds), n).astype(np.int8) for name, kinds in SEGMENTS.items()}
    alive, state = np.arange(n), np.zeros(n, np.int64)
    clock = rng.integers(0, 182 * DAY_US, n)
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for _ in range(STEPS):
        parts.append((alive, state, clock[alive]))
        state = (cumulative[state] < rng.random(len(alive))[:, None]).sum(axis=1).clip(0, ACTIVITIES + 1)
        clock[alive] += 60_000_000 + (rng.exponential(3600e6, len(alive))).astype(np.int64)
        won = state == ACTIVITIES
        parts.append((alive[won], state[won], clock[alive[won]]))
        alive, state = alive[state < ACTIVITIES], state[state < ACTIVITIES]
        if not len(alive):
            break
    case, activity, time_us = (np.concatenate([part[i] for part in parts]) for i in range(3))
    names = np.array([*(f"Step {i:02d}" for i in range(ACTIVITIES)), "Order placed"])
    frame = pd.DataFrame({"case_id": case, "activity": pd.Categorical.from_codes(activity, names)})
    frame["timestamp"] = pd.to_datetime(time_us + 1_767_225_600_000_000, unit="us", utc=True)
    for name, kinds in SEGMENTS.items():
        frame[name] = pd.Categorical.from_codes(values[name][case], kinds)
    return frame


def fixes() -> list[Fix]:
    """Thirty fixes of all kinds that need no calendar."""
    steps = [f"Step {i:02d}" for i in range(0, ACTIVITIES, 2)]
    found = [Fix(kind="drop_off", activity=step, share=0.3) for step in steps[:12]]
    found += [Fix(kind="drop_off", activity=s, segment=("platform", "mobile")) for s in steps[:6]]
    found += [Fix(kind="remove_step", activity=step) for step in steps[1:5]]
    found += [Fix(kind="loop", activity=step, share=0.5) for step in steps[5:9]]
    return found + [Fix(kind="wait", activity=step, share=0.5) for step in steps[9:13]]


def one(n: int, draws: int) -> None:
    frame = events(n, 0)
    rows = len(frame)
    began = time.perf_counter()
    log = jm.read_log(frame, case_id="case_id", activity="activity", timestamp="timestamp")
    log = log.journeys("Order placed", idle="14d", segments=list(SEGMENTS))
    assert log.end_states is not None
    canonical_s = time.perf_counter() - began
    del frame
    began = time.perf_counter()
    ranking, cost = measured(lambda: log.rank_fixes(candidates=fixes(), n_draws=draws, seed=0))
    wall = time.perf_counter() - began
    assert len(ranking.to_frame()) == 30
    memory = "" if cost.peak_mb is None else f"{cost.peak_mb:,.0f}"
    print(f"| {n:,} | {rows:,} | {canonical_s:.1f} | {wall:.1f} | {cost.cpu_s:.1f} | {memory} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--here", action="store_true", help="in this process")
    options = parser.parse_args()
    if options.here:
        one(options.customers[0], options.draws)
        return
    print(
        "| customers | events | canonical events s | ranking wall s | ranking CPU s | peak MB |\n|"
        + " ---: |" * 6,
        flush=True,
    )
    for n in options.customers:
        command = [sys.executable, __file__, "--here", "--customers", str(n), "--draws", str(options.draws)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
