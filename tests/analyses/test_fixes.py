"""`log.rank_fixes` from a log: against worlds with exact truth, and what users can ask of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import journeymine as jm
from journeymine.analyses.fix_evidence import sequences_of
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.fixes.experiments.past import PastTest
from journeymine.fixes.experiments.registry import write_registry
from journeymine.simulate import journeys, world

CLOSE = 0.2
"""A ratio of predicted to true effects has a standard error of 0.02 to 0.1 in one log of 6,000 journeys."""


def log_of(shape: str, scenario: str, n: int = 6000, seed: int = 0) -> tuple[jm.EventLog, pd.Series, Any]:
    frame, truth = journeys(shape, scenario, n=n, seed=seed)
    one = world(shape, scenario)
    return one.read(frame), truth.set_index("fix_id")["effect"], one


@pytest.fixture(scope="module")
def shop() -> tuple[jm.EventLog, pd.Series, Any]:
    return log_of("shop", "markov")


@pytest.mark.parametrize("shape", ["shop", "subscription", "service"])
def test_every_kind_of_fix_is_near_its_true_effect(shape: str) -> None:
    log, truth, one = log_of(shape, "loop_memory")
    frame = log.rank_fixes(list(one.fixes), n_draws=100).to_frame().set_index("id")
    ratio = frame["estimate"] / truth[frame.index]
    assert (abs(np.log(ratio)) < CLOSE).all(), ratio
    best = truth.idxmax()
    assert truth[frame["rank"].idxmin()] >= 0.9 * truth[best]
    assert (frame["lower"] <= frame["estimate"]).all()
    assert frame["p_best"].sum() == pytest.approx(1.0)


def test_within_a_time_fewer_convert_than_in_the_end(shop: tuple[jm.EventLog, pd.Series, Any]) -> None:
    log, _, one = shop
    fixes = [fix for fix in one.fixes if fix.kind != "loop"]
    plain = log.rank_fixes(fixes, n_draws=20).to_frame().set_index("id")
    late, soon = (
        log.rank_fixes(fixes, n_draws=20, horizon=h).to_frame().set_index("id").loc[plain.index]
        for h in ("200d", "2d")
    )
    np.testing.assert_allclose(late["estimate"], plain["estimate"], rtol=0.01)
    assert (soon["estimate"] < plain["estimate"] * 1.001).sum() >= len(plain) - 1
    with pytest.raises(OptionError, match="horizon"):
        log.rank_fixes(fixes, outcome="time", horizon="2d")


def test_revenue_and_time(shop: tuple[jm.EventLog, pd.Series, Any]) -> None:
    log, _, one = shop
    for outcome in ("revenue", "time"):
        frame = log.rank_fixes(list(one.fixes), outcome=outcome, n_draws=60).to_frame().set_index("id")
        for fix in one.fixes:
            expected = one.effect(fix, outcome)
            row = frame.loc[fix.id]
            wide = 2 * (row["upper"] - row["lower"]) + 0.05 * abs(expected)
            assert row["estimate"] == pytest.approx(expected, abs=wide), (outcome, fix.id)


def test_several_fixes_at_once(shop: tuple[jm.EventLog, pd.Series, Any]) -> None:
    log, truth, one = shop
    ranking = log.rank_fixes(list(one.fixes), n_draws=60)
    both = ranking.together([1, 2])
    assert float(both.effect.estimate) == pytest.approx(one.joint_effect(list(both.ids)), rel=CLOSE)
    assert both.sum_of_singles == pytest.approx(
        float(ranking[1].effect.estimate + ranking[2].effect.estimate)
    )
    assert ranking.choose(most=1).ids == (ranking[1].id,)
    assert truth.idxmax() in ranking.choose(most=2).ids
    for wrong in ([], [1, 1]):
        with pytest.raises(OptionError, match="once"):
            ranking.together(wrong)
    with pytest.raises(OptionError, match="rank"):
        ranking.together([99])


def test_a_result_moves_the_ranking_as_bayes_says(
    shop: tuple[jm.EventLog, pd.Series, Any], tmp_path: Any
) -> None:
    log, _, one = shop
    before = log.rank_fixes(list(one.fixes), n_draws=200)
    first = before[1]
    sd = float(first.effect.upper - first.effect.lower) / 3.92
    test = PastTest.of(first.id, float(first.effect.estimate), sd, 0.0, 0.002, kind=first.kind)
    write_registry(tmp_path / "experiments.json", [test])
    after = log.rank_fixes(list(one.fixes), n_draws=200, registry=tmp_path / "experiments.json")
    moved = after[first.id]
    assert moved.evidence == "experiment"
    assert float(moved.effect.estimate) < 0.5 * float(first.effect.estimate)
    assert moved.rank > first.rank
    assert moved.predicted is not None
    assert float(moved.predicted.estimate) == pytest.approx(float(first.effect.estimate))
    assert after.calibration is not None
    # The others are believed less: predictions were too high once.
    other = after[before[2].id]
    assert 0 < float(other.effect.estimate) < float(before[2].effect.estimate)


def test_questions_that_cannot_be_answered(shop: tuple[jm.EventLog, pd.Series, Any]) -> None:
    log, _, _ = shop
    cases: list[tuple[type[Exception], str, list[jm.Fix], dict[str, Any]]] = [
        (OptionError, "Paymnt", [jm.Fix(kind="drop_off", activity="Paymnt")], {}),
        (OptionError, "colour", [jm.Fix(kind="drop_off", activity="Payment", segment=("colour", "red"))], {}),
        (OptionError, "worth", [jm.Fix(kind="wait", activity="Payment", cost=5)], {"outcome": "time"}),
        (OptionError, "causal", [], {"causal": "magic"}),
        (OptionError, "outcome", [], {"outcome": "joy"}),
        (OptionError, "candidates", [], {"candidates": "all"}),
    ]
    for error, words, fixes, options in cases:
        with pytest.raises(error, match=words):
            log.rank_fixes(options.pop("candidates", fixes), n_draws=5, **options)
    with pytest.raises((OptionError, NotEnoughDataError)):
        log.rank_fixes([jm.Fix(kind="loop", activity="Order placed")], n_draws=5)


def test_rows_and_seeds_do_not_matter_for_estimates() -> None:
    frame, _ = journeys("shop", "drift", n=1500, seed=2)
    one = world("shop", "drift")
    asked = [
        one.read(f).rank_fixes(n_draws=40, seed=s)
        for f, s in ((frame, 1), (frame.sample(frac=1, random_state=3), 1), (frame, 2))
    ]
    a, b, c = (ranking.to_frame().set_index("id") for ranking in asked)
    pd.testing.assert_frame_equal(a, b)
    pd.testing.assert_series_equal(a["estimate"].sort_index(), c["estimate"].sort_index())


def test_a_part_of_a_large_log_is_whole_buckets() -> None:
    """The check of mixed states looks at the first buckets of customers, and at nothing of the others."""
    frame, _ = journeys("shop", "markov", n=22_000, seed=1)
    log = world("shop", "markov").read(frame)
    assert log.canonical.buckets
    whole, some = sequences_of(log), sequences_of(log, most=5_500)
    last = round(log.canonical.n_units * 5_500 / log.n_cases)
    chosen = whole.take(whole.unit < last)
    assert 4_000 < int(some.n.sum()) < 7_000
    np.testing.assert_array_equal(some.code, chosen.code)
    np.testing.assert_array_equal(some.n, chosen.n)
    assert sequences_of(log, most=30_000).n_sequences == whole.n_sequences


def test_a_loop_that_few_repeat_can_still_be_made_rarer() -> None:
    """In a small log later attempts have no state of their own; the way into the loop has."""
    frame, _ = journeys("shop", "open_journeys", n=1000, seed=1)
    one = world("shop", "open_journeys")
    ranking = one.read(frame).rank_fixes(list(one.fixes), n_draws=20)
    assert float(ranking["loop:Payment:Payment declined"].effect.estimate) > 0
