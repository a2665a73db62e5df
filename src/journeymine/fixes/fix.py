"""`Fix`: what could be changed about a journey, as users write it and as the search for candidates proposes it."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from journeymine._checks import time_us
from journeymine.errors import OptionError, listed, shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

KINDS: Final = ("drop_off", "remove_step", "loop", "wait", "channel_switch", "reroute", "incident")
SHARES: Final[dict[str, float]] = {"drop_off": 0.2, "remove_step": 1.0, "wait": 0.5, "reroute": 0.2}
"""What is achieved where no share is given; the other kinds, and fixes of a segment, are brought to a reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """Something that could be changed about a journey.

    Parameters
    ----------
    kind
        ``"drop_off"``: fewer leave after the activity, those kept go on like the others.
        ``"remove_step"``: the activity is taken away, its drop-outs are rescued; the others go where it led.
        ``"loop"``: fewer go from the activity back to `target` (or to the activity itself).
        ``"wait"``: the wait after the activity becomes shorter; who leaves is decided by patience.
        ``"channel_switch"``: fewer leave after the activity when they came to it by another channel.
        ``"reroute"``: a share of those who go from the activity to `target` is sent to `to`.
        ``"incident"``: the activity in `period` works as in the rest of the time.
    activity
        Activity that the fix is about.
    target
        Loop: the activity it runs through, by default the activity itself. Re-route: who is sent elsewhere, by
        default everybody who went on to another activity.
    to
        Re-route: where they are sent.
    segment
        Column and value of a segment, such as ``("platform", "mobile")`` or ``"platform=mobile"``: only there.
    period
        First and last moment (excluded), as dates or ISO times: only then.
    share
        Achievable share, from 0 to 1: of the drop-outs, the entries, the loops, the wait, the journeys sent
        elsewhere. None: brought to where it works, that is to the other values of a segment, to customers who did
        not switch channel, to the time outside an incident, to the first attempt of a loop; else as in `SHARES`.
    rho
        Rescue factor, from 0 to 1: the share of those spared the friction who then behave like those who passed it.
    cost, effort
        What the fix costs, in the unit of net value; work it takes, in any unit, for RICE.
    id, label
        Name in tables, by default made of kind and place; words for the report.

    Raises
    ------
    OptionError
        A value cannot be used.

    Examples
    --------
    >>> Fix(kind="drop_off", activity="Payment", segment=("platform", "mobile")).id
    'drop_off:Payment:platform=mobile'
    >>> Fix(kind="wait", activity="Quote requested", share=0.3).fraction
    0.3
    """

    kind: str
    activity: str
    target: str | None = None
    to: str | None = None
    segment: tuple[str, str] | Mapping[str, str] | str | None = None
    period: tuple[str | datetime, str | datetime] | None = None
    share: float | None = None
    rho: float = 1.0
    cost: float = 0.0
    effort: float | None = None
    id: str = ""
    label: str | None = None

    def __post_init__(self) -> None:
        self._check_names()
        self._check_numbers()
        if self.segment is not None:
            object.__setattr__(self, "segment", _pair(self.segment))
        if self.period is not None:
            object.__setattr__(self, "period", _period(self.period))
        if not self.id:
            object.__setattr__(self, "id", self._name())

    def _check_names(self) -> None:
        if self.kind not in KINDS:
            raise OptionError(
                f"kind is {shown(self.kind)}, expected a kind of fix.",
                found=listed(KINDS),
                hint=suggestion(str(self.kind), KINDS, "use one of the kinds above."),
            )
        for name in ("activity", "target", "to"):
            value = getattr(self, name)
            if not isinstance(value, str) and (value is not None or name == "activity"):
                raise OptionError(f"{name} is {shown(value)}, expected the name of an activity.")
        if not isinstance(self.id, str):
            raise OptionError(
                f"id is {shown(self.id)}, expected a text.", hint='put it in quotes: id="shorter form".'
            )
        if self.label is not None and not isinstance(self.label, str):
            raise OptionError(
                f"label is {shown(self.label)}, expected a text.",
                hint='put it in quotes: label="Shorter form".',
            )
        self._check_places()

    def _check_places(self) -> None:
        if self.kind == "reroute" and self.to is None:
            raise OptionError('kind is "reroute" and to is missing.', hint='say where: to="Live chat".')
        if self.kind != "reroute" and self.to is not None:
            raise OptionError(
                f"to is {shown(self.to)}, which only a re-route has.", hint='use kind="reroute".'
            )
        for name in ("target", "activity"):
            if self.to is not None and self.to == getattr(self, name):
                raise OptionError(
                    f"to is {shown(self.to)}, which is also the {name}: nobody would be sent elsewhere.",
                    found="expected another activity than activity and target.",
                    hint='name where they should go instead: to="Live chat".',
                )
        if self.kind not in ("reroute", "loop") and self.target is not None:
            raise OptionError(f"target is {shown(self.target)}, which only loops and re-routes have.")
        if self.kind == "incident" and self.period is None:
            raise OptionError(
                'kind is "incident" and period is missing.', hint='pass period=("2026-02-18", "2026-03-08").'
            )

    def _check_numbers(self) -> None:
        for name in ("share", "rho", "cost", "effort"):
            value = getattr(self, name)
            if value is None and name in ("share", "effort"):
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise OptionError(
                    f"{name} is {shown(value)}, expected a number.",
                    hint=f"write it without quotes and units, or leave {name} out.",
                )
            if name in ("share", "rho") and not 0 <= value <= 1:
                raise OptionError(
                    f"{name} is {shown(value)}, expected a number from 0 to 1.",
                    hint=f"write 20 % as {name}=0.2.",
                )
            if name == "cost" and value < 0:
                raise OptionError(
                    f"cost is {shown(value)}, expected a number from 0.",
                    hint="a fix that saves money: leave cost out, and count what it saves elsewhere.",
                )
            if name == "effort" and value <= 0:
                raise OptionError(
                    f"effort is {shown(value)}, expected a number above 0.",
                    hint="leave effort out where it is not known.",
                )

    def _name(self) -> str:
        parts = [self.kind, self.activity]
        parts += [name for name in (self.target, self.to) if name is not None]
        if self.segment is not None:
            parts.append("=".join(self.segment))
        if self.period is not None:
            parts.append("/".join(str(moment) for moment in self.period))
        return ":".join(parts)

    @property
    def period_us(self) -> tuple[int, int] | None:
        """The period in microseconds since 1970 UTC."""
        return None if self.period is None else (time_us(self.period[0]), time_us(self.period[1]))

    @property
    def to_reference(self) -> bool:
        """Whether the fix brings things to where they work, rather than by a share."""
        by_place = self.kind in ("channel_switch", "incident", "loop") or (
            self.kind == "drop_off" and self.segment is not None
        )
        return self.share is None and by_place

    @property
    def fraction(self) -> float:
        """The share that is achieved; 1 where the fix is brought to a reference."""
        return (
            self.share if self.share is not None else 1.0 if self.to_reference else SHARES.get(self.kind, 1.0)
        )

    def to_dict(self) -> dict[str, Any]:
        """What was given, as plain values."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = {
            key: list(map(str, value)) if isinstance(value, tuple) else value for key, value in found.items()
        }
        return {key: value for key, value in plain.items() if value is not None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Fix:
        """The fix of plain values, as `to_dict` gives them."""
        known = {field.name for field in fields(cls)}
        for key in data:
            if key not in known:
                raise OptionError(
                    f"{shown(key)} is nothing a fix has.",
                    found=listed(sorted(known)),
                    hint=suggestion(key, sorted(known), "use one of the names above."),
                )
        given: dict[str, Any] = dict(data)
        if isinstance(given.get("period"), list):
            given["period"] = tuple(given["period"])
        return cls(**given)


def _period(value: Any) -> tuple[str | datetime, str | datetime]:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise OptionError(
            f"period is {shown(value)}, expected two moments: the first one, and the one after the last.",
            hint='pass period=("2026-02-18", "2026-03-08").',
        )
    first, last = value
    if time_us(first) >= time_us(last):
        raise OptionError(
            f"period is {shown(value)}, expected an end after its start.",
            hint="swap the two; the second moment is the first one that is outside.",
        )
    return first, last


def _pair(value: Any) -> tuple[str, str]:
    if hasattr(value, "items") and len(value) == 1:
        value = next(iter(value.items()))
    if isinstance(value, str) and "=" in value:
        value = value.split("=", 1)
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise OptionError(
            f"segment is {shown(value)}, expected a column and a value.",
            hint='pass segment=("platform", "mobile").',
        )
    return str(value[0]), str(value[1])
