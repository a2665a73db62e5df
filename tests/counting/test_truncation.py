"""Journeys that were under way when the log begins: the test, and what it does to starts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import journeymine as jm
from journeymine.counts.truncation import Starts, begins_under_way, homogeneity_p
from journeymine.simulate import sample_chain

RUNS = 400
UNIFORM = 1e-3
"""Level of the Kolmogorov-Smirnov test: fails once in a thousand seeds, and seeds are fixed."""
CHI_SQUARE = 0.01
"""F with 799 denominator degrees of freedom instead of chi-square, and n / (n - 1)."""


def starts(unit: np.ndarray, activity: np.ndarray, early: np.ndarray) -> Starts:
    return Starts(unit, activity, early, np.ones(len(unit), np.int64))


def test_independent_starts_equal_the_chi_square_test() -> None:
    early = np.arange(800) < 300
    activity = np.r_[np.repeat([0, 1, 2], [150, 100, 50]), np.repeat([0, 1, 2], [220, 160, 120])]
    table = np.array([np.bincount(activity[g], minlength=3) for g in (early, ~early)])
    p = homogeneity_p(starts(np.arange(800), activity, early))
    assert p == pytest.approx(stats.chi2_contingency(table).pvalue, abs=CHI_SQUARE)


def test_p_values_are_uniform_when_customers_come_back() -> None:
    """120 customers, each with a habit of where to start: naive tests would reject far too often."""
    rng = np.random.default_rng(0)
    found, naive = [], []
    for _ in range(RUNS):
        unit = np.repeat(np.arange(120), rng.geometric(0.25, 120))
        habit = rng.dirichlet([1.0, 0.6, 0.4], 120)
        activity = (rng.random(len(unit))[:, None] > habit[unit].cumsum(axis=1)).sum(axis=1).clip(0, 2)
        early = np.repeat(rng.random(120) < 0.4, np.bincount(unit))
        p = homogeneity_p(starts(unit, activity, early))
        assert p is not None
        found.append(p)
        table = np.array([np.bincount(activity[g], minlength=3) for g in (early, ~early)])
        naive.append(stats.chi2_contingency(table).pvalue)
    assert stats.kstest(found, "uniform").pvalue > UNIFORM
    assert np.mean(np.array(naive) < 0.05) > 2 * np.mean(np.array(found) < 0.05)


def test_too_few_starts_or_one_activity_say_nothing() -> None:
    early = np.arange(100) < 29
    assert homogeneity_p(starts(np.arange(100), early.astype(int), early)) is None
    early = np.arange(100) < 50
    assert homogeneity_p(starts(np.arange(100), np.zeros(100, int), early)) is None
    # All activities rare: they are one.
    assert homogeneity_p(starts(np.arange(100), np.arange(100), early)) is None
    assert not begins_under_way(starts(np.arange(100), np.zeros(100, int), early))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_order_and_splitting_of_entries_do_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    unit, activity, early = rng.integers(0, 50, 200), rng.integers(0, 4, 200), rng.random(200) < 0.5
    p = homogeneity_p(starts(unit, activity, early))
    order = rng.permutation(200)
    assert homogeneity_p(starts(unit[order], activity[order], early[order])) == pytest.approx(p, rel=1e-9)
    keys, n = np.unique(np.stack([unit, activity, early]), axis=1, return_counts=True)
    merged = homogeneity_p(Starts(keys[0], keys[1], keys[2].astype(bool), n))
    assert merged == pytest.approx(p, rel=1e-9)


# ------------------------------------------------------------------------------------------------ in a log


def sampled(seed: int = 0) -> pd.DataFrame:
    """2,000 journeys over 150 days that all start with A; waits of days."""
    matrix = [[0.0, 0.7, 0.062, 0.238], [0.10, 0.0, 0.65, 0.25]]
    waits = [[1.0, 2.0, 8.0], [6.0, 1.0, 12.0]]
    return sample_chain(matrix, [1, 0], 2000, seed, days=150.0, wait_days=waits).events


def read(events: pd.DataFrame, **roles: str) -> jm.EventLog:
    roles = {"timestamp": "timestamp"} | roles
    return jm.read_log(
        events, case_id="case_id", customer_id="customer_id", activity="activity", threads=1, **roles
    )


def cut(events: pd.DataFrame, day: int = 30) -> pd.DataFrame:
    return events[events["timestamp"] >= events["timestamp"].min().normalize() + pd.Timedelta(days=day)]


def test_a_log_from_its_true_beginning_is_left_alone() -> None:
    counts = read(sampled()).journeys("Goal", idle="30d").count_chain()
    assert counts.n_truncated == 0
    assert counts.n_starts == 2000


def test_journeys_under_way_start_nowhere_but_keep_their_moves() -> None:
    events = cut(sampled())
    log = read(events).journeys("Goal", idle="30d")
    counts = log.count_chain()
    first = events.sort_values("timestamp", kind="stable").groupby("case_id")["timestamp"].first()
    early = first < events["timestamp"].min() + pd.Timedelta(days=30)
    assert counts.n_truncated == early.sum() > 300
    assert counts.n_starts == (~early).sum()
    # All remaining journeys start where journeys do start.
    assert {counts.states[s] for s in counts.start_state} == {"A"}
    # Nothing is taken from the moves: they are those of the log in which A is declared to be where journeys start,
    # and of the journeys cut off before it.
    watched = events[events["activity"] != "Goal"]
    until = events["timestamp"].max() - pd.Timedelta(days=30)
    assert counts.n_visits == (watched["timestamp"] <= until).sum()


def test_a_start_activity_says_where_journeys_begin() -> None:
    counts = read(cut(sampled())).journeys("Goal", start="A", idle="30d").count_chain()
    assert counts.n_truncated == 0


def test_a_log_without_times_has_no_beginning() -> None:
    events = cut(sampled()).reset_index(drop=True)
    events["order"] = events.index
    log = jm.read_log(
        events.drop(columns="timestamp"), case_id="case_id", activity="activity", order="order", threads=1
    )
    assert log.journeys("Goal").count_chain().n_truncated == 0


def test_conversion_is_that_of_whole_journeys() -> None:
    """Without the rule the early starts at B would raise conversion."""
    whole = sample_chain([[0.0, 0.7, 0.062, 0.238], [0.10, 0.0, 0.65, 0.25]], [1, 0], 10, 0).truth.conversion
    events = cut(sampled(3))
    chain = read(events).journeys("Goal", idle="30d").fit_markov(n_draws=200)
    found = chain.conversion()
    assert found is not None
    assert found["lower"] < whole < found["upper"]
    first = events.sort_values("timestamp", kind="stable").groupby("case_id")["activity"].first()
    value = dict(zip(chain.states, chain.hit.estimate, strict=True)) | {"Goal": 1.0}
    naive = float(first.map(value).mean())
    assert naive > found["estimate"] + 0.01
