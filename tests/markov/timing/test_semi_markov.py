"""The semi-Markov kernel: against lifelines, plain Python, numerical derivatives and known truth."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.counts.chain import DROP, GOAL, ChainCounts
from journeymine.counts.sequences import OPEN
from journeymine.counts.visit_waits import VisitWaits
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.markov.timing.renewal import grid_of
from journeymine.markov.timing.semi_kernel import competing_risks, estimate_kernel
from journeymine.markov.timing.semi_markov import fit_semi_markov

if TYPE_CHECKING:
    from collections.abc import Sequence

    Visit = tuple[int, int, int, int]

EXACT = 1e-9
DERIVATIVE = 2e-5
"""Central differences with weights of 1 +- 1e-4."""
SECOND = 1_000_000


def waits_of(visits: Sequence[Visit], k: int, n_units: int, *, idle: int = 1000) -> VisitWaits:
    """Waits from visits (unit, source, target, wait); a bin is a value."""
    rows = np.array(visits, dtype=np.int64).reshape(-1, 4)
    entries, entry = np.unique(rows[:, 1:], axis=0, return_inverse=True)
    entry = entry.ravel()
    pairs, n = np.unique(np.stack([rows[:, 0], entry]), axis=1, return_counts=True)
    size = np.bincount(entry)
    wait = entries[:, 2]
    return VisitWaits(
        tuple("ABCDEFG"[:k]), entries[:, 0], entries[:, 1], wait, size, wait * size, wait, wait,
        pairs[0], pairs[1], n, idle, 10 * idle, n_units,
    )  # fmt: skip


def chain_of(visits: Sequence[Visit], k: int, n_units: int) -> ChainCounts:
    """The chain of the visits that are not OPEN; journeys start in the first state."""
    rows = np.array([v[:3] for v in visits if v[2] != OPEN], dtype=np.int64).reshape(-1, 3)
    moves, n = np.unique(rows, axis=0, return_counts=True)
    zero, unit = np.zeros(len(moves), np.int64), np.arange(n_units)
    none = np.zeros(n_units, np.int64)
    return ChainCounts(
        tuple("ABCDEFG"[:k]), np.arange(k), moves[:, 0], zero, moves[:, 1], moves[:, 2], n, zero * 1.0,
        unit, none, none, none + 1, ((),), np.array([n_units]), n_units,
    )  # fmt: skip


def random_visits(seed: int, k: int = 2, n: int = 300, n_units: int = 40, idle: int = 1000) -> list[Visit]:
    """Visits with waits below idle, some cut off before: those are OPEN, and so are their moves unseen."""
    rng = np.random.default_rng(seed)
    visits = []
    for _ in range(n):
        unit, source = int(rng.integers(n_units)), int(rng.integers(k))
        target = int(rng.choice([*range(k), GOAL, DROP]))
        wait = idle if target == DROP else int(rng.integers(0, idle) ** (1 + source) // idle**source)
        seen = int(rng.integers(0, 2 * idle))
        visits.append(
            (unit, source, target, wait) if wait <= seen else (unit, source, OPEN, min(seen, idle - 1))
        )
    return visits


def oracle(visits: Sequence[Visit], source: int) -> dict[tuple[int, int], float]:
    """Aalen and Johansen by hand: mass of each (target, wait) of one state."""
    own = [(target, wait) for _, s, target, wait in visits if s == source]
    mass, left = {}, 1.0
    for time in sorted({wait for _, wait in own}):
        at_risk = sum(wait >= time for _, wait in own)
        leaving = 0.0
        for target in sorted({t for t, w in own if w == time and t != OPEN}):
            hazard = sum(t == target and w == time for t, w in own) / at_risk
            mass[target, time] = left * hazard
            leaving += hazard
        left *= 1 - leaving
    return mass


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_incidence_by_hand(seed: int) -> None:
    visits = random_visits(seed, n=120)
    waits = waits_of(visits, 2, 40)
    for source, risks in enumerate(competing_risks(waits)):
        expected = oracle(visits, source)
        for at, mass in zip(risks.entry.tolist(), risks.mass.tolist(), strict=True):
            key = int(waits.target[at]), int(waits.bin[at])
            assert mass == pytest.approx(expected.get(key, 0.0), abs=EXACT)


def test_incidence_equals_lifelines() -> None:
    """Distinct waits, as lifelines shifts ties at random."""
    from lifelines import AalenJohansenFitter

    rng = np.random.default_rng(2)
    wait = rng.permutation(5000)[:400] + 1
    target = rng.choice([0, GOAL, DROP, OPEN], 400)
    visits = [(i, 0, int(t), int(w)) for i, (t, w) in enumerate(zip(target, wait, strict=True))]
    waits = waits_of(visits, 1, 400)
    (risks,) = competing_risks(waits)
    code = np.select([target == 0, target == GOAL, target == DROP], [1, 2, 3], 0)
    for cause, name in ((1, 0), (2, GOAL), (3, DROP)):
        fitted = AalenJohansenFitter(calculate_variance=False).fit(wait, code, event_of_interest=cause)
        theirs = fitted.cumulative_density_.iloc[:, 0]
        for time in (50, 700, 2500, 5000):
            here = (waits.target[risks.entry] == name) & (waits.bin[risks.entry] <= time)
            assert risks.mass[here].sum() == pytest.approx(theirs[theirs.index <= time].iloc[-1], abs=EXACT)


def test_the_kernel_has_the_shares_of_the_chain() -> None:
    """Whatever the waits of late visits say: in the end every move is made as often as in the chain."""
    visits = random_visits(3)
    chain = chain_of(visits, 2, 40)
    kernel = estimate_kernel(waits_of(visits, 2, 40), chain)
    weight = np.bincount(kernel.edge[kernel.edge >= 0], kernel.weight[kernel.edge >= 0])
    np.testing.assert_allclose(weight, 1.0)
    on_grid = kernel.on_grid(grid_of(5000))
    np.testing.assert_allclose(on_grid.mass.sum(axis=1), kernel.share)
    moves = np.zeros((2, 4))
    np.add.at(moves, (chain.source, chain.column(chain.target)), chain.n)
    share = moves / moves.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(kernel.share, share[kernel.edges[:, 0], kernel.edges[:, 1]])
    mean = np.array(
        [(on_grid.mass[e] @ np.arange(on_grid.mass.shape[1])) / kernel.share[e] for e in range(len(share))]
    )
    entry, mass, low, high = kernel.pieces()
    expected = np.bincount(kernel.edge[entry], mass * (low + high) / 2)[: len(share)]
    np.testing.assert_allclose(mean * grid_of(5000).step_us, expected, rtol=EXACT)


def test_a_bin_keeps_its_mean_and_its_ends() -> None:
    visits = [(0, 0, GOAL, 5), (1, 0, DROP, 9)]
    waits = dataclasses.replace(
        waits_of(visits, 1, 2), n=np.array([4, 1]), wait_us=np.array([52, 9]), low_us=np.array([10, 9]),
        high_us=np.array([20, 9]),
    )  # fmt: skip
    entry, mass, low, high = estimate_kernel(waits, chain_of(visits, 1, 2)).pieces()
    goal = entry == 0
    assert (low[goal].min(), high[goal].max()) == (10, 20)
    assert mass[goal].sum() == pytest.approx(1.0)
    assert (mass[goal] * (low[goal] + high[goal]) / 2).sum() == pytest.approx(13.0)


def weighted(waits: VisitWaits, weights: np.ndarray) -> VisitWaits:
    """The same visits with units that count more or less; the mean wait of an entry stays."""
    n = np.bincount(waits.row_entry, waits.row_n * weights[waits.row_unit], minlength=len(waits.n))
    return dataclasses.replace(waits, n=n, wait_us=waits.mean_us * n)  # type: ignore[arg-type]


def test_influence_is_the_derivative() -> None:
    """Counting a unit a little more moves the sum of value x mass by its influence."""
    waiting = np.random.default_rng(2).permutation(300) + 1
    # Distinct waits: with weights that are no whole numbers, means of equal ones differ by rounding.
    visits = [
        (*v[:3], 1000 if v[2] == DROP else int(w))
        for v, w in zip(random_visits(4, n_units=8), waiting, strict=True)
    ]
    waits, chain = waits_of(visits, 2, 8), chain_of(visits, 2, 8)
    kernel = estimate_kernel(waits, chain)
    value = np.random.default_rng(1).normal(size=(len(waits.n), 3))
    influence = kernel.rows_by_unit() @ kernel.influence_of_times(value, kernel.mean_value(value))
    np.testing.assert_allclose(influence.sum(axis=0), 0.0, atol=EXACT)

    def total(weights: np.ndarray) -> np.ndarray:
        again = estimate_kernel(weighted(waits, weights), chain)
        return again.share @ again.mean_value(value)

    for unit in range(8):
        step = 1e-4 * np.eye(8)[unit]
        slope = (total(1 + step) - total(1 - step)) / 2e-4
        np.testing.assert_allclose(influence[unit], slope, atol=DERIVATIVE)


# ---------------------------------------------------------------------------------------------- sojourn times


def test_quantiles_of_what_was_seen_to_its_end() -> None:
    """Without censoring they are the quantiles of the data, and every target has its own."""
    rng = np.random.default_rng(7)
    fast, slow = rng.integers(1, 50, 301) * SECOND, rng.integers(100, 900, 301) * SECOND
    visits = [(i, 0, GOAL, int(w)) for i, w in enumerate(fast)] + [
        (i, 0, 0, int(w)) for i, w in enumerate(slow)
    ]
    fitted = fit_semi_markov(waits_of(visits, 1, 301, idle=1000 * SECOND), chain_of(visits, 1, 301))
    frame = fitted.to_frame().set_index(["source", "target", "quantile"])
    for target, data in (("A", slow), ("(goal)", fast)):
        for level in (0.5, 0.9):
            row = frame.loc[("A", target, level)]
            exact = np.quantile(data, level, method="inverted_cdf") / SECOND
            assert row["estimate"] == pytest.approx(exact)
            assert row["lower"] <= exact <= row["upper"]
            assert row["n"] == 301
            # Order statistics, binomial: the usual interval of a quantile.
            low, high = np.quantile(
                data / SECOND, level + np.array([-1.96, 1.96]) * np.sqrt(level * (1 - level) / 301)
            )
            assert row["lower"] == pytest.approx(low, rel=0.1)
            assert row["upper"] == pytest.approx(high, rel=0.1)
    assert repr(fitted).endswith("Next: .to_frame()")


def test_medians_in_spite_of_open_ends() -> None:
    """Half of the visits are cut off: medians of the waits that were seen are far too short, these are not."""
    rng = np.random.default_rng(11)
    n, idle = 20_000, 40 * SECOND
    wait = (rng.exponential(10.0, n) * SECOND).astype(np.int64)
    target = np.where((rng.random(n) < 0.7) & (wait < idle), GOAL, DROP)
    wait = np.where(target == DROP, idle, wait)
    seen = (rng.uniform(0, 45, n) * SECOND).astype(np.int64)
    late = wait > seen
    target, wait = np.where(late, OPEN, target), np.where(late, np.minimum(seen, idle - 1), wait)
    visits = list(zip(range(n), [0] * n, target.tolist(), wait.tolist(), strict=True))
    watched = [v for v, s in zip(visits, seen.tolist(), strict=True) if s >= idle]
    fitted = fit_semi_markov(waits_of(visits, 1, n, idle=idle), chain_of(watched, 1, n))
    truth = -10 * np.log(1 - np.array([0.5, 0.9]) * (1 - np.exp(-4)))
    found = fitted.to_frame().set_index("quantile")
    assert (found["lower"] <= truth).all()
    assert (found["upper"] >= truth).all()
    assert (found["upper"] - found["lower"] < 0.1 * truth).all()
    naive = np.median(wait[target == GOAL]) / SECOND
    assert naive < found.loc[0.5, "lower"]


def test_customers_who_repeat_themselves_widen_intervals() -> None:
    rng = np.random.default_rng(5)
    own = rng.integers(1, 1000, 50)
    alone = [(i, 0, GOAL, int(own[i // 20])) for i in range(1000)]
    together = [(i // 20, 0, GOAL, int(own[i // 20])) for i in range(1000)]
    widths = []
    for visits, units in ((alone, 1000), (together, 50)):
        row = fit_semi_markov(waits_of(visits, 1, units), chain_of(visits, 1, units), quantiles=[0.5]).wait_s
        widths.append(float(row.upper[0, 0] - row.lower[0, 0]))
    assert widths[1] > 2 * widths[0]


def test_errors() -> None:
    visits = random_visits(1)
    waits, chain = waits_of(visits, 2, 40), chain_of(visits, 2, 40)
    with pytest.raises(NotEnoughDataError, match="no times"):
        estimate_kernel(None, chain)
    with pytest.raises(OptionError, match="other states"):
        estimate_kernel(dataclasses.replace(waits, states=("X", "Y")), chain)
    with pytest.raises(OptionError, match=r"quantiles holds 1\.5"):
        fit_semi_markov(waits, chain, quantiles=[1.5])
    with pytest.raises(OptionError, match="other journeys"):
        estimate_kernel(waits_of([v for v in visits if v[2] != GOAL], 2, 40), chain)
