"""The test of one more visit: scipy where tables are dense, its level where they are sparse or clustered."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats

from journeymine.counts.chain import DROP, GOAL
from journeymine.counts.sequences import SequenceCounts
from journeymine.markov.memory.order_likelihood import ordered_moves
from journeymine.markov.memory.order_tests import memory_test

ROUNDING = 1e-8
SIGNS_ERROR = 0.15
"""The spread comes from 500 random signs: its relative standard error is 6 %, and p near 0.1 moves about as much."""
LEVEL = 0.001
"""A fixed seed makes these deterministic; a correct test would fail one seed in a thousand."""


def sample(rows: np.ndarray, n: int, seed: int) -> SequenceCounts:
    """Journeys of a chain whose rows are indexed by the last visits (k is the beginning); one a customer."""
    rng = np.random.default_rng(seed)
    k, order = rows.shape[-1] - 2, rows.ndim - 1
    past, who = np.full((max(order, 1), n), k), np.arange(n)
    past[-1] = rng.integers(0, k, n)
    last, steps = np.zeros(n, np.int64), []
    while len(who):
        steps.append((who, past[-1]))
        chosen = rows[tuple(past[-order:])] if order else np.broadcast_to(rows, (len(who), k + 2))
        target = np.minimum((np.cumsum(chosen, axis=1) <= rng.random((len(who), 1))).sum(axis=1), k + 1)
        last[who[target >= k]] = np.where(target[target >= k] == k, GOAL, DROP)
        on = target < k
        who, past = who[on], np.concatenate([past[1:, on], target[None, on]])
    journey, code = (np.concatenate(column) for column in zip(*steps, strict=True))
    begin = np.concatenate([[0], np.cumsum(np.bincount(journey, minlength=n))])
    each, zeros = np.arange(n), np.zeros(n, np.int64)
    names = tuple(f"s{i}" for i in range(k))
    code = code[np.argsort(journey, kind="stable")]
    return SequenceCounts(names, code, begin, last, each, zeros, np.ones(n, np.int64), ((),), n)


def random_rows(k: int, order: int, rng: np.random.Generator) -> np.ndarray:
    shape = (k + 1,) * max(order - 1, 0) + (k,) * (order > 0)
    onward = rng.dirichlet(np.ones(k), shape) * 0.75
    return np.concatenate([onward, np.full((*shape, 1), 0.1), np.full((*shape, 1), 0.15)], axis=-1)


def tables(journeys: SequenceCounts, order: int) -> list[np.ndarray]:
    """For each context of an order the moves of its longer contexts, by plain Python."""
    found: dict[tuple[int, ...], dict[tuple[int, int], int]] = {}
    targets = journeys.target.tolist()
    for s in range(journeys.n_sequences):
        begin, end = int(journeys.begin[s]), int(journeys.begin[s + 1])
        path = [-9] * 9 + journeys.code[begin:end].tolist()
        for at in range(end - begin):
            context = tuple(path[at + 10 - order : at + 10])
            row = found.setdefault(context, {})
            key = (path[at + 9 - order], targets[begin + at])
            row[key] = row.get(key, 0) + int(journeys.n[s])
    out = []
    for row in found.values():
        before, after = (sorted({key[i] for key in row}) for i in (0, 1))
        out.append(np.array([[row.get((b, a), 0) for a in after] for b in before]))
    return out


@pytest.mark.parametrize("order", [0, 1, 2])
def test_equals_scipy_in_dense_tables(order: int) -> None:
    rng = np.random.default_rng(order)
    journeys = sample(random_rows(3, order, rng), 6000, order)
    found = memory_test(ordered_moves(journeys, order + 1), order)
    pearson = ratio = df = 0.0
    for table in tables(journeys, order):
        if min(table.shape) > 1:
            one = stats.chi2_contingency(table, correction=False)
            pearson, df = pearson + one.statistic, df + one.dof
            ratio += stats.chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
    assert found.statistic == pytest.approx(pearson, rel=ROUNDING)
    assert found.lr_statistic == pytest.approx(ratio, rel=ROUNDING)
    assert found.df == df
    assert found.expected == pytest.approx(df, rel=0.05)
    assert found.df_effective == pytest.approx(df, rel=2 * SIGNS_ERROR)
    assert found.p_value == pytest.approx(stats.chi2.sf(pearson, df), abs=SIGNS_ERROR)
    assert found.design_effect == pytest.approx(1.0, abs=0.05)


def test_journeys_repeated_by_their_customer_change_nothing() -> None:
    """Five copies of everything a customer did are worth one: the same p value, five times the statistic."""
    rng = np.random.default_rng(3)
    once = sample(random_rows(5, 1, rng), 1500, 3)
    again = dataclasses.replace(once, n=once.n * 5)
    a, b = (memory_test(ordered_moves(journeys, 2), 1) for journeys in (once, again))
    assert b.statistic == pytest.approx(5 * a.statistic, rel=ROUNDING)
    assert b.p_value == pytest.approx(a.p_value, rel=ROUNDING)
    assert b.design_effect == pytest.approx(5 * a.design_effect, rel=ROUNDING)
    assert b.bits == pytest.approx(a.bits, rel=1e-6)


NULLS = [(0, 6, 300, 1, 0), (1, 8, 250, 3, 0), (2, 6, 400, 1, 0), (1, 6, 600, 1, 20)]


@pytest.mark.parametrize(("order", "k", "n", "copies", "buckets"), NULLS)
def test_uniform_under_the_null(order: int, k: int, n: int, copies: int, buckets: int) -> None:
    """Few journeys, nearly empty contexts, customers who repeat themselves: the likelihood ratio fails there."""
    rng = np.random.default_rng(order + 10)
    p, naive = [], []
    for seed in range(120):
        journeys = sample(random_rows(k, order, rng), n, seed)
        journeys = dataclasses.replace(journeys, n=journeys.n * copies)
        if buckets:
            journeys = dataclasses.replace(
                journeys, unit=journeys.unit % buckets, n_units=buckets, buckets=True
            )
        found = memory_test(ordered_moves(journeys, order + 1), order, n_signs=200)
        p.append(found.p_value)
        naive.append(stats.chi2.sf(found.lr_statistic, found.df))
    assert stats.kstest(p, "uniform").pvalue > LEVEL
    if order and not buckets:
        assert stats.kstest(naive, "uniform").pvalue < 1e-6


def test_power_and_size_of_planted_memory() -> None:
    """One state in six remembers: the test sees it, and says where and how much."""
    rng = np.random.default_rng(5)
    first = random_rows(6, 1, rng)
    rows = np.repeat(first[None], 7, axis=0)
    rows[2, 4] = 0.5 * rows[2, 4] + 0.5 * np.eye(8)[0]
    moved = 0.5 * np.abs(rows[2, 4] - first[4]).sum()
    found = [memory_test(ordered_moves(sample(rows, 4000, seed), 2), 1, seed=seed) for seed in range(10)]
    assert all(test.p_value < 1e-4 for test in found)
    assert all(test.context == (2, 4) for test in found)
    assert np.mean([test.distance for test in found]) == pytest.approx(moved, abs=0.05)
    # Information of the memory, computed from the visits to each context of the simulated chain.
    big = sample(rows, 60_000, 99)
    table = next(t for t in tables(big, 1) if len(t) == 7 and abs(t.sum() - (big.code == 4).sum()) < 1)
    visits = table.sum(axis=1)
    order = sorted({-9, *range(6)})
    from_two = visits[order.index(2)] / len(big.code)
    others = (visits.sum() - visits[order.index(2)]) / len(big.code)
    pooled = (from_two * rows[2, 4] + others * first[4]) / (from_two + others)
    bits = from_two * np.sum(rows[2, 4] * np.log2(rows[2, 4] / pooled)) + others * np.sum(
        first[4] * np.log2(first[4] / pooled)
    )
    assert np.mean([test.bits for test in found]) == pytest.approx(bits, rel=0.15)


def test_bits_are_not_inflated_by_chance() -> None:
    """Hundreds of contexts without memory: the plain gain in likelihood is large, that beyond chance is none."""
    rng = np.random.default_rng(6)
    bits, plain = [], []
    for seed in range(40):
        journeys = sample(random_rows(8, 1, rng), 400, seed)
        moves = ordered_moves(journeys, 2)
        found = memory_test(moves, 1, n_signs=100)
        bits.append(found.bits)
        plain.append(found.lr_statistic / (2 * moves.n.sum() * np.log(2)))
    assert np.mean(plain) > 0.05
    assert abs(np.mean(bits)) < 0.01


def test_memory_is_not_taken_for_customers_who_are_alike() -> None:
    """The design effect is about customers, whatever states remember; where nothing is remembered nothing is far."""
    rng = np.random.default_rng(8)
    journeys = sample(random_rows(6, 2, rng), 3000, 8)
    copies = dataclasses.replace(journeys, n=journeys.n * 3)
    strong, none = (memory_test(ordered_moves(copies, 3), order) for order in (1, 2))
    assert strong.p_value < 1e-9
    assert strong.design_effect == pytest.approx(3.0, rel=0.05)
    assert none.design_effect == pytest.approx(3.0, rel=0.05)
    assert strong.distance > 0.3
    assert len(strong.context) == 2
    single = memory_test(ordered_moves(journeys, 3), 2)
    assert (single.distance, single.context, single.n) == (0.0, (), 0)


def test_nothing_to_compare() -> None:
    """One state: no table has two rows that differ; two customers of one journey each tell no memory."""
    each = np.arange(2)
    one = SequenceCounts(
        ("A",), np.zeros(2, np.int64), np.array([0, 1, 2]), np.array([DROP, DROP]), each, each * 0, each * 0 + 1,
        ((),), 2,
    )  # fmt: skip
    found = memory_test(ordered_moves(one, 2), 1)
    assert found.p_value == 1.0
    assert found.df == 0
    assert found.bits == 0.0
    assert found.context == ()


def test_the_order_of_sequences_changes_nothing() -> None:
    journeys = sample(random_rows(5, 2, np.random.default_rng(7)), 500, 7)
    shuffled = np.random.default_rng(1).permutation(500)
    length = journeys.length[shuffled]
    code = np.concatenate([journeys.code[journeys.begin[s] : journeys.begin[s + 1]] for s in shuffled])
    other = SequenceCounts(
        journeys.states, code, np.concatenate([[0], np.cumsum(length)]), journeys.last[shuffled],
        journeys.unit[shuffled], journeys.cell, journeys.n, ((),), 500,
    )  # fmt: skip
    assert memory_test(ordered_moves(journeys, 3), 2) == memory_test(ordered_moves(other, 3), 2)
