"""What users pass as fixes, as a list of `Fix`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from journeymine.errors import OptionError, listed, shown
from journeymine.fixes.fix import Fix

NEEDED = ("kind", "activity")
HINT = 'pass a list such as [Fix(kind="drop_off", activity="Payment")].'


def as_fixes(given: Any) -> list[Fix]:
    """Fixes as a list, from a list of them, from one alone, or from plain values as `Fix.to_dict` gives them.

    Raises
    ------
    OptionError
        Something among them is no fix.

    Examples
    --------
    >>> [fix.id for fix in as_fixes({"kind": "drop_off", "activity": "Payment"})]
    ['drop_off:Payment']
    """
    if isinstance(given, (Fix, Mapping)):
        given = [given]
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise OptionError(f"fixes are {shown(given)}, expected a list of fixes.", hint=HINT)
    return [_fix(one, place) for place, one in enumerate(given, start=1)]


def _fix(one: Any, place: int) -> Fix:
    if isinstance(one, Fix):
        return one
    if not isinstance(one, Mapping):
        raise OptionError(f"fix {place} is {shown(one)}, expected a Fix.", hint=HINT)
    strange = [key for key in one if not isinstance(key, str)]
    if strange:
        raise OptionError(f"fix {place} has the name {shown(strange[0])}, expected names as text.", hint=HINT)
    missing = [name for name in NEEDED if name not in one]
    if missing:
        found = listed(one) or "nothing"
        raise OptionError(f"fix {place} has no {missing[0]}.", found=found, hint=HINT)
    return Fix.from_dict(one)
