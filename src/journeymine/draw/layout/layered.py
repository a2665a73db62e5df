"""The layout, step by step: rows, points, order, places, local search, lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.draw.layout.graph import Layout
from journeymine.draw.layout.lanes import blocked, thread
from journeymine.draw.layout.order import ordered
from journeymine.draw.layout.places import at_home, packed, returned, settle
from journeymine.draw.layout.points import make_points
from journeymine.draw.layout.rows import assign_rows
from journeymine.draw.layout.search import improve
from journeymine.draw.layout.straighten import straighten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from journeymine.draw.layout.graph import Pair, Path, Previous, Step
    from journeymine.draw.layout.points import Points


def lay_out(
    steps: Sequence[Step],
    paths: Sequence[Path],
    previous: Previous | None = None,
    stage_ids: Sequence[str] = (),
) -> Layout:
    """Lay out a map.

    Parameters
    ----------
    steps
        Boxes.
    paths
        Lines between two different steps, each pair once.
    previous
        The layout of an earlier run: known steps keep their row and stay near their place.
    stage_ids
        Ids of the stages; a step whose stage has changed is new.

    Examples
    --------
    >>> from journeymine.draw.layout.graph import Path, Step
    >>> steps = [Step(id="Basket", stage=0, place=1), Step(id="Pay", stage=1, place=2)]
    >>> layout = lay_out(steps, [Path(source="Basket", target="Pay", n=8)])
    >>> layout.rows, layout.x, layout.width
    ({'Basket': 0, 'Pay': 1}, {'Basket': 71.0, 'Pay': 71.0}, 142.0)
    """
    steps = sorted(steps, key=lambda step: step.id)
    paths = sorted(paths, key=lambda path: path.pair)
    row_of, bands = assign_rows(steps, paths, _known_rows(steps, previous, stage_ids))
    points = make_points(steps, paths, row_of, previous)
    if previous:
        rows = [list(row) for row in points.rows]
        x = returned(points, rows)
        if (home := at_home(points, x)) is not None:
            return _finished(steps, paths, row_of, bands, points, home, stays=True)
    else:
        rows = ordered(points)
        x = packed(points, rows)
    settle(points, rows, x)
    improve(points, rows, x)
    straighten(points, rows, x, steps, paths)
    return _finished(steps, paths, row_of, bands, points, x)


def _known_rows(steps: Sequence[Step], previous: Previous | None, stage_ids: Sequence[str]) -> dict[str, int]:
    if previous is None:
        return {}
    stage = {step.id: stage_ids[step.stage] if stage_ids else "" for step in steps}
    return {
        id_: previous.rows[id_]
        for id_ in stage
        if id_ in previous.rows and previous.stage_of.get(id_, "") == stage[id_]
    }


def _finished(
    steps: Sequence[Step],
    paths: Sequence[Path],
    row_of: Mapping[str, int],
    bands: tuple[tuple[int, int], ...],
    points: Points,
    x: Sequence[float],
    *,
    stays: bool = False,
) -> Layout:
    """Shift everything to the right of zero, unless it stays, thread the other paths through, round."""
    left = min((place - left for place, left in zip(x, points.left, strict=True)), default=0.0)
    shift = 0.0 if stays else left
    place = {step.id: round(x[i] - shift, 1) for i, step in enumerate(steps)}
    bends: dict[Pair, tuple[float, ...]] = {
        pair: tuple(round(x[v] - shift, 1) for v in chain) for pair, chain in points.chains.items()
    }
    bends |= _threaded(steps, paths, row_of, place)
    bends = {pair: places for pair, places in bends.items() if places}
    low = min([0.0, *(x_ for places in bends.values() for x_ in places)])
    if low < 0:
        place = {id_: round(x_ - low, 1) for id_, x_ in place.items()}
        bends = {pair: tuple(round(x_ - low, 1) for x_ in places) for pair, places in bends.items()}
    width = max(
        [place[step.id] + step.right for step in steps] + [x_ for places in bends.values() for x_ in places],
        default=0.0,
    )
    return Layout(dict(row_of), place, bends, bands, round(width, 1))


def _threaded(
    steps: Sequence[Step], paths: Sequence[Path], row_of: Mapping[str, int], place: Mapping[str, float]
) -> dict[Pair, tuple[float, ...]]:
    boxes: list[list[tuple[float, float]]] = [[] for _ in range(max(row_of.values(), default=-1) + 1)]
    for step in steps:
        boxes[row_of[step.id]].append((place[step.id] - step.left, place[step.id] + step.right))
    rows = [blocked(row) for row in boxes]
    out: dict[Pair, tuple[float, ...]] = {}
    for path in paths:
        first, last = row_of[path.source], row_of[path.target]
        if path.shown or abs(last - first) < 2:
            continue
        way = 1 if last > first else -1
        between = [rows[r] for r in range(first + way, last, way)]
        places = thread(between, place[path.source], place[path.target])
        out[path.pair] = tuple(round(x, 1) for x in places)
    return out
