"""The pattern language against a matcher by recursive definition, and its errors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.errors import OptionError
from journeymine.paths.pattern_nodes import Activity, Repeat, Without
from journeymine.paths.pattern_reader import WORDS
from journeymine.paths.patterns import Pattern, character, read_pattern, word_of
from journeymine.sql.patterns import SURROGATES

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = (
    "a",
    "b",
    "c d",
    'q"\\',
    "x -> y*",
    "not",
    "end",
    "naïve 🛒",
    "\u202eשלום",
    "(",
    "any",
    ":end",
    "a'b",
)
STATES = ("converted", "dropped", "open", None)
Spec = tuple[Any, ...]
"""A pattern as nested tuples: ("name", a), ("any",), ("not", a, b), ("start",), ("end", state or ""),
("path", ...), ("gap", left, right), ("or", ...), ("*", part), ("+", part), ("?", part)."""


# --- the oracle: where can a match that begins at `at` stop?


def stops(spec: Spec, word: Sequence[Any], at: int) -> set[int]:
    """Places after every match of the pattern that begins at a place of the word, by definition."""
    kind, parts = spec[0], spec[1:]
    if kind in ("name", "any", "not", "start", "end"):
        return {at + 1} if at < len(word) and is_one(spec, word[at]) else set()
    if kind == "path":
        found = {at}
        for part in parts:
            found = {stop for place in found for stop in stops(part, word, place)}
        return found
    if kind == "gap":
        left, right = parts
        return stops(("path", left, ("*", ("any",)), right), word, at)
    if kind == "or":
        return {stop for part in parts for stop in stops(part, word, at)}
    once = stops(parts[0], word, at)
    if kind == "?":
        return {at} | once
    found, new = set[int](), once
    while new - found:
        found |= new
        new = {stop for place in found for stop in stops(parts[0], word, place)}
    return found | {at} if kind == "*" else found


def is_one(spec: Spec, letter: Any) -> bool:
    if spec[0] == "start":
        return bool(letter == ("start",))
    if spec[0] == "end":
        return bool(letter[0] == "end" and spec[1] in ("", letter[1]))
    if letter[0] != "event":
        return False
    name = letter[1]
    return spec[0] == "any" or (name == spec[1] if spec[0] == "name" else name not in spec[1:])


def matches(spec: Spec, path: Sequence[str], state: str | None) -> bool:
    word = [("start",), *(("event", name) for name in path), ("end", state)]
    return any(stops(spec, word, at) for at in range(len(word) + 1))


# --- patterns as texts


def quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def written(spec: Spec, *, bare: bool = False) -> str:
    """The text of a pattern: composite parts in parentheses; simple names without quotes where `bare`."""
    kind, parts = spec[0], spec[1:]
    if kind == "name":
        return parts[0] if bare and re.fullmatch(r"[a-z]|c d", parts[0]) else quoted(parts[0])
    if kind in ("any", "start"):
        return f":{kind}"
    if kind == "end":
        return f":{parts[0]}" if parts[0] else "$"
    if kind == "not":
        names = [written(("name", name), bare=bare) for name in parts]
        return f"not {names[0]}" if len(names) == 1 else f"not ({' | '.join(names)})"
    inner = [written(part, bare=bare) for part in parts]
    if kind in "*+?":
        return f"{inner[0] if parts[0][0] in ('name', 'any', 'not') else f'({inner[0]})'}{kind}"
    sign = {"path": " -> ", "gap": "=>", "or": "|"}[kind]
    return f"({sign.join(inner)})"


ONE = st.one_of(
    st.sampled_from(NAMES).map(lambda n: ("name", n)),
    st.sampled_from(NAMES[:3]).map(lambda n: ("name", n)),
    st.just(("any",)),
    st.lists(st.sampled_from(NAMES[:4]), min_size=1, max_size=3).map(lambda n: ("not", *n)),
)
PLACE = st.one_of(st.just(("start",)), st.sampled_from(("", *STATES[:3])).map(lambda s: ("end", s)))
SPECS = st.recursive(
    st.one_of(ONE, ONE, ONE, PLACE),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map(lambda p: ("path", *p)),
        st.lists(inner, min_size=2, max_size=3).map(lambda p: ("or", *p)),
        st.tuples(inner, inner).map(lambda p: ("gap", *p)),
        st.tuples(
            st.sampled_from("*+?"), st.one_of(ONE, inner.filter(lambda s: s[0] in ("path", "or", "*")))
        ),
    ),
    max_leaves=7,
)
PATHS = st.lists(st.sampled_from(NAMES[:5]), min_size=1, max_size=7)
CODES = {name: code for code, name in enumerate(NAMES)}


@given(SPECS, st.lists(st.tuples(PATHS, st.sampled_from(STATES)), min_size=1, max_size=8), st.booleans())
@settings(max_examples=250, deadline=None)
def test_it_matches_what_the_definition_says(spec: Spec, journeys: list[Any], bare: bool) -> None:
    regex = read_pattern(written(spec, bare=bare)).regex(CODES)
    for path, state in journeys:
        word = word_of([CODES[name] for name in path], None if state is None else STATES.index(state))
        assert bool(re.search(regex, word)) == matches(spec, path, state), (written(spec), path, state)


CASES = [
    ("cart -> not support* -> exit", ["cart"], True), ("cart -> not support* -> exit", ["cart", "pay", "x"], True),
    ("cart -> not support* -> exit", ["cart", "support", "pay"], False),
    ("cart -> not support* -> exit", ["cart", "support", "cart"], True),
    ("cart => pay", ["cart", "x", "x", "pay"], True), ("cart => pay", ["cart", "pay"], True),
    ("cart => pay", ["pay", "cart"], False), ("cart -> pay", ["cart", "x", "pay"], False),
    ("^ -> cart", ["cart", "x"], True), ("start -> cart", ["x", "cart"], False), ("cart -> $", ["x", "cart"], True),
    ("any -> any -> any", ["x", "pay"], False), ("any -> any -> any", ["x", "x", "x"], True),
    ("start->(cart|x)+->end", ["cart", "x", "x"], True), ("start->(cart|x)+->end", ["cart", "pay"], False),
    ("x | pay -> pay", ["pay", "x"], True), ("(x | pay) -> pay", ["pay", "x"], False),
    ("cart -> x? -> pay", ["cart", "pay"], True), ("cart -> x? -> pay", ["cart", "x", "x", "pay"], False),
    ("start -> not (cart | x)* -> end", ["pay", "support"], True), ("start -> not(cart|x)* -> end", ["x"], False),
    ("start => dropped", ["x"], True), ("x -> converted", ["x"], False), ("x -> open | x -> dropped", ["x"], True),
    ('"cart" -> "cart"', ["cart", "cart"], True), ("x*", ["pay"], True), ("start -> end", ["x"], False),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "path", "expected"), CASES)
def test_examples(pattern: str, path: list[str], expected: bool) -> None:
    codes = {"cart": 0, "pay": 1, "support": 2, "x": 3}
    found = re.search(read_pattern(pattern).regex(codes), word_of([codes[p] for p in path], 1))
    assert bool(found) == expected


def test_names_of_several_words_need_no_quotes() -> None:
    read = read_pattern("not  check ticket* ->  re-open: it's  ok.")
    assert [one.name for one in read.activities()] == ["check ticket", "re-open: it's  ok."]
    assert read.root.parts[0] == Repeat(Without((Activity("check ticket", 5),)), "*")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("pattern", "at", "problem"),
    [
        ("cart -> -> exit", 9, "expected an activity, found '->'"), ("", 1, "expected an activity, the pattern ends"),
        ("  ", 1, "the pattern ends"), ("cart ->", 8, "the pattern ends"), ("(a -> b", 8, "expected ')'"),
        ("a) -> b", 2, "the end of the pattern"), ("a**", 3, "one of '*', '+' and '?' only"),
        ("*a", 1, "expected an activity, found '*'"), ('a -> "b', 6, "a quote is opened"),
        ('a -> ""', 6, "the name between the quotes is empty"), ("start+", 1, "cannot be repeated"),
        ("a -> end?", 6, "cannot be repeated"), ("not any", 5, "after 'not'"), ("not (a -> b)", 5, "after 'not'"),
        ("not not a", 5, "after 'not'"), ("not", 4, "the pattern ends"), ("a | | b", 5, "found '|'"),
        ('"a" "b"', 5, "found 'b'"), ("(" * 60 + "a" + ")" * 60, 51, "more than 50 parentheses"),
        ("a -> ()", 7, "found ')'"), ("^*", 1, "cannot be repeated"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(pattern: str, at: int, problem: str) -> None:
    with pytest.raises(OptionError) as caught:
        read_pattern(pattern)
    assert f"at character {at}: " in caught.value.problem
    assert problem in caught.value.problem
    assert caught.value.hint
    line, arrow = str(caught.value.found).splitlines()[-2:]
    assert arrow.strip() == "^"
    if at <= len(pattern.rstrip()) < 60:
        assert line[len(arrow) - 1] == pattern[at - 1]


def test_what_is_no_pattern() -> None:
    with pytest.raises(OptionError, match="expected a text"):
        read_pattern(3)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="characters, at most"):
        read_pattern("a -> " * 2000 + "a")
    with pytest.raises(OptionError, match="1,000,001 activities"):
        Pattern("a", Activity("a")).regex({f"{i}": i for i in range(1_000_001)})


def test_an_activity_that_the_log_does_not_have() -> None:
    known = {"basket": 0, "pay": 1, "not found": 2}
    with pytest.raises(OptionError) as caught:
        read_pattern("start => bascet -> pay").regex(known)
    assert "'bascet' in the pattern, at character 10, is not an activity of the log." in str(caught.value)
    assert "did you mean 'basket'?" in str(caught.value)
    with pytest.raises(OptionError, match="did you mean 'exit'"):
        read_pattern("pay -> Exit").regex(known)
    with pytest.raises(OptionError, match='for example "not found"'):
        read_pattern("pay -> not fo").regex(known)


@pytest.mark.parametrize("word", [w for w in WORDS if w.isalpha()])
def test_a_word_that_is_also_an_activity_must_say_which(word: str) -> None:
    with pytest.raises(
        OptionError, match=f'write "{word}" in quotes for the activity, or :{word} for the word'
    ):
        read_pattern(word, [word, "x"])
    assert read_pattern(f'"{word}"', [word]).activities()[0].name == word
    assert read_pattern(f":{word}", [word]).root == read_pattern(word).root
    assert read_pattern(f"{word} of it", [f"{word} of it"]).activities()[0].name == f"{word} of it"


def test_characters_leave_out_what_is_no_character() -> None:
    codes = [0, 1, SURROGATES[0] - 0x101, SURROGATES[0] - 0x100, SURROGATES[0] - 0xFF, 1_000_000]
    texts = [character(code) for code in codes]
    assert texts == sorted(set(texts))
    assert all(text.encode() for text in texts)
    assert (ord(texts[2]), ord(texts[3])) == (SURROGATES[0] - 1, SURROGATES[1])


def test_what_a_pattern_is_about() -> None:
    assert read_pattern("a -> exit").names_end()
    assert not read_pattern("a -> exit").names_state()
    assert read_pattern("(a | (b -> dropped))").names_state()
    assert not read_pattern("start => a").names_end()
