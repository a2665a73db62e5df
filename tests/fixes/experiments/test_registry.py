"""Past tests on the disk: the same when read again, never half written, and faults named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from journeymine.errors import OptionError, OutputError, SourceError
from journeymine.fixes.experiments.past import PastTest
from journeymine.fixes.experiments.plan import ExperimentPlan
from journeymine.fixes.experiments.planning import plan_test
from journeymine.fixes.experiments.registry import read_registry, registry_beside, with_test, write_registry
from journeymine.fixes.experiments.result_data import ResultData
from journeymine.fixes.experiments.results import measure

from .rankings import estimate

if TYPE_CHECKING:
    from pathlib import Path


def past_test(name: str = "exp-1", **given: object) -> PastTest:
    plan = plan_test(
        fix_id="drop_off:Paiement é",
        title="Moins de pertes",
        metric="order",
        baseline=0.5,
        effect_on_triggered=0.05,
        n_triggered_per_week=100.0,
        reach=0.4,
        effect=estimate(0.02, 0.01, 0.03),
        experiment=name,
    )
    result = measure(ResultData(np.array([[1500, 1500]]), np.array([[750, 840]])), plan)
    return PastTest.from_result(plan, result, date="2026-03-01")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "experiments.json"
    tests = (past_test("exp-1"), past_test("exp-2"))
    assert read_registry(path) == ()
    write_registry(path, tests)
    assert read_registry(path) == tests
    first = path.read_bytes()
    write_registry(path, read_registry(path))
    assert path.read_bytes() == first
    assert [entry.name for entry in path.parent.iterdir()] == ["experiments.json"]
    # The plan in it is whole.
    assert ExperimentPlan.from_dict(read_registry(path)[0].plan or {}).audience.experiment == "exp-1"


def test_numbers_of_a_test_are_over_all_starts() -> None:
    """Difference 0.06 among the two starts in five that meet the fix: 0.024; prediction 0.02 with 0.02 / 3.92."""
    found = past_test()
    assert (found.predicted, found.measured) == pytest.approx((0.02, 0.4 * 0.06))
    assert found.predicted_sd == pytest.approx(0.02 / 3.919928)
    # 0.4 (0.25 / 1500 + 0.2464 / 1500)^0.5, half a success added
    assert found.measured_sd == pytest.approx(0.4 * ((0.25 + 0.56 * 0.44) / 1500) ** 0.5, rel=1e-3)


def test_a_second_reading_takes_the_place_of_the_first() -> None:
    one, two = past_test("exp-1"), past_test("exp-2")
    assert with_test(with_test((), one), two) == (one, two)
    assert with_test((one, two), one) == (two, one)


def test_the_registry_outlives_the_run() -> None:
    assert registry_beside("out/report").as_posix() == "out/experiments.json"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not a registry"),
        ('{"schema_version": 2, "tests": []}', "schema_version 1"),
        ('{"schema_version": 1}', "not a registry"),
        ('{"schema_version": 1, "tests": [{"fix_id": "a"}]}', "test 1 is not complete"),
        ('{"schema_version": 1, "tests": [7]}', "test 1 is not complete"),
    ],
)
def test_faults_are_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "experiments.json"
    path.write_text(text)
    with pytest.raises(SourceError, match=words):
        read_registry(path)


def test_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "experiments.json"
    write_registry(path, [past_test()])
    data = json.loads(path.read_bytes())
    data["tests"][0]["measured_sd"] = 0
    path.write_text(json.dumps(data))
    with pytest.raises(SourceError, match="measured_sd"):
        read_registry(path)


def test_a_plan_without_prediction_cannot_be_kept() -> None:
    plan = plan_test(
        fix_id="a",
        title="a",
        metric="order",
        baseline=0.5,
        effect_on_triggered=0.05,
        n_triggered_per_week=None,
    )
    result = measure(ResultData(np.array([[1500, 1500]]), np.array([[750, 840]])), plan)
    with pytest.raises(OptionError, match="no prediction"):
        PastTest.from_result(plan, result)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_registry(tmp_path / "file" / "experiments.json", [])


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target = tmp_path / "shared.json"
    link = tmp_path / "experiments.json"
    link.symlink_to(target)
    write_registry(link, [past_test()])
    assert link.is_symlink()
    assert len(read_registry(target)) == 1
