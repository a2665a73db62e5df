"""Nothing depends on luck: rows in any order, any kind of file, any number of threads give the same bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from journeymine.cli import run_command
from journeymine.reading import read_log
from journeymine.reporting.build import report
from journeymine.simulate import shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from journeymine.log import EventLog

ROLES: dict[str, Any] = {
    "case_id": "journey_id", "customer_id": "customer_id", "activity": "activity", "timestamp": "timestamp",
    "channel": "channel", "value": "value",
}  # fmt: skip
SEGMENTS = ["platform", "country"]


@dataclass(frozen=True)
class Base:
    """The shop in the order of time, and its report."""

    events: pd.DataFrame
    json: str


def log_of(source: Any, **options: Any) -> EventLog:
    log = read_log(source, **{**ROLES, **options})
    return log.journeys("Order placed", idle="21d", segments=SEGMENTS)


@pytest.fixture(scope="module")
def base() -> Base:
    events = shop(200, seed=3).events.drop(columns=["comment", "survey", "score"])
    return Base(events, report(log_of(events)).json())


def shuffled(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    return frame.sample(frac=1, random_state=seed).reset_index(drop=True)


def test_the_report_has_something_to_say(base: Base) -> None:
    data = json.loads(base.json)
    assert 350 < data["log"]["n_cases"] < 500
    assert len(data["fixes"]) >= 5
    assert data["tests"]["n_tested"] > 10
    assert data["log"]["end_states"]["open"]["n"] > 0
    assert data["ledger"]["ties"]["n_tied_pairs"] == 0


@pytest.mark.parametrize("kind", ["pandas", "csv", "parquet"])
def test_the_order_of_the_rows_changes_no_byte(base: Base, kind: str, tmp_path: Path) -> None:
    mixed = shuffled(base.events, 1)
    source: Any = mixed
    if kind == "csv":
        source = tmp_path / "mixed.csv"
        mixed.to_csv(source, index=False)
    elif kind == "parquet":
        source = tmp_path / "mixed.parquet"
        mixed.to_parquet(source, row_group_size=300)
    assert report(log_of(source)).json() == base.json


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads_changes_no_byte(base: Base, threads: int) -> None:
    assert report(log_of(shuffled(base.events, 2), threads=threads)).json() == base.json


def test_an_order_column_makes_ties_independent_of_the_rows(base: Base) -> None:
    """Times cut to the day tie; the place in the sorted log decides."""
    events = base.events.assign(
        timestamp=base.events["timestamp"].dt.floor("D"), rank=np.arange(len(base.events)), dirt="x"
    )
    dirty = events.iloc[:40].assign(journey_id=None, rank=lambda f: f["rank"] + 10**6)
    events = pd.concat([events, dirty, dirty.assign(activity=" ")], ignore_index=True)
    first, second = (report(log_of(frame, order="rank")) for frame in (events, shuffled(events, 4)))
    assert first.data["ledger"]["ties"]["decided_by"]["order_column"] > 100
    assert sum(entry["n"] for entry in first.data["ledger"]["rejected"]) == 80
    assert first.json() == second.json()


def test_customers_without_cases_are_cut_the_same_way_in_any_order(base: Base) -> None:
    def of(frame: pd.DataFrame) -> str:
        log = read_log(frame, **{**ROLES, "case_id": None}).journeys("Order placed", segments=SEGMENTS)
        return report(log).json()

    assert of(base.events) == of(shuffled(base.events, 5))


def values(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a report with its place."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from values(value, f"{path}.{key}")
    elif isinstance(data, list):
        for i, value in enumerate(data):
            yield from values(value, f"{path}[{i}]")
    else:
        yield path, data


def test_new_ids_in_the_same_order_change_nothing(base: Base) -> None:
    events = base.events.assign(
        journey_id="case <" + base.events["journey_id"] + ">",
        customer_id="é" + base.events["customer_id"].str.lower(),
    )
    assert report(log_of(events)).json() == base.json


def test_another_seed_changes_intervals_only(base: Base) -> None:
    first, second = json.loads(base.json), json.loads(report(log_of(base.events), seed=1).json())
    for data in (first, second):
        # Words quote bounds; fixes and turning points are ranked by their bounds, so fixes are compared by id.
        for key in ("findings", "quality", "warnings", "provenance"):
            del data[key]
        del data["chain"]["turning_points"]
        for key in ("placebo", "evpi", "sets"):
            del data["ranking"][key]
        fixes = sorted(data["fixes"], key=lambda fix: fix["id"])
        drawn = (
            *(
                "rank",
                "rank_lower",
                "rank_upper",
                "p_best",
                "title",
                "next_step",
                "tied_with",
                "regret",
                "evsi",
            ),
            *("p_positive", "above_zero", "e_value_bound", "rho_break_even", "evidence", "why_grade"),
        )
        data["fixes"] = [{k: v for k, v in fix.items() if k not in drawn} for fix in fixes]
    places, others = list(values(first)), list(values(second))
    assert [place for place, _ in places] == [place for place, _ in others]
    differ = {
        place.rpartition(".")[2].partition("[")[0]
        for (place, a), (_, b) in zip(places, others, strict=True)
        if a != b
    }
    assert differ == {"lower", "upper", "sd"}


def test_two_runs_of_the_command_write_the_same_report(base: Base, tmp_path: Path) -> None:
    base.events.to_parquet(tmp_path / "log.parquet")
    roles = "\n".join(f'{role} = "{column}"' for role, column in ROLES.items())
    journey = f'goal = "Order placed"\nidle = "21d"\nsegments = {SEGMENTS}'
    (tmp_path / "a.toml").write_text(f'[log]\nsource = "log.parquet"\n{roles}\n[journey]\n{journey}\n')
    for name, threads in (("one", "1"), ("two", "2")):
        arguments = [
            "run",
            str(tmp_path / "a.toml"),
            "--out",
            str(tmp_path / name),
            "-q",
            "--threads",
            threads,
        ]
        assert run_command(arguments) == 0
    for file in ("report.json", "report.html", "fixes.csv", "transitions.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert (tmp_path / "one" / "report.json").read_text("utf-8") == base.json
    assert str(tmp_path) not in base.json
