"""The bundled demo log: there, small, what the script makes, and described by its own files."""

from __future__ import annotations

import runpy
import tomllib
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from journeymine import datasets
from journeymine.errors import SourceError
from journeymine.simulate import FAULTS
from journeymine.spec import read_spec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MAX_BYTES = 2 * 1024 * 1024


@pytest.fixture(scope="module")
def make_sample() -> Callable[[Path], list[Path]]:
    """The function of the script, without leaving compiled files in the folder that is packaged."""
    script = runpy.run_path(str(datasets.demo_log_path().with_name("make_sample.py")))
    function: Callable[[Path], list[Path]] = script["make_sample"]
    return function


def test_sample_is_what_the_script_makes(make_sample: Callable[[Path], list[Path]], tmp_path: Path) -> None:
    log, truth = make_sample(tmp_path)
    bundled = datasets.demo_log_path()
    assert truth.read_bytes() == bundled.with_name(truth.name).read_bytes()
    new, old = pq.ParquetFile(log), pq.ParquetFile(bundled)
    assert new.read().equals(old.read())
    if new.metadata.created_by == old.metadata.created_by:  # another pyarrow packs the same values otherwise
        assert log.read_bytes() == bundled.read_bytes()


def test_sample_is_small_and_plain() -> None:
    path = datasets.demo_log_path()
    assert path.stat().st_size <= MAX_BYTES
    file = pq.ParquetFile(path)
    assert file.schema_arrow.metadata is None
    assert {file.metadata.row_group(0).column(i).compression for i in range(13)} == {"ZSTD"}


def test_load_demo_gives_the_log() -> None:
    events = datasets.load_demo()
    truth = datasets.load_demo_truth()
    assert len(events) == truth["n_events"]
    assert events["journey_id"].nunique() == truth["n_journeys"]
    assert str(events["timestamp"].dtype) == "datetime64[us, UTC]"
    assert not events.duplicated(["journey_id", "timestamp"]).any()
    assert events["timestamp"].is_monotonic_increasing


def test_truth_names_every_fault() -> None:
    truth = datasets.load_demo_truth()
    repairs = {row["fault"]: row["effect"] for row in truth["repairs"] if row["fault"]}
    assert tuple(repairs) == FAULTS == tuple(truth["settings"]["faults"])
    assert repairs["summer_campaign"] == 0.0
    assert 0.2 < truth["base"] < 0.3


def test_configuration_fits_the_log() -> None:
    path = datasets.demo_config_path()
    config = tomllib.loads(path.read_text(encoding="utf-8"))
    spec = read_spec(path)
    events = datasets.load_demo()
    assert spec.journey.goal == ("Order placed",)
    assert (path.parent / config["log"]["source"]).is_file()
    assert set(config["journey"]["segments"]) <= set(events.columns)
    staged = [activity for stage in config["stage"] for activity in stage["activities"]]
    assert len(staged) == len(set(staged))
    assert set(staged) == set(events["activity"])
    assert [stage["name"] for stage in config["stage"]] == [
        "Discover",
        "Evaluate",
        "Buy",
        "Receive",
        "Get help",
        "Come back",
    ]


def test_readme_describes_every_column_and_fault() -> None:
    text = datasets.demo_log_path().with_name("README.md").read_text(encoding="utf-8")
    for name in (*datasets.load_demo().columns, *FAULTS):
        assert f"`{name}`" in text, name
    truth = datasets.load_demo_truth()
    assert f"{truth['n_journeys']:,} journeys" in text
    assert f"{truth['n_events']:,} events" in text
    for row in truth["repairs"]:
        if row["fault"]:
            assert f"{100 * row['effect']:.2f}" in text, row


def test_missing_file_is_said_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "LOG_NAME", "nowhere.parquet")
    with pytest.raises(SourceError, match=r"nowhere\.parquet"):
        datasets.demo_log_path()
