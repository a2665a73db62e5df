"""Fixes and ranking in report.json: the numbers of the ranking, as strict as the schema."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from journeymine.reporting.flat_tables import tables
from journeymine.reporting.numbers import rounded
from journeymine.reporting.sections.fixes import fixes_section
from journeymine.reporting.sections.fixes_schema import FLAGS, KINDS, fixes_schema, ranking_schema
from journeymine.reporting.sections.ranking import ranking_section
from journeymine.reporting.tables import to_csv

if TYPE_CHECKING:
    from types import ModuleType

ESTIMATE = {
    "type": "object",
    "properties": {
        "estimate": {"type": "number"},
        "lower": {"type": "number"},
        "upper": {"type": "number"},
        "n": {"type": "integer"},
    },
    "required": ["estimate", "lower", "upper", "n"],
    "additionalProperties": False,
}
SCHEMA = {
    "type": "object",
    "properties": {"fixes": fixes_schema(), "ranking": ranking_schema()},
    "$defs": {"estimate": ESTIMATE},
}
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
BEFORE = {
    "id", "kind", "activity", "attempt", "segment", "period", "reference", "drop", "title", "effect", "per_month",
    "money_per_month", "reach", "p_best", "rank", "rank_lower", "rank_upper", "evidence", "audience", "block",
    "next_step",
}  # fmt: skip
"""Keys of report.json from before this section was extended: they stay."""


def parts(ranking: Any) -> dict[str, Any]:
    """The two sections as they stand in a file."""
    made = rounded({"fixes": fixes_section(ranking), "ranking": ranking_section(ranking)})
    found: dict[str, Any] = json.loads(json.dumps(made, allow_nan=False))
    return found


def test_all_kinds_blocks_and_flags_fit_the_schema(rankings: ModuleType) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for ranking in (rankings.many(), rankings.many(money=True), rankings.one(), rankings.none()):
        VALIDATOR.validate(parts(ranking))
    fixes = parts(rankings.many(money=True))["fixes"]
    assert {fix["kind"] for fix in fixes} == set(KINDS)
    assert {fix["block"] for fix in fixes} == {"found", "user", "assumed"}
    assert {flag for fix in fixes for flag in fix["flags"]} == set(FLAGS)
    assert set(fixes[0]) >= BEFORE


def test_nothing_ranked_is_nothing() -> None:
    assert fixes_section(None) == []
    assert ranking_section(None) is None
    VALIDATOR.validate({"fixes": [], "ranking": None})


@pytest.mark.parametrize("money", [False, True])
def test_an_unknown_or_missing_key_is_refused(rankings: ModuleType, money: bool) -> None:
    good = parts(rankings.many(money=money))
    good["fixes"] = [good["fixes"][12]]
    for part in (good["ranking"], good["fixes"][0], good["fixes"][0]["plan"], good["fixes"][0]["overlap"]):
        for key in list(part):
            kept = part.pop(key)
            assert not VALIDATOR.is_valid(good), key
            part[key] = kept
        part["extra"] = 1
        assert not VALIDATOR.is_valid(good)
        del part["extra"]
    VALIDATOR.validate(good)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kind", "other"),
        ("evidence", "proof"),
        ("block", "mine"),
        ("flags", ["loud"]),
        ("e_value", 0.5),
        ("p_positive", 1.1),
        ("net_value", 3.0),
        ("rho", -0.1),
        ("share", 20),
    ],
)
def test_wrong_values_are_refused(rankings: ModuleType, key: str, value: Any) -> None:
    found = copy.deepcopy(parts(rankings.one()))
    found["fixes"][0][key] = value
    assert not VALIDATOR.is_valid(found)


def test_the_numbers_are_those_of_the_ranking(rankings: ModuleType) -> None:
    ranking = rankings.many(money=True)
    for fix, row in zip(ranking.fixes, parts(ranking)["fixes"], strict=True):
        assert row["effect"]["estimate"] == pytest.approx(float(fix.effect.estimate), rel=1e-8)
        assert row["net_value"]["lower"] == pytest.approx(float(fix.net_value.lower), rel=1e-8)
        assert row["cost"] == fix.cost
        assert [pair["rho"] for pair in row["effect_rho"]] == [0.5, 0.8, 1.0]
        assert row["plan"] is None or row["plan"]["mde"] == fix.plan.effect
        assert row["share"] == fix.share
    first = parts(ranking)["fixes"][0]
    assert first["share"] is None  # brought to its reference
    assert first["plan"]["population"] == [{"event": "Account sign-in", "op": "reached"}]
    assert parts(ranking)["fixes"][13]["rho_zero"] is None  # not worth it even if all are rescued


def test_the_flat_table_has_the_columns_that_decide(rankings: ModuleType) -> None:
    data = rankings.report(money=True) | {"transitions": [], "variants": []}
    data["activities"] = []
    table = tables(data)["fixes"]
    rows = table.to_pylist()
    for row, fix in zip(rows, data["fixes"], strict=True):
        assert row["net_value"] == fix["net_value"]["estimate"]
        assert row["net_value_upper"] == fix["net_value"]["upper"]
        assert row["simultaneous_lower"] == fix["simultaneous"]["lower"]
        assert row["rice_score"] == (fix["rice"] or {}).get("score")
        assert row["plan_n_per_arm"] == (fix["plan"] or {}).get("n_per_arm")
        assert row["above_zero"] is fix["above_zero"]
    assert rows[1]["flags"] == "silent_waits > carry_over"
    assert set(table.column_names) >= BEFORE - {"segment", "period", "reference", "audience"}


def test_a_label_that_is_a_formula_is_disarmed_in_csv(rankings: ModuleType) -> None:
    data = rankings.renamed(rankings.report(money=True), {"Let people order as guests": "=cmd()|A0"})
    data |= {"transitions": [], "variants": [], "activities": []}
    assert b",'=cmd()|A0," in to_csv(tables(data)["fixes"])
