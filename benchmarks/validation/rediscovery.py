"""Are generating trees rediscovered? Rates of exact rediscovery and of replay on simulated logs with noise.

Trees are of the class for which the paper promises rediscovery from a directly-follows graph (doi
10.1007/s10270-016-0545-x): every activity once; bodies of loops begin and end with different activities and
cannot be empty, ways back neither; only steps of a sequence may be skipped, and not all of one; no step of a
parallel block. The promise also needs every directly-follows pair to have been seen: "seen" is the share of
undisturbed logs in which it has.

Noise is the share of cases with one event inserted, deleted or swapped with the next. Models are compared in
canonical form. "replays" is the share of the cases of the noisy log that the model accepts, "replays clean" of
fresh cases without noise.

    python benchmarks/validation/rediscovery.py --trees 200
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from journeymine.process.cuts import find_cut
from journeymine.process.inductive import discover_tree, filtered, mine
from journeymine.process.replay import count_accepted
from journeymine.process.tree import normalised
from journeymine.simulate.process_trees import graph_of, play_out, random_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from journeymine.counts.graph import GraphCounts
    from journeymine.process.cuts import Cut, Flow
    from journeymine.process.tree import Tree

NOISES = (0.0, 0.05, 0.1, 0.2)
FILTERS = (0.1, 0.2, 0.3)
SMALLEST, LARGEST = 5, 20
N_CLEAN = 300


def filter_last(flow: Flow, noise: float) -> tuple[Flow, Cut] | None:
    """The order of the papers: filter only where nothing else applies."""
    return first_cut(flow, filtered(flow, noise))


def filter_first(flow: Flow, noise: float) -> tuple[Flow, Cut] | None:
    """One filter at full strength, and the whole graph where it leaves no cut."""
    return first_cut(filtered(flow, noise), flow)


def first_cut(*flows: Flow) -> tuple[Flow, Cut] | None:
    """The cut of the first graph that has one."""
    for flow in flows:
        if (cut := find_cut(flow)) is not None:
            return flow, cut
    return None


def miners() -> dict[str, Callable[[GraphCounts], Tree]]:
    """What is compared."""
    found: dict[str, Callable[[GraphCounts], Tree]] = {"IMd": discover_tree}
    for noise in FILTERS:
        found[f"IMfD {noise}"] = lambda graph, noise=noise: discover_tree(graph, noise=noise)
    found["filter last 0.2"] = lambda graph: mine(graph, 0.2, 0, filter_last)
    found["filter first 0.2"] = lambda graph: mine(graph, 0.2, 0, filter_first)
    return found


def outcomes(seed: int, n_cases: int, noise: float) -> list[dict[str, object]]:
    """One row a miner, for one tree and one log."""
    known = random_tree(SMALLEST + seed % (LARGEST - SMALLEST + 1), seed)
    cases = play_out(known, n_cases, seed, noise=noise)
    clean = play_out(known, N_CLEAN, seed + 1_000_000)
    graph, truth = graph_of(cases), normalised(known)
    rows = []
    for name, discover in miners().items():
        tree = discover(graph)
        rows.append(
            {
                "miner": name,
                "noise": noise,
                "rediscovered": normalised(tree) == truth,
                "replays": count_accepted(tree, cases) / len(cases),
                "replays clean": count_accepted(tree, clean) / len(clean),
                "all fit": count_accepted(tree, cases) == len(cases),
            }
        )
    return rows


def seen(seed: int, n_cases: int) -> bool:
    """Whether a log shows every pair that a log thirty times its size does."""
    known = random_tree(SMALLEST + seed % (LARGEST - SMALLEST + 1), seed)
    some, many = graph_of(play_out(known, n_cases, seed)), graph_of(play_out(known, 30 * n_cases, seed + 1))
    return bool(
        some.activities == many.activities
        and ((some.follows > 0) >= (many.follows > 0)).all()
        and ((some.starts > 0) >= (many.starts > 0)).all()
        and ((some.ends > 0) >= (many.ends > 0)).all()
    )


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trees", type=int, default=200)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seen", action="store_true", help="also count the logs that show every pair (slow)")
    options = parser.parse_args()
    began = time.perf_counter()
    rows = [
        row
        for noise in NOISES
        for seed in range(options.trees)
        for row in outcomes(seed, options.cases, noise)
    ]
    table = pd.DataFrame(rows).groupby(["noise", "miner"], sort=False).mean()
    print(f"{options.trees} trees of {SMALLEST} to {LARGEST} activities, {options.cases} cases a log")
    print(table.round(3).to_string())
    if options.seen:
        complete = np.mean([seen(seed, options.cases) for seed in range(options.trees)])
        print(f"logs without noise that show every directly-follows pair: {complete:.3f}")
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
