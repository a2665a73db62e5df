"""Do the 95 % intervals of the conversion chain hold the truth in 93 to 97 % of logs?

    python benchmarks/validation/coverage.py                          six worlds, 500 logs each, half an hour
    python benchmarks/validation/coverage.py --world open --logs 100  one world, fewer logs

Each log is sampled from a chain whose truth is exact, read through the public API, and judged twice: with the
customers as units, and with the same customers in 200 buckets, as logs of above 20,000 customers are. In the
truncated worlds everything before a day is missing: journeys are under way when the log begins.
"row at once" asks whether the intervals of all moves of a state hold together.
One line a quantity: coverage, its standard error (logs are the sample, not shares), how often the interval lay
wholly below or above the truth, its mean width, and the largest bias of a number in standard deviations of it.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtr

import journeymine as jm
from journeymine.markov.absorbing import (
    absorb,
    derivative,
    remaining_steps,
    remaining_time,
    seconds_to_goal,
    steps_to_goal,
)
from journeymine.markov.analytics import chain_outcomes
from journeymine.markov.estimation import ChainModel
from journeymine.markov.fit import fit_chain
from journeymine.markov.rows import edge_matrices, simultaneous_rows
from journeymine.simulate import ChainSample, sample_chain
from journeymine.uncertainty import Estimates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journeymine.counts.chain import ChainCounts
    from journeymine.markov.absorbing import Absorbed
    from journeymine.markov.chain import MarkovChain

THREE = [[0.20, 0.50, 0.00, 0.05, 0.25], [0.10, 0.00, 0.60, 0.00, 0.30], [0.00, 0.15, 0.10, 0.55, 0.20]]
"""Visit, Form, Pay: a self-loop, ways back, an exit from each state."""
TWO = [[0.0, 0.7, 0.062, 0.238], [0.10, 0.0, 0.65, 0.25]]
FAST_AND_SLOW = [[1.0, 2.0, 8.0], [6.0, 1.0, 12.0]]
"""Mean days before each move: the goal comes slowly, so that fast exits would be over-counted near the end."""
MIN_VISITS = 30
MIN_MOVES = 5
"""An edge is judged if this many moves are expected of it: one seen by luck only is not."""
N_BUCKETS = 200
N_DRAWS = 400


@dataclass(frozen=True, slots=True)
class World:
    """What is sampled: arguments of `sample_chain`."""

    matrix: list[list[float]]
    start: list[float]
    n: int
    options: dict[str, object]
    cut_days: float = 0.0
    """Events before this day are missing."""


WORLDS = {
    "independent": World(THREE, [1, 0, 0], 1000, {"days": 3650.0}),
    "repeated": World(
        THREE, [0.6, 0.3, 0.1], 1500, {"days": 3650.0, "cases_per_customer": 4.0, "customer_sd": 1.0}
    ),
    "open": World(TWO, [1, 0], 2000, {"open_share": 0.4, "wait_days": FAST_AND_SLOW}),
    "open_repeated": World(
        TWO,
        [1, 0],
        2000,
        {
            "open_share": 0.4,
            "wait_days": FAST_AND_SLOW,
            "waits": "lognormal",
            "cases_per_customer": 4.0,
            "customer_sd": 1.0,
        },
    ),
    "truncated": World(
        TWO,
        [1, 0],
        3000,
        {
            "days": 150.0,
            "wait_days": FAST_AND_SLOW,
            "waits": "lognormal",
            "cases_per_customer": 4.0,
            "customer_sd": 1.0,
        },
        cut_days=30.0,
    ),
    "truncated_open": World(
        TWO,
        [1, 0],
        6000,
        {"open_share": 0.4, "wait_days": FAST_AND_SLOW, "cases_per_customer": 4.0},
        cut_days=10.0,
    ),
}


def sample(name: str, seed: int) -> ChainSample:
    """One log of a world."""
    world = WORLDS[name]
    whole = sample_chain(world.matrix, world.start, world.n, seed, **world.options)  # type: ignore[arg-type]
    if not world.cut_days:
        return whole
    begin = whole.events["timestamp"].min().normalize() + pd.Timedelta(days=world.cut_days)
    return dataclasses.replace(whole, events=whole.events[whole.events["timestamp"] >= begin])


def read(sampled: ChainSample) -> jm.EventLog:
    """The log as users read it."""
    log = jm.read_log(
        sampled.events,
        case_id="case_id",
        customer_id="customer_id",
        activity="activity",
        timestamp="timestamp",
        threads=1,
    )
    return log.journeys("Goal", idle="30d")


def bucketed(counts: ChainCounts) -> ChainCounts:
    """The same counts with customers in 200 buckets."""
    names = (str(unit).encode() for unit in range(counts.n_units))
    bucket = np.array(
        [int.from_bytes(hashlib.md5(name, usedforsecurity=False).digest()[:7]) % N_BUCKETS for name in names]
    )
    return dataclasses.replace(
        counts, unit=bucket[counts.unit], start_unit=bucket[counts.start_unit], n_units=N_BUCKETS
    )


def mean_waits(name: str) -> np.ndarray:
    """Mean wait of each move in seconds, shape (k, k + 2): drawn below 25 days."""
    options, k = WORLDS[name].options, len(WORLDS[name].start)
    mean = np.broadcast_to(np.asarray(options.get("wait_days", 1.0), dtype=float), (k, k + 1))
    longest = 25.0
    if options.get("waits") == "lognormal":
        centre = np.log(mean) - 0.5
        at = np.log(longest) - centre
        days = mean * ndtr(at - 1.0) / ndtr(at)
    else:
        days = mean - longest / np.expm1(longest / mean)
    return np.concatenate([days, np.zeros((k, 1))], axis=1) * 86_400


def judged(
    chain: MarkovChain, sampled: ChainSample, name: str, seed: int
) -> Iterator[tuple[str, float, Estimates, int]]:
    """(quantity, truth, estimates, index) of all that is judged in one fit."""
    start = np.array(WORLDS[name].start, dtype=float)
    shares, k = sampled.truth.shares, len(start)
    assert chain.states == tuple("ABC"[:k])
    solved = absorb(shares[:, :k], shares[:, k], start)
    slope = derivative(solved, shares)
    yield "conversion", sampled.truth.conversion, chain.converted, -1
    visits = np.bincount(chain.counts.source, weights=chain.counts.n, minlength=k)
    for edge, (i, j) in enumerate(chain.edges.tolist()):
        if visits[i] >= MIN_VISITS and visits[i] * shares[i, j] >= MIN_MOVES:
            yield "transition share", float(shares[i, j]), chain.edge_share, edge
            yield "sensitivity", float(slope[i, j]), chain.slope, edge
    for i in range(k):
        yield "conversion from a state", float(solved.hit[i]), chain.hit, i
        yield "visits", float(sampled.truth.visits[i]), chain.visit, i
    yield from whole_rows(chain.counts, shares, visits)
    states, _ = chain_outcomes(ChainModel(chain.counts), n_draws=N_DRAWS, seed=seed)
    for quantity, truth in _truths(solved, shares, mean_waits(name)).items():
        for i in range(k):
            yield quantity.replace("_", " "), float(truth[i]), states.of_state[quantity], i


def _truths(solved: Absorbed, shares: np.ndarray, wait: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "remaining_steps": remaining_steps(solved),
        "remaining_seconds": remaining_time(solved, shares, wait),
        "steps_to_goal": steps_to_goal(solved),
        "seconds_to_goal": seconds_to_goal(solved, shares, wait),
    }


def whole_rows(
    counts: ChainCounts, shares: np.ndarray, visits: np.ndarray
) -> Iterator[tuple[str, float, Estimates, int]]:
    """Whether all moves of a state lie in their intervals at once, written as 1 inside or outside [1, 1]."""
    edges = np.argwhere(shares > 0)
    moves, departures = edge_matrices(counts, edges)
    rows = simultaneous_rows(moves, departures, edges[:, 0], buckets=counts.buckets)
    truth = shares[edges[:, 0], edges[:, 1]]
    held = (rows.lower <= truth) & (truth <= rows.upper)
    for i in np.flatnonzero(visits >= MIN_VISITS).tolist():
        here = edges[:, 0] == i
        bound = np.array(1.0 if held[here].all() else 0.0)
        yield "row at once", 1.0, Estimates(bound, bound, bound, int(visits[i])), -1


def outcomes(name: str, seed: int) -> list[dict[str, object]]:
    """One row for each number judged in one log of a world."""
    sampled = sample(name, seed)
    log = read(sampled)
    chain = log.fit_markov(n_draws=N_DRAWS, seed=seed)
    fits = {
        "customers": chain,
        "buckets": fit_chain(bucketed(chain.counts), n_draws=N_DRAWS, seed=seed),
    }
    rows = [
        _row(units, quantity, truth, values, at, seed)
        for units, fit in fits.items()
        for quantity, truth, values, at in judged(fit, sampled, name, seed)
    ]
    if "open_share" not in WORLDS[name].options and not WORLDS[name].cut_days:
        rows += _transitions(log, sampled, seed)
    return rows


def _transitions(log: jm.EventLog, sampled: ChainSample, seed: int) -> list[dict[str, object]]:
    """Directly-follows shares of the whole log; where journeys are open they describe what was seen, not the chain."""
    shares = sampled.truth.shares
    seen = log.transitions()
    k = len(shares)
    names = [*"ABC"[:k], "Goal"]
    onward = shares[:, : k + 1] / shares[:, : k + 1].sum(axis=1, keepdims=True)
    rows = []
    for at, (a, b) in enumerate(zip(seen.counts.source.tolist(), seen.counts.target.tolist(), strict=True)):
        i, j = names.index(seen.counts.activities[a]), names.index(seen.counts.activities[b])
        if seen.share.n[at] >= MIN_VISITS and seen.share.n[at] * onward[i, j] >= MIN_MOVES:
            rows.append(
                _row("customers", "directly-follows share", float(onward[i, j]), seen.share, at, seed)
            )
    return rows


def _row(units: str, quantity: str, truth: float, values: Estimates, at: int, seed: int) -> dict[str, object]:
    index = () if at < 0 else at
    low, high = float(values.lower[index]), float(values.upper[index])
    estimate = float(values.estimate[index])
    assert not math.isnan(low)
    assert not math.isnan(high)
    return {
        "units": units,
        "quantity": quantity,
        "truth": truth,
        "seed": seed,
        "held": low <= truth <= high,
        "below": high < truth,
        "above": low > truth,
        "width": high - low,
        "error": estimate - truth,
    }


def table(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Coverage by units and quantity."""
    frame = pd.DataFrame(rows)
    by_log = frame.groupby(["units", "quantity", "seed"], sort=False)[
        ["held", "below", "above", "width"]
    ].mean()
    errors = frame.groupby(["units", "quantity", "truth"], sort=False)["error"]
    bias = (errors.mean() / errors.std()).abs().groupby(level=["units", "quantity"], sort=False).max()
    grouped = by_log.groupby(level=["units", "quantity"], sort=False)
    means, spread, logs = grouped.mean(), grouped.std(), grouped.size()
    return pd.DataFrame(
        {
            "logs": logs,
            "numbers": frame.groupby(["units", "quantity"], sort=False).size(),
            "coverage": means["held"],
            "se": spread["held"] / np.sqrt(logs),
            "below": means["below"],
            "above": means["above"],
            "width": means["width"],
            "bias_in_sd": bias,
        }
    )


def main() -> None:
    """Print one table a world."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--world", choices=list(WORLDS), action="append")
    parser.add_argument("--logs", type=int, default=500)
    parser.add_argument("--first-seed", type=int, default=0)
    options = parser.parse_args()
    for name in options.world or list(WORLDS):
        began = time.perf_counter()
        rows: list[dict[str, object]] = []
        for seed in range(options.first_seed, options.first_seed + options.logs):
            rows += outcomes(name, seed)
        print(f"{name}: {WORLDS[name].n} cases a log, {time.perf_counter() - began:.0f} s")
        print(table(rows).round(4).to_string(), flush=True)


if __name__ == "__main__":
    main()
