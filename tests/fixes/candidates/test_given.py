"""What users pass as fixes: lists, one alone, plain values, and errors for all else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from journeymine.errors import OptionError
from journeymine.fixes.candidates import as_fixes, resolve_fixes
from journeymine.fixes.fix import Fix

if TYPE_CHECKING:
    from journeymine.fixes.candidates import Evidence

FORM = Fix(kind="drop_off", activity="Form", segment=("device", "mobile"), cost=3.0)
INCIDENT = Fix(kind="incident", activity="Form", period=("2026-01-31", "2026-02-12"))


def test_every_way_to_say_it() -> None:
    assert as_fixes(FORM) == [FORM]
    assert as_fixes(FORM.to_dict()) == [FORM]
    assert as_fixes((FORM, INCIDENT.to_dict())) == [FORM, INCIDENT]
    assert as_fixes(iter([FORM])) == [FORM]
    assert as_fixes([]) == []


def test_plain_values_resolve_like_fixes(service_evidence: Evidence) -> None:
    (one,) = resolve_fixes(FORM.to_dict(), service_evidence)
    (other,) = resolve_fixes([FORM], service_evidence)
    assert one.fix == other.fix
    assert one.scope.drops.sum() == other.scope.drops.sum()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "fixes are None, expected a list of fixes"),
        ("all", "fixes are 'all'"),
        (7, "fixes are 7"),
        ([FORM, None], "fix 2 is None, expected a Fix"),
        (["drop_off:Form"], "fix 1 is 'drop_off:Form'"),
        ([{}], "fix 1 has no kind"),
        ({"kind": "drop_off"}, "fix 1 has no activity"),
        ({1: "drop_off"}, "fix 1 has the name 1"),
        ({"kind": "drop_off", "activity": "Form", "shar": 0.2}, "did you mean 'share'?"),
    ],
)
def test_what_is_no_fix_is_refused(given: Any, words: str, service_evidence: Evidence) -> None:
    with pytest.raises(OptionError) as refused:
        resolve_fixes(given, service_evidence)
    assert words in str(refused.value)
