"""`Fix`: what users may write, what is refused and how, and that it survives a trip through JSON."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import journeymine as jm
from journeymine.errors import OptionError
from journeymine.fixes.fix import KINDS, SHARES, Fix

FEBRUARY = ("2026-02-18", "2026-03-08")
NEEDED: dict[str, dict[str, Any]] = {"reroute": {"to": "Live chat"}, "incident": {"period": FEBRUARY}}
EVERY_KIND = [Fix(kind=kind, activity="Payment", **NEEDED.get(kind, {})) for kind in KINDS]


def by_kind(fix: Fix) -> str:
    return fix.kind


def test_the_public_name_is_this_class() -> None:
    assert jm.Fix is Fix


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"kind": "drop_off"}, "drop_off:Payment"),
        ({"kind": "remove_step"}, "remove_step:Payment"),
        ({"kind": "loop"}, "loop:Payment"),
        ({"kind": "loop", "target": "Declined"}, "loop:Payment:Declined"),
        ({"kind": "wait"}, "wait:Payment"),
        ({"kind": "channel_switch"}, "channel_switch:Payment"),
        ({"kind": "reroute", "to": "Chat"}, "reroute:Payment:Chat"),
        ({"kind": "reroute", "target": "Call", "to": "Chat"}, "reroute:Payment:Call:Chat"),
        ({"kind": "incident", "period": FEBRUARY}, "incident:Payment:2026-02-18/2026-03-08"),
        (
            {"kind": "drop_off", "segment": "platform=mobile", "period": FEBRUARY},
            "drop_off:Payment:platform=mobile:2026-02-18/2026-03-08",
        ),
        ({"kind": "wait", "id": "faster"}, "faster"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_ids_are_made_of_kind_and_place_unless_given(given: dict[str, Any], name: str) -> None:
    assert Fix(activity="Payment", **given).id == name


@pytest.mark.parametrize(
    "segment",
    [("platform", "mobile"), ["platform", "mobile"], {"platform": "mobile"}, "platform=mobile"],
    ids=["tuple", "list", "dict", "text"],
)
def test_segments_may_be_written_in_four_ways(segment: Any) -> None:
    fix = Fix(kind="drop_off", activity="Payment", segment=segment)
    assert fix.segment == ("platform", "mobile")
    assert fix == Fix(kind="drop_off", activity="Payment", segment=("platform", "mobile"))


def test_a_value_of_a_segment_may_hold_an_equals_sign_or_be_a_number() -> None:
    assert Fix(kind="wait", activity="A", segment="source=utm=ads").segment == ("source", "utm=ads")
    assert Fix(kind="wait", activity="A", segment={"year": 2026}).segment == ("year", "2026")  # type: ignore[dict-item]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_achieved_where_no_share_is_given(kind: str) -> None:
    fix = Fix(kind=kind, activity="Payment", **NEEDED.get(kind, {}))
    brought = kind in ("loop", "channel_switch", "incident")
    assert fix.to_reference is brought
    assert fix.fraction == (1.0 if brought else SHARES[kind])
    half = Fix(kind=kind, activity="Payment", share=0.5, **NEEDED.get(kind, {}))
    assert (half.to_reference, half.fraction) == (False, 0.5)


def test_the_shares_are_those_of_the_docstring() -> None:
    assert SHARES == {"drop_off": 0.2, "remove_step": 1.0, "wait": 0.5, "reroute": 0.2}


@pytest.mark.parametrize("kind", ["drop_off", "remove_step", "wait", "reroute"])
def test_of_a_segment_only_drop_outs_have_a_reference(kind: str) -> None:
    """Others of the segment column show how many leave; how long a wait could be, nobody shows."""
    fix = Fix(kind=kind, activity="Payment", segment="platform=mobile", **NEEDED.get(kind, {}))
    assert fix.to_reference is (kind == "drop_off")
    assert fix.fraction == (1.0 if kind == "drop_off" else SHARES[kind])


def test_a_share_of_nothing_is_a_share() -> None:
    fix = Fix(kind="loop", activity="Payment", share=0)
    assert (fix.to_reference, fix.fraction) == (False, 0)


@pytest.mark.parametrize(
    "period",
    [
        FEBRUARY,
        list(FEBRUARY),
        (date(2026, 2, 18), date(2026, 3, 8)),
        (datetime(2026, 2, 18, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC)),
        ("2026-02-18T01:00+01:00", "2026-03-08T00:00:00Z"),
    ],
    ids=["texts", "list", "dates", "times", "zones"],
)
def test_periods_are_moments_in_utc(period: Any) -> None:
    fix = Fix(kind="incident", activity="Payment", period=period)
    begin = datetime(2026, 2, 18, tzinfo=UTC).timestamp() * 1e6
    assert fix.period_us == (begin, begin + 18 * 86_400e6)
    assert hash(fix) == hash(fix)  # a list would not be hashable
    assert Fix.from_dict(json.loads(json.dumps(fix.to_dict()))).period_us == fix.period_us


def test_no_period_is_always() -> None:
    assert Fix(kind="wait", activity="Payment").period_us is None


WRONG: list[tuple[dict[str, Any], str, str | None]] = [
    ({"kind": "dropoff"}, "kind is 'dropoff', expected a kind of fix", "drop_off"),
    ({"kind": 3}, "kind is 3, expected a kind of fix", "one of the kinds"),
    ({"activity": 5}, "activity is 5, expected the name of an activity", None),
    ({"activity": None}, "activity is None, expected the name of an activity", None),
    ({"kind": "loop", "target": 1}, "target is 1, expected the name of an activity", None),
    ({"kind": "reroute", "to": 1}, "to is 1, expected the name of an activity", None),
    ({"kind": "reroute"}, "to is missing", 'to="'),
    ({"to": "Chat"}, "to is 'Chat', which only a re-route has", "reroute"),
    ({"target": "Chat"}, "target is 'Chat', which only loops and re-routes have", None),
    ({"kind": "reroute", "target": "Chat", "to": "Chat"}, "to is 'Chat', which is also the target", 'to="'),
    ({"kind": "reroute", "to": "Payment"}, "to is 'Payment', which is also the activity", 'to="'),
    ({"kind": "incident"}, "period is missing", "period=("),
    (
        {"period": ("2026-01-01", "2026-02-01", "2026-03-01")},
        "period is .*, expected two moments",
        "period=(",
    ),
    ({"period": ("2026-01-01",)}, "period is .*, expected two moments", "period=("),
    ({"period": ()}, "period is .*, expected two moments", "period=("),
    ({"period": "2026-01-01"}, "period is '2026-01-01', expected two moments", "period=("),
    ({"period": 5}, "period is 5, expected two moments", "period=("),
    ({"period": FEBRUARY[::-1]}, "period is .*, expected an end after its start", "swap"),
    ({"period": (FEBRUARY[0],) * 2}, "period is .*, expected an end after its start", "swap"),
    ({"period": ("spring", "autumn")}, "'spring' is not a time", "2026-01-31"),
    ({"segment": "mobile"}, "segment is 'mobile', expected a column and a value", "segment=("),
    ({"segment": ("a", "b", "c")}, "segment is .*, expected a column and a value", "segment=("),
    ({"segment": {"a": "b", "c": "d"}}, "segment is .*, expected a column and a value", "segment=("),
    ({"segment": 5}, "segment is 5, expected a column and a value", "segment=("),
    ({"share": 20}, "share is 20, expected a number from 0 to 1", "share=0.2"),
    ({"share": -0.1}, "share is -0.1, expected a number from 0 to 1", "share=0.2"),
    ({"share": "20%"}, "share is '20%', expected a number", "without quotes"),
    ({"share": True}, "share is True, expected a number", "share"),
    ({"share": float("nan")}, "share is nan, expected a number", "share"),
    ({"rho": 1.1}, "rho is 1.1, expected a number from 0 to 1", "rho=0.2"),
    ({"rho": None}, "rho is None, expected a number", "rho"),
    ({"cost": -5}, "cost is -5, expected a number from 0", "leave cost out"),
    ({"cost": None}, "cost is None, expected a number", "cost"),
    ({"cost": float("inf")}, "cost is inf, expected a number", "cost"),
    ({"effort": 0}, "effort is 0, expected a number above 0", "leave effort out"),
    ({"effort": -1}, "effort is -1, expected a number above 0", "leave effort out"),
    ({"effort": "low"}, "effort is 'low', expected a number", "effort"),
    ({"id": 5}, "id is 5, expected a text", "quotes"),
    ({"id": None}, "id is None, expected a text", "quotes"),
    ({"label": 5}, "label is 5, expected a text", "quotes"),
    ({"label": ["a"]}, "label is .*, expected a text", "quotes"),
]


@pytest.mark.parametrize(("given", "said", "hint"), WRONG, ids=[str(row[0]) for row in WRONG])
def test_what_cannot_be_used_is_said_with_its_value(
    given: dict[str, Any], said: str, hint: str | None
) -> None:
    with pytest.raises(OptionError, match=said) as caught:
        Fix(**({"kind": "drop_off", "activity": "Payment"} | given))
    assert caught.value.exit_code == 2
    if hint is not None:
        assert hint in f"{caught.value.found} {caught.value.hint}"


def test_what_looks_odd_and_is_right() -> None:
    """Nothing costs nothing; a re-route may concern everybody, or those who repeat the step."""
    assert Fix(kind="wait", activity="A", cost=0).cost == 0
    assert Fix(kind="reroute", activity="A", to="B").target is None
    assert Fix(kind="reroute", activity="A", target="A", to="B").target == "A"
    assert Fix(kind="loop", activity="A", target="A").target == "A"
    assert Fix(kind="wait", activity="A", share=1, rho=0).fraction == 1


@pytest.mark.parametrize("fix", EVERY_KIND, ids=by_kind)
def test_every_kind_survives_json(fix: Fix) -> None:
    assert Fix.from_dict(json.loads(json.dumps(fix.to_dict()))) == fix


names = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8)


@given(
    kind=st.sampled_from(KINDS),
    activity=names,
    segment=st.none() | st.tuples(names, names),
    share=st.none() | st.floats(0, 1),
    rho=st.floats(0, 1),
    cost=st.floats(0, 1e9),
    effort=st.none() | st.floats(0.1, 1e3),
    id=st.just("") | names,
    label=st.none() | names,
)
def test_a_fix_is_what_its_plain_values_say(kind: str, activity: str, **settings: Any) -> None:
    needed = {"to": activity + "!"} if kind == "reroute" else NEEDED.get(kind, {})
    fix = Fix(kind=kind, activity=activity, **needed, **settings)
    plain = json.loads(json.dumps(fix.to_dict()))
    again = Fix.from_dict(plain)
    assert again == fix
    assert (again.id, again.fraction, again.to_reference) == (fix.id, fix.fraction, fix.to_reference)
    assert None not in plain.values()


def test_unknown_names_are_refused_with_the_nearest_one() -> None:
    with pytest.raises(OptionError, match="'activty' is nothing a fix has") as caught:
        Fix.from_dict({"kind": "wait", "activty": "Payment"})
    assert "activity" in str(caught.value.hint)


def test_a_fix_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        EVERY_KIND[0].cost = 3.0  # type: ignore[misc]
