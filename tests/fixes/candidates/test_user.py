"""The users' own fixes: which visits they are about, and what is refused with which words."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.fixes.candidates import cells_of, resolve_fixes, search_candidates
from journeymine.fixes.fix import KINDS, Fix

if TYPE_CHECKING:
    from journeymine.fixes.candidates import Candidate, Evidence

MOBILE = ("device", "mobile")
PERIOD = ("2026-01-31", "2026-02-12")
ALWAYS = ("2025-01-01", "2027-01-01")


def resolved(evidence: Evidence, **fix: Any) -> Candidate:
    (one,) = resolve_fixes([Fix(**fix)], evidence)
    assert one.block == "user"
    assert one.test is None
    assert one.shrinkage is None
    assert one.everywhere.n.sum() >= one.scope.n.sum()
    return one


def share(part: Any) -> float:
    return float(part.drops.sum() / part.n.sum())


def test_what_the_search_finds_is_what_a_user_gets(service_evidence: Evidence) -> None:
    """Asked for by name, each found fix has the same visits in scope and to compare with."""
    found = [c for c in search_candidates(service_evidence).candidates if c.block == "found"]
    own = resolve_fixes([c.fix for c in found], service_evidence)
    for one, other in zip(found, own, strict=True):
        assert one.fix == other.fix
        assert (one.state, one.column, one.value) == (other.state, other.column, other.value)
        if one.fix.kind != "reroute":
            assert one.scope.n.sum() == other.scope.n.sum()
            assert one.reference is not None
            assert other.reference is not None
            assert one.reference.drops.sum() == other.reference.drops.sum()
            assert one.kind == other.kind


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_with_a_share_compares_with_nothing(service_evidence: Evidence, kind: str) -> None:
    needed: dict[str, dict[str, Any]] = {"reroute": {"to": "Guide"}, "incident": {"period": PERIOD}}
    more = needed.get(kind, {})
    activity = {"loop": "Declined", "channel_switch": "Call"}.get(kind, "Form")
    one = resolved(service_evidence, kind=kind, activity=activity, share=0.3, **more)
    assert one.reference is None
    assert one.kind == "assumed"
    assert service_evidence.counts.states[one.state] == activity
    assert one.scope.n.sum() > 0


def test_a_segment_is_compared_with_the_others(service_evidence: Evidence) -> None:
    one = resolved(service_evidence, kind="drop_off", activity="Form", segment=MOBILE)
    here = service_evidence.drops.of_state(service_evidence.counts.states.index("Form"))
    mobile = np.isin(here.cell, cells_of(service_evidence.counts, 0, "mobile"))
    assert (one.kind, one.column, one.value) == ("segment", 0, "mobile")
    assert one.scope.drops.sum() == here.drops[mobile].sum()
    assert one.reference is not None
    assert one.reference.drops.sum() == here.drops[~mobile].sum()
    # The reference may be worse: the fix then costs conversions, and the user is told so by its effect.
    worse = resolved(service_evidence, kind="drop_off", activity="Form", segment=("device", "desktop"))
    assert share(worse.scope) < share(worse.reference)
    half = resolved(service_evidence, kind="drop_off", activity="Form", segment=MOBILE, share=0.5)
    assert half.reference is None
    assert half.scope.n.sum() == one.scope.n.sum()


def test_a_value_of_few_customers_can_be_named(service_evidence: Evidence) -> None:
    """Rare values are joined where one is looked for, not where the user names it."""
    cells = [(device, "IS" if (device, country) == ("mobile", "DE") else country)
             for device, country in service_evidence.counts.cells]  # fmt: skip
    rare = np.array([20 if cell[1] == "IS" else 900 for cell in cells])
    counts = dataclasses.replace(service_evidence.counts, cells=tuple(cells), cell_customers=rare)
    evidence = dataclasses.replace(service_evidence, counts=counts)
    one = resolved(evidence, kind="drop_off", activity="Form", segment=("country", "IS"))
    assert one.value == "IS"
    assert set(one.scope.cell) == set(cells_of(counts, 1, "IS").tolist())
    assert one.reference is not None
    assert not set(one.reference.cell) & set(one.scope.cell)


def test_an_incident_is_compared_with_the_rest_of_the_time(service_evidence: Evidence) -> None:
    one = resolved(service_evidence, kind="incident", activity="Form", period=PERIOD, segment=MOBILE)
    assert one.kind == "period"
    assert not one.ongoing
    assert share(one.scope) == pytest.approx(0.6, abs=0.12)  # four standard errors of 250 visits
    assert share(one.reference) == pytest.approx(0.15, abs=0.03)
    assert one.period_us == one.fix.period_us
    late = resolved(service_evidence, kind="incident", activity="Form", period=("2026-03-01", "2027-01-01"))
    assert late.ongoing
    only_then = resolved(service_evidence, kind="drop_off", activity="Form", period=PERIOD)
    here = service_evidence.drops.of_state(only_then.state)
    assert only_then.scope.n.sum() == here.n[(here.slice >= 30) & (here.slice < 42)].sum()


def test_loops_and_switches_within_a_segment(service_evidence: Evidence) -> None:
    mobile = cells_of(service_evidence.counts, 0, "mobile").tolist()
    for kind, activity, here, there in (
        ("loop", "Declined", 0.55, 0.15),
        ("channel_switch", "Call", 0.50, 0.15),
    ):
        one = resolved(service_evidence, kind=kind, activity=activity, segment=MOBILE)
        assert set(one.scope.cell) | set(one.reference.cell) <= set(mobile)  # type: ignore[union-attr]
        assert share(one.scope) == pytest.approx(here, abs=0.1)  # some 200 visits
        assert share(one.reference) == pytest.approx(there, abs=0.06)


def test_a_switch_is_compared_with_those_who_stayed(service_evidence: Evidence) -> None:
    """The form is on the web: who comes from the phone or the store switched, who comes from the web did not."""
    one = resolved(service_evidence, kind="channel_switch", activity="Form")
    switches = service_evidence.switches
    assert switches is not None
    here = switches.of_state(one.state)
    stayed = here.before == here.own
    assert one.reference is not None
    assert one.reference.n.sum() == here.n[stayed].sum()
    assert one.scope.n.sum() == here.n[~stayed].sum()


@pytest.mark.parametrize(
    ("fix", "error", "words"),
    [
        ({"kind": "drop_off", "activity": "Frm"}, OptionError, "did you mean 'Form'?"),
        ({"kind": "drop_off", "activity": "Buy"}, OptionError, "never met on the way to the goal"),
        ({"kind": "loop", "activity": "Declined", "target": "Pya"}, OptionError, "did you mean 'Pay'?"),
        ({"kind": "reroute", "activity": "Form", "to": "Chat"}, OptionError, "activity 'Chat' not found"),
        ({"kind": "drop_off", "activity": "Form", "segment": ("devise", "x")}, OptionError, "did you mean 'device'?"),
        ({"kind": "wait", "activity": "Form", "segment": ("device", "mobil")}, OptionError, "did you mean 'mobile'?"),
        ({"kind": "incident", "activity": "Form", "period": ("2024-01-01", "2024-02-01")}, OptionError, "2026-01-01"),
        ({"kind": "loop", "activity": "Pay", "period": PERIOD}, OptionError, "not counted over time"),
        ({"kind": "loop", "activity": "Choice"}, NotEnoughDataError, "too few journeys come back to 'Choice'"),
        ({"kind": "channel_switch", "activity": "Guide"}, NotEnoughDataError, "by another channel"),
        ({"kind": "incident", "activity": "Form", "period": ALWAYS}, NotEnoughDataError, "share="),
    ],
)  # fmt: skip
def test_what_cannot_be_looked_up_is_refused(
    service_evidence: Evidence, fix: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error) as refused:
        resolve_fixes([Fix(**fix)], service_evidence)
    assert words in str(refused.value)


def test_what_the_log_does_not_hold_is_refused(service_evidence: Evidence) -> None:
    poor = dataclasses.replace(
        service_evidence,
        attempts=None,
        switches=None,
        timed=False,
        drops=dataclasses.replace(service_evidence.drops, slice_us=None, origin_us=None),
    )
    for fix, words in (
        (Fix(kind="channel_switch", activity="Call"), "no channel column"),
        (Fix(kind="wait", activity="Form"), "no times"),
        (Fix(kind="incident", activity="Form", period=PERIOD), "no calendar"),
        (Fix(kind="loop", activity="Declined"), "not counted"),
    ):
        with pytest.raises(NotEnoughDataError, match=words):
            resolve_fixes([fix], poor)


def test_two_fixes_of_one_id(service_evidence: Evidence) -> None:
    twice = [Fix(kind="drop_off", activity="Form"), Fix(kind="drop_off", activity="Form", share=0.5)]
    with pytest.raises(OptionError, match="two fixes have the id 'drop_off:Form'"):
        resolve_fixes(twice, service_evidence)
    named = dataclasses.replace(twice[1], id="half")
    assert [c.fix.id for c in resolve_fixes([twice[0], named], service_evidence)] == ["drop_off:Form", "half"]
    assert resolve_fixes([], service_evidence) == []


def test_a_copy_of_a_found_fix_is_believed_as_far(service_evidence: Evidence) -> None:
    """Whatever it costs and is called; one with a share of its own rests on no comparison, so nothing was selected."""
    found = [c for c in search_candidates(service_evidence).candidates if c.reference is not None]
    assert {c.kind for c in found} == {"period", "attempt", "channel", "step"}
    priced = [dataclasses.replace(c.fix, cost=9.0, id=f"mine {i}") for i, c in enumerate(found)]
    for own, one in zip(resolve_fixes(priced, service_evidence, found), found, strict=True):
        assert (own.block, own.fix.cost) == ("user", 9.0)
        assert own.shrinkage is not None
        assert (own.shrinkage, own.test, own.kind) == (one.shrinkage, one.test, one.kind)
        assert own.scope.drops.sum() == one.scope.drops.sum()
    shared = [dataclasses.replace(c.fix, share=0.3) for c in found if c.kind != "step"]
    elsewhere = dataclasses.replace(found[0].fix, segment=None, id="all")
    for own in resolve_fixes([*shared, elsewhere], service_evidence, found):
        assert (own.shrinkage, own.test) == (None, None)
