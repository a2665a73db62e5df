"""The layout: nothing overlaps, nothing is random, and the next run looks like this one."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.draw.layout import layered, search
from journeymine.draw.layout.graph import Path, Step, layout_of_dict, previous_of_dict
from journeymine.draw.layout.layered import lay_out
from journeymine.draw.layout.rows import MAX_BESIDE, assign_rows

if TYPE_CHECKING:
    from journeymine.draw.layout.graph import Layout

STAGES = ("one", "two", "three", "four")


def graph(k: int, m: int, seed: int, *, shown: float = 1.0) -> tuple[list[Step], list[Path]]:
    """Steps in stages, mostly forward paths between near ones, counts with a long tail."""
    rng = random.Random(seed)
    steps = [
        Step(id=f"s{i}", stage=i * 4 // k, place=i + rng.random(), right=rng.choice((71.0, 125.0)))
        for i in range(k)
    ]
    pairs: set[tuple[int, int]] = set()
    for _ in range(20 * m):
        a = rng.randrange(k)
        b = min(k - 1, max(0, a + int(rng.gauss(2, 6))))
        if a != b and len(pairs) < m:
            pairs.add((a, b))
    return steps, [
        Path(
            source=f"s{a}", target=f"s{b}", n=1 + int(10 * rng.paretovariate(0.7)), shown=rng.random() < shown
        )
        for a, b in sorted(pairs)
    ]


def check(steps: list[Step], paths: list[Path], layout: Layout) -> None:
    """No two boxes overlap, and where a line crosses a row there is no box and no spill."""
    rows: dict[int, list[tuple[float, float]]] = {}
    for step in steps:
        x = layout.x[step.id]
        assert x - step.left >= -0.05
        assert x + step.right <= layout.width + 0.05
        rows.setdefault(layout.rows[step.id], []).append((x - step.left, x + step.right))
        first, n = layout.bands[step.stage]
        assert first <= layout.rows[step.id] < first + n
    for boxes in rows.values():
        boxes.sort()
        assert all(a[1] < b[0] for a, b in pairwise(boxes))
        assert len(boxes) <= MAX_BESIDE
    for path in paths:
        first, last = layout.rows[path.source], layout.rows[path.target]
        bends = layout.bends.get(path.pair, ())
        assert len(bends) == max(abs(last - first) - 1, 0)
        way = 1 if last > first else -1
        for row, x in zip(range(first + way, last, way), bends, strict=True):
            assert all(x <= low or x >= high for low, high in rows[row]), (path.pair, row)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 24), st.integers(0, 50), st.integers(0, 10_000))
def test_nothing_overlaps(k: int, m: int, seed: int) -> None:
    steps, paths = graph(k, m, seed, shown=0.6)
    check(steps, paths, lay_out(steps, paths))


def test_the_largest_map_is_laid_out_within_its_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    steps, paths = graph(60, 300, 1)
    n_set = 0
    real = layered.settle.__globals__["set_row"]

    def counted(*args: object) -> float:
        nonlocal n_set
        n_set += 1
        return float(real(*args))

    monkeypatch.setitem(layered.settle.__globals__, "set_row", counted)
    layout = lay_out(steps, paths)
    check(steps, paths, layout)
    assert n_set <= 60 * (max(layout.rows.values()) + 1)


def test_the_local_search_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    steps, paths = graph(27, 60, 4)
    tried: list[int] = []
    real = search.improve

    def counted(*args: object) -> int:
        tried.append(real(*args))  # type: ignore[arg-type]
        return tried[-1]

    monkeypatch.setattr(layered, "improve", counted)
    lay_out(steps, paths)
    assert tried[0] <= search.MAX_TRIALS


def test_the_order_of_the_input_does_not_matter() -> None:
    steps, paths = graph(20, 45, 3, shown=0.7)
    layout = lay_out(steps, paths)
    for seed in range(3):
        rng = random.Random(seed)
        assert lay_out(rng.sample(steps, len(steps)), rng.sample(paths, len(paths))) == layout


def test_a_stored_layout_comes_back() -> None:
    steps, paths = graph(20, 45, 5, shown=0.7)
    layout = lay_out(steps, paths)
    stored = layout.to_dict(steps, STAGES)
    assert layout_of_dict(stored) == layout
    assert previous_of_dict(stored, ("one", "two", "three")) is None
    assert previous_of_dict(None, STAGES) is None


def noisy(paths: list[Path], share: float, seed: int) -> list[Path]:
    rng = random.Random(seed)
    return [
        Path(
            source=p.source,
            target=p.target,
            n=max(1, round(p.n * rng.uniform(1 - share, 1 + share))),
            shown=p.shown,
        )
        for p in paths
    ]


@pytest.mark.parametrize("seed", range(4))
def test_the_next_run_looks_like_this_one(seed: int) -> None:
    steps, paths = graph(24, 55, seed)
    layout = lay_out(steps, paths)
    previous = previous_of_dict(layout.to_dict(steps, STAGES), STAGES)
    for share in (0.0, 0.05):
        again = lay_out(steps, noisy(paths, share, seed + 100), previous, STAGES)
        assert again.rows == layout.rows
        shifts = [abs(again.x[id_] - layout.x[id_]) for id_ in layout.x]
        assert sum(shifts) / len(shifts) <= 20
        check(steps, paths, again)


@pytest.mark.parametrize("seed", range(8))
def test_the_same_log_gives_the_same_places_for_ever(seed: int) -> None:
    steps, paths = graph(8 + 3 * seed, 20 + 8 * seed, seed)
    layout = first = lay_out(steps, paths)
    for _ in range(3):
        layout = lay_out(steps, paths, previous_of_dict(layout.to_dict(steps, STAGES), STAGES), STAGES)
        assert layout.to_dict(steps, STAGES) == first.to_dict(steps, STAGES)


def test_a_new_step_joins_and_known_steps_keep_their_rows() -> None:
    steps, paths = graph(16, 34, 8)
    layout = lay_out(steps, paths)
    previous = previous_of_dict(layout.to_dict(steps, STAGES), STAGES)
    more = [*steps, Step(id="new", stage=1, place=5.5)]
    wider = [*paths, Path(source="s4", target="new", n=50), Path(source="new", target="s7", n=40)]
    again = lay_out(more, wider, previous, STAGES)
    check(more, wider, again)
    inside = {
        step.id: (
            layout.rows[step.id] - layout.bands[step.stage][0],
            again.rows[step.id] - again.bands[step.stage][0],
        )
        for step in steps
    }
    assert all(old == new for old, new in inside.values())


def test_a_detour_stands_above_the_step_it_comes_back_to() -> None:
    # Who takes the detour is late at Payment, so its mean place is before that of the detour.
    steps = [
        Step(id="delivery", stage=0, place=5.0),
        Step(id="payment", stage=0, place=6.0),
        Step(id="quote", stage=0, place=7.0),
    ]
    paths = [
        Path(source="delivery", target="payment", n=700),
        Path(source="delivery", target="quote", n=240),
        Path(source="quote", target="payment", n=200),
        Path(source="payment", target="quote", n=3),
    ]
    rows, _ = assign_rows(steps, paths, {})
    assert rows == {"delivery": 0, "quote": 1, "payment": 2}


def test_circles_do_not_hang_the_rows() -> None:
    steps = [Step(id=name, stage=0, place=i) for i, name in enumerate("abc")]
    paths = [Path(source=a, target=b, n=10) for a, b in ("ab", "bc", "ca")]
    rows, bands = assign_rows(steps, paths, {})
    assert rows == {"a": 0, "b": 1, "c": 2}
    assert bands == ((0, 3),)


def test_many_steps_side_by_side_go_into_several_rows() -> None:
    steps = [Step(id=f"s{i:02}", stage=0, place=i) for i in range(12)]
    layout = lay_out(steps, [])
    assert max(layout.rows.values()) == 2
    check(steps, [], layout)


def test_nothing_and_one_step() -> None:
    assert lay_out([], []).width == 0
    assert lay_out([Step(id="a", stage=0, place=1)], []).x == {"a": 71.0}


def test_the_main_way_is_straight() -> None:
    steps = [Step(id=f"s{i}", stage=i, place=i, right=125.0 if i % 2 else 71.0) for i in range(4)]
    side = Step(id="side", stage=2, place=2.5)
    paths = [Path(source=f"s{i}", target=f"s{i + 1}", n=100) for i in range(3)]
    paths += [Path(source="s1", target="side", n=4), Path(source="side", target="s3", n=3)]
    layout = lay_out([*steps, side], paths)
    assert len({layout.x[f"s{i}"] for i in range(4)}) == 1
