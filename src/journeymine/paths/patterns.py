r"""The pattern language: `cart -> not support* -> exit`, read into a tree and written as a regular expression.

A pattern is looked for anywhere in a journey. ``docs/explanation/patterns.md`` explains it with examples::

    pattern  = path ("|" path)*
    path     = item (("->" | "=>") item)*          -> directly followed, => followed at any distance
    item     = part ("*" | "+" | "?")?             any number, at least one, at most one
    part     = "not" part | "any" | name | place | "(" pattern ")"
    name     = words, or "..." with \" and \\ inside
    place    = "start" | "^" | "end" | "exit" | "$" | "converted" | "dropped" | "open"

`not` takes an activity or a choice of activities in parentheses. Places stand before the first event and after the
last; `converted`, `dropped` and `open` are the ends of journeys that end so. Where an activity of the log is called
like a word of the language, ":end" is the word and "end" in quotes the activity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from journeymine.errors import OptionError, listed, shown, suggestion
from journeymine.paths.pattern_nodes import (
    Activity,
    AnyEvent,
    End,
    Node,
    Path,
    Repeat,
    Start,
    Without,
    all_nodes,
)
from journeymine.paths.pattern_reader import EXAMPLE, STATE_WORDS, WORDS, marked, read_nodes
from journeymine.sql.patterns import FIRST_POINT, NO_STATE_MARK, START_MARK, STATE_MARKS, SURROGATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MAX_LENGTH: Final = 5_000
MAX_ACTIVITIES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that was read.

    Attributes
    ----------
    text
        As it was written.
    root
        Its tree.
    """

    text: str
    root: Node

    def activities(self) -> tuple[Activity, ...]:
        """Activities that are named, in the order of the text."""
        return tuple(_activities(self.root))

    def names_end(self) -> bool:
        """Whether it says where a journey ends."""
        return any(isinstance(node, End) for node in all_nodes(self.root))

    def names_state(self) -> bool:
        """Whether it says how a journey ends."""
        return any(isinstance(node, End) and node.state is not None for node in all_nodes(self.root))

    def regex(self, codes: Mapping[str, int]) -> str:
        """A regular expression over words: see `sql/patterns.py`.

        Parameters
        ----------
        codes
            Codes of the activities by name.

        Raises
        ------
        OptionError
            An activity is not one of the log's.
        """
        if len(codes) > MAX_ACTIVITIES:
            problem = f"the log has {len(codes):,} activities, patterns can tell {MAX_ACTIVITIES:,} apart."
            raise OptionError(problem, hint="group the names of activities by a rule.")
        for activity in self.activities():
            if activity.name not in codes:
                raise _unknown(self.text, activity, tuple(codes))
        return _regex(self.root, codes)


def read_pattern(text: str, activities: Sequence[str] = ()) -> Pattern:
    """Read a pattern.

    Parameters
    ----------
    text
        The pattern.
    activities
        Activities of the log: a word of the language that is one of them must say which is meant.

    Raises
    ------
    OptionError
        It cannot be read; says where.

    Examples
    --------
    >>> read_pattern("cart -> not support* -> exit").root.parts[1]
    Repeat(part=Without(activities=(Activity(name='support', at=12),)), sign='*')
    """
    if not isinstance(text, str):
        raise OptionError(f"pattern is {shown(text)}, expected a text.", hint=EXAMPLE)
    if len(text) > MAX_LENGTH:
        raise OptionError(f"the pattern has {len(text)} characters, at most {MAX_LENGTH} are read.")
    return Pattern(text, read_nodes(text, frozenset(activities)))


def _unknown(text: str, activity: Activity, known: Sequence[str]) -> OptionError:
    """The error of an activity that the log does not have."""
    word = next((w for w in (*WORDS, "not") if w == activity.name.casefold()), None)
    hint = (
        f"did you mean {shown(word)}?"
        if word
        else suggestion(activity.name, known, _quote_hint(activity, known))
    )
    return OptionError(
        f"{shown(activity.name)} in the pattern, at character {activity.at + 1}, is not an activity of the log.",
        found=f"{listed(known)}.{marked(text, activity.at)}",
        hint=hint,
    )


def _quote_hint(activity: Activity, known: Sequence[str]) -> str:
    longer = next((name for name in known if activity.name in name), None)
    close = f", for example {_quoted(longer)}" if longer else ""
    return f"name an activity of the log{close}; names with signs or the word 'not' go into quotes."


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"')[:120] + '"'


def character(code: int) -> str:
    """The character that an activity is written as.

    Examples
    --------
    >>> character(0), character(1)
    ('Ā', 'ā')
    """
    point = FIRST_POINT + code
    return chr(point if point < SURROGATES[0] else point + SURROGATES[1] - SURROGATES[0])


def word_of(codes: Sequence[int], state: int | None) -> str:
    """A journey as a word: the mark of the start, a character an event, the mark of the end.

    Examples
    --------
    >>> word_of([0, 1], 1)
    'SĀāD'
    """
    return (
        START_MARK + "".join(map(character, codes)) + (NO_STATE_MARK if state is None else STATE_MARKS[state])
    )


def _activities(node: Node) -> Iterator[Activity]:
    return (found for found in all_nodes(node) if isinstance(found, Activity))


_EVENT: Final = f"[{chr(FIRST_POINT)}-{chr(0x10FFFF)}]"
_END: Final = f"[{''.join(STATE_MARKS)}{NO_STATE_MARK}]"


def _regex(node: Node, codes: Mapping[str, int]) -> str:
    """The expression of a node; only signs that every engine's expressions know."""
    if isinstance(node, Activity):
        return character(codes[node.name])
    if isinstance(node, Without):
        named = sorted({codes[activity.name] for activity in node.activities})
        # The marks stand before the first activity.
        return f"[^\\x01-\\xff{''.join(map(character, named))}]"
    if isinstance(node, AnyEvent):
        return _EVENT
    if isinstance(node, Start):
        return START_MARK
    if isinstance(node, End):
        return _END if node.state is None else STATE_MARKS[STATE_WORDS.index(node.state)]
    if isinstance(node, Repeat):
        return f"(?:{_regex(node.part, codes)}){node.sign}"
    if isinstance(node, Path):
        return "".join(f"(?:{_regex(part, codes)})" for part in node.parts)
    return "|".join(f"(?:{_regex(part, codes)})" for part in node.parts)
