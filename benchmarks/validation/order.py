"""Does the automatic order find the true one? Is the test of memory uniform under the null, and has it power?

    python benchmarks/validation/order.py                       all orders and worlds, 400 logs each
    python benchmarks/validation/order.py --order 2 --logs 50   one order, fewer logs
    python benchmarks/validation/order.py --check null          p values where the order is the true one
    python benchmarks/validation/order.py --check power         planted memory of growing size

Chains are random, of 8 to 12 states beside the goal and dropping out, 5,000 journeys a log. Rows that differ in the
first visit remembered (for order 1 the state, for order 2 the state before it, for order 3 the one before that)
have a total variation of at least 0.1 between any two. Worlds: "wide" rows are drawn independently; "near" rows are
drawn towards each other until the closest two are 0.1 apart; "sparse" ones are wide with two thirds of the moves
impossible. In "clustered" ones every journey is made by its customer three times in the same way; in "bucketed" ones
customers are resampled in 200 buckets, as in logs of above 20,000.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections import Counter

import numpy as np
import pandas as pd
from scipy import stats

from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.sequences import SequenceCounts
from journeymine.markov.memory.order import MAX_ORDER, compare_orders
from journeymine.markov.memory.order_likelihood import ordered_moves
from journeymine.markov.memory.order_tests import memory_test

WORLDS = ("wide", "near", "sparse", "clustered", "bucketed")
LEAST = 0.1
N_JOURNEYS = 5000
COPIES = 3
N_BUCKETS = 200
MIN_END = 0.12
"""Every row ends the journey with at least this share."""


def world_rows(order: int, kind: str, rng: np.random.Generator) -> np.ndarray:
    """Rows by context, shape (k + 1,) * (order - 1) + (k,) * (order > 0) + (k + 2,); index k is the beginning."""
    k = int(rng.integers(8, 13))
    if order == 0:
        return _rows((), k, rng)
    shape = (k + 1,) * (order - 1) + (k,)
    possible = _possible(k, kind, rng)
    rows = _rows(shape, k, rng, possible)
    while True:
        if kind == "near":
            rows = _nearer(rows)
        alike = _closest(rows) < LEAST - 1e-9
        if not alike.any():
            return rows
        rows = np.where(alike[..., None], _rows(shape, k, rng, possible), rows)


def _possible(k: int, kind: str, rng: np.random.Generator) -> np.ndarray:
    """Which states may follow a state, shape (k, k): all, or a third of them."""
    if kind != "sparse":
        return np.ones((k, k), bool)
    return rng.permuted(np.broadcast_to(np.arange(k) < max(3, k // 3), (k, k)), axis=1)


def _rows(
    shape: tuple[int, ...], k: int, rng: np.random.Generator, possible: np.ndarray | None = None
) -> np.ndarray:
    weights = rng.dirichlet(np.ones(k), shape)
    if possible is not None and shape:
        weights = weights * possible + 1e-12 * possible
        weights /= weights.sum(axis=-1, keepdims=True)
    end = MIN_END + 0.25 * rng.random(shape)
    won = rng.random(shape)
    return np.concatenate(
        [weights * (1 - end)[..., None], (end * won)[..., None], (end * (1 - won))[..., None]], axis=-1
    )


def _closest(rows: np.ndarray) -> np.ndarray:
    """Smallest total variation among rows that differ in the first visit only."""
    gap = 0.5 * np.abs(rows[:, None] - rows[None]).sum(axis=-1)
    gap[np.arange(len(rows)), np.arange(len(rows))] = np.inf
    return gap.min(axis=(0, 1))


def _nearer(rows: np.ndarray) -> np.ndarray:
    middle = rows.mean(axis=0)
    return middle + (rows - middle) * np.minimum(LEAST / _closest(rows), 1.0)[..., None]


def sample(rows: np.ndarray, n: int, rng: np.random.Generator) -> SequenceCounts:
    """Journeys of a chain of any order; each is a customer's."""
    k, order = rows.shape[-1] - 2, rows.ndim - 1
    cumulative = np.cumsum(rows, axis=-1)
    past = np.full((max(order, 1), n), k)
    past[-1] = rng.integers(0, k, n)
    who = np.arange(n)
    steps = []
    last = np.zeros(n, np.int64)
    while len(who):
        steps.append((who, past[-1]))
        below = cumulative[tuple(past[-order:])] if order else np.broadcast_to(cumulative, (len(who), k + 2))
        target = np.minimum((below <= rng.random(len(who))[:, None]).sum(axis=1), k + 1)
        last[who[target >= k]] = np.where(target[target >= k] == k, GOAL, DROP)
        on = target < k
        who, past = who[on], np.concatenate([past[1:, on], target[None, on]])
    journey, code = (np.concatenate(column) for column in zip(*steps, strict=True))
    order_of = np.argsort(journey, kind="stable")
    begin = np.concatenate([[0], np.cumsum(np.bincount(journey, minlength=n))])
    names = tuple(f"s{i:02}" for i in range(k))
    each, cell = np.arange(n), np.zeros(n, np.int64)
    return SequenceCounts(names, code[order_of], begin, last, each, cell, np.ones(n, np.int64), ((),), n)


def journeys_of(kind: str, order: int, seed: int) -> SequenceCounts:
    """One log of 5,000 journeys."""
    rng = np.random.default_rng([seed, order, WORLDS.index(kind)])
    rows = world_rows(order, kind, rng)
    if kind == "bucketed":
        whole = sample(rows, N_JOURNEYS, rng)
        return dataclasses.replace(whole, unit=whole.unit % N_BUCKETS, n_units=N_BUCKETS, buckets=True)
    if kind != "clustered":
        return sample(rows, N_JOURNEYS, rng)
    once = sample(rows, N_JOURNEYS // COPIES, rng)
    return dataclasses.replace(once, n=once.n * COPIES)


def choices(options: argparse.Namespace) -> pd.DataFrame:
    """How often each order is chosen, in all and by BIC, AIC and held-out likelihood alone."""
    lines = []
    for order in options.order or range(MAX_ORDER + 1):
        for kind in options.world or WORLDS:
            picked: dict[str, Counter[int]] = {name: Counter() for name in ("auto", "bic", "aic", "heldout")}
            began = time.perf_counter()
            for seed in range(options.first_seed, options.first_seed + options.logs):
                found = compare_orders(journeys_of(kind, order, seed), seed=seed)
                picked["auto"][found.order] += 1
                fixed = slice(0, MAX_ORDER + 1)
                picked["bic"][int(np.argmin(found.bic[fixed]))] += 1
                picked["aic"][int(np.argmin(found.aic[fixed]))] += 1
                picked["heldout"][int(np.argmax(found.heldout.estimate[fixed]))] += 1
            auto = picked["auto"]
            lines.append(
                {
                    "order": order,
                    "world": kind,
                    "logs": options.logs,
                    "right": auto[order],
                    "one_high": auto[order + 1],
                    "higher": sum(n for at, n in auto.items() if at > order + 1),
                    "low": sum(n for at, n in auto.items() if at < order),
                    **{f"right_{name}": picked[name][order] for name in ("bic", "aic", "heldout")},
                    "seconds": time.perf_counter() - began,
                }
            )
            print(lines[-1], flush=True)
    return pd.DataFrame(lines)


def null(options: argparse.Namespace) -> pd.DataFrame:
    """P values of the test of the true order against the next: uniform?"""
    lines = []
    for order in options.order or range(MAX_ORDER):
        for kind in options.world or WORLDS:
            p = []
            for seed in range(options.first_seed, options.first_seed + options.logs):
                moves = ordered_moves(journeys_of(kind, order, seed), order + 1)
                p.append(memory_test(moves, order, seed=seed).p_value)
            tested = stats.kstest(p, "uniform")
            share = {f"below_{at}": float(np.mean(np.array(p) < at)) for at in (0.01, 0.05, 0.1, 0.5)}
            lines.append(
                {"order": order, "world": kind, "logs": options.logs, "ks_p": tested.pvalue, **share}
            )
            print(lines[-1], flush=True)
    return pd.DataFrame(lines)


def power(options: argparse.Namespace) -> pd.DataFrame:
    """First-order chains in which one state remembers: the share `planted` of its moves depends on the visit before."""
    lines = []
    for planted in (0.0, 0.1, 0.2, 0.3, 0.5):
        p, bits = [], []
        for seed in range(options.first_seed, options.first_seed + options.logs):
            rng = np.random.default_rng([seed, 99])
            first = world_rows(1, "wide", rng)
            k = len(first)
            rows = np.repeat(first[None], k + 1, axis=0)
            state = int(rng.integers(0, k))
            other = _rows((k + 1,), k, rng)
            rows[:, state] = (1 - planted) * first[state] + planted * other
            found = memory_test(ordered_moves(sample(rows, N_JOURNEYS, rng), 2), 1, seed=seed)
            p.append(found.p_value)
            bits.append(found.bits)
        share = {f"below_{at}": float(np.mean(np.array(p) < at)) for at in (0.01, 0.05)}
        lines.append({"planted": planted, "logs": options.logs, **share, "mean_bits": float(np.mean(bits))})
        print(lines[-1], flush=True)
    return pd.DataFrame(lines)


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", choices=("choice", "null", "power"), default="choice")
    parser.add_argument("--order", type=int, choices=range(MAX_ORDER + 1), action="append")
    parser.add_argument("--world", choices=WORLDS, action="append")
    parser.add_argument("--logs", type=int, default=400)
    parser.add_argument("--first-seed", type=int, default=0)
    options = parser.parse_args()
    check = {"choice": choices, "null": null, "power": power}[options.check]
    print(check(options).round(4).to_string(index=False))


if __name__ == "__main__":
    main()
