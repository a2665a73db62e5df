"""The statistics behind the checks: against plain Python, exhaustive permutation, scipy, and what must not matter."""

from __future__ import annotations

import math
from functools import reduce
from itertools import permutations
from operator import add

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from journeymine.markov.checks.check_shifts import largest_shift
from journeymine.markov.checks.check_tables import MIN_MOVES, MOST_UNITS, POOLED, GroupedMoves, moves_by_state
from journeymine.markov.checks.check_tests import Deviation, Table, _interval, deviation, table_of

EXACT = 1e-9
"""Rounding of sums of a few hundred terms."""
LIKE_PEARSON = 0.03
"""Of 4,000 moves of as many customers the corrected test is Pearson's, up to what estimating its moments costs."""


def moves_of(
    rows: list[tuple[int, int, int, int, int]], *, groups: int, k: int = 1, n_units: int | None = None
) -> GroupedMoves:
    """Moves from (unit, state, group, column, n)."""
    unit, state, group, column, n = (np.array(part, dtype=np.int64) for part in zip(*rows, strict=True))
    names = tuple(f"g{i}" for i in range(groups))
    return GroupedMoves(unit, state, group, column, n, names, k, n_units or int(unit.max()) + 1)


def whole(moves: GroupedMoves) -> Table:
    return reduce(add, [table_of(table) for table in moves_by_state(moves)])


def found(moves: GroupedMoves) -> Deviation:
    made = deviation(whole(moves))
    assert made is not None
    return made


def sampled(
    seed: int, n: int, *, shares: list[list[float]], per_unit: int = 1, k: int = 1
) -> list[tuple[int, int, int, int, int]]:
    """Moves drawn from a row for each group."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, len(shares), n)
    state = rng.integers(0, k, n)
    column = [int(rng.choice(len(shares[g]), p=shares[g])) for g in group]
    return [(i // per_unit, int(state[i]), int(group[i]), column[i], 1) for i in range(n)]


# ------------------------------------------------------------------------------------------------ plain Python


def by_hand(rows: list[tuple[int, int, int, int, int]], groups: int, targets: int) -> dict[str, float]:
    """What one state adds, by loops over customers and cells; every group and target is frequent enough."""
    units = sorted({u for u, *_ in rows})
    n_cell = {(u, g, t): 0.0 for u in units for g in range(groups) for t in range(targets)}
    for u, _, g, t, n in rows:
        n_cell[u, g, t] += n
    total = sum(n_cell.values())
    n_g = [sum(n_cell[u, g, t] for u in units for t in range(targets)) for g in range(groups)]
    n_t = [sum(n_cell[u, g, t] for u in units for g in range(groups)) for t in range(targets)]
    z: dict[int, list[float]] = {}
    group_noise = target_noise = 0.0
    for u in units:
        own = sum(n_cell[u, g, t] for g in range(groups) for t in range(targets))
        own_g = [sum(n_cell[u, g, t] for t in range(targets)) for g in range(groups)]
        own_t = [sum(n_cell[u, g, t] for g in range(groups)) for t in range(targets)]
        z[u] = [
            (n_cell[u, g, t] - own_g[g] * n_t[t] / total - own_t[t] * n_g[g] / total
             + own * n_g[g] * n_t[t] / total**2) / math.sqrt(n_g[g] * n_t[t] / total)
            for g in range(groups) for t in range(targets)
        ]  # fmt: skip
        group_noise += sum((own_g[g] - own * n_g[g] / total) ** 2 / n_g[g] for g in range(groups))
        target_noise += sum((own_t[t] - own * n_t[t] / total) ** 2 / n_t[t] for t in range(targets))
    product = {(u, v): sum(a * b for a, b in zip(z[u], z[v], strict=True)) for u in units for v in units}
    return {
        "noise": sum(product[u, u] for u in units),
        "spread": sum(product[u, v] ** 2 for u in units for v in units if u != v),
        "signal": sum(product[u, v] for u in units for v in units if u != v)
        - group_noise * target_noise / total,
    }


@given(st.integers(0, 2**31), st.integers(2, 3), st.integers(2, 3))
@settings(max_examples=25, deadline=None)
def test_sums_equal_a_loop_over_customers(seed: int, groups: int, targets: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [
        (u, 0, int(rng.integers(groups)), int(rng.integers(targets)), int(rng.integers(1, 4)))
        for u in range(15)
        for _ in range(4)
    ]
    # Every cell is frequent enough to stand alone.
    rows += [(15, 0, g, t, MIN_MOVES) for g in range(groups) for t in range(targets)]
    form = whole(moves_of(rows, groups=groups)).chi_square
    expected = by_hand(rows, groups, targets)
    assert form.noise == pytest.approx(expected["noise"], rel=EXACT)
    assert form.spread == pytest.approx(expected["spread"], rel=EXACT)
    assert form.signal == pytest.approx(expected["signal"], rel=EXACT, abs=EXACT)


def test_noise_is_taken_off_exactly_on_average_over_all_permutations() -> None:
    """Of independent moves the mean of chi-square given its margins is df N / (N - 1), that of the noise df.

    What estimated shares add is taken off as df / N, so df / N / (N - 1) remains.
    """
    column = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    n, signals, noises = len(column), [], []
    for ones in {tuple(sorted(order[:5])) for order in permutations(range(n), 5)}:
        rows = [(i, 0, int(i in ones), column[i], 1) for i in range(n)]
        form = whole(moves_of(rows, groups=2)).chi_square
        signals.append(form.signal)
        noises.append(form.noise)
    assert np.mean(noises) == pytest.approx(1.0, abs=EXACT)
    assert np.mean(signals) == pytest.approx(1 / n / (n - 1), abs=EXACT)


# --------------------------------------------------------------------------------------------- outside references


@pytest.mark.parametrize("seed", range(4))
def test_of_independent_customers_it_is_pearsons_test(seed: int) -> None:
    rows = sampled(seed, 4000, shares=[[0.5, 0.3, 0.2], [0.49, 0.31, 0.2], [0.52, 0.28, 0.2]])
    table = np.zeros((3, 3))
    for _, _, g, t, n in rows:
        table[g, t] += n
    pearson = stats.chi2_contingency(table, correction=False)
    made = found(moves_of(rows, groups=3))
    assert made.p_value == pytest.approx(pearson.pvalue, abs=LIKE_PEARSON)
    assert made.df == pytest.approx(4, rel=LIKE_PEARSON * 2)
    # Of 200 sums: a variance with 800 degrees of freedom.
    assert made.design_effect == pytest.approx(1, abs=0.15)


def test_interval_inverts_the_non_central_chi_square() -> None:
    """Independent moves: the pull is four times the scale times the squared length, so the multiple is the scale."""
    scale, df, signal = 0.002, 7.0, 0.03
    estimate, low, high = _interval(signal, scale * df, scale**2 * df, 4 * scale * (signal + scale * df))
    at = signal / scale + df
    assert estimate == signal
    assert stats.ncx2.cdf(at, df, low / scale) == pytest.approx(0.975, abs=1e-6)
    assert stats.ncx2.cdf(at, df, high / scale) == pytest.approx(0.025, abs=1e-6)


def test_interval_is_continuous_where_chi_square_becomes_normal() -> None:
    below, above = (
        _interval(0.001, 1e-5 * df, 1e-10 * df, 4e-5 * (0.001 + 1e-5 * df)) for df in (0.9999e4, 1.0001e4)
    )
    np.testing.assert_allclose(below, above, rtol=0.02)


def test_interval_without_any_noise_is_a_point() -> None:
    estimate, low, high = _interval(0.01, 1e-9, 0.0, 0.0)
    assert low == pytest.approx(estimate, rel=1e-6)
    assert high == pytest.approx(estimate, rel=1e-6)


@pytest.mark.parametrize("signal", [-0.5, -0.013, 0.0, 1e-5])
def test_interval_holds_0_where_there_is_no_more_than_noise(signal: float) -> None:
    estimate, low, high = _interval(signal, 0.014, 0.002 * 0.014, 4 * 0.002 * max(signal + 0.014, 1e-9))
    assert low == 0
    assert 0 <= estimate < high


@given(st.integers(0, 2**31), st.integers(10, 300), st.floats(0, 1), st.sampled_from([1, 7, 5000]))
@settings(max_examples=80, deadline=None)
def test_whatever_is_found_is_finite_and_in_order(seed: int, n_units: int, same: float, n: int) -> None:
    """From pure noise to a target that the group decides, from one move a customer to thousands."""
    rng = np.random.default_rng(seed)
    rows = []
    for unit in range(n_units):
        group = int(rng.integers(3))
        column = group if rng.random() < same else int(rng.integers(4))
        rows.append((unit, int(rng.integers(2)), group, column, int(rng.integers(1, n + 1))))
    tables = [table_of(table) for table in moves_by_state(moves_of(rows, groups=3, k=3))]
    for made in [deviation(table) for table in [*tables, *([reduce(add, tables)] if tables else [])]]:
        if made is not None:
            values = (made.statistic, made.df, made.p_value, made.effect, made.lower, made.upper)
            assert all(math.isfinite(value) for value in values)
            assert 0 <= made.p_value <= 1
            assert 0 <= made.lower <= made.effect <= made.upper


# ------------------------------------------------------------------------------------------- what must not matter


@given(st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_order_splits_and_numbers_of_customers_do_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = sampled(seed, 200, shares=[[0.5, 0.3, 0.2], [0.3, 0.3, 0.4]], per_unit=2, k=2)
    first = found(moves_of(rows, groups=2, k=2))
    number = rng.permutation(100)
    other = [(int(number[u]), s, g, t, n) for u, s, g, t, n in rows]
    doubled = [other[i] for i in rng.permutation(len(other))]
    split = [(u, s, g, t, part) for u, s, g, t, n in doubled for part in (n, 0)]
    again = found(moves_of(split, groups=2, k=2))
    for name in ("statistic", "df", "p_value", "effect", "lower", "upper"):
        assert getattr(again, name) == pytest.approx(getattr(first, name), rel=1e-6, abs=1e-9), name
    assert (again.n, again.df_units) == (first.n, first.df_units)


def test_moves_that_always_come_three_at_a_time_say_no_more_than_one() -> None:
    rows = sampled(1, 300, shares=[[0.5, 0.3, 0.2], [0.3, 0.3, 0.4]])
    one, three = (found(moves_of([(*row[:4], n) for row in rows], groups=2)) for n in (1, 3))
    for name in ("statistic", "df", "p_value", "effect", "lower", "upper"):
        assert getattr(three, name) == pytest.approx(getattr(one, name), rel=EXACT), name
    assert three.design_effect == pytest.approx(3 * one.design_effect, rel=EXACT)
    assert three.n == 3 * one.n


def test_customers_in_a_telling_order_are_added_up_at_random() -> None:
    """Sorted by what they do, in runs of five: sums of neighbours, or of every 200th, would not be independent."""
    rng = np.random.default_rng(0)
    p = []
    for _ in range(40):
        group, column = rng.integers(0, 2, 1000), np.arange(1000) // 5 % 2
        rows = [(i, 0, int(group[i]), int(column[i]), 1) for i in range(1000)]
        made = found(moves_of(rows, groups=2))
        assert made.df_units == MOST_UNITS - 1
        p.append(made.p_value)
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_rare_groups_and_targets_are_taken_together() -> None:
    rows = [(i, 0, i % 2, i % 4 // 2, 1) for i in range(40)]
    rows += [(40 + i, 0, 2 + i, 2 + i, 1) for i in range(6)]
    table = next(moves_by_state(moves_of(rows, groups=8, k=7)))
    assert table.groups.tolist() == table.columns.tolist() == [0, 1, POOLED]
    assert table.counts.sum(axis=0)[2].tolist() == [0, 0, 6]
    assert table.counts.sum() == 46


def test_a_single_rare_target_joins_the_rarest_of_the_others() -> None:
    rows = [(i, 0, i % 2, 0 if i < 25 else 1 if i < 35 else 2, 1) for i in range(36)]
    table = next(moves_by_state(moves_of(rows, groups=2, k=3)))
    assert table.columns.tolist() == [0, POOLED]
    assert table.counts.sum(axis=(0, 1)).tolist() == [25, 11]


@pytest.mark.parametrize(
    "rows",
    [
        [(i, 0, 0, i % 2, 1) for i in range(50)],
        [(i, 0, i % 2, 0, 1) for i in range(50)],
        [(i % 9, 0, i % 2, i % 4 // 2, 1) for i in range(50)],
    ],
    ids=["one group", "one target", "nine customers"],
)
def test_what_cannot_be_compared_is_not(rows: list[tuple[int, int, int, int, int]]) -> None:
    tables = [table_of(table) for table in moves_by_state(moves_of(rows, groups=2))]
    assert all(deviation(table) is None for table in tables)


# ------------------------------------------------------------------------------------------- effects and shifts


def test_the_effect_is_the_share_that_goes_elsewhere() -> None:
    """Two equal groups of which 60 and 40 % go to one target and the others to the other: 10 % from the row of all."""
    rows = [(i, 0, i % 2, int(i // 2 % 10 >= (6 if i % 2 else 4)), 1) for i in range(20_000)]
    made = found(moves_of(rows, groups=2))
    assert made.effect == pytest.approx(0.1, abs=0.001)
    # Of a difference of proportions: 0.1 +- half of 1.96 times the root of 2 x 0.24 / 10,000.
    half = 1.96 * math.sqrt(2 * 0.24 / 10_000) / 2
    assert made.lower == pytest.approx(0.1 - half, abs=0.001)
    assert made.upper == pytest.approx(0.1 + half, abs=0.001)


def test_the_largest_shift_names_the_cell_with_its_clustered_interval() -> None:
    rows = [(i, 0, i % 2, int(i // 2 % 10 >= (6 if i % 2 else 4)), 1) for i in range(4000)]
    rows += [(4000 + i, 0, 0, 2, 1) for i in range(2)]  # a rare target joins another
    shift = largest_shift(next(moves_by_state(moves_of(rows, groups=2, k=2))))
    assert (shift.group, shift.column, shift.n) == (1, 0, 2000)
    assert shift.share == pytest.approx(0.6)
    assert shift.usual == pytest.approx(0.5, abs=0.001)
    half = 1.97 * math.sqrt(2 * 0.24 / 2000) / 2
    assert shift.upper - shift.lower == pytest.approx(2 * half, rel=0.1)


# ----------------------------------------------------------------------------------------------- level and power


def null_p(seed: int) -> float:
    """Forty customers with fifteen moves each and habits of their own; twelve targets, most of them rare."""
    rng = np.random.default_rng(seed)
    habit = rng.dirichlet(np.full(12, 0.3), size=40)
    rows = [
        (u, int(rng.integers(3)), int(rng.integers(4)), int(rng.choice(12, p=habit[u])), 1)
        for u in range(40)
        for _ in range(15)
    ]
    return found(moves_of(rows, groups=4, k=11)).p_value


def test_p_values_are_uniform_when_customers_differ_and_targets_are_rare() -> None:
    """A fixed set of 100 logs; the benchmark has the long version. One in a thousand valid tests would fail."""
    p = [null_p(seed) for seed in range(100)]
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_habits_of_customers_are_no_difference_between_groups() -> None:
    """Groups are of customers, each of whom always does the same: naive chi-square is far too sure."""
    naive, clustered = 0, 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        group, habit = rng.integers(0, 2, 60), rng.integers(0, 2, 60)
        rows = [(u, 0, int(group[u]), int(habit[u]), 20) for u in range(60)]
        table = np.zeros((2, 2))
        np.add.at(table, (group, habit), 20)
        naive += int(stats.chi2_contingency(table, correction=False).pvalue < 0.05)
        clustered += found(moves_of(rows, groups=2)).p_value < 0.05
    assert naive > 30
    assert clustered <= 9  # 3 expected; more than 9 once in two thousand runs of a valid test


def test_planted_difference_is_found() -> None:
    shares = [[0.5, 0.3, 0.2], [0.4, 0.4, 0.2]]
    assert (
        sum(found(moves_of(sampled(s, 1000, shares=shares), groups=2)).p_value < 0.05 for s in range(20)) > 15
    )
