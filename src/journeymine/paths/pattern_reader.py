"""From the text of a pattern to its tree, with errors that say where the mistake is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from journeymine.errors import OptionError
from journeymine.paths.pattern_nodes import (
    GAP,
    Activity,
    AnyEvent,
    Choice,
    End,
    Node,
    Path,
    Repeat,
    Start,
    Without,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 50
STATE_WORDS: Final = ("converted", "dropped", "open")
END_WORDS: Final = ("end", "exit", "$")
START_WORDS: Final = ("start", "^")
WORDS: Final = ("any", *START_WORDS, *END_WORDS, *STATE_WORDS)
EXAMPLE: Final = 'write a pattern such as "cart -> not support* -> exit".'
_TOKEN: Final = re.compile(
    r'\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<sign>->|=>|[*+?|()^$])|(?P<word>\S))', re.DOTALL
)
_WORD_END: Final = re.compile(r'->|=>|["*+?|()^$\s]')


def read_nodes(text: str, activities: frozenset[str]) -> Node:
    """The tree of a pattern; `activities` of the log, none of which may be taken for a word of the language."""
    return _Reader(text, activities).whole()


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of the text: kind is "name" (quoted), "word", a sign, or "" at the end."""

    kind: str
    text: str
    at: int


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while match := _TOKEN.match(text, at):
        kind = match.lastgroup
        begin, at = match.span(kind or 0)
        piece = match.group(kind or 0)
        if kind == "quoted":
            yield _Token("name", re.sub(r"\\(.)", r"\1", piece[1:-1], flags=re.DOTALL), begin)
        elif kind == "sign":
            yield _Token(piece, piece, begin)
        elif piece == '"':
            raise _wrong(
                text, begin, "a quote is opened and not closed", hint='close it, or write \\" inside quotes.'
            )
        else:
            stop = _WORD_END.search(text, begin)
            at = stop.start() if stop else len(text)
            yield _Token("word", text[begin:at], begin)
    yield _Token("", "", len(text.rstrip()))


class _Reader:
    """Recursive descent over the tokens."""

    def __init__(self, text: str, activities: frozenset[str]) -> None:
        self.text, self.activities = text, activities
        self.tokens = list(_tokens(text))
        self.place, self.depth = 0, 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.place]

    def take(self) -> _Token:
        token = self.token
        self.place += 1
        return token

    def whole(self) -> Node:
        root = self.choice()
        if self.token.kind:
            raise self.expected("'->', '=>', '|' or the end of the pattern")
        return root

    def choice(self) -> Node:
        parts = [self.path()]
        while self.token.kind == "|":
            self.take()
            parts.append(self.path())
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def path(self) -> Node:
        parts = [self.item()]
        while self.token.kind in ("->", "=>"):
            if self.take().kind == "=>":
                parts.append(GAP)
            parts.append(self.item())
        return parts[0] if len(parts) == 1 else Path(tuple(parts))

    def item(self) -> Node:
        begin = self.token
        part = self.part()
        if self.token.kind not in ("*", "+", "?"):
            return part
        if isinstance(part, (Start, End)):
            raise _wrong(self.text, begin.at, f"{begin.text!r} is a place and cannot be repeated")
        sign = self.take().kind
        if self.token.kind in ("*", "+", "?"):
            raise self.expected("one of '*', '+' and '?' only", hint="put the first into parentheses: (a*)+.")
        return Repeat(part, sign)

    def part(self) -> Node:
        token = self.token
        if token.kind == "(":
            return self.group()
        if token.kind == "name":
            return self.activity(self.take().text, token.at)
        if token.kind in ("^", "$"):
            self.take()
            return Start() if token.kind == "^" else End()
        if token.kind != "word":
            raise self.expected("an activity")
        if token.text == "not":
            return self.negation()
        return self.words()

    def group(self) -> Node:
        opened = self.take()
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _wrong(self.text, opened.at, f"more than {MAX_DEPTH} parentheses inside each other")
        inner = self.choice()
        if self.token.kind != ")":
            raise self.expected("')'")
        self.take()
        self.depth -= 1
        return inner

    def negation(self) -> Node:
        said = self.take()
        at = self.token.at
        part = self.part()
        choices = part.parts if isinstance(part, Choice) else (part,)
        named = tuple(one for one in choices if isinstance(one, Activity))
        if len(named) != len(choices):
            hint = (
                'write "not a" or "not (a | b)"; an activity whose name begins with "not" goes into quotes.'
            )
            raise _wrong(
                self.text, at or said.at, "after 'not' comes an activity or a choice of activities", hint=hint
            )
        return Without(named)

    def words(self) -> Node:
        """A word of the language, or a name of one or more words."""
        first = last = self.take()
        while self.token.kind == "word":
            last = self.take()
        name = self.text[first.at : last.at + len(last.text)]
        if first is last and name in WORDS:
            if name in self.activities:
                raise _ambiguous(self.text, first.at, name)
            return self.reserved(name)
        if first is last and name[:1] == ":" and name[1:] in WORDS and name not in self.activities:
            return self.reserved(name[1:])
        return self.activity(name, first.at)

    @staticmethod
    def reserved(word: str) -> Node:
        if word == "any":
            return AnyEvent()
        if word in START_WORDS:
            return Start()
        return End(word if word in STATE_WORDS else None)

    def activity(self, name: str, at: int) -> Node:
        if not name:
            raise _wrong(self.text, at, "the name between the quotes is empty")
        return Activity(name, at)

    def expected(self, what: str, hint: str | None = None) -> OptionError:
        token = self.token
        found = f"found {token.text!r}" if token.kind else "the pattern ends"
        return _wrong(self.text, token.at, f"expected {what}, {found}", hint=hint)


def _wrong(text: str, at: int, problem: str, *, hint: str | None = None) -> OptionError:
    """The error of a mistake at a character, with the place marked."""
    return OptionError(
        f"the pattern cannot be read at character {at + 1}: {problem}.",
        found=marked(text, at),
        hint=hint or EXAMPLE,
    )


def marked(text: str, at: int, around: int = 60) -> str:
    """The pattern around a character, which a line below points at."""
    begin, stop = max(at - around, 0), at + around
    line = ("…" if begin else "") + text[begin:stop] + ("…" if stop < len(text) else "")
    clean = "".join(c if c.isprintable() else " " for c in line)
    return f"\n  {clean}\n  {' ' * (at - begin + bool(begin))}^"


def _ambiguous(text: str, at: int, word: str) -> OptionError:
    return _wrong(
        text,
        at,
        f"{word!r} is a word of the pattern language and an activity of the log",
        hint=f'write "{word}" in quotes for the activity, or :{word} for the word.',
    )
