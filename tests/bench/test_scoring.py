"""Metrics, scores and gates: by hand, against scikit-like definitions, and on benchmarks whose outcome is known."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from journeymine.bench.estimates import mean_over_logs, share_over_logs
from journeymine.bench.gate_figures import at_least_by_chance, at_most_by_chance
from journeymine.bench.gates import gate_results
from journeymine.bench.logs import LogKey
from journeymine.bench.metrics import FURTHEST, kendall_tau, log_ratio, ndcg, order_of, regret, true_places
from journeymine.bench.reliability import reliability_of
from journeymine.bench.scoring import score_line, score_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., dict[str, Any]]

effects = st.lists(st.floats(0.001, 0.1), min_size=2, max_size=8, unique=True)


@given(effects)
def test_the_true_order_is_perfect_and_its_reverse_is_worst(values: list[float]) -> None:
    true = np.array(values)
    assert kendall_tau(true, true) == pytest.approx(1.0)
    assert kendall_tau(true, -true) == pytest.approx(-1.0)
    assert ndcg(true, order_of(true)) == pytest.approx(1.0)
    assert regret(true, order_of(true)) == pytest.approx(0.0)


@given(effects, st.integers(0, 2**31))
def test_no_order_beats_the_true_one(values: list[float], seed: int) -> None:
    true = np.array(values)
    order = np.random.default_rng(seed).permutation(len(true))
    assert ndcg(true, order) <= 1 + 1e-12
    for k in (1, 3):
        assert -1e-12 <= regret(true, order, k) <= 1


def test_tau_and_ndcg_by_counting_pairs_and_by_the_formula() -> None:
    true = np.array([4.0, 3.0, 2.0, 1.0])
    for order in permutations(range(4)):
        estimate = np.empty(4)
        estimate[list(order)] = [4, 3, 2, 1]
        signs = [
            np.sign((true[i] - true[j]) * (estimate[i] - estimate[j])) for i in range(4) for j in range(i)
        ]
        assert kendall_tau(true, estimate) == pytest.approx(np.mean(signs))
        gain = sum(true[fix] / np.log2(place + 2) for place, fix in enumerate(order[:3]))
        best = 4 / np.log2(2) + 3 / np.log2(3) + 2 / np.log2(4)
        assert ndcg(true, np.array(order)) == pytest.approx(gain / best)


def test_where_nothing_is_true_there_is_no_order() -> None:
    zero, order = np.zeros(3), np.arange(3)
    assert kendall_tau(zero, np.array([1.0, 2, 3])) is None
    assert ndcg(zero, order) is None
    assert regret(zero, order) is None
    first, last = true_places(zero)
    assert first.tolist() == [1, 1, 1]
    assert last.tolist() == [3, 3, 3]


def test_a_wrong_sign_counts_as_a_hundred_times_off() -> None:
    assert log_ratio(0.01, -0.5) == pytest.approx(-np.log(FURTHEST))
    assert log_ratio(0.01, 5.0) == pytest.approx(np.log(FURTHEST))
    assert log_ratio(-0.01, -0.02) == pytest.approx(np.log(2))


def test_a_line_becomes_a_score(make_line: Make) -> None:
    line = make_line(
        estimate=[0.01, 0.02, 0.03], lower=[0, 0, 0], upper=[0.02, 0.03, 0.04], p_best=[0.1, 0.3, 0.6]
    )
    score = score_line(line)
    assert score.tau == pytest.approx(-1.0)
    assert score.regret_1 == pytest.approx(2 / 3)
    assert [fix.is_covered for fix in score.fixes] == [False, True, True]
    assert [fix.best for fix in score.fixes] == [1.0, 0.0, 0.0]
    # The ranker's own places go before its estimates.
    assert score_line(make_line(estimate=[0.01, 0.02, 0.03], rank=[1, 2, 3])).regret_1 == pytest.approx(0.0)


def test_scores_of_habits_have_no_bias_and_no_coverage(make_line: Make) -> None:
    score = score_line(make_line(calibrated=False, intervals=False, estimate=[300, 200, 100]))
    assert score.tau == pytest.approx(1.0)
    assert all(fix.log_ratio is None and fix.is_covered is None for fix in score.fixes)
    assert not score.calls_above_zero


def test_a_null_world_is_called_by_the_bound_or_by_the_rankers_word(make_line: Make) -> None:
    none = {"true": [0.0] * 3, "estimate": [0.01] * 3, "upper": [0.02] * 3}
    assert score_line(make_line(**none, lower=[-0.01, 0.001, -0.01])).calls_above_zero
    assert not score_line(make_line(**none, lower=[-0.01, 0.0, 1e-12])).calls_above_zero
    kept = make_line(**none, lower=[0.001] * 3, above_zero=[False] * 3)
    assert not score_line(kept).calls_above_zero


def test_intervals_of_figures_hold_their_truth() -> None:
    """Means of 30 clustered logs and shares: coverage over 400 benchmarks, two standard errors allowed below."""
    rng = np.random.default_rng(11)
    held_mean = held_share = 0
    logs = np.repeat(np.arange(30), 4)
    for _ in range(400):
        level = rng.normal(size=30)[logs]
        mean = mean_over_logs((level + rng.normal(size=120)).tolist(), logs.tolist())
        held_mean += mean.lower <= 0 <= mean.upper
        share = share_over_logs((level + rng.normal(size=120) > 0).tolist(), logs.tolist())
        held_share += share.lower <= 0.5 <= share.upper
    assert held_mean >= 400 * 0.92 - 2 * np.sqrt(
        400 * 0.92 * 0.08
    )  # 30 logs: the percentile bootstrap is a little short
    assert held_share >= 400 * 0.95 - 2 * np.sqrt(400 * 0.95 * 0.05)


def test_bounds_by_chance_are_those_of_the_issue() -> None:
    assert round(400 * at_most_by_chance(0.05)(400)[1]) == 29
    assert round(400 * at_least_by_chance(0.95)(400)[0]) == 371
    # Outside witness: a right ranker misses in at most 2.5 % of benchmarks, and one more would be below.
    assert binom.cdf(29, 400, 0.05) >= 0.975 > binom.cdf(28, 400, 0.05)


def results(lines: list[dict[str, Any]], **options: Any) -> dict[tuple[str, str], Any]:
    found = gate_results(score_lines(lines), ranker="mine", classes="split", **options)
    return {(one.key, one.shape): one for one in found}


def test_a_perfect_ranker_passes_and_a_biased_one_does_not(make_line: Make) -> None:
    rng = np.random.default_rng(5)

    def lines(bias: float) -> list[dict[str, Any]]:
        made = []
        for seed in range(70):
            true = np.array([0.03, 0.02, 0.01])
            se = 0.03 * true
            estimate = bias * true + se * rng.normal(size=3)
            made.append(
                make_line(
                    seed=seed,
                    true=true.tolist(),
                    estimate=estimate.tolist(),
                    lower=(estimate - 1.96 * se).tolist(),
                    upper=(estimate + 1.96 * se).tolist(),
                )
            )
        return made

    good, bad = results(lines(1.0)), results(lines(1.15))
    keys = ("ratio", "bias", "tau", "regret", "coverage")
    assert all(good[key, "shop"].passed and good[key, "shop"].is_enough for key in keys)
    assert [bad[key, "shop"].passed for key in keys] == [False, False, True, True, False]
    # E|N(0, 0.03)| = 0.03 sqrt(2 / pi) = 0.0239.
    assert good["ratio", "shop"].figure.estimate == pytest.approx(0.0239, abs=0.004)
    assert good["positivity", "all"].passed is None


def test_gates_on_flags_null_and_classes(make_line: Make) -> None:
    zero = {"true": [0.0] * 3, "estimate": [0.0] * 3, "upper": [0.01] * 3}
    lines = [
        make_line(seed=seed, scenario="null", **zero, lower=[0.001 if seed < 3 else -0.01] * 3)
        for seed in range(20)
    ]
    lines = [
        line | {"fixes": [{**fix, "estimate": max(fix["estimate"], fix["lower"])} for fix in line["fixes"]]}
        for line in lines
    ]
    lines += [
        make_line(seed=seed, scenario="positivity", flags=[["positivity"] if seed < 15 else [], [], []])
        for seed in range(20)
    ]
    lines += [make_line(seed=seed) for seed in range(20)]
    lines += [
        make_line("split", seed=seed, n_classes=1 + (seed < 4), estimate=[0.03, 0.01, 0.02])
        for seed in range(20)
    ]
    found = results(lines)
    # 3 of 20 is what chance allows at 5 %: binom.ppf(0.975, 20, 0.05) = 3.
    assert found["null", "all"].figure.estimate == pytest.approx(0.15)
    assert found["null", "all"].passed
    assert not found["null", "all"].is_enough
    assert found["positivity", "all"].figure.estimate == pytest.approx(0.75)
    assert not found["positivity", "all"].passed
    assert found["one_class", "all"].figure.estimate == pytest.approx(0.8)
    assert not found["one_class", "all"].passed
    # One pair of three upside down: tau 1/3 against 1.
    assert found["no_harm", "all"].figure.estimate == pytest.approx(-2 / 3)
    assert not found["no_harm", "all"].passed


def test_the_slope_of_near_ties_says_how_it_is_pooled(make_line: Make) -> None:
    """Each world has one winner: a slope over few worlds is about their gaps too, and the gate says so."""
    shapes = ("shop", "service")
    lines = [
        make_line(seed=seed, shape=shape, scenario="near_ties", p_best=[0.5 + 0.01 * seed, 0.3, 0.2])
        for seed in range(10)
        for shape in shapes
    ]
    gate = results(lines)["p_best", "all"]
    assert gate.figure is not None
    assert "pooled over 2 worlds, each with the same best fix in all its logs" in gate.remark
    assert "gaps" in gate.remark
    one = results(lines[::2])["p_best", "all"]
    assert "pooled over 1 world, each" in one.remark
    # Nothing is said about what was not run, and nothing changes in what passes.
    assert results([make_line()])["p_best", "all"].remark == ""
    assert (gate.lower, gate.upper) == (0.8, 1.2)


def test_no_gate_is_passed_where_the_ranker_failed(make_line: Make) -> None:
    scores = score_lines([make_line(seed=seed) for seed in range(30)])
    lost = [(LogKey("shop", "loop_memory", 10_000, 0), "mine"), (LogKey("shop", "null", 10_000, 0), "other")]
    found = {(one.key, one.shape): one for one in gate_results(scores, ranker="mine", failed=lost)}
    assert found["tau", "shop"].figure.estimate == pytest.approx(1.0)
    assert found["tau", "shop"].passed is False
    assert found["tau", "shop"].n_failed == 1
    assert found["null", "all"].passed is None


def test_stated_probabilities_that_come_true_have_a_slope_of_one(make_line: Make) -> None:
    rng = np.random.default_rng(2)
    lines = []
    for seed in range(600):
        p = rng.dirichlet(np.ones(3))
        best = rng.choice(3, p=p)
        true = np.where(np.arange(3) == best, 0.03, 0.01)
        lines.append(make_line(seed=seed, true=true.tolist(), p_best=p.tolist()))
    found = reliability_of(score_lines(lines))
    assert found.slope.estimate == pytest.approx(1.0, abs=0.12)  # three standard errors at 600 logs
    assert reliability_of(score_lines([make_line()])) is None
