"""Are the p values of the checks uniform where nothing deviates, and do they find what is planted?

    python benchmarks/validation/checks.py                      all worlds, 400 logs each, some minutes
    python benchmarks/validation/checks.py --world sparse --logs 100
    python benchmarks/validation/checks.py --power --logs 100   only the table of power

First table, one line a world and check: mean degrees of freedom, Kolmogorov-Smirnov p value of the p values against
uniform, rejections at 5 and 1 %, logs whose interval of the effect holds 0, logs in which a state is called deviating
(promise: 5 %), and the verdicts. In the worlds called "heterogeneous" customers differ in how easily they drop out,
so that the step before does tell something: their first-order check is a finding, not a null.

Second table: deviations of a planted size. In every row of every group a share moves from one target to another.
Columns: true total variation between the row of a group and that of all, true effect, mean estimate, power at 5 %,
how often the 95 % interval holds the true effect and misses it below or above, and how often it is said to matter.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from journeymine.counts.chain import DROP, GOAL, ChainCounts
from journeymine.counts.periods import PeriodCounts
from journeymine.counts.sequences import OPEN, SequenceCounts
from journeymine.markov.checks.checks import check_chain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.markov.checks.check_results import Check

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

N_PERIODS = 4
DAY_US = 86_400_000_000
N_BUCKETS = 200
STEP = 0.01
"""Part of the observation that a move takes."""
TRUTH_LOG = 300_000
KINDS = ("first_order", "homogeneity", "stationarity")


@dataclass(frozen=True, slots=True)
class World:
    """What is sampled: states, journeys, and what customers and observation are like."""

    k: int
    n: int
    cases_per_customer: float = 1.0
    customer_sd: float = 0.0
    exits: tuple[int, int] = (3, 6)
    buckets: bool = False
    open_share: float = 0.0
    by_customer: bool = True


WORLDS = {
    "independent": World(8, 1000),
    "repeated": World(8, 1000, 4.0),
    "small": World(8, 200),
    "sparse": World(20, 300, exits=(10, 16)),
    "sparse, repeated": World(20, 300, 4.0, exits=(10, 16)),
    "buckets": World(8, 3000, 4.0, buckets=True),
    "open": World(8, 1500, 4.0, open_share=0.4),
    "heterogeneous": World(8, 1000, 4.0, 1.0),
    "heterogeneous, by journey": World(8, 1000, 4.0, 1.0, by_customer=False),
    "heterogeneous, sparse": World(20, 300, 4.0, 1.0, exits=(10, 16)),
    "heterogeneous, buckets": World(8, 3000, 4.0, 1.0, buckets=True),
}


def chain(world: World) -> Floats:
    """Rows of k + 2 columns; each state leads to some others, to the goal and out."""
    rng = np.random.default_rng(world.k)
    rows = np.zeros((world.k, world.k + 2))
    for state in range(world.k):
        others = rng.choice(world.k, size=rng.integers(world.exits[0], world.exits[1] + 1), replace=False)
        rows[state, others] = rng.dirichlet(np.ones(len(others))) * 0.7
        rows[state, world.k :] = rng.uniform(0.05, 0.15), rng.uniform(0.1, 0.25)
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def planted(rows: Floats, groups: int, size: float) -> Floats:
    """The rows of each group: the share `size` moves from one target of a row to another, chosen for each group."""
    rng = np.random.default_rng(3)
    shifted = np.repeat(rows[None], groups, axis=0)
    for group in range(groups):
        for state in range(len(rows)):
            source, target = rng.choice(np.flatnonzero(rows[state] > 0), 2, replace=False)
            moved = min(size, rows[state, source])
            shifted[group, state, source] -= moved
            shifted[group, state, target] += moved
    return shifted


@dataclass(frozen=True, slots=True)
class Moves:
    """Every move of a log; journeys, their units and segments."""

    journey: Ints
    state: Ints
    column: Ints
    period: Ints
    unit: Ints
    segment: Ints
    n_units: int
    cut: Ints


def walk(world: World, seed: int, kind: str = "", size: float = 0.0) -> Moves:
    """Sample a log; `kind` says which rows depend on what."""
    rng = np.random.default_rng([seed, 11])
    k, n = world.k, world.n
    rows = chain(world)
    groups = {"first_order": k + 1, "homogeneity": 2, "stationarity": N_PERIODS}.get(kind, 1)
    table = planted(rows, groups, size) if kind else rows[None]
    customer = np.cumsum(rng.random(n) < 1 / world.cases_per_customer)
    customer = customer - customer[0]
    n_customers = int(customer[-1]) + 1
    odds = np.exp(rng.normal(size=n_customers) * world.customer_sd)[customer]
    of_customer, of_journey = rng.integers(0, 2, n_customers)[customer], rng.integers(0, 2, n)
    segment = of_customer if world.by_customer else of_journey
    begin = rng.random(n)
    journey, state, before, step = np.arange(n), rng.integers(0, k, n), np.full(n, k), 0
    seen: list[tuple[Ints, Ints, Ints, Ints]] = []
    while len(journey):
        period = np.minimum((begin[journey] + step * STEP) * N_PERIODS, N_PERIODS - 1).astype(np.int64)
        group = {"first_order": before, "homogeneity": segment[journey], "stationarity": period}.get(
            kind, np.zeros(len(journey), np.int64)
        )
        row = table[group, state]
        drop = row[:, -1] * odds[journey]
        drop /= 1 - row[:, -1] + drop
        row = np.column_stack([row[:, :-1] * ((1 - drop) / (1 - row[:, -1]))[:, None], drop])
        column = np.minimum((row.cumsum(axis=1) <= rng.random(len(row))[:, None]).sum(axis=1), k + 1)
        seen.append((journey, state, column, period))
        on = column < k
        before, journey, state, step = state[on], journey[on], column[on], step + 1
    unit, n_units = (rng.integers(0, N_BUCKETS, n_customers)[customer], N_BUCKETS) if world.buckets else (
        customer, n_customers,
    )  # fmt: skip
    flat = [np.concatenate(part) for part in zip(*seen, strict=True)]
    order = np.argsort(flat[0], kind="stable")
    # An open journey is seen for some visits only.
    cut = np.where(rng.random(n) < world.open_share, rng.geometric(0.4, n), np.iinfo(np.int64).max)
    case, source, to, when = (part[order] for part in flat)
    return Moves(case, source, to, when, unit, segment, n_units, cut)


def checks_of(moves: Moves, k: int) -> dict[str, Check]:
    """The checks of a log, from the counts that a log gives."""
    length = np.bincount(moves.journey, minlength=len(moves.unit))
    place = np.arange(len(moves.journey)) - np.repeat(np.cumsum(length) - length, length)
    watched = place < moves.cut[moves.journey]
    journey, state, column, period = (
        a[watched] for a in (moves.journey, moves.state, moves.column, moves.period)
    )
    target = np.select([column == k, column == k + 1], [GOAL, DROP], column)
    length = np.bincount(journey, minlength=len(moves.unit))
    begin = np.concatenate([[0], np.cumsum(length)])
    # What follows the last watched visit is known; half of the open journeys end with one that is not.
    last = target[begin[1:] - 1]
    hidden = (moves.cut < np.iinfo(np.int64).max) & (moves.unit % 2 == 0) & (last >= 0)
    sequences = SequenceCounts(
        tuple(f"s{i}" for i in range(k)), state, begin, np.where(hidden, OPEN, last), moves.unit, moves.segment,
        np.ones(len(moves.unit), np.int64), (("a",), ("b",)), moves.n_units,
    )  # fmt: skip
    known = np.ones(len(state), bool)
    known[begin[1:][hidden] - 1] = False
    journey, state, target, period = journey[known], state[known], target[known], period[known]
    none, one, wait = np.zeros(0, np.int64), np.ones(len(state), np.int64), np.zeros(len(state))
    counts = ChainCounts(
        sequences.states, np.arange(k), moves.unit[journey], moves.segment[journey], state, target, one,
        wait, none, none, none, none, sequences.cells, np.zeros(2, np.int64), moves.n_units,
    )  # fmt: skip
    begins = np.arange(N_PERIODS + 1) * 90 * DAY_US
    periods = PeriodCounts(moves.unit[journey], period, state, target, one, begins, moves.n_units)
    return {check.name: check for check in check_chain(counts, sequences, periods, ("segment",))}


def null_table(name: str, n_logs: int, first: int) -> None:
    """One line for each check of a world in which nothing is planted."""
    began, world = time.perf_counter(), WORLDS[name]
    found: dict[str, list[Check]] = {kind: [] for kind in KINDS}
    for seed in range(first, first + n_logs):
        for kind, check in checks_of(walk(world, seed), world.k).items():
            found[kind].append(check)
    for kind, checks in found.items():
        made = [check.found for check in checks if check.found is not None]
        p = np.array([one.p_value for one in made])
        states = np.mean([any(state.q_value < 0.05 for state in check.states) for check in checks])
        verdicts = ", ".join(f"{v} {c}" for v, c in Counter(check.verdict for check in checks).most_common())
        print(
            f"{name:26} {kind:13} {len(p):4} logs  df {np.mean([one.df for one in made]):6.1f}  "
            f"KS p {stats.kstest(p, 'uniform').pvalue:.3f}  5 %: {np.mean(p < 0.05):.3f}  "
            f"1 %: {np.mean(p < 0.01):.3f}  holds 0: {np.mean([one.lower <= 0 for one in made]):.3f}  "
            f"effect {np.mean([one.effect for one in made]):.4f}  upper {np.mean([one.upper for one in made]):.4f}  "
            f"states {states:.3f}  {verdicts}",
            flush=True,
        )
    print(f"  {time.perf_counter() - began:.0f} s", flush=True)


def true_effect(world: World, kind: str, size: float) -> tuple[float, float]:
    """Effect and total variation of a planted deviation, from a very large log."""
    large = World(world.k, TRUTH_LOG, exits=world.exits)
    moves = walk(large, 99, kind, size)
    found = checks_of(moves, world.k)[kind].found
    assert found is not None
    new = np.concatenate([[True], np.diff(moves.journey) != 0])
    before = np.where(new, world.k, np.concatenate([[0], moves.state[:-1]]))
    group = {"first_order": before, "homogeneity": moves.segment[moves.journey], "stationarity": moves.period}
    counts = np.zeros((world.k + 1, world.k, world.k + 2))
    np.add.at(counts, (group[kind], moves.state, moves.column), 1)
    size_of = counts.sum(axis=2)
    row = np.divide(counts, size_of[:, :, None], out=np.zeros_like(counts), where=size_of[:, :, None] > 0)
    all_of_it = counts.sum(axis=0) / counts.sum(axis=(0, 2))[:, None]
    apart = np.abs(row - all_of_it).sum(axis=2) / 2
    return found.effect, float((apart * size_of).sum() / size_of.sum())


def power_table(n_logs: int, first: int) -> None:
    """One line for each kind of deviation, size and number of journeys; four journeys a customer."""
    for kind in KINDS:
        for size in (0.02, 0.05, 0.1):
            truth, variation = true_effect(World(8, 1), kind, size)
            for n in (500, 2000, 10_000):
                world = World(8, n, 4.0)
                made = [
                    checks_of(walk(world, seed, kind, size), 8)[kind] for seed in range(first, first + n_logs)
                ]
                found = [check.found for check in made if check.found is not None]
                low = np.mean([one.upper < truth for one in found])
                high = np.mean([one.lower > truth for one in found])
                print(
                    f"{kind:13} planted {size:.2f}  journeys {n:6,}  TV {variation:.4f}  effect {truth:.4f}  "
                    f"estimate {np.mean([one.effect for one in found]):.4f}  "
                    f"power {np.mean([one.p_value < 0.05 for one in found]):.2f}  "
                    f"coverage {1 - low - high:.3f} (below {low:.3f}, above {high:.3f})  "
                    f"matters {np.mean([check.verdict == 'matters' for check in made]):.2f}",
                    flush=True,
                )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--world", choices=list(WORLDS), action="append")
    parser.add_argument("--logs", type=int, default=400)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--power", action="store_true", help="only the table of power")
    options = parser.parse_args()
    if not options.power:
        for name in options.world or list(WORLDS):
            null_table(name, options.logs, options.first_seed)
    if options.power or not options.world:
        power_table(options.logs, options.first_seed)


if __name__ == "__main__":
    main()
