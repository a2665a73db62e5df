"""Read a number of `report.json` by its address and show it, so that text and address cannot disagree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from journeymine import _format as fmt
from journeymine.reporting.phrases import Name, Sentence, Shown, name, say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PART: Final = re.compile(r"[^.\[\]]+")


def resolve(report: Any, address: str) -> Any:
    """Return the value at an address such as `fixes[0].effect.estimate`; None if there is none.

    Examples
    --------
    >>> resolve({"fixes": [{"effect": {"estimate": 0.5}}]}, "fixes[0].effect.estimate")
    0.5
    >>> resolve({"fixes": []}, "fixes[0].effect.estimate") is None
    True
    """
    value = report
    for part in _PART.findall(address):
        if isinstance(value, list):
            index = int(part)
            value = value[index] if index < len(value) else None
        elif isinstance(value, dict):
            value = value.get(part)
        else:
            return None
    return value


@dataclass(frozen=True, slots=True)
class Reader:
    """A report, or a part of it, in one language.

    Attributes
    ----------
    data
        The dict, or the part of it, that addresses start from.
    lang
        Language of what is shown.
    prefix
        Address of `data` in the report, with its dot; empty for the report itself.
    has_refs
        Whether numbers carry their address.

    Examples
    --------
    >>> Reader({"log": {"n_cases": 48210}}, "en").count("log.n_cases")
    '48,210'
    """

    data: Mapping[str, Any]
    lang: str
    prefix: str = ""
    has_refs: bool = True

    def value(self, address: str) -> Any:
        """Return the plain value."""
        return resolve(self.data, address)

    def items(self, address: str) -> list[Any]:
        """Return a list, empty if there is none."""
        found = self.value(address)
        return found if isinstance(found, list) else []

    def at(self, address: str) -> Reader:
        """Return a reader of a part."""
        found = self.value(address)
        part = found if isinstance(found, dict) else {}
        return Reader(part, self.lang, f"{self.prefix}{address}.", self.has_refs)

    def say(self, key: str, /, **fields: Any) -> Sentence:
        """Make a sentence in the language of the reader."""
        return say(key, self.lang, **fields)

    def name(self, address: str) -> Name:
        """Show a name that the user gave."""
        return name(self.value(address), self.lang)

    def count(self, address: str) -> Shown:
        """Show a count."""
        return self._show(address, fmt.number)

    def amount(self, address: str) -> Shown:
        """Show an estimated quantity."""
        return self._show(address, fmt.amount)

    def share(self, address: str) -> Shown:
        """Show a fraction as per cent."""
        return self._show(address, fmt.share)

    def duration(self, address: str, *, long: bool = False) -> Shown:
        """Show a duration in seconds."""
        return self._show(address, lambda value, lang: fmt.duration(value, lang, long=long))

    def money(self, address: str) -> Shown:
        """Show an amount of money."""
        return self._show(address, fmt.money)

    def date(self, address: str) -> Shown:
        """Show the day of a time."""
        return self._show(address, lambda value, lang: fmt.date(value, lang, self.zone))

    def effect(self, address: str) -> tuple[Shown, Shown, Shown]:
        """Show an effect in points and its two bounds, with the same number of decimals."""
        values = [self.value(f"{address}.{part}") for part in ("estimate", "lower", "upper")]
        digits = fmt.points_digits(*[value for value in values if fmt.is_number(value)])

        def bound(value: Any, lang: str) -> str:
            return fmt.signed(100 * value, lang, digits) if fmt.is_number(value) else fmt.MISSING

        return (
            self._show(f"{address}.estimate", lambda value, lang: fmt.points(value, lang, digits)),
            self._show(f"{address}.lower", bound),
            self._show(f"{address}.upper", bound),
        )

    def interval(self, address: str, kind: str) -> Sentence | None:
        """Show the bounds of an estimate; None if it has none."""
        if not fmt.is_number(self.value(f"{address}.lower")):
            return None
        show: Callable[[str], Shown] = getattr(self, kind)
        bounds = (
            self.share_bounds(address)
            if kind == "share"
            else {part: show(f"{address}.{part}") for part in ("lower", "upper")}
        )
        return self.say("interval", **bounds)

    def share_bounds(self, address: str) -> dict[str, Shown]:
        """Show both bounds of a share, with as many decimals as tell them apart."""
        low, high = self.value(f"{address}.lower"), self.value(f"{address}.upper")
        digits = fmt.share_digits(low, high) if fmt.is_number(low) and fmt.is_number(high) else None

        def write(value: Any, lang: str) -> str:
            return fmt.share(value, lang, digits)

        return {part: self._show(f"{address}.{part}", write) for part in ("lower", "upper")}

    def stage_names(self) -> dict[Any, Name]:
        """Return the name of each stage by its id, if the reader is at the root of the report."""
        return {
            stage.get("id"): name(stage.get("name") or stage.get("id"), self.lang)
            for stage in self.items("stages")
        }

    @property
    def zone(self) -> str | None:
        """Time zone of the log, if the reader is at its root."""
        found = self.value("log.timezone")
        return found if isinstance(found, str) else None

    def _show(self, address: str, write: Callable[[Any, str], str]) -> Shown:
        value = self.value(address)
        ref = f"{self.prefix}{address}" if self.has_refs and value is not None else None
        return Shown(write(value, self.lang), value, ref)
