"""Results read back: files and their faults, intervals against other programs, error rates by simulation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.proportion import confint_proportions_2indep

from journeymine.errors import DataError, SourceError
from journeymine.fixes.experiments.looks import take_looks
from journeymine.fixes.experiments.past import PastTest
from journeymine.fixes.experiments.planning import plan_test
from journeymine.fixes.experiments.result_data import ResultData
from journeymine.fixes.experiments.result_files import read_results, results_of_frame
from journeymine.fixes.experiments.result_words import result_sentences
from journeymine.fixes.experiments.results import measure, sample_ratio

from .rankings import estimate

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS: dict[str, Any] = {
    "fix_id": "drop_off:Payment",
    "title": "Lose fewer at Payment",
    "metric": "order within 21 days",
    "baseline": 0.5,
    "effect_on_triggered": 0.06,
    "n_triggered_per_week": 300.0,
    "effect": estimate(0.024, 0.012, 0.036),
    "reach": 0.4,
}
PLAN = plan_test(**SETTINGS)
SEQUENTIAL = plan_test(**SETTINGS, method="sequential")


def totals(n0: int, won0: int, n1: int, won1: int) -> ResultData:
    return ResultData(np.array([[n0, n1]]), np.array([[won0, won1]]))


def customers(n: int, seed: int, lift: float = 0.06, link: float = 1.2) -> pd.DataFrame:
    """Customers whose conversion goes with a value from before."""
    rng = np.random.default_rng(seed)
    before, arm = rng.normal(size=n), rng.integers(0, 2, n)
    chance = 1 / (1 + np.exp(-link * before)) + lift * arm
    return pd.DataFrame(
        {
            "customer_id": np.arange(n),
            "arm": np.where(arm == 1, "treatment", "control"),
            "converted": (rng.random(n) < chance).astype(int),
            "before": before,
        }
    )


def test_the_same_numbers_from_every_kind_of_file(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        [("b", 2, 140, 70), ("A", 1, 150, 50), ("B", 1, 140, 66), ("a", 2, 150, 49)],
        columns=["Variant", "week", "Users", "Conversions"],
    )
    rows.to_csv(tmp_path / "r.csv", index=False, encoding="utf-8-sig")
    rows.to_parquet(tmp_path / "r.parquet")
    (tmp_path / "r.json").write_text(rows.to_json(orient="records"))
    for name in ("r.csv", "r.parquet", "r.json"):
        found = read_results(tmp_path / name)
        assert found.n.tolist() == [[150, 140], [150, 140]]
        assert found.conversions.tolist() == [[50, 66], [49, 70]]
        assert found.weeks == ("1", "2")


def test_customers_add_up_to_totals() -> None:
    rows = customers(500, 1)
    rows["week"] = np.arange(500) % 11 + 1
    found = results_of_frame(rows.sample(frac=1, random_state=3))
    table = rows.pivot_table(index="week", columns="arm", values="converted", aggfunc=["size", "sum"])
    assert found.weeks == tuple(str(w) for w in range(1, 12))
    assert found.n.tolist() == table["size"].to_numpy().tolist()
    assert found.conversions.tolist() == table["sum"].to_numpy().tolist()
    part = found.up_to(4)
    assert part.arm is not None
    assert len(part.arm) == part.n.sum() == table["size"].to_numpy()[:5].sum()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            [{"arm": "control", "n": 10, "conversions": 11}, {"arm": "b", "n": 1, "conversions": 0}],
            "more conversions",
        ),
        (
            [{"arm": "control", "n": 10, "conversions": -1}, {"arm": "b", "n": 1, "conversions": 0}],
            "whole numbers",
        ),
        (
            [{"arm": "control", "n": 10.5, "conversions": 1}, {"arm": "b", "n": 1, "conversions": 0}],
            "whole numbers",
        ),
        (
            [{"arm": "control", "n": "x", "conversions": 1}, {"arm": "b", "n": 1, "conversions": 0}],
            "no numbers",
        ),
        (
            [{"arm": "control", "n": 0, "conversions": 0}, {"arm": "b", "n": 1, "conversions": 0}],
            "without customers",
        ),
        ([{"arm": "control", "n": 10, "conversions": 1}], "only one arm"),
        (
            [{"arm": "c", "n": 1, "conversions": 1}, {"arm": "purple", "n": 1, "conversions": 0}],
            "neither control",
        ),
        ([{"arm": "c", "n": 1}], "no column conversions"),
        ([{"customer_id": 1, "arm": "a", "n": 1}], "no column converted"),
        (
            [{"customer_id": 1, "arm": "a", "converted": 1}, {"customer_id": 1, "arm": "b", "converted": 1}],
            "1 customers in both arms",
        ),
        (
            [{"customer_id": i, "arm": "ab"[i % 2], "converted": 1} for i in (1, 1, 2)],
            "more than once",
        ),
        ([{"customer_id": i, "arm": "ab"[i], "converted": "maybe"} for i in (0, 1)], "neither 0 nor 1"),
        ([{"customer_id": i, "arm": "ab"[i], "converted": 1, "before": None} for i in (0, 1)], "missing"),
    ],
)
def test_faults_of_the_data_are_named(rows: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(DataError, match=words):
        results_of_frame(pd.DataFrame(rows))


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(json.dumps({"arm": "control"}))
    (tmp_path / "r.txt").write_text("arm")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "rows.csv").write_text("arm,n,conversions\n")
    for name, error in (
        ("r.json", SourceError),
        ("r.txt", SourceError),
        ("empty.csv", SourceError),
        ("no.csv", SourceError),
        ("rows.csv", DataError),
    ):
        with pytest.raises(error):
            read_results(tmp_path / name)


def test_the_interval_is_newcombes() -> None:
    found = measure(totals(1000, 480, 1010, 560), PLAN)
    low, high = confint_proportions_2indep(560, 1010, 480, 1000, method="newcomb")
    assert found.method == "newcombe"
    assert (float(found.difference.lower), float(found.difference.upper)) == pytest.approx(
        (low, high), abs=1e-12
    )
    assert found.verdict == "gain"
    # Two arms in five starts: the same over all starts.
    assert found.effect is not None
    assert float(found.effect.estimate) == pytest.approx(0.4 * (560 / 1010 - 0.48))
    assert found.effect_sd == pytest.approx(0.4 * found.sd)
    # Statsmodels' Wald interval has the plain standard error.
    low, high = confint_proportions_2indep(560, 1010, 480, 1000, method="wald")
    assert found.sd == pytest.approx((high - low) / 3.919928, rel=2e-3)


def test_losses_and_open_ends_are_called_so() -> None:
    assert measure(totals(1000, 560, 1000, 480), PLAN).verdict == "loss"
    found = measure(totals(1000, 500, 1000, 505), PLAN)
    assert found.verdict == "open"
    assert any("cannot be told apart" in line for line in result_sentences(found, PLAN))
    none = measure(totals(1000, 0, 1000, 0), plan_test(**{**SETTINGS, "baseline": 0.004}))
    assert none.sd > 0
    assert none.verdict == "open"


def test_cuped_is_the_regression_on_what_was_known_before() -> None:
    rows = customers(4000, 2)
    found = measure(results_of_frame(rows), PLAN)
    arm = (rows["arm"] == "treatment").astype(float)
    fitted = sm.OLS(rows["converted"], sm.add_constant(np.column_stack([arm, rows["before"]]))).fit()
    plain = measure(results_of_frame(rows.drop(columns="before")), PLAN)
    assert found.method == "cuped"
    # The slope inside the arms is the one of the regression, and so is the difference.
    assert float(found.difference.estimate) == pytest.approx(fitted.params.iloc[1], abs=1e-9)
    # The regression assumes one variance for both arms.
    assert found.sd == pytest.approx(fitted.bse.iloc[1], rel=0.01)
    assert found.variance_cut is not None
    assert found.sd**2 / plain.sd**2 == pytest.approx(1 - found.variance_cut, rel=1e-9)
    assert found.variance_cut > 0.15


def test_cuped_covers_the_truth() -> None:
    hit = 0
    for seed in range(150):
        # Shares of 0.2 to 0.8 everywhere, so that the lift is what it is.
        rng = np.random.default_rng([seed, 4])
        before, arm = rng.integers(0, 2, 600), rng.integers(0, 2, 600)
        y = rng.random(600) < 0.25 + 0.4 * before + 0.05 * arm
        data = ResultData(
            np.array([[np.sum(arm == 0), np.sum(arm == 1)]]),
            np.array([[y[arm == 0].sum(), y[arm == 1].sum()]]),
            (),
            arm,
            y.astype(float),
            before.astype(float),
        )
        gap = measure(data, PLAN).difference
        hit += bool(gap.lower <= 0.05 <= gap.upper)
    # 95 % of 150, and three standard errors.
    assert hit / 150 >= 0.95 - 0.054


def test_a_value_that_says_nothing_changes_nothing() -> None:
    rows = customers(300, 5)
    plain = measure(results_of_frame(rows.drop(columns="before")), PLAN)
    same = measure(results_of_frame(rows.assign(before=1.0)), PLAN)
    assert (same.sd, same.variance_cut) == (plain.sd, 0.0)


def test_a_wrong_split_is_refused() -> None:
    found = measure(totals(5000, 2500, 5400, 2900), PLAN)
    assert found.sample_ratio_p == pytest.approx(8.8e-5, rel=0.01)
    assert (found.verdict, found.trusted, found.flags) == ("refused", False, ("sample_ratio",))
    assert any("Not used" in line for line in result_sentences(found, PLAN))
    # The planned split need not be halves.
    assert sample_ratio(np.array([2000, 8000]), 0.2) == 1.0


@pytest.mark.parametrize(
    ("baseline", "n0", "won0", "flagged"),
    [
        (0.42, 169, 0, True),  # Wilson's 99.9 % interval of 0 of 169 ends at 10.83 / 179.83 = 6 %
        (0.42, 169, 60, False),
        (0.42, 2000, 460, False),  # 23 %: another season, not another count
        (0.42, 12, 1, False),  # too few to say: up to 61 %
        (0.42, 5000, 4000, True),  # 20 % do not convert where 58 % were planned
        (0.95, 5000, 4250, True),  # 15 % do not convert where 5 % were planned
        (0.02, 5000, 130, False),
        (0.02, 5000, 400, True),
    ],
)
def test_a_control_far_from_the_plan_is_not_used(baseline: float, n0: int, won0: int, flagged: bool) -> None:
    plan = plan_test(**{**SETTINGS, "baseline": baseline, "effect_on_triggered": 0.01})
    found = measure(totals(n0, won0, n0, won0), plan)
    assert ("baseline" in found.flags, found.trusted) == (flagged, not flagged)
    test = PastTest.from_result(plan, found)
    # Kept as it is, and not learnt from.
    assert (test.measured, test.usable) == (0.0, not flagged)
    said = " ".join(result_sentences(found, plan))
    assert ("more than a factor of two apart" in said) == flagged
    assert ("order within 21 days" in said) == flagged
    assert (found.verdict == "refused") == flagged


def test_within_a_horizon_fewer_conversions_than_in_the_end_are_no_fault() -> None:
    settings: dict[str, Any] = {**SETTINGS, "follow_up": "horizon", "follow_up_days": 7.0}
    assert measure(totals(1000, 100, 1000, 100), plan_test(**settings)).trusted
    assert not measure(totals(1000, 100, 1000, 100), PLAN).trusted
    assert "baseline" in measure(totals(1000, 900, 1000, 900), plan_test(**settings)).flags


def test_a_handful_of_customers_is_not_used() -> None:
    for n, few in ((9, True), (10, False)):
        found = measure(totals(n, n // 2, 12, 6), PLAN)
        assert ("few" in found.flags) == few
        assert found.trusted != few
        assert any("expected 10 at the least" in line for line in result_sentences(found, PLAN)) == few


def test_every_reason_is_said() -> None:
    found = measure(totals(9, 0, 900, 0), PLAN)
    assert found.flags == ("sample_ratio", "few", "early")
    assert sum("Not used" in line for line in result_sentences(found, PLAN)) == 2


def test_a_look_before_the_end_of_a_fixed_test_is_flagged() -> None:
    assert measure(totals(200, 100, 200, 110), PLAN).flags == ("early",)
    n = PLAN.n_control
    assert measure(totals(n, n // 2, n, n // 2), PLAN).flags == ()


def weekly(n_weeks: int, p0: float, p1: float, seed: int, size: int) -> ResultData:
    rng = np.random.default_rng([seed, 6])
    n = np.full((n_weeks, 2), size)
    won = rng.binomial(size, [p0, p1], (n_weeks, 2))
    return ResultData(n, won, tuple(str(w + 1) for w in range(n_weeks)))


@pytest.mark.parametrize("method", ["sequential", "always_valid"])
def test_weekly_looks_make_few_false_alarms(method: Any) -> None:
    plan = plan_test(**SETTINGS, method=method)
    size = plan.n_control // 8 + 1
    found = [measure(weekly(8, 0.5, 0.5, seed, size), plan) for seed in range(200)]
    # 5 % and three standard errors over 200 tests.
    assert np.mean([one.verdict != "open" for one in found]) <= 0.05 + 0.046
    # A test that looks at z each week and stops at 1.96 makes twice as many.
    z = [max(_z(weekly(8, 0.5, 0.5, seed, size))) > 1.96 for seed in range(200)]
    assert np.mean(z) > 0.1


def _z(data: ResultData) -> list[float]:
    n, won = data.n.cumsum(axis=0), data.conversions.cumsum(axis=0)
    p = won / n
    return (np.abs(p[:, 1] - p[:, 0]) / np.sqrt((p * (1 - p) / n).sum(axis=1))).tolist()


def test_a_large_effect_stops_at_the_first_look_beyond_its_boundary() -> None:
    data = weekly(8, 0.4, 0.56, 1, SEQUENTIAL.n_control // 8 + 1)
    looks = take_looks(data, SEQUENTIAL)
    found = measure(data, SEQUENTIAL)
    assert found.decided == looks.decided == data.weeks[looks.place]
    assert looks.place < 6
    assert found.difference.n == data.n[: looks.place + 1].sum()
    assert found.verdict == "gain"
    # One look at a time: none before was beyond.
    for week in range(looks.place):
        assert take_looks(data.up_to(week), SEQUENTIAL).decided is None
    assert any(f"week {looks.decided}" in line for line in result_sentences(found, SEQUENTIAL))


def test_totals_of_a_sequential_test_count_the_planned_looks() -> None:
    n = SEQUENTIAL.n_control
    found = measure(totals(n, n // 2, n, int(0.56 * n)), SEQUENTIAL)
    half = float(found.difference.upper - found.difference.estimate)
    # The last of five boundaries of O'Brien and Fleming's spending.
    assert half / found.sd == pytest.approx(2.031, abs=0.01)
    assert found.decided == "now"


def test_customers_after_the_end_are_left_out() -> None:
    data = weekly(4, 0.5, 0.5, 3, SEQUENTIAL.n_control)
    assert take_looks(data, SEQUENTIAL).place == 0
