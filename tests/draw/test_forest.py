"""The forest: one axis with zero, rows in the order given, hollow where the interval contains zero."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymine.draw.forest import (
    ForestBlock,
    ForestRow,
    effect_axis,
    forest,
    grid_strip,
    interval_marks,
    interval_strip,
    strip_axis,
    tick_strip,
)
from journeymine.draw.svg import Circle, Path


def row(lower: float, upper: float, number: int = 1, title: str = "Repair it") -> ForestRow:
    return ForestRow(number=number, title=title, estimate=(lower + upper) / 2, lower=lower, upper=upper)


ROWS = st.lists(
    st.tuples(st.floats(-0.5, 0.5), st.floats(0, 0.3)).map(lambda pair: row(pair[0], pair[0] + pair[1])),
    min_size=1,
    max_size=6,
)


@given(ROWS)
def test_interval_positions_are_monotone_in_value(rows: list[ForestRow]) -> None:
    axis = effect_axis(rows, 100, 300)
    placed = sorted(
        (value, axis.place(100 * value)) for r in rows for value in (r.lower, r.estimate, r.upper)
    )
    assert all(a[1] <= b[1] for a, b in pairwise(placed))
    assert axis.low <= 0 <= axis.high
    assert all(100 - 1e-9 <= place <= 300 + 1e-9 for _, place in placed)


@pytest.mark.parametrize(
    ("lower", "upper", "fill", "stroke"),
    [
        (0.001, 0.02, "good", "good"),
        (-0.001, 0.02, "card", "data2"),
        (0.0, 0.02, "card", "data2"),
        (-0.02, -0.001, "bad", "bad"),
        (0.01, 0.01, "good", "good"),
        (0.0, 0.0, "card", "data2"),
    ],
)
def test_a_dot_is_hollow_when_the_interval_contains_zero(
    lower: float, upper: float, fill: str, stroke: str
) -> None:
    r = row(lower, upper)
    line, dot = interval_marks(r, effect_axis([r], 0, 100), 10)
    assert isinstance(line, Path)
    assert isinstance(dot, Circle)
    assert (dot.fill, dot.stroke, line.stroke) == (fill, stroke, stroke)


def test_two_blocks_share_one_axis_and_keep_their_order() -> None:
    blocks = [
        ForestBlock(heading="Found", rows=(row(0.001, 0.002, 1, "B"), row(0.3, 0.4, 2, "A"))),
        ForestBlock(heading="Assumed", rows=(row(-0.1, 0.1, 3, "C"),)),
    ]
    figure = forest(blocks, lang="en", alt="Two fixes", month_label="a month", axis_label="Points")
    assert [r["rank"] for r in figure.to_dicts()] == [1, 2, 3]
    assert [r["block"] for r in figure.to_dicts()] == ["Found", "Found", "Assumed"]
    svg = figure.svg()
    assert (
        svg.index(">Found<") < svg.index(">B<") < svg.index(">A<") < svg.index(">Assumed<") < svg.index(">C<")
    )
    assert svg.count(">0</text>") == 2
    assert 'aria-label="Two fixes"' in svg


def test_an_empty_block_is_not_drawn() -> None:
    figure = forest([ForestBlock(heading="Found", rows=())], lang="en", alt="None")
    assert "Found" not in figure.svg()


def test_long_titles_are_cut_with_the_whole_in_the_title() -> None:
    long = (
        "Lose fewer customers at a step whose name goes on and on until nobody can read it any more, really"
    )
    svg = forest([ForestBlock(heading="Found", rows=(row(0, 1, title=long),))], lang="en", alt="x").svg()
    assert f"<title>{long}</title>" in svg
    assert "…</text>" in svg


def test_strips_repeat_the_numbers_so_they_are_hidden_from_screen_readers() -> None:
    r = row(0.01, 0.02)
    axis = strip_axis([r])
    for strip in (interval_strip(r, axis), grid_strip(axis), tick_strip(axis, "fr")):
        assert 'aria-hidden="true"' in strip
    assert re.search(r">\+2,?\d*</text>", tick_strip(axis, "fr"))


def test_size_for_a_notebook() -> None:
    rows = tuple(row(i / 1000, i / 500, i, "A title of eighty characters " * 3) for i in range(1, 60))
    figure = forest([ForestBlock(heading="Found", rows=rows)], lang="en", alt="x")
    assert len(figure.svg("static").encode()) <= 150_000
