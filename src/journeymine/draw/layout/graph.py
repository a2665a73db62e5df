"""What the layout takes and gives: steps, paths, and where they are drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BOX_WIDTH: Final = 142.0
HALF_BOX: Final = BOX_WIDTH / 2
_BEND: Final = re.compile(r"(.+)>(.+)@([0-9]+)", re.DOTALL)

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A box: `id` is free of `>` and `@`; `left` and `right` are what it takes up on either side of its centre.

    `place` is the mean place of its first occurrence in a journey.
    """

    id: str
    stage: int
    place: float
    left: float = HALF_BOX
    right: float = HALF_BOX


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A line between two steps; those that are not `shown` at first are threaded between the boxes at the end."""

    source: str
    target: str
    n: int
    shown: bool = True

    @property
    def pair(self) -> Pair:
        """Source and target."""
        return self.source, self.target


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is drawn.

    Attributes
    ----------
    rows
        Row of each step, from the top.
    x
        Centre of each step in px, rounded to 0.1; the leftmost edge is at 0.
    bends
        Where each path crosses the rows between its source and its target, in that order.
    bands
        First row and number of rows of each stage.
    width
        Of the drawing in px.
    """

    rows: Mapping[str, int]
    x: Mapping[str, float]
    bends: Mapping[Pair, tuple[float, ...]]
    bands: tuple[tuple[int, int], ...]
    width: float

    def to_dict(self, steps: Sequence[Step], stage_ids: Sequence[str]) -> dict[str, Any]:
        """Plain JSON, to be stored with the run: `x` of steps by id and of bends by `source>target@offset`."""
        stage_of = {step.id: step.stage for step in steps}
        bends = {
            f"{source}>{target}@{i}": x
            for (source, target), places in sorted(self.bends.items())
            for i, x in enumerate(places, 1)
        }
        return {
            "x": dict(sorted(self.x.items())) | bends,
            "rows": {id_: row - self.bands[stage_of[id_]][0] for id_, row in sorted(self.rows.items())},
            "stage_of": {id_: stage_ids[stage_of[id_]] for id_ in sorted(self.rows)},
            "bands": [{"stage": stage_ids[i], "n_rows": band[1]} for i, band in enumerate(self.bands)],
            "width": self.width,
        }


@dataclass(frozen=True, slots=True)
class Previous:
    """The layout of an earlier run: what is known of it keeps its place.

    Attributes
    ----------
    x
        Of steps by id, and of bends by `source>target@offset`.
    rows
        Row of each step inside its stage.
    stage_of
        Stage of each step, by its id.
    """

    x: Mapping[str, float] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    stage_of: Mapping[str, str] = field(default_factory=dict)

    def bend(self, pair: Pair, offset: int) -> float | None:
        """Where a path crossed the row that is `offset` rows from its source."""
        return self.x.get(f"{pair[0]}>{pair[1]}@{offset}")


def layout_of_dict(data: Mapping[str, Any]) -> Layout:
    """Read a stored layout back.

    Examples
    --------
    >>> steps = [Step(id="a", stage=0, place=1)]
    >>> layout = Layout({"a": 0}, {"a": 71.0}, {}, ((0, 1),), 142.0)
    >>> layout_of_dict(layout.to_dict(steps, ["first"])) == layout
    True
    """
    firsts, first = [], 0
    for band in data["bands"]:
        firsts.append((first, int(band["n_rows"])))
        first += int(band["n_rows"])
    start = {band["stage"]: firsts[i][0] for i, band in enumerate(data["bands"])}
    rows = {id_: start[data["stage_of"][id_]] + int(row) for id_, row in data["rows"].items()}
    bends: dict[Pair, list[tuple[int, float]]] = {}
    for key, x in data["x"].items():
        found = _BEND.fullmatch(key)
        if found:
            bends.setdefault((found[1], found[2]), []).append((int(found[3]), float(x)))
    return Layout(
        rows,
        {id_: float(data["x"][id_]) for id_ in rows},
        {pair: tuple(x for _, x in sorted(places)) for pair, places in bends.items()},
        tuple(firsts),
        float(data["width"]),
    )


def previous_of_dict(data: Mapping[str, Any] | None, stage_ids: Sequence[str]) -> Previous | None:
    """Take over a stored layout; None if there is none or its stages are others."""
    if not data or [band["stage"] for band in data["bands"]] != list(stage_ids):
        return None
    return Previous(dict(data["x"]), dict(data["rows"]), dict(data["stage_of"]))
