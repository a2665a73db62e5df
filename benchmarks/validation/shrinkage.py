"""Do chains of segments gain from leaning on everybody, and do their intervals hold the truth?

    python benchmarks/validation/shrinkage.py                       four worlds, 300 logs each, some minutes
    python benchmarks/validation/shrinkage.py --world alike --logs 50

Each log has twenty segments of 10 to 1,000 customers; every row of a segment is drawn from a Dirichlet distribution
around the row of everybody, and customers come back and differ in how soon they leave. One line a quantity: root mean
squared error of the segment's own number and of the shrunk one, their ratio, coverage of the interval and its standard
error over logs, and coverage in segments of fewer than 50 customers.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

from journeymine.counts.chain import DROP, GOAL, ChainCounts
from journeymine.markov.segment_chains import SegmentChains, segment_chains

POOLED = np.array(
    [[0.20, 0.50, 0.00, 0.05, 0.25], [0.10, 0.00, 0.60, 0.00, 0.30], [0.00, 0.15, 0.10, 0.55, 0.20]]
)
START = np.array([0.7, 0.2, 0.1])
SIZES = np.repeat([10, 30, 100, 300, 1000], 4)
"""Customers of the twenty segments."""
SMALL = 50
MIN_MOVES = 1.0
"""An edge is judged where this many moves are expected of it."""
WORLDS = {
    "alike": (None, 1.0, 0.0),
    "a little different": (100.0, 1.0, 0.0),
    "different": (15.0, 1.0, 0.0),
    "different, customers come back": (15.0, 4.0, 1.0),
}
"""Concentration of the rows (None: all equal), journeys of a customer, spread of their log-odds of leaving."""
N_DRAWS = 400


def segment_rows(concentration: float | None, rng: np.random.Generator) -> np.ndarray:
    """Rows of each segment, shape (n_segments, k, k + 2)."""
    if concentration is None:
        return np.broadcast_to(POOLED, (len(SIZES), *POOLED.shape)).copy()
    drawn = rng.standard_gamma(np.broadcast_to(concentration * POOLED, (len(SIZES), *POOLED.shape)))
    return drawn / drawn.sum(axis=2, keepdims=True)


def classes_of(rows: np.ndarray, spread: float) -> np.ndarray:
    """Three equally frequent classes of customers, shape (n_segments, 3, k, k + 2): log-odds of leaving shifted."""
    shift = np.exp(spread * np.sqrt(1.5) * np.array([-1.0, 0.0, 1.0]))[:, None]
    drop = rows[:, None, :, -1] * shift
    drop = drop / (1 - rows[:, None, :, -1] + drop)
    stay = (1 - drop) / (1 - rows[:, None, :, -1])
    return np.concatenate([rows[:, None, :, :-1] * stay[..., None], drop[..., None]], axis=3)


def truth_of(classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the visits of each segment, and its conversion, averaged over the classes."""
    k = len(START)
    visits = np.linalg.solve(np.swapaxes(np.eye(k) - classes[..., :k], -1, -2), START[:, None])[..., 0]
    flow = (visits[..., None] * classes).mean(axis=1)
    return flow / visits.mean(axis=1)[..., None], flow[..., k].sum(axis=1)


def sample(world: str, seed: int) -> tuple[ChainCounts, np.ndarray, np.ndarray]:
    """Counts of one log, and the truth of its segments."""
    concentration, journeys, spread = WORLDS[world]
    rng = np.random.default_rng(seed)
    classes = classes_of(segment_rows(concentration, rng), spread)
    segment = np.repeat(np.arange(len(SIZES)), SIZES)
    kind = rng.integers(0, 3, len(segment))
    times = 1 + (rng.geometric(1 / journeys, len(segment)) - 1 if journeys > 1 else 0)
    unit = np.repeat(np.arange(len(segment)), times)
    k = len(START)
    state = np.searchsorted(START.cumsum(), rng.random(len(unit)), side="right").clip(0, k - 1)
    starts = np.stack([unit, segment[unit], state])
    moves = []
    alive = unit
    while len(alive):
        below = classes[segment[alive], kind[alive], state].cumsum(axis=1) <= rng.random((len(alive), 1))
        target = np.minimum(below.sum(axis=1), k + 1)
        moves.append(np.stack([alive, segment[alive], state, target]))
        on = target < k
        alive, state = alive[on], target[on]
    moved, n = np.unique(np.concatenate(moves, axis=1), axis=1, return_counts=True)
    begun, n_begun = np.unique(starts, axis=1, return_counts=True)
    counts = ChainCounts(
        states=("A", "B", "C"),
        activity=np.arange(k),
        unit=moved[0],
        cell=moved[1],
        source=moved[2],
        target=np.select([moved[3] == k, moved[3] == k + 1], [GOAL, DROP], moved[3]),
        n=n,
        wait_us=np.zeros(len(n)),
        start_unit=begun[0],
        start_cell=begun[1],
        start_state=begun[2],
        start_n=n_begun,
        cells=tuple((name,) for name in segment_names()),
        cell_customers=SIZES,
        n_units=len(segment),
    )
    return counts, *truth_of(classes)


def segment_names() -> list[str]:
    """Names in the order of the segments' numbers, which is also their sorted order."""
    return [f"segment {i:02d}" for i in range(len(SIZES))]


def judged(found: SegmentChains, shares: np.ndarray, conversion: np.ndarray) -> list[dict[str, object]]:
    """One row for each number of one log."""
    rows: list[dict[str, object]] = []
    source, column = found.edges[:, 0], found.edges[:, 1]
    departures = np.zeros((len(SIZES), len(START)))
    np.add.at(departures.T, source, found.moves.T)
    for g, e in np.argwhere(departures[:, source] * shares[:, source, column] >= MIN_MOVES).tolist():
        truth = float(shares[g, source[e], column[e]])
        values = found.share
        rows.append(
            _row(
                "transition share",
                g,
                truth,
                found.raw[g, e],
                values.estimate[g, e],
                values.lower[g, e],
                values.upper[g, e],
            )
        )
    for g, truth in enumerate(conversion.tolist()):
        values = found.conversion
        rows.append(
            _row(
                "conversion",
                g,
                truth,
                found.raw_conversion[g],
                values.estimate[g],
                values.lower[g],
                values.upper[g],
            )
        )
    return rows


def _row(
    quantity: str, g: int, truth: float, raw: float, shrunk: float, low: float, high: float
) -> dict[str, object]:
    return {
        "quantity": quantity,
        "small": bool(SIZES[g] < SMALL),
        "raw": (raw - truth) ** 2,
        "shrunk": (shrunk - truth) ** 2,
        "held": low <= truth <= high,
        "width": high - low,
    }


def table(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Error and coverage by quantity."""
    frame = pd.DataFrame(rows)
    by_log = frame.groupby(["quantity", "log"])["held"].mean().groupby(level=0)
    means = frame.groupby("quantity")[["raw", "shrunk", "held", "width"]].mean()
    small = frame[frame["small"]].groupby("quantity")[["raw", "shrunk", "held"]].mean()
    return pd.DataFrame(
        {
            "rmse_raw": np.sqrt(means["raw"]),
            "rmse_shrunk": np.sqrt(means["shrunk"]),
            "mse_ratio": means["shrunk"] / means["raw"],
            "coverage": means["held"],
            "se": by_log.std() / np.sqrt(by_log.size()),
            "width": means["width"],
            "small_mse_ratio": small["shrunk"] / small["raw"],
            "small_coverage": small["held"],
        }
    )


def main() -> None:
    """Print one table a world."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--world", choices=list(WORLDS), action="append")
    parser.add_argument("--logs", type=int, default=300)
    parser.add_argument("--first-seed", type=int, default=0)
    options = parser.parse_args()
    for name in options.world or list(WORLDS):
        began = time.perf_counter()
        rows: list[dict[str, object]] = []
        for seed in range(options.first_seed, options.first_seed + options.logs):
            counts, shares, conversion = sample(name, seed)
            found = segment_chains(counts, segment_names(), n_draws=N_DRAWS, seed=seed)
            rows += [row | {"log": seed} for row in judged(found, shares, conversion)]
        print(f"{name}: {len(SIZES)} segments, {options.logs} logs, {time.perf_counter() - began:.0f} s")
        print(table(rows).round(4).to_string(), flush=True)


if __name__ == "__main__":
    main()
