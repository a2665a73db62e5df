"""The end states: bars from 0 to 100 %, lengths in proportion."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from journeymine.draw.end_states import BAR, THIN, EndState, Variation, end_states
from journeymine.draw.svg import Rect, Text

if TYPE_CHECKING:
    from journeymine.draw.figure import Figure

SHARES = {"converted": 0.1, "dropped": 0.7, "open": 0.2}


def figure(width: float = 1010, shares: dict[str, float] = SHARES) -> Figure:
    parts = [
        EndState(key=key, label=f"{key} label", share=share, ref=f"log.{key}")
        for key, share in shares.items()
    ]
    variations = [
        Variation(label="half", shares=(0.1, 0.8, 0.1)),
        Variation(label="double", shares=(0.1, 0.5, 0.4)),
    ]
    return end_states(parts, lang="en", alt="x", main_label="30 days", variations=variations, width=width)


def bars(fig: Figure, height: float) -> list[Rect]:
    return [m for m in fig.marks if isinstance(m, Rect) and m.height == height - 1]


@pytest.mark.parametrize("width", [1010, 650, 340])
def test_parts_lie_side_by_side_and_fill_the_bar(width: float) -> None:
    fig = figure(width)
    parts = bars(fig, BAR)
    assert [part.fill for part in parts] == ["good", "bad", "card"]
    whole = sum(part.width + 1 for part in parts)
    for part, share in zip(parts, SHARES.values(), strict=True):
        assert part.width + 1 == pytest.approx(share * whole)
    for left, right in pairwise(parts):
        assert left.x + left.width + 1 == pytest.approx(right.x)
    assert parts[-1].x + parts[-1].width <= width


def test_thin_bars_start_and_end_with_the_thick_one() -> None:
    fig = figure()
    thick, thin = bars(fig, BAR), bars(fig, THIN)
    assert len(thin) == 6
    assert thin[0].x == thick[0].x
    assert thin[2].x + thin[2].width == pytest.approx(thick[2].x + thick[2].width)


def test_every_share_is_said_once_in_words() -> None:
    texts = [m for m in figure().marks if isinstance(m, Text)]
    assert {t.ref for t in texts if t.ref} == {"log.converted", "log.dropped", "log.open"}
    assert [t.text for t in texts if t.ref == "log.dropped"] == ["70%", "70%"]


def test_all_converted() -> None:
    fig = figure(shares={"converted": 1.0, "dropped": 0.0, "open": 0.0})
    (only,) = bars(fig, BAR)
    assert only.fill == "good"
    assert ">100%</text>" in fig.svg()


def test_narrow_figures_put_the_labels_above() -> None:
    left = {m.x for m in figure(340).marks if isinstance(m, Rect) and m.height == BAR - 1}
    assert min(left) == 0.5
    assert figure(340).height > figure(1010).height
