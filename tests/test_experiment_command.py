"""`journeymine experiment plan` and `read`: streams, exit codes, and the way from a report to a new order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from journeymine import cli
from journeymine.fixes.experiments.audience import Audience
from journeymine.fixes.experiments.registry import read_registry

if TYPE_CHECKING:
    from pathlib import Path

Z = 1.959963984540054


def number(value: float, sd: float, n: int = 10_000) -> dict[str, Any]:
    return {"estimate": value, "lower": value - Z * sd, "upper": value + Z * sd, "n": n}


def fix(name: str, rank: int, mean: float, sd: float, **given: Any) -> dict[str, Any]:
    row = {
        "id": f"drop_off:{name}",
        "title": f"Lose fewer customers at “{name}”",
        "rank": rank,
        "kind": "drop_off",
        "activity": name,
        "attempt": None,
        "segment": None,
        "period": None,
        "effect": number(mean, sd),
        "reach": number(0.4, 0.005),
        "per_month": number(3043.75 * mean, 3043.75 * sd),
        "block": "found",
    }
    return {**row, **given}


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a report as `journeymine run` leaves it, as far as the commands read it."""
    monkeypatch.chdir(tmp_path)
    report = {
        "fixes": [
            fix("Pay", 1, 0.020, 0.004),
            fix(
                "Form",
                2,
                0.015,
                0.002,
                segment={"column": "platform", "value": "mobile"},
                plan={"baseline": 0.3},
            ),
            fix("Search", 3, 0.004, 0.0005),
        ],
        "activities": [
            {"name": name, "conversion": number(0.55, 0.01)} for name in ("Pay", "Form", "Search")
        ],
        "log": {
            "goal": ["Order placed"],
            "idle": {"seconds": 21 * 86_400},
            "clock": "calendar",
            "n_customers": 10_000,
            "n_cases": 10_000,
        },
    }
    write(tmp_path / "out" / "report" / "report.json", report)
    return tmp_path


def write(path: Path, data: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data if isinstance(data, str) else json.dumps(data))


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.run_command(["experiment", *arguments])
    found = capsys.readouterr()
    return code, found.out, found.err


def totals(n0: int, won0: int, n1: int, won1: int) -> str:
    return f"arm,n,conversions\ncontrol,{n0},{won0}\ntreatment,{n1},{won1}\n"


def test_a_plan_is_written_and_said(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """2.0 points over all starts are 5 among the two in five that reach Pay: 2 x 1,531 at 280 a week."""
    code, out, err = run(capsys, "plan", "1")
    assert (code, out) == (0, "plan.json\n")
    assert "2 × 1,531 customers; 11 weeks" in err
    # What the baseline is: journeys of the log may take longer than 21 days, with no gap of 21.
    assert (
        "share that reaches “Order placed” (a customer silent for 21 days is over); 55% convert today\n"
        in err
    )
    assert "then until each has converted or was silent for 21 days" in err
    plan = json.loads((work / "plan.json").read_bytes())
    assert (plan["n_per_arm"], plan["weeks"], plan["follow_up_days"]) == (1531, 11, 21)
    assert plan["audience"]["rules"] == [{"event": "Pay", "op": "reached"}]
    first = (work / "plan.json").read_bytes()
    run(capsys, "plan", "drop_off:Pay")
    assert (work / "plan.json").read_bytes() == first


def test_options_reach_the_plan(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["plan", "drop_off:Form", "--effect", "0.01", "--power", "0.9", "--method", "sequential"]
    arguments += ["--holdout", "0.2", "--name", "form-2", "--out", "plans/form.json", "--json"]
    code, out, _ = run(capsys, *arguments)
    assert code == 0
    assert json.loads(out) == {"plan": "plans/form.json", "status": "done"}
    plan = json.loads((work / "plans" / "form.json").read_bytes())
    assert plan["effect"] == pytest.approx(0.025)
    assert (plan["baseline"], plan["power"], plan["method"], len(plan["looks"])) == (
        0.3,
        0.9,
        "sequential",
        5,
    )
    assert plan["n_control"] * 4 == pytest.approx(plan["n_treatment"], abs=4)
    audience = Audience.from_dict(plan["audience"])
    assert audience.experiment == "form-2"
    assert audience.words == "customers who reach “Form” (platform = mobile)"


def test_reading_back_moves_the_order_as_bayes_says(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """5,000 in each arm, 55 % converted in control and 53.75 % treated: -1.25 points among them, -0.5 over all starts.

    The standard error is 0.4 (0.55 * 0.45 / 5000 + 0.5375 * 0.4625 / 5000)^0.5 = 0.4 * 0.99601 = 0.39840 points, its
    square 0.15873. Predicted 2.0 +- 0.4 points: 1.2 with the variance 0.3176 by the assumption (test_posterior).
    Posterior (1.2 * 0.15873 - 0.5 * 0.3176) / (0.15873 + 0.3176) = 0.0665 points.
    """
    run(capsys, "plan", "1")
    write(work / "r.csv", totals(5000, 2750, 5000, 2687))
    code, out, err = run(capsys, "read", "r.csv", "--date", "2026-04-01")
    assert (code, out) == (0, "out/experiments.json\n")
    (test,) = read_registry(work / "out" / "experiments.json")
    assert test.date == "2026-04-01"
    # 2,687 of 5,000 are 53.74 %.
    assert (test.predicted, test.measured) == pytest.approx((0.02, -0.00504))
    assert test.measured_sd == pytest.approx(0.003984, rel=1e-3)
    lines = [line for line in err.splitlines() if "→" in line and "Lose fewer" in line]
    assert [line.split("“")[1].split("”")[0] for line in lines][2] == "Pay"
    assert "1 → 3" in lines[2]
    assert "[tested]" in lines[2]
    assert "+2.00 → +0.06 points" in lines[2] or "+2.00 → +0.07 points" in lines[2]
    assert "cannot be told apart" in err


def test_a_simulated_test_from_plan_to_posterior(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Customers dealt by the rule of the plan; the fix is worth 5 points to them, 2 over all starts."""
    run(capsys, "plan", "1")
    audience = Audience.from_dict(json.loads((work / "plan.json").read_bytes())["audience"])
    rng = np.random.default_rng(33)
    rows = ["customer_id,arm,converted"]
    for i in range(8000):
        arm = audience.arm(f"c{i}")
        rows.append(f"c{i},{arm},{int(rng.random() < (0.6 if arm == 'treatment' else 0.55))}")
    write(work / "r.csv", "\n".join(rows) + "\n")
    code, _, err = run(capsys, "read", "r.csv")
    assert code == 0
    assert "The fix works" in err
    (test,) = read_registry(work / "out" / "experiments.json")
    # Four standard errors.
    assert test.measured == pytest.approx(0.02, abs=4 * test.measured_sd)
    # The prior by hand, in points: 1.2 with the variance 0.3176; weighted by precision with the measurement.
    y, noise = 100 * test.measured, (100 * test.measured_sd) ** 2
    by_hand = (1.2 * noise + y * 0.3176) / (noise + 0.3176)
    line = next(line for line in err.splitlines() if "[tested]" in line)
    assert f"+2.00 → {by_hand:+.2f} points" in line


def test_reading_twice_counts_once(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "plan", "1")
    write(work / "r.csv", totals(1600, 880, 1600, 960))
    _, _, first = run(capsys, "read", "r.csv", "--json")
    registry = (work / "out" / "experiments.json").read_bytes()
    code, out, second = run(capsys, "read", "r.csv", "--json")
    assert code == 0
    assert json.loads(out) == {"registry": "out/experiments.json", "status": "done", "verdict": "gain"}
    assert (work / "out" / "experiments.json").read_bytes() == registry
    assert "was replaced" in second
    assert "was replaced" not in first


def test_a_wrong_split_is_kept_and_not_used(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "plan", "1")
    write(work / "r.csv", totals(1600, 880, 1900, 1200))
    code, out, err = run(capsys, "read", "r.csv", "--registry", "past.json")
    assert (code, out) == (3, "past.json\n")
    assert "Not used" in err
    assert "→" not in err
    assert read_registry(work / "past.json")[0].flags == ("sample_ratio",)


def test_a_control_that_is_not_the_planned_one_moves_nothing(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody converted in either arm, where 55 % convert today: something else was counted."""
    run(capsys, "plan", "1")
    write(work / "r.csv", totals(169, 0, 169, 0))
    code, out, err = run(capsys, "read", "r.csv", "--json")
    assert code == 3
    assert json.loads(out.splitlines()[0])["verdict"] == "refused"
    assert "0% of control converted" in err
    assert "the plan has 55%" in err
    assert "the order of the fixes stays" in err
    assert "→" not in err
    (test,) = read_registry(work / "out" / "experiments.json")
    assert ("baseline" in test.flags, test.measured) == (True, 0)
    write(work / "r.csv", totals(8, 4, 8, 5))
    code, _, err = run(capsys, "read", "r.csv")
    assert code == 3
    assert "the smaller arm has 8 customers" in err


def test_the_spread_of_the_draws_is_read_where_the_report_has_it(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = work / "out" / "report" / "report.json"
    report = json.loads(path.read_bytes())
    report["fixes"][0] |= {"sd": 0.003, "effect": {**number(0.02, 0.003), "lower": -0.001}}
    write(path, report)
    run(capsys, "plan", "1")
    plan = json.loads((work / "plan.json").read_bytes())
    assert plan["predicted"] == pytest.approx([0.02, 0.003])


def test_tests_that_say_nothing_of_the_slope_leave_the_order(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = work / "out" / "report" / "report.json"
    report = json.loads(path.read_bytes())
    report["fixes"][2]["effect"] = {**number(0.0, 0.001)}
    write(path, report)
    code, _, err = run(capsys, "plan", "3", "--effect", "0.01")
    assert (code, err.count("Traceback")) == (0, 0)
    write(work / "r.csv", totals(1600, 880, 1600, 960))
    code, _, err = run(capsys, "read", "r.csv")
    assert code == 0
    assert "the order of the fixes stays" in err


def test_the_result_is_kept_without_a_report(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "plan", "1")
    (work / "out" / "report" / "report.json").unlink()
    write(work / "r.csv", totals(1600, 880, 1600, 960))
    code, out, err = run(capsys, "read", "r.csv")
    assert (code, out) == (0, "out/experiments.json\n")
    assert "there is no report" in err


def test_a_report_that_carries_past_tests_is_not_calibrated_twice(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "plan", "1")
    path = work / "out" / "report" / "report.json"
    report = json.loads(path.read_bytes())
    report["ranking"] = {"outcome": "conversion", "calibration": {"n_tests": 2}}
    write(path, report)
    write(work / "r.csv", totals(1600, 880, 1600, 960))
    _, _, err = run(capsys, "read", "r.csv")
    assert "already carry past tests" in err
    for row in report["fixes"]:
        row["predicted"] = row["effect"]
    write(path, report)
    _, _, err = run(capsys, "read", "r.csv")
    assert "Fixes after 1 past test" in err


def test_a_horizon_of_the_ranking_is_that_of_the_test(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = work / "out" / "report" / "report.json"
    report = json.loads(path.read_bytes())
    write(path, {**report, "ranking": {"outcome": "conversion", "horizon": "7d"}})
    _, _, err = run(capsys, "plan", "1")
    plan = json.loads((work / "plan.json").read_bytes())
    assert plan["follow_up_days"] == 7
    assert plan["metric"].endswith("within 7 days of the start")
    assert plan["follow_up"] == "horizon"
    assert "55% convert today in the end" in err
    assert "then 7 days of waiting" in err
    write(path, {**report, "ranking": {"outcome": "time"}})
    code, _, err = run(capsys, "plan", "1")
    assert code == 2
    assert "ranked by 'time'" in err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("plan", "9"), 2, "no fix of rank 9"),
        (("plan", "drop_off:Pya"), 2, "did you mean"),
        (("plan", "1", "--run", "nowhere"), 2, "no report"),
        (("plan", "1", "--power", "1.5"), 2, "--power"),
        (("plan", "1", "--method", "guess"), 2, "--method"),
        (("plan", "1", "--effect", "0.3"), 2, "leaves the range"),
        (("plan", "1", "--out", "out"), 2, "cannot be written"),
        (("read", "no.csv"), 2, "does not exist"),
        (("read", "r.csv", "--plan", "no.json"), 2, "no plan"),
        (("read", "r.csv", "--plan", "r.csv"), 2, "not JSON"),
        (("read", "r.csv", "--plan", "out/report/report.json"), 2, "schema_version"),
        (("read", "bad.csv"), 3, "more conversions"),
        (("read", "r.csv", "--registry", "r.csv"), 2, "not JSON"),
    ],
)
def test_wrong_use_is_explained(
    work: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, words: str
) -> None:
    if arguments[0] == "read":
        run(capsys, "plan", "1")
    write(work / "r.csv", totals(1600, 880, 1600, 960))
    write(work / "bad.csv", totals(10, 11, 10, 5))
    found, out, err = run(capsys, *arguments)
    assert (found, out) == (code, "")
    assert words in err
    assert "Traceback" not in err


@pytest.mark.parametrize("text", ["[]", "{", '{"fixes": 3}', '{"fixes": [{}], "log": {}, "activities": []}'])
def test_a_broken_report_is_named(work: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    write(work / "out" / "report" / "report.json", text)
    code, _, err = run(capsys, "plan", "1")
    assert code == 2
    assert "report.json" in err


def test_errors_answer_in_json_too(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "plan", "9", "--json")
    assert code == 2
    assert json.loads(out)["status"] == "error"
