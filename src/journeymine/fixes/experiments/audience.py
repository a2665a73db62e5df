"""Who takes part in a test, as data: the rule, the moment, and the arm of each customer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from journeymine._checks import check_level

if TYPE_CHECKING:
    from collections.abc import Mapping

Arm = Literal["control", "treatment"]
PARTS = 10_000
N_DIGITS = 15
BEFORE = "about_to_reach"


@dataclass(frozen=True, slots=True)
class Audience:
    """Customers of a test; the arm of a customer is the same on every machine and at every visit.

    Attributes
    ----------
    experiment
        Name of the experiment; another name deals the customers anew.
    rules
        Conditions that all hold, as plain values: ``{"event": "Payment", "op": "reached"}``,
        ``{"column": "platform", "op": "=", "value": "mobile"}``.
    holdout
        Share of the customers in control.
    """

    experiment: str
    rules: tuple[Mapping[str, Any], ...]
    holdout: float

    def __post_init__(self) -> None:
        check_level(self.holdout, name="holdout")

    def arm(self, customer_id: object) -> Arm:
        """Arm of a customer: the first 60 bits of the md5 of "experiment:customer", modulo 10,000.

        Examples
        --------
        >>> audience = Audience("shorter-form", ({"event": "Form", "op": "reached"},), 0.5)
        >>> [audience.arm(customer) for customer in ("c-1", "c-2", "c-3", "c-4")]
        ['treatment', 'treatment', 'control', 'control']
        """
        text = f"{self.experiment}:{customer_id}".encode()
        digest = hashlib.md5(text, usedforsecurity=False).hexdigest()
        return "control" if int(digest[:N_DIGITS], 16) % PARTS < self.below else "treatment"

    @property
    def below(self) -> int:
        """Parts of 10,000 that are control."""
        return round(self.holdout * PARTS)

    @property
    def words(self) -> str:
        """The rule in words.

        Examples
        --------
        >>> Audience("x", audience_rules("drop_off", "Pay", segment=("platform", "mobile")), 0.5).words
        'customers who reach “Pay” (platform = mobile)'
        """
        events = [_event_words(rule) for rule in self.rules if "event" in rule]
        events += [f"meet “{rule['fix']}”" for rule in self.rules if "fix" in rule]
        columns = [f"{rule['column']} = {rule['value']}" for rule in self.rules if "column" in rule]
        return f"customers who {' and '.join(events)}" + (f" ({', '.join(columns)})" if columns else "")

    def to_dict(self) -> dict[str, Any]:
        """The rule, the moment of assignment and how customers are dealt, as plain values."""
        return {
            "experiment": self.experiment,
            "rules": [dict(rule) for rule in self.rules],
            "when": "the first time that all rules hold after the start of the test",
            "unit": "customer",
            "holdout": self.holdout,
            "assignment": {
                "hash": "md5",
                "of": "{experiment}:{customer_id}",
                "bits": 4 * N_DIGITS,
                "modulo": PARTS,
                "control_below": self.below,
            },
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Audience:
        """The audience of plain values, as `to_dict` gives them."""
        return cls(data["experiment"], tuple(dict(rule) for rule in data["rules"]), data["holdout"])


def audience_rules(
    kind: str,
    activity: str,
    *,
    attempt: int | None = None,
    segment: tuple[str, str] | None = None,
) -> tuple[Mapping[str, Any], ...]:
    """Rules for the customers whom a fix would touch.

    Examples
    --------
    >>> audience_rules("loop", "Pay", attempt=2)
    ({'event': 'Pay', 'op': 'reached', 'attempt': 2},)
    """
    event: dict[str, Any] = {"event": activity, "op": BEFORE if kind == "remove_step" else "reached"}
    if attempt is not None:
        event["attempt"] = attempt
    if kind == "channel_switch":
        event["channel"] = "switched"
    column = () if segment is None else ({"column": segment[0], "op": "=", "value": segment[1]},)
    return (event, *column)


def experiment_name(fix_id: str) -> str:
    """Name of the test of a fix where the user gives none; the same fix has the same name.

    Examples
    --------
    >>> experiment_name("drop_off:Payment")
    'exp-f8f6b466'
    """
    return f"exp-{hashlib.md5(fix_id.encode(), usedforsecurity=False).hexdigest()[:8]}"


def _event_words(rule: Mapping[str, Any]) -> str:
    do = "are about to reach" if rule["op"] == BEFORE else "reach"
    again = f" for the {_nth(rule['attempt'])} time" if rule.get("attempt", 1) != 1 else ""
    how = " from another channel" if rule.get("channel") == "switched" else ""
    return f"{do} “{rule['event']}”{again}{how}"


def _nth(n: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(n % 10 if n % 100 not in (11, 12, 13) else 0, "th")
    return f"{n}{ending}"
