"""Pieces of the layout against obvious oracles and outside solvers."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from journeymine.draw.layout.backbone import backbone
from journeymine.draw.layout.graph import Layout
from journeymine.draw.layout.grid import make_grid
from journeymine.draw.layout.labels import Wish, area_at, place_labels
from journeymine.draw.layout.lanes import blocked, nearest_free, thread
from journeymine.draw.layout.order import weight_of_crossings
from journeymine.draw.layout.places import isotonic
from journeymine.draw.layout.ports import Line, spread_ports
from journeymine.draw.layout.routes import route

numbers = st.floats(-500, 500).map(lambda value: round(value, 2))


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 9)), max_size=14))
def test_crossings_are_those_that_a_plain_loop_counts(lines: list[tuple[int, int, int]]) -> None:
    plain = sum(
        a[2] * b[2]
        for a, b in combinations(lines, 2)
        if (a[0] < b[0] and a[1] > b[1]) or (a[0] > b[0] and a[1] < b[1])
    )
    ordered = sorted((a, b, float(weight)) for a, b, weight in lines)
    assert weight_of_crossings(ordered, 7) == plain


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(numbers, st.floats(0.1, 50), st.floats(0, 80)), min_size=1, max_size=9))
def test_rows_are_set_at_the_least_squares_solution(points: list[tuple[float, float, float]]) -> None:
    wanted, weights, gaps = ([point[i] for point in points] for i in range(3))
    found = isotonic(wanted, weights, gaps[:-1])
    assert all(b - a >= gap - 1e-9 for a, b, gap in zip(found[:-1], found[1:], gaps[:-1], strict=True))
    # x = first + the gaps + increments that are not negative; the first place is free, so it comes in two halves.
    k = len(points)
    offsets = np.concatenate([[0.0], np.cumsum(gaps[:-1])])
    steps = np.tril(np.ones((k, k)))
    design = np.hstack([steps[:, :1], -steps[:, :1], steps[:, 1:]])
    root = np.sqrt(weights)
    solution, _ = nnls(design * root[:, None], (np.array(wanted) - offsets) * root)
    np.testing.assert_allclose(found, design @ solution + offsets, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.tuples(numbers, st.floats(1, 200)), max_size=4), max_size=5),
    numbers,
    numbers,
)
def test_lanes_keep_clear_of_boxes(rows: list[list[tuple[float, float]]], start: float, end: float) -> None:
    blocks = [blocked([(low, low + width) for low, width in row]) for row in rows]
    way = thread(blocks, start, end)
    assert len(way) == len(rows)
    for x, row in zip(way, rows, strict=True):
        assert all(x <= low or x >= low + width for low, width in row)


def test_lanes_are_straight_where_nothing_stands_in_the_way() -> None:
    assert thread([[], [], []], 10.0, 10.0) == (10.0, 10.0, 10.0)
    assert nearest_free([(0.0, 10.0), (12.0, 30.0)], 13.0) == 12.0


def test_the_backbone_leaves_no_step_alone() -> None:
    paths = [("a", "b", 5), ("b", "c", 5), ("a", "c", 1), ("c", "a", 2), ("d", "c", 1)]
    kept = backbone(paths)
    assert kept == {("a", "b"), ("b", "c"), ("c", "a"), ("d", "c")}


def test_ties_in_the_backbone_go_by_id() -> None:
    assert backbone([("a", "c", 5), ("a", "b", 5)]) == backbone([("a", "b", 5), ("a", "c", 5)])


LAYOUT = Layout(
    {"a": 0, "b": 1, "c": 1, "d": 1, "e": 2},
    {"a": 300.0, "b": 80.0, "c": 300.0, "d": 520.0, "e": 300.0},
    {("a", "e"): (190.0,), ("e", "a"): (410.0,)},
    ((0, 1), (1, 2)),
    600.0,
)
PAIRS = [("a", "b"), ("a", "c"), ("a", "d"), ("a", "e"), ("e", "a"), ("b", "c"), ("b", "d"), ("d", "b")]


def test_ports_are_sorted_by_where_the_lines_go() -> None:
    ends = spread_ports(LAYOUT, [Line(pair=pair, width=3.0) for pair in PAIRS])
    down = [ends["a", target].out_x for target in ("b", "e", "c", "d")]
    assert down == sorted(down)
    assert len(set(down)) == 4
    assert max(down) - min(down) <= 112
    assert ends["b", "c"].out_side == "beside"
    assert (ends["b", "d"].out_side, ends["b", "d"].in_side) == ("top", "top")
    assert (ends["d", "b"].out_side, ends["d", "b"].in_side) == ("bottom", "bottom")
    assert (ends["e", "a"].out_side, ends["e", "a"].in_side) == ("top", "bottom")


def test_lines_that_wait_do_not_take_ports_from_those_that_are_shown() -> None:
    shown = [Line(pair=pair, width=3.0) for pair in PAIRS[:3]]
    alone = spread_ports(LAYOUT, shown)
    together = spread_ports(LAYOUT, [*shown, Line(pair=("a", "e"), width=3.0, shown=False)])
    assert all(together[pair] == alone[pair] for pair in alone)


@pytest.mark.parametrize("pair", PAIRS)
def test_routes_begin_and_end_at_the_boxes_and_stay_clear_of_them(pair: tuple[str, str]) -> None:
    grid = make_grid(LAYOUT, PAIRS, 44.0)
    ends = spread_ports(LAYOUT, [Line(pair=p, width=3.0) for p in PAIRS])[pair]
    found = route(LAYOUT, grid, pair, ends, 7.0)
    assert found.d[0] == "M"
    assert found.d[1] == ends.out_x
    x, y, way = found.head
    assert x == ends.in_x
    row = LAYOUT.rows[pair[1]]
    if way in {"down", "up"}:
        assert y == (grid.tops[row] if way == "down" else grid.bottom(row))
    for spot_x, spot_y in found.spots:
        for id_, own in LAYOUT.rows.items():
            inside = abs(spot_x - LAYOUT.x[id_]) < 71 and grid.tops[own] < spot_y < grid.bottom(own)
            assert not inside, (pair, id_)


def test_more_room_where_many_lines_change_sides() -> None:
    few, many = make_grid(LAYOUT, [("a", "c")], 44.0), make_grid(LAYOUT, PAIRS, 44.0)
    assert many.height > few.height
    assert few.tops[1] - few.bottom(0) == 30.0


def wish(name: str, n: int, share: float, *spots: tuple[float, float], backbone: bool = False) -> Wish:
    return Wish(pair=(name, "z"), n=n, share=share, width=24.0, is_backbone=backbone, spots=spots)


def test_labels_do_not_meet() -> None:
    wishes = [wish(f"w{i}", 100 - i, 0.5, (i * 9.0, 0.0), (i * 9.0, 16.0)) for i in range(12)]
    places, shown = place_labels(wishes, [(30.0, -40.0, 60.0, 40.0)])
    assert len(places) == 12
    areas = [area_at(places[pair], 24.0) for pair in sorted(shown)]
    assert len(areas) > 2
    for a, b in product(areas, areas):
        assert a == b or a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    assert all(area[2] <= 30 or area[0] >= 60 for area in areas)


def test_only_large_or_telling_lines_have_a_label() -> None:
    wishes = [
        wish("large", 100, 0.1, (0.0, 0.0)),
        wish("thin", 12, 0.9, (100.0, 0.0)),
        wish("telling", 5, 0.31, (200.0, 0.0), backbone=True),
        wish("vague", 5, 0.30, (300.0, 0.0), backbone=True),
    ]
    assert {pair[0] for pair in place_labels(wishes, [])[1]} == {"large", "telling"}
