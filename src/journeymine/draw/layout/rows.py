"""Rows: stages are bands from top to bottom; inside a band the longest path over strong forward transitions."""

from __future__ import annotations

from collections import Counter
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from journeymine.draw.layout.graph import Path, Step

MIN_SHARE_OUT: Final = 0.18
MIN_SHARE_IN: Final = 0.30
MAX_BESIDE: Final = 5
"""Boxes in one row: more would make the drawing wider than a page."""

Bands = tuple[tuple[int, int], ...]


def assign_rows(
    steps: Sequence[Step], paths: Sequence[Path], known: Mapping[str, int]
) -> tuple[dict[str, int], Bands]:
    """Give every step its row.

    Parameters
    ----------
    steps, paths
        What is drawn.
    known
        Row inside its stage of each step that keeps it.

    Returns
    -------
    rows
        Row of each step.
    bands
        First row and number of rows of each stage, from stage 0 to the last one that has a step.

    Examples
    --------
    >>> from journeymine.draw.layout.graph import Path, Step
    >>> steps = [Step(id="Basket", stage=0, place=1), Step(id="Pay", stage=0, place=2)]
    >>> assign_rows(steps, [Path(source="Basket", target="Pay", n=8)], {})
    ({'Basket': 0, 'Pay': 1}, ((0, 2),))
    """
    before = _strong(steps, paths)
    inside: dict[str, int] = {}
    filled: Counter[tuple[int, int]] = Counter((s.stage, known[s.id]) for s in steps if s.id in known)
    for step in _in_order(steps, before):
        if step.id in known:
            inside[step.id] = known[step.id]
            continue
        row = max((inside[source] + 1 for source in before[step.id] if source in inside), default=0)
        while filled[step.stage, row] >= MAX_BESIDE:
            row += 1
        inside[step.id] = row
        filled[step.stage, row] += 1
    return _stacked(steps, inside)


def _strong(steps: Sequence[Step], paths: Sequence[Path]) -> dict[str, list[str]]:
    """Sources of the strong forward transitions into each step, inside its stage.

    Forward is what is travelled more often this way than the other; the most travelled first, and none that
    closes a circle. (The mean place alone misleads where a detour is long: all that come back from it are late.)
    """
    stage = {step.id: step.stage for step in steps}
    n = {path.pair: path.n for path in paths}
    out: Counter[str] = Counter()
    into: Counter[str] = Counter()
    for path in paths:
        out[path.source] += path.n
        into[path.target] += path.n
    before: dict[str, list[str]] = {step.id: [] for step in steps}
    for path in sorted(paths, key=lambda path: (-path.n, path.pair)):
        source, target = path.pair
        is_strong = path.n >= MIN_SHARE_OUT * out[source] or path.n >= MIN_SHARE_IN * into[target]
        is_forward = path.n > n.get((target, source), 0)
        if stage[source] == stage[target] and is_strong and is_forward and not _leads(before, target, source):
            before[target].append(source)
    return before


def _leads(before: Mapping[str, list[str]], start: str, end: str) -> bool:
    """Whether a way leads from start to end."""
    waiting, seen = [end], {end}
    while waiting:
        for source in before[waiting.pop()]:
            if source == start:
                return True
            if source not in seen:
                seen.add(source)
                waiting.append(source)
    return False


def _in_order(steps: Sequence[Step], before: Mapping[str, list[str]]) -> list[Step]:
    """Steps in an order in which every source of a strong transition comes before its target."""
    step_of = {step.id: step for step in steps}
    waiting = {step.id: len(before[step.id]) for step in steps}
    after: dict[str, list[str]] = {step.id: [] for step in steps}
    for target, sources in before.items():
        for source in sources:
            after[source].append(target)
    ready = [(step.stage, step.place, step.id) for step in steps if not waiting[step.id]]
    heapify(ready)
    order = []
    while ready:
        *_, id_ = heappop(ready)
        order.append(step_of[id_])
        for target in after[id_]:
            waiting[target] -= 1
            if not waiting[target]:
                heappush(ready, (step_of[target].stage, step_of[target].place, target))
    return order


def _stacked(steps: Sequence[Step], inside: Mapping[str, int]) -> tuple[dict[str, int], Bands]:
    """Put the stages one below the other; a row without a step is left out."""
    n_stages = max((step.stage for step in steps), default=-1) + 1
    rows: dict[str, int] = {}
    bands = []
    first = 0
    for stage in range(n_stages):
        here = [step.id for step in steps if step.stage == stage]
        used = {row: i for i, row in enumerate(sorted({inside[id_] for id_ in here}))}
        rows.update({id_: first + used[inside[id_]] for id_ in here})
        bands.append((first, len(used)))
        first += len(used)
    return rows, tuple(bands)
