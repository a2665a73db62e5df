"""Definitions of friction: what each signal means, and the published limits that are its defaults."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from journeymine._checks import check_level, duration_us
from journeymine.errors import OptionError, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Kind = Literal["visit", "exit", "wait", "pair", "outlook"]

ERRORS = r"error|fail|declin|refus|reject|cancel|timeout|erreur|échec"
CONTACTS = r"\bcall|support|contact|\bchat|complain|réclam"
ACTOR_WORDS = (
    "user", "customer", "client", "visitor",
    "company", "agent", "staff", "system", "employee", "advisor",
    "utilisateur", "entreprise", "conseiller", "conseillère", "système",
)  # fmt: skip
"""Words that say who acts when activity names begin or end with them."""
MIN_NAMED = 0.25


@dataclass(frozen=True, slots=True)
class Signal:
    """One sign of friction.

    Attributes
    ----------
    name
        How results call it.
    kind
        "visit": known at the visit, and associated with the goal from there on. "exit": leaving itself.
        "wait": time until journeys go on. "pair": x without y. "outlook": how many reach the goal from here.
    needs
        What the log must have: "times", "fine_clock", "channel", "contacts", "errors", "goal".
    """

    name: str
    kind: Kind
    needs: tuple[str, ...] = ()


SIGNALS = (
    Signal("repetition", "visit"),
    Signal("self_loop", "visit"),
    Signal("back_and_forth", "visit"),
    Signal("rework", "visit"),
    Signal("rapid_repeat", "visit", ("fine_clock",)),
    Signal("page_loop", "visit", ("fine_clock",)),
    Signal("retry", "visit"),
    Signal("hesitation", "visit", ("times",)),
    Signal("channel_switch", "visit", ("channel",)),
    Signal("repeat_contact", "visit", ("contacts",)),
    Signal("after_error", "visit", ("errors",)),
    Signal("dead_end", "exit", ("goal",)),
    Signal("error_exit", "exit", ("goal", "errors")),
    Signal("quick_exit", "exit", ("goal", "errors", "fine_clock")),
    Signal("long_wait", "wait", ("times",)),
    Signal("never", "pair"),
    Signal("outlook", "outlook", ("goal",)),
)
"""All signals, in the order of results.

- ``repetition``: the activity has come before in the journey; ``self_loop``: it is the event right before;
  ``rework``: others came in between; ``back_and_forth``: exactly one did (A, B, A). Self-loops and
  repetitions as in bupaR (Janssenswillen et al. 2019, Knowledge-Based Systems 163).
- ``rapid_repeat``: three in a row, each within 1 s of the last; ``page_loop``: three within 15 s;
  ``quick_exit``: dropped within 5 s of an error; ``retry``: three or more attempts after the first. Limits as
  published by product analytics (rage clicks, page loops, retry exhaustion).
- ``hesitation``: the wait before the visit was more than four times the median wait before this activity.
- ``long_wait``: journeys have not gone on from the step after four times the median over all steps.
- ``channel_switch``: another channel than that of the event before.
- ``repeat_contact``: a contact within seven days of another one (first contact resolution, effort: Dixon,
  Freeman and Toman 2010, Harvard Business Review 88).
- ``after_error``: the event right before was an error; ``error_exit``: the journey was dropped after an error.
- ``dead_end``: the journey was dropped after the step; ``never``: x was done, and y never after it.
- ``outlook``: the goal is reached after the step; where more journeys do than after other steps as deep in the
  journey, it is a satisfaction point.
"""


@dataclass(frozen=True, slots=True)
class FrictionRules:
    """What counts as friction; the defaults are published definitions.

    Attributes
    ----------
    rapid_times, rapid_within
        Rapid repetition: so many in a row, each within this time of the last.
    loop_times, loop_within
        Page loop: the same activity so many times within this time.
    quick_exit_within
        Quick abandonment: dropped this soon after an error.
    retries
        Attempts after the first one that make retries exhausted.
    hesitation_factor
        A wait is long from this multiple of the median on.
    contact_within
        A contact this soon after another one is a repeated one.
    errors, contacts
        Patterns of activities that are errors, and of activities or channels that are contacts; case is ignored.
    never
        Pairs (x, y): "did x but never y".
    never_auto
        How many further pairs are looked for: y follows x in most converted journeys.
    never_share
        What "most" means.
    actors
        Actor -> pattern of the activities that are theirs; None: read off the names, if they say so.
    level
        Share of false discoveries among the associations that are kept.

    Examples
    --------
    >>> FrictionRules(never=(("Subscribe", "Open"),)).retries
    3
    >>> FrictionRules(errors="(")
    Traceback (most recent call last):
        ...
    journeymine.errors.OptionError: errors is '(', which is no regular expression: ...
    """

    rapid_times: int = 3
    rapid_within: str = "1s"
    loop_times: int = 3
    loop_within: str = "15s"
    quick_exit_within: str = "5s"
    retries: int = 3
    hesitation_factor: float = 4.0
    contact_within: str = "7d"
    errors: str = ERRORS
    contacts: str = CONTACTS
    never: tuple[tuple[str, str], ...] = ()
    never_auto: int = 5
    never_share: float = 0.5
    actors: Mapping[str, str] | None = None
    level: float = 0.05

    def __post_init__(self) -> None:
        for name, least in (("rapid_times", 2), ("loop_times", 2), ("retries", 1), ("never_auto", 0)):
            _check_whole(name, getattr(self, name), least)
        for name in ("rapid_within", "loop_within", "quick_exit_within", "contact_within"):
            duration_us(getattr(self, name), name=name)
        factor = self.hesitation_factor
        if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not 1 < factor < 1e6:
            raise OptionError(f"hesitation_factor is {shown(factor)}, expected a number above 1.")
        check_level(self.level)
        check_level(self.never_share, name="never_share")
        for name, pattern in (
            ("errors", self.errors),
            ("contacts", self.contacts),
            *(self.actors or {}).items(),
        ):
            matcher(pattern, name)
        for pair in self.never:
            if not (isinstance(pair, (tuple, list)) and len(pair) == 2 and pair[0] != pair[1]):
                problem = f"never holds {shown(pair)}, expected pairs of two activities."
                raise OptionError(problem, hint='write never=(("Subscribed", "Opened"),).')


def _check_whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= 100:
        raise OptionError(f"{name} is {shown(value)}, expected a whole number from {least} to 100.")


def matcher(pattern: str, name: str = "pattern") -> re.Pattern[str]:
    """Compile a pattern that ignores case and how accents are written."""
    if not isinstance(pattern, str):
        raise OptionError(f"{name} is {shown(pattern)}, expected a regular expression.")
    try:
        return re.compile(unicodedata.normalize("NFC", pattern), re.IGNORECASE)
    except re.error as error:
        problem = f"{name} is {shown(pattern)}, which is no regular expression: {error}."
        raise OptionError(problem, hint=r'escape special characters, as in "\(".') from None


def matching(names: Iterable[str], pattern: str) -> list[bool]:
    """Which names hold the pattern; an empty pattern matches nothing.

    Examples
    --------
    >>> matching(["Payment declined", "Échec", "Recall"], ERRORS), matching(["Call centre", "Recall"], CONTACTS)
    ([True, True, False], [True, False])
    """
    if not pattern:
        return [False for _ in names]
    found = matcher(pattern)
    return [found.search(unicodedata.normalize("NFC", name)) is not None for name in names]


def actors_of(names: Iterable[str], rules: Mapping[str, str] | None) -> tuple[str | None, ...]:
    """Who acts in each activity; None where the name does not say.

    Without rules, names are read off when at least two different actors begin (or end) at least a quarter of
    all names: "user: login", "customerstarted", "refund (company)".

    Examples
    --------
    >>> actors_of(["user: pay", "company: ship", "end"], None)
    ('user', 'company', None)
    >>> actors_of(["pay", "ship"], {"shop": "^ship"})
    (None, 'shop')
    >>> actors_of(["customer pays", "order"], None)
    (None, None)
    """
    names = [unicodedata.normalize("NFC", name) for name in names]
    if rules is not None:
        found = [(actor, matcher(pattern, actor)) for actor, pattern in rules.items()]
        return tuple(
            next((actor, True)[0] for actor, pattern in found if pattern.search(name))
            if any(pattern.search(name) for _, pattern in found)
            else None
            for name in names
        )
    for read in (_first_word, _last_word):
        actors = tuple(read(name) for name in names)
        named = [actor for actor in actors if actor]
        if len(set(named)) > 1 and len(named) >= MIN_NAMED * len(names):
            return actors
    return tuple(None for _ in names)


def _first_word(name: str) -> str | None:
    folded = name.casefold()
    return next((word for word in ACTOR_WORDS if folded.startswith(word) and folded != word), None)


def _last_word(name: str) -> str | None:
    folded = name.casefold().rstrip(")]} ")
    return next((word for word in ACTOR_WORDS if folded.endswith(word) and folded != word), None)
