"""Labels are made safe, cut and wrapped without losing anything silently."""

from __future__ import annotations

from xml.dom import minidom
from xml.sax.saxutils import escape

from hypothesis import given
from hypothesis import strategies as st

from journeymine.draw.text import ELLIPSIS, clean, cut, fit, text_width, wrap

ANY_TEXT = st.text(st.characters(), max_size=200)


@given(ANY_TEXT)
def test_clean_text_is_always_xml(text: str) -> None:
    shown = clean(text)
    shown.encode()
    minidom.parseString(f"<t>{escape(shown)}</t>")
    assert "\n" not in shown


@given(ANY_TEXT, st.integers(5, 60))
def test_cut_keeps_the_beginning(text: str, limit: int) -> None:
    shown = cut(text, limit)
    assert len(shown) <= limit
    if len(text) <= limit:
        assert len(shown) == len(text)
    else:
        assert shown.endswith(ELLIPSIS)
        assert clean(text[:limit]).startswith(shown.removesuffix(ELLIPSIS))


def test_ten_megabytes_are_cut_at_once() -> None:
    assert len(cut("x" * 10_000_000)) == 80


def test_a_cut_never_ends_in_half_an_emoji() -> None:
    assert cut("a" * 6 + "👩\u200d👩\u200d👧", 9) == "aaaaaa👩…"


@given(ANY_TEXT, st.floats(30, 300), st.integers(1, 4))
def test_wrapped_lines_fit(text: str, width: float, lines: int) -> None:
    out = wrap(text, width, 12, lines=lines)
    assert len(out) <= lines
    assert all(text_width(line, 12) <= width or len(line) <= 2 for line in out)


def test_wrapping_loses_no_word_when_there_is_room() -> None:
    text = "Lose fewer customers at “Account sign-in” (platform = mobile)"
    assert " ".join(wrap(text, 220, 13.5, lines=3)) == text


def test_fit_leaves_what_fits() -> None:
    assert fit("Basket", 100, 12) == "Basket"
    assert text_width(fit("Basket " * 10, 100, 12), 12) <= 100


def test_wide_letters_are_wider() -> None:
    assert text_width("日本", 10) > text_width("ab", 10) > text_width("il", 10)
    assert text_width("Basket", 10, 700) > text_width("Basket", 10)
