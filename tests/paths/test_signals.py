"""Definitions: what matches, who acts, and which rules are refused."""

from __future__ import annotations

from typing import Any

import pytest

from journeymine.errors import OptionError
from journeymine.paths.signals import CONTACTS, ERRORS, FrictionRules, actors_of, matching


@pytest.mark.parametrize(
    ("name", "error", "contact"),
    [
        ("Payment declined", True, False), ("CANCELLED", True, False), ("Échec du paiement", True, False),
        ("E\u0301chec", True, False), ("Call centre", False, True), ("Réclamation", False, True),
        ("Achat", False, False), ("Live chat", False, True), ("Order", False, False), ("", False, False),
    ],
)  # fmt: skip
def test_patterns(name: str, error: bool, contact: bool) -> None:
    assert matching([name], ERRORS) == [error]
    assert matching([name], CONTACTS) == [contact]
    assert matching([name], "") == [False]


@pytest.mark.parametrize(
    ("names", "actors"),
    [
        (["user: a", "company: b"], ("user", "company")),
        (
            ["customerstarted", "companyactivated", "activated", "started"],
            ("customer", "company", None, None),
        ),
        (["refund (company)", "claim (customer)", "x"], ("company", "customer", None)),
        (["customer a", "b", "c"], (None, None, None)),
        (["user", "company", "client"], (None, None, None)),
    ],
)
def test_actors_are_read_off_names_that_tell_them_apart(
    names: list[str], actors: tuple[str | None, ...]
) -> None:
    assert actors_of(names, None) == actors


def test_actors_by_rule() -> None:
    assert actors_of(["Ship", "Pay", "Ship back"], {"them": "back", "us": "^ship"}) == ("us", None, "them")
    assert actors_of(["user: a", "company: b"], {}) == (None, None)


@pytest.mark.parametrize(
    "options",
    [
        {"errors": "("}, {"contacts": 3}, {"rapid_within": "1 x"}, {"retries": 0}, {"retries": True}, {"level": 1.0},
        {"rapid_times": 1}, {"hesitation_factor": 1.0}, {"never": (("a",),)}, {"never": (("a", "a"),)},
        {"actors": {"us": "["}}, {"never_share": 0.0},
    ],
)  # fmt: skip
def test_rules_that_cannot_be_used_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        FrictionRules(**options)
