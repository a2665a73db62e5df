"""How long does it take to score a million journeys under way?

    python benchmarks/markov/scoring.py                         a million prefixes, 40 activities
    python benchmarks/markov/scoring.py --prefixes 100000 --repeat 5

A chain of 40 states is fitted on simulated journeys with times; then a million prefixes of one to eight activities are
scored from lists of lists and from a flat frame (prefix_id, activity): without a horizon, with one, and with a silence
of its own for each. One line a way of scoring: seconds of the wall and of the processor, the best of the repeats.
Making the tables (`chain.predictor`, and what a horizon needs) is measured apart: it is done once for a chain.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import journeymine as jm
from journeymine.markov.prediction.prediction import predict
from journeymine.simulate import sample_chain

if TYPE_CHECKING:
    from collections.abc import Callable

N_STATES = 40
N_CASES = 20_000
HORIZON = "7d"
LONGEST_PREFIX = 8
MOVES_ON = 0.85
TO_GOAL = 0.05


def fitted(seed: int) -> jm.MarkovChain:
    """A chain of 40 states on simulated journeys."""
    rng = np.random.default_rng(seed)
    inner = rng.dirichlet(np.full(N_STATES, 0.3), size=N_STATES) * MOVES_ON
    ends = np.column_stack([np.full(N_STATES, TO_GOAL), np.full(N_STATES, 1 - MOVES_ON - TO_GOAL)])
    names = [f"activity {i:02d}" for i in range(N_STATES)]
    start = rng.dirichlet(np.ones(N_STATES))
    events = sample_chain(
        np.column_stack([inner, ends]), start, N_CASES, seed, activities=names, wait_days=1.0, days=730.0
    ).events
    log = jm.read_log(
        events, case_id="case_id", customer_id="customer_id", activity="activity", timestamp="timestamp"
    )
    return log.journeys("Goal", idle="30d").fit_markov(seed=seed)


def prefixes_of(names: tuple[str, ...], n: int, seed: int) -> list[list[str]]:
    """Random beginnings of journeys."""
    rng = np.random.default_rng(seed)
    length = rng.integers(1, LONGEST_PREFIX + 1, n)
    flat = np.array(names, dtype=object)[rng.integers(0, len(names), int(length.sum()))].tolist()
    ends = np.cumsum(length).tolist()
    return [flat[end - size : end] for end, size in zip(ends, length.tolist(), strict=True)]


def best(run: Callable[[], Any], repeat: int) -> tuple[float, float]:
    """Seconds of the wall and of the processor."""
    found = []
    for _ in range(repeat):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        found.append((time.perf_counter() - wall, time.process_time() - cpu))
    return min(f[0] for f in found), min(f[1] for f in found)


def main() -> None:
    """Print one line a way of scoring."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--prefixes", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=1)
    options = parser.parse_args()
    chain = fitted(options.first_seed)
    lists = prefixes_of(chain.states, options.prefixes, options.first_seed)
    size = [len(prefix) for prefix in lists]
    frame = pd.DataFrame(
        {
            "prefix_id": np.repeat(np.arange(len(lists)), size),
            "activity": [name for prefix in lists for name in prefix],
        }
    )
    rng = np.random.default_rng(options.first_seed)
    waited = (rng.exponential(2.0, len(lists)).clip(0, 29) * 86_400e6).astype("timedelta64[us]")
    lines = [("table: chain.predictor", *best(lambda: chain.predictor, 1))]
    predictor = chain.predictor
    one = lists[:1]
    lines.append((f"table: horizon {HORIZON}", *best(lambda: predict(predictor, one, HORIZON), 1)))
    some, silent = lists[:1000], waited[:1000]
    lines.append(
        (
            f"table: horizon {HORIZON}, silences",
            *best(lambda: predict(predictor, some, HORIZON, waited=silent), 1),
        )
    )
    ways: dict[str, Callable[[], Any]] = {
        "lists": lambda: predict(predictor, lists),
        "frame": lambda: predict(predictor, frame),
        "frame, categories": lambda: predict(predictor, categories),
        f"lists, horizon {HORIZON}": lambda: predict(predictor, lists, HORIZON),
        f"lists, horizon {HORIZON}, silence of each": lambda: predict(
            predictor, lists, HORIZON, waited=waited
        ),
    }
    categories = frame.assign(activity=frame["activity"].astype("category"))
    lines += [(name, *best(run, options.repeat)) for name, run in ways.items()]
    print(f"{len(lists):,} prefixes, {len(frame):,} activities, {len(chain.states)} states")
    print(pd.DataFrame(lines, columns=["what", "wall_s", "cpu_s"]).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
