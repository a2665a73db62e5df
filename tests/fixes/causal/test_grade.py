"""Grades of evidence: every rule by itself."""

from __future__ import annotations

from typing import Any

import pytest

from journeymine.errors import OptionError
from journeymine.fixes.causal.grade import FLAGS, grade

GOOD: dict[str, Any] = {"standardised": True, "overlap_ok": True, "placebo_quiet": True}


def test_adjusted_if_nothing_speaks_against_it() -> None:
    assert grade("loop", **GOOD) == ("adjusted", ("not_tested",))
    assert grade("remove_step", **GOOD, control_quiet=True) == ("adjusted", ("not_tested",))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"standardised": False}, "not_standardised"),
        ({"overlap_ok": False}, "no_overlap"),
        ({"flags": ("positivity",)}, "no_overlap"),
        ({"placebo_quiet": False}, "placebo"),
        ({"flags": ("mixed_state",)}, "mixed_state"),
        ({"flags": ("carry_over",)}, "carry_over"),
        ({"control_quiet": False}, "control"),
    ],
)
def test_one_reason_is_enough(change: dict[str, Any], reason: str) -> None:
    assert grade("drop_off", **(GOOD | change)) == ("association", ("not_tested", reason))


def test_an_experiment_needs_nothing_else() -> None:
    bad = {"standardised": False, "overlap_ok": False, "placebo_quiet": False, "flags": FLAGS}
    assert grade("wait", **bad, tested=True) == ("experiment", ())


@pytest.mark.parametrize("flag", ["interaction", "few_visits", "selected"])
def test_flags_that_do_not_speak_against_it(flag: str) -> None:
    assert grade("drop_off", **GOOD, flags=[flag])[0] == "adjusted"


def test_unknown_flags_are_refused() -> None:
    with pytest.raises(OptionError, match="'mixed'"):
        grade("drop_off", **GOOD, flags=["mixed"])
