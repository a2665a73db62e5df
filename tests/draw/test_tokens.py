"""The style sheet gets its colours from the one token file."""

from __future__ import annotations

import re

from journeymine.draw.tokens import DARK, LIGHT, css_name, css_variables, fragment_css, page_css


def test_both_themes_name_the_same_tokens() -> None:
    assert list(LIGHT) == list(DARK)
    assert all(re.fullmatch(r"#[0-9A-F]{6}", colour) for theme in (LIGHT, DARK) for colour in theme.values())


def test_every_token_is_a_variable_of_every_theme_block() -> None:
    for css in (page_css(), fragment_css()):
        for token in LIGHT:
            assert css.count(f"{css_name(token)}:{LIGHT[token]}") >= 2
            assert css.count(f"{css_name(token)}:{DARK[token]}") >= 2


def test_the_choice_of_the_reader_wins_over_the_system_and_print_is_light() -> None:
    css = page_css()
    assert "@media(prefers-color-scheme:dark){:root:not([data-theme=light]){" in css
    assert ":root[data-theme=dark]{" in css
    assert "@media print{:root:root:root{color-scheme:light" in css


def test_a_fragment_reaches_nothing_outside_its_class() -> None:
    for rule in re.findall(r"([^{}]+)\{(?=color-scheme)", fragment_css()):
        for selector in re.sub(r"@media\([^)]*\)", "", rule).split(","):
            assert ".jm" in selector or "@media" in selector


def test_declarations_have_no_loose_ends() -> None:
    assert not css_variables("dark").endswith(";")
