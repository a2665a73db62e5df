"""Labels: which lines say their share, and where, so that no label covers a box or another label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from journeymine.draw.layout.graph import Pair

HEIGHT: Final = 14.0
PADDING: Final = 3.0
LARGE: Final = 0.12
TELLING: Final = 0.30

Area = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A line that may have a label: its count, its share of the visits to its source, the width of the text."""

    pair: Pair
    n: int
    share: float
    width: float
    is_backbone: bool
    spots: tuple[tuple[float, float], ...]


def place_labels(
    wishes: Sequence[Wish], taken: Iterable[Area]
) -> tuple[dict[Pair, tuple[float, float]], set[Pair]]:
    """Place labels in falling order of count.

    A label is shown if its line carries more than 12 % of the largest count, or is part of the backbone and
    carries more than 30 % of the visits to its source, and if there is room for it.

    Returns
    -------
    places
        Middle of every label, also of those that wait until their step is selected.
    shown
        Those that are shown.
    """
    areas = list(taken)
    largest = max((wish.n for wish in wishes), default=0)
    places: dict[Pair, tuple[float, float]] = {}
    shown: set[Pair] = set()
    ordered = sorted(wishes, key=lambda wish: (-wish.n, wish.pair))
    for wish in ordered:
        free = _free(wish, areas)
        if free and (wish.n > LARGE * largest or (wish.is_backbone and wish.share > TELLING)):
            places[wish.pair] = free
            shown.add(wish.pair)
            areas.append(area_at(free, wish.width))
    for wish in ordered:
        if wish.pair not in shown:
            places[wish.pair] = _free(wish, areas) or wish.spots[0]
            areas.append(area_at(places[wish.pair], wish.width))
    return places, shown


def area_at(spot: tuple[float, float], width: float) -> Area:
    """Return what a label takes up around its middle."""
    x, y = spot
    half = width / 2 + PADDING
    return x - half, y - HEIGHT / 2, x + half, y + HEIGHT / 2


def _free(wish: Wish, areas: Sequence[Area]) -> tuple[float, float] | None:
    return next((spot for spot in wish.spots if not _meets(area_at(spot, wish.width), areas)), None)


def _meets(area: Area, others: Iterable[Area]) -> bool:
    left, top, right, bottom = area
    return any(left < r and a < right and top < b and t < bottom for a, t, r, b in others)
