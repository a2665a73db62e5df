"""Do the 95 % intervals of P(goal within 7 and 30 days) hold the truth in 93 to 97 % of logs?

    python benchmarks/validation/time_to_goal.py                          eight worlds, 400 logs each, half an hour
    python benchmarks/validation/time_to_goal.py --world open --logs 100  one world, fewer logs

Each log is sampled from a chain with waits on its moves, read through the public API, and judged twice: with the
customers as units, and with the same customers in 200 buckets. The truth comes from four million journeys walked by
the code below, which shares nothing with the estimator or the sampler. `model` is what a first-order semi-Markov chain
with the population's own shares gives, from as many journeys: where customers differ, the two differ, and no amount of
data closes the gap.

The same is asked of the incidence over journeys as a whole ("journeys"), which assumes no chain; `warned` is how often
the two were found to be apart. One line a quantity: truth, model, coverage, its standard error, how often the interval
lay wholly below or above the truth, its mean width, mean error in standard deviations, and the coverage of the model's
value.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from coverage import FAST_AND_SLOW, N_BUCKETS, THREE, TWO, bucketed

import journeymine as jm
from journeymine.analyses.chain_data import LogData
from journeymine.markov.timing.time_to_goal import TimeToGoal, time_to_goal
from journeymine.simulate import ChainSample, sample_chain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.visit_waits import VisitWaits

    Floats = NDArray[np.float64]

DAY_US = 86_400_000_000
HORIZONS = (7.0, 30.0)
N_TRUTH = 4_000_000
MAX_WAIT = 25.0
LOG_SD = 1.0


@dataclass(frozen=True, slots=True)
class World:
    """What is sampled, what is cut away, and how the log is read.

    `cut_days`: the log begins so many days late, so that journeys under way lack their first events; they are known by
    their first start activity. `loyal`: all journeys of a customer start in one state, so that customers differ and the
    chain still holds for everybody.
    """

    matrix: list[list[float]]
    start: list[float]
    n: int
    options: dict[str, object] = field(default_factory=dict)
    cut_days: float = 0.0
    loyal: bool = False


LOYAL = 4.0
"""Mean number of journeys of a loyal customer."""
REPEATED: dict[str, object] = {"cases_per_customer": 4.0, "customer_sd": 1.0}
OPEN: dict[str, object] = {"open_share": 0.4, "wait_days": FAST_AND_SLOW}
WORLDS = {
    "independent": World(THREE, [1, 0, 0], 1000, {"days": 3650.0, "wait_days": 3.0}),
    "repeated": World(THREE, [0.6, 0.3, 0.1], 1500, {"days": 3650.0, "wait_days": 3.0} | REPEATED),
    "clustered": World(THREE, [0.6, 0.3, 0.1], 1500, {"days": 3650.0, "wait_days": 3.0}, loyal=True),
    "open": World(TWO, [1, 0], 2000, OPEN),
    "open_clustered": World(TWO, [0.6, 0.4], 2000, OPEN, loyal=True),
    "open_repeated": World(TWO, [1, 0], 2000, OPEN | REPEATED | {"waits": "lognormal"}),
    "truncated": World(TWO, [1, 0], 3000, {"days": 150.0, "wait_days": FAST_AND_SLOW}, cut_days=50.0),
    "truncated_repeated": World(
        TWO,
        [1, 0],
        3000,
        {"days": 150.0, "wait_days": FAST_AND_SLOW, "waits": "lognormal"} | REPEATED,
        cut_days=50.0,
    ),
}


def walked(
    classes: Floats, start: Floats, options: dict[str, object], n: int, seed: int
) -> dict[float, float]:
    """P(goal within each horizon), from journeys walked step by step; waits are drawn again while they are too long."""
    rng = np.random.default_rng(seed)
    k = len(start)
    means = np.broadcast_to(np.asarray(options.get("wait_days", 1.0), dtype=float), (k, k + 1))
    hits = dict.fromkeys(HORIZONS, 0)
    for matrix in classes:
        state = rng.choice(k, size=n // len(classes), p=start)
        clock = np.zeros(len(state))
        while len(state):
            target = (rng.random((len(state), 1)) > np.cumsum(matrix, axis=1)[state]).sum(axis=1)
            moved = target <= k
            state, target, clock = state[moved], target[moved], clock[moved]
            wait = np.full(len(state), np.inf)
            while (again := wait >= MAX_WAIT).any():
                mean = means[state[again], target[again]]
                drawn = rng.standard_exponential(len(mean)) * mean
                if options.get("waits") == "lognormal":
                    drawn = mean * np.exp(LOG_SD * rng.standard_normal(len(mean)) - LOG_SD**2 / 2)
                wait[again] = drawn
            clock = clock + wait
            for horizon in HORIZONS:
                hits[horizon] += int(((target == k) & (clock <= horizon)).sum())
            state, clock = target[target < k], clock[target < k]
    return {horizon: hits[horizon] / (n // len(classes) * len(classes)) for horizon in HORIZONS}


def classes_of(world: World) -> Floats:
    """Matrices of the three kinds of customers: log-odds of dropping out shifted by -s, 0 and s."""
    matrix = np.array(world.matrix)
    spread = float(world.options.get("customer_sd", 0.0)) * np.sqrt(1.5)  # type: ignore[arg-type]
    drop = matrix[:, -1:]
    found = []
    for shift in (-spread, 0.0, spread):
        odds = drop / (1 - drop) * np.exp(shift)
        new = odds / (1 + odds)
        found.append(np.hstack([matrix[:, :-1] * (1 - new) / (1 - drop), new]))
    return np.array(found)


def sample(world: World, seed: int) -> ChainSample:
    """One log, its beginning cut away."""
    if world.loyal:
        return _loyal(world, seed)
    sampled = sample_chain(world.matrix, world.start, world.n, seed, max_wait_days=MAX_WAIT, **world.options)  # type: ignore[arg-type]
    first = pd.Timestamp("2026-01-01", tz="UTC") + pd.Timedelta(days=world.cut_days)
    return dataclasses.replace(sampled, events=sampled.events[sampled.events["timestamp"] >= first])


def _loyal(world: World, seed: int) -> ChainSample:
    """A log of customers who always start in the same state."""
    whole = sample_chain(world.matrix, world.start, world.n, seed, max_wait_days=MAX_WAIT, **world.options)  # type: ignore[arg-type]
    options = _plain(world) | {"days": whole.days, "cases_per_customer": LOYAL}
    rng = np.random.default_rng([seed, 1])
    sizes = rng.geometric(1 / LOYAL, round(world.n / LOYAL))
    journeys = np.bincount(rng.choice(len(world.start), len(sizes), p=world.start), sizes, len(world.start))
    parts = []
    for state, n in enumerate(journeys):
        start = np.eye(len(world.start))[state]
        part = sample_chain(
            world.matrix,
            start,
            max(1, int(n)),
            10 * seed + state,
            max_wait_days=MAX_WAIT,
            **options,  # type: ignore[arg-type]
        ).events
        for column in ("case_id", "customer_id"):
            part[column] = part[column] + f"-{state}"
        parts.append(part)
    return dataclasses.replace(whole, events=pd.concat(parts, ignore_index=True))


def read(world: World, sampled: ChainSample) -> jm.EventLog:
    """The log as users read it."""
    log = jm.read_log(
        sampled.events,
        case_id="case_id",
        customer_id="customer_id",
        activity="activity",
        timestamp="timestamp",
        threads=1,
    )
    return log.journeys("Goal", idle="30d", start="A" if world.cut_days else None)


def fits(log: jm.EventLog, horizon: float) -> dict[str, TimeToGoal]:
    """Judged with customers, and with the same customers in buckets."""
    data = LogData(log)
    chain, waits = data.plain, data.waits
    assert waits is not None
    pooled = bucketed(chain)
    return {
        "customers": time_to_goal(waits, chain, int(horizon * DAY_US)),
        "buckets": time_to_goal(_bucketed_waits(waits), pooled, int(horizon * DAY_US)),
    }


def _bucketed_waits(waits: VisitWaits) -> VisitWaits:
    import hashlib

    names = (str(unit).encode() for unit in range(waits.n_units))
    bucket = np.array(
        [int.from_bytes(hashlib.md5(name, usedforsecurity=False).digest()[:7]) % N_BUCKETS for name in names]
    )
    return dataclasses.replace(waits, row_unit=bucket[waits.row_unit], n_units=N_BUCKETS)


def outcomes(
    name: str, seed: int, truth: dict[float, float], model: dict[float, float]
) -> list[dict[str, object]]:
    """One row for each number judged in one log of a world."""
    world = WORLDS[name]
    log = read(world, sample(world, seed))
    rows: list[dict[str, object]] = []
    for horizon in HORIZONS:
        for units, found in fits(log, horizon).items():
            assert found.journeys is not None
            for by, values in (("chain", found.goal), ("journeys", found.journeys)):
                low, high, true = float(values.lower[-1]), float(values.upper[-1]), truth[horizon]
                rows.append(
                    {
                        "units": units,
                        "days": horizon,
                        "by": by,
                        "truth": true,
                        "model": model[horizon],
                        "held": low <= true <= high,
                        "below": high < true,
                        "above": low > true,
                        "width": high - low,
                        "error": float(values.estimate[-1]) - true,
                        "held_model": low <= model[horizon] <= high,
                        "warned": any("the chain says" in text for text in found.warnings),
                    }
                )
    return rows


def truths(name: str) -> tuple[dict[float, float], dict[float, float]]:
    """What the population does, and what a chain of its average customer does."""
    world = WORLDS[name]
    start = np.array(world.start, dtype=float)
    shares = sample_chain(
        world.matrix, world.start, 10, 0, max_wait_days=MAX_WAIT, **_plain(world)
    ).truth.shares  # type: ignore[arg-type]
    return (
        walked(classes_of(world), start, world.options, N_TRUTH, 1),
        walked(shares[None], start, world.options, N_TRUTH, 2),
    )


def _plain(world: World) -> dict[str, object]:
    return {key: value for key, value in world.options.items() if key != "open_share"}


def table(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Coverage by units and horizon."""
    grouped = pd.DataFrame(rows).groupby(["days", "by", "units"], sort=False)
    means, logs = grouped.mean(), grouped.size()
    errors = grouped["error"]
    found = means[["truth", "model"]].assign(logs=logs, coverage=means["held"])
    found["se"] = np.sqrt(means["held"] * (1 - means["held"]) / logs)
    found["bias_in_sd"] = errors.mean() / errors.std()
    return found.join(means[["below", "above", "width", "held_model", "warned"]])


def main() -> None:
    """Print one table a world."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--world", choices=list(WORLDS), action="append")
    parser.add_argument("--logs", type=int, default=400)
    parser.add_argument("--first-seed", type=int, default=0)
    options = parser.parse_args()
    for name in options.world or list(WORLDS):
        truth, model = truths(name)
        began = time.perf_counter()
        rows: list[dict[str, object]] = []
        for seed in range(options.first_seed, options.first_seed + options.logs):
            rows += outcomes(name, seed, truth, model)
        print(f"{name}: {WORLDS[name].n} cases a log, {time.perf_counter() - began:.0f} s")
        print(table(rows).round(4).to_string(), flush=True)


if __name__ == "__main__":
    main()
