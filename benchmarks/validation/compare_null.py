"""Does `compare` stay silent where nothing differs?

    python benchmarks/validation/compare_null.py                         five worlds, 400 logs each, some minutes
    python benchmarks/validation/compare_null.py --world few --logs 100  one world, fewer logs

Each log is sampled from one chain of ten activities whose customers differ from each other and come several times,
read through the public API, and split where nothing differs: by a random value of each customer or each journey, or
by a date. A log counts if any move at all is kept. The promise is an error rate of 5 %; of 400 logs at most 29 may
count (the upper 2.5 % bound of a rate of 5 %). One line a world: logs that count, rows kept, intervals of
differences that hold 0 (of moves with at least 30 departures in each group), and how often the intervals of the
parts of the difference in conversion hold 0.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import journeymine as jm
from journeymine.analyses.differences import compare
from journeymine.simulate import sample_chain

if TYPE_CHECKING:
    import pandas as pd

    from journeymine.paths.differences import Differences

N_STATES = 10
MOST = 29
MIN_DEPARTURES = 30
HALF_A_YEAR = "2026-07-02"


@dataclass(frozen=True, slots=True)
class World:
    """Journeys, journeys a customer, how much customers differ, what is split, and share of the first group."""

    n_cases: int
    cases_per_customer: float
    customer_sd: float
    split: str
    share: float = 0.5
    strata: bool = False


WORLDS = {
    "few": World(300, 8.0, 1.0, "customer"),
    "small": World(900, 3.0, 1.0, "customer"),
    "rare": World(1500, 3.0, 1.0, "customer", share=0.12),
    "medium": World(2000, 4.0, 1.0, "journey", strata=True),
    "period": World(1500, 4.0, 1.0, "period"),
}


def matrix() -> np.ndarray:
    """One chain of ten activities: each leads to three to six others, to the goal and out."""
    rng = np.random.default_rng(7)
    moves = np.zeros((N_STATES, N_STATES + 2))
    for state in range(N_STATES):
        others = rng.choice(N_STATES, size=rng.integers(3, 7), replace=False)
        moves[state, others] = rng.dirichlet(np.ones(len(others))) * 0.72
        moves[state, N_STATES:] = 0.06 + 0.03 * (state > N_STATES / 2), 0.22 - 0.03 * (state > N_STATES / 2)
    return moves / moves.sum(axis=1, keepdims=True)


def split(events: pd.DataFrame, world: World, seed: int) -> pd.DataFrame:
    """Give customers or journeys a value that means nothing, and where asked a second one."""
    rng = np.random.default_rng([seed, 1])
    for column, key, share in (
        ("group", "customer_id" if world.split == "customer" else "case_id", world.share),
        ("other", "case_id", 0.3),
    ):
        names, place = np.unique(events[key].to_numpy(), return_inverse=True)
        events[column] = np.where(rng.random(len(names)) < share, "a", "b")[place]
    return events


def differences(world: World, seed: int) -> Differences:
    """Compare two groups of one log."""
    start = np.full(N_STATES, 1 / N_STATES)
    sampled = sample_chain(
        matrix(),
        start,
        world.n_cases,
        seed,
        cases_per_customer=world.cases_per_customer,
        customer_sd=world.customer_sd,
    )
    log = jm.read_log(
        split(sampled.events, world, seed),
        case_id="case_id",
        customer_id="customer_id",
        activity="activity",
        timestamp="timestamp",
        threads=1,
    )
    log = log.journeys("Goal", idle="30d", segments=["other"] if world.strata else None)
    if world.split == "period":
        return compare(log, "period", ("2025-01-01", HALF_A_YEAR))
    return compare(log, "group", "a", "b")


def run(name: str, n_logs: int, seed: int) -> None:
    """Judge one world."""
    began = time.perf_counter()
    counted, rows, tested, held, parts = 0, 0, 0, [], []
    for number in range(n_logs):
        found = differences(WORLDS[name], seed + number)
        counted += found.n_kept > 0
        rows += found.n_kept_rows
        tested += found.n_tested_rows
        d, a, b = found.shares.difference, found.shares.a, found.shares.b
        judged = (np.minimum(a.n, b.n) >= MIN_DEPARTURES) & (np.abs(d.estimate) > 0)
        held.append(((d.lower <= 0) & (d.upper >= 0))[judged].mean())
        assert found.mix is not None
        three = (found.mix.difference, found.mix.composition, found.mix.behaviour)
        parts.append([part.lower <= 0 <= part.upper for part in three])
    total, who, what = np.mean(parts, axis=0)
    verdict = "kept" if counted <= MOST * n_logs / 400 else "BROKEN"
    print(
        f"{name:8} {counted:3} of {n_logs} logs with a difference ({verdict}), {rows} of {tested} rows; intervals "
        f"hold 0: moves {np.mean(held):.3f}, conversion {total:.3f}, who {who:.3f}, what {what:.3f}; "
        f"{time.perf_counter() - began:.0f} s",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--world", choices=WORLDS, action="append")
    parser.add_argument("--logs", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for name in given.world or WORLDS:
        run(name, given.logs, given.seed)


if __name__ == "__main__":
    main()
