"""The choice of the order: worlds of known order, oracles of its criteria, and its words."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from journeymine.counts.sequences import OPEN, SequenceCounts
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.markov.lists import count_lists
from journeymine.markov.memory.order import VARIABLE, OrderChoice, compare_orders
from journeymine.markov.memory.order_likelihood import folds_of_units, ordered_moves, smoothed_levels

ROUNDING = 1e-8
COLUMNS = [
    "order", "n_contexts", "n_parameters", "log_likelihood", "heldout_per_journey", "lower", "upper", "versus_chosen",
    "versus_lower", "versus_upper", "bic", "aic", "lr_statistic", "df", "p_value", "design_effect", "bits", "chosen",
]  # fmt: skip


def world(order: int, seed: int, n: int = 1500, k: int = 5) -> SequenceCounts:
    """Journeys of a random chain of an order; every customer makes one."""
    rng = np.random.default_rng([seed, order])
    shape = (k + 1,) * max(order - 1, 0) + (k,) * (order > 0)
    onward = rng.dirichlet(np.ones(k), shape) * 0.8
    rows = np.concatenate([onward, np.full((*shape, 1), 0.08), np.full((*shape, 1), 0.12)], axis=-1)
    paths = []
    for _ in range(n):
        past = [k] * max(order - 1, 0) + [int(rng.integers(0, k))]
        while past[-1] < k:
            row = rows[tuple(past[len(past) - order :])] if order else rows
            past.append(int(rng.choice(k + 2, p=row)))
        steps = past[max(order - 1, 0) :]
        paths.append([f"s{s}" for s in steps[:-1]] + ["goal"] * (steps[-1] == k))
    return count_lists(paths, goal="goal")[1]


@pytest.fixture(scope="module")
def second() -> OrderChoice:
    return compare_orders(world(2, 1))


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("seed", [1, 2])
def test_finds_the_true_order(order: int, seed: int) -> None:
    """Hundreds of worlds are in benchmarks/validation/order.py."""
    found = compare_orders(world(order, seed))
    assert found.order == order
    assert found.table["chosen"].tolist() == [at == order for at in range(4)] + [False]
    assert found.memory.order == max(order, 1)
    assert float(found.versus_chosen.estimate[order]) == 0.0


def test_table(second: OrderChoice) -> None:
    table = second.table
    assert list(table.columns) == COLUMNS
    assert table["order"].tolist() == [0, 1, 2, 3, VARIABLE]
    assert (table["lower"] <= table["heldout_per_journey"]).all()
    assert (table["heldout_per_journey"] <= table["upper"]).all()
    assert np.isnan(table["p_value"].iloc[[0, 4]]).all()
    assert table["p_value"].iloc[2] < 0.01 <= table["p_value"].iloc[3]
    np.testing.assert_allclose(
        table["bic"], -2 * table["log_likelihood"] + math.log(1500) * table["n_parameters"], rtol=ROUNDING
    )
    np.testing.assert_allclose(
        table["aic"], -2 * table["log_likelihood"] + 2 * table["n_parameters"], rtol=ROUNDING
    )
    fixed = table["log_likelihood"].to_numpy()
    np.testing.assert_allclose(table["lr_statistic"][1:4], 2 * np.diff(fixed[:4]), rtol=1e-6)
    assert (np.diff(fixed[:4]) > 0).all()
    pd.testing.assert_frame_equal(table, second.to_frame())


def test_heldout_prefers_the_true_order(second: OrderChoice) -> None:
    """Journeys held out are likelier under order 2 than 1 beyond doubt, and hardly any likelier under order 3."""
    assert (second.versus_chosen.upper[:2] < 0).all()
    assert abs(second.versus_chosen.estimate[3]) < 0.05


def test_heldout_by_plain_python() -> None:
    """Every journey is judged by shares learnt from the other folds; the interval is Student's over customers."""
    journeys = world(1, 3, n=120)
    found = compare_orders(journeys, max_order=2, seed=4)
    moves = ordered_moves(journeys, 3)
    fold = folds_of_units(journeys.n_units, 4)[moves.unit]
    for order in range(3):
        total = np.zeros(journeys.n_units)
        for held in range(5):
            shares = smoothed_levels(moves, moves.deepest(fold != held))[order]
            for at in np.flatnonzero(fold == held).tolist():
                total[moves.unit[at]] += moves.n[at] * math.log(
                    shares[moves.levels[order].cell[moves.deep[at]]]
                )
        mean = total.mean()
        low, high = stats.t.interval(0.95, len(total) - 1, mean, stats.sem(total))
        assert found.heldout.estimate[order] == pytest.approx(mean, rel=ROUNDING)
        assert found.heldout.lower[order] == pytest.approx(low, rel=ROUNDING)
        assert found.heldout.upper[order] == pytest.approx(high, rel=ROUNDING)


def test_heldout_intervals_hold_what_new_journeys_say() -> None:
    """The gain of order 1 over order 0, against 8,000 journeys of the same chain; 20 logs."""
    journeys = world(1, 50, n=8000)
    big = ordered_moves(journeys, 1)
    shares = smoothed_levels(big, big.deepest())
    gain = big.deepest() @ (np.log(shares[0][big.levels[0].cell]) - np.log(shares[1][big.levels[1].cell]))
    truth = gain / big.journeys.sum()
    held = 0
    for part in range(20):
        chosen = np.arange(journeys.n_sequences) % 20 == part
        # Sequences are sorted by customer, so a part is a sample of them.
        found = compare_orders(journeys.take(chosen), max_order=1)
        held += bool(found.versus_chosen.lower[0] <= truth <= found.versus_chosen.upper[0])
    assert held >= 16


def test_sentences() -> None:
    zero, first = compare_orders(world(0, 1)), compare_orders(world(1, 1))
    assert zero.sentence.startswith("Order 0: the next step depends on no earlier one")
    assert zero.reason == "not certain"
    assert first.sentence.startswith("Order 1: knowing the state tells ")
    assert "p < 0.0001" in first.sentence
    assert "no more than chance may (p = 0." in first.sentence
    third = compare_orders(world(2, 1), max_order=2)
    assert third.reason == "highest"
    assert third.sentence.endswith("no higher order was compared.")
    assert "the last 2 visits and not only the last visit" in third.sentence


def test_a_million_events_do_not_make_everything_worth_it() -> None:
    """Memory so small that only a large log sees it is certain, and negligible."""
    rng = np.random.default_rng(9)
    n = 300_000
    first = rng.integers(0, 2, n)
    second = np.where(rng.random(n) < 0.5, 0, 1)
    won = rng.random(n) < np.where(first == 0, 0.505, 0.495)
    code = np.stack([first, 2 + second], axis=1).ravel()
    paths, count = np.unique(np.column_stack([code.reshape(n, 2), won]), axis=0, return_counts=True)
    unit = np.repeat(np.arange(200), len(paths))
    split = np.stack([rng.multinomial(c, np.ones(200) / 200) for c in count]).T.ravel()
    rows = np.tile(paths, (200, 1))
    kept = split > 0
    journeys = SequenceCounts(
        ("a", "b", "c", "d"), rows[kept, :2].ravel(), np.arange(kept.sum() + 1) * 2,
        np.where(rows[kept, 2] == 1, -2, -1), unit[kept], unit[kept] * 0, split[kept], ((),), 200, True,
    )  # fmt: skip
    found = compare_orders(journeys, max_order=2)
    assert found.tests[1].p_value < 0.01
    assert found.order == 1
    assert found.reason == "negligible"
    assert "though not by chance" in found.sentence


def test_open_ends_are_no_moves() -> None:
    """A visit whose outcome was not watched says nothing of any order."""
    journeys = world(1, 2, n=400)
    cut = dataclasses.replace(
        journeys, last=np.where(np.arange(journeys.n_sequences) % 2, OPEN, journeys.last)
    )
    assert compare_orders(cut).n_moves == compare_orders(journeys).n_moves - int(journeys.n[1::2].sum())


def test_seeds_and_the_order_of_customers() -> None:
    journeys = world(1, 4, n=300)
    a, b, c = (compare_orders(journeys, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(a.table, b.table, check_exact=True)
    assert a.heldout.estimate[1] != c.heldout.estimate[1]
    assert a.log_likelihood.tolist() == c.log_likelihood.tolist()


def test_repr() -> None:
    text = repr(compare_orders(world(1, 1, n=300)))
    assert len(text.splitlines()) <= 12
    assert text.splitlines()[-1].startswith("Next:")
    assert "order 1" in text


def test_hostile_names_and_tiny_data() -> None:
    paths = [["<b>", 'NA"\n', "💥"], ["<b>", "💥"], ["💥"], ['NA"\n', "<b>"]]
    found = compare_orders(count_lists(paths)[1])
    assert found.order == 0
    assert np.isfinite(found.heldout.estimate).all()
    assert found.table.shape == (5, len(COLUMNS))


def test_clear_errors() -> None:
    _, one = count_lists([["A", "B"], ["B"]], customers=["x", "x"])
    with pytest.raises(NotEnoughDataError, match="one customer"):
        compare_orders(one)
    _, nothing = count_lists([["G"], ["G"]], goal="G")
    with pytest.raises(NotEnoughDataError, match="no move"):
        compare_orders(nothing)
    for value in (0, -1, 2.5, True):
        with pytest.raises(OptionError, match="max_order"):
            compare_orders(one, max_order=value)  # type: ignore[arg-type]
