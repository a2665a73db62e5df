"""Do the 95 % intervals of occupation curves hold the truth in 93 to 97 % of logs?

    python benchmarks/validation/occupation.py                          four worlds, 400 samples each, some minutes
    python benchmarks/validation/occupation.py --world open --logs 100  one world, fewer samples

Worlds of journeys: 40 % are open at the end of the log; independent, or with several journeys of a customer whose
readiness to leave differs. Each log is judged with customers as units, and with the same customers in 200 buckets.
Worlds of stays: illness and death with censoring, and with delayed entry too; the truth is a matrix exponential.

One line a number: its truth, coverage with its standard error, how often the interval lay wholly below or above the
truth, its mean width, and the bias in standard deviations.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.linalg import expm

import journeymine as jm
from journeymine.analyses.occupation import occupation
from journeymine.markov.occupation.occupation_curves import estimate_occupation
from journeymine.markov.occupation.occupation_frame import state_occupation
from journeymine.simulate import sample_chain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journeymine.counts.occupation import OccupationCounts
    from journeymine.uncertainty import Estimates

TWO = [[0.0, 0.7, 0.062, 0.238], [0.10, 0.0, 0.65, 0.25]]
FAST_AND_SLOW = [[1.0, 2.0, 8.0], [6.0, 1.0, 12.0]]
IDLE_DAYS = 30
DAYS = (1, 7, 14, 28, 36, 42)
RARE = 0.02
"""Shares closer to 0 or 1 than this are not judged: too few journeys are there to tell."""
OPEN: dict[str, Any] = {"open_share": 0.4, "wait_days": FAST_AND_SLOW}
JOURNEYS: dict[str, dict[str, Any]] = {
    "open": OPEN,
    "open_repeated": {**OPEN, "waits": "lognormal", "cases_per_customer": 4.0, "customer_sd": 1.0},
}
N_CASES, N_TRUTH = 2000, 500_000
N_BUCKETS, N_DRAWS = 200, 400
RATES = np.array([[-0.5, 0.3, 0.2], [0.1, -0.7, 0.6], [0.0, 0.0, 0.0]])
"""Well, ill, dead: moves per year."""
STAYS = {"stays_censored": False, "stays_truncated": True}
YEARS = (0.5, 1.0, 2.0, 4.0)
N_SUBJECTS = 300


@cache
def journeys_truth(name: str) -> dict[str, float]:
    """Shares at each time in a sample that is watched to the end of every journey, counted without the package."""
    options = {**JOURNEYS[name], "open_share": None}
    events = sample_chain(TWO, [1, 0], N_TRUTH, 99_991, **options).events
    begin = events["timestamp"].min()
    frame = pd.DataFrame(
        {
            "case": pd.factorize(events["case_id"])[0],
            "state": pd.Categorical(events["activity"], ["A", "B", "Goal"]).codes,
            "day": (events["timestamp"] - begin).dt.total_seconds() / 86_400,
        }
    )
    frame["since"] = frame["day"] - frame.groupby("case")["day"].transform("min")
    frame = frame.sort_values(["case", "since"], kind="stable")
    # The sample stops at its own end: only cases that began long before it count.
    last = frame["day"].max()
    begun = frame.groupby("case")["day"].transform("min")
    frame = frame[begun <= last - max(DAYS)]
    n = frame["case"].nunique()
    truth = {}
    for day in DAYS:
        at = frame[frame["since"] <= day].groupby("case").tail(1)
        lost = (at["state"] != 2) & (at["since"] + IDLE_DAYS <= day)
        truth |= {f"{day} d {s}": float(((at["state"] == i) & ~lost).sum() / n) for i, s in enumerate("AB")}
        truth[f"{day} d goal"] = float((at["state"] == 2).sum() / n)
        truth[f"{day} d lost"] = float(lost.sum() / n)
    reach = frame[frame["state"] == 2].groupby("case")["since"].min()
    truth["half of the goal, days"] = float(reach[reach <= max(DAYS)].median())
    return truth


def bucketed(counts: OccupationCounts) -> OccupationCounts:
    """The same counts with customers in 200 buckets."""
    names = (str(unit).encode() for unit in range(counts.n_units))
    bucket = np.array(
        [int.from_bytes(hashlib.md5(name, usedforsecurity=False).digest()[:7]) % N_BUCKETS for name in names]
    )
    return dataclasses.replace(
        counts,
        unit=bucket[counts.unit],
        left_unit=bucket[counts.left_unit],
        n_units=N_BUCKETS,
        buckets=True,
    )


def judge_journeys(name: str, seed: int) -> Iterator[tuple[str, float, float, float, float]]:
    """(number, truth, estimate, lower, upper) of one log."""
    sampled = sample_chain(TWO, [1, 0], N_CASES, seed, **JOURNEYS[name])
    log = jm.read_log(
        sampled.events,
        case_id="case_id",
        customer_id="customer_id",
        activity="activity",
        timestamp="timestamp",
        threads=1,
    ).journeys("Goal", idle=f"{IDLE_DAYS}d")
    times = [f"{day}d" for day in DAYS]
    first = occupation(log, times, n_draws=N_DRAWS, seed=seed)
    fits = {
        "customers": first,
        "buckets": estimate_occupation(bucketed(first.counts), n_draws=N_DRAWS, seed=seed),
    }
    truth = journeys_truth(name)
    for units, found in fits.items():
        assert found.counts.states == ("A", "B")
        for t, day in enumerate(DAYS):
            for s, state in enumerate(("A", "B", "goal", "lost")):
                key = f"{day} d {state}"
                if min(truth[key], 1 - truth[key]) >= RARE:
                    yield f"{units}: {key}", truth[key], *_numbers(found.curves.share, (t, s))
        key = "half of the goal, days"
        yield f"{units}: {key}", truth[key], *(value / 86_400 for value in _numbers(found.half_s, ()))


def _numbers(values: Estimates, index: Any) -> tuple[float, float, float]:
    return float(values.estimate[index]), float(values.lower[index]), float(values.upper[index])


def sample_stays(seed: int, *, truncated: bool) -> pd.DataFrame:
    """Stays of well, ill, dead: followed from 0 or from a random time on, to a random time."""
    rng = np.random.default_rng([seed, 7])
    rows = []
    for subject in range(N_SUBJECTS):
        entry = float(rng.uniform(0, 1.5)) if truncated and subject % 3 else 0.0
        stop = entry + float(rng.uniform(0.5, 5.5))
        now, state = 0.0, 0
        while state != 2 and now < stop:
            total = -RATES[state, state]
            after = now + rng.exponential(1 / total)
            odds = np.where(np.arange(3) == state, 0.0, RATES[state]) / total
            target = int(rng.choice(3, p=odds))
            if after > entry:
                rows.append(
                    (subject, state, target if after <= stop else None, max(now, entry), min(after, stop))
                )
            now, state = after, target
    return pd.DataFrame(rows, columns=["id", "state", "next", "entry", "exit"])


def judge_stays(name: str, seed: int) -> Iterator[tuple[str, float, float, float, float]]:
    """(number, truth, estimate, lower, upper) of one sample of stays."""
    frame = sample_stays(seed, truncated=STAYS[name])
    found = state_occupation(frame, "id", "state", "next", "entry", "exit", YEARS, start=0)
    for t, year in enumerate(YEARS):
        exact = expm(RATES * year)[0]
        for s, state in enumerate(("well", "ill", "dead")):
            yield f"{year:g} y {state}", float(exact[s]), *_numbers(found.share, (t, s))


def table(rows: list[tuple[int, str, float, float, float, float]]) -> pd.DataFrame:
    """Coverage by number."""
    frame = pd.DataFrame(rows, columns=["seed", "number", "truth", "estimate", "lower", "upper"])
    frame["held"] = (frame["lower"] <= frame["truth"]) & (frame["truth"] <= frame["upper"])
    frame["below"], frame["above"] = frame["upper"] < frame["truth"], frame["lower"] > frame["truth"]
    frame["width"] = frame["upper"] - frame["lower"]
    grouped = frame.groupby("number", sort=False)
    out = grouped.agg(
        logs=("held", "size"),
        truth=("truth", "first"),
        coverage=("held", "mean"),
        below=("below", "mean"),
        above=("above", "mean"),
        width=("width", "mean"),
    )
    out.insert(3, "se", np.sqrt(out["coverage"] * (1 - out["coverage"]) / out["logs"]))
    out["bias_in_sd"] = (grouped["estimate"].mean() - out["truth"]) / grouped["estimate"].std()
    return out


def main() -> None:
    """Print one table a world."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--world", choices=[*JOURNEYS, *STAYS], action="append")
    parser.add_argument("--logs", type=int, default=400)
    parser.add_argument("--first-seed", type=int, default=0)
    options = parser.parse_args()
    for name in options.world or [*JOURNEYS, *STAYS]:
        judge = judge_journeys if name in JOURNEYS else judge_stays
        began = time.perf_counter()
        seeds = range(options.first_seed, options.first_seed + options.logs)
        rows = [(seed, *row) for seed in seeds for row in judge(name, seed)]
        found = table(rows)
        print(f"{name}: {time.perf_counter() - began:.0f} s, mean coverage {found['coverage'].mean():.4f}")
        print(found.round(4).to_string(), flush=True)


if __name__ == "__main__":
    main()
