"""A log of a wanted number of events and variants, as real logs are: few paths often, most of them once or twice.

    python benchmarks/discovery/variants_log.py log.parquet --events 250_000 --variants 4_000

Paths come from a chain of activities that mostly goes on, sometimes skips, repeats or goes back; how often each is
taken follows Zipf's law. The same numbers give the same log.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

EVENTS, VARIANTS = 250_000, 4_000
N_ACTIVITIES = 24
MOST_STEPS = 25
P_STOP = 0.04
MOVES = ((0.72, 1), (0.86, 2), (0.94, 0), (1.0, -1))
START_US = 1_767_225_600_000_000
MINUTE_US = 60_000_000


def paths(n_variants: int) -> list[tuple[int, ...]]:
    """Distinct paths, in the order in which they turn up."""
    rng = random.Random(1)
    found: dict[tuple[int, ...], None] = {}
    while len(found) < n_variants:
        state, path = 0, [0]
        while len(path) < MOST_STEPS and rng.random() > P_STOP and state < N_ACTIVITIES - 1:
            u = rng.random()
            step = next(step for upto, step in MOVES if u <= upto)
            state = min(max(state + step, 0), N_ACTIVITIES - 1)
            path.append(state)
        found.setdefault(tuple(path))
    return list(found)


def counts(lengths: list[int], n_events: int) -> list[int]:
    """Cases of each path, at least one: in all as many events as wanted, as nearly as whole cases allow."""
    left = n_events - sum(lengths)
    weights = [1 / (rank + 1) for rank in range(len(lengths))]
    scale = left / sum(w * length for w, length in zip(weights, lengths, strict=True))
    found = [1 + int(scale * w) for w in weights]
    # What rounding took goes to the most frequent path.
    found[0] += (n_events - sum(n * length for n, length in zip(found, lengths, strict=True))) // lengths[0]
    return found


def generate(target: Path, n_events: int = EVENTS, n_variants: int = VARIANTS) -> None:
    """Write the log to a Parquet file, rows in no order."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = random.Random(2)
    known = paths(n_variants)
    cases = [
        path
        for path, n in zip(known, counts([len(p) for p in known], n_events), strict=True)
        for _ in range(n)
    ]
    rng.shuffle(cases)
    rows = [
        (f"case-{case:06d}", f"Activity {state + 1:02d}", START_US + (case * 7 + place * 60) * MINUTE_US)
        for case, path in enumerate(cases)
        for place, state in enumerate(path)
    ]
    rng.shuffle(rows)
    case_id, activity, time = zip(*rows, strict=True)
    table = pa.table(
        {
            "case_id": pa.array(case_id),
            "activity": pa.array(activity),
            "timestamp": pa.array(time, pa.timestamp("us")),
        }
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    pq.write_table(table, part)
    part.replace(target)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("path", type=Path, help="Parquet file to write")
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--variants", type=int, default=VARIANTS)
    options = parser.parse_args()
    generate(options.path, options.events, options.variants)
    print(options.path)


if __name__ == "__main__":
    main()
