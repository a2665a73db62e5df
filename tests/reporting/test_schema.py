"""The schema of report.json: valid, strict, and in step with the contract."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from journeymine.reporting.schema import report_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

EST = {"estimate": 0.5, "lower": 0.4, "upper": 0.6, "n": 10}
SHARES = {"converted": 0.1, "dropped": 0.8, "open": 0.1}
STATE = {"n": 1, "share": EST}
REPORT: dict[str, Any] = {
    "schema_version": 1,
    "title": None,
    "provenance": {
        "engine": "duckdb",
        "package_version": "0.1.0",
        "seed": 0,
        "lang": "en",
        "settings": {"journey": {}},
    },
    "log": {
        "n_events": 4,
        "n_cases": 2,
        "n_customers": 2,
        "n_activities": 2,
        "n_variants": 1,
        "first": "2026-01-01T00:00:00Z",
        "last": None,
        "clock": "calendar",
        "timezone": "UTC",
        "end_states": {"converted": STATE, "dropped": STATE, "open": STATE},
        "idle": {"seconds": 1.0, "chosen": "auto", "rule": "x", "half": SHARES, "double": None},
        "goal": ["Order"],
        "end": [],
        "start": [],
    },
    "ledger": {
        "rows_read": 5,
        "rows_kept": 4,
        "rejected": [{"rule": "missing_case_id", "n": 1, "examples": ["x"]}],
        "noted": [],
        "ties": {"n_tied_pairs": 0, "decided_by": {"order_column": 0, "file_order": 0, "activity_name": 0}},
    },
    "activities": [
        {
            "name": "A",
            "stage": None,
            "n": 2,
            "n_cases": 2,
            "reach": EST,
            "repeat": EST,
            "drop": None,
            "conversion": None,
            "wait_s": EST,
        }
    ],
    "transitions": [{"source": "A", "target": "B", "n": 2, "n_cases": 2, "share": EST, "wait_s": None}],
    "variants": [
        {
            "activities": ["A", "B"],
            "n": 2,
            "share": EST,
            "end_states": {"converted": 2, "dropped": 0, "open": 0},
        }
    ],
    "variants_rest": {"n_variants": 0, "n": 0},
    "conversion": EST,
    "chain": {
        "states": ["A"],
        "n_folded": 0,
        "attempts": 1,
        "n_visits": 2,
        "n_visits_open": 0,
        "visits": [EST],
        "events_to_goal": EST,
        "seconds_to_goal": None,
        "sensitivity": [{"source": "A", "target": "B", "estimate": 1.0, "lower": 0.0, "upper": 2.0, "n": 2}],
    },
    "tests": {
        "n_tested": 1,
        "n_kept": 0,
        "level": 0.05,
        "method": "x",
        "rows": [
            {
                "activity": "A",
                "column": "platform",
                "periods": False,
                "about": "segment",
                "target": None,
                "statistic": 1.0,
                "df": 2,
                "p_value": 0.5,
                "q_value": 0.5,
                "kept": False,
            }
        ],
    },
    "stages": [{"id": "a", "name": "A", "owner": None, "activities": ["A"]}],
    "findings": [{"key": "first_fix", "params": {"n": 1}, "text": "x"}],
    "quality": [{"key": "rows_read", "level": "fine", "value": "5", "text": "x"}],
    "warnings": [{"key": "few_cases", "params": {}, "text": "x"}],
}


def shortened(value: Any) -> Any:
    """The same with one entry a list: what holds of one holds of all."""
    if isinstance(value, dict):
        return {key: shortened(item) for key, item in value.items()}
    return [shortened(item) for item in value[:1]] if isinstance(value, list) else value


@pytest.fixture
def contract(samples: ModuleType, rankings: ModuleType) -> dict[str, Any]:
    """The report above with the sections on paths of a small shop."""
    mined: dict[str, Any] = samples.mined()
    found = {key: value if key == "map" else shortened(value) for key, value in mined.items()}
    found |= {key: shortened(samples.sample()[key]) for key in ("chain", "personas")}
    ranked = rankings.report(money=True)
    found |= {key: shortened(ranked[key]) for key in ("fixes", "ranking")}
    return copy.deepcopy({**REPORT, **found})


VALIDATOR = jsonschema.Draft202012Validator(report_schema())


def test_the_schema_is_a_schema_and_takes_the_contract(contract: dict[str, Any], samples: ModuleType) -> None:
    jsonschema.Draft202012Validator.check_schema(report_schema())
    VALIDATOR.validate(contract)
    VALIDATOR.validate({**contract, **samples.mined()})


def test_what_is_unavailable_is_null(contract: dict[str, Any]) -> None:
    report = contract
    report |= {
        "conversion": None,
        "chain": None,
        "personas": None,
        "fixes": [],
        "ranking": None,
        "funnel": None,
        "conformance": None,
    }
    report["log"] |= {"end_states": None, "idle": None, "first": None, "clock": "none"}
    VALIDATOR.validate(report)


def objects(value: Any, schema: Any) -> Iterator[dict[str, Any]]:
    """Every object of the report whose keys are fixed."""
    if isinstance(value, dict):
        yield value
        for key, item in value.items():
            if key not in {"settings", "params", "x", "rows", "stage_of", "population"}:
                yield from objects(item, schema)
    elif isinstance(value, list):
        for item in value:
            yield from objects(item, schema)


def test_every_object_refuses_an_unknown_key_and_a_missing_one(contract: dict[str, Any]) -> None:
    report = contract
    report["map"] |= {key: shortened(report["map"][key]) for key in ("steps", "paths")}
    n = 0
    for item in list(objects(report, None)):
        item["made_at"] = 1
        assert list(VALIDATOR.iter_errors(report)), item
        del item["made_at"]
        key = next(iter(item))
        kept = item.pop(key)
        assert list(VALIDATOR.iter_errors(report)), (key, item)
        item[key] = kept
        n += 1
    VALIDATOR.validate(report)
    assert n > 40


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema_version",), 2),
        (("log", "clock"), "wall"),
        (("log", "n_events"), -1),
        (("log", "n_events"), 1.5),
        (("log", "first"), "2026-01-01 00:00"),
        (("fixes", 0, "kind"), "other"),
        (("fixes", 0, "rank"), 0),
        (("fixes", 0, "p_best"), 1.1),
        (("fixes", 0, "effect"), 0.1),
        (("quality", 0, "level"), "bad"),
        (("conversion",), 0.5),
    ],
)
def test_wrong_values_are_refused(contract: dict[str, Any], path: tuple[Any, ...], value: Any) -> None:
    report = contract
    at: Any = report
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    assert list(VALIDATOR.iter_errors(report))


def test_each_call_gives_its_own_copy_of_the_top() -> None:
    report_schema()["properties"].clear()
    assert report_schema()["properties"]
