"""The heat matrix: steps in the order given, rare ones folded, tint by share."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

import pytest

from journeymine.draw.heat import MAX_STEPS, HeatStep, Move, heat
from journeymine.draw.svg import Group, Mark, Rect, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from journeymine.draw.figure import Figure


def flat(marks: Iterable[Mark]) -> Iterator[Mark]:
    for mark in marks:
        if isinstance(mark, Group):
            yield from flat(mark.marks)
        else:
            yield mark


def draw(n: int, *, stages: bool = False, exits: bool = False) -> Figure:
    names = [f"step {i}" for i in range(n)]
    steps = [
        HeatStep(
            name=name,
            n=10 + i,
            stage=f"stage {i // 3}" if stages else None,
            exits=(i / n,) if exits else (),
            exit_refs=(f"activities[{i}].drop.estimate",) if exits else (),
        )
        for i, name in enumerate(names)
    ]
    moves = [
        Move(source=a, target=b, n=1 + i, share=(1 + i) / sum(range(1, n + 1)), ref=f"{a}>{b}")
        for a, (i, b) in product(names, enumerate(names))
    ]
    labels = (("dropped", "bad"),) if exits else ()
    return heat(steps, moves, lang="en", alt="x", other=lambda k: f"other ({k} steps)", exit_labels=labels)


def test_rows_add_up_to_one() -> None:
    for n in (3, MAX_STEPS, MAX_STEPS + 15):
        totals: dict[str, float] = {}
        for cell in draw(n).to_dicts():
            totals[cell["source"]] = totals.get(cell["source"], 0) + cell["share"]
        assert len(totals) == min(n, MAX_STEPS + 1)
        assert all(total == pytest.approx(1) for total in totals.values())


def test_the_rarest_steps_are_folded_and_counts_are_kept() -> None:
    n = MAX_STEPS + 15
    rows = draw(n).to_dicts()
    kept = {row["source"] for row in rows}
    assert "other (15 steps)" in kept
    assert "step 0" not in kept
    assert f"step {n - 1}" in kept
    assert sum(row["n"] for row in rows) == n * sum(range(1, n + 1))


def test_steps_stand_in_the_order_given() -> None:
    figure = draw(6)
    rows = [m for m in flat(figure.marks) if isinstance(m, Text) and m.anchor == "end"]
    assert [m.text for m in rows] == [f"step {i}" for i in range(6)]
    assert [m.y for m in rows] == sorted(m.y for m in rows)


def test_numbers_are_printed_from_one_per_cent_and_carry_their_address() -> None:
    steps = [HeatStep(name="A", n=1), HeatStep(name="B", n=1)]
    moves = [
        Move(source="A", target="A", n=995, share=0.995, ref="t[0]"),
        Move(source="A", target="B", n=5, share=0.005, ref="t[1]"),
    ]
    svg = heat(steps, moves, lang="fr", alt="x", other=str).svg()
    assert 'data-ref="t[0]">99,5\u202f%</text>' in svg
    assert "t[1]" not in svg
    assert "A → B: 0,50\u202f% (n = 5)" in svg


def test_tint_grows_with_the_share() -> None:
    cells = [m for m in flat(draw(5).marks) if isinstance(m, Rect)][:5]
    assert [c.opacity for c in cells] == sorted(c.opacity for c in cells)


def test_stages_are_named_once_each() -> None:
    svg = draw(9, stages=True).svg()
    assert [svg.count(f">stage {i}</text>") for i in range(3)] == [1, 1, 1]


def test_exit_columns_stand_apart() -> None:
    figure = draw(6, exits=True)
    exits = [m for m in flat(figure.marks) if isinstance(m, Text) and m.ref and "drop" in m.ref]
    assert len({m.x for m in exits}) == 1
    assert exits[0].x > max(m.x for m in flat(figure.marks) if isinstance(m, Text) and m.ref and ">" in m.ref)
    assert exits[0].x < figure.width


def test_everything_lies_inside_the_picture() -> None:
    for figure in (draw(2), draw(25, stages=True, exits=True), draw(60, exits=True)):
        for mark in flat(figure.marks):
            if isinstance(mark, Rect):
                assert mark.x >= 0
                assert mark.x + mark.width <= figure.width
                assert mark.y + mark.height <= figure.height


def test_sizes() -> None:
    assert len(draw(60, exits=True).svg().encode()) <= 150_000
    assert not re.search(r"\d\.\d\d\d", draw(60).svg())


def test_no_moves_and_one_step() -> None:
    figure = heat([HeatStep(name="only", n=3)], [], lang="en", alt="x", other=str)
    assert figure.to_dicts() == []
    assert ">only</text>" in figure.svg()


def test_a_cell_says_its_interval_and_its_counts() -> None:
    steps = [
        HeatStep(name="A", n=90, exits=(0.5,), exit_bounds=((0.4, 0.6, 90),)),
        HeatStep(name="B", n=9, exits=(0.25,)),
    ]
    moves = [
        Move(source="A", target="B", n=560, share=0.12, bounds=(0.111, 0.128, 4700)),
        Move(source="B", target="A", n=7, share=1.0),
    ]
    labels = (("dropped", "bad"),)
    svg = heat(steps, moves, lang="en", alt="x", other=str, exit_labels=labels).svg()
    assert "A → B: 12% (95% CI 11% to 13%; 560 of 4,700)" in svg
    assert "B → A: 100% (n = 7)" in svg
    assert "A → dropped: 50% (95% CI 40% to 60%; 45 of 90)" in svg
    assert "B → dropped: 25%<" in svg
    svg = heat(steps, moves, lang="fr", alt="x", other=str, exit_labels=labels).svg()
    assert "(IC à 95\u202f% de 11\u202f% à 13\u202f%; 560 sur 4\u202f700)" in svg


def test_every_cell_of_a_full_matrix_has_a_title() -> None:
    figure = draw(60, exits=True)
    tiles = [mark for mark in flat(figure.marks) if isinstance(mark, Rect)]
    assert len(tiles) >= 26 * 26
    assert all(tile.title for tile in tiles)


def test_folded_steps_end_as_often_as_all_of_them_together() -> None:
    n = MAX_STEPS + 2
    steps = [
        HeatStep(
            name=f"s{i}",
            n=100 - i,
            exits=(0.1 * (i % 3),),
            exit_bounds=((0.0, 1.0, 100 - i),),
            departures=100 - i,
        )
        for i in range(n)
    ]
    moves = [Move(source=f"s{i}", target="s0", n=10, share=10 / (100 - i)) for i in range(n)]
    figure = heat(steps, moves, lang="en", alt="x", other=str, exit_labels=(("out", "bad"),))
    last = figure.to_dicts()[-1]
    # Of 75 + 74 departures 20 go to the first step.
    assert last["share"] == pytest.approx(20 / 149)
    assert last["n"] == 20
    end = (0.1 * (25 % 3) * 75 + 0.1 * (26 % 3) * 74) / 149
    assert f"2 → out: {100 * end:.0f}%" in figure.svg()
