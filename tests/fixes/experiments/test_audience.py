"""Who takes part: the same arm on every engine, in the planned shares, and rules as data."""

from __future__ import annotations

import json

import duckdb
import pytest

from journeymine.errors import OptionError
from journeymine.fixes.experiments.audience import Audience, audience_rules, experiment_name

RULES = audience_rules("drop_off", "Payment", segment=("platform", "mobile"))
CUSTOMERS = [f"customer-{i}" for i in range(20_000)] + ["é中", "", "a:b"]


def test_sql_deals_the_same_arms_by_the_rule_of_the_plan() -> None:
    audience = Audience("exp-1", RULES, 0.3)
    rule = audience.to_dict()["assignment"]
    below, modulo, digits = rule["control_below"], rule["modulo"], rule["bits"] // 4
    sql = (
        f"SELECT CAST('0x' || substr(md5('exp-1:' || id), 1, {digits}) AS BIGINT) % {modulo} < {below} "
        "FROM (SELECT unnest(?) AS id)"
    )
    control = [row[0] for row in duckdb.execute(sql, [CUSTOMERS]).fetchall()]
    assert [audience.arm(customer) == "control" for customer in CUSTOMERS] == control


def test_shares_are_as_planned_and_other_experiments_deal_anew() -> None:
    first, second = Audience("exp-1", RULES, 0.3), Audience("exp-2", RULES, 0.3)
    a = [first.arm(customer) == "control" for customer in CUSTOMERS]
    b = [second.arm(customer) == "control" for customer in CUSTOMERS]
    both = sum(x and y for x, y in zip(a, b, strict=True)) / len(CUSTOMERS)
    # Four standard errors of a share over 20,000 customers.
    assert sum(a) / len(CUSTOMERS) == pytest.approx(0.3, abs=0.013)
    assert both == pytest.approx(0.09, abs=0.009)


def test_rules_name_the_place_of_every_kind_of_fix() -> None:
    assert RULES == (
        {"event": "Payment", "op": "reached"},
        {"column": "platform", "op": "=", "value": "mobile"},
    )
    words = {
        kind: Audience("x", audience_rules(kind, "Call", attempt=attempt), 0.5).words
        for kind, attempt in (("remove_step", None), ("loop", 2), ("channel_switch", None))
    }
    assert words == {
        "remove_step": "customers who are about to reach “Call”",
        "loop": "customers who reach “Call” for the 2nd time",
        "channel_switch": "customers who reach “Call” from another channel",
    }


def test_it_survives_json() -> None:
    audience = Audience(experiment_name("drop_off:Payment"), RULES, 0.2)
    assert Audience.from_dict(json.loads(json.dumps(audience.to_dict()))) == audience


def test_a_holdout_of_everybody_is_refused() -> None:
    with pytest.raises(OptionError, match="holdout"):
        Audience("x", RULES, 1.0)
