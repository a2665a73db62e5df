"""How many classes: as many as there are, one where there is one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from tests.markov.classes.mixture_worlds import CALM, HASTY, LOST, counts_of, three_classes, walks

from journeymine.markov.classes.class_number import (
    choose_by_bic,
    choose_by_gain,
    gain_by_chance,
    tail_of_a_new_one,
)
from journeymine.markov.classes.mixture import fit_mixture
from journeymine.markov.classes.mixture_em import MixtureModel
from journeymine.markov.classes.mixture_members import member_table


def test_three_planted_classes() -> None:
    table = member_table(three_classes(4000, 1)[0])
    by_bic = choose_by_bic(table, 6)
    assert by_bic.n_classes == choose_by_gain(table, 3).n_classes == 3
    assert [row.n_classes for row in by_bic.tried] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("seed", range(4))
def test_one_class(seed: int) -> None:
    table = member_table(counts_of(walks([CALM], np.zeros(1500, int), seed)))
    assert choose_by_bic(table, 3).n_classes == 1
    assert choose_by_gain(table, 3, level=0.001).n_classes == 1


def test_criteria_by_hand() -> None:
    table = member_table(counts_of(walks([CALM, HASTY], np.arange(200) % 2, 1), unit=np.arange(200) // 2))
    row = choose_by_bic(table, 1).tried[0]
    # Two members of each customer would not be independent: n is the number of customers.
    assert row.bic == pytest.approx(-2 * row.log_likelihood + np.log(100) * row.n_parameters)
    assert row.aic == pytest.approx(-2 * row.log_likelihood + 2 * row.n_parameters)


def test_segments_that_differ_are_no_classes() -> None:
    """Three cells with chains of their own, fitted together: nothing is left for a class."""
    cell = np.random.default_rng(0).integers(0, 3, 3000)
    sequences = counts_of(walks([CALM, HASTY, LOST], cell, 2), cell=cell, n_cells=3)
    assert choose_by_gain(member_table(sequences, cell_of=np.arange(3)), 3).n_classes == 1
    assert choose_by_gain(member_table(sequences), 3).n_classes > 1


def test_chance_of_a_gain() -> None:
    table = member_table(counts_of(walks([CALM], np.zeros(400, int), 3)))
    fit = fit_mixture(MixtureModel(table.members), 1, np.random.default_rng(0))
    low, high = (gain_by_chance(table, fit, gain, n_worlds=8) for gain in (2.0, 60.0))
    assert low > 0.9
    assert high < 0.02


def test_the_tail_holds_its_level() -> None:
    """One more draw exceeds the 5 % bound of eight others in 5 % of cases, for draws like those of a ratio."""
    rng = np.random.default_rng(0)
    draws = np.expm1(rng.normal(3.0, 0.2, (4000, 9)))
    p = np.array([tail_of_a_new_one(row[:8], row[8]) for row in draws])
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert tail_of_a_new_one(np.zeros(4), 1.0) == 0.0
    assert tail_of_a_new_one(np.zeros(4), 0.0) == 1.0
