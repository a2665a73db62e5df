"""The run: every ranker on every log, killed and continued, failing rankers, the page and the command."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from journeymine.bench import run as running
from journeymine.bench.facts import Facts
from journeymine.bench.journal import NAME
from journeymine.bench.logs import LogKey, make_log
from journeymine.bench.page import benchmark_page
from journeymine.bench.run import Plan, failures, run_benchmark, run_log
from journeymine.cli import run_command
from journeymine.errors import NotEnoughDataError, OptionError, OutputError
from journeymine.log import EventLog
from journeymine.simulate.worlds import world

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from journeymine.fixes.fix import Fix

THEIRS = '''
import pandas as pd


def equal(events, fixes, seed):
    """Every fix is worth a point."""
    assert events.attrs["goal"] and events.attrs["idle"] == "14d"
    return pd.DataFrame({"fix_id": [fix.id for fix in fixes], "estimate": 0.01, "lower": 0.0, "upper": 0.02})


def broken(events, fixes, seed):
    raise ValueError("no luck")
'''
SMALL: dict[str, Any] = {
    "shapes": ("shop",),
    "scenarios": ("markov", "null"),
    "sizes": (300,),
    "seeds": 2,
    "n_draws": 20,
}


@pytest.fixture(autouse=True)
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "their_bench_rankers.py").write_text(THEIRS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "their_bench_rankers", raising=False)


def test_a_log_carries_what_a_ranker_may_know_as_plain_json() -> None:
    log = make_log(LogKey("subscription", "markov", 200, 1), 50)
    facts = Facts.of(log.events)
    assert json.loads(json.dumps(log.events.attrs))["segments"] == list(facts.segments)
    assert set(log.events["activity"]) >= set(facts.goal)
    assert (facts.shape, facts.scenario, facts.n_draws) == ("subscription", "markov", 50)
    assert set(log.truth) == {fix.id for fix in log.fixes}


def test_a_run_scores_everybody_and_continues_where_it_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(**SMALL, rankers=("drops", "their_bench_rankers:equal"))
    lines = run_benchmark(plan, tmp_path / "out", processes=1)
    assert len(lines) == 2 * 2 * 2
    assert not any("error" in line for line in lines)
    journal = tmp_path / "out" / NAME
    whole = journal.read_text()
    # Killed while it wrote the sixth line.
    rows = whole.splitlines(keepends=True)
    journal.write_text("".join(rows[:5]) + rows[5][:40])
    asked: list[LogKey] = []
    original = running.run_log
    monkeypatch.setattr(running, "run_log", lambda key, *rest: (asked.append(key), original(key, *rest))[1])
    again = run_benchmark(plan, tmp_path / "out", processes=1)
    assert [key.seed for key in asked] == [1, 1]
    without = [{k: v for k, v in line.items() if k not in ("cpu_s", "peak_mb")} for line in lines]
    assert [{k: v for k, v in line.items() if k not in ("cpu_s", "peak_mb")} for line in again] == without
    asked.clear()
    run_benchmark(plan, tmp_path / "out", processes=1)
    assert not asked
    # A ranker more asks that one only.
    run_benchmark(Plan(**SMALL, rankers=("drops", "markov")), tmp_path / "out", processes=1)
    assert len(journal.read_text().splitlines()) == 12
    # What the page shows: everything, in an order that does not tell which was first.
    found = running.all_results(tmp_path / "out", 20)
    assert [(line["seed"], line["scenario"], line["ranker"]) for line in found[:4]] == [
        (0, "markov", "drops"),
        (0, "markov", "markov"),
        (0, "markov", "their_bench_rankers:equal"),
        (0, "null", "drops"),
    ]
    assert len(found) == 12


def test_two_processes_give_what_one_gives(tmp_path: Path) -> None:
    plan = Plan(**(SMALL | {"seeds": 1}), rankers=("markov", "their_bench_rankers:equal"))
    one = run_benchmark(plan, tmp_path / "one", processes=1)
    two = run_benchmark(plan, tmp_path / "two", processes=2)
    assert [line["fixes"] for line in one] == [line["fixes"] for line in two]


def test_a_ranker_that_fails_is_told_and_asked_again(tmp_path: Path) -> None:
    plan = Plan(**SMALL, rankers=("their_bench_rankers:broken", "drops"))
    lines = run_benchmark(plan, tmp_path, processes=1)
    told: list[str] = []
    assert failures(lines, told.append) == 4
    assert told == ["their_bench_rankers:broken failed on 4 logs; the first: ValueError: no luck"]
    run_benchmark(plan, tmp_path, processes=1)
    assert len((tmp_path / NAME).read_text().splitlines()) == 8 + 4
    with pytest.raises(NotEnoughDataError, match="no luck"):
        benchmark_page([line for line in lines if "error" in line])


def test_results_of_other_settings_are_not_mixed(tmp_path: Path) -> None:
    run_benchmark(Plan(**(SMALL | {"seeds": 1}), rankers=("drops",)), tmp_path, processes=1)
    with pytest.raises(OutputError, match="n_draws"):
        run_benchmark(Plan(**(SMALL | {"n_draws": 30}), rankers=("drops",)), tmp_path, processes=1)


@pytest.mark.parametrize(
    "wrong", [{"shapes": ("shopp",)}, {"scenarios": ("17",)}, {"sizes": ()}, {"seeds": 0}]
)
def test_a_plan_that_cannot_be_run_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        Plan(**(SMALL | wrong))


def test_scenarios_have_numbers_and_forgiving_names() -> None:
    assert Plan(scenarios=("1", "Near-Ties"), seeds=1).scenarios == ("markov", "near_ties")
    assert len(Plan().scenarios) == 16


class StandIn:
    """A ranking as `log.rank_fixes` gives it."""

    def __init__(self, fixes: list[Fix]) -> None:
        self.classes = type("Classes", (), {"n_classes": np.array([1, 2])})()
        self.sets = ({"ids": [fixes[0].id, fixes[1].id], "effect": {"estimate": 0.04}, "cost": 0.0},)
        self._ids = [fix.id for fix in fixes]

    def to_frame(self) -> pd.DataFrame:
        k = len(self._ids)
        found = {
            "rank": range(1, k + 2),
            "id": [*self._ids, "found by itself"],
            "estimate": 0.01,
            "lower": 0.0,
        }
        return pd.DataFrame({**found, "upper": 0.02, "p_best": 1 / k, "flags": [["few_visits"]] * (k + 1)})


def test_our_own_ranker_asks_for_the_fixes_of_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def rank_fixes(log: EventLog, **options: Any) -> StandIn:
        asked.update(options, cases=log.n_cases)
        return StandIn(options["candidates"])

    monkeypatch.setattr(EventLog, "rank_fixes", rank_fixes)
    (line,) = run_log(LogKey("shop", "interacting", 200, 3), ["journeymine_classes"], 40)
    assert "error" not in line
    assert (asked["heterogeneity"], asked["cases"]) == ("classes", 200)
    assert (asked["seed"], asked["n_draws"]) == (3, 40)
    assert [fix["id"] for fix in line["fixes"]] == [fix.id for fix in world("shop", "interacting").fixes]
    assert line["n_classes"] == 2
    ids = line["sets"][0]["ids"]
    assert line["sets"][0]["true"] == pytest.approx(world("shop", "interacting").joint_effect(ids))


def test_the_page_shows_every_part_and_no_script(tmp_path: Path, make_line: Callable[..., Any]) -> None:
    lines = [
        make_line("journeymine", seed=seed, scenario=scenario, p_best=[0.6, 0.3, 0.1])
        for seed in range(3)
        for scenario in ("markov", "near_ties")
    ]
    lines += [
        make_line("a<b>:drops & more", seed=0, calibrated=False, intervals=False),
        make_line("x", error="<bad>", fixes=[]),
    ]
    page = benchmark_page(lines)
    assert page == benchmark_page(lines)
    assert "<script" not in page
    assert "drops &amp; more" in page
    assert "&lt;bad&gt;" in page
    for part in ("gates", "order", "ratios", "coverage", "reliability", "sizes", "method"):
        assert f'<section id="{part}">' in page
    assert 'id="gate-coverage-shop"' in page


def test_the_command_writes_paths_to_one_stream_and_words_to_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "bench",
        "fixes",
        "--scenarios",
        "1",
        "--shapes",
        "shop",
        "--n",
        "300",
        "--seeds",
        "2",
        "--draws",
        "20",
    ]
    code = run_command(
        [*words, "--processes", "1", "--ranker", "drops", "markov", "--out", str(tmp_path / "b")]
    )
    out, err = capsys.readouterr()
    assert code == 0
    assert out.splitlines() == [str(tmp_path / "b" / name) for name in ("benchmark.html", "gates.json")]
    assert "gates passed" in err
    gates = json.loads((tmp_path / "b" / "gates.json").read_text())
    tau = next(gate for gate in gates if gate["key"] == "tau")
    assert tau["figure"]["n_logs"] == 2
    assert run_command(["bench", "fixes", "--scenarios", "99"]) == 2


def test_rankers_are_found_in_the_working_folder(tmp_path: Path) -> None:
    code = "from journeymine.bench.rankers import find_ranker; print(find_ranker('their_bench_rankers:equal').name)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "their_bench_rankers:equal"
