"""One table of strings, key -> {en, fr}, and sentences made from it.

A sentence keeps its fields apart until it is shown: as plain text for `report.json` and alt texts, or as
HTML in which every number carries the address it has in `report.json` and every name is escaped.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from markupsafe import Markup, escape

from journeymine import _format as fmt
from journeymine.draw.text import cut
from journeymine.errors import OptionError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

SHORT_NAME: Final = 20
PLURAL_FIELDS: Final = ("count", "n", "n_tested", "n_variants")

_FRENCH: Final = (
    (re.compile(r" ([;!?])"), f"{fmt.NARROW}\\1"),
    (re.compile(r" :"), f"{fmt.NBSP}:"),
    (re.compile(r"« "), f"«{fmt.NARROW}"),
    (re.compile(r" »"), f"{fmt.NARROW}»"),
    (re.compile(r"(\d)%"), f"\\1{fmt.NARROW}%"),
)
_SPELLED: Final[dict[str, tuple[str, ...]]] = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    "fr": ("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix"),
}

Entry = dict[str, str]
_Text = TypeVar("_Text", str, Markup)


class Shown(str):
    """A number as it is shown, with its value and its address in `report.json`."""

    value: Any
    ref: str | None

    def __new__(cls, text: str, value: Any = None, ref: str | None = None) -> Self:
        """Keep the value and the address beside the text."""
        self = super().__new__(cls, text)
        self.value, self.ref = value, ref
        return self

    def __html__(self) -> Markup:
        if not self.ref:
            return escape(str(self))
        return Markup('<span data-ref="{}">{}</span>').format(self.ref, str(self))


class Name(str):
    """A name that the user gave: never translated, kept apart from the direction of the sentence."""

    __slots__ = ()

    def __html__(self) -> Markup:
        # A short name is not broken at its hyphens and blanks.
        if len(self) <= SHORT_NAME:
            return Markup('<bdi class="nb">{}</bdi>').format(str(self))
        return Markup("<bdi>{}</bdi>").format(str(self))


@dataclass(frozen=True, slots=True)
class Sentence:
    """A key of the table with its fields, in one language."""

    key: str
    lang: str
    fields: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def text(self) -> str:
        """The sentence as plain text."""
        return str(self)

    @property
    def params(self) -> dict[str, Any]:
        """The fields as plain values: numbers as numbers, whatever the language."""
        return {
            name: value.value if isinstance(value, Shown) else str(value)
            for name, value in sorted(self.fields.items())
        }

    def _template(self) -> str:
        return template(self.key, self.lang, self.fields)

    def __str__(self) -> str:
        return _capital(self._template(), self._template().format(**self.fields))

    def __html__(self) -> Markup:
        # Markup.format escapes every field, or asks it for its HTML.
        text = self._template()
        return _capital(text, escape(text).format(**self.fields))


def _capital(template_text: str, text: _Text) -> _Text:
    """Begin a sentence with a capital, also where a spelled count begins it."""
    if not template_text.startswith("{count}"):
        return text
    return text[:1].upper() + text[1:]


def say(key: str, lang: str, /, **fields: Any) -> Sentence:
    """Make a sentence of the table.

    Parameters
    ----------
    key
        Key of the table.
    lang
        `en` or `fr`.
    **fields
        What the template names. `Shown` and `Name` keep their markup in HTML.

    Examples
    --------
    >>> str(say("next_ongoing", "en", activity="Payment", reference="12%"))
    'Repair “Payment” now, then check that drop-out goes back to 12%'
    >>> say("heat_exit", "fr").text
    'abandon'
    """
    return Sentence(key, lang, MappingProxyType(fields))


def template(key: str, lang: str, fields: Mapping[str, Any]) -> str:
    """Choose the template of a key: its language, and one or other where it counts something."""
    entry = table()[check_language(lang)][key]
    if isinstance(entry, str):
        return entry
    counted = next((fields[name] for name in PLURAL_FIELDS if name in fields), 2)
    value = counted.value if isinstance(counted, Shown) else counted
    return entry[fmt.plural(value, lang) if fmt.is_number(value) else "other"]


@cache
def table() -> Mapping[str, Mapping[str, str | Entry]]:
    """All strings by language and key.

    Examples
    --------
    >>> sorted(table()) == ["en", "fr"] and set(table()["en"]) == set(table()["fr"])
    True
    """
    out: dict[str, dict[str, str | Entry]] = {lang: {} for lang in fmt.LANGUAGES}
    folder = resources.files("journeymine.reporting").joinpath("strings")
    for file in sorted(folder.iterdir(), key=lambda item: item.name):
        if not file.name.endswith(".toml"):
            continue
        for key, entry in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if key in out["en"]:
                raise ValueError(f"string {key!r} is defined twice")
            for lang, text in entry.items():
                out[lang][key] = _typeset(text, lang)
    return MappingProxyType({lang: MappingProxyType(entries) for lang, entries in out.items()})


def _typeset(entry: str | Entry, lang: str) -> str | Entry:
    if isinstance(entry, dict):
        return {form: str(_typeset(text, lang)) for form, text in entry.items()}
    if lang != "fr":
        return entry
    for pattern, replacement in _FRENCH:
        entry = pattern.sub(replacement, entry)
    return entry


def check_language(lang: str) -> fmt.Lang:
    """Check a language.

    Examples
    --------
    >>> check_language("fr")
    'fr'
    """
    for known in fmt.LANGUAGES:
        if lang == known:
            return known
    raise OptionError(
        f"lang is {lang!r}, expected 'en' or 'fr'.", hint=did_you_mean(str(lang), fmt.LANGUAGES)
    )


def name(text: object, lang: str) -> Name:
    """Make a name that can be shown: cut, without control characters, never empty.

    Examples
    --------
    >>> name("Basket", "en"), name(" ", "en")
    ('Basket', '(no name)')
    """
    shown = cut(text)
    return Name(shown) if shown.strip() else Name(str(say("no_name", lang)))


def spelled(n: int, lang: str) -> Shown:
    """Spell out a count up to ten.

    Examples
    --------
    >>> spelled(2, "en"), spelled(11, "fr")
    ('two', '11')
    """
    words = _SPELLED[lang]
    return Shown(words[n] if 0 <= n < len(words) else fmt.number(n, lang), n)
