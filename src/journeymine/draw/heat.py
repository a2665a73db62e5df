"""The heat matrix of transitions: where the journey goes next from each step, in the order of the map."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from journeymine import _format as fmt
from journeymine.draw.figure import Figure
from journeymine.draw.svg import Group, Mark, Path, Rect, Text
from journeymine.draw.text import cut, fit, text_width, wrap
from journeymine.draw.tokens import HEAT_MAX, TINT_MAX

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_STEPS: Final = 25
LEVEL: Final = 0.95
ROW, STAGE_ROW, STAGE_GAP, EXIT_GAP = 25.0, 22.0, 6.0, 14.0
CELL_MIN, CELL_MAX = 31.0, 58.0
TARGET_WIDTH: Final = 1050.0
FONT: Final = 11.0
PRINTED_FROM: Final = 0.01
MANY: Final = 400
"""Above this many cells what a cell says leaves its row and its column out: they stand at the headings."""
OF: Final = {"en": "of", "fr": "sur"}


Bounds: TypeAlias = tuple[float, float, int]
"""Lower and upper bound of a share, and what it is a share of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatStep:
    """One step: its visits decide whether it is drawn when there are too many.

    `departures` are the moves that the shares of its row are of; None: all moves to other steps.
    """

    name: str
    n: int
    stage: str | None = None
    exits: tuple[float | None, ...] = ()
    exit_refs: tuple[str | None, ...] = ()
    exit_bounds: tuple[Bounds | None, ...] = ()
    departures: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Moves between two steps: count, and the share of all departures of the source with its interval."""

    source: str
    target: str
    n: int
    share: float
    bounds: Bounds | None = None
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class _Cell:
    """What a cell of the matrix shows; one that stands for several moves has no interval."""

    share: float
    n: int
    bounds: Bounds | None = None
    ref: str | None = None


Cells: TypeAlias = dict[tuple[int, int], _Cell]


def heat(
    steps: Sequence[HeatStep],
    moves: Sequence[Move],
    *,
    lang: str,
    alt: str,
    other: Callable[[int], str],
    exit_labels: Sequence[tuple[str, str]] = (),
) -> Figure:
    """Draw the matrix.

    Parameters
    ----------
    steps
        Steps in the order of the map. Above 25 the rarest are drawn as one.
    moves
        All moves of the log.
    lang
        Language of the numbers.
    alt
        The conclusion.
    other
        Names the step that stands for that many rare ones.
    exit_labels
        Label and colour token of the columns at the right, one per entry of `HeatStep.exits`.

    Examples
    --------
    >>> steps = [HeatStep(name="Basket", n=10), HeatStep(name="Order", n=4)]
    >>> moves = [Move(source="Basket", target="Order", n=4, share=1.0)]
    >>> figure = heat(steps, moves, lang="en", alt="All go on", other=lambda n: f"other ({n})")
    >>> figure.to_dicts()
    [{'source': 'Basket', 'target': 'Order', 'share': 1.0, 'n': 4}]
    """
    shown, index = _folded(steps, other)
    cells = _cells(moves, index, steps)
    layout = _Layout.of(shown, len(exit_labels))
    marks = [*_headings(shown, exit_labels, layout), *_separators(layout)]
    tiles: list[Mark] = []
    numbers: list[Mark] = []
    for (i, j), cell in sorted(cells.items()):
        title = _said(cell, lang)
        if len(cells) <= MANY:
            title = f"{cut(shown[i].name, 40)} → {cut(shown[j].name, 40)}: {title}"
        place = (layout.columns[j], layout.rows[i], layout.cell)
        tile, number = _cell(place, cell.share, ("data2", HEAT_MAX), lang, title, cell.ref)
        tiles += tile
        numbers += number
    marks += [_tiles(tiles, "data2"), _numbers(numbers), *_exit_cells(shown, exit_labels, layout, lang)]
    rows = tuple(
        {"source": shown[i].name, "target": shown[j].name, "share": cell.share, "n": cell.n}
        for (i, j), cell in sorted(cells.items())
    )
    return Figure("heat", layout.width, layout.height, tuple(marks), alt, rows)


def _said(cell: _Cell, lang: str) -> str:
    """A share in words: with its interval and what it is of, where they are known.

    Examples
    --------
    >>> _said(_Cell(0.12, 560, (0.11, 0.131, 4700)), "en"), _said(_Cell(0.12, 560), "en")
    ('12% (95% CI 11% to 13%; 560 of 4,700)', '12% (n = 560)')
    """
    share, n = fmt.share(cell.share, lang), fmt.number(cell.n, lang)
    if cell.bounds is None:
        return f"{share} (n = {n})"
    low, high, of = cell.bounds
    digits = fmt.share_digits(low, high)
    bounds = fmt.interval(fmt.share(low, lang, digits), fmt.share(high, lang, digits), lang)
    return f"{share} ({fmt.level(LEVEL, lang)} {bounds}; {n} {OF[lang]} {fmt.number(of, lang)})"


def _folded(steps: Sequence[HeatStep], other: Callable[[int], str]) -> tuple[list[HeatStep], dict[str, int]]:
    """Keep the most frequent steps, in their order; the rest becomes one step at the end."""
    by_visits = sorted(range(len(steps)), key=lambda i: (-steps[i].n, i))
    kept = sorted(by_visits[:MAX_STEPS])
    rest = len(steps) - len(kept)
    shown = [steps[i] for i in kept]
    index = {step.name: i for i, step in enumerate(shown)}
    if rest:
        shown.append(_together(other(rest), [steps[i] for i in by_visits[MAX_STEPS:]]))
        for i in by_visits[MAX_STEPS:]:
            index.setdefault(steps[i].name, len(kept))
    return shown, index


def _together(name: str, steps: Sequence[HeatStep]) -> HeatStep:
    """Several steps as one; how often they end a journey is known if it is of each."""
    kinds = max((len(step.exits) for step in steps), default=0)
    exits: list[float | None] = []
    for kind in range(kinds):
        known = [
            (step.exits[kind], step.exit_bounds[kind])
            for step in steps
            if len(step.exits) > kind and len(step.exit_bounds) > kind
        ]
        counted = [(share, of[2]) for share, of in known if share is not None and of is not None]
        total = sum(n for _, n in counted)
        is_known = total > 0 and len(counted) == len(steps)
        exits.append(sum(share * n for share, n in counted) / total if is_known else None)
    return HeatStep(name=name, n=sum(step.n for step in steps), exits=tuple(exits))


def _cells(moves: Sequence[Move], index: dict[str, int], steps: Sequence[HeatStep]) -> Cells:
    """What each cell shows; a cell of folded steps is computed from the counts."""
    counts: dict[tuple[int, int], list[Move]] = {}
    departures: dict[int, int] = {}
    for move in moves:
        if move.source in index and move.target in index:
            key = (index[move.source], index[move.target])
            counts.setdefault(key, []).append(move)
            departures[key[0]] = departures.get(key[0], 0) + move.n
    for i in set(index.values()):
        given = [step.departures for step in steps if index.get(step.name) == i]
        if all(n is not None for n in given):
            departures[i] = sum(n for n in given if n is not None)
    return {
        key: _Cell(found[0].share, found[0].n, found[0].bounds, found[0].ref)
        if len(found) == 1 and key[0] < MAX_STEPS and key[1] < MAX_STEPS
        else _Cell(sum(m.n for m in found) / max(departures[key[0]], 1), sum(m.n for m in found))
        for key, found in counts.items()
    }


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where rows, columns and exit columns begin."""

    label: float
    top: float
    cell: float
    rows: tuple[float, ...]
    columns: tuple[float, ...]
    exits: tuple[float, ...]
    stages: tuple[tuple[float, float, str], ...]  # y of the line, x of the first column, name
    width: float
    height: float

    @classmethod
    def of(cls, shown: Sequence[HeatStep], n_exits: int) -> _Layout:
        widest = max((text_width(cut(step.name), 12) for step in shown), default=0.0)
        label = min(max(widest + 12, 90.0), 200.0 if len(shown) <= 16 else 122.0)
        slanted = max((text_width(_heading(step.name), 12) for step in shown), default=0.0)
        top = slanted * math.sin(math.pi / 4) + 18
        starts = [i for i, step in enumerate(shown) if _begins_stage(shown, i)]
        gaps = STAGE_GAP * len(starts) + EXIT_GAP * bool(n_exits)
        tail = 14 + text_width(_heading(shown[-1].name), 12) * 0.5 if shown and not n_exits else 34.0
        room = TARGET_WIDTH - label - gaps - tail
        cell = min(max(room / max(len(shown) + n_exits, 1), CELL_MIN), CELL_MAX)
        rows, columns, stages = [], [], []
        x, y = label, top
        for i, step in enumerate(shown):
            if i in starts:
                x += STAGE_GAP if i else 0.0
                y += STAGE_ROW if step.stage else STAGE_GAP
                stages.append((y - 2, x, step.stage or ""))
            rows.append(y)
            columns.append(x)
            x, y = x + cell, y + ROW
        exits = tuple(x + EXIT_GAP + cell * k for k in range(n_exits))
        width = (exits[-1] + cell if exits else x) + tail
        return cls(label, top, cell, tuple(rows), tuple(columns), exits, tuple(stages), width, y + 4)


def _begins_stage(shown: Sequence[HeatStep], i: int) -> bool:
    has_stages = any(step.stage for step in shown)
    return has_stages and (i == 0 or shown[i].stage != shown[i - 1].stage)


def _heading(name: str) -> str:
    return fit(name, 126, 12)


def _headings(
    shown: Sequence[HeatStep], exit_labels: Sequence[tuple[str, str]], layout: _Layout
) -> list[Mark]:
    marks: list[Mark] = []
    for i, step in enumerate(shown):
        marks += _row_label(step.name, layout.label - 8, layout.rows[i] + ROW / 2)
        marks.append(
            _slanted(
                _heading(step.name), layout.columns[i] + layout.cell / 2, layout.top, cut(step.name, 400)
            )
        )
    for (label, token), x in zip(exit_labels, layout.exits, strict=True):
        marks.append(
            _slanted(_heading(label), x + layout.cell / 2, layout.top, label, weight=600, fill=token)
        )
    return marks


def _row_label(name: str, right: float, middle: float) -> list[Mark]:
    """Name a row: in one line, or in two small ones so that long names can be told apart."""
    one_line = fit(name, right - 2, 12)
    is_whole = one_line == cut(name)
    lines = (one_line,) if is_whole else wrap(name, right - 2, FONT, lines=2)
    size = 12.0 if is_whole else FONT
    top = middle + 4 - 5.5 * (len(lines) - 1)
    full = cut(name, 400)
    return [
        Text(x=right, y=top + 11 * i, text=line, size=size, anchor="end", title=full if i == 0 else None)
        for i, line in enumerate(lines)
    ]


def _slanted(text: str, x: float, top: float, title: str, *, weight: int = 400, fill: str = "ink2") -> Text:
    return Text(x=x, y=top - 6, text=text, size=12, weight=weight, fill=fill, rotate=-45, title=title)


def _separators(layout: _Layout) -> list[Mark]:
    """Name and line of each stage."""
    right = layout.columns[-1] + layout.cell if layout.columns else layout.label
    bottom = layout.height - 4
    marks: list[Mark] = []
    for y, x, name in layout.stages:
        if name:
            text = fit(name, 260, 11.5, weight=700)
            marks.append(
                Text(x=0, y=y - 5, text=text, size=11.5, weight=700, fill="ink2", title=cut(name, 400))
            )
        marks.append(Path(d=("M", 0, y, "H", right), stroke="line2"))
        marks.append(Path(d=("M", x - STAGE_GAP / 2, layout.top, "V", bottom), stroke="line2"))
    return marks


def _tiles(tiles: list[Mark], token: str) -> Group:
    return Group(marks=tuple(tiles), fill=token)


def _numbers(numbers: list[Mark]) -> Group:
    return Group(marks=tuple(numbers), fill="ink", size=FONT, anchor="middle")


def _cell(
    place: tuple[float, float, float],
    share: float,
    look: tuple[str, float],
    lang: str,
    title: str | None,
    ref: str | None,
) -> tuple[list[Mark], list[Mark]]:
    """One tinted cell; from one per cent on it says its number."""
    x, y, width = place
    token, strongest = look
    if share <= 0:
        return [], []
    opacity = max(strongest * math.sqrt(min(share, 1.0)), 0.02)
    tile = Rect(x=x + 1, y=y + 1, width=width - 2, height=ROW - 2, fill=token, opacity=opacity, title=title)
    if share < PRINTED_FROM:
        return [tile], []
    text = fmt.share(share, lang)
    return [tile], [Text(x=x + width / 2, y=y + ROW / 2 + 4, text=text, size=FONT, anchor="middle", ref=ref)]


def _exit_cells(
    shown: Sequence[HeatStep], exit_labels: Sequence[tuple[str, str]], layout: _Layout, lang: str
) -> list[Mark]:
    marks: list[Mark] = []
    for k, (label, token) in enumerate(exit_labels):
        tiles: list[Mark] = []
        numbers: list[Mark] = []
        for i, step in enumerate(shown):
            share = step.exits[k] if k < len(step.exits) else None
            if share is None:
                continue
            ref = step.exit_refs[k] if k < len(step.exit_refs) else None
            bounds = step.exit_bounds[k] if k < len(step.exit_bounds) else None
            said = fmt.share(share, lang)
            if bounds is not None:
                said = _said(_Cell(share, round(share * bounds[2]), bounds), lang)
            title = f"{cut(step.name, 40)} → {label}: {said}"
            place = (layout.exits[k], layout.rows[i], layout.cell)
            tile, number = _cell(place, share, (token, TINT_MAX), lang, title, ref)
            tiles += tile
            numbers += number
        marks += [_tiles(tiles, token), _numbers(numbers)]
    return marks
