"""Plans: sizes by hand, the way through JSON, simulated power, and what cannot be planned."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from journeymine.errors import NotEnoughDataError, OptionError, SourceError
from journeymine.fixes.experiments.plan import ExperimentPlan
from journeymine.fixes.experiments.plan_fix import TITLES, find_fix, plan_of_fix
from journeymine.fixes.experiments.plannable import metric_words
from journeymine.fixes.experiments.planning import plan_test
from journeymine.fixes.experiments.result_data import ResultData
from journeymine.fixes.experiments.results import measure
from journeymine.fixes.fix import KINDS

from .rankings import estimate, small_ranking

METHODS = ("fixed", "sequential", "always_valid")


def plan(**given: Any) -> ExperimentPlan:
    settings = {
        "fix_id": "drop_off:Payment",
        "title": "Lose fewer at Payment",
        "metric": "order within 21 days",
        "baseline": 0.55,
        "effect_on_triggered": 0.05,
        "n_triggered_per_week": 280.0,
        "effect": estimate(0.02, 0.012, 0.028),
        "reach": 0.4,
    }
    return plan_test(**{**settings, **given})


def test_a_plan_by_hand() -> None:
    """n = 7.8489 (0.55 * 0.45 + 0.6 * 0.4) / 0.05^2 = 1530.5; 2 * 1531 / 280 = 10.9 weeks."""
    found = plan()
    assert (found.n_control, found.n_treatment, found.n_per_arm, found.weeks) == (1531, 1531, 1531, 11)
    assert found.to_dict()["mde"] == 0.05
    assert found.predicted == pytest.approx((0.02, 0.016 / 3.919928))
    # Everybody instead of those who meet it: the effect is 0.02, and six times as many customers are needed.
    everybody = plan(
        baseline=0.3, effect_on_triggered=0.02, n_triggered_per_week=700.0, effect=None, reach=None
    )
    assert everybody.n_per_arm > 5 * found.n_per_arm


@pytest.mark.parametrize("method", METHODS)
def test_json_gives_the_same_plan(method: str) -> None:
    first = plan(method=method, holdout=0.2, r_squared=0.3, guardrails=("calls do not rise",))
    again = ExperimentPlan.from_dict(json.loads(first.to_json()))
    assert again == first
    assert again.to_json() == first.to_json()
    lines = repr(first).splitlines()
    assert len(lines) <= 12
    assert lines[-1].startswith("Next: ")


def test_words_show_hostile_names_as_they_are() -> None:
    found = plan(title="<script>alert(1)</script>" * 9, metric="<b>x</b>")
    html = found._repr_html_()
    assert "<script>" not in html
    assert "<b>" not in html
    assert len(repr(found).splitlines()[0]) < 120


@pytest.mark.parametrize("method", METHODS)
def test_simulated_tests_find_the_effect_as_often_as_planned(method: str) -> None:
    """The whole way: customers by week, read back, called a gain."""
    design = plan(method=method, baseline=0.3, effect_on_triggered=0.08)
    rng = np.random.default_rng(11)
    n_tests, n_weeks = 250, 5
    sizes = np.diff(np.linspace(0, design.n_control, n_weeks + 1).round()).astype(int)
    won = np.stack([rng.binomial(sizes[:, None], p, (n_weeks, n_tests)) for p in (0.3, 0.38)], axis=1)
    n = np.stack([sizes, sizes], axis=1)
    weeks = tuple(str(w) for w in range(n_weeks))
    verdicts = [measure(ResultData(n, won[:, :, i], weeks), design).verdict for i in range(n_tests)]
    # Three standard errors of 0.8 over 250 tests; always-valid tests have at least the planned power.
    assert verdicts.count("gain") / n_tests > 0.8 - 0.076
    if method != "always_valid":
        assert verdicts.count("gain") / n_tests < 0.8 + 0.076


def test_weeks_and_what_they_show_are_inverse() -> None:
    found = plan()
    assert found.weeks is not None
    smallest = found.detectable(found.weeks)
    assert smallest is not None
    assert smallest <= found.effect < (found.detectable(found.weeks - 1) or 1)
    with pytest.raises(NotEnoughDataError):
        plan(n_triggered_per_week=None).detectable(4)


@pytest.mark.parametrize("method", METHODS)
def test_the_chance_is_the_power_averaged_over_the_prediction(method: str) -> None:
    found = plan(method=method)
    assert found.chance(found.effect) == pytest.approx(0.8, abs=2e-3)
    assert found.chance(-found.effect) < 1e-4
    rng = np.random.default_rng(2)
    drawn = np.mean([found.chance(float(x)) for x in rng.normal(0.05, 0.016 / 3.919928 / 0.4, 400)])
    # Four standard errors of a mean of 400 chances.
    assert found.assurance == pytest.approx(drawn, abs=0.04)
    assert found.assurance is not None
    assert found.assurance < 0.8


def test_a_careful_reader_sees_what_a_weaker_effect_needs() -> None:
    """0.6 of 5 points: 7.8489 (0.55 * 0.45 + 0.58 * 0.42) / 0.03^2 = 4282.9 an arm."""
    careful = plan().careful
    assert careful is not None
    assert careful["n_per_arm"] == 4283
    assert careful["chance"] == pytest.approx(plan().chance(0.03))
    assert 0.3 < careful["chance"] < 0.5
    # Another effect to find: what is assumed is about the prediction.
    other = plan(effect_on_triggered=0.08).careful
    assert other is not None
    assert other["n_per_arm"] == 4283
    assert plan(effect=None).careful is None
    assert plan(effect=estimate(-0.01, -0.02, 0.0)).careful is None
    # Past tests are in it already.
    assert plan(predicted=(0.03, 0.002)).careful is None


def test_a_bound_of_the_list_is_no_noise_of_the_prediction() -> None:
    """0.02 +- 0.0085 does not survive a list: the interval reaches 0. What was predicted is as sharp as its draws."""
    ranking = small_ranking()
    bounded = {
        **{name: getattr(ranking.fixes[0], name) for name in ranking.fixes[0].__slots__},
        "effect": estimate(0.02, -0.02, 0.06),
    }
    facts = ranking.facts
    for sd, known in ((0.0085, 0.0085), (None, 0.08 / 3.919928), (float("nan"), 0.08 / 3.919928)):
        fix = SimpleNamespace(**bounded, sd=sd)
        found = plan_of_fix(fix.id, SimpleNamespace(fixes=(fix,), facts=facts))
        assert found.predicted == pytest.approx((0.02, known))
        assert found.assurance == pytest.approx(found.mean_chance(0.05, known / 0.4))


@pytest.mark.parametrize(
    ("follow_up", "said", "size"),
    [
        ("silence", "55% convert today\n", "then until each has converted or was silent for 21 days"),
        ("horizon", "55% convert today in the end\n", "then 21 days of waiting"),
    ],
)
def test_the_baseline_is_conversion_in_the_end_and_said_so(follow_up: Any, said: str, size: str) -> None:
    metric = metric_words(["Order"], 21.0, follow_up)
    found = plan_of_fix(1, small_ranking(metric=metric, follow_up=follow_up))
    text = repr(found)
    assert said in text
    assert size in text
    # Journeys that go on for weeks convert "today" too: only a horizon ends them.
    assert ("within 21 days" in text) == (follow_up == "horizon")
    assert ExperimentPlan.from_dict(json.loads(found.to_json())).follow_up == follow_up
    assert metric_words(["A", "B"], None) == "share that reaches “A” or “B”"


def test_titles_name_every_kind() -> None:
    ranking = small_ranking()
    assert plan_of_fix(1, ranking).title == "Lose fewer customers at “Payment” (platform = mobile)"
    assert set(TITLES) == set(KINDS)


def test_more_looks_cost_few_customers_and_openness_many() -> None:
    fixed, sequential, open_end = (plan(method=method).n_per_arm for method in METHODS)
    assert sequential / fixed == pytest.approx(1.025, abs=0.002)
    assert open_end / fixed == pytest.approx(1.915, abs=0.01)


def test_a_fix_is_named_by_rank_id_or_itself() -> None:
    ranking = small_ranking()
    first = ranking.fixes[0]
    plans = [plan_of_fix(which, ranking) for which in (1, first.id, first)]
    assert plans[0] == plans[1] == plans[2]
    found = plans[0]
    assert found.effect == pytest.approx(0.02 / 0.4)
    assert found.n_per_week == pytest.approx(280)
    assert (found.n_per_arm, found.weeks) == (1531, 11)
    assert found.audience.words == "customers who reach “Payment” (platform = mobile)"
    assert plan_of_fix(1, small_ranking(customers_per_journey=0.5)).n_per_week == pytest.approx(140)


def test_the_effect_to_find_can_be_given() -> None:
    found = plan_of_fix(2, small_ranking(), effect=0.01)
    assert found.effect == pytest.approx(0.1)
    assert found.weeks is None
    assert plan_of_fix(1, small_ranking(baseline={}), baseline=0.55) == plan_of_fix(1, small_ranking())


def test_predictions_before_past_tests_are_kept_apart() -> None:
    ranking = small_ranking()
    calibrated = SimpleNamespace(
        **{name: getattr(ranking.fixes[0], name) for name in ranking.fixes[0].__slots__},
        predicted=estimate(0.03, 0.02, 0.04),
    )
    found = plan_of_fix(calibrated.id, SimpleNamespace(fixes=(calibrated,), facts=ranking.facts))
    assert found.expected is not None
    assert found.expected["estimate"] == 0.02
    assert found.predicted == pytest.approx((0.03, 0.02 / 3.919928))


@pytest.mark.parametrize(
    ("which", "settings", "error", "words"),
    [
        (9, {}, OptionError, "no fix of rank 9"),
        (
            "drop_off:Paymnt:platform=mobile",
            {},
            OptionError,
            "did you mean 'drop_off:Payment:platform=mobile'",
        ),
        (1.5, {}, OptionError, "expected a rank"),
        (True, {}, OptionError, "expected a rank"),
        (2, {}, OptionError, "no gain to test for"),
        (3, {}, OptionError, "is over"),
        (1, {"outcome": "revenue"}, OptionError, "ranked by 'revenue'"),
        (1, {"baseline": {}}, NotEnoughDataError, "not known how many"),
        (1, {"baseline": {"drop_off:Payment:platform=mobile": 0.97}}, OptionError, "leaves the range"),
    ],
)
def test_what_cannot_be_planned_says_why(which: Any, settings: Any, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        plan_of_fix(which, small_ranking(**settings))


def test_an_empty_ranking_has_no_fix() -> None:
    with pytest.raises(OptionError, match="no fixes at all"):
        find_fix(1, ())


@pytest.mark.parametrize(
    "given",
    [
        {"effect_on_triggered": 0.0},
        {"effect_on_triggered": -0.02},
        {"method": "bayes"},
        {"looks": 1, "method": "sequential"},
        {"looks": 2.5, "method": "sequential"},
        {"n_triggered_per_week": 0.0},
        {"reach": 0.0},
    ],
)
def test_values_that_cannot_be_used_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="expected"):
        plan(**given)


def test_files_that_are_no_plans_are_refused() -> None:
    data = plan().to_dict()
    with pytest.raises(SourceError, match="schema_version 7"):
        ExperimentPlan.from_dict({**data, "schema_version": 7})
    with pytest.raises(SourceError, match="not complete"):
        ExperimentPlan.from_dict({"schema_version": 1})


def test_long_tests_say_so() -> None:
    assert "bolder" in replace(plan(), n_per_week=10.0).next_step
    assert "bolder" not in plan().next_step
